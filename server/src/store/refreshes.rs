//! Refreshes of rebuilt tags that wait for a comparison, and what follows from it (RECORD.md 7).

use tagwarden_model::change::ChangeLevel;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::{EventKind, NewEvent};
use tagwarden_model::flag::{FlagStep, judge_refresh};
use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::promise::Promise;
use tagwarden_model::tag::Class;

use super::db::{Conn, Row, statements, values};
use super::digests::{Interned, digest_opt};
use super::flags::{self, Cause, Step};
use super::promises::{Act, Promises};
use super::{Actor, Store, StoreError, comparisons, load, projections};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.seq, e.tag_id, e.repository_id, e.verified, r.host, r.path, t.name AS tag, t.class, t.severity_cap, t.retention,
                o.hash AS old_hash, n.hash AS new_hash FROM refreshes x JOIN events e ON e.seq = x.seq
                JOIN repositories r ON r.id = e.repository_id JOIN tags t ON t.id = e.tag_id
                LEFT JOIN digests o ON o.id = e.old_id JOIN digests n ON n.id = e.new_id ",
            $rest
        )
    };
}

statements! {
    INSERT_REFRESH = "INSERT INTO refreshes (seq) VALUES ($1)";
    DELETE_REFRESH = "DELETE FROM refreshes WHERE seq = $1";
    /// What a retracted claim named was never there.
    RETRACT_REFRESH = "DELETE FROM refreshes WHERE seq IN
        (SELECT e.seq FROM events e WHERE e.tag_id = $1 AND e.new_id = $2 AND e.verified = 0)";
    NEXT = select!("WHERE r.registry_id = $1 AND r.period_id IS NOT NULL AND x.seq > $2 ORDER BY x.seq LIMIT 1");
    ONE = select!("WHERE x.seq = $1");
    /// What a tag named last that was deleted then.
    LAST = "SELECT d.hash FROM events e JOIN digests d ON d.id = coalesce(e.new_id, e.old_id)
        WHERE e.tag_id = $1 AND e.seq < $2 ORDER BY e.seq DESC LIMIT 1";
}

/// A refresh of a rebuilt tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// The event.
    pub seq: i64,
    /// The tag's row. Its refreshes are judged in their order.
    pub tag: i64,
    /// Where.
    pub repository: RepositoryName,
    /// What is to be compared; `None` if nothing is.
    pub pair: Option<(Digest, Digest)>,
}

/// Notes what an event of a tag means for its refreshes.
pub(super) async fn note(
    conn: &mut Conn,
    (tag, class): (i64, Class),
    (seq, event): (i64, &NewEvent),
    ids: &Interned,
) -> Result<(), StoreError> {
    match (event.kind, &event.old) {
        (EventKind::Moved | EventKind::Recreated, _) if class == Class::Rebuilt => {
            conn.execute(INSERT_REFRESH, values![seq]).await?;
        }
        (EventKind::Retracted, Some(claimed)) => {
            conn.execute(RETRACT_REFRESH, values![tag, ids.id(claimed)?]).await?;
        }
        _ => {}
    }
    Ok(())
}

impl Store {
    /// The first refresh after event `after` that waits for a comparison.
    pub async fn next_refresh(&self, registry: i64, after: i64) -> Result<Option<Refresh>, StoreError> {
        let mut conn = self.read_conn().await?;
        let Some(row) = conn.optional(NEXT, values![registry, after]).await? else { return Ok(None) };
        let (repository, tag) = (row.int("repository_id")?, projections::tag_name(&row.text("tag")?)?);
        let promises = Promises::of(&mut conn, repository, &tag).await?;
        let pair = pair(&mut conn, &row, &promises).await?;
        let repository = RepositoryName { host: row.text("host")?, path: row.text("path")? };
        Ok(Some(Refresh { seq: row.int("seq")?, tag: row.int("tag_id")?, repository, pair }))
    }

    /// Takes what a comparison found into the flag of a rebuilt tag, and opens it where the tag starts otherwise. `false` while
    /// what is to be compared is not.
    pub async fn conclude_refresh(&self, seq: i64, now: Instant) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        let Some(row) = write.conn.optional(ONE, values![seq]).await? else { return Ok(true) };
        let (repository, id) = (row.int("repository_id")?, row.int("tag_id")?);
        write.lock_repository(repository).await?;
        // Another server may have been faster, or the claim was retracted.
        let Some(row) = write.conn.optional(ONE, values![seq]).await? else { return Ok(true) };
        let tag = projections::tag_name(&row.text("tag")?)?;
        let mut promises = Promises::of(&mut write.conn, repository, &tag).await?;
        write.conn.execute(DELETE_REFRESH, values![seq]).await?;
        if let Some((old, new)) = pair(&mut write.conn, &row, &promises).await? {
            let Some(change) = comparisons::of_pair(&mut write.conn, &old, &new).await? else { return Ok(false) };
            let flag = flags::of_tag(&mut write.conn, id).await?;
            let severity = change.of_refresh().map(ChangeLevel::severity);
            let step = judge_refresh(severity, load::lowering(&row)?, flag.as_ref().map(|stored| &stored.flag));
            // It is held to what it was until a person decides; where it starts as before, to what it is.
            let (held, provisional) = match step {
                FlagStep::Open(_) | FlagStep::Join(_) => (Some(old), false),
                FlagStep::Restore(_) | FlagStep::None => {
                    (promises.standing().is_some().then_some(new), !row.yes("verified")?)
                }
            };
            let actor = Actor::comparison();
            let reason = format!("compared: {}", change.sentence());
            let standing = promises.standing().and_then(|promise| promise.digest.clone());
            if held.is_some() && held != standing {
                let ids = Interned::new(&mut write.conn, &held).await?;
                let act = Act { actor: &actor, reason: &reason, at: now };
                let promise = Promise { digest: held, provisional };
                promises.make(&mut write.conn, (repository, &tag), &promise, &ids, act).await?;
            }
            let event = Cause::of_event(&mut write.conn, seq).await?;
            let step_of = Step { repository, tag: Some(id), event, at: now, actor: &actor, reason: Some(&reason) };
            write.take_step(flag, &step, &step_of).await?;
        }
        self.finish(write, now).await?;
        Ok(true)
    }
}

/// What a refresh is compared with: what its tag is held to, or else what it was before.
async fn pair(conn: &mut Conn, row: &Row, promises: &Promises) -> Result<Option<(Digest, Digest)>, StoreError> {
    // Its class may be another since: releases are judged at once, others never.
    if row.code("class", Class::from_code)? != Class::Rebuilt {
        return Ok(None);
    }
    let held = promises.standing().and_then(|promise| promise.digest.clone());
    let old = match (held, digest_opt(row, "old_hash")?) {
        (Some(digest), _) | (None, Some(digest)) => Some(digest),
        (None, None) => {
            let last = conn.optional(LAST, values![row.int("tag_id")?, row.int("seq")?]).await?;
            last.map(|last| digest_opt(&last, "hash")).transpose()?.flatten()
        }
    };
    let new = digest_opt(row, "new_hash")?;
    Ok(old.zip(new).filter(|(old, new)| old != new))
}
