//! The one boundary of a page: loading, error, stale and data. Empty is the page's own word.

use leptos::prelude::*;

use crate::api::ApiError;
use crate::held::Held;
use crate::remote::{Question, Remote};
use crate::view::{Show, live};
use crate::{browser, text, time};

/// Shows `children` once there is data and keeps them while it is refreshed. `skeleton` is what is shown before; the
/// stylesheet holds it back for 150 ms.
#[component]
pub fn Loaded<T, V>(
    /// The question.
    remote: Remote<T>,
    /// How many grey lines stand in for the data.
    #[prop(default = 4)]
    lines: usize,
    /// Whether the page's heading is part of the data, so that an error has to stand in for it.
    #[prop(optional)]
    has_heading: bool,
    /// What is shown of the data.
    children: impl Fn(Held<T>) -> V + Send + Sync + 'static,
) -> impl IntoView
where
    T: Send + Sync + 'static,
    V: IntoView + 'static,
{
    let shown = move || Some(children(remote.data.follow()?).into_any());
    boundary(remote.question, lines, has_heading, Box::new(shown))
}

/// The part that is the same for all types of data, so that the page holds it once.
fn boundary(
    question: Question,
    lines: usize,
    has_heading: bool,
    shown: Box<dyn Fn() -> Option<AnyView> + Send + Sync>,
) -> AnyView {
    let has_data = Memo::new(move |_| question.is_answered.get());
    let body = live(move || {
        has_data.get();
        shown().unwrap_or_else(|| match question.error.get() {
            Some(error) => {
                view! { <ErrorNote error is_heading=has_heading on_retry=move || question.reload() /> }.into_any()
            }
            None => skeleton(lines),
        })
    });
    let stale = live(move || {
        let error = question.error.get().filter(|_| has_data.get())?;
        let as_of = question.as_of.get()?;
        let clock = time::clock(as_of, browser::offset(as_of));
        Some(view! {
            <p class="note note-warning">
                {text::shell::shown_as_of(&error.message(), &clock)}
                <button class="button button-quiet" type="button" on:click=move |_| question.reload()>{text::TRY_AGAIN}</button>
            </p>
        })
    });
    view! { <div class="standing" role="status">{stale}</div> {body} }.into_any()
}

fn skeleton(lines: usize) -> AnyView {
    let lines = (0..lines).map(|_| view! { <span class="skeleton-line"></span> }).collect_view();
    view! { <div class="skeleton" role="status" aria-label=text::LOADING>{lines}</div> }.into_any()
}

/// What went wrong, what to do, and a button that does it.
#[component]
pub fn ErrorNote(
    error: ApiError,
    /// Whether it is the page's heading.
    #[prop(optional)]
    is_heading: bool,
    /// Asks again.
    on_retry: impl Fn() + 'static,
) -> impl IntoView {
    let message = error.message();
    let heading =
        if is_heading { view! { <h1>{message}</h1> }.into_any() } else { view! { <h2>{message}</h2> }.into_any() };
    view! {
        <div class="empty" role="alert">
            {heading}
            <p>{error.next_step()}</p>
            <button class="button" type="button" on:click=move |_| on_retry()>{text::TRY_AGAIN}</button>
        </div>
    }
}

/// Why an act failed and what to do about it, beside what was pressed.
pub fn failure(failed: RwSignal<Option<ApiError>>) -> AnyView {
    live(move || failed.get().map(|error| view! { <p class="form-error" role="alert"><bdi>{error.words()}</bdi></p> }))
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
                    {text::SHOW_MORE}
                </button>
            </p>
        </Show>
    }
}
