//! Scenes of the timeline that are made here: of all repositories, and of a flag's window.

use tagwarden_model::api::{Event, FlagDetail};
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::order::sort_by_key;
use tagwarden_model::timeline::{Bar, Lane, Mark, MarkKind, Scene};

use crate::meaning::split_name;
use crate::text::{kinds, timeline as text};

/// How far back the picture of all repositories goes.
pub const MONTH: Millis = Millis::days(30);
/// Repositories in it at most.
const LANES: usize = 10;

/// The releases of the last [`MONTH`] by repository. `events` are of releases, without what stood before the watch, which began
/// at `watched_since`.
pub fn recent(events: &[Event], watched_since: Instant) -> Scene {
    let mut lanes: Vec<(String, Lane)> = Vec::new();
    let newest: Option<Instant> = events.iter().map(|event| event.at).max();
    for event in events {
        let old = newest.is_some_and(|newest| event.at < newest - MONTH);
        let Some(mark) = mark(event, events).filter(|_| !old) else { continue };
        if let Some((_, lane)) = lanes.iter_mut().find(|(name, _)| *name == event.repository) {
            lane.marks.push(mark);
        } else {
            let label = split_name(&event.repository).1.to_owned();
            lanes.push((event.repository.clone(), Lane { label, marks: vec![mark], ..Lane::default() }));
        }
    }
    // Where not all have room, those with a breach are shown.
    sort_by_key(&mut lanes, |(name, lane)| {
        (lane.marks.iter().all(|mark| mark.kind == MarkKind::Release), name.clone())
    });
    lanes.truncate(LANES);
    sort_by_key(&mut lanes, |(name, _)| (false, name.clone()));
    for (_, lane) in &mut lanes {
        sort_by_key(&mut lane.marks, |mark| [0, mark.at.0]);
    }
    let lanes = lanes.into_iter().map(|(_, lane)| lane).collect();
    Scene { lanes, watched_since }
}

fn mark(event: &Event, events: &[Event]) -> Option<Mark> {
    let tag = event.tag.clone()?;
    let same_tag = |other: &&Event| other.tag == event.tag && other.repository == event.repository;
    let original = events.iter().filter(same_tag).min_by_key(|other| (other.at, other.seq))?;
    let first = original.at;
    let promised = original.old_digest.as_ref().or(original.new_digest.as_ref());
    let (kind, word) = match event.kind {
        EventKind::Created => (MarkKind::Release, ""),
        EventKind::Deleted => (MarkKind::Deleted, text::DELETED),
        EventKind::Moved | EventKind::Recreated if event.new_digest.as_ref() == promised => {
            (MarkKind::Restored { first }, text::RESTORED)
        }
        EventKind::Moved | EventKind::Recreated => (MarkKind::Reassigned { first }, text::REASSIGNED),
        EventKind::Retracted | EventKind::Vanished | EventKind::Returned => return None,
    };
    let digest = event.new_digest.clone().or_else(|| event.old_digest.clone())?;
    // The picture of all repositories is for its shape: only what stands out is named.
    let label = if word.is_empty() { String::new() } else { text::label(&tag, word) };
    let title = text::mark(&tag, kinds::event(event), &digest.short());
    Some(Mark { at: event.at, kind, label, title, digest, major: false })
}

/// The window in the left third: what came before it, and all since.
pub fn window_start(data: &FlagDetail, now: Instant) -> Instant {
    let (after, before) = (data.flag.not_after, data.flag.not_before);
    let window = before.map_or(0, |before| (after - before).0);
    let since = (now - after).0.max(window).max(Millis::minutes(1).0);
    before.unwrap_or(after) - Millis(since / 2 + window / 2)
}

/// The old digest until it was last seen, each new one since it was first seen.
pub fn window(data: &FlagDetail) -> Scene {
    let flag = &data.flag;
    let mut bars = Vec::new();
    let first = data.events.first();
    let bar = |digest: &Digest, from: Instant, until: Option<Instant>, words: &str| Bar {
        from,
        until,
        ended: false,
        digest: digest.clone(),
        label: text::label(&digest.short(), words),
        short: Some(digest.short()),
        title: digest.to_string(),
    };
    if let (Some(old), Some(before)) = (first.and_then(|event| event.old_digest.as_ref()), flag.not_before) {
        // Far enough back to touch the left edge, whatever the range.
        bars.push(bar(old, Instant(0), Some(before), text::AS_FIRST_SEEN));
    }
    let mut events = data.events.iter().peekable();
    while let Some(event) = events.next() {
        let until = events.peek().map(|next| next.not_before.unwrap_or(next.not_after));
        if let Some(new) = &event.new_digest {
            let words = if Some(new) == flag.promise.as_ref() { text::RESTORED } else { text::REASSIGNED };
            bars.push(bar(new, event.not_after, until, words));
        }
    }
    let removed = data.events.iter().filter(|event| event.new_digest.is_none());
    let marks = removed.filter_map(|event| {
        let digest = event.old_digest.clone()?;
        let (label, title) = (text::REMOVED.to_owned(), text::is_gone(&digest.short()));
        Some(Mark { at: event.not_after, kind: MarkKind::Deleted, label, title, digest, major: false })
    });
    let marks = marks.collect();
    let label = flag.tag.clone().unwrap_or_else(|| text::REPOSITORY.to_owned());
    let lane = Lane { label, bars, marks };
    Scene { lanes: vec![lane], watched_since: Instant(0) }
}

/// Everything a tag named, as far as its events say.
pub fn history(tag: &str, events: &[Event]) -> Scene {
    let mut by_time: Vec<&Event> = events.iter().collect();
    sort_by_key(&mut by_time, |event| [event.at.0, event.seq]);
    let mut lane = Lane { label: tag.to_owned(), ..Lane::default() };
    let mut events = by_time.into_iter().peekable();
    while let Some(event) = events.next() {
        let until = events.peek().map(|next| next.not_before.unwrap_or(next.not_after));
        match (&event.new_digest, &event.old_digest) {
            (Some(digest), _) => lane.bars.push(Bar {
                from: event.not_after,
                until,
                ended: false,
                digest: digest.clone(),
                label: digest.short(),
                short: Some(digest.short()),
                title: digest.to_string(),
            }),
            (None, Some(digest)) => lane.marks.push(Mark {
                at: event.not_after,
                kind: MarkKind::Deleted,
                label: text::REMOVED.to_owned(),
                title: text::is_gone(&digest.short()),
                digest: digest.clone(),
                major: false,
            }),
            (None, None) => {}
        }
    }
    Scene { lanes: vec![lane], watched_since: Instant(0) }
}

/// The first event a little right of the left edge.
pub fn history_start(events: &[Event], now: Instant) -> Instant {
    let first = events.iter().map(|event| event.not_before.unwrap_or(event.not_after)).min().unwrap_or(now);
    first - Millis((now - first).0.max(Millis::minutes(1).0) / 20)
}

#[cfg(test)]
mod tests;
