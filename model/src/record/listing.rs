use std::collections::{BTreeMap, HashSet};

use super::absence::{AbsenceKind, Round};
use super::{Ask, Delays, Happened, Known, Pending, Plan, Tag, Warning};
use crate::event::EventKind;
use crate::instant::Millis;
use crate::name::TagName;
use crate::observation::{Method, Moment};
use crate::tag::{Listed, Mark, TagState};

/// What is known of a repository as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repository {
    /// What its listing says.
    pub standing: Standing,
    /// Whether the listing is missing (404: `true`) or refused (401, 403: `false`), and since when without a 200 between.
    pub refused_since: Option<(bool, Mark)>,
    /// `sent` of the newest two complete listings of this watch period that count as lacking what they lack, newest first.
    pub listings: [Option<Mark>; 2],
    /// `sent` of the newest listing that was answered with 200.
    pub last_listed: Option<Mark>,
    /// The clock generation of the newest refusal that this process saw.
    pub refused_in: Option<i64>,
    /// When the first listing of the present run of empty ones was sent.
    pub empty_since: Option<Moment>,
    /// A tag answered 200 since the newest refused or missing listing: the repository is not gone.
    pub answered: bool,
}

/// What a repository's listing says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Not listed yet.
    #[default]
    New,
    /// Listed.
    Ok,
    /// Empty though tags were there (3.3).
    Empty,
    /// Refused or missing (3.4).
    Hidden,
    /// Missing for as long as it takes to count as gone (3.5).
    Vanished,
}

/// One attempt to list a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Before the first request left.
    pub sent: Moment,
    /// After the last answer was read.
    pub received: Moment,
    /// What it gave.
    pub seen: ListingSeen,
}

/// What a listing gave. A listing that could not be read to its end says nothing and is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingSeen {
    /// All names.
    Names(Vec<TagName>),
    /// 404.
    Missing,
    /// 401 or 403.
    Refused,
}

/// What a listing led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListingOutcome {
    /// Tags that were deleted, each with what happened; their `Known` is changed already.
    pub happened: Vec<(TagName, Happened)>,
    /// Tags whose rows must be written: new ones, and absent ones that are listed again.
    pub listed: Vec<TagName>,
    /// What is due for which tag.
    pub asks: Vec<(TagName, Ask)>,
    /// `vanished` or `returned`.
    pub repository: Option<Happened>,
    /// Refused to these credentials for as long as it takes, while others of the entry are not (3.5).
    pub invisible: bool,
    /// The listing has just become empty: the newest tags should be asked first.
    pub became_empty: bool,
    /// Tags without a state that are not named any more.
    pub unlisted: Vec<TagName>,
}

impl Repository {
    /// Whether 404s of tags say nothing.
    pub fn hidden(&self) -> bool {
        matches!(self.standing, Standing::Hidden | Standing::Vanished)
    }

    /// The bound that a tag gets which a listing names now for the first time (5).
    pub fn listed(&self) -> Listed {
        Listed { not_before: self.listings[1] }
    }

    /// Applies a listing to the repository and all its tags. `new_tag` makes the row of a tag that was never seen;
    /// `others_visible`: another repository of the same registry entry can be listed.
    pub fn listing(
        &mut self,
        tags: &mut BTreeMap<TagName, Tag>,
        listing: &Listing,
        plan: &Plan,
        others_visible: bool,
        new_tag: impl Fn(&TagName, Listed) -> Tag,
    ) -> ListingOutcome {
        match &listing.seen {
            ListingSeen::Names(names) => self.names(tags, listing, names, plan, new_tag),
            ListingSeen::Missing => self.refused(tags, listing, true, &plan.delays, others_visible),
            ListingSeen::Refused => self.refused(tags, listing, false, &plan.delays, others_visible),
        }
    }

    fn names(
        &mut self,
        tags: &mut BTreeMap<TagName, Tag>,
        listing: &Listing,
        names: &[TagName],
        plan: &Plan,
        new_tag: impl Fn(&TagName, Listed) -> Tag,
    ) -> ListingOutcome {
        let delays = &plan.delays;
        let mut out = ListingOutcome::default();
        let now = listing.received.mono;
        if self.standing == Standing::Vanished {
            out.repository = Some(repository_event(EventKind::Returned, self.refused_since.map(|(_, at)| at), listing));
        }
        (self.refused_since, self.answered) = (None, false);
        self.last_listed = Some(listing.sent.mark);
        let listed = self.listed();
        let mut present = 0_usize;
        let on_list: HashSet<&TagName> = names.iter().collect();
        for name in names {
            if !tags.contains_key(name) {
                tags.insert(name.clone(), new_tag(name, listed));
                out.listed.push(name.clone());
                out.asks.push((name.clone(), Ask::Again { at: now, method: Method::Head }));
            }
        }
        let had_tags = tags.values().any(|tag| tag.known.record.state.digest().is_some());
        let empty = names.is_empty() && had_tags;
        out.became_empty = empty && self.standing != Standing::Empty;
        self.standing = if empty { Standing::Empty } else { Standing::Ok };

        let mut ready: Vec<TagName> = Vec::new();
        let mut absent = 0_usize;
        for (name, tag) in tags.iter_mut() {
            let known = &mut tag.known;
            let interval = plan.interval(known.record.band);
            let is_named = on_list.contains(name);
            match known.record.state {
                TagState::Absent | TagState::Unread if is_named && known.record.listed.is_none() => {
                    known.record.listed = Some(listed);
                    out.listed.push(name.clone());
                    out.asks.push((name.clone(), Ask::Again { at: now, method: Method::Head }));
                }
                TagState::Unread if !is_named => out.unlisted.push(name.clone()),
                TagState::Absent | TagState::Unread => {}
                TagState::Present(_) => {
                    present += 1;
                    let kind = match (is_named, empty) {
                        (true, _) => AbsenceKind::Dangling,
                        (false, true) => AbsenceKind::EmptyListing,
                        (false, false) => AbsenceKind::Unlisted,
                    };
                    let Some(Pending::Absent(absence)) = &mut known.pending else {
                        if kind == AbsenceKind::Unlisted {
                            // Not listed and not yet asked: worth a look now, whatever its band's pace.
                            out.asks.push((name.clone(), Ask::Again { at: now, method: Method::Head }));
                        }
                        continue;
                    };
                    match absence.listed(kind, listing, delays, interval) {
                        Round::Confirmed => ready.push(name.clone()),
                        Round::Get => out.asks.push((name.clone(), Ask::Get)),
                        Round::Nothing | Round::Wait => {}
                    }
                    absent += usize::from(absence.first.is_some());
                    out.asks.extend(next_round(name, known, delays, interval));
                }
            }
        }
        // 3.6: when so many are absent at once, each needs one further round.
        let many = absent > 20.max(present * 3 / 10);
        for name in ready {
            let Some(tag) = tags.get_mut(&name) else { continue };
            let known = &mut tag.known;
            let interval = plan.interval(known.record.band);
            if let Some(Pending::Absent(absence)) = &mut known.pending
                && many
                && absence.extra == 0
            {
                absence.extra = 1;
                out.asks.extend(next_round(&name, known, delays, interval));
                continue;
            }
            out.asks.retain(|(asked, _)| *asked != name);
            if let Some(happened) = delete(known, delays) {
                out.happened.push((name, happened));
            }
        }
        self.remember(listing, empty || names.is_empty(), delays);
        out
    }

    /// Which listings lacked what they lacked: an empty one counts only after emptiness was seen for a while (5).
    fn remember(&mut self, listing: &Listing, empty: bool, delays: &Delays) {
        let counts = if empty {
            let since = *self.empty_since.get_or_insert(listing.sent);
            listing.sent.mono >= since.mono.after(delays.empty)
        } else {
            self.empty_since = None;
            true
        };
        if counts {
            // Two listings may overlap: the one sent first may come last.
            let sent = Some(listing.sent.mark);
            let [newest, older] = self.listings;
            self.listings = if sent > newest { [sent, newest] } else { [newest, older.max(sent)] };
        }
    }

    fn refused(
        &mut self,
        tags: &mut BTreeMap<TagName, Tag>,
        listing: &Listing,
        missing: bool,
        delays: &Delays,
        others_visible: bool,
    ) -> ListingOutcome {
        let mut out = ListingOutcome::default();
        let between = std::mem::take(&mut self.answered);
        let vanished = self.standing == Standing::Vanished;
        // A step of the clock since the last refusal makes the wall say nothing of how long it was: it begins anew.
        let generation = listing.sent.mark.generation;
        let stepped = self.refused_in.replace(generation).is_some_and(|before| before != generation);
        let since = match self.refused_since {
            Some((kind, since)) if kind == missing && !between && !stepped => since,
            _ => listing.sent.mark,
        };
        // What is known to be gone stays so; a refusal says nothing of when it came back.
        if !vanished {
            self.refused_since = Some((missing, since));
        }
        self.empty_since = None;
        if !vanished {
            self.standing = Standing::Hidden;
        }
        // Absence is suspended: its rounds begin anew when the listing is back.
        for tag in tags.values_mut() {
            if matches!(tag.known.pending, Some(Pending::Absent(_))) {
                tag.known.pending = None;
            }
        }
        let long = listing.sent.mark.wall - since.wall >= delays.vanished;
        let had_tags = tags.values().any(|tag| tag.known.record.state.digest().is_some());
        if missing && long && had_tags && self.standing == Standing::Hidden {
            self.standing = Standing::Vanished;
            out.repository = Some(repository_event(EventKind::Vanished, self.last_listed, listing));
        }
        out.invisible = !missing && long && had_tags && others_visible;
        out
    }

    /// A tag answered 200 while the listing is empty: the listing is wrong, and complete for nothing (3.3).
    pub fn distrust_empty(&mut self, tags: &mut BTreeMap<TagName, Tag>) -> Option<Warning> {
        if self.standing != Standing::Empty {
            return None;
        }
        let since = self.empty_since.take();
        if let Some(since) = since {
            // What those listings lacked was not lacking.
            self.listings = self.listings.map(|sent| sent.filter(|sent| *sent < since.mark));
        }
        for tag in tags.values_mut() {
            if matches!(&tag.known.pending, Some(Pending::Absent(absence)) if absence.kind == AbsenceKind::EmptyListing)
            {
                tag.known.pending = None;
            }
        }
        // Told once for each such listing.
        since.map(|_| Warning::EmptyListingWrong)
    }
}

/// When the next 404 of an absence is due.
fn next_round(name: &TagName, known: &Known, delays: &Delays, interval: Millis) -> Option<(TagName, Ask)> {
    let Some(Pending::Absent(absence)) = &known.pending else { return None };
    let at = absence.first.and(absence.together)?.after(absence.delay(delays, interval));
    Some((name.clone(), Ask::Again { at, method: absence.method() }))
}

/// Writes the absence of a tag whose rounds are complete.
fn delete(known: &mut Known, delays: &Delays) -> Option<Happened> {
    let Some(Pending::Absent(absence)) = known.pending.take() else { return None };
    let confirming = absence.first?;
    let old = known.record.state.digest().cloned();
    known.leave(confirming.received.mono, delays);
    known.record.state = TagState::Absent;
    known.record.listed = None;
    known.record.prior = None;
    known.record.verified = true;
    known.record.floor = Some(confirming.sent.mark);
    known.record.proof_floor = known.record.floor;
    Some(Happened {
        kind: EventKind::Deleted,
        old,
        new: None,
        not_before: absence.not_before,
        not_after: confirming.received.mark,
        verified: true,
        baseline: false,
        deleted_by: Some(absence.deleted_by()),
    })
}

fn repository_event(kind: EventKind, not_before: Option<Mark>, listing: &Listing) -> Happened {
    Happened {
        kind,
        old: None,
        new: None,
        not_before,
        not_after: listing.received.mark,
        verified: true,
        baseline: false,
        deleted_by: None,
    }
}
