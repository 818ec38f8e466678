//! The comparison: what stands beside what, and the worst of it.

use std::cmp::Reverse;

use super::content::{Body, Content, Index, Manifest, Unread};
use super::pairs::{Listed, Pair, pair};
use super::rows::Rows;
use super::words::visible;
use super::{Change, ChangeLevel, Field, Platform, PlatformChange, Revision, attestations, manifests, source};

/// So many platforms are listed, the worst ones if there are more.
const PLATFORMS: usize = 32;
/// So many characters of a reason.
const REASON: usize = 300;
const INDEX: &str = "index";

/// What differs between two contents, and how bad that is.
///
/// What is `Missing` counts as gone for good: load what [`wanted`](super::wanted) names first, and compare only when the
/// registry has said that it does not have the rest.
pub fn compare(old: &Content, new: &Content) -> Change {
    let mut change = Change {
        level: ChangeLevel::Same,
        severity: ChangeLevel::Same.severity(),
        problem: None,
        whole: Vec::new(),
        platforms: Vec::new(),
        more_platforms: 0,
        attestations: None,
        revision: revision(old, new),
    };
    if old.digest == new.digest {
        return change;
    }
    match (&old.body, &new.body) {
        (Err(unread), _) => change.problem = Some(problem("old", "content", unread)),
        (_, Err(unread)) => change.problem = Some(problem("new", "content", unread)),
        (Ok(Body::Manifest(before)), Ok(Body::Manifest(after))) => {
            let (was, is) = (Listed::alone(old), Listed::alone(new));
            let mut only = blank(Some(&was), Some(&is), ChangeLevel::Same);
            fill(&mut only, before, after);
            change.platforms.push(only);
        }
        (Ok(Body::Index(before)), Ok(Body::Index(after))) => {
            of_lists(&mut change, [old, new], &Listed::of_index(before), &Listed::of_index(after));
            of_indexes(&mut change, before, after);
        }
        (Ok(Body::Index(before)), Ok(Body::Manifest(after))) => {
            of_lists(&mut change, [old, new], &Listed::of_index(before), &[Listed::alone(new)]);
            of_kinds(&mut change, [INDEX, manifests::kind(after)], manifests::kind(after));
        }
        (Ok(Body::Manifest(before)), Ok(Body::Index(after))) => {
            of_lists(&mut change, [old, new], &[Listed::alone(old)], &Listed::of_index(after));
            of_kinds(&mut change, [manifests::kind(before), INDEX], manifests::kind(before));
        }
    }
    let platforms = change.platforms.iter().map(|platform| platform.level).max();
    let attestations = change.attestations.as_ref().map(super::AttestationChange::level);
    let problem = change.problem.as_ref().map(|_| ChangeLevel::NotComparable);
    change.level =
        [Some(change.level), platforms, attestations, problem].into_iter().flatten().max().unwrap_or(change.level);
    change.severity = change.level.severity();
    bound(&mut change);
    change
}

/// Leaves out what is more than an answer should hold; the worst stay, in their order.
fn bound(change: &mut Change) {
    let mut numbered: Vec<_> = std::mem::take(&mut change.platforms).into_iter().enumerate().collect();
    change.more_platforms = numbered.len().saturating_sub(PLATFORMS) as u64;
    numbered.sort_by_key(|(_, platform)| Reverse(platform.level));
    numbered.truncate(PLATFORMS);
    numbered.sort_by_key(|(at, _)| *at);
    change.platforms = numbered.into_iter().map(|(_, platform)| platform).collect();
}

/// The tag names another kind of thing: some machines choose another manifest, or none.
fn of_kinds(change: &mut Change, [old, new]: [&str; 2], alone: &str) {
    let mut rows = Rows::default();
    rows.value(Field::Kind, old, new);
    change.whole = rows.differences;
    change.level = ChangeLevel::Selection;
    let compared =
        |platform: &PlatformChange| platform.problem.is_some() || platform.old.is_some() && platform.new.is_some();
    if !change.platforms.iter().any(compared) {
        change.problem = Some(format!("the index has nothing that stands for the {alone}"));
    }
}

/// What two indexes say themselves.
fn of_indexes(change: &mut Change, old: &Index, new: &Index) {
    let mut rows = Rows::default();
    manifests::annotations(&mut rows, &old.annotations, &new.annotations);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    rows.value(Field::MediaType, &text(&old.media_type), &text(&new.media_type));
    let unexplained = rows.differences.is_empty() && change.attestations.is_none();
    if unexplained && change.platforms.iter().all(|platform| platform.level == ChangeLevel::Same) {
        rows.bare(Field::Bytes);
    }
    change.whole = rows.differences;
    change.level = ChangeLevel::Index;
}

fn of_lists(change: &mut Change, sides: [&Content; 2], before: &[Listed], after: &[Listed]) {
    change.platforms = pair(before, after).iter().map(of_pair).collect();
    change.attestations = attestations::compare(sides, [before, after]);
}

fn of_pair(pair: &Pair) -> PlatformChange {
    match pair {
        Pair::Both(old, new) => both(old, new),
        Pair::Removed(old) => blank(Some(*old), None, ChangeLevel::PlatformRemoved),
        Pair::Added(new, level) => blank(None, Some(*new), *level),
        Pair::UnknownOld(old) => {
            let of_one = blank(Some(*old), None, ChangeLevel::NotComparable);
            PlatformChange { problem: Some(nameless("old", old)), ..of_one }
        }
        Pair::UnknownNew(new) => {
            let of_one = blank(None, Some(*new), ChangeLevel::NotComparable);
            PlatformChange { problem: Some(nameless("new", new)), ..of_one }
        }
    }
}

fn blank(old: Option<&Listed>, new: Option<&Listed>, level: ChangeLevel) -> PlatformChange {
    let digest = |listed: Option<&Listed>| listed.map(|listed| listed.content.digest.clone());
    let platform = [new, old].into_iter().flatten().find_map(|listed| listed.platform.as_ref());
    PlatformChange {
        platform: platform.map(Platform::shown),
        level,
        old: digest(old),
        new: digest(new),
        problem: None,
        differences: Vec::new(),
        left_out: 0,
        layers: None,
    }
}

fn both(old: &Listed, new: &Listed) -> PlatformChange {
    let mut change = blank(Some(old), Some(new), ChangeLevel::Same);
    if old.content.digest != new.content.digest {
        match (manifest(old), manifest(new)) {
            (Err(unread), _) => change.problem = Some(problem("old", "manifest", &unread)),
            (_, Err(unread)) => change.problem = Some(problem("new", "manifest", &unread)),
            (Ok(before), Ok(after)) => fill(&mut change, before, after),
        }
        if change.problem.is_some() {
            change.level = ChangeLevel::NotComparable;
        }
    }
    if old.platform != new.platform {
        let text = |listed: &Listed| listed.platform.as_ref().map(Platform::to_string).unwrap_or_default();
        let mut rows = Rows::default();
        rows.value(Field::Listing, &text(old), &text(new));
        change.level = change.level.max(Field::Listing.level());
        change.differences.extend(rows.differences);
        change.differences.sort_by_key(|row| row.field);
    }
    change
}

/// Why it is not known which platform a manifest is for.
fn nameless(side: &str, listed: &Listed) -> String {
    match manifest(listed).map(|manifest| &manifest.image) {
        Err(unread) => problem(side, "manifest", &unread),
        Ok(Some(Err(unread))) => problem(side, "config", unread),
        Ok(_) => format!("nothing says for which platform the {side} manifest is"),
    }
}

fn manifest<'a>(listed: &Listed<'a>) -> Result<&'a Manifest, Unread> {
    match &listed.content.body {
        Ok(Body::Manifest(manifest)) => Ok(manifest),
        Ok(Body::Index(_)) => Err(Unread::Unreadable("it is an index inside an index".to_owned())),
        Err(unread) => Err(unread.clone()),
    }
}

fn fill(change: &mut PlatformChange, old: &Manifest, new: &Manifest) {
    let found = manifests::compare(old, new);
    change.level = found.level();
    change.problem = found.problem.map(|problem| visible(&problem, REASON));
    change.differences = found.rows.differences;
    change.left_out = found.rows.left_out;
    change.layers = Some(found.layers);
}

fn problem(side: &str, what: &str, unread: &Unread) -> String {
    visible(&format!("the {side} {what} {unread}"), REASON)
}

/// What both claim to be built from.
fn revision(old: &Content, new: &Content) -> Option<Revision> {
    let (before, after) = (source::revision(old), source::revision(new));
    (before.is_some() || after.is_some()).then(|| Revision {
        old: before.map(source::shown),
        new: after.map(source::shown),
        same: before == after,
    })
}
