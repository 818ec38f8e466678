//! What was just done, in words that stay long enough to be read.

use std::time::Duration;

use leptos::prelude::*;

use crate::browser;
use crate::text::shell::DISMISS;
use crate::view::live;

/// How long words stay, unless the pointer or the focus is on them.
const STAY: Duration = Duration::from_secs(10);
/// Words that are shown at once.
const MOST: usize = 3;

/// What is being said.
#[derive(Clone, Copy)]
pub struct Toasts {
    said: RwSignal<Vec<(u32, String)>>,
    /// Grows with each of them.
    number: StoredValue<u32>,
    /// Whether the pointer is on them, and whether the focus is.
    held: [RwSignal<bool>; 2],
}

impl Toasts {
    /// Makes [`Toasts::here`] work in what follows.
    pub fn provide() -> Self {
        let (said, number) = (RwSignal::new(Vec::new()), StoredValue::new(0));
        let toasts = Self { said, number, held: [RwSignal::new(false), RwSignal::new(false)] };
        provide_context(toasts);
        toasts
    }

    /// Those of this page.
    pub fn here() -> Self {
        expect_context()
    }

    /// Says something.
    pub fn say(self, words: String) {
        let number = self.number.try_update_value(|number| {
            *number += 1;
            *number
        });
        let Some(number) = number else { return };
        self.said.try_update(|said| {
            said.push((number, words));
            let extra = said.len().saturating_sub(MOST);
            said.drain(..extra);
        });
        self.fade(number);
    }

    fn fade(self, number: u32) {
        let later = move || {
            let is_held = self.held.iter().any(|held| held.try_get_untracked() == Some(true));
            if is_held { self.fade(number) } else { self.forget(number) }
        };
        set_timeout(later, STAY);
    }

    fn forget(self, number: u32) {
        self.said.try_update(|said| said.retain(|(other, _)| *other != number));
        // What is taken away does not say that it lost the focus.
        self.held[1].try_set(false);
    }
}

/// Where they are shown. A screen reader says them when they come.
#[component]
pub fn ToastShelf(toasts: Toasts) -> impl IntoView {
    let [pointed, focused] = toasts.held;
    let dismiss = move |number| {
        toasts.forget(number);
        browser::pass_focus("main");
    };
    let row = move |(number, words): (u32, String)| {
        view! {
            <p class="toast">
                <bdi>{words}</bdi>
                <button class="button button-quiet" type="button" aria-label=DISMISS on:click=move |_| dismiss(number)>
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
            on:pointerenter=move |_| pointed.set(true)
            on:pointerleave=move |_| pointed.set(false)
            on:focusin=move |_| focused.set(true)
            on:focusout=move |_| focused.set(false)
        >
            {live(move || toasts.said.get().into_iter().map(row).collect_view().into_any())}
        </div>
    }
}
