//! What notifiers are yet to be told. It is written in the transaction of the flag or state that it tells of, and deleted in the
//! one that writes its deliveries: a crash loses nothing and tells nothing twice.

use tagwarden_model::api::{Flag, Occasion, RepositoryState};
use tagwarden_model::flag::{Change, FlagState};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::tag::Class;

use super::db::{Conn, Dialects, statements, values};
use super::deliveries::{self, NewDelivery};
use super::flags::Stored;
use super::read::repositories::Lateness;
use super::record::RepositoryWrite;
use super::transaction::Write;
use super::{Store, StoreError, read};

/// Tellings that are looked at together.
const MOST: u32 = 1000;
/// So late is late enough to tell people, however seldom checks were promised.
const LATE_GRACE: Millis = Millis::minutes(10);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.occasion, o.flag_id, o.version, o.group_id, o.at, o.reason, r.name AS repository, r.host, t.class
            FROM tellings o JOIN repositories r ON r.id = o.repository_id LEFT JOIN flags f ON f.id = o.flag_id
                LEFT JOIN tags t ON t.id = f.tag_id ORDER BY o.id LIMIT $1",
            $rest
        )
    };
}

statements! {
    INSERT_TELLING = "INSERT INTO tellings (occasion, repository_id, flag_id, version, group_id, at, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    DELETE_TELLING = "DELETE FROM tellings WHERE id = $1";
    LATE_TOLD = "UPDATE repositories SET late_told = CAST($2 AS BIGINT) WHERE id = $1
        AND (late_told IS NULL) = (CAST($2 AS BIGINT) IS NOT NULL)";
}

/// Of several servers one makes messages; what it deletes the others do not see.
pub(super) const TELLINGS: Dialects = Dialects { sqlite: select!(""), postgres: select!(" FOR UPDATE OF o") };

/// A telling that is written when its transaction ends.
pub(super) struct Told {
    occasion: Occasion,
    repository: i64,
    flag: Option<i64>,
    version: i64,
    group: Option<i64>,
    reason: Option<String>,
}

/// Something that notifiers are to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Telling {
    /// Its row.
    pub id: i64,
    /// What happened.
    pub occasion: Occasion,
    /// Canonical name of the repository.
    pub repository: String,
    /// The registry's canonical host.
    pub host: String,
    /// The flag as it is now; `None` if it is about the repository.
    pub flag: Option<Flag>,
    /// The flag's row.
    pub version: i64,
    /// The class of the flag's tag.
    pub class: Option<Class>,
    /// What one pass found together.
    pub group: Option<i64>,
    /// When it was written.
    pub at: Instant,
    /// Why the repository cannot be checked.
    pub reason: Option<String>,
}

/// What becomes of tellings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Planned {
    /// Messages to be delivered.
    pub deliveries: Vec<NewDelivery>,
    /// Rows of the tellings that these are made of, or that nobody wants to hear.
    pub done: Vec<i64>,
    /// When the others are to be looked at again.
    pub again: Option<Instant>,
}

impl Store {
    /// Makes deliveries of tellings, as `plan` says; gives when to look again. `plan` must be quick: it runs inside a transaction.
    pub async fn plan_deliveries(
        &self,
        now: Instant,
        plan: impl Fn(&[Telling]) -> Planned + Send,
    ) -> Result<Option<Instant>, StoreError> {
        // Most looks find nothing to do; those take no lock.
        let planned = plan(&tellings(&mut self.read_conn().await?).await?);
        if planned.done.is_empty() {
            return Ok(planned.again);
        }
        let mut write = self.begin().await?;
        let planned = plan(&tellings(&mut write.conn).await?);
        for delivery in &planned.deliveries {
            deliveries::insert(&mut write.conn, delivery, now).await?;
        }
        for id in &planned.done {
            write.conn.execute(DELETE_TELLING, values![*id]).await?;
        }
        write.conn.commit().await?;
        self.shared.outbox.send_replace(());
        Ok(planned.again)
    }
}

impl Store {
    /// Tells of repositories that became late, and of those that are not any more. Of several servers one does.
    pub async fn tell_lateness(&self, now: Instant) -> Result<(), StoreError> {
        let changed = read::repositories::lateness(&mut self.read_conn().await?, LATE_GRACE, now).await?;
        if changed.is_empty() {
            return Ok(());
        }
        let mut write = self.begin().await?;
        for Lateness { id, late, failing } in changed {
            let told = late.as_ref().map(|_| now);
            if write.conn.execute(LATE_TOLD, values![id, told]).await? == 1 && !failing {
                let occasion = if late.is_some() { Occasion::Late } else { Occasion::Recovered };
                let (repository, version) = (id, now.0);
                write.tellings.push(Told { occasion, repository, flag: None, version, group: None, reason: late });
            }
        }
        self.finish(write, now).await
    }
}

impl Write {
    /// A new flag is told of.
    pub(super) fn tell_opened(&mut self, flag: i64, repository: i64, group: Option<i64>) {
        let occasion = Occasion::Opened;
        self.tellings.push(Told { occasion, repository, flag: Some(flag), version: 1, group, reason: None });
    }

    /// A step of a flag is told of, if it is more than one of many.
    pub(super) fn tell_step(&mut self, before: &Stored, change: &Change, group: Option<i64>) {
        let (was, is) = (&before.flag, &change.flag);
        let occasion = match is.state {
            FlagState::Open if was.state != FlagState::Open => Occasion::Reopened,
            FlagState::Open if is.severity() > was.severity() => Occasion::Worsened,
            FlagState::Restored => Occasion::Restored,
            _ => return,
        };
        let (repository, flag, version) = (before.repository, Some(before.id), is.version);
        self.tellings.push(Told { occasion, repository, flag, version, group, reason: None });
    }

    /// A repository that cannot be checked any more, or can again, is told of.
    pub(super) fn tell_state(&mut self, change: &RepositoryWrite, before: RepositoryState) {
        let failing = |state| matches!(state, RepositoryState::Failing | RepositoryState::Hidden);
        let occasion = match (failing(before), change.state.state) {
            (false, state) if failing(state) => Occasion::Failing,
            (true, RepositoryState::Ok | RepositoryState::Empty) => Occasion::Recovered,
            _ => return,
        };
        let (version, reason) = (change.now.0, change.state.reason.clone());
        self.tellings.push(Told { occasion, repository: change.repository, flag: None, version, group: None, reason });
    }

    /// Writes what is to be told; says whether that is anything.
    pub(super) async fn put_tellings(&mut self, now: Instant) -> Result<bool, StoreError> {
        let tellings = std::mem::take(&mut self.tellings);
        for told in &tellings {
            let (flag, version, group) = (told.flag, told.version, told.group);
            let (occasion, reason) = (told.occasion.code(), told.reason.as_deref());
            let values = values![occasion, told.repository, flag, version, group, now, reason];
            self.conn.execute(INSERT_TELLING, values).await?;
        }
        Ok(!tellings.is_empty())
    }
}

async fn tellings(conn: &mut Conn) -> Result<Vec<Telling>, StoreError> {
    // Locks need a transaction; where there is none, none are wanted.
    let dialects = if conn.writes() { conn.pick(TELLINGS) } else { TELLINGS.sqlite };
    let mut tellings = Vec::new();
    for row in conn.all(dialects, values![MOST]).await? {
        let flag = match row.int_opt("flag_id")? {
            Some(id) => read::flags::one(conn, id).await?,
            None => None,
        };
        tellings.push(Telling {
            id: row.int("id")?,
            occasion: row.code("occasion", Occasion::from_code)?,
            repository: row.text("repository")?,
            host: row.text("host")?,
            flag,
            version: row.int("version")?,
            class: row.code_opt("class", Class::from_code)?,
            group: row.int_opt("group_id")?,
            at: row.instant("at")?,
            reason: row.text_opt("reason")?,
        });
    }
    Ok(tellings)
}
