//! The timeline of a repository with its range and legend.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use tagwarden_model::api::Timeline;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::timeline::{Scene, scene};

use crate::timeline::TimelineView;
use crate::ui::Now;
use crate::{phrase, url};

const RANGES: [(&str, &str, i64); 4] =
    [("7d", "7 days", 7), ("30d", "30 days", 30), ("90d", "90 days", 90), ("", "All", 0)];

/// The card.
#[component]
pub fn RepositoryTimeline(timeline: Memo<Timeline>) -> impl IntoView {
    let query = use_query_map();
    let name = move || query.with(|query| query.get("name")).unwrap_or_default();
    let range = Memo::new(move |_| query.with(|query| query.get("range")).unwrap_or_default());
    let from = Signal::derive(move || {
        let now = Now::get();
        let days = RANGES.into_iter().find(|(key, ..)| *key == range.get()).map_or(0, |(.., days)| days);
        if days > 0 { now - Millis::days(days) } else { timeline.with(|timeline| start(timeline, now)) }
    });
    let shown = Signal::derive(move || timeline.with(|timeline| scene(timeline, from.get())));
    let label = Signal::derive(move || {
        let tags = timeline.with(|timeline| timeline.spans.len() as u64);
        format!("Timeline of {}: {}. The tables below say the same.", name(), phrase::count(tags, "span", "spans"))
    });
    let tab = move |(key, words, _): (&'static str, &'static str, i64)| {
        let current = move || (range.get() == key).then_some("true");
        let address = move || {
            let view = query.with(|query| query.get("view"));
            url::with_query("repository", &[("name", Some(&name())), ("view", view.as_deref()), ("range", Some(key))])
        };
        view! { <a class="segment" href=address aria-current=current data-noscroll="">{words}</a> }
    };
    let is_empty = move || shown.with(|shown| shown.rows.is_empty());
    view! {
        <section class="stack-tight">
            <div class="section-head">
                <h2>"Timeline"</h2>
                <nav class="segments" aria-label="Range of the timeline">{RANGES.map(tab).collect_view()}</nav>
            </div>
            <div class="card timeline-card">
                <Show
                    when=move || !is_empty()
                    fallback=|| view! { <p class="quiet">"No tag of this repository has been read yet."</p> }
                >
                    <TimelineView scene=shown from label />
                    <Legend scene=shown cut=Signal::derive(move || timeline.with(|timeline| timeline.cut)) />
                </Show>
            </div>
        </section>
    }
}

/// The whole watch with a little of the time before it, and at least ten minutes.
fn start(timeline: &Timeline, now: Instant) -> Instant {
    let watched = Millis((now - timeline.watched_since).0.max(Millis::minutes(10).0));
    now - Millis(watched.0 + watched.0 / 8)
}

#[component]
fn Legend(scene: Signal<Scene>, cut: Signal<bool>) -> impl IntoView {
    let key = |path: &'static str, class: &'static str, words: &'static str| {
        view! {
            <span class="legend-key">
                <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">
                    <g class=class><path d=path /></g>
                </svg>
                {words}
            </span>
        }
    };
    let left_out = move || {
        let left_out = scene.with(|scene| scene.left_out) as u64;
        let least = if cut.get() { "at least " } else { "" };
        (left_out > 0).then(|| format!("{least}{} without news left out", phrase::count(left_out, "lane", "lanes")))
    };
    view! {
        <p class="legend">
            {key("M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", "t-mark", "release")}
            {key("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "t-before", "from before")}
            {key("M0 -6.5L6.5 0L0 6.5L-6.5 0Z", "t-breach", "reassigned")}
            {key("M-4 -4L4 4M4 -4L-4 4", "t-breach t-stroke", "deleted")}
            {key("M0 -6.5L6.5 0L0 6.5L-6.5 0Z", "t-restored", "restored")}
            <span class="legend-key"><i class="legend-dots"></i>"not watched"</span>
            <span class="legend-key"><i class="legend-hatch"></i>"not observed"</span>
            <span class="legend-key">"blank: nothing happened"</span>
            {move || left_out().map(|words| view! { <span class="legend-key">{words}</span> })}
            <Show when=move || cut.get()><span class="legend-key">"older spans are not shown"</span></Show>
        </p>
    }
}
