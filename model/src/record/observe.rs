use super::absence::NotFound;
use super::{Absence, Ask, Delays, Former, Happened, Known, Pending, Sighting, Warning};
use crate::digest::Digest;
use crate::event::EventKind;
use crate::instant::Millis;
use crate::observation::{Bytes, Method, Mono, Observation, Seen, Unknown};
use crate::tag::{Mark, Prior, TagState};

/// What the machine must know beside the tag itself.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// How long the rules wait.
    pub delays: &'a Delays,
    /// The interval of the tag's band.
    pub interval: Millis,
    /// The last sighting of the tag in its recorded state.
    pub last_seen: Option<Mark>,
    /// The same, by bytes.
    pub last_proof: Option<Mark>,
    /// The repository's listing is refused or missing: 404s say nothing (3.4).
    pub hidden: bool,
    /// Whether one digest is an index that lists the other; by the kept manifests.
    pub related: &'a dyn Fn(&Digest, &Digest) -> bool,
}

/// What one observation led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What is known now.
    pub known: Known,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// Whether the tag was seen in its recorded state.
    pub sighting: Sighting,
    /// What is due next for this tag.
    pub ask: Option<Ask>,
    /// The row changed and must be written, events or not.
    pub write: bool,
    /// The claim of the tag's newest event was proven.
    pub proven: bool,
    /// To tell the operator.
    pub warning: Option<Warning>,
}

/// Applies one observation of a tag to what is known of it.
pub fn observe(known: &Known, observation: &Observation, context: &Context<'_>) -> Outcome {
    let mut step = Step {
        observation,
        context,
        out: Outcome {
            known: known.clone(),
            happened: Vec::new(),
            sighting: Sighting::Unseen(Unknown::Pending),
            ask: None,
            write: false,
            proven: false,
            warning: None,
        },
    };
    step.run();
    step.out
}

struct Step<'a> {
    observation: &'a Observation,
    context: &'a Context<'a>,
    out: Outcome,
}

impl Step<'_> {
    fn run(&mut self) {
        if self.out.known.applied.is_some_and(|applied| self.sent() < applied) {
            self.out.sighting = Sighting::Unseen(Unknown::Discarded);
            self.again(Millis::seconds(1), Method::Head);
            return;
        }
        match self.observation.seen.clone() {
            Seen::Unknown(method, reason) => self.unknown(method, reason),
            Seen::NotFound(_) if self.context.hidden => self.out.sighting = Sighting::Unseen(Unknown::Hidden),
            Seen::NotFound(method) => self.not_found(method),
            Seen::Claim(None) => self.out.ask = Some(Ask::Get),
            Seen::NotModified => match self.out.known.record.claimed.clone() {
                Some(claim) => self.claim(claim),
                None => self.out.ask = Some(Ask::Get),
            },
            Seen::Claim(Some(claim)) => self.claim(claim),
            Seen::Bytes(bytes) => self.bytes(&bytes),
        }
    }

    fn sent(&self) -> Mono {
        self.observation.sent.mono
    }

    fn applied(&mut self) {
        self.out.known.applied = Some(self.observation.received.mono);
    }

    fn again(&mut self, wait: Millis, method: Method) {
        self.out.ask = Some(Ask::Again { at: self.observation.received.mono.after(wait), method });
    }

    /// The answer equals the record: it ends every doubt (2.5).
    fn as_recorded(&mut self) {
        self.out.known.pending = None;
        self.out.sighting = Sighting::Recorded;
    }

    /// The lower end of a new doubt's window: fixed when the first doubt began.
    fn doubt_since(&self) -> Option<Mark> {
        self.out.known.doubt_since(self.context.last_seen)
    }

    /// Unknown is never applied; only a claim that was repeated is written when its bytes cannot be had (2.2).
    fn unknown(&mut self, method: Method, reason: Unknown) {
        self.out.sighting = Sighting::Unseen(reason);
        let Some(Pending::Claim { claim, repeated: true, not_before, .. }) = self.out.known.pending.as_deref().cloned()
        else {
            return;
        };
        let doubtful = self.wait_for(&claim) > Millis(0);
        if method == Method::Get && !doubtful {
            let not_before = self.bound(not_before);
            let prior = Prior {
                state: self.out.known.record.state.clone(),
                claimed: self.out.known.record.claimed.clone(),
                seq: 0,
                not_before,
            };
            self.change(&claim, not_before, false);
            let record = &mut self.out.known.record;
            record.claimed = Some(claim);
            // That of the bytes, which nobody has read.
            record.media_type = None;
            record.prior = Some(Box::new(prior));
            self.out.sighting = Sighting::Recorded;
        }
    }

    fn claim(&mut self, claim: Digest) {
        self.applied();
        let record = &self.out.known.record;
        let comparable = !record.header_untrusted && matches!(record.state, TagState::Present(_));
        if comparable && record.claimed.as_ref() == Some(&claim) {
            self.as_recorded();
            if !self.out.known.record.verified {
                self.out.ask = Some(Ask::Get);
            }
            return;
        }
        self.out.ask = Some(Ask::Get);
        if self.out.known.record.header_untrusted {
            return;
        }
        let sent = self.sent();
        match self.out.known.pending.as_deref_mut() {
            Some(Pending::Claim { claim: known, first, repeated, .. }) if *known == claim => {
                *repeated |= sent >= first.after(self.context.delays.claim);
            }
            // The bytes are known already; they are asked for again when their wait is over.
            Some(Pending::Bytes { digest, first, wait, .. }) if *digest == claim && sent < first.after(*wait) => {
                self.out.ask = Some(Ask::Again { at: first.after(*wait), method: Method::Get });
            }
            Some(Pending::Bytes { .. }) => {}
            other @ (Some(Pending::Claim { .. } | Pending::Absent(_)) | None) => {
                let instead = matches!(other, Some(Pending::Claim { .. }));
                let not_before = self.doubt_since();
                let doubt = Pending::Claim { claim, first: sent, repeated: false, instead, not_before };
                self.out.known.pending = Some(Box::new(doubt));
            }
        }
    }

    fn bytes(&mut self, bytes: &Bytes) {
        self.applied();
        let record = &self.out.known.record;
        let TagState::Present(current) = &record.state else {
            self.other_bytes(bytes);
            return;
        };
        // A claim in another algorithm is proven by bytes that it holds for (2.6).
        let proves_claim = !record.verified && bytes.claim_holds && bytes.claim.as_ref() == Some(current);
        let contradicts_claim = !record.verified && !bytes.claim_holds;
        if *current == bytes.digest || proves_claim {
            self.same_bytes(bytes);
        } else if contradicts_claim {
            self.retract(bytes);
        } else {
            self.other_bytes(bytes);
        }
    }

    fn same_bytes(&mut self, bytes: &Bytes) {
        let asked_for = match self.out.known.pending.as_deref() {
            Some(Pending::Claim { claim, .. }) => Some(claim.clone()),
            _ => None,
        };
        self.as_recorded();
        let sent = self.observation.sent.mark;
        let record = &mut self.out.known.record;
        if !record.verified {
            record.state = TagState::Present(bytes.digest.clone());
            record.verified = true;
            record.prior = None;
            record.floor = Some(sent);
            record.proof_floor = Some(sent);
            self.out.proven = true;
            self.out.write = true;
        }
        if record.media_type.is_some_and(|known| known != bytes.media_type) {
            self.out.warning = Some(Warning::MediaTypeChanged);
        }
        if record.media_type.replace(bytes.media_type) != Some(bytes.media_type) {
            self.out.write = true;
        }
        if record.header_untrusted || !bytes.claim_holds {
            // What an untrusted header claims is never compared.
        } else if bytes.claim.is_none() && asked_for.as_ref() == Some(&bytes.digest) {
            // GET carries no claim here; HEAD's is the digest of the bytes themselves, which needs no other witness.
            record.claimed = asked_for;
            self.out.write = true;
        } else if bytes.claim == record.claimed {
            if asked_for.is_some() {
                // HEAD said something else and this GET did not: nothing is stored, the tag is due once more (2.1).
                self.again(self.context.delays.claim, Method::Head);
            }
        } else if record.claimed.is_none() || asked_for.is_some() && asked_for == bytes.claim {
            record.claimed.clone_from(&bytes.claim);
            self.out.write = true;
        } else {
            self.again(self.context.delays.claim, Method::Head);
        }
        self.distrust_header(bytes);
    }

    /// A header that differs from its content is believed no more (2.1).
    fn distrust_header(&mut self, bytes: &Bytes) {
        let record = &mut self.out.known.record;
        if bytes.claim_holds || record.header_untrusted {
            return;
        }
        record.header_untrusted = true;
        self.out.write = true;
        self.out.warning = Some(Warning::HeaderUntrusted);
    }

    /// One GET showed that the unproven claim is no digest of its bytes (2.2).
    fn retract(&mut self, bytes: &Bytes) {
        let record = &self.out.known.record;
        let Some(prior) = record.prior.clone() else {
            self.other_bytes(bytes);
            return;
        };
        let claimed_digest = record.state.digest().cloned();
        self.out.happened.push(Happened {
            kind: EventKind::Retracted,
            old: claimed_digest,
            new: prior.state.digest().cloned(),
            not_before: prior.not_before,
            not_after: self.observation.received.mark,
            verified: true,
            baseline: false,
            deleted_by: None,
        });
        let sent = self.observation.sent.mark;
        let known = &mut self.out.known;
        known.pending = None;
        known.record.state = prior.state;
        known.record.claimed.clone_from(&bytes.claim);
        known.record.media_type = Some(bytes.media_type);
        known.record.prior = None;
        known.record.floor = Some(sent);
        known.record.proof_floor = Some(sent);
        known.record.verified = true;
        self.out.sighting = Sighting::Recorded;
        self.out.write = true;
        self.distrust_header(bytes);
        if self.out.known.record.state.digest() != Some(&bytes.digest) {
            self.change(&bytes.digest, prior.not_before, true);
        }
    }

    fn other_bytes(&mut self, bytes: &Bytes) {
        let (sent, digest) = (self.sent(), &bytes.digest);
        let confirmed = match self.out.known.pending.as_deref() {
            Some(Pending::Bytes { digest: waiting, first, wait, .. }) if waiting == digest => {
                let until = first.after(*wait);
                if sent < until {
                    self.out.ask = Some(Ask::Again { at: until, method: Method::Get });
                    return;
                }
                true
            }
            _ => false,
        };
        let record = &self.out.known.record;
        let hidden_from_head = !bytes.claim_holds || record.claimed.is_some() && record.claimed == bytes.claim;
        let not_before = if hidden_from_head && !record.header_untrusted {
            // HEAD said nothing of it, so what HEAD saw bounds nothing: only the last proof does (2.3).
            self.context.last_proof
        } else {
            self.doubt_since()
        };
        let wait = if confirmed { Millis(0) } else { self.wait_for(digest) };
        if wait > Millis(0) {
            let doubt = Pending::Bytes { digest: digest.clone(), first: sent, wait, not_before };
            self.out.known.pending = Some(Box::new(doubt));
            self.out.ask = Some(Ask::Again { at: sent.after(wait), method: Method::Get });
            if !bytes.claim_holds && !self.out.known.record.header_untrusted {
                // What HEAD saw is no sighting of the recorded bytes, even if this doubt is forgotten.
                let record = &mut self.out.known.record;
                record.floor = self.context.last_proof;
                record.band_since = Some(self.observation.sent.mark);
                self.distrust_header(bytes);
            }
            return;
        }
        let not_before = match self.out.known.pending.as_deref() {
            Some(Pending::Bytes { not_before, .. }) if confirmed => *not_before,
            _ => not_before,
        };
        let not_before = self.bound(not_before);
        self.change(digest, not_before, true);
        let record = &mut self.out.known.record;
        record.claimed.clone_from(&bytes.claim);
        record.media_type = Some(bytes.media_type);
        record.prior = None;
        self.out.sighting = Sighting::Recorded;
        self.distrust_header(bytes);
    }

    /// How long a digest must stand before it counts: it may be a stale replica's (2.5), or the other end of an index and
    /// its child (2.4).
    fn wait_for(&self, digest: &Digest) -> Millis {
        let (known, delays) = (&self.out.known, self.context.delays);
        let mut wait = Millis(0);
        if known.had_recently(&TagState::Present(digest.clone()), self.sent(), delays) {
            wait = delays.stale;
        }
        if known.record.state.digest().is_some_and(|current| (self.context.related)(current, digest)) {
            wait = wait.max(self.context.interval);
        }
        wait
    }

    /// The lower end of the window of leaving the recorded state; a creation's comes from listings (5).
    fn bound(&self, doubt: Option<Mark>) -> Option<Mark> {
        let record = &self.out.known.record;
        let listed = record.listed.and_then(|listed| listed.not_before);
        match &record.state {
            TagState::Unread => listed,
            TagState::Present(_) => doubt,
            // The later of the listing that lacked it and the confirming 404.
            TagState::Absent => record.floor.max(listed),
        }
    }

    /// The tag names `digest` from now on.
    fn change(&mut self, digest: &Digest, not_before: Option<Mark>, verified: bool) {
        let received = self.observation.received;
        let known = &mut self.out.known;
        let record = &mut known.record;
        let (kind, baseline) = match &record.state {
            TagState::Unread => (EventKind::Created, record.listed.is_none_or(|listed| listed.not_before.is_none())),
            TagState::Present(_) => (EventKind::Moved, false),
            TagState::Absent => (EventKind::Recreated, false),
        };
        let old = record.state.digest().cloned();
        self.out.happened.push(Happened {
            kind,
            old,
            new: Some(digest.clone()),
            not_before,
            not_after: received.mark,
            verified,
            baseline,
            deleted_by: None,
        });
        known.leave(received.mono, self.context.delays);
        let record = &mut known.record;
        record.state = TagState::Present(digest.clone());
        record.verified = verified;
        record.floor = Some(self.observation.sent.mark);
        if verified {
            record.proof_floor = record.floor;
        }
        known.pending = None;
        self.out.write = true;
    }

    fn not_found(&mut self, method: Method) {
        self.applied();
        let stale = self.out.known.had_recently(&TagState::Absent, self.sent(), self.context.delays);
        match self.out.known.record.state {
            TagState::Unread => {}
            TagState::Absent => self.as_recorded(),
            TagState::Present(_) => {
                let not_before = self.doubt_since();
                let mut absence = match self.out.known.pending.take().map(|pending| *pending) {
                    Some(Pending::Absent(absence)) => absence,
                    _ => Absence::new(not_before, stale),
                };
                let Observation { sent, received, .. } = *self.observation;
                absence.asked = Some(NotFound { sent, received, method });
                self.out.known.pending = Some(Box::new(Pending::Absent(absence)));
                self.out.ask = Some(Ask::Listing);
            }
        }
    }
}

impl Former {
    /// A state that the store says was left at some instant of the monotonic clock.
    pub const fn new(state: TagState, left: Mono) -> Self {
        Self { state, left }
    }
}
