//! A transaction with the change notices that go with it.

use tagwarden_model::api::ChangeKind;
use tagwarden_model::instant::Instant;

use super::db::{Conn, Dialects, Row, statements, values};
use super::record::Lease;
use super::tellings::Told;
use super::{Store, StoreError, raise};

/// What PostgreSQL's replicas listen to. The payload is the newest change notice's number.
pub(super) const CHANNEL: &str = "tagwarden_changes";

/// Writes that become lasting together with their change notices by [`Store::finish`], or not at all.
pub(super) struct Write {
    pub(super) conn: Conn,
    notices: Vec<Notice>,
    pub(super) tellings: Vec<Told>,
}

#[derive(PartialEq, Eq, Clone, Copy)]
struct Notice {
    kind: ChangeKind,
    reference: i64,
    /// `None` for registries, and for jobs about none that is watched.
    repository: Option<i64>,
}

statements! {
    TAKE_EVENT_NUMBERS = "UPDATE counter SET event = event + $1 RETURNING event";
    TAKE_CHANGE_NUMBERS = "UPDATE counter SET change = change + $1 RETURNING change";
    INSERT_CHANGE = "INSERT INTO changes (id, kind, ref, repository_id, at) VALUES ($1, $2, $3, $4, $5)";
}

/// Nobody may take the lease over before we have committed; other commits of its holder may go on.
const LEASE: Dialects = Dialects {
    sqlite: "SELECT lease_epoch FROM registries WHERE id = $1",
    postgres: "SELECT lease_epoch FROM registries WHERE id = $1 FOR SHARE",
};

/// One writer per repository: it orders everything that is compared and then written, its tags, promises and flags.
const REPOSITORY: Dialects = Dialects {
    sqlite: "SELECT id, registry_id, host, path, period_id, state FROM repositories WHERE id = $1",
    postgres: "SELECT id, registry_id, host, path, period_id, state FROM repositories WHERE id = $1 FOR NO KEY UPDATE",
};

const NOTIFY: Dialects =
    Dialects { sqlite: "SELECT $1", postgres: "SELECT CAST(pg_notify('tagwarden_changes', $1) AS TEXT)" };

pub(super) const DIALECTS: &[Dialects] =
    &[LEASE, REPOSITORY, NOTIFY, super::record::LEASE, super::record::DATABASE_CLOCK, super::tellings::TELLINGS];

impl Store {
    pub(super) async fn begin(&self) -> Result<Write, StoreError> {
        Ok(Write { conn: self.shared.db.begin().await?, notices: Vec::new(), tellings: Vec::new() })
    }

    /// Commits, then wakes whoever waits for changes.
    pub(super) async fn finish(&self, mut write: Write, now: Instant) -> Result<(), StoreError> {
        let newest = write.put_notices(now).await?;
        let told = write.put_tellings(now).await?;
        write.conn.commit().await?;
        if told {
            self.shared.outbox.send_replace(());
        }
        if let Some(newest) = newest {
            raise(&self.shared.newest, newest);
        }
        Ok(())
    }
}

impl Write {
    /// Tells the readers of the live stream; once, however often it is said.
    pub(super) fn notice(&mut self, kind: ChangeKind, reference: i64, repository: impl Into<Option<i64>>) {
        let notice = Notice { kind, reference, repository: repository.into() };
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Tells them that the state of a registry entry changed.
    pub(super) fn notice_registry(&mut self) {
        self.notice(ChangeKind::Registry, 0, None::<i64>);
    }

    /// Compares the epoch of our lease; holds it until the end.
    pub(super) async fn hold_lease(&mut self, lease: Lease) -> Result<(), StoreError> {
        let sql = self.conn.pick(LEASE);
        let row = self.conn.optional(sql, values![lease.registry]).await?;
        match row {
            Some(row) if row.int("lease_epoch")? == lease.epoch => Ok(()),
            _ => Err(StoreError::LeaseLost),
        }
    }

    /// Locks a repository; gives its row.
    pub(super) async fn lock_repository(&mut self, repository: i64) -> Result<Row, StoreError> {
        let sql = self.conn.pick(REPOSITORY);
        self.conn.one(sql, values![repository]).await
    }

    /// Locks a repository that the registry entry of our lease serves; `None` if another one does by now, or if it is watched
    /// anew since, or no more.
    pub(super) async fn hold_repository(&mut self, repository: i64, lease: Lease) -> Result<Option<Row>, StoreError> {
        let row = self.lock_repository(repository).await?;
        let period = row.int_opt("period_id")?;
        let same = period.is_some() && lease.period.is_none_or(|of| period == Some(of));
        Ok(if same && row.int("registry_id")? == lease.registry { Some(row) } else { None })
    }

    /// Takes `count` event numbers; gives the first. Other writers of events wait until we have ended.
    pub(super) async fn take_event_numbers(&mut self, count: u64) -> Result<i64, StoreError> {
        let last = self.conn.one(TAKE_EVENT_NUMBERS, values![count]).await?.int("event")?;
        Ok(last - count as i64 + 1)
    }

    async fn put_notices(&mut self, now: Instant) -> Result<Option<i64>, StoreError> {
        let notices = std::mem::take(&mut self.notices);
        if notices.is_empty() {
            return Ok(None);
        }
        let newest = self.conn.one(TAKE_CHANGE_NUMBERS, values![notices.len() as u64]).await?.int("change")?;
        for (id, notice) in (newest - notices.len() as i64 + 1..).zip(notices) {
            let values = values![id, notice.kind.code(), notice.reference, notice.repository, now];
            self.conn.execute(INSERT_CHANGE, values).await?;
        }
        if self.conn.shared() {
            let sql = self.conn.pick(NOTIFY);
            self.conn.all(sql, values![newest.to_string()]).await?;
        }
        Ok(Some(newest))
    }
}
