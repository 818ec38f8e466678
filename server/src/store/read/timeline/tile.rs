//! The marks of lanes in one stretch of time.

mod marks;
mod names;

use std::collections::{BTreeSet, HashMap};

use futures::join;
use tagwarden_model::api::{Breach, Hint, LaneKind, TILE_BUCKETS, TILE_LANES, TILE_LEVELS, Tile, TileLane};
use tagwarden_model::event::EventKind;
use tagwarden_model::flag::FlagState;
use tagwarden_model::tag::Class;
use tagwarden_model::timeline::short;

pub(in crate::store) use self::names::DIALECTS;
use self::names::Names;
use crate::store::db::{Conn, Row, Value, statements, values};
use crate::store::{Scope, Store, StoreError};

/// Breaches of a tile, claims, and hints; the newest are kept.
const MOST: u32 = 1000;

/// The lanes that are asked for: as many places as there may be lanes.
macro_rules! asked {
    () => {
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, \
            $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40)"
    };
}

/// Their repositories, of which there are at most as many; no statement can find them faster than they are given to it.
macro_rules! of_asked {
    () => {
        "($44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66, $67, \
            $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82, $83)"
    };
}

/// Whether the release of the row is on a lane that is asked for: one of its two.
macro_rules! on_asked {
    ($repository:literal) => {
        concat!(
            "((SELECT l.id FROM lanes l WHERE l.repository_id = ",
            $repository,
            " AND l.kind = 1 AND l.name = t.family) IN ",
            asked!(),
            " OR (SELECT l.id FROM lanes l WHERE l.repository_id = ",
            $repository,
            " AND l.kind = 3 AND l.name = COALESCE(t.track, t.family)) IN ",
            asked!(),
            ")"
        )
    };
}

/// The first release that the digest of the row was published as.
macro_rules! release {
    ($digest:literal, $repository:literal) => {
        concat!(
            "(SELECT p.tag FROM first_releases p WHERE p.digest_id = ",
            $digest,
            " AND p.repository_id = ",
            $repository,
            ")"
        )
    };
}

statements! {
    SEQ = "SELECT event AS seq FROM counter";
    LANES = concat!("SELECT id, repository_id, kind, name, class FROM lanes WHERE kind <> 0 AND class <> 4 AND id IN ", asked!());
    /// The rollups of a lane in one text, as numbers with blanks between them: a row for each of ten thousand would take longer than
    /// all else. Levels in between are merged here: the database would sort for it.
    MARKS = concat!("SELECT r.lane_id, string_agg(concat_ws(' ', r.first_at, r.last_at, COALESCE(r.not_before, r.last_at), r.n, r.baseline,
            r.last_seq, r.kind, r.tag_id, COALESCE(r.digest_id, 0)), ' ') AS marks
        FROM rollups r WHERE r.lane_id IN ", asked!(), " AND r.level = $41 AND r.bucket >= $42 AND r.bucket < $43 GROUP BY r.lane_id");
    /// The newest span that began before the tile, if it reaches into it. What has begun before the lane's first event has no mark
    /// on it, and may begin in the tile: the tag was of another class then.
    ENTERING = concat!("SELECT l.id AS lane_id, s.from_at, e.not_before, s.digest_id, d.hash, ", release!("s.digest_id", "l.repository_id"),
        " AS release_tag
        FROM lanes l JOIN tags t ON t.repository_id = l.repository_id AND t.name = l.name
            JOIN spans s ON s.began_seq = (SELECT x.began_seq FROM spans x WHERE x.tag_id = t.id
                    AND x.from_at < CASE WHEN l.n = 0 OR l.first_at >= $42 THEN $42 WHEN l.first_at > $41 THEN l.first_at ELSE $41 END
                ORDER BY x.from_at DESC, x.began_seq DESC LIMIT 1)
            JOIN digests d ON d.id = s.digest_id JOIN events e ON e.seq = s.began_seq
        WHERE l.kind = 2 AND l.id IN ", asked!(), " AND (s.until_at IS NULL OR s.until_at >= $41)");
    BREACHES = concat!("SELECT x.repository_id, x.seq, x.at, x.restored, x.flag_id, f.state, e.not_before, e.kind, e.class, e.tag_id,
            t.name AS tag, t.family, COALESCE(t.track, t.family) AS track, t.first_seen, e.old_id, o.hash AS old_hash, ",
            release!("e.old_id", "x.repository_id"), " AS old_release, e.new_id, n.hash AS new_hash, ",
            release!("e.new_id", "x.repository_id"), " AS new_release
        FROM flag_events x JOIN events e ON e.seq = x.seq JOIN tags t ON t.id = e.tag_id JOIN flags f ON f.id = x.flag_id
            LEFT JOIN digests o ON o.id = e.old_id LEFT JOIN digests n ON n.id = e.new_id
        WHERE x.repository_id IN ", of_asked!(), "
            AND x.at >= $41 AND x.at < $42
            AND ((e.class = 1 AND ", on_asked!("x.repository_id"), ")
                OR (e.class = 2 AND (SELECT l.id FROM lanes l WHERE l.repository_id = x.repository_id AND l.kind = 2 AND l.name = t.name)
                    IN ", asked!(), "))
        ORDER BY x.at DESC, x.seq DESC LIMIT $43");
    HINTS = concat!("SELECT h.repository_id, h.created, h.tag_id, t.name AS tag, t.family, COALESCE(t.track, t.family) AS track, h.digest_id,
            d.hash, ", release!("h.digest_id", "h.repository_id"), " AS release_tag
        FROM hints h JOIN tags t ON t.id = h.tag_id JOIN digests d ON d.id = h.digest_id
        WHERE h.repository_id IN ", of_asked!(), "
            AND h.created >= $41 AND h.created < $42 AND t.class = 1
            AND ", on_asked!("h.repository_id"), "
        ORDER BY h.created DESC, h.tag_id DESC LIMIT $43");
    /// Releases that have a hint, where the watch found them. Few: of a repository at most 200 are looked into, ever.
    HINTED = concat!("SELECT h.tag_id, h.repository_id, t.first_seen, t.family, COALESCE(t.track, t.family) AS track
        FROM hints h JOIN tags t ON t.id = h.tag_id
        WHERE h.repository_id IN ", asked!(), " AND h.created IS NOT NULL AND t.class = 1 AND t.first_seen >= $41 AND t.first_seen < $42");
    /// What befell repositories, and claims that nothing has proven yet. The condition is that of an index.
    APART = concat!("SELECT e.repository_id, e.seq, e.at, e.not_before, e.kind, e.tag_id, r.name AS repository, x.flag_id, f.state
        FROM events e JOIN repositories r ON r.id = e.repository_id
            LEFT JOIN flag_events x ON x.seq = e.seq LEFT JOIN flags f ON f.id = x.flag_id
        WHERE e.repository_id IN ", asked!(), " AND (e.tag_id IS NULL OR e.verified = 0) AND e.at >= $41 AND e.at < $42
            AND NOT EXISTS (SELECT 1 FROM event_proofs p WHERE p.seq = e.seq)
        ORDER BY e.at DESC, e.seq DESC LIMIT $43");
}

/// Which tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileAt {
    level: u8,
    number: i64,
}

impl TileAt {
    /// `None` if there is no such level, or where time, as it is counted, ends.
    pub fn new(level: u8, number: i64) -> Option<Self> {
        let length = TILE_BUCKETS << *TILE_LEVELS.end().min(&level);
        number.checked_add(1)?.checked_mul(length)?;
        number.checked_mul(length)?;
        TILE_LEVELS.contains(&level).then_some(Self { level, number })
    }

    /// The bucket of `level` that it begins with, and the one behind it.
    fn buckets(self, level: i64) -> (i64, i64) {
        let finer = i64::from(self.level) - level;
        ((self.number * TILE_BUCKETS) << finer, ((self.number + 1) * TILE_BUCKETS) << finer)
    }
}

impl Store {
    /// The marks of lanes, which are asked for by number; those that are not there are empty. At most [`TILE_LANES`].
    pub async fn tile(&self, scope: Scope, at: TileAt, lanes: &[i64]) -> Result<Tile, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        // First: what the other statements find is at least that new.
        let seq = conn.one(SEQ, values![]).await?.int("seq")?;
        let asked = as_many(lanes.iter().copied());
        let mut places = Places::default();
        for row in conn.all(LANES, &asked).await? {
            let id = row.int("id")?;
            let place = lanes.iter().position(|lane| *lane == id).unwrap_or_default();
            let kind = row.code("kind", LaneKind::from_code)?;
            let repository = row.int("repository_id")?;
            let class = row.code("class", Class::from_code)?;
            places.by_id.insert(id, LaneAsked { place, repository, kind, class });
            places.by_name.insert((repository, kind, row.text("name")?), place);
        }
        let repositories = as_many(places.by_id.values().map(|lane| lane.repository).collect::<BTreeSet<i64>>());
        // Both at once, where a second connection is open that nobody uses.
        let mut spare = self.spare_read_conn();
        let beside = async {
            let spare = spare.as_mut()?;
            if !spare.answers().await {
                return None;
            }
            Beside::read(spare, at, &asked, &repositories, &places).await.ok()
        };
        let (marked, beside) = join!(marks::read(&mut conn, at, &asked, &places), beside);
        let marked = marked?;
        let beside = match beside {
            Some(beside) => beside,
            None => Beside::read(&mut conn, at, &asked, &repositories, &places).await?,
        };
        let mut names = Names::default();
        let mut found = vec![TileLane::default(); lanes.len()];
        marks::name(&mut conn, &marked, &mut names).await?;
        marks::put(marked, &names, &mut found);
        for row in &beside.entering {
            let Some(LaneAsked { place, repository, .. }) = places.lane(row)? else { continue };
            let Some(lane) = found.get_mut(place) else { continue };
            lane.entering = names.digest(row, repository, "digest_id", "hash", "release_tag")?;
            lane.entering_since_ms = Some(row.int("from_at")?);
            lane.entering_not_before_ms = row.int_opt("not_before")?;
        }
        let (mut breaches, mut hints) = (Vec::new(), Vec::new());
        for row in beside.breaches.iter().rev() {
            places.breaches(row, &mut names, &mut breaches)?;
        }
        for row in beside.hints.iter().rev() {
            places.hints(row, &mut names, &mut hints)?;
        }
        if found.iter().any(|lane| lane.baseline.iter().any(|n| *n > 0))
            && places.by_id.values().any(LaneAsked::is_of_releases)
        {
            let (begins, ends) = at.buckets(0);
            for row in conn.all(HINTED, &[&repositories[..], values![begins, ends]].concat()).await? {
                places.leave_out(&row, at.level, &names, &mut found)?;
            }
        }
        // Where its family and its track are asked for, each is there twice.
        breaches.drain(..breaches.len().saturating_sub(MOST as usize));
        hints.drain(..hints.len().saturating_sub(MOST as usize));
        let mut claims = Vec::new();
        for row in &beside.apart {
            if row.int_opt("tag_id")?.is_some() {
                claims.push(row.int("seq")?);
            } else {
                breaches.extend(places.of_repository(row, &mut names)?);
            }
        }
        claims.sort_unstable();
        breaches.sort_by_key(|breach| (breach.at_ms, breach.seq));
        let Names { digests, tags, .. } = names;
        let (level, number) = (at.level, at.number);
        Ok(Tile { level, number, seq, lanes: found, claims, digests, tags, breaches, hints })
    }
}

/// What is drawn beside marks: spans that reach into the tile, breaches, hints, and what befell repositories.
struct Beside {
    entering: Vec<Row>,
    breaches: Vec<Row>,
    hints: Vec<Row>,
    apart: Vec<Row>,
}

impl Beside {
    async fn read(
        conn: &mut Conn,
        at: TileAt,
        asked: &[Value],
        repositories: &[Value],
        places: &Places,
    ) -> Result<Self, StoreError> {
        let (begins, ends) = at.buckets(0);
        let lanes = || places.by_id.values();
        let mut beside = Self { entering: Vec::new(), breaches: Vec::new(), hints: Vec::new(), apart: Vec::new() };
        if lanes().any(|lane| lane.kind == LaneKind::Tag) {
            beside.entering = conn.all(ENTERING, &[asked, values![begins, ends]].concat()).await?;
        }
        let values = [asked, values![begins, ends, MOST], repositories].concat();
        if lanes().any(|lane| lane.class != Class::Rolling) {
            beside.breaches = conn.all(BREACHES, &values).await?;
        }
        if lanes().any(LaneAsked::is_of_releases) {
            beside.hints = conn.all(HINTS, &values).await?;
        }
        beside.apart = conn.all(APART, &[repositories, values![begins, ends, MOST]].concat()).await?;
        Ok(beside)
    }
}

/// In the place of a tag: it stands elsewhere.
const NO_TAG: i32 = -1;

/// A lane's place in the answer, and what it is.
#[derive(Clone, Copy)]
struct LaneAsked {
    place: usize,
    repository: i64,
    kind: LaneKind,
    class: Class,
}

impl LaneAsked {
    fn is_of_releases(&self) -> bool {
        self.kind != LaneKind::Tag
    }
}

/// Where the lanes that are there stand in the answer.
#[derive(Default)]
struct Places {
    by_id: HashMap<i64, LaneAsked>,
    by_name: HashMap<(i64, LaneKind, String), usize>,
}

impl Places {
    fn lane(&self, row: &Row) -> Result<Option<LaneAsked>, StoreError> {
        Ok(self.by_id.get(&row.int("lane_id")?).copied())
    }

    /// Adds the breach on every lane that has it.
    fn breaches(&self, row: &Row, names: &mut Names, breaches: &mut Vec<Breach>) -> Result<(), StoreError> {
        let (repository, at) = (row.int("repository_id")?, row.int("at")?);
        let kind = row.code("kind", EventKind::from_code)?;
        let breach = Breach {
            lane: 0,
            at_ms: at,
            not_before_ms: row.int_opt("not_before")?.unwrap_or(at),
            seq: row.int("seq")?,
            kind,
            tag: names.tag(row)?,
            old_digest: names.digest(row, repository, "old_id", "old_hash", "old_release")?,
            new_digest: names.digest(row, repository, "new_id", "new_hash", "new_release")?,
            restored: row.yes("restored")?,
            flag: Some(row.int("flag_id")?),
            active: is_active(row)?,
            first_ms: row.int_opt("first_seen")?.unwrap_or(at),
        };
        if row.code("class", Class::from_code)? == Class::Release {
            breaches.extend(self.of_release(row, repository)?.map(|lane| Breach { lane, ..breach.clone() }));
        } else {
            let lane = self.by_name.get(&(repository, LaneKind::Tag, row.text("tag")?));
            breaches.extend(lane.map(|lane| Breach { lane: *lane as u32, ..breach }));
        }
        Ok(())
    }

    /// That a repository vanished or is back, on the first of its lanes.
    fn of_repository(&self, row: &Row, names: &mut Names) -> Result<Option<Breach>, StoreError> {
        let (repository, at) = (row.int("repository_id")?, row.int("at")?);
        let of_it = self.by_id.values().filter(|lane| lane.repository == repository);
        let Some(lane) = of_it.map(|lane| lane.place as u32).min() else { return Ok(None) };
        let kind = row.code("kind", EventKind::from_code)?;
        let name = row.text("repository")?;
        let tag = names.tags.len() as u32;
        names.tags.push(short(&name).to_owned());
        Ok(Some(Breach {
            lane,
            at_ms: at,
            not_before_ms: row.int_opt("not_before")?.unwrap_or(at),
            seq: row.int("seq")?,
            kind,
            tag,
            old_digest: None,
            new_digest: None,
            restored: kind == EventKind::Returned,
            flag: row.int_opt("flag_id")?,
            active: row.int_opt("flag_id")?.is_some() && is_active(row)?,
            first_ms: at,
        }))
    }

    /// A release with a hint stands there, and not among those that the watch found.
    fn leave_out(&self, row: &Row, level: u8, names: &Names, lanes: &mut [TileLane]) -> Result<(), StoreError> {
        let bucket = row.int("first_seen")? >> level;
        let tag = names.places_of_tags.get(&row.int("tag_id")?).map(|place| *place as i32);
        for place in self.of_release(row, row.int("repository_id")?)? {
            let Some(lane) = lanes.get_mut(place as usize) else { continue };
            let Ok(mark) = lane.at_ms.binary_search_by_key(&bucket, |at| at >> level) else { continue };
            if let (Some(baseline @ 1..), Some(count)) = (lane.baseline.get_mut(mark), lane.count.get_mut(mark)) {
                (*baseline, *count) = (*baseline - 1, count.saturating_sub(1));
                if let Some(told) = lane.tag.get_mut(mark).filter(|told| Some(**told) == tag) {
                    *told = NO_TAG;
                }
            }
        }
        Ok(())
    }

    /// Adds the hint on every lane that has its release.
    fn hints(&self, row: &Row, names: &mut Names, hints: &mut Vec<Hint>) -> Result<(), StoreError> {
        let repository = row.int("repository_id")?;
        let (created_ms, tag) = (row.int("created")?, names.tag(row)?);
        if let Some(digest) = names.digest(row, repository, "digest_id", "hash", "release_tag")? {
            hints.extend(self.of_release(row, repository)?.map(|lane| Hint { lane, created_ms, tag, digest }));
        }
        Ok(())
    }

    /// The lanes that a release is on: both, where its family and its track are asked for.
    fn of_release(&self, row: &Row, repository: i64) -> Result<impl Iterator<Item = u32>, StoreError> {
        let family = (repository, LaneKind::Family, row.text("family")?);
        let track = (repository, LaneKind::Track, row.text("track")?);
        let places = [family, track].map(|lane| self.by_name.get(&lane).map(|place| *place as u32));
        Ok(places.into_iter().flatten())
    }
}

fn is_active(row: &Row) -> Result<bool, StoreError> {
    Ok(row.int("state")? != FlagState::Closed.code())
}

/// As many numbers as there are places for lanes.
fn as_many(numbers: impl IntoIterator<Item = i64>) -> Vec<Value> {
    numbers.into_iter().chain(std::iter::repeat(0)).take(TILE_LANES).map(Value::from).collect()
}

fn unlike(what: &str) -> StoreError {
    StoreError::Inconsistent(format!("a {what} of a tile is not as it was asked for"))
}
