//! What is pointed at and what is pinned, in words.

use leptos::prelude::*;

use super::board::Timeline;
use crate::ui::{Difference, DigestChip};
use crate::{browser, phrase, url};

/// Beside the pointer.
#[component]
pub fn TipBox(timeline: Timeline) -> impl IntoView {
    let tip = move || {
        timeline.tip.get().map(|tip| {
            let class = if tip.left { "timeline-tip timeline-tip-left" } else { "timeline-tip" };
            let (x, y) = (format!("{}px", tip.x), format!("{}px", tip.y));
            let told = tip.told;
            let digest = told.new.map(|digest| view! { <code>{digest.short()}</code> });
            view! {
                <div class=class aria-hidden="true" style:left=x style:top=y>
                    <p><strong><bdi>{phrase::visible(&told.name)}</bdi></strong>" "{told.word}" "{digest}</p>
                    <p>{phrase::visible(&told.sentence)}</p>
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
            let digests = match (told.old, told.new) {
                (old, Some(new)) if told.word == "reassigned" || told.word == "restored" => {
                    Some(view! { <Difference before=old after=Some(new) /> }.into_any())
                }
                (_, Some(digest)) => Some(view! { <DigestChip digest /> }.into_any()),
                _ => None,
            };
            let tag = told.tag.map(|tag| {
                view! { <a class="button" href=url::tag(&told.repository, &tag)><bdi>{["Tag ", &phrase::visible(&tag)].concat()}</bdi></a> }
            });
            let flag = told.flag.map(|flag| view! { <a class="button" href=url::flag(flag)>"Flag"</a> });
            view! {
                <section class="timeline-pinned" aria-label="Pinned">
                    <p class="timeline-pinned-head">
                        <span class=told.tone.class()>{told.word}</span>
                        <strong class="mono"><bdi>{phrase::visible(&told.name)}</bdi></strong>
                        <span class="quiet"><bdi>{told.repository.clone()}</bdi></span>
                        <button class="button button-quiet" type="button" on:click=close>"Close"</button>
                    </p>
                    <p>{phrase::visible(&told.sentence)}</p>
                    <p class="acts acts-start">{digests} {flag} {tag}</p>
                </section>
            }
        })
    };
    view! { <div role="status">{card}</div> }
}
