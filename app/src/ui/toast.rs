//! What was just done, in words that stay long enough to be read.

use std::time::Duration;

use leptos::prelude::*;

use crate::view::live;

/// How long words stay, unless the pointer or the focus is on them.
const STAY: Duration = Duration::from_secs(10);
/// Words that are shown at once.
const MOST: usize = 3;

/// What is being said.
#[derive(Clone, Copy)]
pub struct Toasts {
    said: RwSignal<Vec<(u32, String)>>,
    held: RwSignal<bool>,
}

impl Toasts {
    /// Makes [`Toasts::here`] work in what follows.
    pub fn provide() -> Self {
        let toasts = Self { said: RwSignal::new(Vec::new()), held: RwSignal::new(false) };
        provide_context(toasts);
        toasts
    }

    /// Those of this page.
    pub fn here() -> Self {
        expect_context()
    }

    /// Says something.
    pub fn say(self, words: String) {
        let number = self.said.try_update(|said| {
            let number = said.last().map_or(0, |(number, _)| number + 1);
            said.push((number, words));
            let extra = said.len().saturating_sub(MOST);
            said.drain(..extra);
            number
        });
        if let Some(number) = number {
            self.fade(number);
        }
    }

    fn fade(self, number: u32) {
        let later = move || {
            if self.held.try_get_untracked() == Some(true) { self.fade(number) } else { self.forget(number) }
        };
        set_timeout(later, STAY);
    }

    fn forget(self, number: u32) {
        self.said.try_update(|said| said.retain(|(other, _)| *other != number));
    }
}

/// Where they are shown. A screen reader says them when they come.
#[component]
pub fn ToastShelf(toasts: Toasts) -> impl IntoView {
    let hold = move |held: bool| toasts.held.set(held);
    let row = move |(number, words): (u32, String)| {
        view! {
            <p class="toast">
                <bdi>{words}</bdi>
                <button class="button button-quiet" type="button" aria-label="Dismiss" on:click=move |_| toasts.forget(number)>
                    "×"
                </button>
            </p>
        }
        .into_any()
    };
    view! {
        <div
            class="toasts"
            role="status"
            on:pointerenter=move |_| hold(true)
            on:pointerleave=move |_| hold(false)
            on:focusin=move |_| hold(true)
            on:focusout=move |_| hold(false)
        >
            {live(move || toasts.said.get().into_iter().map(row).collect_view().into_any())}
        </div>
    }
}
