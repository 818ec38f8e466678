//! Times: relative in the text, absolute on asking.

use std::time::Duration;

use leptos::prelude::*;
use tagwarden_model::instant::Instant;

use crate::view::live;
use crate::{browser, text, time};

/// The present, a few seconds old at most: what relative times are relative to.
#[derive(Clone, Copy)]
pub struct Now(pub RwSignal<Instant>);

impl Now {
    /// Starts the clock of the page.
    pub fn provide() {
        let now = Self(RwSignal::new(browser::now()));
        provide_context(now);
        let tick = move || {
            if !browser::is_hidden() {
                now.0.try_set(browser::now());
            }
        };
        if let Ok(timer) = set_interval_with_handle(tick, Duration::from_secs(5)) {
            on_cleanup(move || timer.clear());
        }
    }

    /// The present; tracked.
    pub fn get() -> Instant {
        expect_context::<Self>().0.get()
    }
}

/// "40 s ago", with the absolute time in its title.
#[component]
pub fn When(at: Instant) -> impl IntoView {
    let now = expect_context::<Now>().0;
    view! {
        <time class="when" datetime=at.to_string() title=time::absolute(at, browser::offset(at))>
            {live(move || time::relative(at, now.get()))}
        </time>
    }
}

/// "between 08:41:12 and 08:46:09", with the absolute times in its title.
#[component]
pub fn WindowWords(
    /// It did not happen before.
    not_before: Option<Instant>,
    /// It did not happen after.
    not_after: Instant,
) -> impl IntoView {
    let now = expect_context::<Now>().0;
    let start = not_before.map_or_else(|| text::time::UNKNOWN.to_owned(), |at| time::absolute(at, browser::offset(at)));
    let title = text::time::from_to(&start, &time::absolute(not_after, browser::offset(not_after)));
    view! {
        <time class="when" datetime=not_after.to_string() title=title>
            {live(move || time::window(not_before, not_after, now.get(), &browser::offset))}
        </time>
    }
}
