//! Flags: what becomes of a breach. Pure rules of RECORD.md 8.
//!
//! Events go through [`judge`] (tags) or [`judge_repository`], people's acts through [`Flag::acknowledge`] and
//! [`Flag::close`]. Each answers with the flag as it is afterwards and the transition to append; whoever stores them
//! compares [`Flag::version`] and does it in the transaction of the event or act. Only [`Flag::close`] closes.

mod lowering;

pub use self::lowering::{Lowering, Worst};
use crate::coded::coded;
use crate::event::Severity;
use crate::instant::{Instant, Millis};
use crate::promise::{Promise, Standing, standing};
use crate::tag::{Class, TagState};

/// What the rules depend on of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// What it is about.
    pub kind: FlagKind,
    /// Where it stands.
    pub state: FlagState,
    /// The worst that happened since it was opened.
    pub worst: Worst,
    /// What the rule of its tag makes of that now.
    pub lowering: Lowering,
    /// The contents are still to be compared; until then they count as critical (RECORD.md 2.7).
    pub comparing: bool,
    /// The tag kept moving while the flag was not closed.
    pub flapping: bool,
    /// It opens again then; only while acknowledged.
    pub acknowledged_until: Option<Instant>,
    /// Grows by one with every change.
    pub version: i64,
}

/// One step in the life of a flag, to be appended. For a person's act, who and why come from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The state before; `None` for the first step.
    pub from: Option<FlagState>,
    /// The state after.
    pub to: FlagState,
    /// How it was closed.
    pub resolution: Option<Resolution>,
    /// Why, where the machine did it; `None` for acts of people.
    pub reason: Option<&'static str>,
}

/// A flag as it is after a step, and the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The flag afterwards.
    pub flag: Flag,
    /// What to append.
    pub transition: Transition,
}

/// What an event means for the flag of its tag or repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagStep {
    /// Nothing.
    None,
    /// A new flag.
    Open(Change),
    /// The event joins the flag that is not closed, which is open (again).
    Join(Change),
    /// The breach is over; needs a review.
    Restore(Change),
}

/// What is known of a tag after a step of the record with all its events, or after its promise was changed.
///
/// A step is judged once, by where it ends: a retraction and the move that follows it restore and re-open nothing in
/// between. All its events belong to the flag.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What its name promises.
    pub class: Class,
    /// The promise in force now: see [`after_event`](crate::promise::after_event).
    pub promise: Option<&'a Promise>,
    /// The promise before that one.
    pub former: Option<&'a Promise>,
    /// What it is now.
    pub state: &'a TagState,
    /// Whether its version is a pre-release.
    pub pre_release: bool,
    /// How the rule of its class lowers severities.
    pub lowering: Lowering,
    /// Its flag that is not closed.
    pub flag: Option<&'a Flag>,
    /// `not_after` of the newest event, or when the promise was changed.
    pub at: Instant,
    /// Whether a move is among the events.
    pub moved: bool,
    /// `not_after` of earlier moves of the tag that were not retracted; older than [`MOVES_WITHIN`] does not count.
    pub moves: &'a [Instant],
    /// When earlier breaches of the tag began: flags opened, or re-opened after `restored`. Older than
    /// [`BREACHES_WITHIN`] does not count.
    pub breaches: &'a [Instant],
}

coded! {
    /// What a flag is about.
    pub enum FlagKind {
        /// A release differs from its promise.
        Breach = 1 "breach",
        /// A repository has been missing for a day.
        Vanished = 2 "vanished",
        /// A repository is refused to these credentials while others of its registry are not.
        Invisible = 3 "invisible",
    }
}

coded! {
    /// Where a flag stands.
    pub enum FlagState {
        /// Needs a person.
        Open = 1 "open",
        /// A person knows.
        Acknowledged = 2 "acknowledged",
        /// The state is the promise again; needs a review.
        Restored = 3 "restored",
        /// A person decided.
        Closed = 4 "closed",
    }
}

coded! {
    /// What a person decided.
    pub enum Resolution {
        /// Looked at; the release is as promised again.
        Reviewed = 1 "reviewed",
        /// The new state is the promise now.
        Accepted = 2 "accepted",
        /// It was none.
        NotAnIssue = 3 "not_an_issue",
    }
}

/// Three moves within this time make a flag flapping.
pub const MOVES_WITHIN: Millis = Millis::hours(24);
/// A third breach within this time makes a flag flapping.
pub const BREACHES_WITHIN: Millis = Millis::days(7);
const FLAPPING_AT: usize = 3;

/// Why an act on a flag is refused; the texts are shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// Somebody or something was faster.
    #[error(
        "the flag has changed since you looked at it (it is at version {current}, not {seen}): read it again and decide anew"
    )]
    Conflict {
        /// The version the act was decided on.
        seen: i64,
        /// The version it has.
        current: i64,
    },
    /// Closed flags stay as they are.
    #[error("the flag is closed; a new breach will open a new one")]
    Closed,
    /// There is nothing left to wait for.
    #[error("the release is as promised again: close the flag as reviewed instead of acknowledging it")]
    Restored,
    /// An acknowledgement must end later than it begins.
    #[error("`until` has passed already: name a time to come, or none")]
    UntilPassed,
    /// Closing a flag in breach is accepting.
    #[error(
        "it still differs from what was promised: close it as accepted, which makes what it is now the promise, or put it back first"
    )]
    InBreach,
    /// There is nothing to accept.
    #[error("there is nothing to accept, it is what was promised: close it as reviewed or as not_an_issue")]
    NothingToAccept,
    /// Only what was restored can be reviewed.
    #[error("nothing was restored that could be reviewed: close it as not_an_issue")]
    NothingToReview,
}

/// What the facts mean for the flag of a tag (RECORD.md 8.2 to 8.4).
///
/// Only releases come into breach. A flag that was opened before the tag's class changed is still restored when its state
/// is the promise again, and otherwise left to a person.
pub fn judge(facts: &Facts<'_>) -> FlagStep {
    let flag = facts.flag.filter(|flag| flag.state != FlagState::Closed);
    let release = facts.class == Class::Release;
    match (standing(facts.promise, facts.state), flag) {
        (Standing::AsPromised, Some(flag)) if flag.state != FlagState::Restored => {
            // Without a promise there is nothing to be again, unless a retraction has just taken the promise away.
            if facts.promise.is_none() && !release {
                return FlagStep::None;
            }
            let flapping = flag.flapping || flapping(facts, false);
            FlagStep::Restore(restored(&Flag { flapping, ..flag.clone() }))
        }
        (Standing::InBreach, None) if release => {
            let (worst, comparing) = happened(facts);
            let opened = opened(FlagKind::Breach, worst, facts.lowering, "differs from its promise");
            let flag = Flag { comparing, flapping: flapping(facts, true), ..opened.flag };
            FlagStep::Open(Change { flag, ..opened })
        }
        (Standing::InBreach, Some(flag)) if release => {
            let begins = flag.state == FlagState::Restored;
            let (worst, comparing) = happened(facts);
            let joined = Flag {
                worst: flag.worst.and(worst),
                comparing: flag.comparing || comparing,
                flapping: flag.flapping || flapping(facts, begins),
                ..flag.clone()
            };
            let reason = if begins { "differs from its promise again" } else { "changed again, not to its promise" };
            FlagStep::Join(reopened(&joined, reason))
        }
        _ => FlagStep::None,
    }
}

/// What the state of a repository means for its flag of `kind`: `InBreach` while it is gone or refused. The severity is
/// that of a deletion (RECORD.md 9), and no rule lowers it: rules are about tags.
pub fn judge_repository(kind: FlagKind, standing: Standing, flag: Option<&Flag>) -> FlagStep {
    let flag = flag.filter(|flag| flag.state != FlagState::Closed && flag.kind == kind);
    match (standing, flag) {
        (Standing::InBreach, None) => {
            FlagStep::Open(opened(kind, Worst::deletion(false), Lowering::default(), "cannot be found"))
        }
        (Standing::InBreach, Some(flag)) => FlagStep::Join(reopened(flag, "cannot be found")),
        (Standing::AsPromised, Some(flag)) if flag.state != FlagState::Restored => FlagStep::Restore(restored(flag)),
        (Standing::AsPromised, _) => FlagStep::None,
    }
}

/// What a refresh of a rebuilt tag means for its flag (RECORD.md 7). `severity` is `None` where it starts as before.
pub fn judge_refresh(severity: Option<Severity>, lowering: Lowering, flag: Option<&Flag>) -> FlagStep {
    let flag = flag.filter(|flag| flag.state != FlagState::Closed);
    match (severity, flag) {
        (Some(severity), None) => {
            let worst = Worst::content(severity);
            FlagStep::Open(opened(FlagKind::Breach, worst, lowering, "starts otherwise than before"))
        }
        (Some(severity), Some(flag)) => {
            let joined = Flag { worst: flag.worst.and(Worst::content(severity)), ..flag.clone() };
            FlagStep::Join(reopened(&joined, "starts otherwise than before"))
        }
        (None, Some(flag)) if flag.state != FlagState::Restored => FlagStep::Restore(restored(flag)),
        (None, _) => FlagStep::None,
    }
}

impl FlagStep {
    /// The flag and the transition to store.
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::None => None,
            Self::Open(change) | Self::Join(change) | Self::Restore(change) => Some(change),
        }
    }
}

impl Flag {
    /// How bad it is, as far as the rule of its tag does not lower it.
    pub fn severity(&self) -> Severity {
        self.lowering.of(self.worst)
    }

    /// A person knows, and it may wait `until` then. An acknowledgement replaces an earlier one.
    pub fn acknowledge(&self, seen: i64, until: Option<Instant>, now: Instant) -> Result<Change, FlagError> {
        self.acted_on(seen)?;
        if self.state == FlagState::Restored {
            return Err(FlagError::Restored);
        }
        if until.is_some_and(|until| until <= now) {
            return Err(FlagError::UntilPassed);
        }
        Ok(self.step(FlagState::Acknowledged, until, None, None))
    }

    /// A person decides. `standing` is that of the tag at this moment; for a repository, whether it is still gone.
    ///
    /// In breach only `Accepted` closes, and the caller makes what the tag is now the promise in the same transaction.
    /// As promised, `Accepted` is refused: the record would say that another digest was accepted where none was.
    pub fn close(&self, seen: i64, resolution: Resolution, standing: Standing) -> Result<Change, FlagError> {
        self.acted_on(seen)?;
        match (standing, resolution) {
            (Standing::InBreach, Resolution::Reviewed | Resolution::NotAnIssue) => Err(FlagError::InBreach),
            (Standing::AsPromised, Resolution::Accepted) => Err(FlagError::NothingToAccept),
            (Standing::AsPromised, Resolution::Reviewed) if self.state != FlagState::Restored => {
                Err(FlagError::NothingToReview)
            }
            _ => Ok(self.step(FlagState::Closed, None, Some(resolution), None)),
        }
    }

    /// An acknowledgement whose time has passed opens the flag again.
    pub fn expire(&self, now: Instant) -> Option<Change> {
        let passed = self.state == FlagState::Acknowledged && self.acknowledged_until.is_some_and(|until| until <= now);
        passed.then(|| reopened(self, "the acknowledgement has ended"))
    }

    /// The contents were compared: how bad it is, and where that changes nothing, nothing. `reason` says what was found.
    ///
    /// `worst` is over everything the tag was in this breach, so it may lower a severity that stood for want of a
    /// comparison (RECORD.md 2.7); the state stays.
    pub fn compared(&self, worst: Worst) -> Change {
        Self { worst, comparing: false, ..self.clone() }.step(self.state, self.acknowledged_until, None, None)
    }

    /// The policy has changed how it lowers the flag: it is as severe as it says now, and the state stays.
    pub fn lowered(&self) -> Change {
        self.step(self.state, self.acknowledged_until, None, None)
    }

    /// Whether it counts as "needs attention" (RECORD.md 8.4): open, and more than a line in the log.
    pub fn needs_attention(&self) -> bool {
        self.state == FlagState::Open && self.severity() > Severity::Info
    }

    fn acted_on(&self, seen: i64) -> Result<(), FlagError> {
        // A closed flag says so, whatever version was looked at: reading it again would not help.
        if self.state == FlagState::Closed {
            Err(FlagError::Closed)
        } else if seen != self.version {
            Err(FlagError::Conflict { seen, current: self.version })
        } else {
            Ok(())
        }
    }

    fn step(
        &self,
        to: FlagState,
        until: Option<Instant>,
        resolution: Option<Resolution>,
        reason: Option<&'static str>,
    ) -> Change {
        Change {
            transition: Transition { from: Some(self.state), to, resolution, reason },
            flag: Self {
                state: to,
                acknowledged_until: until,
                version: self.version.saturating_add(1),
                ..self.clone()
            },
        }
    }
}

fn opened(kind: FlagKind, worst: Worst, lowering: Lowering, reason: &'static str) -> Change {
    let state = FlagState::Open;
    let (comparing, flapping) = (false, false);
    Change {
        flag: Flag { kind, state, worst, lowering, comparing, flapping, acknowledged_until: None, version: 1 },
        transition: Transition { from: None, to: state, resolution: None, reason: Some(reason) },
    }
}

fn reopened(flag: &Flag, reason: &'static str) -> Change {
    flag.step(FlagState::Open, None, None, Some(reason))
}

fn restored(flag: &Flag) -> Change {
    let reason = if flag.kind == FlagKind::Breach { "is as promised again" } else { "is back" };
    flag.step(FlagState::Restored, None, None, Some(reason))
}

/// How bad a breach is by what the tag is now, and whether that waits for a comparison of the contents (RECORD.md 9).
fn happened(facts: &Facts<'_>) -> (Worst, bool) {
    let Some(digest) = facts.state.digest() else { return (Worst::deletion(facts.pre_release), false) };
    let retired = facts.promise.is_some_and(|promise| promise.digest.is_none());
    let former = facts.former.and_then(|former| former.digest.as_ref());
    if retired && former == Some(digest) { (Worst::NOTHING, false) } else { (Worst::content(Severity::Critical), true) }
}

/// RECORD.md 8.4, counting what happens now.
fn flapping(facts: &Facts<'_>, breach_begins: bool) -> bool {
    let within = |instants: &[Instant], length: Millis| {
        instants.iter().filter(|at| facts.at - **at <= length && **at <= facts.at).count()
    };
    within(facts.moves, MOVES_WITHIN) + usize::from(facts.moved) >= FLAPPING_AT
        || breach_begins && within(facts.breaches, BREACHES_WITHIN) + 1 >= FLAPPING_AT
}

#[cfg(test)]
mod tests;
