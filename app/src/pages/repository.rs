//! One repository: what it has, what happened to it, and whether it is checked as promised.

use futures::try_join;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_navigate, use_query_map};
use tagwarden_model::api::{Check, Event, Flag, Page, Repository, Timeline};

use super::repository_lists::{EventList, TagTable};
use super::repository_timeline::RepositoryTimeline;
use crate::api::{self, ApiError};
use crate::live::Live;
use crate::phrase::{self, split_name};
use crate::remote::Remote;
use crate::time;
use crate::ui::{FlagCard, Loaded, Now, SummaryHere, When, title};

/// What the page shows, apart from the pages of its lists.
#[derive(Clone)]
struct Data {
    repository: Repository,
    timeline: Timeline,
    flags: Page<Flag>,
    events: Page<Event>,
}

async fn load(name: &str, pages: u32) -> Result<Data, ApiError> {
    let (repository, timeline, flags, events) = try_join!(
        api::repository(name),
        api::timeline(name),
        api::flags("active", Some(name), 1),
        api::events(Some(name), "25", pages),
    )?;
    Ok(Data { repository, timeline, flags, events })
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
    Effect::watch(move || pages.get(), move |_, _, _| data.reload(), false);
    Live::here().keep_fresh(data, move |change| name.try_get_untracked().as_ref() == Some(&change.repository));
    let path = move || name.with(|name| split_name(name).0.trim_end_matches('/').to_owned());
    let last = move || name.with(|name| split_name(name).1.to_owned());
    view! {
        <div class="page-head repository-head">
            <p class="crumb">{path}</p>
            <h1>{last}</h1>
        </div>
        <Loaded remote=data lines=10 let:shown><Body name shown pages on_change=move || data.reload() /></Loaded>
    }
}

#[component]
fn Body(
    name: Memo<String>,
    shown: Signal<Data>,
    pages: RwSignal<u32>,
    on_change: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let repository = Memo::new(move |_| shown.get().repository);
    let timeline = Memo::new(move |_| shown.get().timeline);
    let flags = Memo::new(move |_| shown.get().flags.items);
    let events = Signal::derive(move || shown.get().events);
    let cards = move || {
        let flags = flags.get().into_iter().enumerate();
        flags.map(|(at, flag)| view! { <FlagCard flag first=at == 0 /> }).collect_view()
    };
    view! {
        <p class="lead repository-lead">
            {move || shown.with(|data| phrase::repository_headline(&data.repository, &data.flags.items))}
        </p>
        <Facts repository on_change />
        <div class="stack">
            <Show when=move || flags.with(|flags| !flags.is_empty())>
                <div class="stack-tight">{cards}</div>
            </Show>
            <RepositoryTimeline timeline />
            <div class="columns">
                <TagTable name />
                <EventList events pages />
            </div>
        </div>
    }
}

/// State and freshness in words, and what can be done.
#[component]
fn Facts(repository: Memo<Repository>, on_change: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let chip = move || {
        let (word, tone) = repository.with(phrase::state_word);
        view! { <span class=tone.class()>{word}</span> }
    };
    let sentence = move || {
        repository
            .with(phrase::state_sentence)
            .map(|sentence| view! { <bdi class="facts-note">{phrase::visible(&sentence)}</bdi> })
    };
    let counts = move || {
        repository.with(|repository| {
            let tags = phrase::count(repository.tags, "tag", "tags");
            format!("{tags}, {}", phrase::count(repository.releases, "release", "releases"))
        })
    };
    let passes = move || {
        let (last, next) = repository.with(|repository| (repository.last_pass, repository.next_pass));
        view! {
            {last.map(|at| view! { <span>"checked " <When at /></span> })}
            {next.map(|at| {
                if at > Now::get() {
                    view! { <span>"next " <When at /></span> }.into_any()
                } else {
                    view! { <span>"next pass is due"</span> }.into_any()
                }
            })}
        }
    };
    let promised = move || {
        let promised = repository.with(phrase::promised)?;
        Some(view! { <span>{format!("promised within {}", time::length(promised))}</span> })
    };
    view! {
        <div class="facts">
            <p class="facts-words">{chip} {sentence} <span>{counts}</span> {passes} {promised}</p>
            <Acts repository on_change />
        </div>
    }
}

#[component]
fn Acts(repository: Memo<Repository>, on_change: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let SummaryHere(summary) = expect_context();
    let busy = RwSignal::new(false);
    let asked = RwSignal::new(false);
    let failed = RwSignal::new(None::<ApiError>);
    let check = move |_| {
        busy.set(true);
        let repository = repository.get_untracked().name;
        spawn_local(async move {
            failed.try_set(api::check(&Check { repository, tags: Vec::new() }).await.err());
            busy.try_set(false);
            on_change();
        });
    };
    let navigate = use_navigate();
    let remove = StoredValue::new_local(move || {
        let navigate = navigate.clone();
        let name = repository.get_untracked().name;
        spawn_local(async move {
            match api::remove_repository(&name).await {
                Ok(()) => {
                    summary.reload();
                    navigate("/", leptos_router::NavigateOptions::default());
                }
                Err(error) => drop(failed.try_set(Some(error))),
            }
        });
    });
    let question = move || {
        view! {
            <span class="facts-question" role="alert">"Stop watching? Its history stays."</span>
            <button class="button" type="button" on:click=move |_| remove.with_value(|remove| remove())>
                "Stop watching"
            </button>
            <button class="button button-quiet" type="button" on:click=move |_| asked.set(false)>"Keep"</button>
        }
    };
    view! {
        <div class="acts">
            {move || failed.get().map(|error| view! { <span class="form-error" role="alert">{error.message()}</span> })}
            <Show when=move || asked.get() fallback=move || view! {
                <button class="button button-quiet" type="button" on:click=move |_| asked.set(true)>
                    "Stop watching…"
                </button>
            }>{question}</Show>
            <button class="button" type="button" disabled=busy on:click=check>
                {move || if busy.get() { "Checking…" } else { "Check now" }}
            </button>
        </div>
    }
}
