//! One repository: what it has, what happened to it, and whether it is checked as promised.

use futures::try_join;
use leptos::prelude::*;
use tagwarden_model::api::{Event, Flag, Page, Repository};

use super::event_list::EventList;
use super::purge::Purge;
use super::repository_facts::RepositoryFacts;
use super::tag_table::TagTable;
use crate::api::{self, ApiError};
use crate::effect::on_change;
use crate::held::Held;
use crate::live::Live;
use crate::meaning::split_name;
use crate::remote::Remote;
use crate::router::use_query_map;
use crate::text;
use crate::timeline::Lanes;
use crate::ui::{Acting, FlagCard, Loaded, title};
use crate::view::{Show, later, live};

/// What the page shows, apart from the pages of its lists.
#[derive(Clone)]
struct Data {
    repository: Repository,
    flags: Page<Flag>,
    events: Page<Event>,
}

async fn load(name: &str, pages: u32) -> Result<Data, ApiError> {
    let (repository, flags, events) =
        try_join!(api::repository(name), api::active_flags(name), api::events(name, pages),)?;
    Ok(Data { repository, flags, events })
}

/// The page.
#[component]
pub fn RepositoryPage() -> impl IntoView {
    let query = use_query_map();
    let name = Memo::new(move |_| query.with(|query| query.get("name")).unwrap_or_default());
    title(move || Some(split_name(&name.get()).1.to_owned()));
    let pages = RwSignal::new(1_u32);
    let data = Remote::new(
        move || name.get(),
        move |name| {
            let pages = pages.get_untracked();
            async move { load(&name, pages).await }
        },
    );
    on_change(move || pages.track(), move || data.reload());
    Live::here()
        .keep_fresh(data, move |change| name.try_get_untracked().is_some_and(|name| change.repository == Some(name)));
    let is_unwatched =
        move || data.question.error.with(|error| matches!(error, Some(ApiError::Refused { status: 404, .. })));
    let path = live(move || name.with(|name| split_name(name).0.trim_end_matches('/').to_owned()));
    let last = live(move || name.with(|name| split_name(name).1.to_owned()));
    view! {
        <div class="page-head repository-head">
            <p class="crumb">{path}</p>
            <h1>{last}</h1>
        </div>
        <Loaded remote=data lines=10 let:shown><Body name shown pages on_change=move || data.reload() /></Loaded>
        <Show when=is_unwatched><Acting><Purge name /></Acting></Show>
    }
}

#[component]
fn Body(
    name: Memo<String>,
    shown: Held<Data>,
    pages: RwSignal<u32>,
    on_change: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let repository = Memo::new(move |_| shown.get().repository);
    let flags = Memo::new(move |_| shown.get().flags.items);
    let events = Signal::derive(move || shown.get().events);
    let is_laid = RwSignal::new(false);
    let cards = move || {
        let flags = flags.get().into_iter().enumerate();
        flags.map(|(at, flag)| view! { <FlagCard flag first=at == 0 /> }).collect_view()
    };
    view! {
        <p class="lead repository-lead">
            {live(move || shown.with(|data| text::repository::headline(&data.repository, &data.flags.items)))}
        </p>
        <RepositoryFacts repository on_change />
        <div class="stack">
            <Show when=move || flags.with(|flags| !flags.is_empty())>
                <div class="stack-tight">{live(cards)}</div>
            </Show>
            {later(move || view! { <Lanes path="repository" of="repository" is_laid /> }.into_any())}
            <div class="columns">
                <TagTable name is_laid />
                <Show when=move || is_laid.get()>{later(move || view! { <EventList events pages /> }.into_any())}</Show>
            </div>
        </div>
    }
}
