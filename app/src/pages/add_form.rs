//! Watching another repository.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::paste_form::PasteForm;
use super::preview::Preview;
use crate::api::{self, ApiError};
use crate::text::{self, adding};
use crate::ui::SummaryHere;
use crate::view::live;

/// Adds a repository to those that are watched.
#[component]
pub fn AddForm(on_added: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let SummaryHere(summary) = expect_context();
    let name = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let added = RwSignal::new(None::<String>);
    let failed = RwSignal::new(None::<ApiError>);
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let typed = name.get_untracked().trim().to_owned();
        if typed.is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer = api::add_repository(typed).await;
            if answer.is_ok() {
                name.try_set(String::new());
                summary.reload();
                on_added();
            }
            let (name, error) =
                answer.map_or_else(|error| (None, Some(error)), |repository| (Some(repository.name), None));
            added.try_set(name);
            failed.try_set(error);
            busy.try_set(false);
        });
    };
    let words = move || match (failed.get(), added.get()) {
        (Some(error), _) => ("form-error", error.words()),
        (None, Some(name)) => ("form-done", adding::added(&name)),
        (None, None) => ("", adding::NAME_HELP.to_owned()),
    };
    let words = move || {
        let (class, words) = words();
        view! { <bdi class=class>{words}</bdi> }
    };
    view! {
        <form class="form" on:submit=add>
            <label class="form-label" for="add-name">{text::REPOSITORY}</label>
            <div class="form-row">
                <input
                    id="add-name"
                    class="input"
                    name="name"
                    required
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    placeholder="ghcr.io/acme/api"
                    aria-describedby="add-help"
                    bind:value=name
                />
                <button class="button" type="submit" disabled=busy>{adding::WATCH}</button>
            </div>
            <p id="add-help" class="form-help" role="status">
                {live(words)}
            </p>
            <Preview name />
        </form>
        <PasteForm on_added=move || {
            summary.reload();
            on_added();
        } />
    }
}
