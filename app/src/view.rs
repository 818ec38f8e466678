//! Parts of views whose closures are boxed, so that the page holds the machinery of a part once and not for each of them.
//!
//! The rule: what changes in a view is `{live(move || …)}`, what comes and goes stands in the [`Show`] of this file. The
//! closure of an attribute is written in its place (`disabled=move || …`): there `view!` boxes it by itself.

use leptos::either::Either;
use leptos::prelude::*;

use crate::effect::leave_in_time;

/// A part of a view that is made anew whenever what it read changes.
pub fn live<V: IntoAny>(part: impl Fn() -> V + Send + 'static) -> AnyView {
    make(Box::new(move || part().into_any()))
}

fn make(part: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
    let part = move || {
        leave_in_time();
        part()
    };
    view! { {part} }.into_any()
}

/// Shows its children while a condition holds, as Leptos' own does.
#[component]
pub fn Show(
    /// The condition.
    when: impl Fn() -> bool + Send + Sync + 'static,
    /// What is shown otherwise.
    #[prop(optional, into)]
    fallback: ViewFn,
    /// What is shown.
    children: ChildrenFn,
) -> impl IntoView {
    choose(Box::new(when), fallback, children)
}

fn choose(when: Box<dyn Fn() -> bool + Send + Sync>, fallback: ViewFn, children: ChildrenFn) -> AnyView {
    let holds = Memo::new(move |_| {
        leave_in_time();
        when()
    });
    live(move || if holds.get() { Either::Left(children()) } else { Either::Right(fallback.run()) })
}

/// A part of a list, made when it comes into it.
pub type Part = Box<dyn FnOnce() -> AnyView + Send>;

/// Parts below each other, each of which stays as long as its key is in the list.
pub fn list(parts: impl Fn() -> Vec<(String, Part)> + Send + Sync + 'static) -> AnyView {
    line_up(Box::new(parts))
}

fn line_up(parts: Box<dyn Fn() -> Vec<(String, Part)> + Send + Sync>) -> AnyView {
    let each = move || {
        leave_in_time();
        parts()
    };
    view! { <For each key=|(key, _)| key.clone() children=|(_, part)| part() /> }.into_any()
}
