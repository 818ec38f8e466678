//! Repositories with their freshness, and the sentence on the first page.

use std::collections::{BTreeMap, HashMap};

use tagwarden_model::api::{Freshness, Progress, Repository, RepositoryState, Summary, Unread, WatchSource};
use tagwarden_model::event::Severity;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::RepositoryName;
use tagwarden_model::record::Plan;
use tagwarden_model::tag::Band;

use super::registries::NOT_ENDED;
use super::{Position, Rows, one_more, page};
use crate::store::db::{Conn, Row, statements, values};
use crate::store::groups::{group_id, groups_within};
use crate::store::passes::unread;
use crate::store::{Scope, Store, StoreError};

const DAY: i64 = 86_400_000;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.name, r.host, r.state, r.state_reason, r.state_since, r.watched_since, r.late_told,
                (SELECT count(*) FROM flags f WHERE f.repository_id = r.id AND f.state IN (1, 2)) AS open_flags
            FROM repositories r WHERE (r.period_id IS NOT NULL OR r.state = 7) AND ",
            $rest
        )
    };
}

macro_rules! counts {
    ($rest:literal) => {
        concat!(
            "SELECT c.repository_id, c.band, c.class, c.state, c.n FROM tag_counts c
                JOIN repositories r ON r.id = c.repository_id WHERE (r.period_id IS NOT NULL OR r.state = 7)",
            $rest
        )
    };
}

/// The newest pass of each band.
macro_rules! passes {
    ($rest:literal) => {
        concat!(
            "SELECT p.repository_id, p.band, p.finished, p.complete, p.reason, p.next, p.promised, p.proof_promised, p.unread,
                p.unread_reason, p.complete_started, p.proof_started, p.late_at
            FROM passes p JOIN repositories r ON r.id = p.repository_id AND r.period_id = p.period_id WHERE p.newest = 1",
            $rest
        )
    };
}

/// A total, without what these add to it. They are few: SQLite goes over them first where it is told to (CROSS JOIN).
macro_rules! total {
    ($of:literal, $without:literal) => {
        concat!(
            "(SELECT CAST(COALESCE(sum(t.n), 0) AS BIGINT) FROM totals t WHERE ",
            $of,
            ") - (SELECT CAST(COALESCE(sum(u.n), 0) AS BIGINT) FROM (",
            $without,
            ") u)"
        )
    };
}

/// The longest promise of the band $4 for a release, among these passes.
macro_rules! longest_promise {
    ($of:literal) => {
        concat!(
            "(SELECT max(p.promised) FROM ",
            $of,
            " p JOIN repositories r ON r.id = p.repository_id AND r.period_id = p.period_id
                JOIN tag_counts c ON c.repository_id = p.repository_id AND c.band = p.band
            WHERE p.newest = 1 AND p.band = $4 AND c.class = 1 AND c.state = 1 AND c.n > 0)"
        )
    };
}

statements! {
    BY_NAME = select!("r.name > $1 AND (CAST($3 AS TEXT) IS NULL OR replace(lower(r.name), lower($3), '') <> lower(r.name))
        ORDER BY r.name LIMIT $2");
    OF_GROUP = select!("r.name > $1 AND (CAST($3 AS TEXT) IS NULL OR replace(lower(r.name), lower($3), '') <> lower(r.name))
        AND r.id IN (SELECT m.repository_id FROM group_repositories m WHERE m.group_id = $4) ORDER BY r.name LIMIT $2");
    ONE = select!("r.name = $1");
    ALL = select!("r.period_id IS NOT NULL");
    COUNTS_OF_ALL = counts!("");
    COUNTS_OF_SOME = counts!(" AND r.name >= $1 AND r.name <= $2");
    PASSES_OF_ALL = passes!("");
    PASSES_OF_SOME = passes!(" AND r.name >= $1 AND r.name <= $2");
    /// What the first page says of all that is watched. Totals are of all repositories: what those add that are not watched any
    /// more is taken off. Both ends of the days are given: PostgreSQL takes a range with one end for a third of all there is. The
    /// longest promise is mostly among the first ten, and nothing else is looked at then.
    SUMMARY = concat!("SELECT w.n, w.hosts, w.since,
            ", total!("t.sort = 1", "SELECT c.n FROM repositories r CROSS JOIN tag_counts c
                WHERE r.period_id IS NULL AND c.repository_id = r.id AND c.class = 1 AND c.state = 1"), " AS releases,
            ", total!("t.sort = 2 AND t.key > $2 AND t.key <= $3", "SELECT d.n FROM repositories r
                CROSS JOIN releases_by_day d WHERE r.period_id IS NULL AND d.repository_id = r.id AND d.day > $2 AND d.day <= $3"), " AS published,
            (SELECT count(DISTINCT p.repository_id) FROM ", late_passes!(), ") AS late,
            CASE WHEN EXISTS (SELECT 1 FROM totals t WHERE t.sort = 1 AND t.key = $4) THEN COALESCE(
                ", longest_promise!("(SELECT * FROM passes WHERE newest = 1 AND band = $4 ORDER BY promised DESC LIMIT 10)"), ",
                ", longest_promise!("passes"), ") END AS promised
        FROM (SELECT CAST(COALESCE(sum(s.n), 0) AS BIGINT) AS n, count(DISTINCT CASE WHEN s.n > 0 THEN s.host END) AS hosts,
                min(s.since) AS since
            FROM (SELECT host, count(period_id) AS n, min(watched_since) AS since FROM repositories
                WHERE period_id IS NOT NULL OR state = 7 GROUP BY registry_id, state, host) s) w");
    FLAGS = "SELECT state, severity, count(*) AS n FROM flags WHERE state IN (1, 2, 3) GROUP BY state, severity";
}

/// How many tags of each sort a repository has.
#[derive(Default)]
struct Counts {
    /// Present and not ignored.
    tags: u64,
    releases: u64,
    read: u64,
    found: u64,
    bands: HashMap<Band, BandCount>,
}

#[derive(Default)]
struct BandCount {
    /// Not absent.
    tags: u64,
    releases: u64,
}

/// The newest pass of a band, and what it knows of those before it.
struct Pass {
    band: Band,
    finished: Instant,
    /// And as fresh as promised.
    complete: bool,
    reason: Option<String>,
    next: Instant,
    promised: Millis,
    proof_promised: Millis,
    complete_started: Option<Instant>,
    proof_started: Option<Instant>,
    unread: Option<Unread>,
    late_at: Instant,
}

/// A repository whose lateness people are to be told of, or whose being on time again.
pub(in crate::store) struct Lateness {
    pub(in crate::store) id: i64,
    /// Why it is late; `None` when it is not any more.
    pub(in crate::store) late: Option<String>,
    /// It cannot be checked at all, of which people are told in other words.
    pub(in crate::store) failing: bool,
}

/// Repositories that are late and were not told to be, or the other way round. It is told when a band is late for `grace`, or
/// for as long as was promised, whichever is less: a pass that takes a moment longer is nobody's business.
pub(in crate::store) async fn lateness(
    conn: &mut Conn,
    grace: Millis,
    now: Instant,
) -> Result<Vec<Lateness>, StoreError> {
    let (counts, passes) = (counts(conn, None).await?, passes(conn, None).await?);
    let mut changed = Vec::new();
    for row in conn.all(ALL, values![]).await? {
        let repository = repository(&row, &counts, &passes, now)?;
        let failing = matches!(repository.state, RepositoryState::Failing | RepositoryState::Hidden);
        let told = row.instant_opt("late_told")?.is_some();
        let worth = |band: &&Freshness| {
            let promised = Millis(i64::try_from(band.promised_ms).unwrap_or(i64::MAX));
            band.late_since.is_some_and(|since| told || now - since >= grace.min(promised))
        };
        let late = repository.freshness.iter().find(worth).filter(|_| !failing);
        if late.is_some() != told {
            let late = late.map(|band| band.late_reason.clone().unwrap_or_default());
            changed.push(Lateness { id: row.int("id")?, late, failing });
        }
    }
    Ok(changed)
}

impl Store {
    /// What the first page says.
    pub async fn summary(&self, scope: Scope, now: Instant) -> Result<Summary, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let today = now.0.div_euclid(DAY);
        let row = conn.one(SUMMARY, values![now, today - 30, today, Band::Hot.code()]).await?;
        let mut summary = Summary {
            repositories: row.count("n")?,
            watched_since: row.instant_opt("since")?,
            registries: row.count("hosts")?,
            releases: row.count("releases")?,
            published_30_days: row.count("published")?,
            needs_attention: 0,
            needs_review: 0,
            acknowledged: 0,
            late: row.count("late")?,
            promised_ms: row.int_opt("promised")?.and_then(|promised| u64::try_from(promised).ok()),
            read_only: false,
            demo_percent: None,
        };
        for row in conn.all(FLAGS, values![]).await? {
            let n = row.count("n")?;
            match (row.int("state")?, row.int("severity")?) {
                (2, _) => summary.acknowledged += n,
                (3, _) => summary.needs_review += n,
                (_, severity) if severity > Severity::Info.code() => summary.needs_attention += n,
                _ => {}
            }
        }
        Ok(summary)
    }

    /// Watched and paused repositories by name, all or those of a group, and of them those whose name contains a text.
    pub async fn repositories(
        &self,
        scope: Scope,
        group: Option<&str>,
        contains: Option<&str>,
        now: Instant,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Repository>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let name = after.map_or(Ok(""), |after| after.text(0))?;
        let contains = contains.filter(|text| !text.is_empty());
        let rows = match group {
            None => conn.all(BY_NAME, values![name, one_more(limit), contains]).await?,
            Some(group) => {
                let Some(group) = group_id(&mut conn, group).await? else { return Ok((Vec::new(), None)) };
                conn.all(OF_GROUP, values![name, one_more(limit), contains, group]).await?
            }
        };
        let repositories = described(&mut conn, &rows, now).await?;
        Ok(page(repositories, limit, |repository| Position::of([repository.name.clone().into()])))
    }

    /// One watched or paused repository.
    pub async fn repository(
        &self,
        scope: Scope,
        name: &RepositoryName,
        now: Instant,
    ) -> Result<Option<Repository>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let Some(row) = conn.optional(ONE, values![name.to_string()]).await? else { return Ok(None) };
        Ok(described(&mut conn, &[row], now).await?.pop())
    }
}

/// Rows in the order of their names, with what belongs to each: a few statements, however many rows there are.
async fn described(conn: &mut Conn, rows: &[Row], now: Instant) -> Result<Vec<Repository>, StoreError> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let range = (first.text("name")?, last.text("name")?);
    let (counts, passes) = (counts(conn, Some(&range)).await?, passes(conn, Some(&range)).await?);
    let mut groups = groups_within(conn, &range).await?;
    let described = rows.iter().map(|row| {
        let groups = groups.remove(&row.int("id")?).unwrap_or_default();
        Ok(Repository { groups, ..repository(row, &counts, &passes, now)? })
    });
    described.collect()
}

/// Without its groups.
fn repository(
    row: &Row,
    counts: &HashMap<i64, Counts>,
    passes: &HashMap<i64, Vec<Pass>>,
    now: Instant,
) -> Result<Repository, StoreError> {
    let id = row.int("id")?;
    let none = Counts::default();
    let counts = counts.get(&id).unwrap_or(&none);
    let passes = passes.get(&id).map_or(&[][..], Vec::as_slice);
    let state = row.code("state", RepositoryState::from_code)?;
    let state_reason = row.text_opt("state_reason")?;
    let watched_since = row.instant_opt("watched_since")?;
    let watched_since = watched_since.ok_or_else(|| StoreError::Inconsistent("a watch without start".to_owned()))?;
    // While it is paused nothing is promised.
    let bands = Band::ALL.iter().filter(|_| state != RepositoryState::Paused);
    let bands = bands.filter_map(|band| counts.bands.get_key_value(band)).filter(|(_, n)| n.tags > 0);
    let freshness = bands.map(|(band, count)| {
        let pass = passes.iter().find(|pass| pass.band == *band);
        freshness(*band, count.tags, pass, state_reason.as_deref(), now)
    });
    Ok(Repository {
        name: row.text("name")?,
        registry: row.text("host")?,
        state,
        state_since: row.instant("state_since")?,
        watched_since,
        source: WatchSource::Person,
        groups: Vec::new(),
        tags: counts.tags,
        releases: counts.releases,
        open_flags: row.count("open_flags")?,
        last_pass: passes.iter().map(|pass| pass.finished).max(),
        next_pass: passes.iter().map(|pass| pass.next).min(),
        freshness: freshness.collect(),
        progress: (state == RepositoryState::New).then_some(Progress { read: counts.read, found: counts.found }),
        unread: passes.iter().filter_map(|pass| pass.unread.clone()).reduce(together),
        state_reason,
    })
}

/// Of two bands: the reason of the one with more.
fn together(one: Unread, other: Unread) -> Unread {
    let count = one.count + other.count;
    let reason = if one.count >= other.count { one.reason } else { other.reason };
    Unread { count, reason }
}

/// Late is a band whose newest complete pass started longer ago than is promised. A band that nobody has passed yet is not
/// late: its tags have just joined it.
fn freshness(band: Band, tags: u64, pass: Option<&Pass>, state_reason: Option<&str>, now: Instant) -> Freshness {
    let promised = pass.map_or(band.default_interval(), |pass| pass.promised);
    let proof_default = || Plan::default().proof_interval(band, &BTreeMap::new(), None);
    let proof_promised = pass.map_or_else(proof_default, |pass| pass.proof_promised);
    let late_since = pass.map(|pass| pass.late_at).filter(|late_at| now > *late_at);
    let reason = pass.filter(|pass| !pass.complete).and_then(|pass| pass.reason.as_deref());
    let reason = reason.or(state_reason).unwrap_or(NOT_ENDED);
    Freshness {
        band,
        tags,
        promised_ms: u64::try_from(promised.0).unwrap_or(0),
        last_complete: pass.and_then(|pass| pass.complete_started),
        proof_promised_ms: u64::try_from(proof_promised.0).unwrap_or(0),
        last_proof: pass.and_then(|pass| pass.proof_started),
        next: pass.map(|pass| pass.next),
        late_since,
        late_reason: late_since.map(|_| reason.to_owned()),
    }
}

/// The first and the last of the names that are meant.
type Range = (String, String);

async fn counts(conn: &mut Conn, of: Option<&Range>) -> Result<HashMap<i64, Counts>, StoreError> {
    use tagwarden_model::tag::Class;
    let rows = match of {
        Some((first, last)) => conn.all(COUNTS_OF_SOME, values![first, last]).await?,
        None => conn.all(COUNTS_OF_ALL, values![]).await?,
    };
    let mut all = HashMap::<i64, Counts>::new();
    for row in rows {
        let (class, state, n) = (row.code("class", Class::from_code)?, row.int("state")?, row.count("n")?);
        let (unread, present, absent) = (state == 0, state == 1, state == 2);
        let release = class == Class::Release && present;
        let counts = all.entry(row.int("repository_id")?).or_default();
        let band = counts.bands.entry(row.code("band", Band::from_code)?).or_default();
        let when = |condition: bool| if condition { n } else { 0 };
        band.tags += when(!absent);
        band.releases += when(release);
        counts.tags += when(present && class != Class::Ignored);
        counts.releases += when(release);
        counts.read += when(!unread);
        counts.found += n;
    }
    Ok(all)
}

async fn passes(conn: &mut Conn, of: Option<&Range>) -> Result<HashMap<i64, Vec<Pass>>, StoreError> {
    let rows = match of {
        Some((first, last)) => conn.all(PASSES_OF_SOME, values![first, last]).await?,
        None => conn.all(PASSES_OF_ALL, values![]).await?,
    };
    let mut all = HashMap::<i64, Vec<Pass>>::new();
    for row in rows {
        let reason = row.text_opt("reason")?;
        all.entry(row.int("repository_id")?).or_default().push(Pass {
            band: row.code("band", Band::from_code)?,
            finished: row.instant("finished")?,
            // A pass that names all it could not see is complete for sightings, but it kept no promise.
            complete: row.yes("complete")? && reason.is_none(),
            reason,
            next: row.instant("next")?,
            promised: Millis(row.int("promised")?),
            proof_promised: Millis(row.int("proof_promised")?),
            complete_started: row.instant_opt("complete_started")?,
            proof_started: row.instant_opt("proof_started")?,
            unread: unread(&row)?,
            late_at: row.instant("late_at")?,
        });
    }
    Ok(all)
}
