//! Parts of views whose closures are boxed, so that the page holds the machinery of a part once and not for each of them.
//!
//! The rule: what changes in a view is `{live(move || …)}`, what comes and goes stands in the [`Show`] of this file. The
//! closure of an attribute is written in its place (`disabled=move || …`): there `view!` boxes it by itself. What nobody sees
//! first is made [`later`].

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use leptos::either::Either;
use leptos::prelude::*;

use crate::browser;
use crate::effect::leave_in_time;

/// Parts that are made in one task. Some milliseconds on a slow machine: who clicks meanwhile does not wait.
const AT_ONCE: usize = 8;
/// Nobody sees a page that has not been painted for so long.
const HIDDEN: Duration = Duration::from_secs(1);

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

/// Parts below each other, each of which stays as long as its key is in the list. The first of them are seen first.
pub fn list(parts: impl Fn() -> Vec<(String, Part)> + Send + Sync + 'static) -> AnyView {
    line_up(Box::new(parts))
}

fn line_up(parts: Box<dyn Fn() -> Vec<(String, Part)> + Send + Sync>) -> AnyView {
    // Once all are there, others come without a detour.
    let most = RwSignal::new(AT_ONCE);
    let each = move || {
        leave_in_time();
        let (mut parts, at_most) = (parts(), most.get());
        if parts.len() > at_most {
            parts.truncate(at_most);
            make_after_paint(Box::new(move || {
                most.try_update(|most| *most = (*most).max(at_most.saturating_add(AT_ONCE)));
            }));
        } else if !parts.is_empty() {
            most.try_update_untracked(|most| *most = usize::MAX);
        }
        parts
    };
    view! { <For each key=|(key, _)| key.clone() children=|(_, part)| part() /> }.into_any()
}

/// Rows below each other, all of which are made anew when what was read changes. At first the first of them are seen first.
pub fn rows<T: Send + 'static, V: IntoAny + 'static>(
    items: impl Fn() -> Vec<T> + Send + 'static,
    row: fn(T) -> V,
) -> AnyView {
    let part = move |item| Box::new(move || row(item).into_any()) as Part;
    make_rows(Box::new(move || items().into_iter().map(part).collect()))
}

fn make_rows(parts: Box<dyn Fn() -> Vec<Part> + Send>) -> AnyView {
    let is_first = Cell::new(true);
    live(move || {
        let parts = parts();
        let at_once = if is_first.get() { AT_ONCE } else { usize::MAX };
        is_first.set(is_first.get() && parts.is_empty());
        some_first(parts, at_once)
    })
}

fn some_first(mut parts: Vec<Part>, at_once: usize) -> AnyView {
    let rest = parts.split_off(at_once.min(parts.len()));
    let first = parts.into_iter().map(|part| part()).collect_view();
    let rest = (!rest.is_empty()).then(|| later(move || some_first(rest, at_once)));
    view! { {first} {rest} }.into_any()
}

/// A part that is made once what stands before it has been painted, so that a slow machine shows the first words sooner and is
/// busy with no part for long.
pub fn later(part: impl FnOnce() -> AnyView + Send + 'static) -> AnyView {
    make_later(Box::new(part))
}

fn make_later(part: Part) -> AnyView {
    let (is_due, part) = (RwSignal::new(false), StoredValue::new_local(Some(part)));
    make_after_paint(Box::new(move || {
        is_due.try_set(true);
    }));
    live(move || {
        let part = if is_due.get() { part.try_update_value(Option::take).flatten() } else { None };
        // What it reads while it is made does not make it anew.
        untrack(|| part.map(|part| part()))
    })
}

thread_local! {
    static DUE: Cell<u32> = const { Cell::new(0) };
}

/// Makes more of the page after the next time that it is painted. Until then it is busy.
pub fn make_after_paint(run: Box<dyn FnOnce()>) {
    count(1);
    after_paint(Box::new(move || {
        run();
        count(-1);
    }));
}

/// Runs after the next time that the page is painted; in a tab that nobody sees, where nothing is, within seconds.
pub fn after_paint(run: Box<dyn FnOnce()>) {
    let run = Rc::new(Cell::new(Some(run)));
    let late = run.clone();
    let now = move |run: &Cell<Option<Box<dyn FnOnce()>>>| {
        if let Some(run) = run.take() {
            run();
        }
    };
    set_timeout(move || now(&late), HIDDEN);
    request_animation_frame(move || set_timeout(move || now(&run), Duration::ZERO));
}

fn count(more: i32) {
    DUE.set(DUE.get().saturating_add_signed(more));
    say_busy();
}

/// Says whether more of the page is still to be made.
pub fn say_busy() {
    browser::set_busy(DUE.get() > 0);
}
