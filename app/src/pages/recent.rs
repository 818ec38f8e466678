//! What happened lately, over all repositories.

use leptos::prelude::*;
use tagwarden_model::api::{Event, Page, Registry};
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Instant;

use crate::meaning::{self, split_name};
use crate::scenes::{self, MONTH};
use crate::timeline::TimelineView;
use crate::ui::{Now, When};
use crate::view::{Show, live};
use crate::{browser, text, time, url};

/// Releases that are listed.
const RELEASES: usize = 8;

/// The releases of the last 30 days, or of the days of which all are known; one lane per repository. `since` is when the first
/// watch began.
#[component]
pub fn RecentReleases(events: Signal<Page<Event>>, since: Signal<Instant>) -> impl IntoView {
    let from = Signal::derive(move || {
        let month = Now::get() - MONTH;
        known_since(events).map_or(month, |known| known.max(month))
    });
    let scene = Memo::new(move |_| events.with(|events| scenes::recent(&events.items, since.get())));
    let heading = move || {
        let cut = known_since(events).filter(|known| *known > Now::get() - MONTH);
        text::overview::releases_since(cut.map(|known| time::date(known, Now::get(), &browser::offset)).as_deref())
    };
    let is_empty = move || scene.with(|scene| scene.lanes.is_empty());
    let label = Signal::derive(|| text::overview::RELEASES_PICTURE.to_owned());
    view! {
        <Show when=move || !is_empty()>
            <section class="stack-tight">
                <h2>{live(heading)}</h2>
                <div class="card timeline-card"><TimelineView scene=scene.into() from label /></div>
            </section>
        </Show>
    }
}

/// From when on all events are known, where there are older ones, too.
fn known_since(events: Signal<Page<Event>>) -> Option<Instant> {
    events.with(|events| events.items.last().filter(|_| events.next.is_some()).map(|oldest| oldest.at))
}

/// The newest releases.
#[component]
pub fn LatestReleases(events: Signal<Page<Event>>) -> impl IntoView {
    // The newest event comes first: what is gone again was seen to go before it was seen to come.
    let shown = move || -> Vec<Event> {
        events.with(|events| {
            let mut gone = Vec::new();
            let mut shown = Vec::new();
            for event in &events.items {
                let name = (event.repository.as_str(), event.tag.as_deref());
                if event.kind == EventKind::Deleted {
                    gone.push(name);
                } else if event.kind == EventKind::Created && !gone.contains(&name) && shown.len() < RELEASES {
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
pub fn Registries(registries: Signal<Vec<Registry>>) -> impl IntoView {
    let rows = live(move || {
        let row = |registry: Registry| {
            let (worst, concerned, all) = meaning::worst(&registry)?;
            let (word, tone) = (text::repositories::state_word(worst), meaning::state_tone(worst));
            let why = text::repositories::registry_sentence(worst, concerned, all);
            let address = url::find(&registry.host);
            let row = view! {
                <li class="list-row">
                    <a class="list-name mono" href=address>{registry.name}</a>
                    <span class=tone.class()>{word}</span>
                    <span class="list-more">
                        {why.map(|why| view! { <bdi>{meaning::visible(&why)}</bdi> })}
                        {registry.checked.map(|at| view! { <span>{text::CHECKED} <When at /></span> })}
                    </span>
                </li>
            };
            Some(row)
        };
        registries.get().into_iter().filter_map(row).collect_view()
    });
    view! {
        <section class="stack-tight">
            <h2>{text::overview::FRESHNESS}</h2>
            <ul class="card list">{rows}</ul>
        </section>
    }
}
