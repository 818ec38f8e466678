use std::collections::BTreeSet;

use super::Watch;
use crate::class::Ruling;
use crate::event::EventKind;
use crate::instant::Millis;
use crate::name::TagName;
use crate::observation::{Method, Moment, Mono, Observation, Seen};
use crate::record::{
    Ask, Context, Effects, Listing, ListingSeen, Pending, Reply, Request, RequestKind, Tag, Warning, Write, observe,
    sighting,
};
use crate::tag::TagState;

impl Watch {
    /// Takes the reply to a request that [`Watch::next_request`] gave. `classify` says what the policy does of a new tag;
    /// `others_visible`: another repository of the entry can be listed.
    pub fn reply(
        &mut self,
        request: &Request,
        reply: Reply,
        now: Moment,
        others_visible: bool,
        classify: impl Fn(&TagName) -> Ruling,
    ) -> Effects {
        let mut effects = Effects::default();
        match reply {
            Reply::Listing(listing) => self.listing(request, &listing, now, others_visible, &classify, &mut effects),
            Reply::ListingFailed { reason, message, retry_at, .. } => {
                self.held = self.held.max(retry_at);
                match request.sweep.and_then(|id| self.sweeps.get_mut(&id)) {
                    Some(sweep) if retry_at.is_some() => sweep.put_back(RequestKind::Listing),
                    Some(sweep) => sweep.listing_failed(reason, &message, &self.tags),
                    None => {
                        self.singles.listing_in_flight = false;
                        self.retry_absent(now.mono);
                    }
                }
                self.failing = Some((reason, message));
            }
            Reply::Tag { name, retry_at: Some(retry_at), .. } if !self.waits_for_bytes(&name, request) => {
                self.held = self.held.max(Some(retry_at));
                self.put_back(request);
            }
            Reply::Tag { name, observation, related, retry_at, message } => {
                self.held = self.held.max(retry_at);
                self.tag(request, &name, &observation, related, message, &classify, &mut effects);
            }
        }
        self.end_passes(now, &mut effects);
        for name in std::mem::take(&mut self.unwritten) {
            if !effects.writes.iter().any(|write| write.name == name) {
                effects.writes.push(Write::row(name));
            }
        }
        effects
    }

    /// Whether this GET would prove a claim. Registries that count only GETs may refuse it for hours; a claim that HEAD
    /// repeats meanwhile is written unproven (RECORD.md 2.2).
    fn waits_for_bytes(&self, name: &TagName, request: &Request) -> bool {
        let doubt = self.tags.get(name).and_then(|tag| tag.known.pending.as_deref());
        matches!(request.kind, RequestKind::Get(_)) && matches!(doubt, Some(Pending::Claim { .. }))
    }

    /// The registry asked for a pause: the request is made again after it.
    fn put_back(&mut self, request: &Request) {
        match request.sweep.and_then(|id| self.sweeps.get_mut(&id)) {
            Some(sweep) => sweep.put_back(request.kind.clone()),
            None => self.singles.queue.push_front(request.clone()),
        }
    }

    /// A listing that single tags waited for failed: they are asked again, no sooner than a claim is.
    fn retry_absent(&mut self, now: Mono) {
        let at = now.after(self.plan.delays.claim);
        for (name, tag) in &self.tags {
            if matches!(tag.known.pending.as_deref(), Some(Pending::Absent(_))) {
                self.singles.due.entry(name.clone()).or_insert((at, Method::Head));
            }
        }
    }

    fn listing(
        &mut self,
        request: &Request,
        listing: &Listing,
        now: Moment,
        others_visible: bool,
        classify: &impl Fn(&TagName) -> Ruling,
        effects: &mut Effects,
    ) {
        if request.sweep.is_none() {
            self.singles.listing_in_flight = false;
        }
        self.failing = None;
        let visible = matches!(listing.seen, ListingSeen::Names(_));
        let outcome = self.repository.listing(&mut self.tags, listing, &self.plan, others_visible, |name, listed| {
            Tag::unread(classify(name), listed, now.mark.wall)
        });
        self.count_bands();
        if visible {
            self.unreadable.listing(outcome.unlisted);
        }
        effects.writes.extend(outcome.listed.into_iter().map(Write::row));
        let group = self.group(request).unwrap_or(listing.sent.mark.wall.0);
        for (name, happened) in outcome.happened {
            let group = happened.old.clone().map_or(group, |digest| *self.deletions.entry(digest).or_insert(group));
            effects.writes.push(Write { name, happened: vec![happened], proven: false, group: Some(group) });
        }
        self.forget_deletions();
        effects.repository = outcome.repository;
        effects.invisible = match (visible, outcome.invisible) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        };
        for (name, ask) in outcome.asks {
            self.asked(&name, ask, request.sweep);
        }
        if outcome.became_empty {
            for name in self.newest_present(50) {
                self.singles.due.entry(name).or_insert((now.mono, Method::Head));
            }
        }
        if let Some(sweep) = request.sweep.and_then(|id| self.sweeps.get_mut(&id)) {
            sweep.listing(listing, self.repository.hidden(), &self.tags, &mut self.resume_at);
        }
    }

    /// The tags of one digest are confirmed absent one after the other, when passes and single looks cross.
    fn forget_deletions(&mut self) {
        if self.deletions.is_empty() {
            return;
        }
        let doubted = self.tags.values().filter(|tag| matches!(tag.known.pending.as_deref(), Some(Pending::Absent(_))));
        let doubted: BTreeSet<_> = doubted.filter_map(|tag| tag.known.record.state.digest()).collect();
        self.deletions.retain(|digest, _| doubted.contains(digest));
    }

    fn newest_present(&self, count: usize) -> Vec<TagName> {
        let mut present: Vec<_> =
            self.tags.iter().filter(|(_, tag)| tag.known.record.state.digest().is_some()).collect();
        present.sort_by_key(|(_, tag)| std::cmp::Reverse(tag.first_seen));
        present.into_iter().take(count).map(|(name, _)| name.clone()).collect()
    }

    /// Notes what is due for a tag. After the listing that opens a pass every tag of its bands is asked anyway.
    fn asked(&mut self, name: &TagName, ask: Ask, sweep: Option<u64>) {
        let sweep = sweep.and_then(|id| self.sweeps.get_mut(&id));
        match (ask, sweep) {
            (Ask::Get, Some(sweep)) => sweep.ask_first(RequestKind::Get(name.clone())),
            (Ask::Get, None) => {
                if self.singles.in_flight.insert(name.clone()) {
                    self.singles.queue.push_front(Request { kind: RequestKind::Get(name.clone()), sweep: None });
                }
            }
            (Ask::Listing, Some(sweep)) => sweep.want_listing(),
            (Ask::Listing, None) => self.singles.listing_wanted = true,
            (Ask::Again { at, method }, sweep) => {
                let band = self.tags.get(name).filter(|tag| tag.asked_in_passes()).map(|tag| tag.known.record.band);
                let covered = sweep.is_some_and(|sweep| !sweep.opened() && band.is_some_and(|band| sweep.covers(band)));
                if !covered {
                    let due = self.singles.due.entry(name.clone()).or_insert((at, method));
                    // The sooner look shows whether the later one is still needed.
                    if at < due.0 || at == due.0 && method == Method::Get {
                        *due = (at, method);
                    }
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one reply")]
    fn tag(
        &mut self,
        request: &Request,
        name: &TagName,
        observation: &Observation,
        related: bool,
        message: Option<String>,
        classify: &impl Fn(&TagName) -> Ruling,
        effects: &mut Effects,
    ) {
        if request.sweep.is_none() {
            self.singles.in_flight.remove(name);
            match &observation.seen {
                Seen::Unknown(_, reason) => {
                    let why = message.clone().unwrap_or_else(|| reason.word().to_owned());
                    self.singles.failed.insert(name.clone(), why);
                }
                _ => drop(self.singles.failed.remove(name)),
            }
            if self.singles.once_more.contains(name) {
                let at = observation.received.mono.after(Millis::seconds(1));
                self.singles.due.insert(name.clone(), (at, Method::Head));
            }
        }
        let answered = matches!(observation.seen, Seen::NotModified | Seen::Claim(_) | Seen::Bytes(_));
        if !self.tags.contains_key(name) {
            // Creation is suspended while the listing is refused or missing (3.4).
            if !matches!(observation.seen, Seen::Bytes(_)) || self.repository.hidden() {
                return;
            }
            // Asked for by name before any listing named it.
            let tag = Tag::unread(classify(name), self.repository.listed(), observation.received.mark.wall);
            self.tags.insert(name.clone(), tag);
        }
        if answered && let Some(warning) = self.distrust_empty(observation) {
            effects.warnings.push((None, warning));
        }
        self.repository.answered |= answered;
        let Some(tag) = self.tags.get(name) else { return };
        let record = &tag.known.record;
        let context = Context {
            delays: &self.plan.delays,
            interval: self.plan.interval(record.band),
            last_seen: sighting::last_seen(name, record, &self.passes),
            last_proof: sighting::last_proof(name, record, &self.passes),
            hidden: self.repository.hidden(),
            related: &|_, _| related,
        };
        let unread = record.state == TagState::Unread;
        let outcome = observe(&tag.known, observation, &context);
        if let Some(sweep) = request.sweep.and_then(|id| self.sweeps.get_mut(&id)) {
            sweep.saw(name, outcome.sighting, &observation.seen, message.clone());
            if unread && outcome.known.record.state != TagState::Unread {
                sweep.first_reading();
            }
        }
        let Some(tag) = self.tags.get_mut(name) else { return };
        tag.known = outcome.known;
        self.unreadable.saw(name, tag, &observation.seen, message, self.repository.hidden());
        if outcome.write {
            if let Some(first) = outcome.happened.first()
                && tag.first_seen.is_none()
            {
                tag.first_seen = Some(first.not_after.wall);
                tag.baseline = first.baseline;
            }
            let moved = outcome.happened.iter().any(|happened| happened.kind == EventKind::Moved);
            let group = moved.then(|| self.group(request)).flatten();
            effects.writes.push(Write {
                name: name.clone(),
                happened: outcome.happened,
                proven: outcome.proven,
                group,
            });
        }
        if let Some(warning) = outcome.warning {
            effects.warnings.push((Some(name.clone()), warning));
        }
        match outcome.ask {
            Some(ask) => self.asked(name, ask, request.sweep),
            // A doubt whose look failed is looked at again; passes would do it at their own pace.
            // So would a claim that took another's place: it is meant to wait for the next pass.
            None if self.tags.get(name).is_some_and(|tag| {
                !matches!(tag.known.pending.as_deref(), None | Some(Pending::Claim { instead: true, .. }))
            }) =>
            {
                let at = observation.received.mono.after(self.plan.delays.claim);
                self.singles.due.entry(name.clone()).or_insert((at, Method::Head));
            }
            None => {}
        }
        self.speed_up(name, observation.received);
    }

    /// What one pass finds is one act.
    fn group(&self, request: &Request) -> Option<i64> {
        let sweep = self.sweeps.get(&request.sweep?)?;
        Some(sweep.started().mark.wall.0)
    }

    fn distrust_empty(&mut self, observation: &Observation) -> Option<Warning> {
        let since = self.repository.last_listed?;
        if observation.sent.mark < since {
            return None;
        }
        self.repository.distrust_empty(&mut self.tags)
    }
}
