//! The lanes of a timeline.

pub mod tile;

use std::collections::BTreeSet;

use tagwarden_model::api::{Activity, Lane, LaneKind, TimelineHead, Watched};
use tagwarden_model::digest::hex;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::tag::Class;

use super::{GAPS, Position, gap, one_more, page, repository_id};
use crate::store::db::{Conn, Row, statements, values};
use crate::store::groups::group_id;
use crate::store::lanes::WHOLE_LEVELS;
use crate::store::{Scope, Store, StoreError, hints};

/// With more tracks a repository shows families, unless it is asked otherwise.
const MOST_TRACKS: u32 = 20;
/// Of so many repositories the activity is told in short buckets.
const FEW: u64 = 50;
/// Gaps of a repository.
const MOST_GAPS: u32 = 500;

macro_rules! of_many {
    () => {
        "(r.period_id IS NOT NULL OR r.state = 7)
            AND ($1 = 0 OR r.id IN (SELECT m.repository_id FROM group_repositories m WHERE m.group_id = $1))"
    };
}

macro_rules! of_one {
    () => {
        "r.id = $1"
    };
}

/// Lanes of a sort, with their repository and the lane that is all of it.
macro_rules! lanes {
    ($of:expr) => {
        concat!(
            " FROM repositories r JOIN lanes w ON w.repository_id = r.id AND w.kind = 0
                JOIN lanes l ON l.repository_id = r.id
            WHERE ",
            $of,
            " AND l.class <> 4 AND l.kind IN (2, CASE WHEN $2 <> 0 THEN $2 WHEN w.tracks <= $3 THEN 3 ELSE 1 END)
                AND (CAST($4 AS TEXT) IS NULL OR (l.kind = 3 AND l.family = $4))
                AND (CAST($5 AS BIGINT) IS NULL OR l.class = $5)
                AND (CAST($6 AS TEXT) IS NULL OR replace(lower(l.name), lower($6), '') <> lower(l.name)
                    OR replace(lower(r.name), lower($6), '') <> lower(r.name))
                AND ($7 = 0 OR (l.kind = 3 AND l.version >= $8 AND l.version <= $9))
                AND ($10 = 0 OR l.id IN (
                    SELECT o.id FROM flags f JOIN tags t ON t.id = f.tag_id
                        JOIN lanes o ON o.repository_id = f.repository_id AND o.kind = 1 AND o.name = t.family
                        WHERE f.state <> 4 AND t.class = 1
                    UNION ALL SELECT o.id FROM flags f JOIN tags t ON t.id = f.tag_id
                        JOIN lanes o ON o.repository_id = f.repository_id AND o.kind = 3 AND o.name = COALESCE(t.track, t.family)
                        WHERE f.state <> 4 AND t.class = 1
                    UNION ALL SELECT o.id FROM flags f JOIN tags t ON t.id = f.tag_id
                        JOIN lanes o ON o.repository_id = f.repository_id AND o.kind = 2 AND o.name = t.name
                        WHERE f.state <> 4)) "
        )
    };
}

macro_rules! select {
    ($of:expr) => {
        concat!(
            "SELECT p.*, (SELECT count(*) FROM flags f JOIN tags t ON t.id = f.tag_id
                WHERE f.repository_id = p.repository_id AND f.state IN (1, 2, 3)
                    AND (p.kind = 2 OR t.class = 1)
                    AND p.name = CASE p.kind WHEN 1 THEN t.family WHEN 3 THEN COALESCE(t.track, t.family) ELSE t.name END) AS flags
            FROM (SELECT l.id, r.id AS repository_id, r.name AS repository, l.kind, l.name, l.class, l.n, l.baseline, l.first_at,
                l.last_at, l.position",
            lanes!($of),
            " AND r.name >= $11 AND (r.name > $11 OR l.position > $12) ORDER BY r.name, l.position LIMIT $13) p
            ORDER BY p.repository, p.position"
        )
    };
}

macro_rules! activity {
    ($of:expr) => {
        concat!(
            "SELECT b.bucket, CAST(sum(b.n) AS BIGINT) AS n FROM repositories r
                JOIN lanes w ON w.repository_id = r.id AND w.kind = 0 JOIN rollups b ON b.lane_id = w.id AND b.level = $2
            WHERE ",
            $of,
            " GROUP BY b.bucket ORDER BY b.bucket"
        )
    };
}

statements! {
    OF_MANY = select!(of_many!());
    OF_ONE = select!(of_one!());
    COUNT_OF_MANY = concat!("SELECT count(*) AS n", lanes!(of_many!()));
    COUNT_OF_ONE = concat!("SELECT count(*) AS n", lanes!(of_one!()));
    ACTIVITY_OF_MANY = activity!(of_many!());
    ACTIVITY_OF_ONE = activity!(of_one!());
    REPOSITORIES = concat!("SELECT count(*) AS n FROM repositories r WHERE ", of_many!());
    SINCE = "SELECT name, watched_since FROM repositories WHERE id = $1";
}

/// Whose lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LanesOf {
    /// All that is watched.
    All,
    /// One repository.
    Repository(RepositoryName),
    /// The repositories of a group.
    Group(String),
}

/// Which lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneFilter {
    /// Whose.
    pub of: LanesOf,
    /// How releases are gathered: by family or by track. `None` decides it for each repository by how many tracks it has.
    pub by: Option<LaneKind>,
    /// Only the tracks of this family.
    pub family: Option<String>,
    /// Of this class.
    pub class: Option<Class>,
    /// Only with a flag that is not closed.
    pub flagged: bool,
    /// Whose name, or whose repository's, contains this.
    pub contains: Option<String>,
    /// Only these tracks.
    pub versions: Option<Versions>,
}

/// Tracks from one to another, both included, as [`track_key`](tagwarden_model::version::track_key) gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// The first.
    pub from: Option<Vec<u8>>,
    /// The last.
    pub to: Option<Vec<u8>>,
}

impl Store {
    /// A page of lanes, with the position of the next; `None` if the repository was never watched.
    pub async fn lanes(
        &self,
        scope: Scope,
        filter: &LaneFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Option<(TimelineHead, Option<Position>)>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let (one, of) = match &filter.of {
            LanesOf::All => (false, 0),
            LanesOf::Repository(name) => match repository_id(&mut conn, name).await? {
                Some(id) => (true, id),
                None => return Ok(None),
            },
            LanesOf::Group(name) => match group_id(&mut conn, name).await? {
                Some(id) => (false, id),
                None => return Ok(Some((empty(), None))),
            },
        };
        let [statement, count] = if one { [OF_ONE, COUNT_OF_ONE] } else { [OF_MANY, COUNT_OF_MANY] };
        let tracks_only = filter.family.is_some() || filter.versions.is_some();
        let by = if tracks_only { Some(LaneKind::Track) } else { filter.by };
        let Versions { from, to } = filter.versions.clone().unwrap_or_default();
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or_else(|| LAST.to_vec()));
        let chosen = values![
            of,
            by.map_or(0, LaneKind::code),
            MOST_TRACKS,
            filter.family.as_deref(),
            filter.class.map(Class::code),
            filter.contains.as_deref().filter(|text| !text.is_empty()),
            filter.versions.is_some(),
            &from[..],
            &to[..],
            filter.flagged,
        ];
        let (name, position) = match after {
            Some(after) => (after.text(0)?, super::tags::unhex(after.text(1)?)?),
            None => ("", Vec::new()),
        };
        let values = [chosen, &values![name, &position[..], one_more(limit)][..]].concat();
        let rows = conn.all(statement, &values).await?;
        let (rows, next) = page_of(rows, limit)?;
        // The one that was asked for is there without lanes, too.
        let mut shown: BTreeSet<i64> = one.then_some(of).into_iter().collect();
        for row in &rows {
            shown.insert(row.int("repository_id")?);
        }
        let mut repositories = Vec::new();
        for id in shown {
            repositories.extend(watched(&mut conn, id).await?);
        }
        repositories.sort_by(|one, other| one.repository.cmp(&other.repository));
        let head = TimelineHead {
            repositories,
            lanes: rows.iter().map(lane).collect::<Result<_, _>>()?,
            next: None,
            total: conn.one(count, chosen).await?.count("n")?,
            activity: if after.is_none() { activity(&mut conn, one, of).await? } else { empty().activity },
        };
        Ok(Some((head, next)))
    }
}

/// Greater than every track's key.
const LAST: &[u8] = &[0xff];

fn empty() -> TimelineHead {
    let activity = Activity { level: level(false), bucket: Vec::new(), count: Vec::new() };
    TimelineHead { repositories: Vec::new(), lanes: Vec::new(), next: None, total: 0, activity }
}

fn level(few: bool) -> u8 {
    let [short, long] = WHOLE_LEVELS;
    (if few { short } else { long }) as u8
}

fn page_of(rows: Vec<Row>, limit: u32) -> Result<(Vec<Row>, Option<Position>), StoreError> {
    let position = |row: Row| {
        let position = Position::of([row.text("repository")?.into(), hex(&row.bytes("position")?).into()]);
        Ok((row, position))
    };
    let rows = rows.into_iter().map(position).collect::<Result<Vec<_>, StoreError>>()?;
    let (rows, next) = page(rows, limit, |(_, position)| position.clone());
    Ok((rows.into_iter().map(|(row, _)| row).collect(), next))
}

async fn activity(conn: &mut Conn, one: bool, of: i64) -> Result<Activity, StoreError> {
    let few = one || conn.one(REPOSITORIES, values![of]).await?.count("n")? <= FEW;
    let statement = if one { ACTIVITY_OF_ONE } else { ACTIVITY_OF_MANY };
    let mut activity = Activity { level: level(few), bucket: Vec::new(), count: Vec::new() };
    for row in conn.all(statement, values![of, i64::from(activity.level)]).await? {
        activity.bucket.push(row.int("bucket")?);
        activity.count.push(row.count("n")?);
    }
    Ok(activity)
}

/// `None` once its history was deleted.
async fn watched(conn: &mut Conn, id: i64) -> Result<Option<Watched>, StoreError> {
    let row = conn.one(SINCE, values![id]).await?;
    let Some(since) = row.instant_opt("watched_since")? else { return Ok(None) };
    let gaps = conn.all(GAPS, values![id, MOST_GAPS]).await?.iter().map(gap).collect::<Result<_, _>>()?;
    let (hints, hints_from, hints_to_come) = hints::progress(conn, id).await?;
    Ok(Some(Watched { repository: row.text("name")?, since, gaps, hints, hints_from, hints_to_come }))
}

fn lane(row: &Row) -> Result<Lane, StoreError> {
    Ok(Lane {
        id: row.int("id")?.to_string(),
        repository: row.text("repository")?,
        kind: row.code("kind", LaneKind::from_code)?,
        name: row.text("name")?,
        class: row.code("class", Class::from_code)?,
        events: row.count("n")?,
        baseline: row.count("baseline")?,
        flags: row.count("flags")?,
        first: row.instant("first_at")?,
        last: row.instant("last_at")?,
    })
}
