//! Effects whose closures are boxed, so that the page holds the machinery of an effect once and not for each of them.

use leptos::prelude::Effect;

/// Runs now, and again whenever what it read changes.
pub fn effect(run: impl FnMut() + 'static) {
    start(Box::new(run));
}

fn start(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_: Option<()>| run());
}

/// Runs whenever what is read by `watched` changes, and not before.
pub fn on_change(watched: impl Fn() + 'static, run: impl FnMut() + 'static) {
    start_watching(Box::new(watched), Box::new(run));
}

fn start_watching(watched: Box<dyn Fn()>, mut run: Box<dyn FnMut()>) {
    Effect::watch(watched, move |(), _, _: Option<()>| run(), false);
}
