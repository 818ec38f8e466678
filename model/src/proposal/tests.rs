use super::*;
use crate::class::class_of;

const NOW: Instant = Instant(1_795_435_200_000);
const REPOSITORY: &str = "ghcr.io/acme/api";

fn days_ago(days: i64) -> Instant {
    NOW - Millis::days(days)
}

/// A tag that has been what it is since its creation.
fn stood(tag: &str, days: i64) -> TagHistory {
    let created = Some(days_ago(days));
    TagHistory { tag: TagName::new(tag).unwrap(), present: Some(true), first_seen: created, changed: created, moves: 0 }
}

fn moved(tag: &str, moves: u64, days: i64) -> TagHistory {
    TagHistory { first_seen: Some(days_ago(300)), changed: Some(days_ago(days)), moves, ..stood(tag, 0) }
}

fn of(tags: &[TagHistory]) -> Vec<Proposal> {
    let classified = |history: &TagHistory| Some(class_of(REPOSITORY, history.tag.as_str()));
    propose(REPOSITORY, tags.iter().map(|history| (history, classified(history))), NOW)
}

/// Pattern, class, number and examples of every proposal.
fn told(tags: &[TagHistory]) -> Vec<(String, Class, u64, String)> {
    let told = |proposal: Proposal| (proposal.pattern, proposal.class, proposal.tags, proposal.examples.join(" "));
    of(tags).into_iter().map(told).collect()
}

#[test]
fn groups_that_stood_are_proposed_as_releases() {
    const TWO_DIGITS: &str = "{[0-9],[0-9][0-9]}";
    for (tags, pattern, examples) in [
        ("3.9 3.10 3.11", format!("[0-9].{TWO_DIGITS}"), "3.11 3.10 3.9"),
        ("v1.0 v1.1 v2.0", "v[0-9].[0-9]".to_owned(), "v2.0 v1.1 v1.0"),
        ("9 10 11 12 13 14", TWO_DIGITS.to_owned(), "14 13 12 11 10"),
        ("1.0-alpine 1.1-alpine 1.2-alpine", "[0-9].[0-9]-alpine".to_owned(), "1.2-alpine 1.1-alpine 1.0-alpine"),
        ("build-7 build-8 build-1234", "build-{[0-9],[0-9][0-9][0-9][0-9]}".to_owned(), "build-1234 build-8 build-7"),
        // The digits of an architecture are part of its name.
        ("1.0-arm64 1.1-arm64 1.2-arm64", "[0-9].[0-9]-arm64".to_owned(), "1.2-arm64 1.1-arm64 1.0-arm64"),
        ("alpine3.18 alpine3.19 alpine3.20", "alpine[0-9].[0-9][0-9]".to_owned(), "alpine3.20 alpine3.19 alpine3.18"),
        (
            "main-3f91c0e main-0a1b2c3 main-deadbe7",
            format!("main-{}", "[0-9a-f]".repeat(7)),
            "main-deadbe7 main-3f91c0e main-0a1b2c3",
        ),
    ] {
        let histories: Vec<_> = tags.split(' ').map(|tag| stood(tag, 91)).collect();
        let count = histories.len() as u64;
        assert_eq!(told(&histories), [(pattern, Class::Release, count, examples.to_owned())], "{tags}");
    }
}

#[test]
fn what_is_no_custom_is_not_proposed() {
    let group = |tags: &[&str]| tags.iter().map(|tag| stood(tag, 91)).collect::<Vec<_>>();
    let with = |other: TagHistory| [group(&["3.9", "3.10", "3.11"]), vec![other]].concat();
    for (why, tags) in [
        ("too few", group(&["3.9", "3.10"])),
        ("too few of a shape", group(&["3.9", "3.10", "v3.11"])),
        ("too young", vec![stood("3.9", 91), stood("3.10", 91), stood("3.11", 89)]),
        ("meant to move", group(&["pr-1", "pr-2", "pr-3"])),
        ("releases already", group(&["1.0.0", "1.0.1", "1.0.2"])),
        ("not for people", group(&["keep-a41b09ce12ab", "keep-b41b09ce12ab", "keep-c41b09ce12ab"])),
        ("one of them moved", with(moved("3.12", 1, 40))),
        ("one of them was deleted", with(TagHistory { present: Some(false), ..moved("3.12", 0, 40) })),
        ("words have no shape", group(&["stable", "lts", "current", "next"])),
        (
            "a pattern too long to read",
            [7, 8, 9].map(|last| stood(&format!("x-{}{last}", "1".repeat(100)), 91)).to_vec(),
        ),
    ] {
        assert_eq!(told(&tags), [], "{why}");
    }
    for (why, count, other) in [
        ("another shape moved", 3, moved("3.12-slim", 9, 1)),
        ("one moved long ago", 4, moved("3.12", 0, 91)),
        ("one has just appeared", 3, stood("3.12", 1)),
        ("one was never read", 3, TagHistory { present: None, first_seen: None, changed: None, ..stood("3.12", 1) }),
        ("one was deleted long ago", 3, TagHistory { present: Some(false), ..moved("3.12", 0, 91) }),
    ] {
        let told = told(&with(other));
        assert!(matches!(&told[..], [(_, Class::Release, tags, _)] if *tags == count), "{why}: {told:?}");
    }
}

#[test]
fn what_a_configured_rule_decides_is_left_alone() {
    let tags = [stood("3.9", 91), stood("3.10", 91), stood("3.11", 91), moved("1.2.3", 5, 1)];
    assert_eq!(propose(REPOSITORY, tags.iter().map(|history| (history, None)), NOW), []);
}

#[test]
fn releases_that_move_are_proposed_as_rolling_one_by_one() {
    let gone = TagHistory { present: Some(false), ..moved("1.0.2", 9, 1) };
    let tags = [moved("1.0.0", 3, 1), moved("1.0.1", 2, 1), gone, moved("1.1.0-alpine", 7, 80), moved("latest", 99, 1)];
    let rolling = |tag: &str| (tag.to_owned(), Class::Rolling, 1, tag.to_owned());
    assert_eq!(told(&tags), [rolling("1.1.0-alpine"), rolling("1.0.0")]);
    let official = "docker.io/library/nginx";
    let rebuilt = tags.iter().map(|history| (history, Some(class_of(official, history.tag.as_str()))));
    assert_eq!(propose(official, rebuilt, NOW), [], "versions of these are refreshed on purpose");
}

#[test]
fn a_proposal_says_since_when_and_the_largest_group_stands_first() {
    let mut tags: Vec<_> = (1..=3).map(|number| stood(&format!("{number}"), 100 + number)).collect();
    tags.extend((1..=4).map(|number| stood(&format!("1.{number}"), 200)));
    tags.push(moved("1.0.0", 3, 2));
    let proposals = of(&tags);
    let since: Vec<_> = proposals.iter().map(|proposal| (proposal.tags, proposal.never_moved_since)).collect();
    assert_eq!(since, [(4, Some(days_ago(200))), (3, Some(days_ago(101))), (1, None)]);
    assert_eq!(proposals.iter().map(|proposal| proposal.moves).collect::<Vec<_>>(), [0, 0, 3]);
    assert!(proposals.iter().all(|proposal| proposal.repository == REPOSITORY));
}

#[test]
fn names_alone_suggest_releases_without_saying_since_when() {
    let tags = ["1.25", "1.26", "1.27", "latest", "1.27.3", "stable"].map(|tag| TagName::new(tag).unwrap());
    let tags = tags.map(|tag| (tag.clone(), Some(class_of(REPOSITORY, tag.as_str()))));
    let proposals = propose_by_name(REPOSITORY, tags);
    let told: Vec<_> = proposals.iter().map(|proposal| (&*proposal.pattern, proposal.class, proposal.tags)).collect();
    assert_eq!(told, [("[0-9].[0-9][0-9]", Class::Release, 3)]);
    assert_eq!(proposals[0].never_moved_since, None);
}
