//! Copying: a button, and a line of code with one.

use std::time::Duration;

use leptos::html::Code;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::text::shell as words;
use crate::view::live;

/// How long the button says what it did.
const SAID: Duration = Duration::from_secs(4);

/// Copies a text and says so. Where the browser forbids it, `shown` is selected for copying by keyboard.
#[component]
pub fn CopyButton(
    /// What is copied.
    text: Signal<String>,
    /// What is copied, for people who hear the page.
    what: &'static str,
    /// Where the text can be seen.
    #[prop(optional)]
    shown: Option<NodeRef<Code>>,
) -> impl IntoView {
    let said = RwSignal::new(words::COPY.to_owned());
    let copy = move |_| {
        let text = text.get_untracked();
        spawn_local(async move {
            let shown = shown.and_then(|shown| shown.try_get_untracked().flatten());
            let done = browser::copy(&text, shown.as_deref().map(AsRef::as_ref)).await;
            said.try_set(if done { words::COPIED } else { words::COPY_BY_KEYS }.to_owned());
            let calm_down = move || {
                said.try_set(words::COPY.to_owned());
            };
            set_timeout(calm_down, SAID);
        });
    };
    view! {
        <button class="button copy-button" type="button" on:click=copy aria-label=words::copy(what)>
            <span aria-live="polite">{live(move || said.get())}</span>
        </button>
    }
}

/// A line to copy.
#[component]
pub fn Copyable(
    /// The line.
    text: Signal<String>,
    /// What it is.
    what: &'static str,
) -> impl IntoView {
    let shown = NodeRef::<Code>::new();
    view! {
        <div class="copyable">
            <span class="copyable-label">{what}</span>
            <code class="copyable-text" node_ref=shown>{live(move || text.get())}</code>
            <CopyButton text what shown />
        </div>
    }
}
