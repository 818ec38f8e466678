//! Telling people: what the store says is to be told becomes messages, and each notifier gets its own until it takes them.
//!
//! Delivery is at least once: a message is taken from the outbox for a while, sent, and then marked. A crash in between sends it
//! again, with the same key. Each notifier has a task of its own, so that a slow one delays no other.

mod bounded;
pub mod config;
pub mod filter;
mod mail;
pub mod message;
mod plan;
pub mod quiet;
mod reach;
pub mod template;
mod webhook;

use std::sync::Arc;

use rand::Rng as _;
use tagwarden_model::api::{DeliveryState, Occasion};
use tagwarden_model::instant::{Instant, Millis};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::config::{NotifierSettings, SinkSettings};
use self::mail::Mail;
use self::message::Message;
use self::plan::Planner;
use self::reach::Reach;
use self::webhook::Webhook;
use crate::clock::SharedClock;
use crate::config::Checked;
use crate::reload::InForce;
use crate::store::deliveries::{TakenDelivery, Then};
use crate::store::{Store, StoreError};

/// How long it must be quiet before what belongs together is told.
pub const QUIET_TIME: Millis = Millis::seconds(10);
/// Nothing waits longer for what belongs to it, or for a comparison.
pub const LONGEST_HOLD: Millis = Millis::minutes(2);
/// Without being woken, what other servers wrote is looked for so often.
const LOOK_EVERY: Millis = Millis::seconds(10);
/// An attempt that said nothing for so long is taken for dead; longer than any attempt takes.
const TAKEN_FOR: Millis = Millis::minutes(1);
/// The wait after the first failed attempt; it doubles.
const FIRST_WAIT: Millis = Millis::seconds(10);
/// The longest wait between two attempts.
const LONGEST_WAIT: Millis = Millis::hours(1);
/// Attempts before a message is dead: about eight hours.
const MOST_ATTEMPTS: u64 = 16;

/// All notifiers.
#[derive(Clone)]
pub struct Notify {
    /// The record.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// Says who is told, and how.
    pub configuration: watch::Receiver<Arc<InForce>>,
    /// Where people reach the server.
    pub public_url: Option<String>,
}

/// One attempt to tell one message.
pub(crate) struct Attempt<'a> {
    dedupe_key: &'a str,
    message: &'a Message,
    notifier: &'a NotifierSettings,
    source: &'a str,
    now: Instant,
}

/// Why an attempt failed.
pub(crate) struct Failure {
    words: String,
    /// What the other end asks for.
    retry_after: Option<Millis>,
}

enum Sink {
    Webhook(Box<Webhook>),
    Mail(Box<Mail>),
    /// The settings cannot be used, and why.
    Broken(String),
}

/// What the tasks share.
struct Shared {
    store: Store,
    clock: SharedClock,
    notifiers: Vec<NotifierSettings>,
    quiet_time: Millis,
    public_url: Option<String>,
}

impl Notify {
    /// Works until `stop`. A failing database is waited for.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let config = self.configuration.borrow_and_update().config.clone();
            let mut configuration = self.configuration.clone();
            let other = |now: &Arc<InForce>| {
                (&now.config.notifiers, now.config.quiet_time) != (&config.notifiers, config.quiet_time)
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.work(&config) => {}
                // A message under way is cut off and comes again.
                Ok(_) = configuration.wait_for(other) => {}
            }
        }
    }

    /// Works by one configuration, for ever.
    async fn work(&self, config: &Checked) {
        let shared = Arc::new(Shared {
            store: self.store.clone(),
            clock: self.clock.clone(),
            notifiers: config.notifiers.clone(),
            quiet_time: config.quiet_time.unwrap_or(QUIET_TIME),
            public_url: self.public_url.clone(),
        });
        let mut tasks = JoinSet::new();
        for notifier in config.notifiers.clone() {
            let shared = shared.clone();
            tasks.spawn(async move { shared.deliver(&notifier, &Sink::new(&notifier)).await });
        }
        tasks.spawn(async move { shared.plan().await });
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl Shared {
    /// Makes messages, for ever.
    async fn plan(&self) {
        let mut outbox = self.store.outbox();
        loop {
            outbox.mark_unchanged();
            let now = self.clock.now().mark.wall;
            let planner =
                Planner { notifiers: &self.notifiers, quiet_time: self.quiet_time, link: self.public_url.as_deref() };
            let again = self.store.plan_deliveries(now, |tellings| planner.plan(tellings, now)).await;
            let again = again.unwrap_or_else(|error| {
                tracing::error!(?error, "what is to be told waits for a moment");
                None
            });
            self.wait(&mut outbox, again).await;
        }
    }

    /// Delivers what is due to one notifier, for ever.
    async fn deliver(&self, notifier: &NotifierSettings, sink: &Sink) {
        let mut outbox = self.store.outbox();
        loop {
            outbox.mark_unchanged();
            let next = match self.deliver_one(notifier, sink).await {
                Ok(true) => continue,
                Ok(false) => self.store.next_delivery(&notifier.name).await,
                Err(error) => Err(error),
            };
            let next = next.unwrap_or_else(|error| {
                tracing::error!(notifier = notifier.name, ?error, "messages wait for a moment");
                None
            });
            self.wait(&mut outbox, next).await;
        }
    }

    /// Says whether there was a message to try.
    async fn deliver_one(&self, notifier: &NotifierSettings, sink: &Sink) -> Result<bool, StoreError> {
        let now = self.clock.now().mark.wall;
        let Some(taken) = self.store.take_delivery(&notifier.name, now, now + TAKEN_FOR).await? else {
            return Ok(false);
        };
        let message = serde_json::from_str::<Message>(&taken.payload);
        let result = match &message {
            Ok(message) => {
                let source = self.public_url.as_deref().unwrap_or("tagwarden");
                let dedupe_key = &taken.dedupe_key;
                sink.send(&Attempt { dedupe_key, message, notifier, source, now }).await
            }
            Err(error) => Err(Failure::of(format!("the stored message cannot be read: {error}"))),
        };
        let now = self.clock.now().mark.wall;
        match result {
            Ok(()) => self.store.delivered(taken.id, now).await?,
            Err(failure) => {
                tracing::warn!(notifier = notifier.name, attempt = taken.attempts, error = failure.words, "not told");
                let then = then(notifier, &taken, message.ok().as_ref(), failure.retry_after, now);
                self.store.delivery_failed(taken.id, &failure.words, then, now).await?;
            }
        }
        Ok(true)
    }

    /// Until `at`, something was written, or it is time to look at what others wrote.
    async fn wait(&self, outbox: &mut watch::Receiver<()>, at: Option<Instant>) {
        let now = self.clock.now();
        let length = at.map_or(LOOK_EVERY, |at| (at - now.mark.wall).min(LOOK_EVERY));
        if length <= Millis(0) {
            return;
        }
        tokio::select! {
            // The sender lives as long as the store.
            _ = outbox.changed() => {}
            () = self.clock.sleep_until(now.mono.after(length)) => {}
        }
    }
}

impl Sink {
    fn new(notifier: &NotifierSettings) -> Self {
        let sink = match &notifier.sink {
            SinkSettings::Webhook { url, secret, format, .. } => {
                Webhook::new(notifier, url, secret.clone(), *format).map(|webhook| Self::Webhook(Box::new(webhook)))
            }
            SinkSettings::Smtp(settings) => {
                let reach = Reach { allow_private: notifier.allow_private };
                let mail = Mail::new((**settings).clone(), reach, notifier.ca.as_deref());
                mail.map(|mail| Self::Mail(Box::new(mail)))
            }
        };
        sink.unwrap_or_else(Self::Broken)
    }

    async fn send(&self, attempt: &Attempt<'_>) -> Result<(), Failure> {
        match self {
            Self::Webhook(webhook) => webhook.send(attempt).await,
            Self::Mail(mail) => mail.send(attempt).await,
            Self::Broken(reason) => Err(Failure::of(reason.clone())),
        }
    }
}

impl Attempt<'_> {
    /// The message by the notifier's template, if it has one.
    fn own_words(&self) -> Result<Option<String>, Failure> {
        let own = self.notifier.template.as_ref().map(|template| template.render(self.message));
        own.transpose().map_err(Failure::of)
    }
}

impl Failure {
    fn of(words: String) -> Self {
        Self { words, retry_after: None }
    }
}

/// What follows from a failed attempt.
fn then(
    notifier: &NotifierSettings,
    taken: &TakenDelivery,
    message: Option<&Message>,
    retry_after: Option<Millis>,
    now: Instant,
) -> Then {
    if message.is_some_and(|message| message.occasion == Occasion::Test) {
        return Then::End(DeliveryState::Failed);
    }
    if taken.attempts >= MOST_ATTEMPTS {
        return Then::End(DeliveryState::Dead);
    }
    let wait = wait(taken.attempts, rand::rng().random_range(0..=20)).max(retry_after.unwrap_or_default());
    let severity = message.and_then(|message| message.severity);
    let quiet = notifier.quiet_hours.as_ref();
    Then::Again(quiet.map_or(now + wait, |quiet| quiet.after(now + wait, severity)))
}

/// Doubles with every attempt, and up to a fifth longer, so that many messages do not come back at one moment.
fn wait(attempts: u64, jitter_percent: i64) -> Millis {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(20);
    let wait = (FIRST_WAIT.0 << doublings).min(LONGEST_WAIT.0);
    Millis(wait + wait * jitter_percent / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        assert_eq!([1, 2, 3, 9, 10, 60].map(|attempts| wait(attempts, 0).0 / 1000), [10, 20, 40, 2560, 3600, 3600]);
        assert_eq!(wait(1, 20), Millis::seconds(12));
    }
}
