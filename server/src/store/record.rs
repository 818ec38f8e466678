//! What the poller reads and writes.

use tagwarden_model::api::{RepositoryState, Unread};
use tagwarden_model::digest::Digest;
use tagwarden_model::event::NewEvent;
use tagwarden_model::flag::FlagState;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::observation::Unknown;
use tagwarden_model::tag::{Band, Class, Mark, TagRecord, TagState};

use super::db::{Db, Dialects, Row, statements, values};
use super::{Store, StoreError};

statements! {
    FLAGGED = "SELECT f.repository_id, t.name FROM flags f JOIN tags t ON t.id = f.tag_id
        JOIN repositories r ON r.id = f.repository_id
        WHERE f.state <> $2 AND r.registry_id = $1 AND r.period_id IS NOT NULL";
    NEW_GENERATION = "INSERT INTO clock_generations (began) VALUES ($1) RETURNING id";
    PUT_OFFSET = "INSERT INTO clock_offsets (registry_id, generation, low, high) VALUES ($1, $2, $3, $4)
        ON CONFLICT (registry_id, generation) DO UPDATE SET
            low = CASE WHEN excluded.low < clock_offsets.low THEN excluded.low ELSE clock_offsets.low END,
            high = CASE WHEN excluded.high > clock_offsets.high THEN excluded.high ELSE clock_offsets.high END";
    OFFSETS = "SELECT generation, low, high FROM clock_offsets WHERE registry_id = $1 ORDER BY generation";
    RENEW_LEASE = "UPDATE registries SET lease_owner = $2, lease_epoch = $3, lease_until = $4 WHERE id = $1";
}

/// Two that want a lease take turns.
pub(super) const LEASE: Dialects = Dialects {
    sqlite: "SELECT lease_owner, lease_epoch, lease_until FROM registries WHERE id = $1",
    postgres: "SELECT lease_owner, lease_epoch, lease_until FROM registries WHERE id = $1 FOR NO KEY UPDATE",
};

/// The statement's instant, not the transaction's.
pub(super) const DATABASE_CLOCK: Dialects = Dialects {
    sqlite: "SELECT 0 AS now",
    postgres: "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now",
};

/// A tag row as the poller needs it.
#[derive(Debug, Clone)]
pub struct StoredTag {
    /// The tag.
    pub name: TagName,
    /// What its name promises.
    pub class: Class,
    /// First seen (`at` of its first event), for the age of a release.
    pub first_seen: Option<Instant>,
    /// The first event was a baseline one.
    pub baseline: bool,
    /// Has a flag that is not closed.
    pub flagged: bool,
    /// What is known.
    pub record: TagRecord,
}

/// A watched repository, without its tags: what start-up reads.
#[derive(Debug, Clone)]
pub struct WatchedRepository {
    /// Row id.
    pub id: i64,
    /// Canonical name.
    pub name: RepositoryName,
    /// The present watch period.
    pub period: i64,
    /// When it began.
    pub watched_since: Instant,
    /// Durable part of its state.
    pub state: RepositoryRow,
    /// The newest pass of each band.
    pub passes: Vec<PassSummary>,
}

/// The repository's state that outlives a restart; written only when it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryRow {
    /// Present state.
    pub state: RepositoryState,
    /// Why, in words.
    pub reason: Option<String>,
    /// Since when.
    pub since: Instant,
    /// The first 404 (`true`) or 401/403 (`false`) of the listing since the last 200, and when it was sent.
    pub refused_since: Option<(bool, Mark)>,
}

/// The newest pass of a band.
#[derive(Debug, Clone)]
pub struct PassSummary {
    /// The band.
    pub band: Band,
    /// When the newest pass started.
    pub started: Instant,
    /// When the next is due.
    pub next: Instant,
    /// When the newest complete one started that saw what was promised.
    pub complete_started: Option<Instant>,
}

/// Everything about one repository that its record machine needs in memory.
#[derive(Debug, Clone)]
pub struct LoadedRepository {
    /// All tag rows, dead ones too.
    pub tags: Vec<StoredTag>,
    /// States that tags had and left at or after the asked instant: tag, the former state, when it was left
    /// (`not_after` of the event that ended it).
    pub recent: Vec<(TagName, TagState, Instant)>,
    /// Passes since the oldest that can still be a last sighting, newest first: at most a few per band.
    pub passes: Vec<PassRow>,
    /// The newest two complete, non-empty listings of this watch period (`sent`), newest first.
    pub listings: Vec<Mark>,
}

/// One pass over one band: one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassRow {
    /// The band.
    pub band: Band,
    /// Before its first request.
    pub started: Mark,
    /// After its last answer.
    pub finished: Instant,
    /// Every tag of the band was observed in its recorded state, or is named.
    pub complete: bool,
    /// Done by GET throughout.
    pub proof: bool,
    /// `sent` of the complete listing that belongs to the pass, and how many names it had.
    pub listed: Option<(Mark, u64)>,
    /// Tags of the band that were asked.
    pub asked: u64,
    /// Tags seen in their recorded state.
    pub seen: u64,
    /// How many tags were not, by reason.
    pub unseen: Vec<(Unknown, u64)>,
    /// The first 100 of them by name.
    pub exceptions: Vec<TagName>,
    /// Tags that are listed and could never be read.
    pub unread: Option<Unread>,
    /// Why the pass is incomplete or late, in words.
    pub reason: Option<String>,
    /// When the next pass is due.
    pub next: Instant,
    /// The freshness promised for the band: its interval plus the pass's limit in time (RECORD.md 4.4).
    pub promised: Millis,
    /// The time between two proofs that is promised (RECORD.md 2.3).
    pub proof_promised: Millis,
}

/// Events and tag rows to write in one transaction, in order. Tags that were changed meanwhile are left alone and reported.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The repository's row.
    pub repository: i64,
    /// The registry's row and the epoch of our lease.
    pub lease: Lease,
    /// Now, for `changes` and flags.
    pub now: Instant,
    /// The tags.
    pub tags: Vec<TagWrite>,
}

impl Commit {
    /// All digests that it names.
    pub(super) fn digests(&self) -> impl Iterator<Item = &Digest> {
        self.tags.iter().flat_map(|tag| {
            let of_events = tag.events.iter().flat_map(|event| event.old.iter().chain(&event.new));
            of_events.chain(tag.record.state.digest()).chain(&tag.record.claimed)
        })
    }
}

/// The right to poll a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The registry's row.
    pub registry: i64,
    /// Grows with every new holder.
    pub epoch: i64,
    /// The watch period that is written about: what was seen in another one is dropped. `None` where it does not matter.
    pub period: Option<i64>,
}

/// One tag of a commit.
#[derive(Debug, Clone)]
pub struct TagWrite {
    /// The tag.
    pub name: TagName,
    /// What its name promises and the rule that says so.
    pub class: Class,
    /// Name of the rule.
    pub rule: String,
    /// What is known now. `last_seq` is what we believe the row has (0 for a new row): another value is a conflict.
    /// `prior.seq == 0` stands for the event written here.
    pub record: TagRecord,
    /// What happened, in order; may be empty (a band change, a first listing).
    pub events: Vec<NewEvent>,
    /// The claim of the row's newest event was proven by bytes.
    pub proven: bool,
}

/// What became of each tag of a commit, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Written; the tag's `last_seq` now.
    Ok {
        /// The newest event of the tag.
        last_seq: i64,
        /// The tag has a flag that is not closed now.
        flagged: bool,
    },
    /// Changed meanwhile: read it again and compare again.
    Conflict,
}

/// An event of the repository and the state that goes with it.
#[derive(Debug, Clone)]
pub struct RepositoryWrite {
    /// The repository's row.
    pub repository: i64,
    /// The lease.
    pub lease: Lease,
    /// Now.
    pub now: Instant,
    /// The new state.
    pub state: RepositoryRow,
    /// `vanished` or `returned`; opens or restores the repository's flag.
    pub event: Option<NewEvent>,
    /// Opens (`true`) or restores (`false`) the flag "no longer visible to these credentials".
    pub invisible: Option<bool>,
}

/// A time without observation.
#[derive(Debug, Clone)]
pub struct GapWrite {
    /// The band.
    pub band: Band,
    /// The newest time it was surely observed.
    pub from: Instant,
    /// Why.
    pub reason: String,
}

/// How far our clock was from a registry's in one clock generation: ours minus theirs lies in `low..=high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// Generation.
    pub generation: i64,
    /// Lower bound.
    pub low: Millis,
    /// Upper bound.
    pub high: Millis,
}

impl Store {
    /// A new clock generation, larger than all before.
    pub async fn new_generation(&self, began: Instant) -> Result<i64, StoreError> {
        let mut write = self.begin().await?;
        let id = write.conn.one(NEW_GENERATION, values![began]).await?.int("id")?;
        write.conn.commit().await?;
        Ok(id)
    }

    /// The database's own clock, for databases that several servers share; `None` on SQLite.
    pub async fn database_clock(&self) -> Result<Option<Instant>, StoreError> {
        let Db::Postgres(_) = &self.shared.db else { return Ok(None) };
        let mut conn = self.read_conn().await?;
        Ok(Some(Instant(conn.one(conn.pick(DATABASE_CLOCK), values![]).await?.int("now")?)))
    }

    /// Widens (never narrows) the stored offset interval of a generation and a registry.
    pub async fn put_offset(&self, registry: i64, offset: Offset) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        let values = values![registry, offset.generation, offset.low.0, offset.high.0];
        write.conn.execute(PUT_OFFSET, values).await?;
        write.conn.commit().await
    }

    /// All stored offsets of a registry.
    pub async fn offsets(&self, registry: i64) -> Result<Vec<Offset>, StoreError> {
        let rows = self.read_conn().await?.all(OFFSETS, values![registry]).await?;
        let offset = |row: &Row| {
            let (low, high) = (Millis(row.int("low")?), Millis(row.int("high")?));
            Ok(Offset { generation: row.int("generation")?, low, high })
        };
        rows.iter().map(offset).collect()
    }

    /// Takes or renews the lease of a registry: free, expired, or ours. `None` while another owner holds it.
    /// The epoch grows when the owner changes.
    pub async fn lease(
        &self,
        registry: i64,
        owner: &str,
        now: Instant,
        until: Instant,
    ) -> Result<Option<Lease>, StoreError> {
        let mut write = self.begin().await?;
        let sql = write.conn.pick(LEASE);
        let row = write.conn.one(sql, values![registry]).await?;
        let lasts = row.instant_opt("lease_until")?.is_some_and(|until| until > now);
        let ours = row.text_opt("lease_owner")?.as_deref() == Some(owner);
        if lasts && !ours {
            return Ok(None);
        }
        let epoch = row.int("lease_epoch")? + i64::from(!ours);
        write.conn.execute(RENEW_LEASE, values![registry, owner, epoch, until]).await?;
        write.conn.commit().await?;
        Ok(Some(Lease { registry, epoch, period: None }))
    }

    /// Tags of a registry's watched repositories that have a flag which is not closed: repository's row and tag.
    pub async fn flagged(&self, registry: i64) -> Result<Vec<(i64, TagName)>, StoreError> {
        let rows = self.read_conn().await?.all(FLAGGED, values![registry, FlagState::Closed.code()]).await?;
        let flagged = |row: &Row| Ok((row.int("repository_id")?, super::projections::tag_name(&row.text("name")?)?));
        Ok(rows.iter().filter_map(|row| super::load::legible(flagged(row))).collect())
    }
}
