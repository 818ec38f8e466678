//! The store through its front door, every test on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "store/acts.rs"]
mod acts;
#[path = "store/backup.rs"]
mod backup;
#[path = "store/commit.rs"]
mod commit;
#[path = "store/configuration.rs"]
mod configuration;
#[path = "store/deliveries.rs"]
mod deliveries;
#[path = "store/entries.rs"]
mod entries;
#[path = "store/flags.rs"]
mod flags;
#[path = "store/jobs.rs"]
mod jobs;
#[path = "store/passes.rs"]
mod passes;
#[path = "store/preview.rs"]
mod preview;
#[path = "store/read.rs"]
mod read;
#[path = "store/refreshes.rs"]
mod refreshes;
#[path = "store/schema.rs"]
mod schema;
#[path = "store/timeline.rs"]
mod timeline;
#[path = "store/watch.rs"]
mod watch;
#[path = "store/world.rs"]
mod world;

/// Makes two tests of one body: on a SQLite file and on a PostgreSQL database of its own.
macro_rules! db_test {
    ($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block) => {
        $(#[$meta])*
        async fn $name($world: crate::world::World) $body

        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(crate::world::World::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(crate::world::World::postgres().await).await;
            }
        }
    };
}

pub(crate) use db_test;
