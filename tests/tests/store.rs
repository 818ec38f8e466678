//! The store through its front door, every test on SQLite and on PostgreSQL.

#[path = "store/acts.rs"]
mod acts;
#[path = "store/commit.rs"]
mod commit;
#[path = "store/flags.rs"]
mod flags;
#[path = "store/jobs.rs"]
mod jobs;
#[path = "store/passes.rs"]
mod passes;
#[path = "store/read.rs"]
mod read;
#[path = "store/schema.rs"]
mod schema;
#[path = "store/watch.rs"]
mod watch;
#[path = "store/world.rs"]
mod world;

/// Makes two tests of one body: on a SQLite file and on a PostgreSQL database of its own.
macro_rules! db_test {
    ($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block) => {
        mod $name {
            use super::*;

            $(#[$meta])*
            async fn run($world: crate::world::World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(crate::world::World::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run(crate::world::World::postgres().await).await;
            }
        }
    };
}

pub(crate) use db_test;
