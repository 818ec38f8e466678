//! A small picture to scale: the old digest until it was last seen, the new one since it was first seen.

use leptos::prelude::*;
use tagwarden_model::api::FlagDetail;
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::timeline::{Bar, Lane, Mark, MarkKind, Row, Scene};

use crate::timeline::TimelineView;
use crate::ui::Now;

/// The picture of the first move and what followed.
#[component]
pub fn FlagWindow(data: Signal<FlagDetail>) -> impl IntoView {
    let from = Signal::derive(move || data.with(|data| start(data, Now::get())));
    let scene = Signal::derive(move || data.with(scene_of));
    let label = Signal::derive(|| "The window in which it happened, to scale".to_owned());
    view! { <TimelineView scene from label /> }
}

/// The window in the left third: what came before it, and all since.
fn start(data: &FlagDetail, now: Instant) -> Instant {
    let (after, before) = (data.flag.not_after, data.flag.not_before);
    let window = before.map_or(0, |before| (after - before).0);
    let since = (now - after).0.max(window).max(Millis::minutes(1).0);
    before.unwrap_or(after) - Millis(since / 2 + window / 2)
}

fn scene_of(data: &FlagDetail) -> Scene {
    let flag = &data.flag;
    let mut bars = Vec::new();
    let first = data.events.first();
    let bar = |digest: &Digest, from: Instant, until: Option<Instant>, words: &str| Bar {
        from,
        until,
        ended: false,
        digest: digest.clone(),
        label: format!("{} {words}", digest.short()),
        short: Some(digest.short()),
        title: digest.to_string(),
    };
    if let (Some(old), Some(before)) = (first.and_then(|event| event.old_digest.as_ref()), flag.not_before) {
        // Far enough back to touch the left edge, whatever the range.
        bars.push(bar(old, Instant(0), Some(before), "as published"));
    }
    let mut events = data.events.iter().peekable();
    while let Some(event) = events.next() {
        let until = events.peek().map(|next| next.not_before.unwrap_or(next.not_after));
        if let Some(new) = &event.new_digest {
            let words = if Some(new) == flag.promise.as_ref() { "restored" } else { "reassigned" };
            bars.push(bar(new, event.not_after, until, words));
        }
    }
    let removed = data.events.iter().filter(|event| event.new_digest.is_none());
    let marks = removed.filter_map(|event| {
        let digest = event.old_digest.clone()?;
        let (label, title) = ("removed".to_owned(), format!("{} is gone", digest.short()));
        Some(Mark { at: event.not_after, kind: MarkKind::Deleted, label, title, digest, major: false })
    });
    let marks = marks.collect();
    let label = flag.tag.clone().unwrap_or_else(|| "repository".into());
    let lane = Lane { label, bars, marks, ..Lane::default() };
    Scene { rows: vec![Row::Lane(lane)], gaps: Vec::new(), watched_since: Instant(0), left_out: 0 }
}
