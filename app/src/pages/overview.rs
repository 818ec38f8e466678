//! The first page: what a person must know now, then what needs a decision, then whether the record can be trusted.

use futures::try_join;
use leptos::prelude::*;
use tagwarden_model::api::{Event, Flag, Page, Registry, Summary};
use tagwarden_model::order::sort_by_key;

use super::add_form::AddForm;
use super::recent::{LatestReleases, RecentReleases, Registries};
use crate::held::Held;
use crate::live::Live;
use crate::remote::Remote;
use crate::ui::{Acting, FlagCard, Loaded, title};
use crate::view::{Show, later, live};
use crate::{api, meaning, text};

/// Flags that are shown here; the rest is on their own page.
const FLAGS_SHOWN: usize = 5;

/// What the page shows.
#[derive(Clone)]
struct Overview {
    summary: Summary,
    attention: Vec<Flag>,
    review: Vec<Flag>,
    registries: Vec<Registry>,
    events: Page<Event>,
}

async fn load() -> Result<Overview, api::ApiError> {
    let (summary, attention, review, registries, events) = try_join!(
        api::summary(),
        api::flags_of("open", "warning", "", "", 1),
        api::flags_of("restored", "", "", "", 1),
        api::registries(),
        api::release_events()
    )?;
    let (attention, review, registries) = (attention.items, review.items, registries.items);
    Ok(Overview { summary, attention, review, registries, events })
}

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    title(|| None);
    let overview = Remote::new(|| (), |()| load());
    Live::here().keep_fresh(overview, |_| true);
    view! {
        <Loaded remote=overview lines=8 has_heading=true let:data>
            <Headline data />
            <Show
                when=move || data.with(|data| data.summary.watched_since.is_some())
                fallback=move || view! { <FirstSteps on_added=move || overview.reload() /> }
            >
                {later(move || view! { <Body data /> }.into_any())}
            </Show>
        </Loaded>
    }
}

#[component]
fn Headline(data: Held<Overview>) -> impl IntoView {
    let sentence = live(move || data.with(|data| text::overview::headline(&data.summary, &data.attention)));
    let scope = live(move || data.with(|data| text::overview::scope(&data.summary)));
    view! {
        <div class="page-head">
            <h1>{sentence}</h1>
            <p class="lead">{scope}</p>
        </div>
    }
}

#[component]
fn Body(data: Held<Overview>) -> impl IntoView {
    let events = Signal::derive(move || data.get().events);
    let registries = Signal::derive(move || data.get().registries);
    let since = Signal::derive(move || data.with(|data| data.summary.watched_since.unwrap_or_default()));
    view! {
        <div class="columns">
            <div class="stack">
                <Attention data />
                {later(move || view! { <RecentReleases events since /> }.into_any())}
            </div>
            {later(move || {
                view! { <aside class="stack"><Registries registries /> <LatestReleases events /></aside> }.into_any()
            })}
        </div>
    }
}

/// Open flags first, then those that wait for a review. What one pass found together is one card.
#[component]
fn Attention(data: Held<Overview>) -> impl IntoView {
    let section =
        move |name: &'static str, wanted: fn(&Overview) -> &Vec<Flag>, of: fn(&Summary) -> u64, urgent: bool| {
            let mut flags = data.with(|data| wanted(data).clone());
            sort_by_key(&mut flags, |flag| [-flag.severity.code(), -flag.not_after.0]);
            let rows: Vec<_> = meaning::together(flags).into_iter().take(FLAGS_SHOWN).collect();
            let told: u64 = rows.iter().map(|row| row.len() as u64).sum();
            let more = data.with(|data| of(&data.summary)).saturating_sub(told);
            (!rows.is_empty()).then(|| {
                let cards = rows.into_iter().enumerate().filter_map(|(at, row)| {
                    let others = row.len() as u64 - 1;
                    let flag = row.into_iter().next()?;
                    Some(view! { <FlagCard flag others first=urgent && at == 0 /> })
                });
                view! {
                    <section class="stack-tight">
                        <h2>{name}</h2>
                        {cards.collect_view()}
                        {(more > 0).then(|| view! { <p><a href="flags">{text::more(more)}</a></p> })}
                    </section>
                }
            })
        };
    view! {
        {live(move || section(text::overview::NEEDS_ATTENTION, |data| &data.attention, |summary| summary.needs_attention, true))}
        {live(move || section(text::overview::NEEDS_REVIEW, |data| &data.review, |summary| summary.needs_review, false))}
    }
}

#[component]
fn FirstSteps(on_added: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    view! {
        <div class="empty">
            <h2>{text::overview::FIRST_STEP}</h2>
            <p>{text::overview::FIRST_STEP_HELP}</p>
            <Acting><AddForm on_added /></Acting>
        </div>
    }
}
