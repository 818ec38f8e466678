use std::collections::BTreeMap;
use std::fmt::Write as _;

use futures::future::join_all;
use rand::prelude::*;
use rand::rngs::StdRng;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};
use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden::store::Store;
use tagwarden_model::api::{TILE_BUCKETS, TimelineHead};
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::{http_client, postgres};

use super::busy::Times;

pub const HOST: &str = "127.0.0.1:1";
/// Of each question.
const REQUESTS: usize = 2_000;
/// Milliseconds.
const OVERVIEW_P99: f64 = 10.0;
const TILE_P99: f64 = 15.0;
const START: f64 = 300.0;
/// The large record's median, as a multiple of the small one's. A tile and the first page as a whole are held to it; of each
/// question that the first page asks it is told.
const TIMES_SMALL: f64 = 1.5;
const TILE: &str = "tile";
const ALL: &str = "overview";
/// When the history begins and how long it is: five years.
pub const BEGINS: i64 = 1_600_000_000_000;
pub const LENGTH: i64 = 5 * 365 * 86_400_000;
/// What the large record is smaller by, and the questions fewer, for a look without the wait: `TAGWARDEN_BENCH_PART=10`.
const PART: &str = "TAGWARDEN_BENCH_PART";
/// Where the small and the large record are, if they are written already: two addresses with a comma between them. They stay.
const WRITTEN: &str = "TAGWARDEN_BENCH_WRITTEN";

/// How much there is. The first repository has far more tags than the others, and more rolling ones.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub repositories: i64,
    pub tags: i64,
    pub tags_of_first: i64,
    pub rolling_of_first: i64,
    pub events: i64,
    pub moves_of_first: i64,
}

const ROLLING: i64 = 5;
/// Of every repository: its newest releases, which are looked at most often.
const HOT: i64 = 5;
/// Flags that are open, in each record: what is to be decided does not grow with what was released.
const OPEN_FLAGS: i64 = 100;

const LARGE: Size = Size {
    repositories: 2_000,
    tags: 1_000_000,
    tags_of_first: 50_000,
    rolling_of_first: 20,
    events: 5_000_000,
    moves_of_first: 2_500,
};
pub const SMALL: Size = Size {
    repositories: 20,
    tags: 10_000,
    tags_of_first: 500,
    rolling_of_first: 20,
    events: 50_000,
    moves_of_first: 500,
};

impl Size {
    fn part(self, of: i64) -> Self {
        Self {
            repositories: self.repositories / of,
            tags: self.tags / of,
            tags_of_first: self.tags_of_first / of,
            events: self.events / of,
            ..self
        }
    }

    /// Tags of every repository but the first.
    fn tags_of_other(self) -> i64 {
        (self.tags - self.tags_of_first) / (self.repositories - 1)
    }

    /// Events of every rolling tag of those.
    fn moves_of_other(self) -> i64 {
        let rest = self.events - self.tags - self.rolling_of_first * self.moves_of_first;
        1 + rest / ((self.repositories - 1) * ROLLING)
    }
}

/// Where the two databases differ in what is written here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Database {
    Sqlite,
    Postgres,
}

/// Statements that fill an empty record of this schema with `size`: tables in bulk, as the server would leave them.
fn filled(size: Size, database: Database) -> String {
    let Size { repositories, tags_of_first: first, rolling_of_first, moves_of_first, .. } = size;
    let (each, moves) = (size.tags_of_other(), size.moves_of_other());
    let tags = first + (repositories - 1) * each;
    let (hash, byte, bytes_of_name) = match database {
        Database::Sqlite => ("randomblob(32)", "x'00'", "CAST(t.name AS BLOB)"),
        Database::Postgres => ("sha256(int8send(i))", "'\\x00'::bytea", "convert_to(t.name, 'UTF8')"),
    };
    let position = |rank: &str, name: &str| match database {
        Database::Sqlite => format!("CAST('{rank}' || {name} AS BLOB)"),
        Database::Postgres => format!("convert_to('{rank}' || {name}, 'UTF8')"),
    };
    let [of_tags, of_family, of_tracks] = [position("3", "t.name"), position("1", "''"), position("2", "t.track")];
    let numbers = |most: i64| {
        format!("WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {most})")
    };
    let mut sql = format!(
        "INSERT INTO registries (id, name, host, repositories, position, state) VALUES (1, '{HOST}', '{HOST}', '[]', 0, 1);
        INSERT INTO repositories (id, registry_id, host, path, name, state, state_since, watched_since, period_id)
            {0} SELECT i, 1, '{HOST}', 'team/app-' || i, '{HOST}/team/app-' || i, 2, {BEGINS}, {BEGINS}, i FROM n;
        INSERT INTO watch_periods (id, repository_id, began, began_actor_kind, began_actor_id, began_actor_display)
            SELECT id, id, {BEGINS}, 1, 'ada', 'Ada' FROM repositories;
        INSERT INTO digests (id, hash) {1} SELECT i, {hash} FROM n;
        CREATE TABLE seed_tags (id BIGINT, repository BIGINT, place BIGINT, tags BIGINT, rolling BIGINT, moves BIGINT);
        INSERT INTO seed_tags {1} SELECT i, CASE WHEN i <= {first} THEN 1 ELSE 2 + (i - 1 - {first}) / {each} END,
            CASE WHEN i <= {first} THEN i - 1 ELSE (i - 1 - {first}) % {each} END,
            CASE WHEN i <= {first} THEN {first} ELSE {each} END,
            CASE WHEN i <= {first} THEN {rolling_of_first} ELSE {ROLLING} END,
            CASE WHEN i <= {first} THEN {moves_of_first} ELSE {moves} END FROM n;
        INSERT INTO tags (id, repository_id, name, class, rule, retention, family, track, version_key, state, digest_id, verified,
            header_untrusted, listed, band, last_seq, first_seen, baseline, changed)
            SELECT t.id, t.repository, t.name, CASE WHEN t.place < t.rolling THEN 3 ELSE 1 END, 'seeded', 0,
                CASE WHEN t.place < t.rolling THEN t.name ELSE '' END, t.track, {bytes_of_name}, 1, t.id, 1, 0, 1,
                CASE WHEN t.place < t.rolling OR t.place >= t.tags - {HOT} THEN 1 ELSE 3 END, 0, {BEGINS} + t.place * ({LENGTH} / t.tags), 0, {BEGINS}
            FROM (SELECT s.*, CASE WHEN place < rolling THEN 'roll-' || place
                    ELSE (place / 1000) || '.' || (place / 25 % 40) || '.' || (place % 25) END AS name,
                CASE WHEN place >= rolling THEN (place / 1000) || '.' || (place / 25 % 40) END AS track FROM seed_tags s) t;
        CREATE TABLE seed_events (tag BIGINT, repository BIGINT, class BIGINT, at BIGINT, digest BIGINT, move BIGINT);
        INSERT INTO seed_events SELECT id, repository, 1, {BEGINS} + place * ({LENGTH} / tags) + id * 7919 % ({LENGTH} / tags), id, 0
            FROM seed_tags WHERE place >= rolling;
        INSERT INTO seed_events {2} SELECT s.id, s.repository, 3,
                {BEGINS} + (i - 1) * ({LENGTH} / s.moves) + (s.id * 104729 + i * 7919 * 7919) % ({LENGTH} / s.moves),
                s.id - s.place + s.rolling + (i * s.tags / s.moves + s.id * 37) % (s.tags - s.rolling), i - 1
            FROM seed_tags s JOIN n ON i <= s.moves WHERE s.place < s.rolling;
        INSERT INTO events (seq, at, recorded, kind, repository_id, tag_id, class, new_id, not_before, not_after, clock_changed,
            verified, baseline, source, actor_kind, actor_id, actor_display, salt, entry, leaf)
            SELECT row_number() OVER (ORDER BY at, tag, move), at, at, CASE WHEN move = 0 THEN 1 ELSE 2 END, repository, tag, class,
                digest, at - 300000, at, 0, 1, 0, 1, 1, 'poller', 'Tagwarden', {byte}, {byte}, {byte} FROM seed_events;
        INSERT INTO spans (began_seq, repository_id, tag_id, digest_id, from_at, until_at, began_by, ended_by, ended_seq, baseline)
            SELECT seq, repository_id, tag_id, new_id, at, lead(at) OVER w, kind, CASE WHEN lead(seq) OVER w > 0 THEN 2 END,
                lead(seq) OVER w, 0 FROM events WINDOW w AS (PARTITION BY tag_id ORDER BY seq);
        INSERT INTO first_releases (repository_id, digest_id, hash, tag, seq)
            SELECT e.repository_id, e.new_id, d.hash, t.name, e.seq FROM events e JOIN tags t ON t.id = e.tag_id
                JOIN digests d ON d.id = e.new_id WHERE e.class = 1;
        INSERT INTO lanes (repository_id, kind, name, family, class, position, tracks, n, baseline, first_at, last_at)
            SELECT e.repository_id, 0, '', '', 4, {byte}, count(DISTINCT t.track), count(*), 0, min(e.at), max(e.at)
                FROM events e JOIN tags t ON t.id = e.tag_id GROUP BY e.repository_id
            UNION ALL SELECT e.repository_id, 1, '', '', 1, {of_family}, 0, count(*), 0, min(e.at), max(e.at)
                FROM events e WHERE e.class = 1 GROUP BY e.repository_id
            UNION ALL SELECT t.repository_id, 2, t.name, '', 3, {of_tags}, 0, count(*), 0, min(e.at), max(e.at)
                FROM events e JOIN tags t ON t.id = e.tag_id WHERE e.class = 3 GROUP BY t.repository_id, t.name
            UNION ALL SELECT t.repository_id, 3, t.track, '', 1, {of_tracks}, 0, count(*), 0, min(e.at), max(e.at)
                FROM events e JOIN tags t ON t.id = e.tag_id WHERE e.class = 1 GROUP BY t.repository_id, t.track;
        CREATE TABLE seed_lanes (tag BIGINT, lane BIGINT, whole BIGINT);
        INSERT INTO seed_lanes SELECT t.id, l.id, 1 FROM tags t JOIN lanes l ON l.repository_id = t.repository_id AND l.kind = 0
            UNION ALL SELECT t.id, l.id, 0 FROM tags t JOIN lanes l ON l.repository_id = t.repository_id AND l.kind = 1 WHERE t.class = 1
            UNION ALL SELECT t.id, l.id, 0 FROM tags t JOIN lanes l ON l.repository_id = t.repository_id AND l.kind = 2 AND l.name = t.name
                WHERE t.class = 3
            UNION ALL SELECT t.id, l.id, 0 FROM tags t JOIN lanes l ON l.repository_id = t.repository_id AND l.kind = 3 AND l.name = t.track
                WHERE t.class = 1;
        CREATE INDEX seed_lanes_by_tag ON seed_lanes (tag);",
        numbers(repositories),
        numbers(tags),
        numbers(moves.max(moves_of_first)),
    );
    for (level, whole) in [(4, 0), (14, 0), (24, 0), (27, 0), (29, 0), (28, 1), (32, 1)] {
        write!(
            sql,
            "INSERT INTO rollups (lane_id, level, bucket, n, first_at, last_at, last_seq, not_before, kind, baseline, tag_id, digest_id)
                SELECT g.lane, {level}, g.bucket, g.n, g.first_at, e.at, e.seq, e.not_before, e.kind, 0, e.tag_id, e.new_id
                FROM (SELECT s.lane, x.at >> {level} AS bucket, count(*) AS n, min(x.at) AS first_at, max(x.seq) AS seq
                    FROM events x JOIN seed_lanes s ON s.tag = x.tag_id WHERE s.whole = {whole} GROUP BY s.lane, x.at >> {level}) g
                JOIN events e ON e.seq = g.seq;"
        )
        .unwrap();
    }
    let (ends, open) = (BEGINS + LENGTH, tags / OPEN_FLAGS);
    write!(
        sql,
        "INSERT INTO flags (kind, state, severity, content_severity, deletion_severity, comparing, flapping, repository_id, tag_id,
            not_after, opened, changed, version)
            SELECT 1, CASE WHEN id % {open} = 0 THEN 1 ELSE 4 END, 3, 3, 1, 0, 0, repository, id, {BEGINS}, {BEGINS}, {BEGINS}, 1
            FROM seed_tags WHERE place >= rolling AND (id % 1000 = 0 OR id % {open} = 0);
        INSERT INTO flag_events (flag_id, seq, repository_id, at, restored)
            SELECT f.id, e.seq, e.repository_id, e.at, 0 FROM flags f JOIN events e ON e.tag_id = f.tag_id;
        INSERT INTO tag_counts (repository_id, band, class, state, n)
            SELECT repository_id, band, class, state, count(*) FROM tags GROUP BY repository_id, band, class, state;
        INSERT INTO releases_by_day (repository_id, day, n)
            SELECT repository_id, first_seen / 86400000, count(*) FROM tags WHERE class = 1 GROUP BY repository_id, first_seen / 86400000;
        INSERT INTO totals (sort, key, n) SELECT 1, band, sum(n) FROM tag_counts WHERE class = 1 GROUP BY band
            UNION ALL SELECT 2, day, sum(n) FROM releases_by_day GROUP BY day;
        INSERT INTO registry_checks (registry_id, finished) VALUES (1, {ends} + 1);
        INSERT INTO passes (repository_id, period_id, band, started_generation, started_wall, finished, complete, proof, asked, seen,
            unseen, unread, exceptions, next, promised, proof_promised, newest, complete_started, proof_started, late_at)
            SELECT r.id, r.id, b.band, 1, {ends} + p.place, {ends} + p.place, 1, p.place, 1, 1, '[]', 0, '[]', {ends}, 86400000, 86400000,
                p.place, {ends} + p.place, {ends} + p.place, CASE WHEN r.id % 100 = 0 THEN {ends} ELSE 2 * {ends} END
            FROM repositories r CROSS JOIN (SELECT 1 AS band UNION ALL SELECT 3) b CROSS JOIN (SELECT 0 AS place UNION ALL SELECT 1) p;
        UPDATE counter SET event = (SELECT max(seq) FROM events);
        DROP TABLE seed_tags; DROP TABLE seed_events; DROP TABLE seed_lanes;"
    )
    .unwrap();
    sql
}

/// For the connection that fills PostgreSQL.
const BULK: &str = "SET session_replication_role = replica; SET work_mem = '256MB'; SET maintenance_work_mem = '1GB';";

/// A record of that size at `url`.
pub async fn fill(url: &str, size: Size) {
    Store::open(url).await.unwrap().shut().await;
    if url.starts_with("postgres") {
        let mut connection = PgConnection::connect(url).await.unwrap();
        // What is filled in bulk is indexed after it, and nobody looks up what its rows name: the large record takes far longer else.
        let of_indexes = "SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE schemaname = 'public'
            AND indexname NOT IN (SELECT conname FROM pg_constraint)";
        let indexes = connection.fetch_all(of_indexes).await.unwrap();
        let (mut dropped, mut made) = (BULK.to_owned(), String::new());
        for index in indexes {
            let (name, definition): (String, String) = (index.get("name"), index.get("definition"));
            write!(dropped, "DROP INDEX {name};").unwrap();
            write!(made, "{definition};").unwrap();
        }
        let sql = [dropped, filled(size, Database::Postgres), made].concat();
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        // As the server's own maintenance does in time.
        connection.execute("VACUUM ANALYZE").await.unwrap();
    } else {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        let sql = format!("PRAGMA cache_size = -400000; BEGIN; {} COMMIT;", filled(size, Database::Sqlite));
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// Puts each of the questions in its turn: its requests at once, until the last of them is answered.
async fn ask(server: &Tagwarden, questions: &[Vec<String>]) -> Times {
    let (client, clock) = (http_client(), SystemClock::new(1));
    let mut times = Vec::new();
    for paths in questions {
        let began = clock.now().mono;
        join_all(paths.iter().map(async |path| {
            let answer = client.get(format!("{}{path}", server.url())).send().await.unwrap();
            assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
            answer.bytes().await.unwrap();
        }))
        .await;
        times.push((clock.now().mono.0 - began.0) as f64 / 1e3);
    }
    Times::of(times)
}

async fn lanes(server: &Tagwarden, query: &str) -> Vec<String> {
    let url = format!("{}/api/v1/timeline/lanes?{query}", server.url());
    let head: TimelineHead = http_client().get(url).send().await.unwrap().json().await.unwrap();
    assert!(!head.lanes.is_empty(), "{query}");
    head.lanes.into_iter().map(|lane| lane.id).collect()
}

/// Tiles as somebody asks who zooms and pans: of the first repository's rolling tags and tracks, and of other repositories.
async fn tiles(server: &Tagwarden, size: Size, requests: usize) -> Vec<Vec<String>> {
    let mut random = StdRng::seed_from_u64(7);
    let first = format!("repository={HOST}/team/app-1");
    let rolling = lanes(server, &format!("{first}&class=rolling")).await;
    let tracks = lanes(server, &format!("{first}&by=track&class=release&limit=20")).await;
    let mut sets = vec![[rolling, tracks].concat().join(",")];
    for _ in 0..8 {
        let other = random.random_range(2..=size.repositories);
        sets.push(lanes(server, &format!("repository={HOST}/team/app-{other}")).await.join(","));
    }
    let mut paths = Vec::new();
    for at in 0..requests {
        let lanes = if at % 2 == 0 { &sets[0] } else { sets.choose(&mut random).unwrap() };
        let level = random.random_range(16..=30);
        let number = (random.random_range(BEGINS..BEGINS + LENGTH) >> level) / TILE_BUCKETS;
        paths.push(vec![format!("/api/v1/timeline/tile?level={level}&number={number}&lanes={lanes}")]);
    }
    paths
}

/// What the first page asks for: what it shows, and what surrounds every page.
const OVERVIEW: [&str; 7] = [
    "/api/v1/summary",
    "/api/v1/views",
    "/api/v1/configuration",
    "/api/v1/flags?state=open&severity=warning&limit=100",
    "/api/v1/flags?state=restored&limit=100",
    "/api/v1/registries?limit=500",
    "/api/v1/events?releases=true&limit=100",
];

/// Questions with their names: each that the first page asks alone, and then all of them as it asks them.
fn overview() -> Vec<(&'static str, Vec<String>)> {
    let alone = OVERVIEW.into_iter().map(|path| (path, vec![path.to_owned()]));
    alone.chain([(ALL, OVERVIEW.map(str::to_owned).to_vec())]).collect()
}

/// Starts on a record, and asks for the first page: its document and its sentence.
pub async fn started(url: &str) -> (Tagwarden, f64) {
    let mut server = Tagwarden::start(|place| {
        let docker_config = place.folder.join("config.json");
        std::fs::write(&docker_config, "{}").unwrap();
        format!(
            "[server]\nlisten = '127.0.0.1:{}'\ndatabase = '{url}'\ndocker_config = '{}'\n",
            place.port,
            docker_config.display()
        )
    })
    .await;
    // The second start: the file is known to the machine by then, as it is after an update.
    server.stop();
    let clock = SystemClock::new(1);
    let began = clock.now().mono;
    server.restart().await;
    for path in ["/", OVERVIEW[0]] {
        let page = http_client().get(format!("{}{path}", server.url())).send().await.unwrap();
        assert!(page.status().is_success(), "{}", page.text().await.unwrap());
    }
    let start = (clock.now().mono.0 - began.0) as f64 / 1e3;
    // Nobody polls from here on.
    server.restart_with(&["--read-only"]).await;
    (server, start)
}

/// How fast the record answers with a million tags and five million events, and beside a small one.
///
/// It needs a machine that is idle otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn a_million_tags_and_five_million_events_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    small_and_large("SQLite", [url("small"), url("large")]).await;
}

/// The same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn a_million_tags_and_five_million_events_on_postgres() {
    small_and_large("PostgreSQL", [postgres::database().await, postgres::database().await]).await;
}

/// Fills a record at each place, and asks both of them the same.
async fn small_and_large(database: &str, mut places: [String; 2]) {
    let part: i64 = std::env::var(PART).map_or(1, |part| part.parse().unwrap());
    let written = std::env::var(WRITTEN).ok();
    if let Some(written) = &written {
        let (small, large) = written.split_once(',').unwrap();
        assert!(
            small.starts_with("postgres") == places[0].starts_with("postgres"),
            "{WRITTEN} is of the other database"
        );
        places = [small, large].map(str::to_owned);
    }
    let [small_at, large_at] = places;
    let requests = REQUESTS / part as usize;
    let (mut small, mut missed) = (BTreeMap::new(), Vec::new());
    for (name, url, size) in [("small", small_at, SMALL), ("large", large_at, LARGE.part(part))] {
        let clock = SystemClock::new(1);
        let began = clock.now().mono;
        if written.is_none() {
            fill(&url, size).await;
        }
        let seconds = (clock.now().mono.0 - began.0) as f64 / 1e6;
        println!("{database}, {name}: {} tags, {} events, written in {seconds:.0} s", size.tags, size.events);
        let (server, start) = started(&url).await;
        let mut hold = |what: &str, is: f64, most: f64| {
            println!("  {what}: {is:.1} (at most {most})");
            if is > most {
                missed.push(format!("{database}, {name}: {what} {is:.1}, not {most}"));
            }
        };
        hold("start to first page, ms", start, START);
        let mut questions =
            overview().into_iter().map(|(what, paths)| (what, vec![paths; requests])).collect::<Vec<_>>();
        questions.push((TILE, tiles(&server, size, requests).await));
        for (what, questions) in questions {
            if what == TILE {
                // What was read for the first time is the disk's matter.
                ask(&server, &questions).await;
            }
            let times = ask(&server, &questions).await;
            let (median, is_whole) = (times.at(0.5), matches!(what, TILE | ALL));
            let most = if what == TILE { TILE_P99 } else { OVERVIEW_P99 };
            hold(&format!("{what}, p50 {median:.1}, p99 in ms"), times.at(0.99), most);
            let Some(before) = small.insert(what, median).filter(|_| name == "large") else { continue };
            let what = format!("{what}, median as a multiple of the small record's");
            if is_whole {
                hold(&what, median / before, TIMES_SMALL);
            } else {
                println!("  {what}: {:.1}", median / before);
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
