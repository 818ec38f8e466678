//! Takes the history of a repository away for good.

use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;

use tagwarden_model::api::ChangeKind;

use super::db::{statements, values};
use super::projections::Tally;
use super::{Actor, Store, StoreError};

statements! {
    FIND = "SELECT id FROM repositories WHERE name = $1 AND watched_since IS NOT NULL";
    COUNT = "SELECT count(*) AS n FROM events WHERE repository_id = $1";
    NOTE = "INSERT INTO purges (at, actor_kind, actor_id, actor_display, events) VALUES ($1, $2, $3, $4, $5) RETURNING id";
    /// The log keeps its numbers and leaves: without its salt a leaf says nothing of what it was made of.
    KEEP_LEAVES = "INSERT INTO purged_events (seq, purge_id, leaf) SELECT seq, CAST($2 AS BIGINT), leaf FROM events
        WHERE repository_id = $1";
    /// Manifests that no other repository's tags had.
    CONTENT = "DELETE FROM content WHERE digest_id IN (SELECT s.digest_id FROM spans s WHERE s.repository_id = $1
        AND NOT EXISTS (SELECT 1 FROM spans o WHERE o.digest_id = s.digest_id AND o.repository_id <> $1))";
    COMPARISONS = "DELETE FROM comparisons WHERE EXISTS (SELECT 1 FROM spans s WHERE s.repository_id = $1
            AND s.digest_id IN (comparisons.old_id, comparisons.new_id)
            AND NOT EXISTS (SELECT 1 FROM spans o WHERE o.digest_id = s.digest_id AND o.repository_id <> $1))";
    TELLINGS = "DELETE FROM tellings WHERE repository_id = $1";
    /// Messages that were delivered and name it, and those that wait and are about nothing else.
    DELIVERIES = "DELETE FROM deliveries WHERE (state <> 1 AND replace(payload, $1, '') <> payload)
            OR replace(payload, $2, '') <> payload OR replace(payload, $3, '') <> payload";
    FLAG_EVENTS = "DELETE FROM flag_events WHERE flag_id IN (SELECT id FROM flags WHERE repository_id = $1)";
    FLAG_TRANSITIONS = "DELETE FROM flag_transitions WHERE flag_id IN (SELECT id FROM flags WHERE repository_id = $1)";
    FLAGS = "DELETE FROM flags WHERE repository_id = $1";
    EVENT_PROOFS = "DELETE FROM event_proofs WHERE seq IN (SELECT seq FROM events WHERE repository_id = $1)";
    REFRESHES = "DELETE FROM refreshes WHERE seq IN (SELECT seq FROM events WHERE repository_id = $1)";
    SPANS = "DELETE FROM spans WHERE repository_id = $1";
    HINTS = "DELETE FROM hints WHERE repository_id = $1";
    FIRST_RELEASES = "DELETE FROM first_releases WHERE repository_id = $1";
    ROLLUPS = "DELETE FROM rollups WHERE lane_id IN (SELECT id FROM lanes WHERE repository_id = $1)";
    LANES = "DELETE FROM lanes WHERE repository_id = $1";
    EVENTS = "DELETE FROM events WHERE repository_id = $1";
    PROMISES = "DELETE FROM promises WHERE repository_id = $1";
    DO_NOT_USE = "DELETE FROM do_not_use WHERE repository_id = $1";
    PROOFS = "DELETE FROM proofs WHERE repository_id = $1";
    TAG_COUNTS = "DELETE FROM tag_counts WHERE repository_id = $1";
    RELEASES = "DELETE FROM releases_by_day WHERE repository_id = $1";
    TAGS = "DELETE FROM tags WHERE repository_id = $1";
    PASSES = "DELETE FROM passes WHERE repository_id = $1";
    GAPS = "DELETE FROM gaps WHERE repository_id = $1";
    PERIODS = "DELETE FROM watch_periods WHERE repository_id = $1";
    GROUPS = "DELETE FROM group_repositories WHERE repository_id = $1";
    JOBS = "DELETE FROM jobs WHERE repository_id = $1";
    /// The row stays, without its name, for change notices and for a poller that still knows its number.
    FORGET = "UPDATE repositories SET host = '', path = '', name = $2, state_reason = NULL, watched_since = NULL,
            refused_missing = NULL, refused_generation = NULL, refused_wall = NULL, late_told = NULL WHERE id = $1";
}

/// In an order in which nothing is left that names what is gone.
const ALL: &[&str] = &[
    CONTENT,
    COMPARISONS,
    TELLINGS,
    FLAG_EVENTS,
    FLAG_TRANSITIONS,
    FLAGS,
    EVENT_PROOFS,
    REFRESHES,
    SPANS,
    HINTS,
    FIRST_RELEASES,
    ROLLUPS,
    LANES,
    EVENTS,
    PROMISES,
    DO_NOT_USE,
    PROOFS,
    TAG_COUNTS,
    RELEASES,
    TAGS,
    PASSES,
    GAPS,
    PERIODS,
    GROUPS,
    JOBS,
];

impl Store {
    /// Deletes what was recorded of a repository that is not watched any more; `None` if nothing was, else how many events.
    /// `Refused` while it is watched.
    pub async fn purge(&self, name: &RepositoryName, actor: &Actor, now: Instant) -> Result<Option<u64>, StoreError> {
        let mut write = self.begin().await?;
        let Some(row) = write.conn.optional(FIND, values![name.to_string()]).await? else { return Ok(None) };
        let id = row.int("id")?;
        let row = write.lock_repository(id).await?;
        if super::watch::is_listed(&row)? {
            let message = "it is watched: end that first, then its history can be deleted".to_owned();
            return Err(StoreError::Refused { message, field: "name" });
        }
        let events = write.conn.one(COUNT, values![id]).await?.count("n")?;
        Tally::without(&mut write.conn, id).await?.put(&mut write.conn).await?;
        let values = values![now, actor.kind as i64, &actor.id, &actor.display, events];
        let purge = write.conn.one(NOTE, values).await?.int("id")?;
        write.conn.execute(KEEP_LEAVES, values![id, purge]).await?;
        // As they stand in a message's JSON: no character of a name is escaped there.
        let subject = format!("\"subject\":\"{name}");
        let values = values![format!("\"{name}\""), format!("{subject}\""), format!("{subject}:")];
        write.conn.execute(DELIVERIES, values).await?;
        for statement in ALL {
            write.conn.execute(statement, values![id]).await?;
        }
        write.conn.execute(FORGET, values![id, format!("purged:{id}")]).await?;
        write.notice(ChangeKind::Repository, 0, id);
        self.finish(write, now).await?;
        Ok(Some(events))
    }
}
