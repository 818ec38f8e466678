//! What a check concluded, written in one transaction: tags, events, promises, flags, projections, change notices.

use tagwarden_model::api::{ChangeKind, RepositoryState};
use tagwarden_model::event::{EventKind, NewEvent, Severity};
use tagwarden_model::flag::FlagKind;
use tagwarden_model::instant::Instant;
use tagwarden_model::promise::{Promise, Standing, after_event, standing};
use tagwarden_model::tag::{Band, Class, Prior, TagRecord, TagState};
use tagwarden_model::version::Version;

use super::db::{Row, Value, statements, values};
use super::digests::Interned;
use super::events::{self, Subject, SubjectTag};
use super::flags::{self, Cause, Step};
use super::judge::Judged;
use super::projections::{self, Counted, Projected, Tally};
use super::promises::{Act, Promises};
use super::record::{Commit, RepositoryWrite, TagWrite, Written};
use super::transaction::Write;
use super::{Actor, Store, StoreError, load};

statements! {
    INSERT_TAG = "INSERT INTO tags (repository_id, name, family, track, version_key, class, rule, severity_cap, retention, state,
            digest_id, claimed_id, media_type, verified, header_untrusted, listed, listed_generation, listed_wall, floor_generation, floor_wall,
            proof_generation, proof_wall, prior, band, band_generation, band_wall, last_seq, first_seen, baseline, changed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
            $26, $27, $28, $29, $30) RETURNING id";
    UPDATE_TAG = "UPDATE tags SET class = $2, rule = $3, severity_cap = $4, retention = $5, state = $6, digest_id = $7, claimed_id = $8,
            media_type = $9, verified = $10, header_untrusted = $11, listed = $12, listed_generation = $13, listed_wall = $14,
            floor_generation = $15, floor_wall = $16, proof_generation = $17, proof_wall = $18, prior = $19, band = $20,
            band_generation = $21, band_wall = $22, last_seq = $23, first_seen = $24, baseline = $25, changed = $26
        WHERE id = $1";
    UPDATE_STATE = "UPDATE repositories SET state = $2, state_reason = $3, state_since = $4, refused_missing = $5,
            refused_generation = $6, refused_wall = $7 WHERE id = $1";
}

/// The reason of the first promise of a release.
const FIRST_SEEN: &str = "first seen";
/// The reason of the promise of a tag that became a release.
const BECAME_RELEASE: &str = "what it was when it became a release";

/// A tag row as it is before the write.
struct Before {
    id: i64,
    digest: Option<i64>,
    counted: Counted,
    class: Class,
    changed: Option<Instant>,
    /// Has a flag that is not closed.
    flagged: bool,
    record: TagRecord,
}

impl Store {
    /// Writes tags, events, flags, promises, spans, rollups, counts and change notices in one transaction.
    pub async fn commit(&self, commit: &Commit) -> Result<Vec<Written>, StoreError> {
        let mut write = self.begin().await?;
        write.hold_lease(commit.lease).await?;
        let Some(repository) = write.hold_repository(commit.repository, commit.lease).await? else {
            return Ok(vec![Written::Conflict; commit.tags.len()]);
        };
        let ids = Interned::new(&mut write.conn, commit.digests()).await?;
        let mut accepted = Vec::new();
        let mut names = std::collections::HashSet::new();
        for tag in &commit.tags {
            let before = before(&mut write, commit.repository, tag).await?;
            let last_seq = before.as_ref().map_or(0, |before| before.record.last_seq);
            // The same tag twice: the second was decided without knowing the first.
            let fits = last_seq == tag.record.last_seq && names.insert(&tag.name);
            accepted.push(fits.then_some((tag, before)));
        }
        let count = accepted.iter().flatten().map(|(tag, _)| tag.events.len() as u64).sum::<u64>();
        let mut seq = if count > 0 { write.take_event_numbers(count).await? } else { 0 };
        let name = format!("{}/{}", repository.text("host")?, repository.text("path")?);
        let system = Actor::system();
        let appeared = accepted.iter().flatten().any(|(_, before)| before.is_none());
        let mut tags = TagsWrite { write, ids, commit, name, system, tally: Tally::default() };
        let mut written = Vec::new();
        for slot in accepted {
            let Some((tag, before)) = slot else {
                written.push(Written::Conflict);
                continue;
            };
            written.push(tags.put(tag, before, seq).await?);
            seq += tag.events.len() as i64;
        }
        let TagsWrite { mut write, tally, .. } = tags;
        tally.put(&mut write.conn).await?;
        if count > 0 {
            write.notice(ChangeKind::Events, seq - 1, commit.repository);
        } else if appeared {
            // Tags that are listed and not yet read: the first reading has that many to go.
            write.notice(ChangeKind::Repository, 0, commit.repository);
        }
        self.finish(write, commit.now).await?;
        Ok(written)
    }

    /// Writes a repository's state and its event, if any.
    pub async fn put_repository(&self, change: &RepositoryWrite) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        write.hold_lease(change.lease).await?;
        let Some(row) = write.hold_repository(change.repository, change.lease).await? else { return Ok(()) };
        let name = format!("{}/{}", row.text("host")?, row.text("path")?);
        let (state, refused) = (&change.state, change.state.refused_since);
        let values = values![
            change.repository,
            state.state.code(),
            state.reason.as_deref(),
            state.since,
            refused.map(|(missing, _)| i64::from(missing)),
            refused.map(|(_, mark)| mark.generation),
            refused.map(|(_, mark)| mark.wall.0),
        ];
        write.conn.execute(UPDATE_STATE, values).await?;
        write.tell_state(change, row.code("state", RepositoryState::from_code)?);
        write.notice(ChangeKind::Repository, 0, change.repository);
        if let Some(event) = &change.event {
            let seq = write.take_event_numbers(1).await?;
            let subject = Subject { repository: change.repository, repository_name: &name, tag: None };
            let ids = Interned::default();
            events::put_event(&mut write.conn, seq, subject, event, &ids, change.now).await?;
            write.notice(ChangeKind::Events, seq, change.repository);
            let standing = if event.kind == EventKind::Vanished { Standing::InBreach } else { Standing::AsPromised };
            let cause = Some(Cause::new(seq, event));
            write.judge_repository(change.repository, FlagKind::Vanished, standing, cause, event.not_after).await?;
        }
        if let Some(invisible) = change.invisible {
            let standing = if invisible { Standing::InBreach } else { Standing::AsPromised };
            write.judge_repository(change.repository, FlagKind::Invisible, standing, None, change.now).await?;
        }
        self.finish(write, change.now).await
    }
}

struct TagsWrite<'a> {
    write: Write,
    ids: Interned,
    commit: &'a Commit,
    /// Canonical name of the repository.
    name: String,
    system: Actor,
    tally: Tally,
}

impl TagsWrite<'_> {
    /// Writes one tag whose events have the numbers from `seq`.
    async fn put(&mut self, tag: &TagWrite, before: Option<Before>, seq: i64) -> Result<Written, StoreError> {
        let repository = self.commit.repository;
        let last_seq = match tag.events.len() {
            0 => tag.record.last_seq,
            count => seq + count as i64 - 1,
        };
        let version = Version::of(tag.name.as_str());
        let first = tag.events.first();
        let unread = tag.record.state == TagState::Unread;
        // A retracted creation was none: what was first seen is what the next one says.
        let created = tag.events.iter().rfind(|event| event.kind == EventKind::Created).filter(|_| !unread);
        let kept = before.as_ref().filter(|before| !unread && before.counted.first_seen.is_some());
        let (first_seen, baseline) = match (created, kept, first) {
            (Some(event), _, _) => (Some(event.not_after), event.baseline),
            (None, Some(before), _) => (before.counted.first_seen, before.counted.baseline),
            (None, None, Some(event)) if !unread => (Some(event.not_after), event.baseline),
            (None, None, _) => (None, false),
        };
        let counted = Counted {
            repository,
            band: tag.record.band,
            class: tag.ruling.class,
            state: load::state_code(&tag.record.state),
            first_seen,
            baseline,
        };
        let changed =
            tag.events.last().map(|event| event.not_after).or(before.as_ref().and_then(|before| before.changed));
        let row = self.row(tag, before.as_ref(), last_seq, &counted, changed)?;
        let id = if let Some(before) = &before {
            self.write.conn.execute(UPDATE_TAG, &[&[before.id.into()][..], &row[..]].concat()).await?;
            self.tally.count(&before.counted, -1);
            if before.class != tag.ruling.class {
                self.tally.reclass(repository, &tag.name, tag.ruling.class);
            }
            before.id
        } else {
            let (family, track) = (&version.family, version.track.as_deref());
            let head = values![repository, tag.name.as_str(), family, track, &version.key[..]];
            self.write.conn.one(INSERT_TAG, &[&head[..], &row[..]].concat()).await?.int("id")?
        };
        self.tally.count(&counted, 1);
        let flagged = self.put_events(tag, before.as_ref(), (id, seq), version.pre_release).await?;
        Ok(Written::Ok { last_seq, flagged })
    }

    /// Writes events with all that follows from each; says whether the tag has a flag that is not closed then.
    async fn put_events(
        &mut self,
        tag: &TagWrite,
        before: Option<&Before>,
        (id, first_seq): (i64, i64),
        pre_release: bool,
    ) -> Result<bool, StoreError> {
        let repository = self.commit.repository;
        let place = (repository, &tag.name);
        let subject_tag = SubjectTag { id, name: &tag.name, class: tag.ruling.class };
        let conn = &mut self.write.conn;
        let mut flag = if before.is_some_and(|before| before.flagged) { flags::of_tag(conn, id).await? } else { None };
        // Other classes are held to nothing; only a flag from earlier still looks at a promise.
        let mut promises = if tag.ruling.class == Class::Release || flag.is_some() {
            Promises::of(conn, repository, &tag.name).await?
        } else {
            Promises::default()
        };
        let proof = tag.proven.then(|| proof_of(tag, before)).flatten();
        if let (Some(Proof::Before), Some(before)) = (proof, before) {
            events::prove_event(conn, before.record.last_seq, self.commit.now).await?;
            // What was proven is what the tag was before anything else happened to it.
            let proven = tag.events.first().map_or(tag.record.state.digest(), |event| event.old.as_ref());
            if let (Some(claimed), Some(proven)) = (before.record.state.digest(), proven) {
                promises.prove(conn, claimed, proven, &self.ids).await?;
            }
        }
        for (seq, (at, event)) in (first_seq..).zip(tag.events.iter().enumerate()) {
            let subject = Subject { repository, repository_name: &self.name, tag: Some(subject_tag) };
            events::put_event(&mut self.write.conn, seq, subject, event, &self.ids, self.commit.now).await?;
            let projected = Projected {
                seq,
                at: event.not_after,
                kind: event.kind,
                repository,
                tag: id,
                name: &tag.name,
                class: tag.ruling.class,
                new: event.new.as_ref().map(|digest| self.ids.id(digest)).transpose()?,
                not_before: event.not_before,
                baseline: event.baseline,
            };
            projections::put_span(&mut self.write.conn, &projected).await?;
            self.tally.add_event(&projected);
            let last = at + 1 == tag.events.len();
            let state = if last { tag.record.state.clone() } else { state_after(event, before) };
            self.keep_promise(&mut promises, tag, event).await?;
            if proof == Some(Proof::Event(at)) {
                let conn = &mut self.write.conn;
                events::prove_event(conn, seq, self.commit.now).await?;
                let proven = tag.events.get(at + 1).map_or(tag.record.state.digest(), |next| next.old.as_ref());
                if let (Some(claimed), Some(proven)) = (&event.new, proven) {
                    promises.prove(conn, claimed, proven, &self.ids).await?;
                }
            }
            let judged = Judged {
                class: tag.ruling.class,
                lowering: tag.ruling.lowering,
                promises: &promises,
                state: &state,
                pre_release,
                moved: event.kind == EventKind::Moved,
                before_seq: seq,
            };
            let cause = Some(Cause::new(seq, event));
            let step = Step {
                repository,
                tag: Some(id),
                event: cause,
                at: event.not_after,
                actor: &self.system,
                reason: None,
            };
            flag = self.write.judge_tag(flag, &judged, &step).await?;
        }
        if let Some(flag) = &flag {
            self.write.lower_flag(flag, &tag.ruling.rule, self.commit.now).await?;
        }
        let became_release = before.is_some_and(|before| before.class != tag.ruling.class);
        let (state, verified) = (&tag.record.state, tag.record.verified);
        // What it was held to when it was a release before, and left while it was none.
        let outlived = became_release
            && flag.is_none()
            && promises.only_seen()
            && standing(promises.standing(), state) == Standing::InBreach;
        if tag.events.is_empty()
            && tag.ruling.class == Class::Release
            && (outlived || promises.standing().is_none() && (became_release || verified))
            && let Some(promise) = Promise::accepted(state, verified).filter(|p| outlived || p.digest.is_some())
        {
            let reason = if became_release { BECAME_RELEASE } else { FIRST_SEEN };
            let act = Act { actor: &self.system, reason, at: self.commit.now };
            promises.make(&mut self.write.conn, place, &promise, &self.ids, act).await?;
        }
        Ok(flag.is_some())
    }

    async fn keep_promise(
        &mut self,
        promises: &mut Promises,
        tag: &TagWrite,
        event: &NewEvent,
    ) -> Result<(), StoreError> {
        let after = after_event(tag.ruling.class, promises.standing(), promises.former(), event, &tag.record.state);
        if after.as_ref() == promises.standing() {
            return Ok(());
        }
        let place = (self.commit.repository, &tag.name);
        match &after {
            Some(promise) if event.kind != EventKind::Retracted => {
                let act = Act { actor: &self.system, reason: FIRST_SEEN, at: event.not_after };
                promises.make(&mut self.write.conn, place, promise, &self.ids, act).await
            }
            again => promises.fall(&mut self.write.conn, place, again.as_ref()).await,
        }
    }

    /// The columns that an insert and an update share, in their order.
    fn row(
        &self,
        tag: &TagWrite,
        before: Option<&Before>,
        last_seq: i64,
        counted: &Counted,
        changed: Option<Instant>,
    ) -> Result<Vec<Value>, StoreError> {
        let record = &tag.record;
        let prior = record.prior.as_deref().map(|prior| {
            let seq = if prior.seq == 0 { last_seq } else { prior.seq };
            serde_json::to_string(&Prior { seq, ..prior.clone() })
        });
        let prior = prior
            .transpose()
            .map_err(|error| StoreError::Inconsistent(format!("what was before a claim cannot be written: {error}")))?;
        // An absent tag keeps the digest that it named last.
        let last_digest = match (&record.state, tag.events.last()) {
            // What a retracted claim named was never there.
            (TagState::Absent, Some(event)) if event.kind == EventKind::Retracted => None,
            (TagState::Absent, Some(event)) => event.old.as_ref().map(|digest| self.ids.id(digest)).transpose()?,
            (TagState::Absent, None) => before.and_then(|before| before.digest),
            _ => None,
        };
        let digest = record.state.digest().map(|digest| self.ids.id(digest)).transpose()?.or(last_digest);
        let listed = record.listed.and_then(|listed| listed.not_before);
        let generation = |mark: Option<tagwarden_model::tag::Mark>| Value::Int(mark.map(|mark| mark.generation));
        let wall = |mark: Option<tagwarden_model::tag::Mark>| Value::Int(mark.map(|mark| mark.wall.0));
        Ok(values![
            tag.ruling.class.code(),
            &*tag.ruling.rule,
            tag.ruling.lowering.cap.map(Severity::code),
            tag.ruling.lowering.retention,
            counted.state,
            digest,
            self.ids.value(record.claimed.as_ref())?,
            record.media_type.map(tagwarden_model::tag::MediaType::code),
            record.verified,
            record.header_untrusted,
            record.listed.is_some(),
            generation(listed),
            wall(listed),
            generation(record.floor),
            wall(record.floor),
            generation(record.proof_floor),
            wall(record.proof_floor),
            prior.as_deref(),
            record.band.code(),
            generation(record.band_since),
            wall(record.band_since),
            last_seq,
            counted.first_seen,
            counted.baseline,
            changed,
        ]
        .to_vec())
    }
}

/// Which claim was proven.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// The one of the stored row.
    Before,
    /// That of this event of the write.
    Event(usize),
}

/// A write may hold a claim together with its proof, or the proof of a stored claim together with what happened next. The
/// newest claim is proven if the tag's state is; else it is an earlier one, the stored before those of the write.
fn proof_of(tag: &TagWrite, before: Option<&Before>) -> Option<Proof> {
    let is_claim = |at: &usize| {
        let event = &tag.events[*at];
        let retracted = tag.events.get(at + 1).is_some_and(|next| next.kind == EventKind::Retracted);
        !event.verified && event.new.is_some() && !retracted
    };
    let newest = (0..tag.events.len()).rfind(is_claim);
    let is_last = newest.is_some_and(|at| at + 1 == tag.events.len());
    if is_last && tag.record.verified {
        return newest.map(Proof::Event);
    }
    if before.is_some_and(|before| before.record.prior.is_some()) || newest.is_none() {
        return before.map(|_| Proof::Before);
    }
    newest.filter(|_| !is_last).map(Proof::Event)
}

/// The state right after an event that is not the last of its write.
fn state_after(event: &NewEvent, before: Option<&Before>) -> TagState {
    match (event.kind, &event.new) {
        (EventKind::Retracted, _) => {
            let prior = before.and_then(|before| before.record.prior.as_deref());
            prior.map_or(TagState::Unread, |prior| prior.state.clone())
        }
        (_, Some(digest)) => TagState::Present(digest.clone()),
        (_, None) => TagState::Absent,
    }
}

async fn before(write: &mut Write, repository: i64, tag: &TagWrite) -> Result<Option<Before>, StoreError> {
    let row = write.conn.optional(load::TAG, values![repository, tag.name.as_str()]).await?;
    row.map(|row: Row| {
        let class = row.code("class", Class::from_code)?;
        Ok(Before {
            id: row.int("id")?,
            digest: row.int_opt("digest_id")?,
            counted: Counted {
                repository,
                band: row.code("band", Band::from_code)?,
                class,
                state: row.int("state")?,
                first_seen: row.instant_opt("first_seen")?,
                baseline: row.yes("baseline")?,
            },
            class,
            changed: row.instant_opt("changed")?,
            flagged: row.int_opt("flag_id")?.is_some(),
            record: load::record(&row)?,
        })
    })
    .transpose()
}
