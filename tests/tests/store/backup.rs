//! Copies of the record: taken while it is written, put back, and found out when they are not what was recorded.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::{Rng as _, SeedableRng as _};
use tagwarden::store::backup::{BackupError, Whole, backup, restore};
use tagwarden::store::content::Content;
use tagwarden::store::read::{EventFilter, EventOrder};
use tagwarden::store::{Scope, Store};

use crate::world::{World, digest, name, person, present, repository};

/// A record with a little of everything that is verified, and a copy of it.
struct Copied {
    world: World,
    folder: tempfile::TempDir,
}

impl Copied {
    async fn new() -> Self {
        let world = World::sqlite().await;
        for tag in ["1.0.0", "1.1.0", "latest"] {
            let (seq, _) = world.create(tag, "first").await;
            world.to(tag, "first", tag, seq).await;
        }
        let bytes = "kept bytes ".repeat(100);
        let content = Content { media_type: "application/json".to_owned(), bytes: bytes.clone().into_bytes() };
        world.store.put_contents(&[(digest(&bytes), content)], world.now()).await.unwrap();
        let copied = Self { world, folder: tempfile::tempdir().unwrap() };
        let whole = backup(&copied.world.url, &copied.path("copy")).await.unwrap();
        assert_eq!(whole, Whole { events: 6, contents: 1 });
        copied
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn restore(&self, from: &str, to: &str) -> Result<Whole, BackupError> {
        restore(&self.path(from), self.path(to).to_str().unwrap(), false).await
    }

    /// Changes the copy behind everybody's back; gives what restoring it says.
    async fn refusal(&self, sql: &str) -> String {
        fs::copy(self.path("copy"), self.path("changed")).unwrap();
        let changed = Changed::open(&self.path("changed")).await;
        changed.execute(sql).await;
        self.restore("changed", "restored").await.unwrap_err().to_string()
    }
}

/// A file opened as what it is, a SQLite database.
struct Changed(sqlx::SqlitePool);

impl Changed {
    async fn open(path: &Path) -> Self {
        Self(sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap())
    }

    async fn execute(self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(format!("PRAGMA foreign_keys = OFF; {sql}"));
        sqlx::raw_sql(sql).execute(&self.0).await.unwrap();
        self.0.close().await;
    }
}

#[tokio::test]
async fn a_record_without_what_was_purged_is_whole() {
    let copied = Copied::new().await;
    let (world, other) = (&copied.world, repository("other"));
    world.store.watch(world.registry, &other, &person(), world.tick()).await.unwrap();
    world.store.unwatch(&name(), &person(), world.tick()).await.unwrap();
    world.store.purge(&name(), &person(), world.tick()).await.unwrap();
    let whole = backup(&world.url, &copied.path("purged")).await.unwrap();
    assert_eq!((whole.events, copied.restore("purged", "restored").await.unwrap()), (0, whole));
    // A leaf that was not left is missed.
    let changed = Changed::open(&copied.path("purged")).await;
    changed.execute("DELETE FROM purged_events WHERE seq = 3").await;
    let refusal = copied.restore("purged", "again").await.unwrap_err().to_string();
    assert!(refusal.contains("event 1: it is missing"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_heavy_writing_is_one_state_of_the_record() {
    let world = Arc::new(World::sqlite().await);
    let folder = tempfile::tempdir().unwrap();
    let (stop, writing) = (Arc::new(AtomicBool::new(false)), world.clone());
    let stopped = stop.clone();
    let (mut seq, _) = world.create("1.0.0", "0").await;
    let writer = tokio::spawn(async move {
        let mut version = 0;
        while !stopped.load(Ordering::Relaxed) {
            let (from, to) = (version.to_string(), (version + 1).to_string());
            seq = writing.to("1.0.0", &from, &to, seq).await.0;
            version += 1;
        }
        version
    });
    let mut events = Vec::new();
    for round in 0..6 {
        let (file, to) = (folder.path().join(format!("{round}.copy")), folder.path().join(format!("{round}.db")));
        let whole = backup(&world.url, &file).await.unwrap();
        assert_eq!(restore(&file, to.to_str().unwrap(), false).await.unwrap(), whole);
        let store = Store::open(to.to_str().unwrap()).await.unwrap();
        // The tag is as its last event in the copy says.
        let loaded = store.load(world.repository, world.now()).await.unwrap();
        let last = whole.events - 1;
        let expected = present(&last.to_string(), i64::try_from(whole.events).unwrap());
        assert_eq!(
            (&loaded.tags[0].record.state, loaded.tags[0].record.last_seq),
            (&expected.state, expected.last_seq)
        );
        let newest = store.events(Scope::All, &EventFilter::default(), EventOrder::Seq, None, 1).await.unwrap().0;
        assert_eq!(newest[0].new_digest, Some(digest(&last.to_string())));
        store.shut().await;
        events.push(whole.events);
    }
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap() + 1;
    assert!(events.is_sorted() && events[0] < events[5] && events[5] <= written, "{events:?} of {written}");
}

#[tokio::test]
async fn what_was_not_recorded_so_is_found_and_named() {
    let copied = Copied::new().await;
    let kept = digest(&"kept bytes ".repeat(100));
    for (sql, words) in [
        ("UPDATE events SET at = at + 1 WHERE seq = 3", "event 3: its hashes"),
        ("UPDATE events SET salt = zeroblob(16) WHERE seq = 3", "event 3: its hashes"),
        ("UPDATE events SET kind = 99 WHERE seq = 2", "event 2: a stored row is inconsistent: kind"),
        ("UPDATE tags SET name = 'other' WHERE name = 'latest'", "event 5: its hashes"),
        (
            "DELETE FROM event_proofs; DELETE FROM flag_events; DELETE FROM events WHERE seq = 4",
            "event 4: it is missing",
        ),
        ("DELETE FROM events WHERE seq = 6", "event 6: it is missing, 6 were counted"),
        ("UPDATE content SET zstd = zeroblob(20)", &format!("the kept bytes of {kept} are damaged")),
        ("DELETE FROM repositories", ": a row names one of repositories that is not there"),
        ("UPDATE schema SET min_server = 99", "install the newer version"),
        (
            "CREATE TRIGGER z AFTER INSERT ON passes BEGIN DELETE FROM events; END",
            "the file: it has a trigger of others, z",
        ),
        ("DROP TABLE schema", "it is no record of Tagwarden"),
    ] {
        let refusal = copied.refusal(sql).await;
        assert!(refusal.contains(words), "{sql}: {refusal}");
        assert!(!copied.path("restored").exists() && !copied.path("restored.partial").exists(), "{sql}");
    }
}

/// Every byte that tells what happened, flipped: either the copy is refused, or it still tells the same.
#[tokio::test]
async fn a_flipped_byte_never_tells_another_story() {
    let copied = Copied::new().await;
    let bytes = fs::read(copied.path("copy")).unwrap();
    let story = story(&copied.path("copy")).await.unwrap();
    let mut random = rand::rngs::StdRng::seed_from_u64(23);
    let mut refused = 0;
    for _ in 0..150 {
        // Most pages are empty; a byte that means something is not 0.
        let at = std::iter::repeat_with(|| random.random_range(0..bytes.len())).find(|at| bytes[*at] != 0).unwrap();
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << random.random_range(0..8);
        fs::write(copied.path("flipped"), &flipped).unwrap();
        match copied.restore("flipped", "restored").await {
            Ok(_) => {
                assert_eq!(self::story(&copied.path("restored")).await.unwrap(), story, "byte {at}");
                fs::remove_file(copied.path("restored")).unwrap();
            }
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("flipped"), "byte {at}: {error}");
            }
        }
    }
    assert!(refused > 20, "only {refused} were refused");
}

/// Everything that an event's leaf and a digest stand for.
async fn story(path: &Path) -> Result<Vec<String>, sqlx::Error> {
    const EVENTS: &str =
        "SELECT quote(e.seq) || quote(at) || quote(kind) || quote(r.name) || quote(t.name) || quote(o.hash)
            || quote(n.hash) || quote(not_before) || quote(not_after) || quote(clock_changed) || quote(e.verified)
            || quote(e.baseline) || quote(source) || quote(deleted_by) || quote(group_id) || quote(salt) || quote(leaf)
        FROM events e JOIN repositories r ON r.id = e.repository_id LEFT JOIN tags t ON t.id = e.tag_id
            LEFT JOIN digests o ON o.id = old_id LEFT JOIN digests n ON n.id = new_id ORDER BY e.seq";
    const CONTENTS: &str = "SELECT quote(hash) || quote(zstd) FROM content JOIN digests ON id = digest_id ORDER BY id";
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}?immutable=1", path.display())).await?;
    let mut told: Vec<String> = sqlx::query_scalar(EVENTS).fetch_all(&pool).await?;
    told.extend(sqlx::query_scalar::<_, String>(CONTENTS).fetch_all(&pool).await?);
    pool.close().await;
    Ok(told)
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let copied = Copied::new().await;
    for (name, contents) in [("text", b"hello, here is some text".as_slice()), ("empty", b"")] {
        fs::write(copied.path(name), contents).unwrap();
        let error = copied.restore(name, "restored").await.unwrap_err().to_string();
        assert!(error.contains(&format!("{name} is damaged")), "{error}");
    }
    let half = fs::read(copied.path("copy")).unwrap();
    fs::write(copied.path("half"), &half[..half.len() / 2]).unwrap();
    copied.restore("half", "restored").await.unwrap_err();
    let error = copied.restore("nothing", "restored").await.unwrap_err().to_string();
    assert!(error.contains("nothing: No such file"), "{error}");
}

#[tokio::test]
async fn a_record_is_replaced_only_when_asked_and_never_below_a_server() {
    let copied = Copied::new().await;
    copied.restore("copy", "record").await.unwrap();
    let to = copied.path("record");
    let url = to.to_str().unwrap();
    let refused = copied.restore("copy", "record").await.unwrap_err().to_string();
    assert!(refused.contains("--force"), "{refused}");

    let store = Store::open(url).await.unwrap();
    let sole = store.sole().unwrap().unwrap();
    store.put_registry(&crate::world::entry("later.example")).await.unwrap();
    let refused = restore(&copied.path("copy"), url, true).await.unwrap_err().to_string();
    assert!(refused.contains("another server uses"), "{refused}");
    // Backups are taken beside it.
    backup(url, &copied.path("second")).await.unwrap();
    let refused = backup(url, &copied.path("second")).await.unwrap_err().to_string();
    assert!(refused.contains("is there already"), "{refused}");
    drop(sole);
    // Killed: its log stays behind, and must not be played into what replaces the record.
    std::mem::forget(store);
    assert!(fs::metadata(copied.path("record-wal")).unwrap().len() > 0);
    restore(&copied.path("copy"), url, true).await.unwrap();
    let store = Store::open(url).await.unwrap();
    assert_eq!(store.registries().await.unwrap().len(), 1, "without the one that came after the copy");
    assert_eq!(store.registries().await.unwrap()[0].name, "registry.example");
}

#[tokio::test]
async fn a_copy_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let copied = Copied::new().await;
    assert_eq!(fs::metadata(copied.path("copy")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn for_postgres_the_commands_are_said_without_the_password() {
    let url = "postgres://tags:secret@127.0.0.1:5432/it's";
    let error = backup(url, Path::new("my record.dump")).await.unwrap_err().to_string();
    let command = "pg_dump --format=custom --file='my record.dump' 'postgres://tags@127.0.0.1:5432/it'\\''s'";
    assert!(error.contains(command), "{error}");
    let error = restore(Path::new("my record.dump"), url, false).await.unwrap_err().to_string();
    assert!(error.contains("pg_restore --clean") && error.ends_with("'my record.dump'"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test]
async fn what_is_only_looked_at_is_not_changed() {
    let copied = Copied::new().await;
    let before = fs::read(copied.path("copy")).unwrap();
    let path = copied.path("copy");
    let store = Store::open_read_only(path.to_str().unwrap()).await.unwrap();
    assert_eq!(store.registries().await.unwrap().len(), 1);
    store.put_registry(&crate::world::entry("a.example")).await.unwrap_err();
    store.new_generation(crate::world::START).await.unwrap_err();
    store.shut().await;
    assert_eq!(fs::read(&path).unwrap(), before);
    let files = fs::read_dir(copied.folder.path()).unwrap().count();
    assert_eq!(files, 1, "nothing was written beside it");

    Changed::open(&path).await.execute("DELETE FROM _sqlx_migrations").await;
    let Err(older) = Store::open_read_only(path.to_str().unwrap()).await else { panic!("it opened") };
    assert!(older.to_string().contains("without --read-only"), "{older}");
    fs::write(copied.path("text"), "hello").unwrap();
    let Err(other) = Store::open_read_only(copied.path("text").to_str().unwrap()).await else { panic!("it opened") };
    assert!(other.to_string().contains("holds no record"), "{other}");
}
