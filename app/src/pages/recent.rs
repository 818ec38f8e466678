//! What happened lately, over all repositories.

use leptos::prelude::*;
use tagwarden_model::api::{Event, Page, Repository};
use tagwarden_model::event::EventKind;
use tagwarden_model::tag::Class;

use crate::meaning::{self, RegistryLine, split_name};
use crate::scenes::{self, MONTH};
use crate::timeline::TimelineView;
use crate::ui::{Now, When};
use crate::view::{Show, live};
use crate::{text, url};

/// Releases that are listed.
const RELEASES: usize = 8;

/// The releases of the last 30 days, one lane per repository.
#[component]
pub fn RecentReleases(events: Signal<Page<Event>>, repositories: Memo<Vec<Repository>>) -> impl IntoView {
    let from = Signal::derive(|| Now::get() - MONTH);
    let scene = Memo::new(move |_| events.with(|events| repositories.with(|list| scenes::recent(&events.items, list))));
    let is_empty = move || scene.with(|scene| scene.lanes.is_empty());
    let label = Signal::derive(|| text::overview::RELEASES_PICTURE.to_owned());
    view! {
        <Show when=move || !is_empty()>
            <section class="stack-tight">
                <h2>{text::overview::RELEASES}</h2>
                <div class="card timeline-card"><TimelineView scene=scene.into() from label /></div>
            </section>
        </Show>
    }
}

/// The newest releases.
#[component]
pub fn LatestReleases(events: Signal<Page<Event>>) -> impl IntoView {
    let is_release =
        |event: &Event| event.kind == EventKind::Created && !event.baseline && event.class == Some(Class::Release);
    // The newest event comes first: what is gone again was seen to go before it was seen to come.
    let shown = move || -> Vec<Event> {
        events.with(|events| {
            let mut gone = Vec::new();
            let mut shown = Vec::new();
            for event in &events.items {
                let name = (event.repository.as_str(), event.tag.as_deref());
                if event.kind == EventKind::Deleted {
                    gone.push(name);
                } else if is_release(event) && !gone.contains(&name) && shown.len() < RELEASES {
                    shown.push(event.clone());
                }
            }
            shown
        })
    };
    view! {
        <section class="stack-tight">
            <h2>{text::overview::LATEST}</h2>
            <Show
                when=move || !shown().is_empty()
                fallback=|| view! { <div class="card quiet">{text::overview::LATEST_NONE}</div> }
            >
                <ul class="card list">{live(move || shown().into_iter().map(row).collect_view())}</ul>
            </Show>
        </section>
    }
}

fn row(event: Event) -> impl IntoView {
    let name = split_name(&event.repository).1.to_owned();
    let tag = event.tag.unwrap_or_default();
    let address = url::tag(&event.repository, &tag);
    view! {
        <li class="list-row">
            <span class="list-what">
                <a class="list-name" href=url::repository(&event.repository) title=event.repository.clone()>{name}</a>
                <a class="tag mono" href=address>{tag}</a>
            </span>
            <When at=event.at />
        </li>
    }
}

/// Whether each registry is checked as promised.
#[component]
pub fn Registries(repositories: Memo<Vec<Repository>>) -> impl IntoView {
    let rows = live(move || {
        let lines = repositories.with(|repositories| meaning::registries(repositories));
        let row = |line: RegistryLine| {
            let (word, tone) = (text::repositories::state_word(&line.worst), meaning::state_tone(&line.worst));
            let why = text::repositories::registry_sentence(&line);
            let host = line.worst.registry;
            view! {
                <li class="list-row">
                    <a class="list-name mono" href=url::find(&host)>{host.clone()}</a>
                    <span class=tone.class()>{word}</span>
                    <span class="list-more">
                        {why.map(|why| view! { <bdi>{meaning::visible(&why)}</bdi> })}
                        {line.checked.map(|at| view! { <span>{text::CHECKED} <When at /></span> })}
                    </span>
                </li>
            }
        };
        lines.into_iter().map(row).collect_view()
    });
    view! {
        <section class="stack-tight">
            <h2>{text::overview::FRESHNESS}</h2>
            <ul class="card list">{rows}</ul>
        </section>
    }
}
