//! One tag: what it names, what it named before, and where it can go back to.

use futures::try_join;
use leptos::prelude::*;
use tagwarden_model::api::{Event, Page, Tag, Target};
use tagwarden_model::tag::Class;

use super::do_not_use::DoNotUseCard;
use super::event_list::EventList;
use super::way_back::{Of, WayBack};
use crate::api::{self, ApiError};
use crate::effect::on_change;
use crate::held::Held;
use crate::live::Live;
use crate::meaning::{Tone, split_name};
use crate::remote::Remote;
use crate::router::use_query_map;
use crate::timeline::TimelineView;
use crate::ui::{DigestChip, Loaded, Now, When, title};
use crate::view::{Show, live};
use crate::{scenes, text, url};

#[derive(Clone)]
struct Data {
    tag: Tag,
    events: Page<Event>,
    targets: Vec<Target>,
}

async fn load(repository: &str, name: &str, pages: u32) -> Result<Data, ApiError> {
    let (tag, events, targets) = try_join!(
        api::tag(repository, name),
        api::tag_events(repository, name, pages),
        api::targets(repository, name)
    )?;
    Ok(Data { tag, events, targets: targets.items })
}

/// The page.
#[component]
pub fn TagPage() -> impl IntoView {
    let query = use_query_map();
    let of = Memo::new(move |_| {
        query.with(|query| (query.get("repository").unwrap_or_default(), query.get("name").unwrap_or_default()))
    });
    title(move || of.with(|(repository, name)| Some(format!("{} {name}", split_name(repository).1))));
    let pages = RwSignal::new(1_u32);
    let data = Remote::new(
        move || of.get(),
        move |(repository, name)| {
            let pages = pages.get_untracked();
            async move { load(&repository, &name, pages).await }
        },
    );
    on_change(move || pages.track(), move || data.reload());
    Live::here().keep_fresh(data, move |change| {
        of.try_with_untracked(|of| Some(&of.0) == change.repository.as_ref()) == Some(true)
    });
    let crumb = move || {
        of.with(|(repository, _)| view! { <a href=url::repository(repository)>{repository.clone()}</a> }.into_any())
    };
    view! {
        <p class="crumb">{crumb}</p>
        <Loaded remote=data lines=8 has_heading=true let:shown><Body shown pages on_change=move || data.reload() /></Loaded>
    }
}

#[component]
fn Body(shown: Held<Data>, pages: RwSignal<u32>, on_change: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let tag = Memo::new(move |_| shown.get().tag);
    let events = Signal::derive(move || shown.get().events);
    let targets = Signal::derive(move || shown.get().targets);
    let of = Memo::new(move |_| tag.with(|tag| Of { repository: tag.repository.clone(), tag: Some(tag.name.clone()) }));
    let heading = move || tag.with(|tag| format!("{} {}", split_name(&tag.repository).1, tag.name));
    let scene = Signal::derive(move || events.with(|events| scenes::history(&tag.get().name, &events.items)));
    let from = Signal::derive(move || events.with(|events| scenes::history_start(&events.items, Now::get())));
    let label = Signal::derive(|| text::tags::NAMED_PICTURE.to_owned());
    let has_targets = move || targets.with(|targets| !targets.is_empty());
    view! {
        <div class="page-head">
            <h1>{heading}</h1>
            <p class="lead">{live(move || tag.with(text::tags::headline))}</p>
        </div>
        <p class="facts-words tag-facts">{live(move || facts(tag.get()))}</p>
        <div class="columns flag-columns">
            <div class="stack">
                <Show when=move || events.with(|events| !events.items.is_empty())>
                    <section class="card"><h2>{text::tags::NAMED}</h2><TimelineView scene from label /></section>
                </Show>
                <EventList events pages />
            </div>
            <div class="stack">
                <Show when=has_targets>
                    <section class="card">
                        <h2>{text::THE_WAY_BACK}</h2>
                        <WayBack of targets most=5 />
                    </section>
                </Show>
                <Show when=move || tag.with(|tag| tag.class == Class::Release)><DoNotUseCard tag on_change /></Show>
            </div>
        </div>
    }
}

/// What it is and since when, in a line.
fn facts(tag: Tag) -> impl IntoView {
    let flag = tag.flag.map(|flag| {
        let (word, tone) =
            if tag.in_breach { (text::tags::FLAG, Tone::Flag) } else { (text::tags::NEEDS_REVIEW, Tone::Warning) };
        view! { <a class=tone.class() href=url::flag(flag)>{word}</a> }
    });
    let promise = tag.promise.filter(|promise| tag.class == Class::Release && Some(promise) != tag.digest.as_ref());
    view! {
        <span class="chip" title=tag.rule>{text::kinds::class(tag.class)}</span>
        {tag.do_not_use.map(|_| view! { <span class=Tone::Warning.class()>{text::tags::BAD}</span> })}
        {flag}
        {tag.digest.map(|digest| view! { <DigestChip digest /> })}
        {promise.map(|digest| view! { <span>{text::tags::HELD_TO} <DigestChip digest /></span> })}
        {tag.first_seen.map(|at| view! { <span>{text::FIRST_SEEN} <When at /></span> })}
        {tag.last_seen.map(|at| view! { <span>{text::tags::LAST_SEEN} <When at /></span> })}
    }
}
