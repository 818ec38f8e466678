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
use crate::ui::{Acting, ErrorNote, FlagCard, Loaded, SummaryHere, title};
use crate::view::{Show, later, live};
use crate::{api, meaning, text};

/// Flags that are shown here; the rest is on their own page.
const FLAGS_SHOWN: usize = 5;

/// What the page shows.
#[derive(Clone)]
struct Overview {
    attention: Vec<Flag>,
    review: Vec<Flag>,
    registries: Vec<Registry>,
    events: Page<Event>,
}

async fn load() -> Result<Overview, api::ApiError> {
    let (attention, review, registries, events) = try_join!(
        api::flags_of("open", "warning", "", "", 1),
        api::flags_of("restored", "", "", "", 1),
        api::registries(),
        api::release_events()
    )?;
    let (attention, review, registries) = (attention.items, review.items, registries.items);
    Ok(Overview { attention, review, registries, events })
}

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    title(|| None);
    let SummaryHere(summary) = expect_context();
    let overview = Remote::new(|| (), |()| load());
    Live::here().keep_fresh(overview, |_| true);
    // The shell has asked for it; whatever changes, both are asked for at once.
    let is_said = Memo::new(move |_| summary.question.is_answered.get());
    let shown = move |data: Held<Overview>| {
        is_said.get();
        let Some(said) = summary.data.follow() else {
            let on_retry = move || summary.reload();
            return summary
                .question
                .error
                .get()
                .map(|error| view! { <ErrorNote error is_heading=true on_retry /> }.into_any());
        };
        let is_watching = move || said.with(|said| said.watched_since.is_some());
        let body = view! {
            <Headline said data />
            <Show when=is_watching fallback=move || view! { <FirstSteps on_added=move || overview.reload() /> }>
                {later(move || view! { <Body said data /> }.into_any())}
            </Show>
        };
        Some(body.into_any())
    };
    view! { <Loaded remote=overview lines=8 has_heading=true let:data>{live(move || shown(data))}</Loaded> }
}

#[component]
fn Headline(said: Held<Summary>, data: Held<Overview>) -> impl IntoView {
    let sentence = live(move || said.with(|said| data.with(|data| text::overview::headline(said, &data.attention))));
    let scope = live(move || said.with(text::overview::scope));
    view! {
        <div class="page-head">
            <h1>{sentence}</h1>
            <p class="lead">{scope}</p>
        </div>
    }
}

#[component]
fn Body(said: Held<Summary>, data: Held<Overview>) -> impl IntoView {
    let events = Signal::derive(move || data.get().events);
    let registries = Signal::derive(move || data.get().registries);
    let since = Signal::derive(move || said.with(|said| said.watched_since.unwrap_or_default()));
    view! {
        <div class="columns">
            <div class="stack">
                <Attention said data />
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
fn Attention(said: Held<Summary>, data: Held<Overview>) -> impl IntoView {
    let section =
        move |name: &'static str, wanted: fn(&Overview) -> &Vec<Flag>, of: fn(&Summary) -> u64, urgent: bool| {
            let mut flags = data.with(|data| wanted(data).clone());
            sort_by_key(&mut flags, |flag| [-flag.severity.code(), -flag.not_after.0]);
            let rows: Vec<_> = meaning::together(flags).into_iter().take(FLAGS_SHOWN).collect();
            let told: u64 = rows.iter().map(|row| row.len() as u64).sum();
            let more = said.with(of).saturating_sub(told);
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
