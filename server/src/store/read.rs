//! What the API reads. Every list is keyset-paged: `after` is the position behind the last row of the page before.

use tagwarden_model::api::{
    Change, DigestUse, Event, Flag, FlagDetail, Promise, Repository, Summary, Tag, Target, Timeline,
};
use tagwarden_model::flag::FlagState;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::Class;

use super::{Scope, Store, StoreError};

/// A page of rows and the position for the next page.
pub type Rows<T> = (Vec<T>, Option<Position>);

/// A position in a list: the sort key of the last row. Opaque outside the store but for being stored in a cursor.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position(pub Vec<serde_json::Value>);

/// In which order events are listed, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOrder {
    /// As recorded.
    Seq,
    /// As placed in time.
    At,
}

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this repository.
    pub repository: Option<RepositoryName>,
    /// Of this tag; needs `repository`.
    pub tag: Option<TagName>,
}

/// Which flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagFilter {
    /// In one of these states; all when empty.
    pub states: Vec<FlagState>,
    /// Of this repository.
    pub repository: Option<RepositoryName>,
}

/// Which tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFilter {
    /// The repository.
    pub repository: RepositoryName,
    /// Of this class.
    pub class: Option<Class>,
    /// Of this family.
    pub family: Option<String>,
    /// Only tags whose name contains this.
    pub contains: Option<String>,
}

#[expect(unused_variables, clippy::unused_async, clippy::todo, reason = "replaced by the implementation")]
impl Store {
    /// Answers a trivial query: for `/readyz`.
    pub async fn ping(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// What the first page says.
    pub async fn summary(&self, scope: Scope, now: Instant) -> Result<Summary, StoreError> {
        todo!()
    }

    /// Watched repositories by name.
    pub async fn repositories(
        &self,
        scope: Scope,
        now: Instant,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Repository>, StoreError> {
        todo!()
    }

    /// One watched repository.
    pub async fn repository(
        &self,
        scope: Scope,
        name: &RepositoryName,
        now: Instant,
    ) -> Result<Option<Repository>, StoreError> {
        todo!()
    }

    /// Tags: newest version first within a family. `None` if the repository was never watched.
    pub async fn tags(
        &self,
        scope: Scope,
        filter: &TagFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Option<Rows<Tag>>, StoreError> {
        todo!()
    }

    /// Events, newest first.
    pub async fn events(
        &self,
        scope: Scope,
        filter: &EventFilter,
        order: EventOrder,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Event>, StoreError> {
        todo!()
    }

    /// Flags: worst first, then newest.
    pub async fn flags(
        &self,
        scope: Scope,
        filter: &FlagFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Flag>, StoreError> {
        todo!()
    }

    /// One flag with its story and its targets.
    pub async fn flag(&self, scope: Scope, id: i64) -> Result<Option<FlagDetail>, StoreError> {
        todo!()
    }

    /// The way back of a tag, best first. `None` if there is no such tag.
    pub async fn targets(
        &self,
        scope: Scope,
        repository: &RepositoryName,
        tag: &TagName,
    ) -> Result<Option<Vec<Target>>, StoreError> {
        todo!()
    }

    /// Everything that ever pointed at a digest that begins with `prefix` (7 to 64 lower-case hex digits of sha256), newest first.
    pub async fn digest_uses(
        &self,
        scope: Scope,
        prefix: &str,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<DigestUse>, StoreError> {
        todo!()
    }

    /// What the timeline of a repository draws. `None` if it was never watched.
    pub async fn timeline(&self, scope: Scope, repository: &RepositoryName) -> Result<Option<Timeline>, StoreError> {
        todo!()
    }

    /// Promises that stand, of a repository, by tag.
    pub async fn promises(
        &self,
        scope: Scope,
        repository: &RepositoryName,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Promise>, StoreError> {
        todo!()
    }

    /// Change notices after `id`, oldest first. `None` when `id` is older than what is kept: the reader must start anew.
    pub async fn changes(&self, scope: Scope, after: i64, limit: u32) -> Result<Option<Vec<Change>>, StoreError> {
        todo!()
    }

    /// The newest change notice's id, 0 when there is none.
    pub async fn newest_change(&self) -> Result<i64, StoreError> {
        todo!()
    }

    /// Waits until a change notice after `id` may exist: woken by this process's own writes and, on PostgreSQL, by other
    /// replicas' (NOTIFY, and a look every 30 s). May return early.
    pub async fn changed(&self, after: i64) {
        todo!()
    }

    /// Drops change notices older than 24 hours.
    pub async fn prune_changes(&self, now: Instant) -> Result<(), StoreError> {
        todo!()
    }
}
