//! The one boundary of a page: loading, error, stale and data. Empty is the page's own word.

use leptos::prelude::*;

use crate::api::ApiError;
use crate::browser;
use crate::remote::Remote;
use crate::time;

/// Shows `children` once there is data and keeps them while it is refreshed. `skeleton` is what is shown before; the
/// stylesheet holds it back for 150 ms.
#[component]
pub fn Loaded<T, V>(
    /// The question.
    remote: Remote<T>,
    /// How many grey lines stand in for the data.
    #[prop(default = 4)]
    lines: usize,
    /// What is shown of the data.
    children: impl Fn(Signal<T>) -> V + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let has_data = Memo::new(move |_| remote.data.with(Option::is_some));
    let body = move || {
        has_data.get();
        let Some(first) = remote.data.get_untracked() else {
            return match remote.error.get() {
                Some(error) => view! { <ErrorNote error on_retry=move || remote.reload() /> }.into_any(),
                None => skeleton(lines),
            };
        };
        let current = RwSignal::new(first);
        Effect::new(move |_| {
            if let Some(data) = remote.data.get() {
                current.set(data);
            }
        });
        children(current.into()).into_any()
    };
    let stale = move || {
        let error = remote.error.get().filter(|_| has_data.get())?;
        let as_of = remote.as_of.get()?;
        Some(view! {
            <p class="note note-warning" role="status">
                {format!("{} Shown as of {}. ", error.message(), time::clock(as_of, browser::offset(as_of)))}
                <button class="button button-quiet" type="button" on:click=move |_| remote.reload()>"Try again"</button>
            </p>
        })
    };
    view! { {stale} {body} }
}

fn skeleton(lines: usize) -> AnyView {
    let lines = (0..lines).map(|_| view! { <span class="skeleton-line"></span> }).collect_view();
    view! { <div class="skeleton" role="status" aria-label="Loading">{lines}</div> }.into_any()
}

/// What went wrong, what to do, and a button that does it.
#[component]
pub fn ErrorNote(error: ApiError, on_retry: impl Fn() + 'static) -> impl IntoView {
    view! {
        <div class="empty" role="alert">
            <h2>{error.message()}</h2>
            <p>{error.next_step()}</p>
            <button class="button" type="button" on:click=move |_| on_retry()>"Try again"</button>
        </div>
    }
}

/// Asks for one more page of a list.
#[component]
pub fn More(
    /// Whether there is one.
    has_more: Signal<bool>,
    /// How many pages are shown.
    pages: RwSignal<u32>,
) -> impl IntoView {
    view! {
        <Show when=move || has_more.get()>
            <p class="more">
                <button class="button button-quiet" type="button" on:click=move |_| pages.update(|pages| *pages += 1)>
                    "Show more"
                </button>
            </p>
        </Show>
    }
}
