//! The lanes of a timeline.

pub mod tile;

use std::collections::BTreeSet;

use tagwarden_model::api::{Activity, Lane, LaneKind, Pause, TILE_LANES, TimelineHead, Watched};
use tagwarden_model::digest::hex;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::tag::Class;
use tagwarden_model::version::Version;

use super::{GAPS, Position, gap, one_more, repository_id};
use crate::store::db::{Conn, Row, Value, statements, values};
use crate::store::groups::group_id;
use crate::store::lanes::WHOLE_LEVELS;
use crate::store::{Scope, Store, StoreError, hints};

/// With more tracks a repository shows families, unless it is asked otherwise.
const MOST_TRACKS: u32 = 20;
/// Of so many repositories the activity is told in short buckets.
const FEW: u64 = 50;
/// Gaps of a repository, and its watches.
const MOST_GAPS: u32 = 500;
/// As tags have it: there, and gone.
const PRESENT: i64 = 1;
const ABSENT: i64 = 2;

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

/// The name of a lane as it is shown: `2.3.x-alpine`.
macro_rules! label {
    () => {
        "CASE l.kind WHEN 1 THEN concat_ws('-', 'x.y.z', nullif(l.name, '')) WHEN 2 THEN l.name ELSE
            concat_ws('-', concat_ws('', CASE l.family WHEN '' THEN l.name ELSE replace(l.name, concat_ws('', '-', l.family), '') END,
                '.x'), nullif(l.family, '')) END"
    };
}

/// Whether a text of the lane contains what is looked for.
macro_rules! contains {
    ($text:expr) => {
        concat!("replace(lower(", $text, "), lower($6), '') <> lower(", $text, ")")
    };
}

/// Whether the lane is one of those that are there whatever is filtered: $11 is a list with a comma before and behind each.
macro_rules! pinned {
    () => {
        "($11 <> '' AND replace($11, concat_ws('', ',', l.id, ','), '') <> $11)"
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
            " AND l.class <> 4 AND l.kind <> 0 AND (",
            pinned!(),
            " OR (l.kind IN (2, CASE WHEN $2 <> 0 THEN $2 WHEN w.tracks <= $3 THEN 3 ELSE 1 END)
                AND (CAST($4 AS TEXT) IS NULL OR (l.kind = 3 AND l.family = $4))
                AND (CAST($5 AS BIGINT) IS NULL OR l.class = $5)
                AND (CAST($6 AS TEXT) IS NULL OR ",
            contains!("l.name"),
            " OR ",
            contains!("r.name"),
            " OR ",
            contains!(label!()),
            "
                    OR (l.kind <> 2 AND EXISTS (SELECT 1 FROM lanes o WHERE o.repository_id = r.id AND o.kind = 3 AND o.name = $12
                        AND (o.id = l.id OR (l.kind = 1 AND l.name = o.family))))
                    OR (l.kind <> 2 AND EXISTS (SELECT 1 FROM tags t WHERE t.repository_id = r.id AND t.name = $6 AND t.class = 1
                        AND l.name = CASE l.kind WHEN 1 THEN t.family ELSE COALESCE(t.track, t.family) END)))
                AND ($7 = 0 OR (l.kind = 3 AND l.version >= $8 AND l.version <= $9))
                AND ($13 = 0 OR (l.kind <> 2 AND $13 = 1) OR (l.kind = 2 AND EXISTS (SELECT 1 FROM tags t
                    WHERE t.repository_id = r.id AND t.name = l.name AND t.state = $13)))
                AND ($10 = 0 OR l.id IN (
                    SELECT o.id FROM flags f JOIN tags t ON t.id = f.tag_id
                        JOIN lanes o ON o.repository_id = f.repository_id AND o.kind = 1 AND o.name = t.family
                        WHERE f.state <> 4 AND t.class = 1
                    UNION ALL SELECT o.id FROM flags f JOIN tags t ON t.id = f.tag_id
                        JOIN lanes o ON o.repository_id = f.repository_id AND o.kind = 3 AND o.name = COALESCE(t.track, t.family)
                        WHERE f.state <> 4 AND t.class = 1
                    UNION ALL SELECT o.id FROM flags f JOIN tags t ON t.id = f.tag_id
                        JOIN lanes o ON o.repository_id = f.repository_id AND o.kind = 2 AND o.name = t.name
                        WHERE f.state <> 4)))) "
        )
    };
}

macro_rules! select {
    ($from:expr) => {
        concat!(
            "SELECT p.*, (SELECT count(*) FROM flags f JOIN tags t ON t.id = f.tag_id
                WHERE f.repository_id = p.repository_id AND f.state IN (1, 2, 3)
                    AND (p.kind = 2 OR t.class = 1)
                    AND p.name = CASE p.kind WHEN 1 THEN t.family WHEN 3 THEN COALESCE(t.track, t.family) ELSE t.name END) AS flags
            FROM (SELECT l.id, r.id AS repository_id, r.name AS repository, l.kind, l.name, l.class, l.n, l.baseline, l.first_at,
                l.last_at, l.position",
            $from,
            ") p ORDER BY p.repository, p.position"
        )
    };
}

/// A page of them.
macro_rules! of {
    ($of:expr) => {
        select!(concat!(
            lanes!($of),
            " AND r.name >= $14 AND (r.name > $14 OR l.position > $15) ORDER BY r.name, l.position LIMIT $16"
        ))
    };
}

/// One of them by its number.
macro_rules! one {
    ($of:expr) => {
        select!(concat!(
            " FROM repositories r JOIN lanes l ON l.repository_id = r.id WHERE ",
            $of,
            " AND l.class <> 4 AND l.kind <> 0 AND l.id = $2"
        ))
    };
}

macro_rules! activity {
    ($of:expr) => {
        concat!(
            "SELECT b.bucket, CAST(sum(b.n) AS BIGINT) AS n, min(b.first_at) AS first_at FROM repositories r
                JOIN lanes w ON w.repository_id = r.id AND w.kind = 0 JOIN rollups b ON b.lane_id = w.id AND b.level = $2
            WHERE ",
            $of,
            " GROUP BY b.bucket ORDER BY b.bucket"
        )
    };
}

statements! {
    OF_MANY = of!(of_many!());
    OF_ONE = of!(of_one!());
    PINNED_OF_MANY = one!(of_many!());
    PINNED_OF_ONE = one!(of_one!());
    COUNT_OF_MANY = concat!("SELECT count(*) AS n", lanes!(of_many!()));
    COUNT_OF_ONE = concat!("SELECT count(*) AS n", lanes!(of_one!()));
    ACTIVITY_OF_MANY = activity!(of_many!());
    ACTIVITY_OF_ONE = activity!(of_one!());
    REPOSITORIES = concat!("SELECT count(*) AS n FROM repositories r WHERE ", of_many!());
    SINCE = "SELECT name, watched_since FROM repositories WHERE id = $1";
    PERIODS = "SELECT began, ended FROM watch_periods WHERE repository_id = $1 ORDER BY began DESC, id DESC LIMIT $2";
}

/// Whose lanes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LanesOf {
    /// All that is watched.
    #[default]
    All,
    /// One repository.
    Repository(RepositoryName),
    /// The repositories of a group.
    Group(String),
}

/// Which lanes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneFilter {
    /// Whose.
    pub of: LanesOf,
    /// How releases are gathered: by family or by track. `None` decides it for each repository by how many tracks it has; they are
    /// families, too, where all lanes would not have room on one page.
    pub by: Option<LaneKind>,
    /// Only the tracks of this family.
    pub family: Option<String>,
    /// Of this class.
    pub class: Option<Class>,
    /// Only with a flag that is not closed.
    pub flagged: bool,
    /// Of tags only those that are there, or only those that are gone.
    pub present: Option<bool>,
    /// Whose name, or whose repository's, contains this, or on which there is a release of this name.
    pub contains: Option<String>,
    /// Only these tracks.
    pub versions: Option<Versions>,
    /// These, too.
    pub pinned: Vec<i64>,
}

/// Tracks from one to another, both included, as [`track_range`](tagwarden_model::version::track_range) gives them.
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
        let [statement, count, pin] =
            if one { [OF_ONE, COUNT_OF_ONE, PINNED_OF_ONE] } else { [OF_MANY, COUNT_OF_MANY, PINNED_OF_MANY] };
        let tracks_only = filter.family.is_some() || filter.versions.is_some();
        let by = if tracks_only { Some(LaneKind::Track) } else { filter.by };
        let mut chosen = chosen(of, by, filter);
        let mut total = conn.one(count, &chosen).await?.count("n")?;
        if by.is_none() && total > TILE_LANES as u64 {
            chosen = self::chosen(of, Some(LaneKind::Family), filter);
            total = conn.one(count, &chosen).await?.count("n")?;
        }
        let (name, position) = match after {
            Some(after) => (after.text(0)?, super::tags::unhex(after.text(1)?)?),
            None => ("", Vec::new()),
        };
        let values = [&chosen[..], values![name, &position[..], one_more(limit)]].concat();
        let rows = conn.all(statement, &values).await?;
        let mut pinned = Vec::new();
        for id in filter.pinned.iter().take(limit.saturating_sub(1) as usize) {
            pinned.extend(conn.optional(pin, values![of, *id]).await?);
        }
        let (rows, next) = page_of(pinned, rows, limit as usize)?;
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
            total,
            activity: activity(&mut conn, one, of).await?,
        };
        Ok(Some((head, next)))
    }
}

/// The values of what is chosen, as the statements number them.
fn chosen(of: i64, by: Option<LaneKind>, filter: &LaneFilter) -> Vec<Value> {
    let Versions { from, to } = filter.versions.clone().unwrap_or_default();
    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_else(|| LAST.to_vec()));
    let contains = filter.contains.as_deref().filter(|text| !text.is_empty());
    // A track as it is shown, or a release of it.
    let track = contains.and_then(|text| Version::of(&text.replacen(".x", "", 1)).track);
    let pinned: Vec<String> = filter.pinned.iter().map(|id| format!(",{id},")).collect();
    let state = match filter.present {
        None => 0,
        Some(true) => PRESENT,
        Some(false) => ABSENT,
    };
    let first = values![of, by.map_or(0, LaneKind::code), MOST_TRACKS, filter.family.as_deref()];
    let second = values![filter.class.map(Class::code), contains, filter.versions.is_some(), &from[..], &to[..]];
    [first, &second[..], values![filter.flagged, pinned.concat(), track.as_deref(), state]].concat()
}

/// Greater than every track's key.
const LAST: &[u8] = &[0xff];

fn empty() -> TimelineHead {
    let activity = Activity { level: level(false), first_ms: None, bucket: Vec::new(), count: Vec::new() };
    TimelineHead { repositories: Vec::new(), lanes: Vec::new(), next: None, total: 0, activity }
}

fn level(few: bool) -> u8 {
    let [short, long] = WHOLE_LEVELS;
    (if few { short } else { long }) as u8
}

/// A page of `rows`, after those of `pinned` that are not on it: it is as much shorter. With the position of the next.
fn page_of(pinned: Vec<Row>, rows: Vec<Row>, limit: usize) -> Result<(Vec<Row>, Option<Position>), StoreError> {
    let ids = rows.iter().map(|row| row.int("id")).collect::<Result<Vec<_>, _>>()?;
    let pins = pinned.iter().map(|row| row.int("id")).collect::<Result<Vec<_>, _>>()?;
    let mut kept = limit.min(ids.len());
    let is_on = |kept: usize, id: &i64| ids[..kept].contains(id);
    loop {
        let room = limit - pins.iter().filter(|id| !is_on(kept, id)).count();
        if kept <= room {
            break;
        }
        kept = room;
    }
    let next = match rows.get(kept.saturating_sub(1)) {
        Some(row) if kept < ids.len() => {
            Some(Position::of([row.text("repository")?.into(), hex(&row.bytes("position")?).into()]))
        }
        _ => None,
    };
    let first = pinned.into_iter().zip(&pins).filter(|(_, id)| !is_on(kept, id)).map(|(row, _)| row);
    Ok((first.chain(rows.into_iter().take(kept)).collect(), next))
}

async fn activity(conn: &mut Conn, one: bool, of: i64) -> Result<Activity, StoreError> {
    let few = one || conn.one(REPOSITORIES, values![of]).await?.count("n")? <= FEW;
    let statement = if one { ACTIVITY_OF_ONE } else { ACTIVITY_OF_MANY };
    let mut activity = Activity { level: level(few), first_ms: None, bucket: Vec::new(), count: Vec::new() };
    for row in conn.all(statement, values![of, i64::from(activity.level)]).await? {
        activity.first_ms.get_or_insert(row.int("first_at")?);
        activity.bucket.push(row.int("bucket")?);
        activity.count.push(row.count("n")?);
    }
    Ok(activity)
}

/// `None` once its history was deleted.
async fn watched(conn: &mut Conn, id: i64) -> Result<Option<Watched>, StoreError> {
    let row = conn.one(SINCE, values![id]).await?;
    let Some(mut since) = row.instant_opt("watched_since")? else { return Ok(None) };
    let (mut pauses, mut next) = (Vec::new(), None);
    for period in conn.all(PERIODS, values![id, MOST_GAPS]).await? {
        // One that ended where the next began left no time out.
        if let Some(from) = period.instant_opt("ended")?.filter(|ended| next.is_none_or(|next| *ended < next)) {
            pauses.push(Pause { from, until: next });
        }
        since = period.instant("began")?;
        next = Some(since);
    }
    let gaps = conn.all(GAPS, values![id, MOST_GAPS]).await?.iter().map(gap).collect::<Result<_, _>>()?;
    let (hints, hints_from, hints_to_come) = hints::progress(conn, id).await?;
    Ok(Some(Watched { repository: row.text("name")?, since, pauses, gaps, hints, hints_from, hints_to_come }))
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
