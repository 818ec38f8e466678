//! The first page: what a person must know now, then what needs a decision, then whether the record can be trusted.

use futures::try_join;
use leptos::prelude::*;
use tagwarden_model::api::{Event, Flag, Page, Repository, Summary};
use tagwarden_model::flag::FlagState;
use tagwarden_model::order::sort_by_key;

use super::add_form::AddForm;
use super::recent::{LatestReleases, RecentReleases, Registries};
use crate::live::Live;
use crate::remote::Remote;
use crate::ui::{Acting, FlagCard, Loaded, title};
use crate::{api, phrase};

/// Flags that are shown here; the rest is on their own page.
const FLAGS_SHOWN: usize = 5;

/// What the page shows.
#[derive(Clone)]
struct Overview {
    summary: Summary,
    flags: Page<Flag>,
    repositories: Page<Repository>,
    events: Page<Event>,
}

async fn load() -> Result<Overview, api::ApiError> {
    let (summary, flags, repositories, events) = try_join!(
        api::summary(),
        api::flags("active", None, 1),
        api::repositories(),
        api::events(None, false, "200", 1)
    )?;
    Ok(Overview { summary, flags, repositories, events })
}

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    title(|| None);
    let overview = Remote::new(|| (), |()| load());
    Live::here().keep_fresh(overview, |_| true);
    view! {
        <Loaded remote=overview lines=8 let:data>
            <Headline data />
            <Show
                when=move || data.with(|data| !data.repositories.items.is_empty())
                fallback=move || view! { <FirstSteps on_added=move || overview.reload() /> }
            >
                <Body data />
            </Show>
        </Loaded>
    }
}

#[component]
fn Headline(data: Signal<Overview>) -> impl IntoView {
    let sentence = move || data.with(|data| phrase::headline(&data.summary, &data.flags.items));
    let scope = move || data.with(|data| phrase::scope(&data.summary));
    view! {
        <div class="page-head">
            <h1>{sentence}</h1>
            <p class="lead">{scope}</p>
        </div>
    }
}

#[component]
fn Body(data: Signal<Overview>) -> impl IntoView {
    let events = Signal::derive(move || data.get().events);
    let repositories = Signal::derive(move || data.get().repositories.items);
    view! {
        <div class="columns">
            <div class="stack">
                <Attention flags=Signal::derive(move || data.get().flags.items) />
                <RecentReleases events repositories />
            </div>
            <aside class="stack">
                <Registries repositories />
                <LatestReleases events />
            </aside>
        </div>
    }
}

/// Open flags first, then those that wait for a review.
#[component]
fn Attention(flags: Signal<Vec<Flag>>) -> impl IntoView {
    let shown = move |wanted: fn(&Flag) -> bool| {
        let mut shown: Vec<Flag> = flags.get().into_iter().filter(wanted).collect();
        sort_by_key(&mut shown, |flag| [-flag.severity.code(), -flag.not_after.0]);
        shown
    };
    let section = move |name: &'static str, wanted: fn(&Flag) -> bool, urgent: bool| {
        let all = shown(wanted);
        let more = all.len().saturating_sub(FLAGS_SHOWN);
        (!all.is_empty()).then(|| {
            let cards = all.into_iter().take(FLAGS_SHOWN).enumerate();
            view! {
                <section class="stack-tight">
                    <h2>{name}</h2>
                    {cards.map(|(at, flag)| view! { <FlagCard flag first=urgent && at == 0 /> }).collect_view()}
                    {(more > 0).then(|| view! { <p><a href="flags">{format!("{more} more")}</a></p> })}
                </section>
            }
        })
    };
    view! {
        {move || section("Needs attention", phrase::needs_attention, true)}
        {move || section("Needs review", |flag| flag.state == FlagState::Restored, false)}
    }
}

#[component]
fn FirstSteps(on_added: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    view! {
        <div class="empty">
            <h2>"Name the first repository."</h2>
            <p>
                "Tagwarden reads its tags, remembers which digest each one has, and flags every release that is "
                "reassigned or removed from then on. It only reads."
            </p>
            <Acting><AddForm on_added /></Acting>
        </div>
    }
}
