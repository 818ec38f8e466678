//! What is pointed at and what is pinned, in words.

use leptos::prelude::*;

use super::board::Timeline;
use crate::meaning::visible;
use crate::text::board as text;
use crate::ui::{Commit, CompareLink, Difference, DigestChip, When};
use crate::{browser, time, url};

/// Beside the pointer.
#[component]
pub fn TipBox(timeline: Timeline) -> impl IntoView {
    let tip = move || {
        timeline.tip.get().map(|tip| {
            let class = if tip.left { "timeline-tip timeline-tip-left" } else { "timeline-tip" };
            let (x, y) = (format!("{}px", tip.x), format!("{}px", tip.y));
            let told = tip.told;
            let digest = told.new.map(|digest| view! { <code>{digest.short()}</code> });
            let ago = told.at.map(|at| time::relative(at, browser::now()));
            view! {
                <div class=class aria-hidden="true" style:left=x style:top=y>
                    <p><strong><bdi>{visible(&told.name)}</bdi></strong>" "{told.word}" "{digest}</p>
                    <p>{visible(&told.sentence)}" "{ago}</p>
                </div>
            }
        })
    };
    view! { {tip} }
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
    view! { <div role="status">{card}</div> }
}
