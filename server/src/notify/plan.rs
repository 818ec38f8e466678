//! Which tellings make which messages, and when: pure.

use std::collections::BTreeMap;

use tagwarden_model::api::Occasion;
use tagwarden_model::instant::{Instant, Millis};

use super::LONGEST_HOLD;
use super::config::NotifierSettings;
use super::message::Message;
use crate::store::deliveries::NewDelivery;
use crate::store::tellings::{Planned, Telling};

/// What is told in one message.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Together<'a> {
    /// What one pass found.
    Group(i64, bool),
    /// One flag.
    Flag(i64, bool),
    /// A registry that does not answer fails all its repositories.
    Host(&'a str, bool),
}

/// How messages are made.
pub struct Planner<'a> {
    /// Who is told.
    pub notifiers: &'a [NotifierSettings],
    /// So long nothing was added to what is told together.
    pub quiet_time: Millis,
    /// Where people reach the server.
    pub link: Option<&'a str>,
}

impl Planner<'_> {
    /// What becomes of tellings now.
    pub fn plan(&self, tellings: &[Telling], now: Instant) -> Planned {
        let mut planned = Planned::default();
        let mut groups = BTreeMap::<Together<'_>, Vec<&Telling>>::new();
        for telling in tellings {
            groups.entry(together(telling)).or_default().push(telling);
        }
        for group in groups.values() {
            let ripe = ripe(group, self.quiet_time);
            // A wall clock that was put back must not hold a message for longer than a sensible one would.
            if ripe > now && ripe - now <= LONGEST_HOLD {
                planned.again = Some(planned.again.map_or(ripe, |again| again.min(ripe)));
                continue;
            }
            planned.done.extend(group.iter().map(|telling| telling.id));
            planned.deliveries.extend(self.notifiers.iter().filter_map(|notifier| self.message(notifier, group, now)));
        }
        planned
    }

    fn message(&self, notifier: &NotifierSettings, group: &[&Telling], now: Instant) -> Option<NewDelivery> {
        let wanted: Vec<_> = group.iter().copied().filter(|telling| notifier.filter.wants(telling)).collect();
        let message = Message::of(&wanted, self.link)?;
        let first = wanted.first()?;
        let what = match &first.flag {
            Some(flag) => format!("flag-{}", flag.id),
            None => first.repository.clone(),
        };
        let quiet = notifier.quiet_hours.as_ref();
        Some(NewDelivery {
            dedupe_key: format!("{}/{}/{what}/{}", notifier.name, first.occasion, first.version),
            notifier: notifier.name.clone(),
            next: quiet.map_or(now, |quiet| quiet.after(now, message.severity)),
            payload: serde_json::to_string(&message).ok()?,
        })
    }
}

fn together(telling: &Telling) -> Together<'_> {
    let over = matches!(telling.occasion, Occasion::Restored | Occasion::Recovered);
    match (&telling.flag, telling.group) {
        (Some(_), Some(group)) => Together::Group(group, over),
        (Some(flag), None) => Together::Flag(flag.id, over),
        (None, _) => Together::Host(&telling.host, over),
    }
}

/// When tellings become a message: it has been quiet, and what they are about is compared; or they waited long enough.
fn ripe(group: &[&Telling], quiet_time: Millis) -> Instant {
    let oldest = group.iter().map(|telling| telling.at).min().unwrap_or_default();
    let newest = group.iter().map(|telling| telling.at).max().unwrap_or_default();
    let comparing = group.iter().any(|telling| telling.flag.as_ref().is_some_and(|flag| flag.comparing));
    if comparing { oldest + LONGEST_HOLD } else { (newest + quiet_time).min(oldest + LONGEST_HOLD) }
}
