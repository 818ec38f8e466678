//! Addresses of the page that people keep under a name.

use tagwarden_model::api::View;
use tagwarden_model::instant::Instant;

use super::db::{statements, values};
use super::{Actor, Scope, Store, StoreError};

/// Views that there may be: a page shows them all.
const MOST: u64 = 200;

statements! {
    ALL = "SELECT name, address, actor_display, at FROM views ORDER BY name";
    OTHERS = "SELECT count(*) AS n FROM views WHERE name <> $1";
    KEEP = "INSERT INTO views (name, address, actor_kind, actor_id, actor_display, at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET address = excluded.address, actor_kind = excluded.actor_kind,
            actor_id = excluded.actor_id, actor_display = excluded.actor_display, at = excluded.at";
    FORGET = "DELETE FROM views WHERE name = $1";
}

impl Store {
    /// All views, by name.
    pub async fn views(&self, scope: Scope) -> Result<Vec<View>, StoreError> {
        let Scope::All = scope;
        let rows = self.read_conn().await?.all(ALL, values![]).await?;
        rows.iter()
            .map(|row| {
                let (name, address) = (row.text("name")?, row.text("address")?);
                Ok(View { name, address, actor: row.text("actor_display")?, at: row.instant("at")? })
            })
            .collect()
    }

    /// Keeps a view in place of one of its name.
    pub async fn keep_view(&self, name: &str, address: &str, actor: &Actor, now: Instant) -> Result<View, StoreError> {
        let mut write = self.begin().await?;
        if write.conn.one(OTHERS, values![name]).await?.count("n")? >= MOST {
            let message = format!("{MOST} views are kept already: delete one first");
            return Err(StoreError::Refused { message, field: "name" });
        }
        let values = values![name, address, actor.kind as i64, &actor.id, &actor.display, now];
        write.conn.execute(KEEP, values).await?;
        self.finish(write, now).await?;
        Ok(View { name: name.to_owned(), address: address.to_owned(), actor: actor.display.clone(), at: now })
    }

    /// Forgets a view; `false` if there is none of that name.
    pub async fn forget_view(&self, name: &str, actor: &Actor) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        let forgot = write.conn.execute(FORGET, values![name]).await? > 0;
        write.conn.commit().await?;
        if forgot {
            // Its row is gone: the log alone says who it was.
            tracing::info!(name, actor = ?actor, "a view was forgotten");
        }
        Ok(forgot)
    }
}
