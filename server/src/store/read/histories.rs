//! How the tags of a repository have behaved, and their flags: what the policy's preview looks at.

use tagwarden_model::api::RepositoryState;
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::{FlagState, Worst};
use tagwarden_model::instant::Instant;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::proposal::TagHistory;

use crate::store::db::{Row, statements, values};
use crate::store::flags::worst;
use crate::store::projections::tag_name;
use crate::store::{Scope, Store, StoreError};

statements! {
    WATCHED = "SELECT id, host, path, state FROM repositories
        WHERE period_id IS NOT NULL AND (CAST($1 AS TEXT) IS NULL OR name = $1) ORDER BY name LIMIT $2";
    /// Retracted moves have no span any more.
    HISTORIES = "SELECT t.name, t.state, t.first_seen, t.changed,
            (SELECT count(*) FROM spans s WHERE s.tag_id = t.id AND s.began_by = $3 AND s.from_at >= $4) AS moves
        FROM tags t WHERE t.repository_id = $1 AND t.name > $2 ORDER BY t.name LIMIT $5";
    FLAGGED_TAGS = "SELECT f.id, t.name, f.severity, f.content_severity, f.deletion_severity FROM flags f
        JOIN tags t ON t.id = f.tag_id WHERE f.repository_id = $1 AND f.state <> $2 ORDER BY f.id DESC LIMIT $3";
}

/// A flag of a tag that is not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flagged {
    /// Its number.
    pub flag: i64,
    /// The tag.
    pub tag: TagName,
    /// How severe it is.
    pub severity: Severity,
    /// What happened, as no rule has lowered it.
    pub worst: Worst,
}

/// A watched repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its row.
    pub id: i64,
    /// Its name.
    pub name: RepositoryName,
    /// Whether it can be checked.
    pub state: RepositoryState,
}

impl Store {
    /// Watched repositories by name, or only the one named.
    pub async fn watched_by_name(
        &self,
        scope: Scope,
        only: Option<&RepositoryName>,
        limit: u32,
    ) -> Result<Vec<Watched>, StoreError> {
        let Scope::All = scope;
        let only = only.map(ToString::to_string);
        let rows = self.read_conn().await?.all(WATCHED, values![only.as_deref(), limit]).await?;
        rows.iter().map(watched).collect()
    }

    /// How the tags of a repository behind `after` by name have behaved; moves count from `since` on.
    pub async fn histories(
        &self,
        scope: Scope,
        repository: i64,
        since: Instant,
        after: &str,
        limit: u32,
    ) -> Result<Vec<TagHistory>, StoreError> {
        let Scope::All = scope;
        let values = values![repository, after, EventKind::Moved.code(), since, limit];
        self.read_conn().await?.all(HISTORIES, values).await?.iter().map(history).collect()
    }

    /// Flags of the tags of a repository that are not closed, the newest first.
    pub async fn flagged_tags(&self, scope: Scope, repository: i64, limit: u32) -> Result<Vec<Flagged>, StoreError> {
        let Scope::All = scope;
        let values = values![repository, FlagState::Closed.code(), limit];
        self.read_conn().await?.all(FLAGGED_TAGS, values).await?.iter().map(flagged).collect()
    }
}

fn flagged(row: &Row) -> Result<Flagged, StoreError> {
    Ok(Flagged {
        flag: row.int("id")?,
        tag: tag_name(&row.text("name")?)?,
        severity: row.code("severity", Severity::from_code)?,
        worst: worst(row)?,
    })
}

fn watched(row: &Row) -> Result<Watched, StoreError> {
    Ok(Watched {
        id: row.int("id")?,
        name: RepositoryName { host: row.text("host")?, path: row.text("path")? },
        state: row.code("state", RepositoryState::from_code)?,
    })
}

fn history(row: &Row) -> Result<TagHistory, StoreError> {
    Ok(TagHistory {
        tag: tag_name(&row.text("name")?)?,
        present: match row.int("state")? {
            0 => None,
            state => Some(state == 1),
        },
        first_seen: row.instant_opt("first_seen")?,
        changed: row.instant_opt("changed")?,
        moves: row.count("moves")?,
    })
}
