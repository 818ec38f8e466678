//! Effects whose closures are boxed, so that the page holds the machinery of an effect once and not for each of them.

use leptos::prelude::{Effect, on_cleanup};
use leptos::reactive::graph::{Observer, Subscriber as _};

/// Runs now, and again whenever what it read changes.
pub fn effect(run: impl FnMut() + 'static) {
    start(Box::new(run));
}

fn start(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_: Option<()>| {
        leave_in_time();
        run();
    });
}

/// Runs whenever what is read by `watched` changes, and not before.
pub fn on_change(watched: impl Fn() + 'static, run: impl FnMut() + 'static) {
    start_watching(Box::new(watched), Box::new(run));
}

fn start_watching(watched: Box<dyn Fn()>, mut run: Box<dyn FnMut()>) {
    let watched = move || {
        leave_in_time();
        watched();
    };
    Effect::watch(watched, move |(), _, _: Option<()>| run(), false);
}

/// Called where an effect runs: it leaves what it read before it goes. By itself it would stay, gone as it is, in the lists of
/// signals that live as long as the page, such as the clock: half a kilobyte for each page that is gone to.
pub fn leave_in_time() {
    if let Some(running) = Observer::get() {
        on_cleanup(move || running.clear_sources(&running));
    }
}
