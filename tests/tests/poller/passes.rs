//! Passes: how many there are, what they write, when they pause and when they are cut.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor as _, Row as _, SqlitePool};
use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden::poller::PollerSettings;
use tagwarden::registry::RegistryError;
use tagwarden_model::api::{Progress, RepositoryState};
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_tests::double::{Ask, Call, Double, Image, Play};
use tagwarden_tests::polling::{World, name, tag};
use tagwarden_tests::record::somebody;

const HOST: &str = "registry.example";
const PATH: &str = "team/api";

/// A lease that needs no renewal while a test looks at rows.
fn undisturbed() -> PollerSettings {
    PollerSettings { lease: Millis::days(30), refresh: Millis::days(30), ..PollerSettings::default() }
}

fn branches(double: &Double, count: usize) {
    for number in 0..count {
        double.push(PATH, &tag(&format!("branch-{number:04}")), Image::of(&number.to_string()));
    }
}

fn listings(calls: &[Call]) -> Vec<Instant> {
    calls.iter().filter(|call| call.ask == Ask::Listing).map(|call| call.sent.mark.wall).collect()
}

async fn texts(pool: &SqlitePool, sql: String) -> Vec<String> {
    let rows = pool.fetch_all(AssertSqlSafe(sql)).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every row of every table as text, by table.
async fn dump(pool: &SqlitePool) -> BTreeMap<String, BTreeSet<String>> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut dump = BTreeMap::new();
    for table in texts(pool, tables.to_owned()).await {
        let columns = texts(pool, format!("SELECT name FROM pragma_table_info('{table}')")).await;
        let columns: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
        let rows = texts(pool, format!("SELECT {} FROM {table}", columns.join("||'|'||"))).await;
        dump.insert(table, rows.into_iter().collect());
    }
    dump
}

#[tokio::test]
async fn a_pass_of_5000_unchanged_tags_writes_one_row() {
    let world = World::in_a_file().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry(HOST).await;
    branches(&double, 5000);
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), undisturbed());
    world.run(Millis::minutes(4)).await;
    assert_eq!(world.events().await.len(), 5000);
    assert_eq!(double.checks(), 5000);

    let pool = SqlitePool::connect(&world.url).await.unwrap();
    let before = dump(&pool).await;
    world.run(Millis::minutes(3)).await;
    let after = dump(&pool).await;
    assert_eq!(double.checks(), 10_000, "one pass");
    for (table, rows) in &after {
        let written: Vec<_> = rows.difference(&before[table]).collect();
        if table == "passes" {
            // The one before says that it is not the newest any more.
            let id = |row: &str| row.split('|').next().unwrap().to_owned();
            let known: BTreeSet<_> = before[table].iter().map(|row| id(row)).collect();
            let new = written.iter().filter(|row| !known.contains(&id(row))).count();
            assert_eq!((new, written.len()), (1, 2), "{written:?}");
        } else {
            // The registry was checked: its row says when.
            let checked = usize::from(table == "registry_checks");
            assert_eq!((written.len(), rows.len()), (checked, before[table].len()), "{table}: {written:?}");
        }
    }
    let newest = "SELECT asked || ' ' || seen || ' ' || complete FROM passes ORDER BY id DESC LIMIT 1";
    assert_eq!(texts(&pool, newest.to_owned()).await, ["5000 5000 1"]);
    polling.stop().await;
}

#[tokio::test]
async fn a_failing_pass_writes_one_row_however_many_tags() {
    let world = World::in_a_file().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry(HOST).await;
    branches(&double, 1000);
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), undisturbed());
    world.run(Millis::minutes(4)).await;
    double.script(|_| Play::Fail(RegistryError::Unreachable { message: "connection refused".to_owned() }));
    // The first failing pass also opens a gap and makes the repository failing.
    world.run(Millis::minutes(3)).await;
    assert_eq!(world.repository(&entry, PATH).await.state, RepositoryState::Failing);
    let (pool, checks) = (SqlitePool::connect(&world.url).await.unwrap(), double.checks());
    let before = dump(&pool).await;
    world.run(Millis::minutes(5)).await;
    let after = dump(&pool).await;
    assert_eq!(double.checks(), checks, "where nobody answers no tag is asked");
    for (table, rows) in &after {
        let written: Vec<_> = rows.difference(&before[table]).collect();
        let is_written = ["passes", "registry_checks"].contains(&table.as_str());
        assert_eq!(written.len(), usize::from(is_written), "{table}: {written:?}");
    }
    assert_eq!(world.events().await.len(), 1000);
    polling.stop().await;
}

#[tokio::test]
async fn a_day_of_polling_runs_in_seconds() {
    let stopwatch = SystemClock::new(0);
    let began = stopwatch.now().mono;
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry(HOST).await;
    branches(&double, 30);
    for number in 0..20 {
        double.push(PATH, &tag(&format!("1.{number}.0")), Image::of(&number.to_string()));
    }
    double.take(Millis(50));
    double.calls();
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::days(1)).await;
    polling.stop().await;

    let calls = double.calls();
    let listed = listings(&calls);
    let promised = Millis::minutes(6);
    assert!(listed.windows(2).all(|pair| pair[1] - pair[0] <= promised), "{listed:?}");
    let of = |name: &str| {
        let is = |call: &&Call| matches!(&call.ask, Ask::Head(tag) | Ask::Get(tag) if tag.as_str() == name);
        calls.iter().filter(is).count()
    };
    assert!((288..=330).contains(&of("branch-0007")), "every five minutes: {}", of("branch-0007"));
    assert!((24..=30).contains(&of("1.7.0")), "every hour: {}", of("1.7.0"));
    let events = world.events().await;
    assert_eq!(events.len(), 50);
    assert!(events.iter().all(|event| event.kind == EventKind::Created && event.baseline));
    let repository = world.repository(&entry, PATH).await;
    assert!(repository.freshness.iter().all(|band| band.late_since.is_none()), "{repository:?}");
    let took = Millis(((stopwatch.now().mono.0 - began.0) / 1000) as i64);
    println!("a day took {} ms", took.0);
    assert!(took < Millis::minutes(1));
}

#[tokio::test]
async fn the_first_pass_of_a_big_repository_reports_how_far_it_is() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry(HOST).await;
    branches(&double, 1000);
    let mut gets = 0;
    double.script(move |call| {
        gets += usize::from(matches!(call.ask, Ask::Get(_)));
        if gets > 500 { Play::Hang } else { Play::Truth }
    });
    world.watch(&entry, PATH).await;
    assert_eq!(world.repository(&entry, PATH).await.state, RepositoryState::New);
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::seconds(10)).await;
    let progress = world.repository(&entry, PATH).await.progress.unwrap();
    assert_eq!(progress.found, 1000);
    assert!((300..=500).contains(&progress.read), "{progress:?}");
    double.tell();
    world.run(Millis::seconds(10)).await;
    let repository = world.repository(&entry, PATH).await;
    assert!(matches!(repository.progress, None | Some(Progress { read: 1000, .. })), "{repository:?}");
    assert_eq!((repository.state, repository.tags), (RepositoryState::Ok, 1000));
    polling.stop().await;
}

#[tokio::test]
async fn a_pause_that_the_registry_asks_for_interrupts_a_pass_where_it_is() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry(HOST).await;
    branches(&double, 100);
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(4)).await;
    double.calls();
    let (mut heads, mut until) = (0, None);
    double.script(move |call| {
        heads += usize::from(matches!(call.ask, Ask::Head(_)));
        if heads == 40 && until.is_none() {
            until = Some(call.sent.mono.after(Millis::seconds(20)));
        }
        match until {
            Some(retry_at) if call.sent.mono < retry_at => {
                Play::Fail(RegistryError::RateLimited { retry_at, message: "slow down".to_owned() })
            }
            _ => Play::Truth,
        }
    });
    world.run(Millis::minutes(3)).await;
    polling.stop().await;
    let calls = double.calls();
    assert_eq!(listings(&calls).len(), 1, "one pass");
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &calls {
        if let Ask::Head(tag) = &call.ask {
            *asked.entry(tag.as_str()).or_default() += 1;
        }
    }
    assert_eq!(asked.len(), 100);
    // Those that were answered by 429, at most as many as may be under way at once.
    let twice = asked.values().filter(|times| **times == 2).count();
    assert!((1..=4).contains(&twice) && asked.values().all(|times| *times <= 2), "{asked:?}");
    let pauses: Vec<Millis> = calls
        .windows(2)
        .map(|pair| pair[1].sent.mark.wall - pair[0].sent.mark.wall)
        .filter(|gap| gap.0 > 1000)
        .collect();
    assert_eq!(pauses.len(), 1, "{pauses:?}");
    assert!((19_900..20_100).contains(&pauses[0].0), "{pauses:?}");
    let repository = world.repository(&entry, PATH).await;
    assert_eq!((repository.state, repository.freshness[0].late_since), (RepositoryState::Ok, None));
    assert_eq!(world.events().await.len(), 100);
}

#[tokio::test]
async fn a_pass_that_takes_too_long_is_cut_named_and_resumed_where_it_was() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry(HOST).await;
    branches(&double, 150);
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), PollerSettings { concurrency: 1, ..PollerSettings::default() });
    world.run(Millis::minutes(4)).await;
    assert_eq!(world.repository(&entry, PATH).await.state, RepositoryState::Ok);
    double.calls();
    // A minute is the limit: about sixty of them.
    double.take(Millis::seconds(1));
    let mut seen = BTreeSet::new();
    let mut last = String::new();
    for pass in 0..3 {
        world.run(Millis::minutes(5)).await;
        let calls = double.calls();
        let asked: Vec<&str> = calls
            .iter()
            .filter_map(|call| if let Ask::Head(tag) = &call.ask { Some(tag.as_str()) } else { None })
            .collect();
        assert!((50..=62).contains(&asked.len()), "{}", asked.len());
        assert!(asked[0] > last.as_str() || pass == 0 || last == "branch-0149", "{} after {last}", asked[0]);
        seen.extend(asked.iter().map(ToString::to_string));
        last = (*asked.last().unwrap()).to_owned();
        let reasons: Vec<_> =
            world.repository(&entry, PATH).await.freshness.iter().map(|band| band.late_reason.clone()).collect();
        assert!(reasons.iter().flatten().any(|reason| reason.contains("too slow")), "{reasons:?}");
    }
    assert_eq!(seen.len(), 150, "three passes ask every tag");
    // In time again, it is whole again.
    double.take(Millis(10));
    world.run(Millis::minutes(11)).await;
    let repository = world.repository(&entry, PATH).await;
    assert!(repository.freshness.iter().all(|band| band.late_since.is_none()), "{repository:?}");
    assert_eq!(world.events().await.len(), 150);
    polling.stop().await;
}

#[tokio::test]
async fn tags_that_cannot_be_read_are_late_and_the_repository_says_why() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry(HOST).await;
    branches(&double, 20);
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(4)).await;
    double.script(|call| match call.ask {
        Ask::Listing => Play::Truth,
        _ => Play::Fail(RegistryError::Refused { message: "not for you".to_owned() }),
    });
    world.run(Millis::minutes(20)).await;
    let repository = world.repository(&entry, PATH).await;
    let band = &repository.freshness[0];
    assert!(band.late_since.is_some(), "{repository:?}");
    assert!(band.late_reason.as_deref().unwrap_or_default().contains("not for you"), "{repository:?}");
    double.script(|_| Play::Truth);
    world.run(Millis::minutes(6)).await;
    let repository = world.repository(&entry, PATH).await;
    assert_eq!(repository.freshness[0].late_since, None, "{repository:?}");
    assert_eq!(world.events().await.len(), 20);
    polling.stop().await;
}

#[tokio::test]
async fn nothing_is_asked_while_paused_and_what_is_found_then_stood_before() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    double.push(PATH, &tag("1.0.0"), Image::of("a"));
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(10)).await;
    let name = name(&entry, PATH);
    world.store.pause(&name, &somebody(), world.wall()).await.unwrap();
    world.wake();
    world.run(Millis::minutes(1)).await;
    double.calls();
    double.push(PATH, &tag("1.1.0"), Image::of("b"));
    world.run(Millis::minutes(60)).await;
    assert_eq!(double.calls(), []);
    world.store.resume(&name, &somebody(), world.wall()).await.unwrap();
    world.wake();
    world.run(Millis::minutes(10)).await;
    let events = world.events().await;
    assert_eq!(events.iter().map(|event| event.baseline).collect::<Vec<_>>(), [true, true]);
    assert_eq!(events[1].tag.as_deref(), Some("1.1.0"));
    assert_eq!(world.repository(&entry, PATH).await.state, RepositoryState::Ok);
    polling.stop().await;
}

#[tokio::test]
async fn releases_that_could_never_be_read_are_counted_with_the_reason() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry(HOST).await;
    for number in 0..5 {
        double.push(PATH, &tag(&format!("1.{number}.0")), Image::of(&number.to_string()));
    }
    let old = |name: &str| name < "1.3";
    double.script(move |call| match &call.ask {
        Ask::Head(tag) | Ask::Get(tag) if old(tag.as_str()) => {
            Play::Fail(RegistryError::Unintelligible { message: "the media type is no image's".to_owned() })
        }
        _ => Play::Truth,
    });
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(7)).await;
    let repository = world.repository(&entry, PATH).await;
    assert_eq!((repository.state, repository.releases), (RepositoryState::Ok, 2));
    let unread = repository.unread.unwrap();
    assert_eq!((unread.count, unread.reason.as_str()), (3, "not understood: the media type is no image's"));
    // A new start knows it from the record at once.
    polling.stop().await;
    assert_eq!(world.repository(&entry, PATH).await.unread.map(|unread| unread.count), Some(3));
    double.script(|_| Play::Truth);
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(7)).await;
    let repository = world.repository(&entry, PATH).await;
    assert_eq!((repository.unread, repository.releases), (None, 5));
    polling.stop().await;
}

#[tokio::test]
async fn what_is_added_is_read_without_reading_the_passes_of_the_others_again() {
    let world = World::in_a_file().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry(HOST).await;
    for path in [PATH, "team/other"] {
        double.push(path, &tag("main"), Image::of(path));
    }
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(1)).await;
    // Whoever reads these rows fails.
    let pool = SqlitePool::connect(&world.url).await.unwrap();
    pool.execute("UPDATE passes SET band = 99").await.unwrap();
    world.watch(&entry, "team/other").await;
    world.run(Millis::minutes(1)).await;
    assert_eq!(world.events().await.len(), 2);
    polling.stop().await;
}
