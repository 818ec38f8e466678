//! What is pointed at and what is pinned, in words.

use leptos::prelude::*;

use super::board::Timeline;
use crate::meaning::visible;
use crate::text::board as text;
use crate::ui::{Commit, CompareLink, Difference, DigestChip, When};
use crate::view::live;
use crate::{browser, time, url};

/// Beside the pointer.
#[component]
pub fn TipBox(timeline: Timeline) -> impl IntoView {
    let tip = move || {
        timeline.tip.get().map(|tip| {
            // Where there is more room left of it, its right edge is placed: so it is as wide as its words.
            let class = if tip.left.is_some() { "timeline-tip timeline-tip-left" } else { "timeline-tip" };
            let pixels = |length: f64| [&(length as i64).to_string(), "px "].concat();
            let (top, left) = (pixels(tip.y), pixels(tip.x));
            let inset = match tip.left {
                Some(width) => [&top, &pixels(width - tip.x), "auto auto"].concat(),
                None => [&top, "auto auto ", &left].concat(),
            };
            let told = tip.told;
            let digest = told.new.map(|digest| view! { <code>{digest.short()}</code> });
            let ago = told.at.map(|at| time::relative(at, browser::now()));
            view! {
                <div class=class aria-hidden="true" style:inset=inset>
                    <p><strong><bdi>{visible(&told.name)}</bdi></strong>" "{told.word}" "{digest}</p>
                    <p>{visible(&told.sentence)}" "{ago}</p>
                </div>
            }
        })
    };
    live(tip)
}

/// What is pinned.
#[component]
pub fn EventCard(timeline: Timeline) -> impl IntoView {
    let close = move |_| {
        timeline.unpin();
        browser::pass_focus(".twin [tabindex='0']");
    };
    let card = move || {
        timeline.card.get().map(|told| {
            let digests = told.new.map(|digest| {
                let source = view! { <Commit digest=digest.clone() /> };
                let digests = match told.old {
                    _ if told.is_gone => view! { <Difference before=Some(digest) after=None /> }.into_any(),
                    Some(old) if old != digest => {
                        let difference = view! { <Difference before=Some(old.clone()) after=Some(digest.clone()) /> };
                        view! { {difference} <CompareLink old new=digest /> }.into_any()
                    }
                    _ => view! { <DigestChip digest /> }.into_any(),
                };
                view! { {digests} {source} }
            });
            let when = told.at.map(|at| view! { <When at /> });
            let tag = told.tag.map(|tag| {
                view! { <a class="button" href=url::tag(&told.repository, &tag)><bdi>{text::tag(&visible(&tag))}</bdi></a> }
            });
            let flag = told.flag.map(|flag| view! { <a class="button" href=url::flag(flag)>{text::FLAG}</a> });
            view! {
                <section class="timeline-pinned" aria-label=text::PINNED>
                    <p class="timeline-pinned-head">
                        <span class=told.tone.class()>{told.word}</span>
                        <strong class="mono"><bdi>{visible(&told.name)}</bdi></strong>
                        <span class="quiet"><bdi>{told.repository.clone()}</bdi></span>
                        <button class="button button-quiet" type="button" on:click=close>{text::CLOSE}</button>
                    </p>
                    <p>{visible(&told.sentence)}" "<span class="quiet">{when}</span></p>
                    <p class="acts acts-start">{digests} {flag} {tag}</p>
                </section>
            }
        })
    };
    view! { <div role="status">{live(card)}</div> }
}
