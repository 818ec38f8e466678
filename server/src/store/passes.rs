//! Passes: one row each, kept only while it can be the last sighting of a tag (RECORD.md 4.2), and the gaps between them.
//!
//! A complete pass is the last sighting of every tag that it does not name and that all later complete passes name. So, from
//! the newest to the oldest, a pass is needed only while some tag was named by all later ones and not by it; every pass that
//! is kept makes that set of names smaller, and the set is at most 100 names large. The same holds for proof passes among
//! themselves. An incomplete pass says nothing about any tag: it is kept while it is the band's newest. Besides, the newest
//! two listings of a watch period are kept, for the windows of tags that appear (RECORD.md 5).

use std::collections::{BTreeSet, HashSet};

use tagwarden_model::api::{ChangeKind, Unread};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::TagName;
use tagwarden_model::observation::Unknown;
use tagwarden_model::tag::{Band, Mark};

use super::db::{Conn, Row, statements, values};
use super::load::mark;
use super::record::{GapWrite, Lease, PassRow};
use super::{Store, StoreError};

/// Exceptions that a pass can name.
const MOST_NAMED: usize = 100;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.band, p.started_generation, p.started_wall, p.finished, p.complete, p.proof, p.listed_generation,
                p.listed_wall, p.listed_names, p.asked, p.seen, p.unseen, p.unread, p.unread_reason, p.exceptions,
                p.reason, p.next, p.promised, p.proof_promised, p.complete_started, p.proof_started,
                CAST(CASE WHEN p.period_id = r.period_id THEN 1 ELSE 0 END AS BIGINT) AS present
            FROM passes p JOIN repositories r ON r.id = p.repository_id ",
            $rest
        )
    };
}

statements! {
    OF_REPOSITORY = select!("WHERE p.repository_id = $1 ORDER BY p.id DESC");
    INSERT_PASS = "INSERT INTO passes (repository_id, period_id, band, started_generation, started_wall, finished, complete, proof,
            listed_generation, listed_wall, listed_names, asked, seen, unseen, unread, unread_reason, exceptions, reason, next,
            promised, proof_promised, newest, complete_started, proof_started, late_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 1, $22, $23, $24)";
    NOT_NEWEST = "UPDATE passes SET newest = 0 WHERE repository_id = $1 AND band = $2 AND newest = 1";
    CHECKED = "INSERT INTO registry_checks (registry_id, finished) VALUES ($1, $2)
        ON CONFLICT (registry_id) DO UPDATE SET finished = excluded.finished WHERE registry_checks.finished < excluded.finished";
    DELETE_PASS = "DELETE FROM passes WHERE id = $1";
    OPEN_GAP = "INSERT INTO gaps (repository_id, band, from_at, reason) VALUES ($1, $2, $3, $4)
        ON CONFLICT (repository_id, band) WHERE until_at IS NULL DO NOTHING";
    CLOSE_GAP = "UPDATE gaps SET until_at = $3 WHERE repository_id = $1 AND band = $2 AND until_at IS NULL";
    /// Where what is not seen began, unless a complete pass ended it.
    UNSEEN_SINCE = "SELECT r.watched_since, (SELECT g.from_at FROM gaps g WHERE g.repository_id = r.id AND g.band = $2
        AND g.until_at IS NULL) AS from_at FROM repositories r WHERE r.id = $1";
}

/// A pass as stored.
struct Kept {
    id: i64,
    pass: PassRow,
    /// Of the present watch period.
    present: bool,
    observed: Observed,
}

/// When the newest pass up to one started that saw what was promised, and the newest of them that was a proof.
#[derive(Clone, Copy, Default)]
struct Observed {
    complete_started: Option<Instant>,
    proof_started: Option<Instant>,
}

impl Store {
    /// Writes the row of a pass, opens or closes the band's gap, notes a change notice when the repository's freshness
    /// state (as promised <-> not) or its unreadable tags changed, and merges away pass rows that can no longer be a last
    /// sighting.
    ///
    /// A gap that lasts keeps its first reason, so that an outage is one row however often its reason changes; the start of a
    /// complete pass ends it. A pass of a repository that is no longer watched, or that another entry
    /// serves, is left out.
    pub async fn put_pass(
        &self,
        repository: i64,
        lease: Lease,
        pass: &PassRow,
        gap: Option<&GapWrite>,
    ) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        write.hold_lease(lease).await?;
        let Some(row) = write.hold_repository(repository, lease).await? else { return Ok(()) };
        let Some(period) = row.int_opt("period_id")? else { return Ok(()) };
        let kept = kept(&mut write.conn, repository).await?;
        // A pass that did not name every exception would be taken for a sighting of those it left out.
        let unseen = pass.unseen.iter().map(|(_, tags)| *tags).sum::<u64>();
        let complete = pass.complete && pass.exceptions.len() <= MOST_NAMED && unseen <= pass.exceptions.len() as u64;
        let pass = PassRow { complete, ..pass.clone() };
        let fresh = |pass: &PassRow| pass.complete && pass.reason.is_none();
        let told = |pass: &PassRow| (fresh(pass), pass.unread.clone());
        let last = kept.iter().find(|row| row.pass.band == pass.band && row.present);
        let before = last.map(|row| told(&row.pass));
        let mut observed = last.map(|row| row.observed).unwrap_or_default();
        if fresh(&pass) {
            observed.complete_started = Some(pass.started.wall);
            observed.proof_started = if pass.proof { observed.complete_started } else { observed.proof_started };
        }
        for id in superseded(&pass, &kept) {
            write.conn.execute(DELETE_PASS, values![id]).await?;
        }
        if let Some(gap) = gap {
            let values = values![repository, gap.band.code(), gap.from, &gap.reason];
            write.conn.execute(OPEN_GAP, values).await?;
        } else if pass.complete {
            write.conn.execute(CLOSE_GAP, values![repository, pass.band.code(), pass.started.wall]).await?;
        }
        insert(&mut write.conn, repository, period, &pass, observed).await?;
        write.conn.execute(CHECKED, values![lease.registry, pass.finished]).await?;
        if before.unwrap_or((true, None)) != told(&pass) {
            write.notice(ChangeKind::Repository, 0, repository);
        }
        self.finish(write, pass.finished).await
    }
}

/// All kept passes of a repository, newest first, and the newest two non-empty listings of its watch period.
pub(super) async fn of_repository(conn: &mut Conn, repository: i64) -> Result<(Vec<PassRow>, Vec<Mark>), StoreError> {
    let kept = kept(conn, repository).await?;
    let listings = kept.iter().filter(|row| row.present).filter_map(|row| listing(&row.pass)).collect::<BTreeSet<_>>();
    let listings = listings.into_iter().rev().take(2).collect();
    Ok((kept.into_iter().map(|row| row.pass).collect(), listings))
}

async fn kept(conn: &mut Conn, repository: i64) -> Result<Vec<Kept>, StoreError> {
    conn.all(OF_REPOSITORY, values![repository]).await?.iter().map(row).collect()
}

/// The rows that nothing needs beside a newer pass `new`; `kept` is newest first.
fn superseded(new: &PassRow, kept: &[Kept]) -> Vec<i64> {
    let mut marks = kept.iter().filter(|row| row.present).filter_map(|row| listing(&row.pass)).collect::<BTreeSet<_>>();
    marks.extend(listing(new));
    let listings = marks.into_iter().rev().take(2).collect::<Vec<_>>();
    let mut band = kept.iter().filter(|row| row.pass.band == new.band && row.pass.complete).collect::<Vec<_>>();
    // Started later is newer, whichever was written first.
    band.sort_by_key(|row| std::cmp::Reverse((row.pass.started, row.id)));
    let mut needed = HashSet::new();
    for proofs_only in [false, true] {
        let counts = |pass: &PassRow| pass.complete && (pass.proof || !proofs_only);
        // What all newer passes name; `None` before the first of them, which is needed for every tag.
        let mut by_all: Option<BTreeSet<&TagName>> = counts(new).then(|| new.exceptions.iter().collect());
        for row in band.iter().filter(|row| counts(&row.pass)) {
            let here = row.pass.exceptions.iter().collect::<BTreeSet<_>>();
            match &mut by_all {
                None => by_all = Some(here),
                Some(by_all) if by_all.is_subset(&here) => continue,
                Some(by_all) => by_all.retain(|tag| here.contains(tag)),
            }
            needed.insert(row.id);
        }
    }
    kept.iter()
        .filter(|row| row.pass.band == new.band && !needed.contains(&row.id))
        .filter(|row| !(row.present && listing(&row.pass).is_some_and(|mark| listings.contains(&mark))))
        .map(|row| row.id)
        .collect()
}

/// When the pass's non-empty listing was sent.
fn listing(pass: &PassRow) -> Option<Mark> {
    pass.listed.filter(|(_, names)| *names > 0).map(|(mark, _)| mark)
}

/// Adds the newest row of a band.
async fn insert(
    conn: &mut Conn,
    repository: i64,
    period: i64,
    pass: &PassRow,
    observed: Observed,
) -> Result<(), StoreError> {
    conn.execute(NOT_NEWEST, values![repository, pass.band.code()]).await?;
    let unseen_since = if let Some(started) = observed.complete_started {
        started
    } else {
        let row = conn.one(UNSEEN_SINCE, values![repository, pass.band.code()]).await?;
        // `None` is before all others.
        let since = row.instant_opt("watched_since")?.max(row.instant_opt("from_at")?);
        since.ok_or_else(|| StoreError::Inconsistent("a watch without start".to_owned()))?
    };
    let unseen = pass.unseen.iter().map(|(reason, tags)| (reason.code(), *tags)).collect::<Vec<_>>();
    let unseen = serde_json::json!(unseen).to_string();
    let exceptions = serde_json::json!(pass.exceptions.iter().take(MOST_NAMED).collect::<Vec<_>>()).to_string();
    let values = values![
        repository,
        period,
        pass.band.code(),
        pass.started.generation,
        pass.started.wall,
        pass.finished,
        pass.complete,
        pass.proof,
        pass.listed.map(|(mark, _)| mark.generation),
        pass.listed.map(|(mark, _)| mark.wall),
        pass.listed.map(|(_, names)| names as i64),
        pass.asked,
        pass.seen,
        unseen,
        pass.unread.as_ref().map_or(0, |unread| unread.count),
        pass.unread.as_ref().map(|unread| unread.reason.as_str()),
        exceptions,
        pass.reason.as_deref(),
        pass.next,
        pass.promised.0,
        pass.proof_promised.0,
        observed.complete_started,
        observed.proof_started,
        unseen_since + pass.promised,
    ];
    conn.execute(INSERT_PASS, values).await?;
    Ok(())
}

/// What a pass says of tags that could never be read.
pub(super) fn unread(row: &Row) -> Result<Option<Unread>, StoreError> {
    let (count, reason) = (row.count("unread")?, row.text_opt("unread_reason")?);
    Ok(reason.map(|reason| Unread { count, reason }))
}

fn row(row: &Row) -> Result<Kept, StoreError> {
    let wrong = |what: &str| StoreError::Inconsistent(format!("passes.{what}"));
    let started = mark(row, "started_generation", "started_wall")?.ok_or_else(|| wrong("started"))?;
    let listed = mark(row, "listed_generation", "listed_wall")?;
    let names = row.int_opt("listed_names")?.map(|names| u64::try_from(names).unwrap_or(0));
    let unseen = serde_json::from_str::<Vec<(i64, u64)>>(&row.text("unseen")?).map_err(|_| wrong("unseen"))?;
    let unseen = unseen.into_iter().map(|(code, tags)| Unknown::from_code(code).map(|reason| (reason, tags)));
    let exceptions = serde_json::from_str::<Vec<String>>(&row.text("exceptions")?).map_err(|_| wrong("exceptions"))?;
    let exceptions = exceptions.iter().map(|name| TagName::new(name)).collect::<Option<Vec<_>>>();
    let pass = PassRow {
        band: row.code("band", Band::from_code)?,
        started,
        finished: row.instant("finished")?,
        complete: row.yes("complete")?,
        proof: row.yes("proof")?,
        listed: listed.zip(names),
        asked: row.count("asked")?,
        seen: row.count("seen")?,
        unseen: unseen.collect::<Option<_>>().ok_or_else(|| wrong("unseen"))?,
        exceptions: exceptions.ok_or_else(|| wrong("exceptions"))?,
        unread: unread(row)?,
        reason: row.text_opt("reason")?,
        next: row.instant("next")?,
        promised: Millis(row.int("promised")?),
        proof_promised: Millis(row.int("proof_promised")?),
    };
    let observed = Observed {
        complete_started: row.instant_opt("complete_started")?,
        proof_started: row.instant_opt("proof_started")?,
    };
    Ok(Kept { id: row.int("id")?, pass, present: row.yes("present")?, observed })
}
