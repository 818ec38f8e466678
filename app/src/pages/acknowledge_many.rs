//! Takes note of many flags at once, with one reason.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{Acknowledge, Flag, Page};
use tagwarden_model::flag::FlagState;

use super::flags::Selected;
use crate::held::Awaited;
use crate::ui::Toasts;
use crate::view::{Show, live};
use crate::{api, text};

/// A bar that is there while flags are selected.
#[component]
pub fn AcknowledgeMany(
    selected: Selected,
    shown: Awaited<Page<Flag>>,
    on_done: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let reason = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let toasts = Toasts::here();
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let why = reason.get_untracked().trim().to_owned();
        if why.is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        let flags = selected.get_untracked();
        spawn_local(async move {
            let (mut done, mut rest) = (0, 0);
            let mut failure = None;
            for (id, version) in flags {
                let body = Acknowledge { version, reason: why.clone(), until: None };
                match api::acknowledge(id, &body).await {
                    Ok(_) => done += 1,
                    Err(error) => {
                        rest += 1;
                        failure = Some(error.message());
                    }
                }
            }
            toasts.say(text::flags::acknowledged(done, rest, failure.as_deref()));
            busy.try_set(false);
            if rest == 0 {
                reason.try_set(String::new());
            }
            // What changed meanwhile is looked at again before it is decided about.
            selected.try_set(BTreeMap::new());
            on_done();
        });
    };
    let all = move |_| {
        let flags = shown.get().map(|page| page.items).unwrap_or_default();
        let open = flags.into_iter().filter(|flag| flag.state == FlagState::Open);
        selected.set(open.map(|flag| (flag.id, flag.version)).collect());
    };
    let count = move || selected.with(|selected| selected.len() as u64);
    view! {
        <Show when=move || { count() > 0 }>
            <form class="select-bar" aria-label=text::flags::SELECTED_ACTS on:submit=send>
                <strong>{live(move || text::flags::selected(count()))}</strong>
                <input
                    class="input"
                    aria-label=text::flags::SELECTED_WHY
                    placeholder=text::flags::SELECTED_WHY_EXAMPLE
                    maxlength="2000"
                    required
                    bind:value=reason
                />
                <button class="button button-primary" type="submit" disabled=busy>{text::flags::ACKNOWLEDGE}</button>
                <button class="button button-quiet" type="button" on:click=all>{text::flags::SELECT_ALL}</button>
                <button class="button button-quiet" type="button" on:click=move |_| selected.update(BTreeMap::clear)>
                    {text::flags::SELECT_NONE}
                </button>
            </form>
        </Show>
    }
}
