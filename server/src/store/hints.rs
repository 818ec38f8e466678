//! When images of releases that stood before the watch claim to be made: hints of a past that nobody saw.

use tagwarden_model::api::{ChangeKind, RepositoryState};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;

use super::db::{Conn, Row, statements, values};
use super::digests::digest_opt;
use super::{Store, StoreError};

/// Releases of a repository that are looked into.
macro_rules! newest {
    () => {
        "(SELECT t.id, t.first_seen, t.version_key FROM tags t WHERE t.repository_id = $1 AND t.class = 1 AND t.baseline = 1
            ORDER BY t.version_key DESC LIMIT 200)"
    };
}

statements! {
    READ_ONCE = "SELECT id, period_id, host, path FROM repositories WHERE registry_id = $1 AND period_id IS NOT NULL AND state = $2
        ORDER BY id";
    WAITING = concat!("SELECT c.id, c.first_seen, s.digest_id, d.hash FROM ", newest!(), " c
        LEFT JOIN hints h ON h.tag_id = c.id LEFT JOIN spans s ON s.tag_id = c.id AND s.baseline = 1
        LEFT JOIN digests d ON d.id = s.digest_id
        WHERE h.tag_id IS NULL ORDER BY c.version_key DESC LIMIT $2");
    PUT = "INSERT INTO hints (tag_id, repository_id, digest_id, created) VALUES ($1, $2, $3, $4) ON CONFLICT (tag_id) DO NOTHING";
    KNOWN = "SELECT count(created) AS n, min(created) AS first FROM hints WHERE repository_id = $1";
    UNKNOWN = concat!("SELECT count(*) AS n FROM ", newest!(), " c LEFT JOIN hints h ON h.tag_id = c.id WHERE h.tag_id IS NULL");
}

/// A watched repository that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOnce {
    /// Its row.
    pub id: i64,
    /// The watch period.
    pub period: i64,
    /// Its name.
    pub name: RepositoryName,
}

/// A release that stood before the watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stood {
    tag: i64,
    digest_id: Option<i64>,
    /// What it named.
    pub digest: Option<Digest>,
    /// When it was first seen.
    pub first_seen: Option<Instant>,
}

impl Store {
    /// Repositories of a registry whose first reading is over.
    pub async fn read_once(&self, registry: i64) -> Result<Vec<ReadOnce>, StoreError> {
        let rows = self.read_conn().await?.all(READ_ONCE, values![registry, RepositoryState::Ok.code()]).await?;
        let read = |row: &Row| {
            let name = RepositoryName { host: row.text("host")?, path: row.text("path")? };
            Ok(ReadOnce { id: row.int("id")?, period: row.int("period_id")?, name })
        };
        rows.iter().map(read).collect()
    }

    /// Releases that stood before the watch and were not looked into, the newest version first; only the newest 200 ever are.
    pub async fn without_hint(&self, repository: i64, limit: u32) -> Result<Vec<Stood>, StoreError> {
        let rows = self.read_conn().await?.all(WAITING, values![repository, limit]).await?;
        let stood = |row: &Row| {
            Ok(Stood {
                tag: row.int("id")?,
                digest_id: row.int_opt("digest_id")?,
                digest: digest_opt(row, "hash")?,
                first_seen: row.instant_opt("first_seen")?,
            })
        };
        rows.iter().map(stood).collect()
    }

    /// Keeps when their images claim to be made, `None` where that cannot be true, and writes a change notice.
    pub async fn put_hints(
        &self,
        repository: i64,
        hints: &[(Stood, Option<Instant>)],
        now: Instant,
    ) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        // Its history may just be deleted.
        if write.lock_repository(repository).await?.int_opt("period_id")?.is_none() {
            return Ok(());
        }
        for (stood, created) in hints {
            let values = values![stood.tag, repository, stood.digest_id, *created];
            write.conn.execute(PUT, values).await?;
        }
        write.notice(ChangeKind::Repository, 0, repository);
        self.finish(write, now).await
    }
}

/// How many releases of a repository have a hint, the earliest, and how many are still to be looked into.
pub(super) async fn progress(conn: &mut Conn, repository: i64) -> Result<(u64, Option<Instant>, u64), StoreError> {
    let known = conn.one(KNOWN, values![repository]).await?;
    let to_come = conn.one(UNKNOWN, values![repository]).await?.count("n")?;
    Ok((known.count("n")?, known.instant_opt("first")?, to_come))
}
