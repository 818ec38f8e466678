//! Releases that nobody should use or go back to, by a person's word.

use tagwarden_model::api::{ChangeKind, DoNotUse};
use tagwarden_model::instant::Instant;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::Class;

use super::db::{Conn, statements, values};
use super::read::repository_id;
use super::{Actor, Store, StoreError};

statements! {
    RELEASE = "SELECT t.class, p.digest_id FROM tags t
            LEFT JOIN promises p ON p.repository_id = t.repository_id AND p.tag = t.name AND p.stands = 1
        WHERE t.repository_id = $1 AND t.name = $2";
    LIFT = "UPDATE do_not_use SET lifted = $3, lifted_actor_kind = $4, lifted_actor_id = $5, lifted_actor_display = $6
        WHERE repository_id = $1 AND tag = $2 AND lifted IS NULL";
    SAY = "INSERT INTO do_not_use (repository_id, tag, digest_id, reason, actor_kind, actor_id, actor_display, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
}

impl Store {
    /// Says that nobody should use a release, nor what it is held to now under any other name, with a reason in place of one
    /// that stood. `None` if there is no such tag; `Refused` if it is no release.
    pub async fn say_do_not_use(
        &self,
        repository: &RepositoryName,
        tag: &TagName,
        reason: &str,
        actor: &Actor,
        now: Instant,
    ) -> Result<Option<DoNotUse>, StoreError> {
        let mut write = self.begin().await?;
        let Some(id) = repository_id(&mut write.conn, repository).await? else { return Ok(None) };
        write.lock_repository(id).await?;
        let Some(row) = write.conn.optional(RELEASE, values![id, tag.as_str()]).await? else { return Ok(None) };
        if row.code("class", Class::from_code)? != Class::Release {
            let message = "only releases are kept from use; this tag's class is another".to_owned();
            return Err(StoreError::Refused { message, field: "tag" });
        }
        lift(&mut write.conn, id, tag, actor, now).await?;
        let digest = row.int_opt("digest_id")?;
        let values = values![id, tag.as_str(), digest, reason, actor.kind as i64, &actor.id, &actor.display, now];
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
        let Some(id) = repository_id(&mut write.conn, repository).await? else { return Ok(false) };
        write.lock_repository(id).await?;
        if lift(&mut write.conn, id, tag, actor, now).await? == 0 {
            return Ok(false);
        }
        write.notice(ChangeKind::Repository, 0, id);
        self.finish(write, now).await?;
        Ok(true)
    }
}

/// Takes back what stands; gives how much that was.
async fn lift(conn: &mut Conn, id: i64, tag: &TagName, actor: &Actor, now: Instant) -> Result<u64, StoreError> {
    let values = values![id, tag.as_str(), now, actor.kind as i64, &actor.id, &actor.display];
    conn.execute(LIFT, values).await
}
