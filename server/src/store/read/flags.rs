//! Flags and their stories.

use tagwarden_model::api::{Flag, FlagDetail, Transition};
use tagwarden_model::change::Change;
use tagwarden_model::event::Severity;
use tagwarden_model::flag::{FlagKind, FlagState, Resolution};
use tagwarden_model::name::RepositoryName;

use super::{FlagFilter, Position, Rows, one_more, page, repository_id, targets};
use crate::store::db::{Conn, Row, statements, values};
use crate::store::digests::digest_opt;
use crate::store::flags::worst;
use crate::store::groups::group_id;
use crate::store::{Scope, Store, StoreError, comparisons, events};

/// Events and steps of one flag that are shown.
const MOST_SHOWN: u32 = 500;

macro_rules! select {
    ($rest:expr) => {
        concat!(
            "SELECT f.id, f.kind, f.state, f.severity, f.content_severity, f.deletion_severity, f.comparing, f.flapping,
                f.repository_id, r.name AS repository, f.tag_id, t.name AS tag, t.rule, pd.hash AS promise_hash, cd.hash AS current_hash, f.not_before, f.not_after, f.opened,
                f.changed, f.acknowledged_until, f.group_id, f.version, c.words AS difference
            FROM flags f JOIN repositories r ON r.id = f.repository_id
                LEFT JOIN tags t ON t.id = f.tag_id
                LEFT JOIN promises p ON p.repository_id = f.repository_id AND p.tag = t.name AND p.stands = 1
                LEFT JOIN digests pd ON pd.id = p.digest_id
                LEFT JOIN digests cd ON cd.id = t.digest_id AND t.state = 1
                LEFT JOIN comparisons c ON c.old_id = pd.id AND c.new_id = cd.id ",
            $rest
        )
    };
}

/// One page of a state: worst first, those that are as severe as asked for and whose `repository:tag` has the text.
macro_rules! list {
    ($of:literal) => {
        select!(concat!(
            $of,
            " f.state = $1 AND (f.severity, f.id) < ($2, $3) AND f.severity >= $5
            AND (CAST($6 AS TEXT) IS NULL OR replace(lower(r.name || ':' || COALESCE(t.name, '')), lower($6), '')
                <> lower(r.name || ':' || COALESCE(t.name, '')))
            ORDER BY f.severity DESC, f.id DESC LIMIT $4"
        ))
    };
}

/// One page by number, the newest first: an order that nothing changes.
macro_rules! by_id {
    ($of:literal) => {
        select!(concat!($of, " f.id < $1 ORDER BY f.id DESC LIMIT $2"))
    };
}

statements! {
    ALL = list!("WHERE");
    OF_REPOSITORY = list!("WHERE f.repository_id = $7 AND");
    OF_GROUP = list!("WHERE f.repository_id IN (SELECT m.repository_id FROM group_repositories m WHERE m.group_id = $7) AND");
    ALL_BY_ID = by_id!("WHERE");
    OF_REPOSITORY_BY_ID = by_id!("WHERE f.repository_id = $3 AND");
    OF_GROUP_BY_ID = by_id!("WHERE f.repository_id IN (SELECT m.repository_id FROM group_repositories m WHERE m.group_id = $3) AND");
    ONE = select!("WHERE f.id = $1");
    TRANSITIONS = "SELECT at, from_state, to_state, actor_display, reason, resolution FROM flag_transitions WHERE flag_id = $1
        ORDER BY version DESC LIMIT $2";
}

impl Store {
    /// Flags: worst first, then newest.
    pub async fn flags(
        &self,
        scope: Scope,
        filter: &FlagFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Flag>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let severity = after.map_or(Ok(i64::MAX), |after| after.int(0))?;
        let id = after.map_or(Ok(i64::MAX), |after| after.int(1))?;
        let of = match (&filter.repository, &filter.group) {
            (Some(name), _) => Some((OF_REPOSITORY, repository_id(&mut conn, name).await?)),
            (None, Some(group)) => Some((OF_GROUP, group_id(&mut conn, group).await?)),
            (None, None) => None,
        };
        let least = filter.severity.map_or(0, Severity::code);
        let contains = filter.contains.as_deref().filter(|text| !text.is_empty());
        let states = if filter.states.is_empty() { FlagState::ALL } else { &filter.states };
        let mut flags = Vec::new();
        // One range of the index per state; together they hold the page.
        for state in FlagState::ALL.iter().filter(|state| states.contains(state)) {
            let rows = match of {
                Some((statement, Some(of))) => {
                    conn.all(statement, values![state.code(), severity, id, one_more(limit), least, contains, of])
                        .await?
                }
                Some((_, None)) => return Ok((Vec::new(), None)),
                None => conn.all(ALL, values![state.code(), severity, id, one_more(limit), least, contains]).await?,
            };
            for row in &rows {
                flags.push(flag(row)?);
            }
        }
        flags.sort_by_key(|flag| std::cmp::Reverse((flag.severity, flag.id)));
        Ok(page(flags, limit, |flag| Position::of([flag.severity.code().into(), flag.id.into()])))
    }

    /// All flags, of a repository or of a group where one is named, the newest first: also of many pages none is missed, whatever
    /// becomes of it meanwhile.
    pub async fn flags_by_id(
        &self,
        scope: Scope,
        repository: Option<&RepositoryName>,
        group: Option<&str>,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Rows<Flag>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let of = match (repository, group) {
            (Some(name), _) => Some((OF_REPOSITORY_BY_ID, repository_id(&mut conn, name).await?)),
            (None, Some(group)) => Some((OF_GROUP_BY_ID, group_id(&mut conn, group).await?)),
            (None, None) => None,
        };
        let id = after.map_or(Ok(i64::MAX), |after| after.int(0))?;
        let rows = match of {
            Some((statement, Some(of))) => conn.all(statement, values![id, one_more(limit), of]).await?,
            Some((_, None)) => Vec::new(),
            None => conn.all(ALL_BY_ID, values![id, one_more(limit)]).await?,
        };
        let flags = rows.iter().map(flag).collect::<Result<_, _>>()?;
        Ok(page(flags, limit, |flag: &Flag| Position::of([flag.id.into()])))
    }

    /// One flag with its story and its targets.
    pub async fn flag(&self, scope: Scope, id: i64) -> Result<Option<FlagDetail>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let Some(row) = conn.optional(ONE, values![id]).await? else { return Ok(None) };
        let flag = flag(&row)?;
        let events = events::of_flag(&mut conn, id, MOST_SHOWN).await?;
        let rows = conn.all(TRANSITIONS, values![id, MOST_SHOWN]).await?;
        let transitions = rows.iter().rev().map(transition).collect::<Result<_, _>>()?;
        let targets = match &flag.tag {
            Some(tag) => targets::of(&mut conn, row.int("repository_id")?, &flag.repository, tag).await?,
            None => None,
        };
        let change = match &flag.promise {
            Some(promise) => {
                let others = events.iter().rev().filter_map(|event| event.new_digest.as_ref());
                let other = flag.current.iter().chain(others).find(|digest| *digest != promise);
                match other {
                    Some(other) => comparisons::of_pair(&mut conn, promise, other).await?,
                    None => None,
                }
            }
            None => None,
        };
        let differences = change.as_ref().map(Change::table).unwrap_or_default();
        let revision = change.and_then(|change| change.revision).map(|revision| revision.sentence());
        Ok(Some(FlagDetail { flag, differences, revision, events, transitions, targets: targets.unwrap_or_default() }))
    }
}

/// One flag, within a transaction.
pub(in crate::store) async fn one(conn: &mut Conn, id: i64) -> Result<Option<Flag>, StoreError> {
    conn.optional(ONE, values![id]).await?.as_ref().map(flag).transpose()
}

fn flag(row: &Row) -> Result<Flag, StoreError> {
    let severity = row.code("severity", Severity::from_code)?;
    let state = row.code("state", FlagState::from_code)?;
    // The rule of the tag may be another since a flag was closed.
    let lowered = state != FlagState::Closed && severity < worst(row)?.severity();
    Ok(Flag {
        id: row.int("id")?,
        kind: row.code("kind", FlagKind::from_code)?,
        state,
        severity,
        lowered_by: row.text_opt("rule")?.filter(|_| lowered),
        comparing: row.yes("comparing")?,
        difference: row.text_opt("difference")?,
        flapping: row.yes("flapping")?,
        repository: row.text("repository")?,
        tag: row.text_opt("tag")?,
        promise: digest_opt(row, "promise_hash")?,
        current: digest_opt(row, "current_hash")?,
        not_before: row.instant_opt("not_before")?,
        not_after: row.instant("not_after")?,
        opened: row.instant("opened")?,
        changed: row.instant("changed")?,
        acknowledged_until: row.instant_opt("acknowledged_until")?,
        group_id: row.int_opt("group_id")?,
        version: row.int("version")?,
    })
}

fn transition(row: &Row) -> Result<Transition, StoreError> {
    Ok(Transition {
        at: row.instant("at")?,
        from: row.code_opt("from_state", FlagState::from_code)?,
        to: row.code("to_state", FlagState::from_code)?,
        actor: row.text("actor_display")?,
        reason: row.text_opt("reason")?,
        resolution: row.code_opt("resolution", Resolution::from_code)?,
    })
}
