//! Releases that nobody should use or go back to, by a person's word.

use tagwarden_model::api::{ChangeKind, DoNotUse};
use tagwarden_model::instant::Instant;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::Class;

use super::db::{statements, values};
use super::{Actor, Store, StoreError};

statements! {
    RELEASE = "SELECT t.class, t.repository_id FROM tags t JOIN repositories r ON r.id = t.repository_id
        WHERE r.name = $1 AND t.name = $2";
    LIFT = "UPDATE do_not_use SET lifted = $3, lifted_by = $4 WHERE repository_id = $1 AND tag = $2 AND lifted IS NULL";
    SAY = "INSERT INTO do_not_use (repository_id, tag, reason, actor_kind, actor_id, actor_display, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
}

impl Store {
    /// Says that nobody should use a release, with a reason in place of one that stood. `None` if there is no such tag;
    /// `Refused` if it is no release.
    pub async fn say_do_not_use(
        &self,
        repository: &RepositoryName,
        tag: &TagName,
        reason: &str,
        actor: &Actor,
        now: Instant,
    ) -> Result<Option<DoNotUse>, StoreError> {
        let mut write = self.begin().await?;
        let Some(row) = write.conn.optional(RELEASE, values![repository.to_string(), tag.as_str()]).await? else {
            return Ok(None);
        };
        if row.code("class", Class::from_code)? != Class::Release {
            let message = "only releases are kept from use; this tag's class is another".to_owned();
            return Err(StoreError::Refused { message, field: "tag" });
        }
        let id = row.int("repository_id")?;
        write.lock_repository(id).await?;
        write.conn.execute(LIFT, values![id, tag.as_str(), now, &actor.display]).await?;
        let values = values![id, tag.as_str(), reason, actor.kind as i64, &actor.id, &actor.display, now];
        write.conn.execute(SAY, values).await?;
        write.notice(ChangeKind::Repository, 0, id);
        self.finish(write, now).await?;
        let (repository, tag) = (repository.to_string(), tag.as_str().to_owned());
        Ok(Some(DoNotUse { repository, tag, reason: reason.to_owned(), actor: actor.display.clone(), at: now }))
    }

    /// Takes it back; `false` if it was not said.
    pub async fn lift_do_not_use(
        &self,
        repository: &RepositoryName,
        tag: &TagName,
        actor: &Actor,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        let Some(row) = write.conn.optional(RELEASE, values![repository.to_string(), tag.as_str()]).await? else {
            return Ok(false);
        };
        let id = row.int("repository_id")?;
        if write.conn.execute(LIFT, values![id, tag.as_str(), now, &actor.display]).await? == 0 {
            return Ok(false);
        }
        write.notice(ChangeKind::Repository, 0, id);
        self.finish(write, now).await?;
        Ok(true)
    }
}
