use super::*;
use proptest::prelude::*;

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// Owns what [`Release`] borrows; by default each release has a digest of its own.
#[derive(Debug, Clone)]
struct Owned {
    tag: String,
    promise: Option<Digest>,
    since: Option<Instant>,
    do_not_use: bool,
}

fn release(tag: &str) -> Owned {
    Owned { tag: tag.to_owned(), promise: Some(digest(tag)), since: None, do_not_use: false }
}

impl Owned {
    fn since(mut self, at: i64) -> Self {
        self.since = Some(Instant(at));
        self
    }

    fn borrow(&self) -> Release<'_> {
        Release { tag: &self.tag, promise: self.promise.as_ref(), since: self.since, do_not_use: self.do_not_use }
    }
}

#[test]
fn section_10_what_a_release_named_before_comes_last_and_once() {
    let (odd, own) = (digest("odd"), digest("2.3.0"));
    let past = |digest, at| Past { digest, release: None, since: Instant(at) };
    let releases = [release("2.2.0")];
    let named = targets(
        &release("2.3.0").borrow(),
        &other_bytes(),
        &releases.iter().map(Owned::borrow).collect::<Vec<_>>(),
        &[past(&odd, 5), past(&own, 3), past(&odd, 1)],
        &[],
    );
    let digests: Vec<_> = named.iter().map(|candidate| &candidate.digest).collect();
    assert_eq!(digests, [&own, &digest("2.2.0"), &odd]);
    assert!(named[2].because.contains("not held to it"));
}

#[test]
fn section_10_a_rolling_tag_goes_back_to_the_releases_it_pointed_at_by_last_use() {
    let [now, first, second, build] = ["now", "first", "second", "build"].map(digest);
    let past = |digest, release, at| Past { digest, release, since: Instant(at) };
    let all = [
        past(&now, Some("2.4.0"), 9),
        past(&first, Some("2.3.1"), 8),
        past(&build, None, 7),
        past(&second, Some("2.3.0"), 6),
        past(&first, Some("2.3.1"), 5),
    ];
    let named = targets_of_rolling("latest", &TagState::Present(now.clone()), &all, &[]);
    let releases: Vec<_> = named.iter().map(|candidate| candidate.release.as_str()).collect();
    assert_eq!(releases, ["2.3.1", "2.3.0"]);
    assert_eq!(named[0].because, "the release that latest pointed at before");
}

fn from(subject: &Owned, state: &TagState, releases: &[Owned]) -> Vec<Candidate> {
    targets(&subject.borrow(), state, &releases.iter().map(Owned::borrow).collect::<Vec<_>>(), &[], &[])
}

fn names(subject: &Owned, state: &TagState, releases: &[Owned]) -> Vec<String> {
    from(subject, state, releases).into_iter().map(|candidate| candidate.release).collect()
}

fn tags(tags: &[&str]) -> Vec<Owned> {
    tags.iter().map(|tag| release(tag)).collect()
}

fn other_bytes() -> TagState {
    TagState::Present(digest("other bytes"))
}

#[test]
fn section_10_in_breach_its_promise_comes_first_then_earlier_releases_newest_first_and_pre_releases_last() {
    let releases = tags(&["2.9.0", "2.3.0", "2.10.0", "2.10.1", "2.10.0-rc.1", "2.9.0-rc.2", "1.0.0", "2.10.1-rc.1"]);
    assert_eq!(
        names(&release("2.10.0"), &other_bytes(), &releases),
        ["2.10.0", "2.9.0", "2.3.0", "1.0.0", "2.10.0-rc.1", "2.9.0-rc.2"]
    );
}

#[test]
fn section_10_as_promised_a_release_is_no_target_of_itself() {
    let releases = tags(&["2.3.0", "2.2.0"]);
    assert_eq!(names(&release("2.3.0"), &TagState::Present(digest("2.3.0")), &releases), ["2.2.0"]);
}

#[test]
fn section_10_a_deleted_release_goes_back_to_its_promise() {
    assert_eq!(names(&release("2.3.0"), &TagState::Absent, &tags(&["2.2.0"])), ["2.3.0", "2.2.0"]);
}

#[test]
fn section_10_another_spelling_of_the_same_version_is_not_an_earlier_release() {
    let releases = tags(&["2.3.0", "v2.3.0", "2.2.0"]);
    assert_eq!(names(&release("v2.3.0"), &other_bytes(), &releases), ["v2.3.0", "2.2.0"]);
}

#[test]
fn section_10_only_the_family_counts() {
    let releases = tags(&["2.2.0", "2.2.0-alpine3.19", "2.2.0-slim", "2.1.0-alpine3.20", "3f91c0e"]);
    assert_eq!(
        names(&release("2.3.0-alpine3.20"), &other_bytes(), &releases),
        ["2.3.0-alpine3.20", "2.2.0-alpine3.19", "2.1.0-alpine3.20"]
    );
}

#[test]
fn section_10_what_is_not_to_be_used_is_skipped() {
    let mut releases = tags(&["2.2.0", "2.1.0"]);
    releases[0].do_not_use = true;
    assert_eq!(names(&release("2.3.0"), &other_bytes(), &releases), ["2.3.0", "2.1.0"]);
    let subject = Owned { do_not_use: true, ..release("2.3.0") };
    assert_eq!(names(&subject, &other_bytes(), &releases), ["2.1.0"]);
}

#[test]
fn section_10_what_is_not_to_be_used_is_skipped_under_every_name() {
    let (bad, accepted) = (digest("bad"), digest("accepted"));
    // Two spellings of one release, of which one was said not to be used; by now it is held to something else.
    let marked = Owned { promise: Some(accepted.clone()), do_not_use: true, ..release("2.2.0") };
    let releases = [marked.clone(), Owned { promise: Some(bad.clone()), ..release("v2.2.0") }, release("2.1.0")];
    let releases: Vec<_> = releases.iter().map(Owned::borrow).collect();
    let past = [&bad, &accepted].map(|digest| Past { digest, release: Some("v2.2.0"), since: Instant(1) });
    let barred = [bad.clone()];
    let named = |candidates: Vec<Candidate>| candidates.into_iter().map(|it| it.release).collect::<Vec<_>>();
    let (state, subject) = (other_bytes(), release("2.3.0"));
    assert_eq!(named(targets(&subject.borrow(), &state, &releases, &past, &barred)), ["2.3.0", "2.1.0"]);
    assert_eq!(named(targets(&marked.borrow(), &state, &releases[2..], &past, &barred)), ["2.1.0"]);
    assert!(targets_of_rolling("latest", &state, &past[..1], &barred).is_empty());
    // What it is held to by now is another release, too.
    let same = Owned { promise: Some(accepted.clone()), ..release("2.1.0") };
    let releases = [marked.borrow(), same.borrow()];
    assert_eq!(named(targets(&subject.borrow(), &state, &releases, &[], &barred)), ["2.3.0", "2.1.0"]);
}

#[test]
fn section_10_releases_are_offered_by_their_promise_and_retired_ones_not_at_all() {
    let mut releases = tags(&["2.2.0", "2.1.0"]);
    releases[0].promise = None;
    releases[1].promise = Some(digest("as promised"));
    let found = from(&release("2.3.0"), &other_bytes(), &releases);
    assert_eq!(
        found.iter().map(|candidate| &candidate.digest).collect::<Vec<_>>(),
        [&digest("2.3.0"), &digest("as promised")]
    );
    let retired = Owned { promise: None, ..release("2.3.0") };
    assert_eq!(names(&retired, &other_bytes(), &releases), ["2.1.0"]);
}

#[test]
fn section_10_the_digest_in_breach_is_never_a_target() {
    let releases = tags(&["2.2.0", "2.1.0"]);
    let repointed = TagState::Present(digest("2.2.0"));
    assert_eq!(names(&release("2.3.0"), &repointed, &releases), ["2.3.0", "2.1.0"]);
}

#[test]
fn section_10_a_digest_is_named_once_for_its_best_release() {
    let mut releases = tags(&["2.2.0", "v2.2.0", "2.2.0-rc.3"]);
    releases[1].promise = releases[0].promise.clone();
    releases[2].promise = releases[0].promise.clone();
    assert_eq!(names(&release("2.3.0"), &other_bytes(), &releases), ["2.3.0", "v2.2.0"]);
}

#[test]
fn section_10_commits_are_ordered_by_when_they_were_seen() {
    let releases = [
        release("sha-aaaaaa1").since(10),
        release("sha-bbbbbb2").since(30),
        release("sha-ccccccc").since(20),
        release("sha-ddddddd"),
        release("sha-eeeeeee").since(50),
    ];
    let subject = release("sha-fffffff").since(40);
    assert_eq!(
        names(&subject, &other_bytes(), &releases),
        ["sha-fffffff", "sha-bbbbbb2", "sha-ccccccc", "sha-aaaaaa1"]
    );
    assert_eq!(
        names(&release("sha-fffffff"), &other_bytes(), &releases),
        ["sha-fffffff"],
        "nothing says what is earlier"
    );
}

#[test]
fn section_10_each_says_which_release_it_is_since_when_and_why() {
    let subject = release("2.3.0").since(40);
    let found = from(&subject, &other_bytes(), &[release("2.2.0").since(30), release("2.1.0"), release("2.3.0-rc.1")]);
    let texts: Vec<_> =
        found.iter().map(|candidate| (&*candidate.release, candidate.since, &*candidate.because)).collect();
    assert_eq!(
        texts,
        [
            ("2.3.0", Some(Instant(40)), "what 2.3.0 is held to, and is not now"),
            ("2.2.0", Some(Instant(30)), "the newest release before 2.3.0, by version"),
            ("2.1.0", None, "2 releases before 2.3.0, by version"),
            ("2.3.0-rc.1", None, "a pre-release older than 2.3.0: offered after all releases"),
        ]
    );
}

proptest! {
    #[test]
    fn section_10_holds_for_any_releases(
        picks in prop::collection::vec((0_u8..4, 0_u8..4, prop::option::of(0_u8..3), 0_u8..6, any::<bool>()), 0..20),
        now in 0_u8..7,
    ) {
        let releases: Vec<Owned> = picks
            .iter()
            .map(|(major, minor, pre, promise, do_not_use)| Owned {
                tag: format!("{major}.{minor}.0{}", pre.map(|pre| format!("-rc.{pre}")).unwrap_or_default()),
                promise: (*promise > 0).then(|| digest(&promise.to_string())),
                since: None,
                do_not_use: *do_not_use,
            })
            .collect();
        let subject = Owned { promise: Some(digest("1")), ..release("2.2.0") };
        let state = if now == 0 { TagState::Absent } else { TagState::Present(digest(&now.to_string())) };
        let found = from(&subject, &state, &releases);
        prop_assert_eq!(found.first().map(|first| &first.digest) == subject.promise.as_ref(), now != 1);
        for (at, candidate) in found.iter().enumerate() {
            prop_assert_ne!(Some(&candidate.digest), state.digest());
            prop_assert!(found[..at].iter().all(|before| before.digest != candidate.digest));
            if candidate.release == subject.tag {
                prop_assert_eq!(at, 0);
            } else {
                prop_assert!(Version::of(&candidate.release) < Version::of(&subject.tag));
                let is_it = |release: &Owned| {
                    release.tag == candidate.release
                        && !release.do_not_use
                        && release.promise.as_ref() == Some(&candidate.digest)
                };
                prop_assert!(releases.iter().any(is_it), "{:?}", candidate);
            }
        }
        let rest: Vec<_> = found.iter().filter(|found| found.release != subject.tag).collect();
        for pair in rest.windows(2) {
            let (one, other) = (Version::of(&pair[0].release), Version::of(&pair[1].release));
            prop_assert!((one.pre_release, Reverse(&one.key)) <= (other.pre_release, Reverse(&other.key)));
        }
    }
}
