//! What is kept beside events and tags so that reading is cheap: spans, first releases, lanes with their rollups, counts. All
//! of it can be rebuilt.

use std::collections::BTreeMap;

use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::TagName;
use tagwarden_model::tag::{Band, Class};

use super::db::{Conn, statements, values};
use super::lanes::{self, Lanes};
use super::{Store, StoreError};

/// Events that a rebuild reads at once.
const CHUNK: u32 = 1000;
const DAY: i64 = 86_400_000;

statements! {
    END_SPAN = "UPDATE spans SET until_at = $2, ended_by = $3, ended_seq = $4 WHERE tag_id = $1 AND ended_seq IS NULL";
    BEGIN_SPAN = "INSERT INTO spans (began_seq, repository_id, tag_id, digest_id, from_at, began_by, baseline)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    REMOVE_LASTING_SPAN = "DELETE FROM spans WHERE tag_id = $1 AND ended_seq IS NULL RETURNING began_seq, digest_id";
    RESUME_SPAN = "UPDATE spans SET until_at = NULL, ended_by = NULL, ended_seq = NULL WHERE tag_id = $1 AND ended_seq = $2";
    PUBLISH = "INSERT INTO first_releases (repository_id, digest_id, hash, tag, seq)
        SELECT CAST($2 AS BIGINT), d.id, d.hash, CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM digests d WHERE d.id = $1
        ON CONFLICT (repository_id, digest_id) DO NOTHING";
    UNPUBLISH = "DELETE FROM first_releases WHERE digest_id = $1 AND repository_id = $2 AND seq = $3";
    /// By what is left of the releases that named the digest.
    PUBLISH_AGAIN = "INSERT INTO first_releases (repository_id, digest_id, hash, tag, seq)
        SELECT s.repository_id, s.digest_id, d.hash, t.name, s.began_seq FROM spans s JOIN events e ON e.seq = s.began_seq
            JOIN tags t ON t.id = s.tag_id JOIN digests d ON d.id = s.digest_id
        WHERE s.digest_id = $1 AND s.repository_id = $2 AND e.class = $3 ORDER BY s.began_seq LIMIT 1";
    ADD_COUNT = "INSERT INTO tag_counts (repository_id, band, class, state, n) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (repository_id, band, class, state) DO UPDATE SET n = tag_counts.n + excluded.n";
    ADD_DAY = "INSERT INTO releases_by_day (repository_id, day, n) VALUES ($1, $2, $3)
        ON CONFLICT (repository_id, day) DO UPDATE SET n = releases_by_day.n + excluded.n";
    /// All repositories share them: who writes totals waits here, as writers of events do. In another order two could wait for each
    /// other, and one would fail.
    LOCK_TOTALS = "UPDATE counter SET event = event";
    ADD_TOTAL = "INSERT INTO totals (sort, key, n) VALUES ($1, $2, $3)
        ON CONFLICT (sort, key) DO UPDATE SET n = totals.n + excluded.n";
    DROP_NO_TOTAL = "DELETE FROM totals WHERE sort = $1 AND key = $2 AND n = 0";
    DROP_NO_COUNT = "DELETE FROM tag_counts WHERE repository_id = $1 AND n = 0";
    DROP_NO_DAY = "DELETE FROM releases_by_day WHERE repository_id = $1 AND n = 0";
    REPOSITORIES = "SELECT id FROM repositories ORDER BY id";
    CLEAR_SPANS = "DELETE FROM spans";
    CLEAR_FIRST_RELEASES = "DELETE FROM first_releases";
    CLEAR_COUNTS = "DELETE FROM tag_counts";
    CLEAR_DAYS = "DELETE FROM releases_by_day";
    CLEAR_TOTALS = "DELETE FROM totals";
    BANDS_OF_REPOSITORY = "SELECT band, n FROM tag_counts WHERE repository_id = $1 AND class = $2 AND state = $3";
    DAYS_OF_REPOSITORY = "SELECT day, n FROM releases_by_day WHERE repository_id = $1";
    EVENTS = "SELECT e.seq, e.at, e.kind, e.repository_id, e.tag_id, e.class, e.new_id, e.not_before, e.baseline, t.name
        FROM events e JOIN tags t ON t.id = e.tag_id WHERE e.seq > $1 ORDER BY e.seq LIMIT $2";
    TAGS = "SELECT id, repository_id, band, class, state, first_seen, baseline FROM tags WHERE id > $1 ORDER BY id LIMIT $2";
}

/// What the projections need of an event of a tag.
pub(super) struct Projected<'a> {
    pub(super) seq: i64,
    pub(super) at: Instant,
    pub(super) kind: EventKind,
    pub(super) repository: i64,
    pub(super) tag: i64,
    pub(super) name: &'a TagName,
    pub(super) class: Class,
    /// Row of the new digest.
    pub(super) new: Option<i64>,
    pub(super) not_before: Option<Instant>,
    pub(super) baseline: bool,
}

/// Applies an event to the spans of its tag, and to what they say of releases.
///
/// A retraction takes the claim's span away and lets the one before go on: a retracted claim is always the tag's newest event.
pub(super) async fn put_span(conn: &mut Conn, event: &Projected<'_>) -> Result<(), StoreError> {
    match event.kind {
        EventKind::Vanished | EventKind::Returned => {}
        EventKind::Retracted => {
            for row in conn.all(REMOVE_LASTING_SPAN, values![event.tag]).await? {
                let (seq, digest) = (row.int("began_seq")?, row.int("digest_id")?);
                conn.execute(RESUME_SPAN, values![event.tag, seq]).await?;
                if conn.execute(UNPUBLISH, values![digest, event.repository, seq]).await? > 0 {
                    let values = values![digest, event.repository, Class::Release.code()];
                    conn.execute(PUBLISH_AGAIN, values).await?;
                }
            }
        }
        EventKind::Created | EventKind::Moved | EventKind::Recreated | EventKind::Deleted => {
            if event.kind != EventKind::Created {
                conn.execute(END_SPAN, values![event.tag, event.at, event.kind.code(), event.seq]).await?;
            }
            if let Some(new) = event.new {
                let (kind, baseline) = (event.kind.code(), event.baseline);
                let values = values![event.seq, event.repository, event.tag, new, event.at, kind, baseline];
                conn.execute(BEGIN_SPAN, values).await?;
                if event.class == Class::Release {
                    conn.execute(PUBLISH, values![new, event.repository, event.name.as_str(), event.seq]).await?;
                }
            }
        }
    }
    Ok(())
}

/// Differences of lanes and counts, gathered over one transaction.
#[derive(Default)]
pub(super) struct Tally {
    lanes: Lanes,
    counts: BTreeMap<(i64, i64, i64, i64), i64>,
    days: BTreeMap<(i64, i64), i64>,
    /// By sort and key.
    totals: BTreeMap<(i64, i64), i64>,
}

/// Sorts of totals: present releases by band, and releases by the day on which they were first seen.
const PRESENT_BY_BAND: i64 = 1;
const PUBLISHED_BY_DAY: i64 = 2;
/// As tags have it.
const PRESENT: i64 = 1;

/// What the counts depend on of a tag row.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    pub(super) repository: i64,
    pub(super) band: Band,
    pub(super) class: Class,
    /// As stored.
    pub(super) state: i64,
    pub(super) first_seen: Option<Instant>,
    pub(super) baseline: bool,
}

impl Tally {
    /// Counts an event on its lanes.
    pub(super) fn add_event(&mut self, event: &Projected<'_>) {
        self.lanes.add(event);
    }

    /// A tag is of another class now.
    pub(super) fn reclass(&mut self, repository: i64, name: &TagName, class: Class) {
        self.lanes.reclass(repository, name, class);
    }

    /// Counts a tag (`sign` 1) or no longer (-1).
    pub(super) fn count(&mut self, tag: &Counted, sign: i64) {
        let key = (tag.repository, tag.band.code(), tag.class.code(), tag.state);
        *self.counts.entry(key).or_default() += sign;
        if tag.class == Class::Release && tag.state == PRESENT {
            self.add_to_total(PRESENT_BY_BAND, tag.band.code(), sign);
        }
        if let Some(first_seen) = tag.first_seen.filter(|_| tag.class == Class::Release && !tag.baseline) {
            let day = first_seen.0.div_euclid(DAY);
            *self.days.entry((tag.repository, day)).or_default() += sign;
            self.add_to_total(PUBLISHED_BY_DAY, day, sign);
        }
    }

    fn add_to_total(&mut self, sort: i64, key: i64, n: i64) {
        *self.totals.entry((sort, key)).or_default() += n;
    }

    /// What a repository adds to the totals is no longer in them.
    pub(super) async fn without(conn: &mut Conn, repository: i64) -> Result<Self, StoreError> {
        let mut tally = Self::default();
        for row in conn.all(BANDS_OF_REPOSITORY, values![repository, Class::Release.code(), PRESENT]).await? {
            tally.add_to_total(PRESENT_BY_BAND, row.int("band")?, -row.int("n")?);
        }
        for row in conn.all(DAYS_OF_REPOSITORY, values![repository]).await? {
            tally.add_to_total(PUBLISHED_BY_DAY, row.int("day")?, -row.int("n")?);
        }
        Ok(tally)
    }

    pub(super) async fn put(self, conn: &mut Conn) -> Result<(), StoreError> {
        self.lanes.put(conn).await?;
        let mut lessened = std::collections::BTreeSet::new();
        for ((repository, band, class, state), n) in self.counts.into_iter().filter(|(_, n)| *n != 0) {
            conn.execute(ADD_COUNT, values![repository, band, class, state, n]).await?;
            if n < 0 {
                lessened.insert(repository);
            }
        }
        for ((repository, day), n) in self.days.into_iter().filter(|(_, n)| *n != 0) {
            conn.execute(ADD_DAY, values![repository, day, n]).await?;
            if n < 0 {
                lessened.insert(repository);
            }
        }
        let totals = self.totals.into_iter().filter(|(_, n)| *n != 0).collect::<Vec<_>>();
        if !totals.is_empty() {
            conn.execute(LOCK_TOTALS, values![]).await?;
        }
        for ((sort, key), n) in totals {
            conn.execute(ADD_TOTAL, values![sort, key, n]).await?;
            if n < 0 {
                conn.execute(DROP_NO_TOTAL, values![sort, key]).await?;
            }
        }
        for repository in lessened {
            conn.execute(DROP_NO_COUNT, values![repository]).await?;
            conn.execute(DROP_NO_DAY, values![repository]).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Throws the projections away and makes them anew from events and tags, in one transaction.
    pub async fn rebuild(&self) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        for row in write.conn.all(REPOSITORIES, values![]).await? {
            write.lock_repository(row.int("id")?).await?;
        }
        let conn = &mut write.conn;
        for clear in [CLEAR_SPANS, CLEAR_FIRST_RELEASES, CLEAR_COUNTS, CLEAR_DAYS, CLEAR_TOTALS] {
            conn.execute(clear, values![]).await?;
        }
        lanes::clear(conn).await?;
        let mut tally = Tally::default();
        let mut after = 0;
        loop {
            let rows = conn.all(EVENTS, values![after, CHUNK]).await?;
            for row in &rows {
                after = row.int("seq")?;
                let name = tag_name(&row.text("name")?)?;
                let event = Projected {
                    seq: after,
                    at: row.instant("at")?,
                    kind: row.code("kind", EventKind::from_code)?,
                    repository: row.int("repository_id")?,
                    tag: row.int("tag_id")?,
                    name: &name,
                    class: row.code("class", Class::from_code)?,
                    new: row.int_opt("new_id")?,
                    not_before: row.instant_opt("not_before")?,
                    baseline: row.yes("baseline")?,
                };
                put_span(conn, &event).await?;
                tally.add_event(&event);
            }
            // Millions of buckets are not held until the end.
            std::mem::take(&mut tally.lanes).put(conn).await?;
            if rows.len() < CHUNK as usize {
                break;
            }
        }
        let mut after = 0;
        loop {
            let rows = conn.all(TAGS, values![after, CHUNK]).await?;
            for row in &rows {
                after = row.int("id")?;
                let tag = Counted {
                    repository: row.int("repository_id")?,
                    band: row.code("band", Band::from_code)?,
                    class: row.code("class", Class::from_code)?,
                    state: row.int("state")?,
                    first_seen: row.instant_opt("first_seen")?,
                    baseline: row.yes("baseline")?,
                };
                tally.count(&tag, 1);
            }
            if rows.len() < CHUNK as usize {
                break;
            }
        }
        tally.put(conn).await?;
        lanes::settle(conn).await?;
        write.conn.commit().await
    }
}

/// A stored tag name.
pub(super) fn tag_name(text: &str) -> Result<TagName, StoreError> {
    TagName::new(text).ok_or_else(|| StoreError::Inconsistent(format!("{text:?} is no tag")))
}
