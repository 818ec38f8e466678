//! The real docker-registry, the built server with every delay at two seconds, and its API: what a person is promised, each
//! scenario on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod registry {
    mod deletions;
    mod kills;
    mod moves;
    mod outages;
    mod severities;
    pub mod world;
}

/// Makes two tests of one scenario: on a SQLite file and on a PostgreSQL database of its own.
macro_rules! scenario {
    ($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block) => {
        $(#[$meta])*
        async fn $name($world: crate::registry::world::World) $body

        mod $name {
            use crate::registry::world::{Database, World};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(World::start(Database::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(World::start(Database::Postgres).await).await;
            }
        }
    };
}

pub(crate) use scenario;
