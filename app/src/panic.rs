//! A panic ends the page's code: it is reported once, and the person is told to reload.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{browser, text};

static REPORTED: AtomicBool = AtomicBool::new(false);

/// Installs the hook.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        if !REPORTED.swap(true, Ordering::Relaxed) {
            console_error_panic_hook::hook(info);
            // Plain calls: nothing of the framework can be trusted any more.
            browser::show_reload_banner(text::shell::STOPPED);
        }
    }));
}
