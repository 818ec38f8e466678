use super::{Delays, Listing};
use crate::event::DeletedBy;
use crate::instant::Millis;
use crate::observation::{Method, Moment, Mono};
use crate::tag::Mark;

/// A tag that answers 404 and is not yet confirmed absent (RECORD.md 3).
///
/// One round is a direct 404 and a listing sent after it. A deletion takes two rounds, and a third when many tags of the
/// repository are absent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// The last sighting of the tag; fixed when the doubt began.
    pub not_before: Option<Mark>,
    /// What the listings say.
    pub kind: AbsenceKind,
    /// The last 404 that still waits for a listing sent after it.
    pub asked: Option<NotFound>,
    /// The 404 of the round that the next one must keep its distance from.
    pub first: Option<NotFound>,
    /// When the listing that completed that round was received. The tags that it found absent are asked again together,
    /// so that they are deleted as one act (3.6).
    pub together: Option<Mono>,
    /// Rounds confirmed beyond the first two, for rule 3.6.
    pub extra: u8,
    /// The tag was confirmed absent not long ago: this may be a stale replica's answer (2.5).
    pub stale: bool,
}

/// A direct 404.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFound {
    /// Before the request left.
    pub sent: Moment,
    /// After the answer was read.
    pub received: Moment,
    /// How it was asked.
    pub method: Method,
}

/// What the listings say of a tag that answers 404.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbsenceKind {
    /// A non-empty listing lacks it (3.1).
    Unlisted,
    /// It is still listed: a tag link whose manifest was collected (3.2).
    Dangling,
    /// The listing is empty though tags were there (3.3).
    EmptyListing,
}

/// What a listing makes of an absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    /// The listing is older than the 404, or nothing waits for one.
    Nothing,
    /// The first round, or one that came too early: ask again then.
    Wait,
    /// The bytes must be asked for: HEAD's 404 proves nothing about a listed tag.
    Get,
    /// Both rounds are there.
    Confirmed,
}

impl Absence {
    pub(super) const fn new(not_before: Option<Mark>, stale: bool) -> Self {
        Self { not_before, kind: AbsenceKind::Unlisted, asked: None, first: None, together: None, extra: 0, stale }
    }

    /// How far apart the 404s of two rounds must be.
    pub(super) fn delay(&self, delays: &Delays, interval: Millis) -> Millis {
        let delay = match self.kind {
            AbsenceKind::Unlisted => delays.absence(interval),
            AbsenceKind::Dangling => delays.absence(interval) + delays.dangling,
            AbsenceKind::EmptyListing => delays.empty,
        };
        if self.stale { delay.max(delays.stale) } else { delay }
    }

    /// How the next 404 must be asked.
    pub(super) fn method(&self) -> Method {
        if self.stale || self.kind == AbsenceKind::Dangling { Method::Get } else { Method::Head }
    }

    /// Applies a complete listing that says `kind` of this tag.
    pub(super) fn listed(&mut self, kind: AbsenceKind, listing: &Listing, delays: &Delays, interval: Millis) -> Round {
        let sent = listing.sent;
        if kind == AbsenceKind::Dangling
            && self.kind != kind
            && self.first.is_some_and(|first| sent.mono > first.received.mono)
        {
            // It names the tag again, after the first 404: the absence begins anew.
            (self.kind, self.first, self.extra) = (kind, None, 0);
        }
        // At the very instant of the 404 is after it: what the registry served came before what it serves.
        let Some(asked) = self.asked.filter(|asked| sent.mono >= asked.received.mono) else {
            return Round::Nothing;
        };
        if self.kind != kind {
            // Another story begins anew; only the lower end of the window stays.
            self.kind = kind;
            self.first = None;
            self.extra = 0;
        }
        if self.method() == Method::Get && asked.method == Method::Head {
            self.asked = None;
            return Round::Get;
        }
        self.asked = None;
        match self.first {
            Some(first) if asked.sent.mono >= first.received.mono.after(self.delay(delays, interval)) => {
                (self.first, self.together) = (Some(asked), Some(listing.received.mono));
                Round::Confirmed
            }
            Some(_) => Round::Wait,
            None => {
                (self.first, self.together) = (Some(asked), Some(listing.received.mono));
                Round::Wait
            }
        }
    }

    pub(super) const fn deleted_by(&self) -> DeletedBy {
        match self.kind {
            AbsenceKind::Unlisted => DeletedBy::Unlisted,
            AbsenceKind::Dangling => DeletedBy::Dangling,
            AbsenceKind::EmptyListing => DeletedBy::EmptyListing,
        }
    }
}
