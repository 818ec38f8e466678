//! What the API reads. Every list is keyset-paged: `after` is the position behind the last row of the page before.

/// The newest passes `p` of bands that are late at $1, each with its repository `r`. A band without tags is never late, and while a
/// repository is paused nothing is promised. Both ends of the time are given: with one SQLite goes over all passes.
macro_rules! late_passes {
    () => {
        "passes p JOIN repositories r ON r.id = p.repository_id AND r.period_id = p.period_id
        WHERE p.newest = 1 AND p.late_at > 0 AND p.late_at < $1 AND r.state <> 7 AND EXISTS (SELECT 1 FROM tag_counts c
            WHERE c.repository_id = p.repository_id AND c.band = p.band AND c.state <> 2 AND c.n > 0)"
    };
}

pub(super) mod flags;
pub mod histories;
pub(super) mod registries;
pub(super) mod repositories;
pub(super) mod search;
pub(super) mod tags;
pub(super) mod targets;
pub mod timeline;

use tagwarden_model::api::{Change, ChangeKind, DigestUse, Event, Gap, Promise, Span, Timeline};
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::FlagState;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::{Band, Class};

use super::db::{Conn, Row, statements, values};
use super::digests::{digest, digest_opt};
use super::{Scope, Store, StoreError, events, groups, newest_change};

/// Spans and gaps that a timeline has at most.
const MOST_SPANS: u32 = 2000;
/// Change notices are kept this long.
const KEPT: Millis = Millis::hours(24);

statements! {
    OPEN_FLAGS = "SELECT count(*) AS n FROM flags WHERE state = $1 AND severity = $2";
    PING = "SELECT CAST(1 AS BIGINT) AS one";
    REPOSITORY_ID = "SELECT id, watched_since FROM repositories WHERE name = $1";
    TAG_ID = "SELECT id FROM tags WHERE repository_id = $1 AND name = $2";
    USES = "SELECT s.began_seq, d.hash, r.name AS repository, t.name AS tag, t.class, s.from_at, s.until_at
        FROM digests d JOIN spans s ON s.digest_id = d.id JOIN tags t ON t.id = s.tag_id
            JOIN repositories r ON r.id = s.repository_id
        WHERE d.hash >= $1 AND d.hash <= $2 AND length(d.hash) = 32 AND s.began_seq < $3
        ORDER BY s.began_seq DESC LIMIT $4";
    SPANS = "SELECT t.name AS tag, t.class, d.hash, s.from_at, s.until_at, s.began_by, s.ended_by, s.baseline
        FROM spans s JOIN tags t ON t.id = s.tag_id JOIN digests d ON d.id = s.digest_id
        WHERE s.repository_id = $1 AND t.class <> $2 ORDER BY s.from_at DESC, s.began_seq DESC LIMIT $3";
    GAPS = "SELECT band, from_at, until_at, reason FROM gaps WHERE repository_id = $1 ORDER BY from_at DESC, id DESC LIMIT $2";
    PROMISES = "SELECT p.tag, d.hash, p.provisional, p.actor_display, p.reason, p.at
        FROM promises p LEFT JOIN digests d ON d.id = p.digest_id
        WHERE p.repository_id = $1 AND p.stands = 1 AND p.tag > $2 ORDER BY p.tag LIMIT $3";
    OLDEST_CHANGE = "SELECT min(id) AS id FROM changes";
    CHANGES = "SELECT c.id, c.kind, c.ref, r.name AS repository FROM changes c LEFT JOIN repositories r ON r.id = c.repository_id
        WHERE c.id > $1 ORDER BY c.id LIMIT $2";
    PRUNE_CHANGES = "DELETE FROM changes WHERE at < $1";
}

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
    /// Of the repositories of this group, unless one is named.
    pub group: Option<String>,
    /// Without those of what stood before the watch.
    pub without_baseline: bool,
    /// Only what happened to releases since they are watched, by time: an index of their own finds them, however often other
    /// tags move. Leaves out the filters above.
    pub releases: bool,
}

/// Which flags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagFilter {
    /// In one of these states; all when empty.
    pub states: Vec<FlagState>,
    /// Of this repository.
    pub repository: Option<RepositoryName>,
    /// Of the repositories of this group, unless one is named.
    pub group: Option<String>,
    /// At least as severe.
    pub severity: Option<Severity>,
    /// Whose `repository:tag` contains this.
    pub contains: Option<String>,
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

impl Position {
    pub(super) fn of<const N: usize>(values: [serde_json::Value; N]) -> Self {
        Self(values.into())
    }

    pub(super) fn int(&self, at: usize) -> Result<i64, StoreError> {
        self.0.get(at).and_then(serde_json::Value::as_i64).ok_or_else(unreadable)
    }

    pub(super) fn text(&self, at: usize) -> Result<&str, StoreError> {
        self.0.get(at).and_then(serde_json::Value::as_str).ok_or_else(unreadable)
    }
}

fn unreadable() -> StoreError {
    let message = "the cursor is not one of this list: begin at the first page".to_owned();
    StoreError::Refused { message, field: "cursor" }
}

/// Rows to ask for: one more than wanted says whether there is a further page.
pub(super) fn one_more(limit: u32) -> i64 {
    i64::from(limit) + 1
}

/// Cuts rows that were asked for by [`one_more`] to a page.
pub(super) fn page<T>(mut rows: Vec<T>, limit: u32, position: impl Fn(&T) -> Position) -> Rows<T> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(position);
    (rows, next)
}

/// The row id of a repository that is or was watched.
pub(super) async fn repository_id(conn: &mut Conn, name: &RepositoryName) -> Result<Option<i64>, StoreError> {
    conn.optional(REPOSITORY_ID, values![name.to_string()]).await?.map(|row| row.int("id")).transpose()
}

impl Store {
    /// How many flags are open, for every severity.
    pub async fn open_flags(&self, _scope: Scope) -> Result<Vec<(Severity, i64)>, StoreError> {
        let mut conn = self.read_conn().await?;
        let mut counts = Vec::new();
        for severity in Severity::ALL {
            let row = conn.one(OPEN_FLAGS, values![FlagState::Open.code(), severity.code()]).await?;
            counts.push((*severity, row.int("n")?));
        }
        Ok(counts)
    }

    /// Reads something, and takes the right to write for a moment: for `/readyz`.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read_conn().await?.one(PING, values![]).await?;
        drop(self.begin().await?);
        Ok(())
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
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let of = match &filter.repository {
            _ if filter.releases => events::Of::Releases,
            None => match &filter.group {
                None => events::Of::All,
                Some(group) => match groups::group_id(&mut conn, group).await? {
                    Some(id) => events::Of::Group(id),
                    None => return Ok((Vec::new(), None)),
                },
            },
            Some(name) => {
                let Some(id) = repository_id(&mut conn, name).await? else { return Ok((Vec::new(), None)) };
                match &filter.tag {
                    None => events::Of::Repository(id),
                    Some(tag) => match conn.optional(TAG_ID, values![id, tag.as_str()]).await? {
                        Some(row) => events::Of::Tag(row.int("id")?),
                        None => return Ok((Vec::new(), None)),
                    },
                }
            }
        };
        events::list(&mut conn, of, !filter.without_baseline, order, after, limit).await
    }

    /// Everything that ever pointed at a digest that begins with `prefix` (7 to 64 lower-case hex digits of sha256), newest first.
    pub async fn digest_uses(
        &self,
        scope: Scope,
        prefix: &str,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<DigestUse>, StoreError> {
        let Scope::All = scope;
        let range = || Some((prefix_bound(prefix, b'0')?, prefix_bound(prefix, b'f')?));
        let Some((low, high)) = range().filter(|_| prefix.len() >= 7) else {
            let message = "name 7 to 64 lower-case hex digits of a sha256 digest".to_owned();
            return Err(StoreError::Refused { message, field: "digest" });
        };
        let seq = after.map_or(Ok(i64::MAX), |after| after.int(0))?;
        let values = values![low.bytes(), high.bytes(), seq, one_more(limit)];
        let rows = self.read_conn().await?.all(USES, values).await?;
        let uses = rows.iter().map(|row| Ok((row.int("began_seq")?, digest_use(row)?)));
        let uses = uses.collect::<Result<Vec<_>, StoreError>>()?;
        let (uses, next) = page(uses, limit, |(seq, _)| Position::of([(*seq).into()]));
        Ok((uses.into_iter().map(|(_, used)| used).collect(), next))
    }

    /// What the timeline of a repository draws. `None` if it was never watched.
    pub async fn timeline(&self, scope: Scope, repository: &RepositoryName) -> Result<Option<Timeline>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let Some(row) = conn.optional(REPOSITORY_ID, values![repository.to_string()]).await? else { return Ok(None) };
        let (id, watched_since) = (row.int("id")?, row.instant_opt("watched_since")?);
        let watched_since =
            watched_since.ok_or_else(|| StoreError::Inconsistent("a watch without start".to_owned()))?;
        let rows = conn.all(SPANS, values![id, Class::Ignored.code(), one_more(MOST_SPANS)]).await?;
        let cut = rows.len() > MOST_SPANS as usize;
        let spans = rows.iter().take(MOST_SPANS as usize).map(span).collect::<Result<_, _>>()?;
        let gaps = conn.all(GAPS, values![id, MOST_SPANS]).await?.iter().map(gap).collect::<Result<_, _>>()?;
        Ok(Some(Timeline { spans, cut, gaps, watched_since }))
    }

    /// Promises that stand, of a repository, by tag.
    pub async fn promises(
        &self,
        scope: Scope,
        repository: &RepositoryName,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Promise>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let Some(id) = repository_id(&mut conn, repository).await? else { return Ok((Vec::new(), None)) };
        let tag = after.map_or(Ok(""), |after| after.text(0))?;
        let rows = conn.all(PROMISES, values![id, tag, one_more(limit)]).await?;
        let name = repository.to_string();
        let promise = |row: &Row| {
            Ok(Promise {
                repository: name.clone(),
                tag: row.text("tag")?,
                digest: digest_opt(row, "hash")?,
                provisional: row.yes("provisional")?,
                actor: row.text("actor_display")?,
                reason: row.text("reason")?,
                at: row.instant("at")?,
            })
        };
        let promises = rows.iter().map(promise).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(page(promises, limit, |promise| Position::of([promise.tag.clone().into()])))
    }

    /// Change notices after `id`, oldest first. `None` when `id` is older than what is kept, or newer than all there ever were
    /// (the database was restored from a copy): the reader must start anew.
    pub async fn changes(&self, scope: Scope, after: i64, limit: u32) -> Result<Option<Vec<Change>>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        // The rows first: pruning between the queries must not make a hole look whole.
        let rows = conn.all(CHANGES, values![after, limit]).await?;
        let oldest = conn.one(OLDEST_CHANGE, values![]).await?.int_opt("id")?;
        let newest = newest_change(&mut conn).await?;
        if after > newest || after < oldest.unwrap_or(newest + 1) - 1 {
            return Ok(None);
        }
        rows.iter().map(change).collect::<Result<_, _>>().map(Some)
    }

    /// The newest change notice's id, 0 when there is none.
    pub async fn newest_change(&self) -> Result<i64, StoreError> {
        newest_change(&mut self.read_conn().await?).await
    }

    /// Waits until a change notice after `id` may exist: woken by this process's own writes and, on PostgreSQL, by other
    /// replicas' (NOTIFY, and a look every 30 s). May return early.
    pub async fn changed(&self, after: i64) {
        // The sender lives in `self`, so that waiting cannot fail.
        let _ = self.shared.newest.subscribe().wait_for(|newest| *newest > after).await;
    }

    /// Drops change notices older than 24 hours.
    pub async fn prune_changes(&self, now: Instant) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        write.conn.execute(PRUNE_CHANGES, values![now - KEPT]).await?;
        write.conn.commit().await
    }
}

/// The sha256 that has `prefix` and then only `fill`.
fn prefix_bound(prefix: &str, fill: u8) -> Option<tagwarden_model::digest::Digest> {
    let fill = char::from(fill).to_string().repeat(64_usize.checked_sub(prefix.len())?);
    format!("sha256:{prefix}{fill}").parse().ok()
}

fn digest_use(row: &Row) -> Result<DigestUse, StoreError> {
    Ok(DigestUse {
        digest: digest(row, "hash")?,
        repository: row.text("repository")?,
        tag: row.text("tag")?,
        class: row.code("class", Class::from_code)?,
        from: row.instant("from_at")?,
        until: row.instant_opt("until_at")?,
    })
}

fn span(row: &Row) -> Result<Span, StoreError> {
    Ok(Span {
        tag: row.text("tag")?,
        class: row.code("class", Class::from_code)?,
        digest: digest(row, "hash")?,
        from: row.instant("from_at")?,
        until: row.instant_opt("until_at")?,
        began_by: row.code("began_by", EventKind::from_code)?,
        ended_by: row.code_opt("ended_by", EventKind::from_code)?,
        baseline: row.yes("baseline")?,
    })
}

fn gap(row: &Row) -> Result<Gap, StoreError> {
    Ok(Gap {
        band: row.code("band", Band::from_code)?,
        from: row.instant("from_at")?,
        until: row.instant_opt("until_at")?,
        reason: row.text("reason")?,
    })
}

fn change(row: &Row) -> Result<Change, StoreError> {
    Ok(Change {
        id: row.int("id")?,
        kind: row.code("kind", ChangeKind::from_code)?,
        reference: row.int("ref")?,
        repository: row.text_opt("repository")?,
    })
}
