//! Flags that wait for a comparison of their contents, and what comparisons found.

use std::collections::BTreeSet;

use tagwarden_model::api::{Readiness, Target};
use tagwarden_model::change::Change;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::{FlagState, Worst};
use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::tag::Class;
use tagwarden_model::version::Version;

use super::db::{Conn, Row, statements, values};
use super::digests::{Interned, digest_opt};
use super::{Actor, Store, StoreError, read};

statements! {
    COMPARING = "SELECT f.id, r.host, r.path FROM flags f JOIN repositories r ON r.id = f.repository_id
        WHERE f.comparing = 1 AND f.state <> 4 AND r.registry_id = $1 AND r.period_id IS NOT NULL ORDER BY f.id DESC LIMIT $2";
    PROMISE = "SELECT f.tag_id, t.name AS tag, pd.hash AS promise_hash, cd.hash AS current_hash FROM flags f
        JOIN tags t ON t.id = f.tag_id
        LEFT JOIN promises p ON p.repository_id = f.repository_id AND p.tag = t.name AND p.stands = 1
        LEFT JOIN digests pd ON pd.id = p.digest_id
        LEFT JOIN digests cd ON cd.id = t.digest_id AND t.state = 1 WHERE f.id = $1";
    STATES = "SELECT e.kind, n.hash AS new_hash FROM flag_events x JOIN events e ON e.seq = x.seq
        LEFT JOIN digests n ON n.id = e.new_id WHERE x.flag_id = $1 GROUP BY e.kind, n.hash ORDER BY max(e.seq) DESC LIMIT $2";
    COMPARED = "SELECT c.severity, c.words FROM comparisons c JOIN digests o ON o.id = c.old_id JOIN digests n ON n.id = c.new_id
        WHERE o.hash = $1 AND n.hash = $2";
    PUT_COMPARISON = "INSERT INTO comparisons (old_id, new_id, severity, words, body, at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (old_id, new_id) DO NOTHING";
    RELEASED = "SELECT e.seq, r.host, r.path, n.hash AS new_hash FROM events e JOIN repositories r ON r.id = e.repository_id
        JOIN digests n ON n.id = e.new_id
        WHERE e.seq > $1 AND r.registry_id = $2 AND r.period_id IS NOT NULL AND e.baseline = 0 AND e.class IN ($3, $4)
        ORDER BY e.seq LIMIT $5";
    // The promise is the best target, but where it is none: then the targets have to be looked at.
    STALE_WAYS = "SELECT f.id, f.repository_id, r.host, r.path, t.name AS tag FROM flags f
        JOIN repositories r ON r.id = f.repository_id JOIN tags t ON t.id = f.tag_id
        LEFT JOIN promises p ON p.repository_id = f.repository_id AND p.tag = t.name AND p.stands = 1
        LEFT JOIN proofs o ON o.repository_id = p.repository_id AND o.digest_id = p.digest_id
        WHERE f.id < $7 AND f.state = $2 AND r.registry_id = $1 AND r.period_id IS NOT NULL
            AND (t.class <> 1 OR o.at IS NULL OR o.at < $3 OR (o.readiness = $4 AND o.at < $5)
                OR EXISTS (SELECT 1 FROM do_not_use x WHERE x.repository_id = f.repository_id AND x.lifted IS NULL
                    AND (x.tag = t.name OR x.digest_id = p.digest_id)))
        ORDER BY f.id DESC LIMIT $6";
    NEWEST_SEQ = "SELECT coalesce(max(seq), 0) AS seq FROM events";
    BODY = "SELECT c.body FROM comparisons c JOIN digests o ON o.id = c.old_id JOIN digests n ON n.id = c.new_id
        WHERE o.hash = $1 AND n.hash = $2";
}

/// Different states of one breach that are looked at, the newest. With more it stays as bad as it is.
const MOST_STATES: u32 = 200;

/// A flag whose contents are to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparing {
    /// Its number.
    pub flag: i64,
    /// Where its tag is.
    pub repository: RepositoryName,
    /// What is to be compared: the promise with each digest that the tag named instead.
    pub pairs: Vec<(Digest, Digest)>,
}

/// A digest that a release named while it was watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The event that says so.
    pub seq: i64,
    /// Where.
    pub repository: RepositoryName,
    /// The digest.
    pub digest: Digest,
}

/// The way back of an open flag, to be proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// The repository's row.
    pub id: i64,
    /// Its name.
    pub repository: RepositoryName,
    /// Those of the best targets that are to be proven.
    pub digests: Vec<Digest>,
}

/// What the states of a breach are, as far as they have been compared.
struct Verdict {
    worst: Worst,
    words: Option<String>,
    missing: Vec<(Digest, Digest)>,
    /// There were states that nobody looked at.
    cut: bool,
}

impl Store {
    /// Flags of a registry that wait for a comparison, the newest first.
    pub async fn comparing(&self, registry: i64, limit: u32) -> Result<Vec<Comparing>, StoreError> {
        let mut conn = self.read_conn().await?;
        let rows = conn.all(COMPARING, values![registry, limit]).await?;
        let mut comparing = Vec::new();
        for row in rows {
            let flag = row.int("id")?;
            let pairs = verdict(&mut conn, flag).await?.missing;
            comparing.push(Comparing { flag, repository: repository(&row)?, pairs });
        }
        Ok(comparing)
    }

    /// Keeps what two contents differ in; what was said before stays.
    pub async fn put_comparison(
        &self,
        old: &Digest,
        new: &Digest,
        change: &Change,
        now: Instant,
    ) -> Result<(), StoreError> {
        let body = serde_json::to_string(change)
            .map_err(|error| StoreError::Inconsistent(format!("a comparison of {old} and {new}: {error}")))?;
        let mut write = self.begin().await?;
        let ids = Interned::new(&mut write.conn, [old, new]).await?;
        let severity = change.severity.code();
        let values = values![ids.id(old)?, ids.id(new)?, severity, change.sentence(), body, now];
        write.conn.execute(PUT_COMPARISON, values).await?;
        write.conn.commit().await
    }

    /// What two contents differ in, if that was found out.
    pub async fn comparison(&self, old: &Digest, new: &Digest) -> Result<Option<Change>, StoreError> {
        of_pair(&mut self.read_conn().await?, old, new).await
    }

    /// Takes what the comparisons found into a flag, once all of them are there. `false` while some are missing.
    pub async fn conclude_comparison(&self, flag: i64, now: Instant) -> Result<bool, StoreError> {
        let Some((mut write, before)) = self.begin_on_flag(flag).await? else { return Ok(true) };
        if !before.flag.comparing {
            return Ok(true);
        }
        let verdict = verdict(&mut write.conn, flag).await?;
        if !verdict.missing.is_empty() {
            return Ok(false);
        }
        // Whoever pushes more than is looked at lowers nothing.
        let unseen = if verdict.cut { before.flag.worst } else { Worst::NOTHING };
        let change = before.flag.compared(verdict.worst.and(unseen));
        let actor = Actor::comparison();
        let reason = verdict.words.map(|words| format!("compared: {words}"));
        write.change_flag(&before, &change, now, &actor, reason.as_deref()).await?;
        self.finish(write, now).await?;
        // What is told of the flag waited for this.
        self.shared.outbox.send_replace(());
        Ok(true)
    }

    /// What releases of a registry came to name after event `after`, oldest first.
    pub async fn released(&self, registry: i64, after: i64, limit: u32) -> Result<Vec<Released>, StoreError> {
        let (release, rebuilt) = (Class::Release.code(), Class::Rebuilt.code());
        let rows = self.read_conn().await?.all(RELEASED, values![after, registry, release, rebuilt, limit]).await?;
        let released = |row: &Row| {
            let digest = digest_opt(row, "new_hash")?;
            let missing = || StoreError::Inconsistent("events.new_id names no digest".to_owned());
            Ok(Released { seq: row.int("seq")?, repository: repository(row)?, digest: digest.ok_or_else(missing)? })
        };
        rows.iter().map(released).collect()
    }

    /// Of open flags of a registry, the newest first, those of the best `targets` that were not proven since `proven`, or could not
    /// be asked for since `asked`, each once.
    pub async fn stale_ways_back(
        &self,
        registry: i64,
        proven: Instant,
        asked: Instant,
        targets: usize,
        limit: u32,
    ) -> Result<Vec<WayBack>, StoreError> {
        let mut conn = self.read_conn().await?;
        let (open, unproven) = (FlagState::Open.code(), Readiness::Unproven.code());
        let is_stale = |target: &Target| match target.proven {
            Some(at) => at < proven || (target.readiness == Readiness::Unproven && at < asked),
            None => true,
        };
        let (mut ways, mut named, mut before) = (Vec::new(), BTreeSet::new(), i64::MAX);
        loop {
            let rows = conn.all(STALE_WAYS, values![registry, open, proven, unproven, asked, limit, before]).await?;
            for row in &rows {
                before = row.int("id")?;
                let (id, repository, tag) = (row.int("repository_id")?, repository(row)?, row.text("tag")?);
                let best = read::targets::of(&mut conn, id, &repository.to_string(), &tag).await?.unwrap_or_default();
                let stale = best.into_iter().take(targets).filter(is_stale);
                let digests = stale.map(|target| target.digest).filter(|digest| named.insert((id, digest.clone())));
                let digests: Vec<Digest> = digests.collect();
                if !digests.is_empty() {
                    ways.push(WayBack { id, repository, digests });
                }
                if ways.len() >= limit as usize {
                    return Ok(ways);
                }
            }
            // A flag without anything to prove takes no other's place.
            if rows.len() < limit as usize {
                return Ok(ways);
            }
        }
    }

    /// The newest event's number, 0 without any.
    pub async fn newest_seq(&self) -> Result<i64, StoreError> {
        self.read_conn().await?.one(NEWEST_SEQ, values![]).await?.int("seq")
    }
}

/// What two contents differ in, if that was found out.
pub(super) async fn of_pair(conn: &mut Conn, old: &Digest, new: &Digest) -> Result<Option<Change>, StoreError> {
    let Some(row) = conn.optional(BODY, values![old.bytes(), new.bytes()]).await? else { return Ok(None) };
    let damaged = |error| StoreError::Inconsistent(format!("the comparison of {old} and {new}: {error}"));
    serde_json::from_str(&row.text("body")?).map(Some).map_err(damaged)
}

/// RECORD.md 9, over everything that the tag was in the breach.
async fn verdict(conn: &mut Conn, flag: i64) -> Result<Verdict, StoreError> {
    let mut verdict = Verdict { worst: Worst::NOTHING, words: None, missing: Vec::new(), cut: false };
    let Some(row) = conn.optional(PROMISE, values![flag]).await? else { return Ok(verdict) };
    let promise = digest_opt(&row, "promise_hash")?;
    let gone = Worst::deletion(Version::of(&row.text("tag")?).pre_release);
    let mut named: Vec<Digest> = digest_opt(&row, "current_hash")?.into_iter().collect();
    let states = conn.all(STATES, values![flag, MOST_STATES + 1]).await?;
    verdict.cut = states.len() > MOST_STATES as usize;
    for state in states.iter().take(MOST_STATES as usize) {
        match (state.code("kind", EventKind::from_code)?, digest_opt(state, "new_hash")?) {
            (EventKind::Deleted, _) => verdict.worst = verdict.worst.and(gone),
            // What a retracted claim named was never there.
            (EventKind::Retracted, _) | (_, None) => {}
            (_, Some(digest)) => named.push(digest),
        }
    }
    let mut seen: Vec<Digest> = Vec::new();
    for digest in named {
        if Some(&digest) == promise.as_ref() || seen.contains(&digest) {
            continue;
        }
        seen.push(digest.clone());
        let Some(promise) = &promise else {
            // A retired release that came back as something else: there is nothing it could be compared with.
            verdict.worst = verdict.worst.and(Worst::content(Severity::Critical));
            continue;
        };
        match conn.optional(COMPARED, values![promise.bytes(), digest.bytes()]).await? {
            None => verdict.missing.push((promise.clone(), digest)),
            Some(row) => {
                verdict.worst = verdict.worst.and(Worst::content(row.code("severity", Severity::from_code)?));
                // The newest state stands first.
                verdict.words.get_or_insert(row.text("words")?);
            }
        }
    }
    Ok(verdict)
}

fn repository(row: &Row) -> Result<RepositoryName, StoreError> {
    Ok(RepositoryName { host: row.text("host")?, path: row.text("path")? })
}
