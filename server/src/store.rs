//! The record on disk: one body of SQL for SQLite and PostgreSQL, chosen once from the URL.
//!
//! Architecture invariant: what happened is decided in `model`; this module writes it. Nothing here reads a clock: instants
//! come in as arguments. [`Store`] itself is the port; there is one implementation, over the two databases in `db`.

pub mod acts;
pub mod backup;
mod commit;
pub mod comparisons;
pub mod content;
mod db;
pub mod deliveries;
mod digests;
pub mod do_not_use;
mod events;
mod flags;
pub mod groups;
pub mod hints;
pub mod jobs;
mod judge;
mod lanes;
mod load;
mod passes;
mod projections;
mod promises;
mod purge;
pub mod read;
pub mod record;
pub mod refreshes;
pub mod sole;
pub mod tellings;
mod transaction;
mod verify;
pub mod views;
pub mod watch;

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::watch as signal;
use tokio_util::task::AbortOnDropHandle;

use db::{Conn, Db, values};

/// Which schema this server writes; `schema.min_server` of a database must not be larger.
const SCHEMA: i64 = 1;

/// How often a replica looks for changes itself: notifications are lost while its connection is down.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The store. Cheap to clone; every clone shares the same connections.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    db: Db,
    /// The newest change notice that this process knows of.
    newest: signal::Sender<i64>,
    /// Changes when this process wrote something that is to be told, or made a delivery due.
    outbox: signal::Sender<()>,
    /// On PostgreSQL: follows what other replicas write.
    _listener: Option<AbortOnDropHandle<()>>,
}

db::statements! {
    SERVER_NEEDED = "SELECT min_server FROM schema";
    NEWEST_CHANGE = "SELECT change FROM counter";
    NEWEST_MIGRATION = "SELECT max(version) AS version FROM _sqlx_migrations";
}

impl Store {
    /// Opens the database that `url` names and brings its schema up to date: `sqlite:///path`, a plain path, `sqlite::memory:`
    /// (one connection, for tests), or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let db = Db::open(url).await?;
        db.migrate().await?;
        Self::over(db).await
    }

    /// Opens a database that is there, to look at it: nothing of it is changed, and everything that writes fails.
    pub async fn open_read_only(url: &str) -> Result<Self, StoreError> {
        let db = Db::open_read_only(url).await?;
        let known = db.read().await?.one(NEWEST_MIGRATION, values![]).await;
        let known = known.and_then(|row| row.int("version")).map_err(|error| {
            StoreError::Open(format!("the database holds no record of Tagwarden: {}", with_causes(&error)))
        })?;
        if known < db.newest_migration() {
            return Err(StoreError::Open(
                "the database is of an older version, and looking at it must not change it: serve a copy of it once \
                 without --read-only, which brings it up to date"
                    .to_owned(),
            ));
        }
        Self::over(db).await
    }

    async fn over(db: Db) -> Result<Self, StoreError> {
        // Listening begins before the newest notice is read: none can fall between the two.
        let listener = match &db {
            Db::Sqlite { .. } => None,
            Db::Postgres(pool) => Some((pool.clone(), connect(pool).await)),
        };
        let mut conn = db.read().await?;
        check_schema(&mut conn).await?;
        let (newest, _) = signal::channel(newest_change(&mut conn).await?);
        drop(conn);
        let listener = listener
            .map(|(pool, listener)| AbortOnDropHandle::new(tokio::spawn(listen(pool, listener, newest.clone()))));
        Ok(Self { shared: Arc::new(Shared { db, newest, outbox: signal::Sender::new(()), _listener: listener }) })
    }

    /// Closes all connections; what still runs on them fails.
    pub async fn shut(&self) {
        self.shared.db.close().await;
    }

    /// Lets the database parse every statement that this server can send; gives how many. For tests.
    pub async fn prepare_all(&self) -> Result<usize, StoreError> {
        let mut conn = self.read_conn().await?;
        let mut count = 0;
        for statement in LISTS.iter().copied().flatten() {
            conn.prepare(statement).await?;
            count += 1;
        }
        for dialects in transaction::DIALECTS.iter().chain(read::timeline::tile::DIALECTS) {
            let statement = conn.pick(*dialects);
            conn.prepare(statement).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn read_conn(&self) -> Result<Conn, StoreError> {
        self.shared.db.read().await
    }

    /// A second one beside it, if one is open that nobody uses.
    fn spare_read_conn(&self) -> Option<Conn> {
        self.shared.db.spare()
    }
}

/// Every statement but the few that differ between the dialects.
const LISTS: &[&[&str]] = &[
    STATEMENTS,
    acts::STATEMENTS,
    commit::STATEMENTS,
    comparisons::STATEMENTS,
    content::STATEMENTS,
    deliveries::STATEMENTS,
    digests::STATEMENTS,
    do_not_use::STATEMENTS,
    events::STATEMENTS,
    flags::STATEMENTS,
    groups::STATEMENTS,
    hints::STATEMENTS,
    jobs::STATEMENTS,
    lanes::STATEMENTS,
    load::STATEMENTS,
    passes::STATEMENTS,
    projections::STATEMENTS,
    promises::STATEMENTS,
    purge::STATEMENTS,
    read::STATEMENTS,
    read::flags::STATEMENTS,
    read::histories::STATEMENTS,
    read::registries::STATEMENTS,
    read::repositories::STATEMENTS,
    read::search::STATEMENTS,
    read::tags::STATEMENTS,
    read::targets::STATEMENTS,
    read::timeline::STATEMENTS,
    read::timeline::tile::STATEMENTS,
    record::STATEMENTS,
    refreshes::STATEMENTS,
    tellings::STATEMENTS,
    transaction::STATEMENTS,
    verify::STATEMENTS,
    views::STATEMENTS,
    watch::STATEMENTS,
];

/// Whether this server is new enough for the database.
async fn check_schema(conn: &mut Conn) -> Result<(), StoreError> {
    let needed = conn.one(SERVER_NEEDED, values![]).await?.int("min_server")?;
    if needed > SCHEMA {
        return Err(StoreError::Open(format!(
            "the database was upgraded by a newer server and needs one of schema {needed}, this one has schema {SCHEMA}: install the newer version"
        )));
    }
    Ok(())
}

async fn newest_change(conn: &mut Conn) -> Result<i64, StoreError> {
    conn.one(NEWEST_CHANGE, values![]).await?.int("change")
}

fn raise(newest: &signal::Sender<i64>, id: i64) {
    newest.send_if_modified(|known| {
        let newer = id > *known;
        *known = id.max(*known);
        newer
    });
}

/// Follows the change notices of other replicas for as long as the store lives.
async fn listen(pool: PgPool, mut listener: Option<PgListener>, newest: signal::Sender<i64>) {
    loop {
        if listener.is_none() {
            listener = connect(&pool).await;
        }
        // A look at the table after every notification, reconnection and pause: the payload may be lost, the row is not.
        let heard = match &mut listener {
            Some(listener) => tokio::time::timeout(LOOK_EVERY, listener.try_recv()).await,
            // No connection: the same pause, cut short by nothing.
            None => tokio::time::timeout(LOOK_EVERY, std::future::pending()).await,
        };
        match heard {
            Ok(Ok(Some(notification))) => {
                if let Ok(id) = notification.payload().parse() {
                    raise(&newest, id);
                    continue;
                }
            }
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the connection that hears of other replicas' changes was lost");
                listener = None;
            }
        }
        match Db::Postgres(pool.clone()).read().await {
            Ok(mut conn) => match newest_change(&mut conn).await {
                Ok(id) => raise(&newest, id),
                Err(error) => tracing::warn!(%error, "changes of other replicas cannot be read"),
            },
            Err(_) if pool.is_closed() => return,
            Err(error) => tracing::warn!(%error, "changes of other replicas cannot be read"),
        }
    }
}

async fn connect(pool: &PgPool) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(pool).await.ok()?;
    listener.listen(transaction::CHANNEL).await.ok()?;
    Some(listener)
}

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be opened, or speaks a schema that this server is too old for.
    #[error("{0}")]
    Open(String),
    /// The lease of the registry is somebody else's now: nothing was written.
    #[error("the lease of the registry was lost")]
    LeaseLost,
    /// The row was changed since it was read: nothing was written.
    #[error("it was changed meanwhile")]
    Conflict,
    /// It is over and stays as it is (message for the person who asked).
    #[error("{0}")]
    Closed(String),
    /// The rules refuse it (message for the person who asked, and the field at fault).
    #[error("{message}")]
    Refused {
        /// What, where and what to do.
        message: String,
        /// The parameter or body field at fault.
        field: &'static str,
    },
    /// The database failed; the cause is logged, never sent.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A row that no version of this server writes.
    #[error("a stored row is inconsistent: {0}")]
    Inconsistent(String),
}

impl StoreError {
    /// All connections to the database were in use for too long: later is another try.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::PoolTimedOut))
    }
}

/// The error and what caused it, in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// What a reader may see. Every read takes one; roles and shares narrow it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `person`, `token`, `share`, `system` or `registry`.
    pub kind: ActorKind,
    /// Identifies it within its kind.
    pub id: String,
    /// Shown to people.
    pub display: String,
}

impl ActorKind {
    /// The word of a stored code, as it stands in the log.
    pub(in crate::store) fn word(code: i64) -> Option<&'static str> {
        let words = ["person", "token", "share", "system", "registry"];
        usize::try_from(code - 1).ok().and_then(|at| words.get(at).copied())
    }
}

impl Actor {
    /// Tagwarden itself.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, id: "tagwarden".to_owned(), display: "Tagwarden".to_owned() }
    }

    /// Whoever writes the configuration file.
    pub fn configuration() -> Self {
        Self { kind: ActorKind::System, id: "configuration".to_owned(), display: "configuration".to_owned() }
    }

    /// Tagwarden, by what contents differ in.
    fn comparison() -> Self {
        Self { id: "comparison".to_owned(), ..Self::system() }
    }
}

/// Kinds of actors; stored as integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// Somebody signed in, or whoever uses a server without sign-in.
    Person = 1,
    /// A program with a token.
    Token = 2,
    /// The holder of a read-only link.
    Share = 3,
    /// Tagwarden itself.
    System = 4,
    /// What a registry says of who pushed.
    Registry = 5,
}
