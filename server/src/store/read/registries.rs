//! Registry entries with their state.

use tagwarden_model::api::{Registry, RegistryState};

use super::{Position, Rows, one_more, page};
use crate::store::db::{Row, statements, values};
use crate::store::{Scope, Store, StoreError};

statements! {
    BY_NAME = "SELECT g.name, g.host, g.state, g.state_reason, g.state_since,
            (SELECT count(*) FROM repositories r WHERE r.registry_id = g.id AND r.period_id IS NOT NULL) AS repositories
        FROM registries g WHERE g.position IS NOT NULL AND (g.name, g.host) > ($1, $2) ORDER BY g.name, g.host LIMIT $3";
}

impl Store {
    /// Registry entries that are polled, by name.
    pub async fn registry_states(
        &self,
        scope: Scope,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Registry>, StoreError> {
        let Scope::All = scope;
        let name = after.map_or(Ok(""), |after| after.text(0))?;
        let host = after.map_or(Ok(""), |after| after.text(1))?;
        let rows = self.read_conn().await?.all(BY_NAME, values![name, host, one_more(limit)]).await?;
        let registries = rows.iter().map(registry).collect::<Result<Vec<_>, _>>()?;
        Ok(page(registries, limit, |registry| {
            Position::of([registry.name.clone().into(), registry.host.clone().into()])
        }))
    }
}

fn registry(row: &Row) -> Result<Registry, StoreError> {
    Ok(Registry {
        name: row.text("name")?,
        host: row.text("host")?,
        repositories: row.count("repositories")?,
        state: row.code("state", RegistryState::from_code)?,
        state_reason: row.text_opt("state_reason")?,
        state_since: row.instant_opt("state_since")?,
    })
}
