//! What happened lately, over all repositories.

use std::collections::HashSet;

use leptos::prelude::*;
use tagwarden_model::api::{Event, Page, Repository};
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::tag::Class;
use tagwarden_model::timeline::{Lane, Mark, MarkKind, Row, Scene};

use crate::phrase::{self, split_name};
use crate::timeline::TimelineView;
use crate::ui::{Now, When};
use crate::url;

const MONTH: Millis = Millis::days(30);
const LANES: usize = 10;
const EVENTS: usize = 12;

/// The releases of the last 30 days, one lane per repository.
#[component]
pub fn RecentReleases(events: Signal<Page<Event>>, repositories: Signal<Vec<Repository>>) -> impl IntoView {
    let from = Signal::derive(|| Now::get() - MONTH);
    let scene = Memo::new(move |_| events.with(|events| repositories.with(|list| scene_of(&events.items, list))));
    let is_empty = move || scene.with(|scene| scene.rows.is_empty());
    let label = Signal::derive(|| "Releases of the last 30 days by repository".to_owned());
    view! {
        <Show when=move || !is_empty()>
            <section class="stack-tight">
                <h2>"Releases, last 30 days"</h2>
                <div class="card timeline-card"><TimelineView scene=scene.into() from label /></div>
            </section>
        </Show>
    }
}

fn scene_of(events: &[Event], repositories: &[Repository]) -> Scene {
    let mut lanes: Vec<(String, Lane)> = Vec::new();
    let newest: Option<Instant> = events.iter().map(|event| event.at).max();
    for event in events.iter().filter(|event| event.class == Some(Class::Release) && !event.baseline) {
        let old = newest.is_some_and(|newest| event.at < newest - MONTH);
        let Some(mark) = mark(event, events).filter(|_| !old) else { continue };
        if let Some((_, lane)) = lanes.iter_mut().find(|(name, _)| *name == event.repository) {
            lane.marks.push(mark);
        } else {
            let label = split_name(&event.repository).1.to_owned();
            lanes.push((event.repository.clone(), Lane { label, marks: vec![mark], ..Lane::default() }));
        }
    }
    lanes.sort_by(|one, other| one.0.cmp(&other.0));
    for (_, lane) in &mut lanes {
        lane.marks.sort_by_key(|mark| mark.at);
    }
    let rows = lanes.into_iter().take(LANES).map(|(_, lane)| Row::Lane(lane)).collect();
    let watched_since = repositories.iter().map(|repository| repository.watched_since).min().unwrap_or_default();
    Scene { rows, gaps: Vec::new(), watched_since, left_out: 0 }
}

fn mark(event: &Event, events: &[Event]) -> Option<Mark> {
    let tag = event.tag.clone()?;
    let same_tag = |other: &&Event| other.tag == event.tag && other.repository == event.repository;
    let first = events.iter().filter(same_tag).map(|other| other.at).min().unwrap_or(event.at);
    let known: HashSet<i64> = events.iter().filter(same_tag).map(|other| other.seq).collect();
    let original = events.iter().filter(|other| known.contains(&other.seq)).min_by_key(|other| other.at)?;
    let promised = original.old_digest.as_ref().or(original.new_digest.as_ref());
    let (kind, word) = match event.kind {
        EventKind::Created => (MarkKind::Release, ""),
        EventKind::Deleted => (MarkKind::Deleted, " deleted"),
        EventKind::Moved | EventKind::Recreated if event.new_digest.as_ref() == promised => {
            (MarkKind::Restored { first }, " restored")
        }
        EventKind::Moved | EventKind::Recreated => (MarkKind::Reassigned { first }, " reassigned"),
        EventKind::Retracted | EventKind::Vanished | EventKind::Returned => return None,
    };
    let digest = event.new_digest.clone().or_else(|| event.old_digest.clone())?;
    // The picture of all repositories is for its shape: only what stands out is named.
    let label = if word.is_empty() { String::new() } else { format!("{tag}{word}") };
    let title = format!("{tag} {} ({})", phrase::event_word(event), digest.short());
    Some(Mark { at: event.at, kind, label, title, digest, major: false })
}

/// The newest events in words.
#[component]
pub fn RecentEvents(events: Signal<Page<Event>>) -> impl IntoView {
    let shown = move || -> Vec<Event> {
        events.with(|events| events.items.iter().filter(|event| !event.baseline).take(EVENTS).cloned().collect())
    };
    view! {
        <section class="stack-tight">
            <h2>"Latest events"</h2>
            <Show
                when=move || !shown().is_empty()
                fallback=|| view! { <div class="card quiet">"Nothing has changed since watching began."</div> }
            >
                <ul class="card list">{move || shown().into_iter().map(row).collect_view()}</ul>
            </Show>
        </section>
    }
}

fn row(event: Event) -> impl IntoView {
    let name = split_name(&event.repository).1.to_owned();
    let word = match (event.flag.is_some(), event.kind) {
        (true, EventKind::Moved) => "reassigned",
        _ => phrase::event_word(&event),
    };
    let class = if event.flag.is_some() { "list-what list-flagged" } else { "list-what" };
    view! {
        <li class="list-row">
            <span class=class>
                <a class="list-name" href=url::repository(&event.repository) title=event.repository.clone()>{name}</a>
                " "
                {event.tag.clone().map(|tag| view! { <code class="tag">{tag}</code> })}
                " "
                <span class="list-word">{word}</span>
            </span>
            <When at=event.at />
        </li>
    }
}
