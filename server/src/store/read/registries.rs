//! Registry entries with their state, and how their repositories stand: a few sums, however many there are.

use std::collections::{BTreeMap, HashMap};

use tagwarden_model::api::{Progress, Registry, RegistryState, RepositoryState, Standing};
use tagwarden_model::instant::Instant;

use super::{Position, Rows, one_more, page};
use crate::store::db::{Conn, Row, statements, values};
use crate::store::{Scope, Store, StoreError};

/// What a late repository is late by when no pass has said so.
pub(super) const NOT_ENDED: &str = "the pass that is due has not ended yet";

statements! {
    BY_NAME = "SELECT g.id, g.name, g.host, g.state, g.state_reason, g.state_since, c.finished AS checked
        FROM registries g LEFT JOIN registry_checks c ON c.registry_id = g.id WHERE g.position IS NOT NULL AND (g.name, g.host) > ($1, $2) ORDER BY g.name, g.host LIMIT $3";
    /// Reasons are looked for where there are any: most repositories have none.
    STANDINGS = "SELECT s.registry_id, s.state, s.n, s.watched, (SELECT max(r.state_reason) FROM repositories r
            WHERE r.registry_id = s.registry_id AND r.state = s.state AND r.state_reason IS NOT NULL
                AND (r.period_id IS NOT NULL OR r.state = 7)) AS reason
        FROM (SELECT registry_id, state, count(*) AS n, count(period_id) AS watched FROM repositories
            WHERE period_id IS NOT NULL OR state = 7 GROUP BY registry_id, state) s";
    LATE = concat!("SELECT r.registry_id, r.state, count(DISTINCT r.id) AS n, max(CASE WHEN p.complete = 0 THEN p.reason END) AS reason
        FROM ", late_passes!(), " GROUP BY r.registry_id, r.state");
    /// Of repositories that are new: tags that were read, and all that were found.
    PROGRESS = "SELECT r.registry_id, CAST(SUM(CASE WHEN c.state <> 0 THEN c.n ELSE 0 END) AS BIGINT) AS read,
            CAST(SUM(c.n) AS BIGINT) AS found
        FROM repositories r JOIN tag_counts c ON c.repository_id = r.id
        WHERE r.state = 1 AND r.period_id IS NOT NULL GROUP BY r.registry_id";
}

/// What is known of a registry's repositories.
#[derive(Default)]
struct Known {
    /// That are not paused.
    watched: u64,
    /// By the state and whether they are late: how many, and why.
    standings: BTreeMap<(i64, bool), (u64, Option<String>)>,
    progress: Option<Progress>,
}

impl Store {
    /// Registry entries that are polled, by name.
    pub async fn registry_states(
        &self,
        scope: Scope,
        now: Instant,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Registry>, StoreError> {
        let Scope::All = scope;
        let name = after.map_or(Ok(""), |after| after.text(0))?;
        let host = after.map_or(Ok(""), |after| after.text(1))?;
        let mut conn = self.read_conn().await?;
        let rows = conn.all(BY_NAME, values![name, host, one_more(limit)]).await?;
        let mut known = known(&mut conn, now).await?;
        let registry = |row: &Row| registry(row, known.remove(&row.int("id")?).unwrap_or_default());
        let registries = rows.iter().map(registry).collect::<Result<Vec<_>, _>>()?;
        Ok(page(registries, limit, |registry| {
            Position::of([registry.name.clone().into(), registry.host.clone().into()])
        }))
    }
}

async fn known(conn: &mut Conn, now: Instant) -> Result<HashMap<i64, Known>, StoreError> {
    let mut known = HashMap::<i64, Known>::new();
    for row in conn.all(STANDINGS, values![]).await? {
        let of = known.entry(row.int("registry_id")?).or_default();
        of.standings.insert((row.int("state")?, false), (row.count("n")?, row.text_opt("reason")?));
        of.watched += row.count("watched")?;
    }
    for row in conn.all(LATE, values![now]).await? {
        let of = known.entry(row.int("registry_id")?).or_default();
        let (state, late) = (row.int("state")?, row.count("n")?);
        let mut reason = row.text_opt("reason")?;
        if let Some((all, why)) = of.standings.get_mut(&(state, false)) {
            *all = all.saturating_sub(late);
            reason = reason.or_else(|| why.clone());
        }
        of.standings.insert((state, true), (late, reason.or_else(|| Some(NOT_ENDED.to_owned()))));
    }
    let is_new = |of: &Known| of.standings.keys().any(|(state, _)| *state == RepositoryState::New.code());
    let progress = if known.values().any(is_new) { conn.all(PROGRESS, values![]).await? } else { Vec::new() };
    for row in progress {
        let progress = Progress { read: row.count("read")?, found: row.count("found")? };
        known.entry(row.int("registry_id")?).or_default().progress = Some(progress);
    }
    Ok(known)
}

fn registry(row: &Row, known: Known) -> Result<Registry, StoreError> {
    let Known { watched, standings, progress } = known;
    let standings = standings.into_iter().filter(|(_, (repositories, _))| *repositories > 0);
    let standings = standings.map(|((code, late), (repositories, reason))| {
        let state = RepositoryState::from_code(code);
        let state = state.ok_or_else(|| StoreError::Inconsistent(format!("repositories.state {code}")))?;
        let progress = progress.filter(|_| state == RepositoryState::New && !late);
        Ok(Standing { state, late, repositories, reason, progress })
    });
    Ok(Registry {
        name: row.text("name")?,
        host: row.text("host")?,
        repositories: watched,
        state: row.code("state", RegistryState::from_code)?,
        state_reason: row.text_opt("state_reason")?,
        state_since: row.instant_opt("state_since")?,
        checked: row.instant_opt("checked")?,
        standings: standings.collect::<Result<_, StoreError>>()?,
    })
}
