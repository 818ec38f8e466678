//! Flags as stored: what the rules of `model::flag` decided is written here, and nothing else.

use tagwarden_model::api::ChangeKind;
use tagwarden_model::event::{NewEvent, Severity};
use tagwarden_model::flag::{Change, Flag, FlagKind, FlagState, FlagStep, Resolution};
use tagwarden_model::instant::Instant;

use super::db::{Conn, Row, statements, values};
use super::transaction::Write;
use super::{Actor, StoreError};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT f.id, f.kind, f.state, f.severity, f.comparing, f.flapping, f.acknowledged_until, f.version, f.repository_id,
                f.tag_id FROM flags f ",
            $rest
        )
    };
}

statements! {
    OF_TAG = select!("WHERE f.tag_id = $1 AND f.state <> 4");
    OF_REPOSITORY = select!("WHERE f.repository_id = $1 AND f.kind = $2 AND f.tag_id IS NULL AND f.state <> 4");
    BY_ID = select!("WHERE f.id = $1");
    INSERT_FLAG = "INSERT INTO flags (kind, state, severity, comparing, flapping, repository_id, tag_id, not_before, not_after, opened,
            changed, acknowledged_until, group_id, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13) RETURNING id";
    UPDATE_FLAG = "UPDATE flags SET state = $3, severity = $4, comparing = $5, flapping = $6, acknowledged_until = $7, version = $8,
            changed = $9 WHERE id = $1 AND version = $2";
    INSERT_TRANSITION = "INSERT INTO flag_transitions (flag_id, version, at, from_state, to_state, actor_kind, actor_id, actor_display,
            reason, resolution) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    LINK_EVENT = "INSERT INTO flag_events (flag_id, seq, repository_id, at, restored)
        SELECT CAST($1 AS BIGINT), e.seq, e.repository_id, e.at, CAST($3 AS BIGINT) FROM events e WHERE e.seq = $2
        ON CONFLICT (seq) DO NOTHING";
    /// Retracted moves have no span any more.
    MOVES = "SELECT s.from_at AS at FROM spans s WHERE s.tag_id = $1 AND s.began_by = $2 AND s.from_at >= $3 AND s.began_seq < $4";
    BREACHES = "SELECT x.at FROM flag_transitions x JOIN flags f ON f.id = x.flag_id
        WHERE f.tag_id = $1 AND x.at >= $2 AND x.to_state = $3 AND (x.from_state IS NULL OR x.from_state = $4)";
    WINDOW = "SELECT seq, not_before, not_after, group_id FROM events WHERE seq = $1";
    NEWEST_WINDOW = "SELECT seq, not_before, not_after, group_id FROM events WHERE tag_id = $1 ORDER BY seq DESC LIMIT 1";
}

/// A flag row: what the rules know of it, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) flag: Flag,
    pub(super) repository: i64,
    pub(super) tag: Option<i64>,
}

/// What a step is about and who takes it.
pub(super) struct Step<'a> {
    pub(super) repository: i64,
    pub(super) tag: Option<i64>,
    /// The event that led to it.
    pub(super) event: Option<Cause>,
    pub(super) at: Instant,
    pub(super) actor: &'a Actor,
    /// Goes before the reason that the rules give.
    pub(super) reason: Option<&'a str>,
}

/// The event behind a step.
#[derive(Clone, Copy)]
pub(super) struct Cause {
    seq: i64,
    not_before: Option<Instant>,
    not_after: Instant,
    group: Option<i64>,
}

impl Cause {
    pub(super) fn new(seq: i64, event: &NewEvent) -> Self {
        Self { seq, not_before: event.not_before, not_after: event.not_after, group: event.group }
    }

    /// The newest event of a tag: what a breach that began with a promise is about.
    pub(super) async fn newest(conn: &mut Conn, tag: i64) -> Result<Option<Self>, StoreError> {
        conn.optional(NEWEST_WINDOW, values![tag]).await?.as_ref().map(Self::read).transpose()
    }

    /// An event that was written before.
    pub(super) async fn of_event(conn: &mut Conn, seq: i64) -> Result<Option<Self>, StoreError> {
        conn.optional(WINDOW, values![seq]).await?.as_ref().map(Self::read).transpose()
    }

    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.int("seq")?,
            not_before: row.instant_opt("not_before")?,
            not_after: row.instant("not_after")?,
            group: row.int_opt("group_id")?,
        })
    }
}

/// The flag of a tag that is not closed.
pub(super) async fn of_tag(conn: &mut Conn, tag: i64) -> Result<Option<Stored>, StoreError> {
    conn.optional(OF_TAG, values![tag]).await?.as_ref().map(stored).transpose()
}

/// The flag of a repository that is not closed.
pub(super) async fn of_repository(
    conn: &mut Conn,
    repository: i64,
    kind: FlagKind,
) -> Result<Option<Stored>, StoreError> {
    conn.optional(OF_REPOSITORY, values![repository, kind.code()]).await?.as_ref().map(stored).transpose()
}

pub(super) async fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Stored>, StoreError> {
    conn.optional(BY_ID, values![id]).await?.as_ref().map(stored).transpose()
}

/// When the tag moved before event `seq`, since `since`.
pub(super) async fn moves(conn: &mut Conn, tag: i64, since: Instant, seq: i64) -> Result<Vec<Instant>, StoreError> {
    let kind = tagwarden_model::event::EventKind::Moved.code();
    conn.all(MOVES, values![tag, kind, since, seq]).await?.iter().map(|row| row.instant("at")).collect()
}

/// When breaches of the tag began, since `since`.
pub(super) async fn breaches(conn: &mut Conn, tag: i64, since: Instant) -> Result<Vec<Instant>, StoreError> {
    let (open, restored) = (FlagState::Open.code(), FlagState::Restored.code());
    conn.all(BREACHES, values![tag, since, open, restored]).await?.iter().map(|row| row.instant("at")).collect()
}

impl Write {
    /// Writes what an event or a promise means for a flag; gives the flag that is not closed then.
    pub(super) async fn take_step(
        &mut self,
        before: Option<Stored>,
        step: &FlagStep,
        about: &Step<'_>,
    ) -> Result<Option<Stored>, StoreError> {
        let Some(change) = step.change() else { return Ok(before) };
        let id = match (&before, step) {
            (_, FlagStep::Open(_)) => self.open_flag(change, about).await?,
            (Some(before), _) => {
                self.change_flag(before, change, about.at, about.actor, about.reason).await?;
                self.tell_step(before, change, about.event.and_then(|cause| cause.group));
                before.id
            }
            (None, _) => return Err(StoreError::Inconsistent("a step of a flag that does not exist".to_owned())),
        };
        if let Some(cause) = about.event {
            let restored = matches!(step, FlagStep::Restore(_));
            self.conn.execute(LINK_EVENT, values![id, cause.seq, restored]).await?;
        }
        let flag = change.flag.clone();
        Ok(Some(Stored { id, flag, repository: about.repository, tag: about.tag }))
    }

    async fn open_flag(&mut self, change: &Change, about: &Step<'_>) -> Result<i64, StoreError> {
        let flag = &change.flag;
        let values = values![
            flag.kind.code(),
            flag.state.code(),
            flag.severity.code(),
            flag.comparing,
            flag.flapping,
            about.repository,
            about.tag,
            about.event.and_then(|cause| cause.not_before),
            about.event.map_or(about.at, |cause| cause.not_after),
            about.at,
            flag.acknowledged_until,
            about.event.and_then(|cause| cause.group),
            flag.version,
        ];
        let id = self.conn.one(INSERT_FLAG, values).await?.int("id")?;
        self.put_transition(id, change, about.at, about.actor, about.reason).await?;
        let group = about.event.and_then(|cause| cause.group);
        self.tell_opened(id, about.repository, group);
        self.notice(ChangeKind::Flag, id, about.repository);
        Ok(id)
    }

    /// Writes a flag after a step, if it still has the version that the step was decided on.
    pub(super) async fn change_flag(
        &mut self,
        before: &Stored,
        change: &Change,
        at: Instant,
        actor: &Actor,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let flag = &change.flag;
        let values = values![
            before.id,
            before.flag.version,
            flag.state.code(),
            flag.severity.code(),
            flag.comparing,
            flag.flapping,
            flag.acknowledged_until,
            flag.version,
            at,
        ];
        if self.conn.execute(UPDATE_FLAG, values).await? == 0 {
            return Err(StoreError::Conflict);
        }
        self.put_transition(before.id, change, at, actor, reason).await?;
        self.notice(ChangeKind::Flag, before.id, before.repository);
        Ok(())
    }

    async fn put_transition(
        &mut self,
        flag: i64,
        change: &Change,
        at: Instant,
        actor: &Actor,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let step = &change.transition;
        let reason = reason.or(step.reason);
        let (from, resolution) = (step.from.map(FlagState::code), step.resolution.map(Resolution::code));
        let (kind, id, display) = (actor.kind as i64, &actor.id, &actor.display);
        let (version, to) = (change.flag.version, step.to.code());
        let values = values![flag, version, at, from, to, kind, id, display, reason, resolution];
        self.conn.execute(INSERT_TRANSITION, values).await?;
        Ok(())
    }
}

fn stored(row: &Row) -> Result<Stored, StoreError> {
    let flag = Flag {
        kind: row.code("kind", FlagKind::from_code)?,
        state: row.code("state", FlagState::from_code)?,
        severity: row.code("severity", Severity::from_code)?,
        comparing: row.yes("comparing")?,
        flapping: row.yes("flapping")?,
        acknowledged_until: row.instant_opt("acknowledged_until")?,
        version: row.int("version")?,
    };
    Ok(Stored { id: row.int("id")?, flag, repository: row.int("repository_id")?, tag: row.int_opt("tag_id")? })
}
