//! Whether a record is whole: every event is there and has its leaf, and kept bytes have their digests.

use tagwarden_model::digest::Digest;
use tagwarden_model::event::{DeletedBy, EventKind, Source};
use tagwarden_model::log::{Entry, Salt, entry_hash, leaf_hash};

use super::content::unpacked;
use super::db::{Conn, Row, statements, values};
use super::digests::{digest, digest_opt};
use super::{ActorKind, StoreError, with_causes};

/// Rows that are read at once.
const ROWS: i64 = 500;
/// More than these are not named: the record is damaged anyhow.
const MOST: usize = 20;

statements! {
    LAST_SEQ = "SELECT event FROM counter";
    LOG = "SELECT e.seq, e.at, e.kind, r.name AS repository, t.name AS tag, o.hash AS old_hash, n.hash AS new_hash, e.not_before,
            e.not_after, e.clock_changed, e.source, e.source_name, e.verified, e.baseline, e.deleted_by, e.group_id,
            e.actor_kind, e.actor_id, e.salt, e.entry, e.leaf
        FROM events e LEFT JOIN repositories r ON r.id = e.repository_id
            LEFT JOIN tags t ON t.id = e.tag_id
            LEFT JOIN digests o ON o.id = e.old_id
            LEFT JOIN digests n ON n.id = e.new_id
        WHERE e.seq > $1 ORDER BY e.seq LIMIT $2";
    PURGED = "SELECT count(*) AS n FROM purged_events WHERE seq > $1 AND seq <= $2";
    CONTENTS = "SELECT c.digest_id, d.hash, c.size, c.zstd FROM content c LEFT JOIN digests d ON d.id = c.digest_id
        WHERE c.digest_id > $1 ORDER BY c.digest_id LIMIT $2";
}

/// How SQLite's pages hang together, and which rows name one that is not there.
const INTEGRITY: &str = "PRAGMA integrity_check(20)";
const FOREIGN_KEYS: &str = "PRAGMA foreign_key_check";
/// What would act in our place; no record of ours has any.
const FOREIGN: &str = "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')";

/// What was read of a record and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) events: u64,
    pub(super) contents: u64,
    /// Where and what, at most [`MOST`] of each sort.
    pub(super) wrong: Vec<String>,
}

/// Reads all of the record. What cannot be read is a finding too.
pub(super) async fn verify(conn: &mut Conn) -> Findings {
    let mut findings = Findings::default();
    if let Err(error) = pages(conn, &mut findings).await {
        findings.wrong.push(format!("the file: {}", with_causes(&error)));
    }
    if let Err(error) = events(conn, &mut findings).await {
        findings.wrong.push(format!("the event after {}: {}", findings.events, with_causes(&error)));
    }
    if let Err(error) = contents(conn, &mut findings).await {
        findings.wrong.push(format!("the kept bytes: {}", with_causes(&error)));
    }
    findings
}

async fn pages(conn: &mut Conn, findings: &mut Findings) -> Result<(), StoreError> {
    for row in conn.all(INTEGRITY, values![]).await? {
        let words = row.text("integrity_check")?;
        if words != "ok" {
            findings.wrong.push(format!("the file: {words}"));
        }
    }
    for row in conn.all(FOREIGN_KEYS, values![]).await?.iter().take(MOST) {
        let (table, parent) = (row.text("table")?, row.text("parent")?);
        findings.wrong.push(format!("the table {table}: a row names one of {parent} that is not there"));
    }
    for row in conn.all(FOREIGN, values![]).await?.iter().take(MOST) {
        findings.wrong.push(format!("the file: it has a {} of others, {}", row.text("type")?, row.text("name")?));
    }
    Ok(())
}

async fn events(conn: &mut Conn, findings: &mut Findings) -> Result<(), StoreError> {
    let mut last = 0;
    let mut wrong = Vec::new();
    loop {
        let rows = conn.all(LOG, values![last, ROWS]).await?;
        for row in &rows {
            let seq = row.int("seq")?;
            if !is_gapless(conn, last, seq - 1).await? {
                wrong.push(format!("event {}: it is missing, the next one is {seq}", last + 1));
            }
            match recomputed(row) {
                Ok(true) => {}
                Ok(false) => wrong.push(format!("event {seq}: its hashes are not those of what it says")),
                Err(error) => wrong.push(format!("event {seq}: {error}")),
            }
            last = seq;
            findings.events += 1;
        }
        if rows.is_empty() || wrong.len() >= MOST {
            break;
        }
    }
    let counted = conn.one(LAST_SEQ, values![]).await?.int("event")?;
    if wrong.is_empty() && !is_gapless(conn, last, counted).await? {
        wrong.push(format!("event {}: it is missing, {counted} were counted", last + 1));
    }
    wrong.truncate(MOST);
    findings.wrong.append(&mut wrong);
    Ok(())
}

/// Whether the events between were all purged; there may be none.
async fn is_gapless(conn: &mut Conn, after: i64, until: i64) -> Result<bool, StoreError> {
    Ok(after == until || conn.one(PURGED, values![after, until]).await?.int("n")? == until - after)
}

/// Whether entry and leaf of an event are those of what its row says.
fn recomputed(row: &Row) -> Result<bool, StoreError> {
    let (old, new) = (digest_opt(row, "old_hash")?, digest_opt(row, "new_hash")?);
    let (repository, tag, source_name) = (row.text("repository")?, row.text_opt("tag")?, row.text_opt("source_name")?);
    let actor = format!("{}:{}", row.code("actor_kind", ActorKind::word)?, row.text("actor_id")?);
    let body = Entry {
        seq: row.int("seq")?,
        at: row.instant("at")?,
        kind: row.code("kind", EventKind::from_code)?,
        repository: &repository,
        tag: tag.as_deref(),
        old: old.as_ref(),
        new: new.as_ref(),
        not_before: row.instant_opt("not_before")?,
        not_after: row.instant("not_after")?,
        clock_changed: row.yes("clock_changed")?,
        source: row.code("source", Source::from_code)?,
        source_name: source_name.as_deref(),
        verified: row.yes("verified")?,
        baseline: row.yes("baseline")?,
        deleted_by: row.code_opt("deleted_by", DeletedBy::from_code)?,
        group: row.int_opt("group_id")?,
        actor: &actor,
    }
    .body();
    let salt = Salt::try_from(row.bytes("salt")?);
    let salt = salt.map_err(|_| StoreError::Inconsistent("the salt has not 16 bytes".to_owned()))?;
    let entry = entry_hash(&salt, &body);
    Ok(row.bytes("entry")? == entry && row.bytes("leaf")? == leaf_hash(&entry))
}

async fn contents(conn: &mut Conn, findings: &mut Findings) -> Result<(), StoreError> {
    let mut last = 0;
    let mut wrong = Vec::new();
    loop {
        let rows = conn.all(CONTENTS, values![last, ROWS]).await?;
        for row in &rows {
            last = row.int("digest_id")?;
            let kept: Result<Digest, StoreError> = digest(row, "hash");
            if let Err(error) = kept.and_then(|digest| unpacked(row, &digest)) {
                wrong.push(error.to_string());
            }
            findings.contents += 1;
        }
        if rows.is_empty() || wrong.len() >= MOST {
            break;
        }
    }
    wrong.truncate(MOST);
    findings.wrong.append(&mut wrong);
    Ok(())
}
