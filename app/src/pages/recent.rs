//! What happened lately, over all repositories.

use leptos::prelude::*;
use tagwarden_model::api::{Event, Page, Repository};
use tagwarden_model::event::EventKind;

use crate::phrase::{self, split_name};
use crate::scenes::{self, MONTH};
use crate::timeline::TimelineView;
use crate::ui::{Now, When};
use crate::url;

/// Events that are listed.
const EVENTS: usize = 12;

/// The releases of the last 30 days, one lane per repository.
#[component]
pub fn RecentReleases(events: Signal<Page<Event>>, repositories: Signal<Vec<Repository>>) -> impl IntoView {
    let from = Signal::derive(|| Now::get() - MONTH);
    let scene = Memo::new(move |_| events.with(|events| repositories.with(|list| scenes::recent(&events.items, list))));
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

/// The newest events in words.
#[component]
pub fn RecentEvents(events: Signal<Page<Event>>) -> impl IntoView {
    let shown = move || -> Vec<Event> { events.with(|events| events.items.iter().take(EVENTS).cloned().collect()) };
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
