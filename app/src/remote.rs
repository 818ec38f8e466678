//! Data of the server as a page holds it: the newest answer, since when, and what went wrong with the one after it.

use std::future::Future;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::instant::Instant;

use crate::api::{ApiError, Asked};
use crate::browser;
use crate::effect::effect;
use crate::held::Awaited;

/// Time between two questions that follow each other because of changes.
const PAUSE: Duration = Duration::from_millis(300);

/// One question to the server, asked again whenever its key changes or [`Remote::reload`] is called. Old data stays
/// until newer data is there; a new key drops it.
pub struct Remote<T: Send + Sync + 'static> {
    /// The newest good answer.
    pub data: Awaited<T>,
    /// How it is asked for.
    pub question: Question,
}

impl<T: Send + Sync + 'static> Clone for Remote<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Remote<T> {}

impl<T: Send + Sync + 'static> Remote<T> {
    /// Asks now. `key` is tracked; `fetch` is called with it.
    pub fn new<K, F, A>(key: impl Fn() -> K + 'static, fetch: F) -> Self
    where
        K: Clone + PartialEq + 'static,
        F: Fn(K) -> A + 'static,
        A: Future<Output = Result<T, ApiError>> + 'static,
    {
        let remote = Self { data: Awaited::new(), question: Question::new() };
        let mut last_key = None;
        remote.question.start(Box::new(move || {
            let key = key();
            let is_other = last_key.as_ref() != Some(&key);
            if is_other {
                last_key = Some(key.clone());
                remote.data.clear();
            }
            (is_other, remote.kept(Box::pin(fetch(key))))
        }));
        remote
    }

    fn kept(self, answer: Asked<T>) -> Asked<Keep> {
        Box::pin(async move { Ok(self.keeper(answer.await?)) })
    }

    /// Keeps an answer, unless the page is gone.
    fn keeper(self, data: T) -> Keep {
        Box::new(move || self.data.set(data))
    }

    /// Asks again. What is under way is finished first, so a burst of changes is at most two questions.
    pub fn reload(self) {
        self.question.reload();
    }

    /// Takes an answer that came another way, such as the answer to an act.
    pub fn put(self, data: T) {
        self.question.settle(Ok(self.keeper(data)));
    }
}

/// Puts an answer where it belongs.
type Keep = Box<dyn FnOnce()>;

/// Says whether the question is another one than before, and asks it.
type Ask = dyn FnMut() -> (bool, Asked<Keep>);

/// What is the same for all types of data, so that the page holds it once.
#[derive(Clone, Copy)]
pub struct Question {
    /// Whether there is an answer.
    pub is_answered: RwSignal<bool>,
    /// When the newest good one came.
    pub as_of: RwSignal<Option<Instant>>,
    /// Why there is no newer one.
    pub error: RwSignal<Option<ApiError>>,
    /// Whether it is under way.
    loading: RwSignal<bool>,
    /// Asked to reload while it was under way: its answer may be too old.
    again: StoredValue<bool>,
    turn: Trigger,
}

impl Question {
    fn new() -> Self {
        Self {
            is_answered: RwSignal::new(false),
            as_of: RwSignal::new(None),
            error: RwSignal::new(None),
            loading: RwSignal::new(true),
            again: StoredValue::new(false),
            turn: Trigger::new(),
        }
    }

    fn start(self, mut ask: Box<Ask>) {
        let newest = StoredValue::new(0_u64);
        effect(move || {
            self.turn.track();
            let (is_other, answer) = ask();
            let number = newest.try_update_value(|number| {
                *number += 1;
                *number
            });
            if is_other {
                self.is_answered.set(false);
                self.error.set(None);
            }
            self.loading.set(true);
            self.again.set_value(false);
            spawn_local(async move {
                let answer = answer.await;
                // Answers may overtake each other, and the page may be gone.
                if number.is_some() && newest.try_get_value() == number {
                    self.settle(answer);
                }
            });
        });
    }

    /// Asks again.
    pub fn reload(self) {
        if self.loading.try_get_untracked() == Some(true) {
            self.again.try_set_value(true);
        } else {
            self.turn.notify();
        }
    }

    fn settle(self, answer: Result<Keep, ApiError>) {
        match answer {
            Ok(keep) => {
                self.error.try_set(None);
                self.as_of.try_set(Some(browser::now()));
                keep();
                self.is_answered.try_set(true);
            }
            Err(error) => {
                self.error.try_set(Some(error));
            }
        }
        if self.again.try_get_value() == Some(true) {
            // A stream of changes is not a reason to ask without a pause.
            set_timeout(move || self.turn.notify(), PAUSE);
        } else {
            self.loading.try_set(false);
        }
    }
}
