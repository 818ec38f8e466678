//! Opening, upgrading, statements.

use tagwarden::store::{Store, StoreError};

use crate::db_test;

db_test! {
    async fn every_statement_is_understood(world: World) {
        let count = world.store.prepare_all().await.unwrap();
        assert!(count > 100, "{count} statements were collected");
    }
}

db_test! {
    async fn a_database_opens_again_with_what_it_had(world: World) {
        let (seq, _) = world.create("1.0.0", "a").await;
        world.store.shut().await;
        let again = Store::open(&world.url).await.unwrap();
        let loaded = again.load(world.repository, world.now()).await.unwrap();
        assert_eq!(loaded.tags[0].record.last_seq, seq);
        again.shut().await;
    }
}

db_test! {
    async fn an_older_server_may_go_on_and_a_too_old_one_is_refused(world: World) {
        world.execute("UPDATE schema SET version = 7").await;
        Store::open(&world.url).await.unwrap().ping().await.unwrap();
        world.execute("UPDATE schema SET min_server = 2").await;
        let Err(StoreError::Open(message)) = Store::open(&world.url).await else { panic!("it opened") };
        assert!(message.contains("install the newer version"), "{message}");
    }
}

db_test! {
    async fn a_code_that_no_server_wrote_is_an_error_and_no_panic(world: World) {
        world.create("1.0.0", "a").await;
        world.execute("UPDATE tags SET band = 99").await;
        let error = world.store.load(world.repository, world.now()).await.unwrap_err();
        assert!(matches!(&error, StoreError::Inconsistent(what) if what.contains("99")), "{error}");
        world.execute("UPDATE tags SET band = 1, prior = '{'").await;
        assert!(matches!(world.store.load(world.repository, world.now()).await, Err(StoreError::Inconsistent(_))));
        world.execute("UPDATE tags SET prior = NULL, digest_id = NULL").await;
        assert!(matches!(world.store.load(world.repository, world.now()).await, Err(StoreError::Inconsistent(_))));
    }
}

#[tokio::test]
async fn a_database_in_memory_works_with_its_one_connection() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    store.put_registry(&crate::world::entry("a.example")).await.unwrap();
    assert_eq!(store.registries().await.unwrap().len(), 1);
    let generations = futures::future::join_all((0..8).map(|_| store.new_generation(crate::world::START))).await;
    let mut generations = generations.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    generations.sort_unstable();
    assert_eq!(generations, (1..=8).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_plain_path_is_a_sqlite_file_with_a_durable_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.db");
    let store = Store::open(path.to_str().unwrap()).await.unwrap();
    store.ping().await.unwrap();
    assert!(path.exists());
    assert!(folder.path().join("record.db-wal").exists(), "write-ahead log");
}

#[tokio::test]
async fn another_kind_of_database_is_refused_with_what_to_do() {
    let Err(StoreError::Open(message)) = Store::open("mysql://localhost/x").await else { panic!("it opened") };
    assert!(message.contains("mysql") && message.contains("postgres://"), "{message}");
}
