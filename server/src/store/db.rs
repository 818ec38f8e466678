//! The thin layer over sqlx that lets one body of SQL run on SQLite and on PostgreSQL.
//!
//! Every column is an integer of 64 bits, text or bytes, and every placeholder is `$1`, `$2` …, which both understand. SQL is
//! `&'static str` (sqlx takes nothing else without an assertion), so that one test can prepare all of it on both databases.

mod value;

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Connection as _, Postgres, Row as _, Sqlite, Transaction};
use tagwarden_model::instant::Instant;
use tokio::time::timeout;

pub(crate) use self::value::Value;
use super::StoreError;

/// More than there are statements, so that none is parsed twice on a connection.
const STATEMENT_CACHE: usize = 500;

/// Pages that a connection to SQLite keeps at most, in KiB as SQLite has it. By itself it keeps 2 MB, of a record of gigabytes.
const CACHE: &str = "-65536";

/// What is asked of PostgreSQL takes a few milliseconds: it shall not plan for longer than it works. By itself it plans a join of
/// eight tables at each request, because it values the exact number of a LIMIT and not its own time, and it compiles, or shares among
/// processes, what looks large to it. And it takes a row found by an index for four times as dear as one that stands beside another,
/// as on a disk that turns: then it goes over all repositories to find forty. These are statements and no startup options, which
/// PgBouncer refuses.
const PLANS: &str = "SET plan_cache_mode = force_generic_plan; SET jit = off; SET max_parallel_workers_per_gather = 0;
    SET random_page_cost = 1.1";

/// A connection to PostgreSQL that was used within it is taken for a good one: to ask first is a fifth of what a page waits for.
const SURELY_THERE: Duration = Duration::from_secs(1);

/// Connections for reading that are open though nobody reads: a tile of the timeline takes two.
const SPARE: u32 = 2;

/// The database, chosen once from its URL.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    /// One writer at a time, many readers; the same single connection for both in memory.
    Sqlite {
        /// Holds exactly one connection.
        writer: SqlitePool,
        /// Never writes.
        reader: SqlitePool,
    },
    /// One pool.
    Postgres(PgPool),
}

/// A connection for reading, or a transaction for writing that is undone when it is dropped without [`Conn::commit`].
pub(crate) enum Conn {
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(Transaction<'static, Sqlite>),
    PostgresRead(PoolConnection<Postgres>),
    PostgresWrite(Transaction<'static, Postgres>),
}

/// One statement where the two dialects must differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialects {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// A row of a result.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// With the write lock at once.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// Where a database is, by its URL.
pub(crate) enum Place<'a> {
    Postgres,
    Memory,
    File(&'a str),
}

impl<'a> Place<'a> {
    pub(crate) fn of(url: &'a str) -> Result<Self, StoreError> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres),
            Some((scheme, _)) if scheme != "sqlite" => Err(StoreError::Open(format!(
                "a database of the kind `{scheme}` is not known: give a path, sqlite://PATH or postgres://…"
            ))),
            _ if url == "sqlite::memory:" || url == ":memory:" => Ok(Self::Memory),
            _ => Ok(Self::File(url.strip_prefix("sqlite://").or(url.strip_prefix("sqlite:")).unwrap_or(url))),
        }
    }
}

fn migrations(db: &Db) -> Migrator {
    let mut migrations = match db {
        Db::Sqlite { .. } => sqlx::migrate!("migrations/sqlite"),
        Db::Postgres(_) => sqlx::migrate!("migrations/postgres"),
    };
    migrations.set_ignore_missing(true);
    migrations
}

/// What every connection to SQLite has.
fn common(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.busy_timeout(Duration::from_secs(10)).statement_cache_capacity(STATEMENT_CACHE).pragma("cache_size", CACHE)
}

/// Why a file cannot be used. SQLite's code 26: it is something else than a database.
fn unopened(path: &str, error: &sqlx::Error) -> StoreError {
    let is_other = error.as_database_error().and_then(DatabaseError::code).is_some_and(|code| code == "26");
    let what = if is_other { "holds no record of Tagwarden" } else { "cannot be opened" };
    StoreError::Open(format!("the database {path} {what}: {error}"))
}

fn pool(connections: u32) -> SqlitePoolOptions {
    let pool = SqlitePoolOptions::new().min_connections(1).max_connections(connections);
    // A file does not hang up.
    pool.idle_timeout(None).max_lifetime(None).test_before_acquire(false)
}

impl Db {
    pub(crate) async fn open(url: &str) -> Result<Self, StoreError> {
        // One connection that is never closed: a second one would see another, empty database.
        let (path, memory) = match Place::of(url)? {
            Place::Postgres => return Self::postgres(url, false).await,
            Place::Memory => (":memory:", true),
            Place::File(path) => (path, false),
        };
        let failed = |error: sqlx::Error| unopened(path, &error);
        let options = if memory {
            SqliteConnectOptions::from_str("sqlite::memory:").map_err(failed)?
        } else {
            SqliteConnectOptions::new().filename(path).journal_mode(SqliteJournalMode::Wal)
        };
        let options = common(options).create_if_missing(true).synchronous(SqliteSynchronous::Full).foreign_keys(true);
        let writer = pool(1).connect_with(options.clone()).await.map_err(failed)?;
        let reader = if memory {
            writer.clone()
        } else {
            pool(4).min_connections(SPARE).connect_with(options.read_only(true)).await.map_err(failed)?
        };
        Ok(Self::Sqlite { writer, reader })
    }

    /// Opens a database that is there, to read it only: beside the server that uses it, or where it cannot be written to.
    pub(crate) async fn open_read_only(url: &str) -> Result<Self, StoreError> {
        match Place::of(url)? {
            Place::Postgres => Self::postgres(url, true).await,
            Place::Memory => Err(StoreError::Open("a database in memory begins empty: name a file".to_owned())),
            Place::File(path) => Self::read_file(path.as_ref(), false).await,
        }
    }

    /// The same for a file. One that is `private` to us is not locked, and no other file is looked for beside it.
    pub(crate) async fn read_file(path: &Path, private: bool) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(private);
        let reader =
            pool(4).connect_with(common(options)).await.map_err(|error| unopened(&path.to_string_lossy(), &error))?;
        Ok(Self::Sqlite { writer: reader.clone(), reader })
    }

    async fn postgres(url: &str, read_only: bool) -> Result<Self, StoreError> {
        let failed = |error: sqlx::Error| StoreError::Open(format!("the database cannot be opened: {error}"));
        let options = PgConnectOptions::from_str(url).map_err(failed)?.statement_cache_capacity(STATEMENT_CACHE);
        let options = if read_only { options.options([("default_transaction_read_only", "on")]) } else { options };
        let pool = PgPoolOptions::new()
            .min_connections(SPARE)
            .max_connections(16)
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::raw_sql(PLANS).execute(connection).await.map(drop) })
            })
            .test_before_acquire(false)
            .before_acquire(|connection, idle| {
                Box::pin(async move {
                    if idle.idle_for > SURELY_THERE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            });
        let pool = pool.connect_with(options).await.map_err(failed)?;
        Ok(Self::Postgres(pool))
    }

    /// Brings the schema up to date. Migrations of a newer server are none of our business: `schema` says whether we may run.
    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        let done = match self {
            Self::Sqlite { writer, .. } => migrations(self).run(writer).await,
            Self::Postgres(pool) => migrations(self).run(pool).await,
        };
        done.map_err(|error| StoreError::Open(format!("the database's schema cannot be brought up to date: {error}")))
    }

    /// The newest migration that this server knows.
    pub(crate) fn newest_migration(&self) -> i64 {
        migrations(self).iter().map(|migration| migration.version).max().unwrap_or_default()
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<Conn, StoreError> {
        Ok(match self {
            Self::Sqlite { reader, .. } => Conn::SqliteRead(reader.acquire().await?),
            Self::Postgres(pool) => Conn::PostgresRead(pool.acquire().await?),
        })
    }

    /// One more connection for reading, if one is open that nobody uses: who waits for a second one while all others do holds the
    /// first for ever. Nobody has asked whether it is still there: see [`Conn::answers`].
    pub(crate) fn spare(&self) -> Option<Conn> {
        match self {
            Self::Sqlite { reader, .. } => reader.try_acquire().map(Conn::SqliteRead),
            Self::Postgres(pool) => pool.try_acquire().map(Conn::PostgresRead),
        }
    }

    /// A transaction for writing. On SQLite it has the write lock from its first moment: a read that turns into a write later
    /// would fail at once when another writer was faster.
    pub(crate) async fn begin(&self) -> Result<Conn, StoreError> {
        Ok(match self {
            Self::Sqlite { writer, .. } => match writer.begin_with(BEGIN).await {
                // SQLite ended the last transaction by itself, as it does when the disk is full, and sqlx still counts it:
                // that connection can never write again, another one can.
                Err(sqlx::Error::InvalidSavePointStatement) => {
                    writer.acquire().await?.close().await?;
                    Conn::SqliteWrite(writer.begin_with(BEGIN).await?)
                }
                begun => Conn::SqliteWrite(begun?),
            },
            Self::Postgres(pool) => Conn::PostgresWrite(pool.begin().await?),
        })
    }

    /// The connections for reading, closed with all others.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

macro_rules! bind {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query($sql);
        for value in $values {
            query = match value {
                Value::Int(value) => query.bind(*value),
                // NUL is legal in SQLite's text and not in PostgreSQL's; nothing that we keep needs it.
                Value::Text(value) => query.bind(value.as_deref().map(|text| text.replace('\0', "\u{fffd}"))),
                Value::Bytes(value) => query.bind(value.as_deref()),
            };
        }
        query
    }};
}

impl Conn {
    /// Runs a statement; gives the number of rows that it changed.
    pub(crate) async fn execute(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, StoreError> {
        Ok(match self {
            Self::SqliteRead(c) => bind!(sql, values).execute(&mut **c).await?.rows_affected(),
            Self::SqliteWrite(c) => bind!(sql, values).execute(&mut **c).await?.rows_affected(),
            Self::PostgresRead(c) => bind!(sql, values).execute(&mut **c).await?.rows_affected(),
            Self::PostgresWrite(c) => bind!(sql, values).execute(&mut **c).await?.rows_affected(),
        })
    }

    /// All rows of a query.
    pub(crate) async fn all(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::SqliteRead(c) => wrap(bind!(sql, values).fetch_all(&mut **c).await?, Row::Sqlite),
            Self::SqliteWrite(c) => wrap(bind!(sql, values).fetch_all(&mut **c).await?, Row::Sqlite),
            Self::PostgresRead(c) => wrap(bind!(sql, values).fetch_all(&mut **c).await?, Row::Postgres),
            Self::PostgresWrite(c) => wrap(bind!(sql, values).fetch_all(&mut **c).await?, Row::Postgres),
        })
    }

    /// The first row of a query, if there is one.
    pub(crate) async fn optional(&mut self, sql: &'static str, values: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(match self {
            Self::SqliteRead(c) => bind!(sql, values).fetch_optional(&mut **c).await?.map(Row::Sqlite),
            Self::SqliteWrite(c) => bind!(sql, values).fetch_optional(&mut **c).await?.map(Row::Sqlite),
            Self::PostgresRead(c) => bind!(sql, values).fetch_optional(&mut **c).await?.map(Row::Postgres),
            Self::PostgresWrite(c) => bind!(sql, values).fetch_optional(&mut **c).await?.map(Row::Postgres),
        })
    }

    /// The row of a query that always has one.
    pub(crate) async fn one(&mut self, sql: &'static str, values: &[Value]) -> Result<Row, StoreError> {
        let row = self.optional(sql, values).await?;
        row.ok_or_else(|| StoreError::Inconsistent(format!("no row where there must be one: {sql}")))
    }

    /// Makes everything written since [`Db::begin`] lasting.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::SqliteWrite(transaction) => transaction.commit().await?,
            Self::PostgresWrite(transaction) => transaction.commit().await?,
            Self::SqliteRead(_) | Self::PostgresRead(_) => {}
        }
        Ok(())
    }

    /// Whether it is still there, by its own word within a second.
    pub(crate) async fn answers(&mut self) -> bool {
        match self {
            Self::SqliteRead(_) | Self::SqliteWrite(_) => true,
            Self::PostgresRead(c) => timeout(SURELY_THERE, c.ping()).await.is_ok_and(|pong| pong.is_ok()),
            Self::PostgresWrite(c) => timeout(SURELY_THERE, c.ping()).await.is_ok_and(|pong| pong.is_ok()),
        }
    }

    /// The text for this database.
    pub(crate) fn pick(&self, dialects: Dialects) -> &'static str {
        match self {
            Self::SqliteRead(_) | Self::SqliteWrite(_) => dialects.sqlite,
            Self::PostgresRead(_) | Self::PostgresWrite(_) => dialects.postgres,
        }
    }

    /// Whether it is a transaction.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Self::SqliteWrite(_) | Self::PostgresWrite(_))
    }

    /// Whether several processes may write to this database.
    pub(crate) fn shared(&self) -> bool {
        matches!(self, Self::PostgresRead(_) | Self::PostgresWrite(_))
    }

    /// Lets the database parse a statement without running it, and looks at the types of its columns where the database is
    /// strict about them: PostgreSQL's `count(*)` is of 64 bits, its `CASE … THEN 1` is not.
    pub(crate) async fn prepare(&mut self, sql: &'static str) -> Result<(), StoreError> {
        use sqlx::{Column as _, Executor as _, SqlSafeStr as _, Statement as _, TypeInfo as _};
        let statement = match self {
            Self::SqliteRead(c) => return (&mut **c).prepare(sql.into_sql_str()).await.map(drop).map_err(Into::into),
            Self::SqliteWrite(c) => return (&mut **c).prepare(sql.into_sql_str()).await.map(drop).map_err(Into::into),
            Self::PostgresRead(c) => (&mut **c).prepare(sql.into_sql_str()).await?,
            Self::PostgresWrite(c) => (&mut **c).prepare(sql.into_sql_str()).await?,
        };
        let strange = |name: &str| !matches!(name, "INT8" | "TEXT" | "BYTEA");
        match statement.columns().iter().find(|column| strange(column.type_info().name())) {
            Some(column) => Err(StoreError::Inconsistent(format!(
                "the column {} has the type {}: {sql}",
                column.name(),
                column.type_info().name()
            ))),
            None => Ok(()),
        }
    }
}

fn wrap<T>(rows: Vec<T>, kind: fn(T) -> Row) -> Vec<Row> {
    rows.into_iter().map(kind).collect()
}

macro_rules! get {
    ($row:expr, $column:expr) => {
        match $row {
            Row::Sqlite(row) => row.try_get($column),
            Row::Postgres(row) => row.try_get($column),
        }
        .map_err(|error| StoreError::Inconsistent(error.to_string()))
    };
}

impl Row {
    pub(crate) fn int(&self, column: &str) -> Result<i64, StoreError> {
        get!(self, column)
    }

    pub(crate) fn int_opt(&self, column: &str) -> Result<Option<i64>, StoreError> {
        get!(self, column)
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, StoreError> {
        get!(self, column)
    }

    pub(crate) fn text_opt(&self, column: &str) -> Result<Option<String>, StoreError> {
        get!(self, column)
    }

    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        get!(self, column)
    }

    pub(crate) fn bytes_opt(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        get!(self, column)
    }

    /// A count: never negative.
    pub(crate) fn count(&self, column: &str) -> Result<u64, StoreError> {
        let value = self.int(column)?;
        u64::try_from(value).map_err(|_| StoreError::Inconsistent(format!("{column} is {value}")))
    }

    /// 0 or 1.
    pub(crate) fn yes(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn instant(&self, column: &str) -> Result<Instant, StoreError> {
        self.int(column).map(Instant)
    }

    pub(crate) fn instant_opt(&self, column: &str) -> Result<Option<Instant>, StoreError> {
        Ok(self.int_opt(column)?.map(Instant))
    }

    /// An enumeration's code, by its `from_code`.
    pub(crate) fn code<T>(&self, column: &str, from_code: fn(i64) -> Option<T>) -> Result<T, StoreError> {
        let code = self.int(column)?;
        from_code(code).ok_or_else(|| StoreError::Inconsistent(format!("{column} has the unknown code {code}")))
    }

    /// The same where there may be none.
    pub(crate) fn code_opt<T>(&self, column: &str, from_code: fn(i64) -> Option<T>) -> Result<Option<T>, StoreError> {
        self.int_opt(column)?.map(|_| self.code(column, from_code)).transpose()
    }
}

/// Declares statements, and the list of them that a test prepares on both databases.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* const $name: &str = $sql;)+

        pub(in crate::store) const STATEMENTS: &[&str] = &[$($name),+];
    };
}

/// A list of parameters of mixed types.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::db::Value::from($value)),*]
    };
}

pub(crate) use {statements, values};

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sqlite_is_built_to_plan_a_statement_once() {
        let mut conn = Db::open(":memory:").await.unwrap().read().await.unwrap();
        let options = conn.all("PRAGMA compile_options", &[]).await.unwrap();
        let has = |name: &str| options.iter().any(|row| row.text("compile_options").unwrap() == name);
        assert!(has("ENABLE_QPSG"), "`.cargo/config.toml` is not followed: lists take three times as long");
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_does_not_end_all_writing() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("record.db").display());
        let db = Db::open(&url).await.unwrap();
        for _ in 0..3 {
            let mut ended = db.begin().await.unwrap();
            // As on a full disk; sqlx learns nothing of it.
            ended.execute("ROLLBACK", &[]).await.unwrap();
            assert!(ended.commit().await.is_err());
            let mut next = db.begin().await.unwrap();
            next.execute("CREATE TABLE IF NOT EXISTS written (at INTEGER)", &[]).await.unwrap();
            next.commit().await.unwrap();
        }
    }
}
