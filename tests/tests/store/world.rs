//! One store with one registry and one watched repository, builders of what is written to it, and a look behind it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::{AssertSqlSafe, Executor as _, PgPool, Row as _, SqlitePool};
use tagwarden::store::record::{Commit, Lease, PassRow, TagWrite, Written};
use tagwarden::store::watch::{Added, RegistryEntry};
use tagwarden::store::{Actor, ActorKind, Scope, Store, StoreError};
use tagwarden_model::api::{Event, Flag, Tag};
use tagwarden_model::class::class_of;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::{EventKind, NewEvent, Source};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::{Band, Listed, Mark, MediaType, Prior, TagRecord, TagState};
use tagwarden_tests::postgres;

/// When the tests begin.
pub const START: Instant = Instant(1_760_000_000_000);

/// Everything one test needs.
pub struct World {
    pub store: Store,
    pub url: String,
    pub registry: i64,
    pub repository: i64,
    pub lease: Lease,
    pub raw: Raw,
    now: AtomicI64,
    _folder: Option<tempfile::TempDir>,
}

/// The database behind the store.
pub enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl World {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("record.db").display());
        let store = Store::open(&url).await.unwrap();
        let raw = Raw::Sqlite(SqlitePool::connect(&url).await.unwrap());
        Self::of(store, url, raw, Some(folder)).await
    }

    pub async fn postgres() -> Self {
        let url = postgres::database().await;
        let store = Store::open(&url).await.unwrap();
        let raw = Raw::Postgres(PgPool::connect(&url).await.unwrap());
        Self::of(store, url, raw, None).await
    }

    async fn of(store: Store, url: String, raw: Raw, folder: Option<tempfile::TempDir>) -> Self {
        let registry = store.put_registry(&entry("registry.example")).await.unwrap().id;
        let Added::New(repository) = store.watch(registry, &name(), &person(), START).await.unwrap() else {
            panic!("a new database watches nothing");
        };
        let lease = store.lease(registry, "here", START, START + Millis::hours(1)).await.unwrap().unwrap();
        let now = AtomicI64::new(START.0);
        Self { store, url, registry, repository, lease, raw, now, _folder: folder }
    }

    /// A minute later than the last time.
    pub fn tick(&self) -> Instant {
        Instant(self.now.fetch_add(60_000, Ordering::Relaxed) + 60_000)
    }

    /// Lets time pass.
    pub fn pass(&self, length: Millis) {
        self.now.fetch_add(length.0, Ordering::Relaxed);
    }

    pub fn now(&self) -> Instant {
        Instant(self.now.load(Ordering::Relaxed))
    }

    pub fn commit_of(&self, tags: Vec<TagWrite>) -> Commit {
        Commit { repository: self.repository, lease: self.lease, now: self.now(), tags }
    }

    pub async fn try_commit(&self, tags: Vec<TagWrite>) -> Result<Vec<Written>, StoreError> {
        self.store.commit(&self.commit_of(tags)).await
    }

    /// Writes one tag that must not conflict; gives its `last_seq` and whether it is flagged.
    pub async fn write(&self, tag: TagWrite) -> (i64, bool) {
        match self.try_commit(vec![tag]).await.unwrap()[..] {
            [Written::Ok { last_seq, flagged }] => (last_seq, flagged),
            ref other => panic!("{other:?}"),
        }
    }

    /// The tag is seen with these contents for the first time.
    pub async fn create(&self, tag: &str, contents: &str) -> (i64, bool) {
        self.tick();
        self.write(self.created(tag, contents)).await
    }

    pub fn created(&self, tag: &str, contents: &str) -> TagWrite {
        let event = event(EventKind::Created, None, Some(contents), self.now());
        write_of(tag, present(contents, 0), vec![event])
    }

    /// The tag gets other contents.
    pub async fn to(&self, tag: &str, from: &str, contents: &str, last_seq: i64) -> (i64, bool) {
        let event = event(EventKind::Moved, Some(from), Some(contents), self.tick());
        self.write(write_of(tag, present(contents, last_seq), vec![event])).await
    }

    /// The tag is confirmed absent.
    pub async fn delete(&self, tag: &str, from: &str, last_seq: i64) -> (i64, bool) {
        let event = event(EventKind::Deleted, Some(from), None, self.tick());
        let record = TagRecord { state: TagState::Absent, claimed: None, ..present(from, last_seq) };
        self.write(write_of(tag, record, vec![event])).await
    }

    pub async fn tag(&self, name: &str) -> Tag {
        let tags = self.store.tags(Scope::All, &filter(), None, 1000).await.unwrap().unwrap().0;
        tags.into_iter().find(|tag| tag.name == name).unwrap_or_else(|| panic!("no tag {name}"))
    }

    pub async fn flags(&self) -> Vec<Flag> {
        self.store.flags(Scope::All, &tagwarden::store::read::FlagFilter::default(), None, 1000).await.unwrap().0
    }

    pub async fn flag(&self) -> Flag {
        let mut flags = self.flags().await;
        assert_eq!(flags.len(), 1, "{flags:?}");
        flags.remove(0)
    }

    /// All events, oldest first.
    pub async fn events(&self) -> Vec<Event> {
        use tagwarden::store::read::{EventFilter, EventOrder};
        let filter = EventFilter::default();
        let mut events = self.store.events(Scope::All, &filter, EventOrder::Seq, None, 100_000).await.unwrap().0;
        events.reverse();
        events
    }

    /// Runs a statement behind the store's back.
    pub async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.raw {
            Raw::Sqlite(pool) => drop(pool.execute(sql).await.unwrap()),
            Raw::Postgres(pool) => drop(pool.execute(sql).await.unwrap()),
        }
    }

    /// Texts of the first column.
    pub async fn texts(&self, sql: String) -> Vec<String> {
        let sql = AssertSqlSafe(sql);
        match &self.raw {
            Raw::Sqlite(pool) => pool.fetch_all(sql).await.unwrap().iter().map(|row| row.get(0)).collect(),
            Raw::Postgres(pool) => pool.fetch_all(sql).await.unwrap().iter().map(|row| row.get(0)).collect(),
        }
    }

    /// All rows of a table as text, in any fixed order.
    pub async fn dump(&self, table: &str) -> Vec<String> {
        let sql = match &self.raw {
            Raw::Sqlite(_) => {
                let columns = self.texts(format!("SELECT name FROM pragma_table_info('{table}')")).await;
                let quoted = columns.iter().map(|column| format!("quote({column})")).collect::<Vec<_>>();
                format!("SELECT {} FROM {table}", quoted.join("||'|'||"))
            }
            Raw::Postgres(_) => format!("SELECT CAST(t AS TEXT) FROM {table} t"),
        };
        let mut rows = self.texts(sql).await;
        rows.sort();
        rows
    }

    /// Rows in every table.
    pub async fn row_counts(&self) -> BTreeMap<String, usize> {
        let tables = match &self.raw {
            Raw::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            Raw::Postgres(_) => {
                "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'"
            }
        };
        let mut counts = BTreeMap::new();
        for table in self.texts(tables.to_owned()).await {
            let rows = self.texts(format!("SELECT CAST(count(*) AS TEXT) FROM {table}")).await;
            counts.insert(table, rows[0].parse().unwrap());
        }
        counts
    }

    /// Spans, first releases, lanes, rollups and counts are what a rebuild makes of events and tags.
    pub async fn assert_projections(&self) {
        let tables = ["spans", "first_releases", "lanes", "rollups", "tag_counts", "releases_by_day", "totals"];
        let mut live = Vec::new();
        for table in tables {
            live.push((table, self.dump(table).await));
        }
        self.store.rebuild().await.unwrap();
        for (table, live) in live {
            assert_eq!(self.dump(table).await, live, "{table}: rebuilt, live");
        }
    }
}

pub fn entry(host: &str) -> RegistryEntry {
    RegistryEntry { id: 0, name: host.to_owned(), host: host.to_owned(), repositories: Vec::new() }
}

pub fn name() -> RepositoryName {
    repository("team/api")
}

pub fn repository(path: &str) -> RepositoryName {
    RepositoryName { host: "registry.example".to_owned(), path: path.to_owned() }
}

pub fn filter() -> tagwarden::store::read::TagFilter {
    tagwarden::store::read::TagFilter { repository: name(), class: None, family: None, contains: None }
}

pub fn person() -> Actor {
    Actor { kind: ActorKind::Person, id: "ada".to_owned(), display: "Ada".to_owned() }
}

pub fn tag_name(tag: &str) -> TagName {
    TagName::new(tag).unwrap()
}

pub fn digest(contents: &str) -> Digest {
    Digest::of(contents.as_bytes())
}

pub fn mark(at: Instant) -> Mark {
    Mark { generation: 1, wall: at }
}

/// A record of a tag whose bytes were read.
pub fn present(contents: &str, last_seq: i64) -> TagRecord {
    TagRecord {
        state: TagState::Present(digest(contents)),
        claimed: Some(digest(contents)),
        media_type: Some(MediaType::OciManifest),
        verified: true,
        last_seq,
        band_since: Some(mark(START)),
        floor: Some(mark(START)),
        ..TagRecord::unread(Band::Hot, Listed { not_before: Some(mark(START)) })
    }
}

/// The same by the registry's word only; `prior` is what stood before.
pub fn claimed(contents: &str, last_seq: i64, prior: TagState) -> TagRecord {
    let prior = Prior { state: prior, claimed: None, seq: 0, not_before: None };
    TagRecord { verified: false, prior: Some(Box::new(prior)), ..present(contents, last_seq) }
}

pub fn event(kind: EventKind, old: Option<&str>, new: Option<&str>, at: Instant) -> NewEvent {
    NewEvent {
        kind,
        old: old.map(digest),
        new: new.map(digest),
        not_before: Some(at - Millis::seconds(30)),
        not_after: at,
        clock_changed: false,
        verified: true,
        baseline: false,
        source: Source::Poll,
        deleted_by: None,
        group: None,
    }
}

pub fn write_of(tag: &str, record: TagRecord, events: Vec<NewEvent>) -> TagWrite {
    let ruling = class_of("registry.example/team/api", tag).into();
    TagWrite { name: tag_name(tag), ruling, record, events, proven: false }
}

/// A complete pass of the hot band that saw everything.
pub fn pass(started: Instant) -> PassRow {
    PassRow {
        band: Band::Hot,
        started: mark(started),
        finished: started + Millis::seconds(20),
        complete: true,
        proof: false,
        listed: Some((mark(started), 3)),
        asked: 3,
        seen: 3,
        unseen: Vec::new(),
        exceptions: Vec::new(),
        unread: None,
        reason: None,
        next: started + Millis::minutes(5),
        promised: Millis::minutes(6),
        proof_promised: Millis::days(1),
    }
}
