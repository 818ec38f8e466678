//! What the poller reads: repositories at start, one repository's tags when its record machine begins.

use std::collections::{BTreeMap, HashMap};

use tagwarden_model::api::RepositoryState;
use tagwarden_model::class::Ruling;
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::Lowering;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::tag::{Band, Class, Listed, Mark, MediaType, TagRecord, TagState};

use super::db::{Row, statements, values};
use super::digests::digest_opt;
use super::projections::tag_name;
use super::record::{LoadedRepository, PassSummary, RepositoryRow, StoredTag, WatchedRepository};
use super::{Store, StoreError, passes};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.name, t.class, t.rule, t.severity_cap, t.retention, t.state, t.digest_id, d.hash AS digest_hash, c.hash AS claimed_hash, t.media_type,
                t.verified, t.header_untrusted, t.listed, t.listed_generation, t.listed_wall, t.floor_generation, t.floor_wall,
                t.proof_generation, t.proof_wall, t.prior, t.band, t.band_generation, t.band_wall, t.last_seq, t.first_seen,
                t.baseline, t.changed, f.id AS flag_id
            FROM tags t LEFT JOIN digests d ON d.id = t.digest_id
                LEFT JOIN digests c ON c.id = t.claimed_id
                LEFT JOIN flags f ON f.tag_id = t.id AND f.state <> 4 ",
            $rest
        )
    };
}

macro_rules! watched {
    ($which:literal) => {
        concat!(
            "SELECT r.id, r.host, r.path, r.period_id, r.watched_since, r.state, r.state_reason, r.state_since, r.refused_missing,
                r.refused_generation, r.refused_wall
            FROM repositories r WHERE r.period_id IS NOT NULL AND ",
            $which,
            " ORDER BY r.name"
        )
    };
}

macro_rules! passes {
    ($which:literal) => {
        concat!(
            "SELECT p.repository_id, p.band, p.started_wall, p.next, p.complete_started FROM passes p
                JOIN repositories r ON r.id = p.repository_id AND r.period_id = p.period_id WHERE p.newest = 1 AND ",
            $which,
            " ORDER BY p.band"
        )
    };
}

/// One tag row by repository and name.
pub(super) const TAG: &str = select!("WHERE t.repository_id = $1 AND t.name = $2");

statements! {
    TAG_AGAIN = TAG;
    TAGS = select!("WHERE t.repository_id = $1 ORDER BY t.name");
    PERIODS = "SELECT id, period_id FROM repositories WHERE registry_id = $1 AND period_id IS NOT NULL";
    WATCHED = watched!("r.registry_id = $1");
    WATCHED_ONE = watched!("r.id = $1");
    PASSES = passes!("r.registry_id = $1");
    PASSES_OF_ONE = passes!("r.id = $1");
    LEFT = "SELECT t.name, e.kind, o.hash AS old_hash, e.not_after FROM events e JOIN tags t ON t.id = e.tag_id
            LEFT JOIN digests o ON o.id = e.old_id
        WHERE e.repository_id = $1 AND e.not_after >= $2 AND e.kind NOT IN ($3, $4) ORDER BY e.seq";
}

impl Store {
    /// The repositories watched in a registry, each with its present watch period: what changes when one is added or removed.
    pub async fn periods(&self, registry: i64) -> Result<BTreeMap<i64, i64>, StoreError> {
        let rows = self.read_conn().await?.all(PERIODS, values![registry]).await?;
        rows.iter().map(|row| Ok((row.int("id")?, row.int("period_id")?))).collect()
    }

    /// The repositories watched in a registry. Reads no tags: its cost grows with repositories only.
    pub async fn watched(&self, registry: i64) -> Result<Vec<WatchedRepository>, StoreError> {
        let mut conn = self.read_conn().await?;
        let rows = conn.all(WATCHED, values![registry]).await?;
        summarised(&rows, &conn.all(PASSES, values![registry]).await?)
    }

    /// One of them; `None` when it is not watched any more.
    pub async fn watched_one(&self, repository: i64) -> Result<Option<WatchedRepository>, StoreError> {
        let mut conn = self.read_conn().await?;
        let rows = conn.all(WATCHED_ONE, values![repository]).await?;
        Ok(summarised(&rows, &conn.all(PASSES_OF_ONE, values![repository]).await?)?.pop())
    }

    /// One repository with its tags.
    pub async fn load(&self, repository: i64, recent_since: Instant) -> Result<LoadedRepository, StoreError> {
        let mut conn = self.read_conn().await?;
        let tags = conn.all(TAGS, values![repository]).await?.iter().map(stored).collect::<Result<_, _>>()?;
        let (created, retracted) = (EventKind::Created.code(), EventKind::Retracted.code());
        let rows = conn.all(LEFT, values![repository, recent_since, created, retracted]).await?;
        let recent = rows.iter().map(left).collect::<Result<_, _>>()?;
        let (passes, listings) = passes::of_repository(&mut conn, repository).await?;
        Ok(LoadedRepository { tags, recent, passes, listings })
    }
}

/// One bad row costs itself, not the others of its registry: it is logged and left out.
pub(super) fn legible<T>(read: Result<T, StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(?error, "a row of the record cannot be read and is left out")).ok()
}

/// Repositories with the newest pass of each band.
fn summarised(rows: &[Row], passes: &[Row]) -> Result<Vec<WatchedRepository>, StoreError> {
    let mut watched: Vec<WatchedRepository> = rows.iter().filter_map(|row| legible(watched(row))).collect();
    let mut places = HashMap::new();
    for (at, repository) in watched.iter().enumerate() {
        places.insert(repository.id, at);
    }
    for row in passes {
        let Some(repository) = places.get(&row.int("repository_id")?).and_then(|at| watched.get_mut(*at)) else {
            continue;
        };
        let Some(band) = legible(row.code("band", Band::from_code)) else { continue };
        repository.passes.push(PassSummary {
            band,
            started: row.instant("started_wall")?,
            next: row.instant("next")?,
            complete_started: row.instant_opt("complete_started")?,
        });
    }
    Ok(watched)
}

fn watched(row: &Row) -> Result<WatchedRepository, StoreError> {
    let refused = mark(row, "refused_generation", "refused_wall")?;
    let missing = row.int_opt("refused_missing")?;
    Ok(WatchedRepository {
        id: row.int("id")?,
        name: RepositoryName { host: row.text("host")?, path: row.text("path")? },
        period: row.int("period_id")?,
        watched_since: row.instant("watched_since")?,
        state: RepositoryRow {
            state: row.code("state", RepositoryState::from_code)?,
            reason: row.text_opt("state_reason")?,
            since: row.instant("state_since")?,
            refused_since: missing.zip(refused).map(|(missing, mark)| (missing != 0, mark)),
        },
        passes: Vec::new(),
    })
}

fn stored(row: &Row) -> Result<StoredTag, StoreError> {
    Ok(StoredTag {
        name: tag_name(&row.text("name")?)?,
        ruling: ruling(row)?,
        first_seen: row.instant_opt("first_seen")?,
        baseline: row.yes("baseline")?,
        flagged: row.int_opt("flag_id")?.is_some(),
        record: record(row)?,
    })
}

/// What the policy said of a tag.
fn ruling(row: &Row) -> Result<Ruling, StoreError> {
    let class = row.code("class", Class::from_code)?;
    Ok(Ruling { lowering: lowering(row)?, ..Ruling::new(class, row.text("rule")?) })
}

/// How it lowers severities.
pub(super) fn lowering(row: &Row) -> Result<Lowering, StoreError> {
    Ok(Lowering { cap: row.code_opt("severity_cap", Severity::from_code)?, retention: row.yes("retention")? })
}

/// What a tag had and left: the state before an event.
fn left(row: &Row) -> Result<(tagwarden_model::name::TagName, TagState, Instant), StoreError> {
    let state = digest_opt(row, "old_hash")?.map_or(TagState::Absent, TagState::Present);
    Ok((tag_name(&row.text("name")?)?, state, row.instant("not_after")?))
}

/// The part of a tag row that the rules know.
pub(super) fn record(row: &Row) -> Result<TagRecord, StoreError> {
    let wrong = |what: &str| StoreError::Inconsistent(format!("tags.{what}"));
    let state = match row.int("state")? {
        0 => TagState::Unread,
        1 => TagState::Present(digest_opt(row, "digest_hash")?.ok_or_else(|| wrong("digest_id"))?),
        2 => TagState::Absent,
        _ => return Err(wrong("state")),
    };
    let listed = row.yes("listed")?;
    let prior = row.text_opt("prior")?.map(|prior| serde_json::from_str(&prior)).transpose();
    Ok(TagRecord {
        state,
        claimed: digest_opt(row, "claimed_hash")?,
        media_type: row.code_opt("media_type", MediaType::from_code)?,
        verified: row.yes("verified")?,
        header_untrusted: row.yes("header_untrusted")?,
        listed: if listed { Some(Listed { not_before: mark(row, "listed_generation", "listed_wall")? }) } else { None },
        floor: mark(row, "floor_generation", "floor_wall")?,
        proof_floor: mark(row, "proof_generation", "proof_wall")?,
        prior: prior.map_err(|_| wrong("prior"))?,
        band: row.code("band", Band::from_code)?,
        band_since: mark(row, "band_generation", "band_wall")?,
        last_seq: row.int("last_seq")?,
    })
}

/// How a state is stored.
pub(super) fn state_code(state: &TagState) -> i64 {
    match state {
        TagState::Unread => 0,
        TagState::Present(_) => 1,
        TagState::Absent => 2,
    }
}

/// A mark in two columns.
pub(super) fn mark(row: &Row, generation: &str, wall: &str) -> Result<Option<Mark>, StoreError> {
    let (generation, wall) = (row.int_opt(generation)?, row.instant_opt(wall)?);
    Ok(generation.zip(wall).map(|(generation, wall)| Mark { generation, wall }))
}
