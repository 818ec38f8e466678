//! Deleting for good what was recorded of a repository that is not watched any more.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::text::repository as text;
use crate::view::live;

/// Asks for the name once more.
#[component]
pub fn Purge(name: Memo<String>) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let words = RwSignal::new(String::new());
    let purge = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        spawn_local(async move {
            let done = api::purge(&name.get_untracked(), typed.get_untracked().trim()).await;
            words.try_set(done.map_or_else(|error| error.words(), |()| text::PURGED.into()));
        });
    };
    view! {
        <form class="form" on:submit=purge>
            <label class="form-label" for="purge">{text::PURGE}</label>
            <div class="form-row">
                <input id="purge" class="input" required autocomplete="off" placeholder=text::PURGE_NAME bind:value=typed />
                <button class="button" type="submit">{text::PURGE_ACT}</button>
            </div>
            <p class="form-help" role="status">{live(move || words.get())}</p>
        </form>
    }
}
