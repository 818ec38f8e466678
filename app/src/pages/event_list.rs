//! The events of a repository.

use leptos::prelude::*;
use tagwarden_model::api::{Event, Page};
use tagwarden_model::event::EventKind;

use crate::ui::{Difference, DigestChip, More, When, WindowWords};
use crate::view::{Part, Show, list};
use crate::{meaning, text, url};

/// Events, newest first.
#[component]
pub fn EventList(events: Signal<Page<Event>>, pages: RwSignal<u32>) -> impl IntoView {
    let has_more = Signal::derive(move || events.with(|events| events.next.is_some()));
    let rows = move || {
        let row = |event: Event| (event.seq.to_string(), Box::new(move || event_row(event).into_any()) as Part);
        events.get().items.into_iter().map(row).collect()
    };
    view! {
        <section class="stack-tight">
            <div class="section-head"><h2>{text::tags::EVENTS}</h2></div>
            <Show
                when=move || events.with(|events| !events.items.is_empty())
                fallback=|| view! { <div class="card quiet">{text::tags::EVENTS_NONE}</div> }
            >
                <ul class="card list">
                    {list(rows)}
                </ul>
                <More has_more pages />
            </Show>
        </section>
    }
}

fn event_row(event: Event) -> impl IntoView {
    let word = match (event.kind, event.flag.is_some()) {
        (EventKind::Moved, true) => text::tags::REASSIGNED,
        _ => text::kinds::event(&event),
    };
    let class = if event.flag.is_some() { "list-what list-flagged" } else { "list-what" };
    let digests = match (event.old_digest.clone(), event.new_digest.clone()) {
        (None, None) => ().into_any(),
        (None, Some(digest)) => view! { <DigestChip digest /> }.into_any(),
        (before, after) => view! { <Difference before after /> }.into_any(),
    };
    let mut remarks: Vec<String> = event.difference.as_deref().map(meaning::visible).into_iter().collect();
    if !event.verified && event.new_digest.is_some() {
        remarks.push(text::CLAIMED.to_owned());
    }
    if event.clock_changed {
        remarks.push(text::tags::WINDOW_WIDENED.to_owned());
    }
    let window = (!event.baseline).then(|| {
        view! { <span class="quiet"><WindowWords not_before=event.not_before not_after=event.not_after /></span> }
    });
    let tag = event.tag.clone().map(|tag| {
        view! { <a class="tag mono" href=url::tag(&event.repository, &tag)>{tag.clone()}</a> }
    });
    view! {
        <li class="list-row list-row-tall">
            <span class=class>
                {tag}
                " "
                <span class="list-word">{word}</span>
            </span>
            <When at=event.at />
            <span class="list-more">{digests} {window} {(!remarks.is_empty()).then(|| remarks.join(", "))}</span>
        </li>
    }
}
