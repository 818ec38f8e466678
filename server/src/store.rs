//! The record on disk: one body of SQL for SQLite and PostgreSQL, chosen once from the URL.

pub mod acts;
pub mod content;
pub mod jobs;
pub mod read;
pub mod record;
pub mod watch;

/// The store. Cheap to clone; every clone shares the same connections.
#[derive(Clone)]
pub struct Store {}

#[expect(unused_variables, clippy::unused_async, clippy::todo, reason = "replaced by the implementation")]
impl Store {
    /// Opens the database that `url` names and brings its schema up to date: `sqlite:///path`, a plain path, `sqlite::memory:`
    /// (one connection, for tests), or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        todo!()
    }
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
