//! The live stream: drives [`crate::stream::Stream`] with the browser's `EventSource`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use serde::Deserialize;
use tagwarden_model::api::Change;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{EventSource, MessageEvent};

use crate::effect::on_change;
use crate::remote::{Question, Remote};
use crate::stream::{Action, Input, Status, Stream};
use crate::{api, browser, text};

/// More changes than this at once are answered by loading everything anew.
const MOST_CHANGES: usize = 200;

/// Changes that came since the last frame.
#[derive(Debug, Clone, Default)]
struct Burst {
    changes: Vec<Change>,
    /// Some may have been missed.
    all: bool,
}

/// What components know of the stream.
#[derive(Clone, Copy)]
pub struct Live {
    /// Whether what is shown is kept up to date.
    pub status: RwSignal<Status>,
    burst: RwSignal<Arc<Burst>>,
    /// Whether something was not read again because nobody sees the tab.
    left_out: StoredValue<bool>,
}

#[derive(Deserialize)]
struct Hello {
    build: String,
}

impl Live {
    /// Opens the stream and makes it known to every component below.
    pub fn provide() -> Self {
        let status = RwSignal::new(Status::Connecting);
        let live = Self { status, burst: RwSignal::default(), left_out: StoredValue::new(false) };
        provide_context(live);
        Driver::start(live);
        live
    }

    /// The stream of this page.
    pub fn here() -> Self {
        expect_context()
    }

    /// Asks again when something changes that concerns it.
    pub fn keep_fresh<T: Send + Sync + 'static>(self, remote: Remote<T>, concerns: impl Fn(&Change) -> bool + 'static) {
        self.reload_on(remote.question, Box::new(concerns), false);
    }

    /// The same for what the tab's title says, which is seen although the tab is not.
    pub fn keep_title_fresh(self, question: Question) {
        self.reload_on(question, Box::new(|_| true), true);
    }

    fn reload_on(self, question: Question, concerns: Box<dyn Fn(&Change) -> bool>, is_title: bool) {
        let changed = move || {
            let burst = self.burst.get_untracked();
            if burst.all || burst.changes.iter().any(&concerns) {
                question.reload();
            }
        };
        on_change(move || self.burst.track(), changed);
        // A pass that saw no change sends no notice; "checked 40 s ago" must not grow old on an open page.
        let refresh = move || {
            if is_title || !browser::is_hidden() {
                question.reload();
            } else {
                self.left_out.set_value(true);
            }
        };
        if let Ok(timer) = set_interval_with_handle(refresh, REFRESH) {
            on_cleanup(move || timer.clear());
        }
    }
}

/// How often a page reads again what no notice tells.
const REFRESH: Duration = Duration::from_secs(30);

type Listener = Closure<dyn FnMut(MessageEvent)>;

struct Driver {
    live: Live,
    stream: Stream,
    source: Option<(EventSource, Vec<Listener>)>,
    pending: Burst,
    flush_is_due: bool,
}

impl Driver {
    fn start(live: Live) {
        let driver = Rc::new(RefCell::new(Self {
            live,
            stream: Stream::new(browser::now()),
            source: None,
            pending: Burst::default(),
            flush_is_due: false,
        }));
        open(&driver, None);
        let ticking = driver.clone();
        let timer = set_interval_with_handle(move || step(&ticking, Input::Timer), Duration::from_secs(1)).ok();
        let watching = driver.clone();
        let visibility = window_event_listener_untyped("visibilitychange", move |_| {
            step(&watching, if browser::is_hidden() { Input::Hidden } else { Input::Shown });
        });
        let leaving = driver.clone();
        let left = window_event_listener_untyped("pagehide", move |_| step(&leaving, Input::Left));
        let returning = driver.clone();
        let returned = window_event_listener_untyped("pageshow", move |_| step(&returning, Input::Shown));
        let driver = StoredValue::new_local(driver);
        on_cleanup(move || {
            if let Some(timer) = timer {
                timer.clear();
            }
            for listener in [visibility, left, returned] {
                listener.remove();
            }
            driver.try_with_value(|driver| driver.borrow_mut().close());
        });
    }

    fn close(&mut self) {
        if let Some((source, _)) = self.source.take() {
            source.close();
        }
    }
}

/// Feeds the state machine and does what it says.
fn step(driver: &Rc<RefCell<Driver>>, input: Input) {
    let now = browser::now();
    let action = driver.borrow_mut().stream.step(input, now);
    match action {
        Some(Action::Close) => {
            // Listeners may be what is running now: they are dropped after this turn.
            let old = driver.borrow_mut().source.take();
            if let Some((source, listeners)) = old {
                source.close();
                set_timeout(move || drop(listeners), Duration::ZERO);
            }
        }
        Some(Action::Open { after }) => open(driver, after),
        Some(Action::Reload) => push(driver, None),
        None => {}
    }
    let live = driver.borrow().live;
    if input == Input::Shown && live.left_out.try_update_value(std::mem::take) == Some(true) {
        push(driver, None);
    }
    let driver = driver.borrow();
    let status = driver.stream.status(now);
    if driver.live.status.try_get_untracked() != Some(status) {
        driver.live.status.try_set(status);
    }
}

fn open(driver: &Rc<RefCell<Driver>>, after: Option<i64>) {
    let address = after.map_or_else(|| "api/v1/live".to_owned(), |id| format!("api/v1/live?after={id}"));
    let Ok(source) = EventSource::new(&address) else { return };
    let mut listeners = Vec::new();
    for name in ["hello", "tick", "change", "reset", "error"] {
        let driver = driver.clone();
        let listener = Listener::new(move |message: MessageEvent| receive(&driver, name, &message));
        let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        listeners.push(listener);
    }
    driver.borrow_mut().source = Some((source, listeners));
}

fn receive(driver: &Rc<RefCell<Driver>>, name: &str, message: &MessageEvent) {
    let text = || message.data().as_string().unwrap_or_default();
    match name {
        "hello" => {
            let build = api::read::<Hello>(&text()).map(|hello| hello.build).ok();
            if build.is_some() && browser::build().is_some() && build != browser::build() {
                browser::show_reload_banner(text::shell::UPDATED);
            }
            step(driver, Input::Hello);
        }
        "tick" => step(driver, Input::Tick),
        "reset" => step(driver, Input::Reset),
        "error" => step(driver, Input::Failed),
        _ => match api::read::<Change>(&text()) {
            Ok(change) => {
                step(driver, Input::Change(change.id));
                push(driver, Some(change));
            }
            // A newer server may send what this page does not know.
            Err(_) => push(driver, None),
        },
    }
}

/// Keeps a change for the next frame; `None` stands for "load everything".
fn push(driver: &Rc<RefCell<Driver>>, change: Option<Change>) {
    {
        let mut driver = driver.borrow_mut();
        match change {
            Some(change) if driver.pending.changes.len() < MOST_CHANGES => driver.pending.changes.push(change),
            _ => driver.pending.all = true,
        }
        if std::mem::replace(&mut driver.flush_is_due, true) {
            return;
        }
    }
    let flushing = driver.clone();
    let flush = move || {
        let mut driver = flushing.borrow_mut();
        driver.flush_is_due = false;
        let burst = Arc::new(std::mem::take(&mut driver.pending));
        let signal = driver.live.burst;
        drop(driver);
        signal.try_set(burst);
    };
    // A hidden tab draws no frames, but its title shall still change.
    if browser::is_hidden() { set_timeout(flush, Duration::ZERO) } else { request_animation_frame(flush) }
}
