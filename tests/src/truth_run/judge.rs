use std::collections::BTreeMap;

use tagwarden_model::api::{Event, Flag};
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::{Instant, Millis};

use super::{Driver, Span, Truth};

/// The driver's clock and the server's are read a moment apart, and both are cut to milliseconds.
const BLUR: Millis = Millis(5);
/// A machine that runs several tests at once wakes a task late.
const SLACK: Millis = Millis::seconds(3);

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// What the driver did.
    pub acts: BTreeMap<&'static str, u64>,
    /// Changes of tags in the driver's log.
    pub changes: usize,
    /// Changes that stood long enough for the promise, and were found.
    pub found: usize,
    /// Recorded events by kind.
    pub events: BTreeMap<String, usize>,
    /// Events with both ends of the window.
    pub windows: usize,
    /// The widest window.
    pub widest: Millis,
    /// Flags.
    pub flags: usize,
}

/// RECORD.md 12 for a move where all intervals, limits and delays are `pace`: the freshness (two), the delay of a digest that
/// is back, the interval between an index and its child.
fn promised_move(pace: Millis) -> Millis {
    Millis(pace.0 * 4) + SLACK
}

/// And for a deletion: twice the freshness and the delay; the delay of an empty list, or of many at once; that of an absence
/// that was there before.
fn promised_deletion(pace: Millis) -> Millis {
    Millis(pace.0 * 8) + SLACK
}

/// How long a state must stand at most to be found.
pub(super) fn longest(pace: Millis) -> Millis {
    promised_deletion(pace)
}

/// Compares the record with the driver's log.
pub(super) fn judge(driver: &Driver, events: &[Event], flags: &[Flag], pace: Millis, ended: Instant) -> Report {
    let mut report = Report { acts: driver.acts.clone(), flags: flags.len(), ..Report::default() };
    let mut by_tag: BTreeMap<(String, String), Vec<&Event>> = BTreeMap::new();
    for event in events {
        *report.events.entry(event.kind.to_string()).or_default() += 1;
        let path = event.repository.split_once('/').map_or("", |(_, path)| path).to_owned();
        let tag = event.tag.clone();
        let tag = tag.unwrap_or_else(|| panic!("no repository vanished or returned, but: {event:#?}"));
        by_tag.entry((path, tag)).or_default().push(event);
    }
    for (key, truth) in &driver.truth {
        let recorded = by_tag.remove(key).unwrap_or_default();
        let name = format!("{}:{}", key.0, key.1);
        causes(&name, truth, &recorded, &mut report);
        promises(&name, truth, &recorded, &driver.outages, pace, ended, &mut report);
        let flagged =
            flags.iter().filter(|flag| flag.tag.as_deref() == Some(&key.1) && flag.repository.ends_with(&key.0));
        let breached = key.1.starts_with('1') && recorded.iter().any(|event| event.kind != EventKind::Created);
        assert_eq!(flagged.count(), usize::from(breached), "flags of {name} with {recorded:#?}");
    }
    assert!(by_tag.is_empty(), "events of tags that never were: {by_tag:#?}");
    report
}

/// Every event has a change of the truth within its window, each its own and in the same order.
fn causes(name: &str, truth: &Truth, recorded: &[&Event], report: &mut Report) {
    let (mut next, mut state) = (0, None);
    for event in recorded {
        let chained = event.old_digest == state;
        state.clone_from(&event.new_digest);
        let encloses = |place: usize| {
            let (change, became) = &truth[place];
            let enters = *became == event.new_digest && change.from <= event.not_after + BLUR;
            // The former state ended at this change or, when others between went unseen, before it.
            let left = left(truth, place, event.old_digest.as_ref());
            enters && event.not_before.is_none_or(|bound| left.is_some_and(|left| bound <= left.until + BLUR))
        };
        let cause = (next..truth.len()).find(|place| encloses(*place));
        let cause = cause.filter(|_| chained && event.verified && !event.clock_changed);
        let cause =
            cause.unwrap_or_else(|| panic!("{name}: no cause within its window: {event:#?}\nthe truth: {truth:#?}"));
        next = cause + 1;
        if let Some(from) = event.not_before {
            report.windows += 1;
            report.widest = report.widest.max(event.not_after - from);
        } else {
            assert!(event.baseline, "{name}: only a baseline has an open window: {event:#?}");
        }
    }
}

/// When the newest span of `old` before the change at `place` ended.
fn left(truth: &Truth, place: usize, old: Option<&Digest>) -> Option<Span> {
    let states = |at: usize| if at == 0 { None } else { truth[at - 1].1.as_ref() };
    (0..=place).rev().find(|at| states(*at) == old).map(|at| truth[at].0)
}

/// What stood for as long as it takes, while the registry could be asked, is what the record says at the end of that time.
fn promises(
    name: &str,
    truth: &Truth,
    recorded: &[&Event],
    outages: &[Span],
    pace: Millis,
    ended: Instant,
    report: &mut Report,
) {
    report.changes += truth.len();
    for (at, (change, state)) in truth.iter().enumerate() {
        let needed = if state.is_some() { promised_move(pace) } else { promised_deletion(pace) };
        let end = truth.get(at + 1).map_or(ended, |(next, _)| next.from);
        let mut begin = change.until;
        for outage in outages.iter().filter(|outage| outage.until > change.until) {
            check(name, (begin, outage.from.min(end)), needed, state.as_ref(), recorded, report);
            // The client asks again only after a while that doubles, as long as the outage at most.
            let length = outage.until - outage.from;
            begin = outage.until + length + Millis::seconds(2);
        }
        check(name, (begin, end), needed, state.as_ref(), recorded, report);
    }
}

fn check(
    name: &str,
    (begin, end): (Instant, Instant),
    needed: Millis,
    state: Option<&Digest>,
    recorded: &[&Event],
    report: &mut Report,
) {
    if end - begin < needed {
        return;
    }
    let newest = recorded.iter().rfind(|event| event.not_after <= end + BLUR);
    let known = newest.and_then(|event| event.new_digest.as_ref());
    assert_eq!(known, state, "{name} stood from {begin} to {end}, and the record does not say so: {recorded:#?}");
    report.found += 1;
}
