//! A release that nobody should use: said with a reason, and taken back.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{DoNotUse, Tag};

use crate::api::{self, ApiError};
use crate::ui::{Acting, When, failure};
use crate::view::live;
use crate::{browser, effect, meaning, text};

/// What stands, or the way to say it.
#[component]
pub fn DoNotUseCard(tag: Memo<Tag>, on_change: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let failed = RwSignal::new(None::<ApiError>);
    // The rest of the tag changes with every pass, and would take the form away from under the hands.
    let said = Memo::new(move |_| tag.with(|tag| tag.do_not_use.clone()));
    let reason = RwSignal::new(String::new());
    // What somebody decided here takes the pressed button away, and the focus goes to what stands in its place.
    let is_decided = StoredValue::new(false);
    let follow = move || {
        if is_decided.try_update_value(std::mem::take) == Some(true) {
            request_animation_frame(|| browser::focus("do-not-use"));
        }
    };
    effect::on_change(move || said.track(), follow);
    let decide = move |why: Option<String>| {
        let (repository, name) = tag.with_untracked(|tag| (tag.repository.clone(), tag.name.clone()));
        is_decided.set_value(true);
        spawn_local(async move {
            let answer = api::do_not_use(&repository, &name, why).await;
            if answer.is_ok() {
                reason.try_set(String::new());
            } else {
                is_decided.try_set_value(false);
            }
            failed.try_set(answer.err());
            on_change();
        });
    };
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let why = reason.get_untracked().trim().to_owned();
        if !why.is_empty() {
            decide(Some(why));
        }
    };
    let stands = move |said: DoNotUse| {
        view! {
            <section class="card note-warning" aria-label=text::tags::DO_NOT_USE>
                <h2 id="do-not-use" tabindex="-1">{text::tags::DO_NOT_USE}</h2>
                <p><bdi class="said">{meaning::visible(&said.reason)}</bdi></p>
                <p class="quiet">{text::tags::DO_NOT_USE_BY} <bdi>{said.actor}</bdi> " " <When at=said.at /></p>
                <Acting>
                    <button class="button" type="button" on:click=move |_| decide(None)>{text::tags::DO_NOT_USE_END}</button>
                </Acting>
            </section>
        }
        .into_any()
    };
    let ask = move || {
        view! {
            <Acting>
                <details class="card">
                    <summary id="do-not-use">{text::tags::DO_NOT_USE_ASK}</summary>
                    <form class="form" on:submit=send>
                        <label class="form-label" for="bad">{text::WHY}</label>
                        <input id="bad" class="input" maxlength="2000" required bind:value=reason />
                        <p class="form-help">{text::tags::DO_NOT_USE_HELP}</p>
                        <div class="form-row"><button class="button" type="submit">{text::tags::DO_NOT_USE_MARK}</button></div>
                    </form>
                </details>
            </Acting>
        }
        .into_any()
    };
    view! {
        {live(move || said.get().map_or_else(ask, stands))}
        {failure(failed)}
    }
}
