//! The promises of one tag, newest first.

use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::TagName;
use tagwarden_model::promise::Promise;

use super::db::{Conn, Row, statements, values};
use super::digests::{Interned, digest_opt};
use super::{Actor, ActorKind, StoreError};

/// Values of `promises.stands`: another one came after it; it stands; it rested on a claim that was retracted.
const REPLACED: i64 = 0;
const STANDS: i64 = 1;
const FELL: i64 = 2;

statements! {
    NEWEST = "SELECT p.id, p.stands, p.provisional, p.actor_kind, d.hash FROM promises p LEFT JOIN digests d ON d.id = p.digest_id
        WHERE p.repository_id = $1 AND p.tag = $2 AND p.stands < 2 ORDER BY p.id DESC LIMIT 2";
    REPLACE = "UPDATE promises SET stands = $3 WHERE repository_id = $1 AND tag = $2 AND stands = 1";
    INSERT_PROMISE = "INSERT INTO promises (repository_id, tag, digest_id, provisional, stands, actor_kind, actor_id, actor_display,
            reason, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id";
    STAND_AGAIN = "UPDATE promises SET stands = $2 WHERE id = $1";
    PROVE_PROMISE = "UPDATE promises SET digest_id = $2, provisional = 0 WHERE id = $1";
}

/// The promise that stands and the one before it.
#[derive(Debug, Default, Clone)]
pub(super) struct Promises {
    standing: Option<Kept>,
    former: Option<Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    id: i64,
    promise: Promise,
    /// Made by Tagwarden from what it saw, by no person or pipeline.
    seen: bool,
}

/// Who promised, why and when.
#[derive(Clone, Copy)]
pub(super) struct Act<'a> {
    pub(super) actor: &'a Actor,
    pub(super) reason: &'a str,
    pub(super) at: Instant,
}

impl Promises {
    pub(super) async fn of(conn: &mut Conn, repository: i64, tag: &TagName) -> Result<Self, StoreError> {
        let rows = conn.all(NEWEST, values![repository, tag.as_str()]).await?;
        let mut rows = rows.iter();
        let newest = rows.next();
        if newest.map(|row| row.int("stands")).transpose()? == Some(STANDS) {
            Ok(Self { standing: newest.map(kept).transpose()?, former: rows.next().map(kept).transpose()? })
        } else {
            Ok(Self { standing: None, former: newest.map(kept).transpose()? })
        }
    }

    pub(super) fn standing(&self) -> Option<&Promise> {
        self.standing.as_ref().map(|kept| &kept.promise)
    }

    /// Whether nothing stands but what Tagwarden itself took for the promise.
    pub(super) fn only_seen(&self) -> bool {
        self.standing.as_ref().is_none_or(|kept| kept.seen)
    }

    pub(super) fn former(&self) -> Option<&Promise> {
        self.former.as_ref().map(|kept| &kept.promise)
    }

    /// Makes `promise` stand.
    pub(super) async fn make(
        &mut self,
        conn: &mut Conn,
        (repository, tag): (i64, &TagName),
        promise: &Promise,
        ids: &Interned,
        act: Act<'_>,
    ) -> Result<(), StoreError> {
        if let Some(standing) = self.standing.take() {
            conn.execute(REPLACE, values![repository, tag.as_str(), REPLACED]).await?;
            self.former = Some(standing);
        }
        let digest = ids.value(promise.digest.as_ref())?;
        let (kind, id, display) = (act.actor.kind as i64, &act.actor.id, &act.actor.display);
        let provisional = promise.provisional;
        let values =
            values![repository, tag.as_str(), digest, provisional, STANDS, kind, id, display, act.reason, act.at];
        let id = conn.one(INSERT_PROMISE, values).await?.int("id")?;
        self.standing = Some(Kept { id, promise: promise.clone(), seen: act.actor.kind == ActorKind::System });
        Ok(())
    }

    /// The standing promise rested on a claim that was retracted: the one before stands again, or none.
    pub(super) async fn fall(
        &mut self,
        conn: &mut Conn,
        (repository, tag): (i64, &TagName),
        again: Option<&Promise>,
    ) -> Result<(), StoreError> {
        conn.execute(REPLACE, values![repository, tag.as_str(), FELL]).await?;
        if let Some(former) = self.former.as_ref().filter(|former| Some(&former.promise) == again) {
            conn.execute(STAND_AGAIN, values![former.id, STANDS]).await?;
        }
        *self = Self::of(conn, repository, tag).await?;
        Ok(())
    }

    /// Bytes proved the unproven digest of the tag.
    pub(super) async fn prove(
        &mut self,
        conn: &mut Conn,
        claimed: &Digest,
        proven: &Digest,
        ids: &Interned,
    ) -> Result<(), StoreError> {
        let Some(kept) = &mut self.standing else { return Ok(()) };
        let after = kept.promise.clone().after_proof(claimed, proven);
        if after != kept.promise {
            conn.execute(PROVE_PROMISE, values![kept.id, ids.value(after.digest.as_ref())?]).await?;
            kept.promise = after;
        }
        Ok(())
    }
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    let promise = Promise { digest: digest_opt(row, "hash")?, provisional: row.yes("provisional")? };
    Ok(Kept { id: row.int("id")?, promise, seen: row.int("actor_kind")? == ActorKind::System as i64 })
}
