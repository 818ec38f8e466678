//! Lanes of the timeline with their rollups: what is drawn in one line, and how many events it has in each stretch of time.

use std::collections::BTreeMap;

use tagwarden_model::api::LaneKind;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::TagName;
use tagwarden_model::tag::Class;
use tagwarden_model::version::{Version, track_key};

use super::StoreError;
use super::db::{Conn, statements, values};
use super::projections::Projected;

/// Rollups of every lane, by buckets of 16 ms, 16 s, 4.7 hours, 1.6 and 6.2 days. A tile is read from the coarsest that is not
/// coarser than itself, so that it reads few more rows than it has marks: also when a first pass finds tens of thousands of
/// releases in one hour. Far out, where a tile holds years of what moves every day, they are close.
pub(super) const LEVELS: [i64; 5] = [4, 14, 24, 27, 29];
/// Rollups of a whole repository, by buckets of 3.1 and 50 days: it is only counted.
pub(super) const WHOLE_LEVELS: [i64; 2] = [28, 32];
/// The kind of the lane that is a whole repository.
pub(super) const WHOLE: i64 = 0;

/// A column of the bucket's last event, by time and then by number.
macro_rules! last {
    ($column:literal) => {
        concat!(
            $column,
            " = CASE WHEN (excluded.last_at, excluded.last_seq) > (rollups.last_at, rollups.last_seq) THEN excluded.",
            $column,
            " ELSE rollups.",
            $column,
            " END"
        )
    };
}

statements! {
    /// Of a tag, the class stays what it is now.
    ADD_LANE = "INSERT INTO lanes (repository_id, kind, name, family, class, position, version, tracks, n, baseline, first_at,
            last_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $11)
        ON CONFLICT (repository_id, kind, name) DO UPDATE
        SET n = lanes.n + excluded.n, baseline = lanes.baseline + excluded.baseline,
            first_at = CASE WHEN lanes.n = 0 OR excluded.first_at < lanes.first_at THEN excluded.first_at ELSE lanes.first_at END,
            last_at = CASE WHEN lanes.n = 0 OR excluded.last_at > lanes.last_at THEN excluded.last_at ELSE lanes.last_at END
        RETURNING id, n";
    ADD_TRACK = "UPDATE lanes SET tracks = tracks + 1 WHERE repository_id = $1 AND kind = $2";
    ADD_ROLLUP = concat!(
        "INSERT INTO rollups (lane_id, level, bucket, n, first_at, last_at, last_seq, not_before, kind, baseline, tag_id, digest_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (lane_id, level, bucket) DO UPDATE
        SET n = rollups.n + excluded.n, baseline = rollups.baseline + excluded.baseline,
            first_at = CASE WHEN excluded.first_at < rollups.first_at THEN excluded.first_at ELSE rollups.first_at END, ",
        last!("last_at"), ", ", last!("last_seq"), ", ", last!("not_before"), ", ", last!("kind"), ", ",
        last!("tag_id"), ", ", last!("digest_id")
    );
    RECLASS = "UPDATE lanes SET class = $4, position = $5 WHERE repository_id = $1 AND kind = $2 AND name = $3";
    /// Until something happens to it, what it names is drawn.
    ADD_EMPTY = "INSERT INTO lanes (repository_id, kind, name, family, class, position, tracks, n, baseline, first_at, last_at)
        SELECT t.repository_id, $2, t.name, '', t.class, $4, 0, 0, 0, t.first_seen, t.first_seen FROM tags t
        WHERE t.repository_id = $1 AND t.name = $3 AND t.class IN (2, 3) AND t.first_seen IS NOT NULL
        ON CONFLICT (repository_id, kind, name) DO NOTHING";
    DROP_EMPTY = "DELETE FROM lanes WHERE n = 0 AND repository_id = $1 AND kind = $2 AND name = $3";
    CLEAR_ROLLUPS = "DELETE FROM rollups";
    /// The rows stay, with their numbers.
    CLEAR_LANES = "UPDATE lanes SET n = 0, baseline = 0, tracks = 0";
    DROP_ALL_EMPTY = "DELETE FROM lanes WHERE n = 0 AND NOT (kind = $1 AND EXISTS (SELECT 1 FROM tags t
        WHERE t.repository_id = lanes.repository_id AND t.name = lanes.name AND t.class IN (2, 3) AND t.first_seen IS NOT NULL))";
    OTHER_CLASS = "SELECT t.repository_id, t.name, t.class FROM tags t
            LEFT JOIN lanes l ON l.repository_id = t.repository_id AND l.name = t.name AND l.kind = $1
        WHERE l.class <> t.class OR (l.id IS NULL AND t.class IN (2, 3) AND t.first_seen IS NOT NULL)";
}

/// What events add to lanes, gathered over one transaction.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<Key, Sum>,
    classes: BTreeMap<(i64, String), Class>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    repository: i64,
    kind: i64,
    name: String,
}

struct Sum {
    place: Place,
    n: i64,
    baseline: i64,
    first: Instant,
    last: Instant,
    rollups: BTreeMap<(i64, i64), Rollup>,
}

/// Where a lane stands among the others.
struct Place {
    family: String,
    class: Class,
    position: Vec<u8>,
    version: Option<Vec<u8>>,
}

#[derive(Clone, Copy)]
struct Rollup {
    n: i64,
    baseline: i64,
    first: Instant,
    last: Last,
}

/// The last event of a bucket.
#[derive(Clone, Copy)]
struct Last {
    at: Instant,
    seq: i64,
    not_before: Option<Instant>,
    kind: EventKind,
    tag: i64,
    digest: Option<i64>,
}

impl Lanes {
    /// Releases share the lanes of their family and of their track; other tags have their own; ignored ones have none.
    pub(super) fn add(&mut self, event: &Projected<'_>) {
        let name = event.name.as_str();
        match event.class {
            Class::Ignored => return,
            Class::Rebuilt | Class::Rolling => {
                self.add_to(LaneKind::Tag.code(), name, event, || Place::of_tag(name, event.class));
            }
            Class::Release => {
                let Version { family, track, .. } = Version::of(name);
                self.add_to(LaneKind::Family.code(), &family, event, || Place::of_releases(&family, None));
                // Releases without two numbers have the track that is all of their family.
                let track = track.as_ref().unwrap_or(&family);
                self.add_to(LaneKind::Track.code(), track, event, || Place::of_releases(&family, Some(track)));
            }
        }
        self.add_to(WHOLE, "", event, Place::default);
    }

    fn add_to(&mut self, kind: i64, name: &str, event: &Projected<'_>, place: impl FnOnce() -> Place) {
        let key = Key { repository: event.repository, kind, name: name.to_owned() };
        let sum = self.lanes.entry(key).or_insert_with(|| Sum {
            place: place(),
            n: 0,
            baseline: 0,
            first: event.at,
            last: event.at,
            rollups: BTreeMap::new(),
        });
        sum.n += 1;
        sum.baseline += i64::from(event.baseline && event.class == Class::Release);
        sum.first = sum.first.min(event.at);
        sum.last = sum.last.max(event.at);
        let last = Last {
            at: event.at,
            seq: event.seq,
            not_before: event.not_before,
            kind: event.kind,
            tag: event.tag,
            digest: event.new,
        };
        let levels = if kind == WHOLE { &WHOLE_LEVELS[..] } else { &LEVELS };
        for level in levels {
            let none = Rollup { n: 0, baseline: 0, first: event.at, last };
            let rollup = sum.rollups.entry((*level, event.at.0 >> level)).or_insert(none);
            rollup.n += 1;
            rollup.baseline += i64::from(event.baseline);
            rollup.first = rollup.first.min(event.at);
            if (last.at, last.seq) > (rollup.last.at, rollup.last.seq) {
                rollup.last = last;
            }
        }
    }

    /// A tag is of another class now: its lane keeps what happened, and stands elsewhere. One that needs a lane gets an empty one.
    pub(super) fn reclass(&mut self, repository: i64, name: &TagName, class: Class) {
        self.classes.insert((repository, name.to_string()), class);
    }

    pub(super) async fn put(self, conn: &mut Conn) -> Result<(), StoreError> {
        for (Key { repository, kind, name }, Sum { place, n, baseline, first, last, rollups }) in self.lanes {
            let Place { family, class, position, version } = place;
            let version = super::db::Value::Bytes(version);
            let head = values![repository, kind, name, family, class.code(), &position[..], version];
            let values = [&head[..], values![n, baseline, first, last]].concat();
            let row = conn.one(ADD_LANE, &values).await?;
            // A new one. The lane of the repository comes before.
            if kind == LaneKind::Track.code() && row.int("n")? == n {
                conn.execute(ADD_TRACK, values![repository, WHOLE]).await?;
            }
            let lane = row.int("id")?;
            for ((level, bucket), Rollup { n, baseline, first, last }) in rollups {
                let head = values![lane, level, bucket, n, first, last.at, last.seq, last.not_before];
                let tail = values![last.kind.code(), baseline, last.tag, last.digest];
                conn.execute(ADD_ROLLUP, &[&head[..], &tail[..]].concat()).await?;
            }
        }
        for ((repository, name), class) in self.classes {
            reclass(conn, repository, &name, class).await?;
        }
        Ok(())
    }
}

async fn reclass(conn: &mut Conn, repository: i64, name: &str, class: Class) -> Result<(), StoreError> {
    let Place { position, .. } = Place::of_tag(name, class);
    let values = values![repository, LaneKind::Tag.code(), name, class.code(), &position[..]];
    conn.execute(RECLASS, values).await?;
    match class {
        Class::Rebuilt | Class::Rolling => {
            conn.execute(ADD_EMPTY, values![repository, LaneKind::Tag.code(), name, &position[..]]).await?;
        }
        Class::Release | Class::Ignored => {
            conn.execute(DROP_EMPTY, values![repository, LaneKind::Tag.code(), name]).await?;
        }
    }
    Ok(())
}

/// Empties all lanes before they are made anew.
pub(super) async fn clear(conn: &mut Conn) -> Result<(), StoreError> {
    conn.execute(CLEAR_ROLLUPS, values![]).await?;
    conn.execute(CLEAR_LANES, values![]).await?;
    Ok(())
}

/// After they were made anew: lanes without events go where no tag needs one, and those of tags stand where the tags' classes
/// say.
pub(super) async fn settle(conn: &mut Conn) -> Result<(), StoreError> {
    conn.execute(DROP_ALL_EMPTY, values![LaneKind::Tag.code()]).await?;
    for row in conn.all(OTHER_CLASS, values![LaneKind::Tag.code()]).await? {
        let class = row.code("class", Class::from_code)?;
        reclass(conn, row.int("repository_id")?, &row.text("name")?, class).await?;
    }
    Ok(())
}

impl Default for Place {
    /// Of what is not drawn.
    fn default() -> Self {
        Self { family: String::new(), class: Class::Ignored, position: Vec::new(), version: None }
    }
}

impl Place {
    /// First the releases: families by name, in each the newest track first and that of all others last.
    fn of_releases(family: &str, track: Option<&str>) -> Self {
        let version = track.and_then(track_key);
        let mut position = vec![1];
        position.extend_from_slice(family.as_bytes());
        position.push(0);
        match (&version, track) {
            (_, None) => {}
            // `26.4` and `26.04` are two tracks of one version.
            (Some(version), Some(track)) => {
                position.extend(version.iter().map(|byte| !byte).chain(track.bytes()));
            }
            (None, Some(_)) => position.push(0xff),
        }
        Self { family: family.to_owned(), class: Class::Release, position, version }
    }

    /// Tags that became releases, then rolling ones, those that everybody knows first, then rebuilt ones: as releases do, families
    /// by name and in each the newest version first.
    fn of_tag(name: &str, class: Class) -> Self {
        let rank = match (class, name) {
            (Class::Release, _) => [1, 0xff],
            (Class::Rolling, "latest") => [2, 1],
            (Class::Rolling, "stable") => [2, 2],
            (Class::Rolling, _) => [2, 3],
            (Class::Rebuilt, _) => [3, 0],
            (Class::Ignored, _) => [4, 0],
        };
        let Version { family, key, .. } = Version::of(name);
        let key: Vec<u8> = key.into_iter().map(|byte| !byte).collect();
        let position = [&rank, family.as_bytes(), &[0], &key[..], &[0xff]].concat();
        Self { family: String::new(), class, position, version: None }
    }
}
