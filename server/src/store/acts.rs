//! What people decide: flags and promises.

use tagwarden_model::api::{Acknowledge, Close, MakePromise, Promise};
use tagwarden_model::instant::Instant;

use tagwarden_model::api::ChangeKind;
use tagwarden_model::digest::Digest;
use tagwarden_model::flag::{FlagError, FlagState, Lowering, Resolution};
use tagwarden_model::name::TagName;
use tagwarden_model::promise::{self, Standing, standing};
use tagwarden_model::tag::{Class, TagRecord};
use tagwarden_model::version::Version;

use super::db::{Conn, statements, values};
use super::digests::Interned;
use super::flags::{self, Cause, Step, Stored};
use super::judge::Judged;
use super::promises::{Act, Promises};
use super::transaction::Write;
use super::{Actor, Store, StoreError, load, projections};

/// Characters of a reason.
const LONGEST_REASON: usize = 2000;
/// Acknowledgements that one call ends; the next call goes on.
const MOST_EXPIRED: u32 = 1000;

statements! {
    EXPIRED = "SELECT id FROM flags WHERE acknowledged_until <= $1 AND state = $2 ORDER BY acknowledged_until LIMIT $3";
    WATCHED = "SELECT id FROM repositories WHERE name = $1 AND period_id IS NOT NULL";
    TAG_NAME = "SELECT name FROM tags WHERE id = $1";
    STANDING = "SELECT p.reason, p.at, p.actor_display FROM promises p WHERE p.repository_id = $1 AND p.tag = $2 AND p.stands = 1";
}

impl Store {
    /// Acknowledges a flag; `None` if there is none, `Conflict` if its version is another, `Refused` by the rules.
    pub async fn acknowledge(
        &self,
        flag: i64,
        act: &Acknowledge,
        actor: &Actor,
        now: Instant,
    ) -> Result<Option<()>, StoreError> {
        check_reason(&act.reason)?;
        let Some((mut write, stored)) = self.begin_on_flag(flag).await? else { return Ok(None) };
        let change = stored.flag.acknowledge(act.version, act.until, now).map_err(refused)?;
        write.change_flag(&stored, &change, now, actor, Some(&act.reason)).await?;
        self.finish(write, now).await?;
        Ok(Some(()))
    }

    /// Closes a flag, as [`Store::acknowledge`]. `accepted` makes the present state the promise.
    pub async fn close(&self, flag: i64, act: &Close, actor: &Actor, now: Instant) -> Result<Option<()>, StoreError> {
        check_reason(&act.reason)?;
        let Some((mut write, stored)) = self.begin_on_flag(flag).await? else { return Ok(None) };
        let tag = match stored.tag {
            Some(id) => Some(Tag::by_id(&mut write.conn, stored.repository, id).await?),
            None => None,
        };
        let standing = match &tag {
            Some(tag) => standing(tag.promises.standing(), &tag.record.state),
            // A repository that came back has restored its flag.
            None if stored.flag.state == FlagState::Restored => Standing::AsPromised,
            None => Standing::InBreach,
        };
        let change = stored.flag.close(act.version, act.resolution, standing).map_err(refused)?;
        write.change_flag(&stored, &change, now, actor, Some(&act.reason)).await?;
        if let Some(mut tag) = tag.filter(|_| act.resolution == Resolution::Accepted)
            && let Some(accepted) = promise::Promise::accepted(&tag.record.state, tag.record.verified)
        {
            let ids = Interned::new(&mut write.conn, &accepted.digest).await?;
            let place = (stored.repository, &tag.name);
            let act = Act { actor, reason: &act.reason, at: now };
            tag.promises.make(&mut write.conn, place, &accepted, &ids, act).await?;
        }
        self.finish(write, now).await?;
        Ok(Some(()))
    }

    /// Makes a promise; opens or restores the flag it decides. `None` if the repository is not watched. Saying again what
    /// stands changes nothing, so that a pipeline may repeat itself.
    pub async fn make_promise(
        &self,
        act: &MakePromise,
        actor: &Actor,
        now: Instant,
    ) -> Result<Option<Promise>, StoreError> {
        check_reason(&act.reason)?;
        let refuse = |field, message: &str| Err(StoreError::Refused { message: message.to_owned(), field });
        let Some(name) = TagName::new(&act.tag) else {
            return refuse(
                "tag",
                "a tag has 1 to 128 letters, digits, `_`, `.` or `-` and begins with none of the last two",
            );
        };
        if matches!(act.digest, Some(Digest::Sha512(_))) {
            return refuse("digest", "promise the sha256 digest: that is what tags are compared by");
        }
        let mut write = self.begin().await?;
        let Some(row) = write.conn.optional(WATCHED, values![&act.repository]).await? else { return Ok(None) };
        let repository = row.int("id")?;
        if write.lock_repository(repository).await?.int_opt("period_id")?.is_none() {
            return Ok(None);
        }
        let tag = Tag::by_name(&mut write.conn, repository, &name).await?;
        if tag.as_ref().is_some_and(|tag| tag.class != Class::Release) {
            return refuse("tag", "only releases are held to a promise; this tag's class is another");
        }
        let mut promises = match &tag {
            Some(tag) => tag.promises.clone(),
            None => Promises::of(&mut write.conn, repository, &name).await?,
        };
        let promise = promise::Promise { digest: act.digest.clone(), provisional: false };
        if promises.standing() != Some(&promise) {
            let ids = Interned::new(&mut write.conn, &act.digest).await?;
            let why = Act { actor, reason: &act.reason, at: now };
            promises.make(&mut write.conn, (repository, &name), &promise, &ids, why).await?;
            if let Some(tag) = &tag {
                write.judge_promise(repository, tag, &promises, actor, now).await?;
            }
            write.notice(ChangeKind::Repository, 0, repository);
        }
        let row = write.conn.one(STANDING, values![repository, name.as_str()]).await?;
        let made = Promise {
            repository: act.repository.clone(),
            tag: act.tag.clone(),
            digest: promise.digest,
            provisional: false,
            actor: row.text("actor_display")?,
            reason: row.text("reason")?,
            at: row.instant("at")?,
        };
        self.finish(write, now).await?;
        Ok(Some(made))
    }

    /// Opens flags whose acknowledgement has ended; gives how many.
    pub async fn expire_acknowledgements(&self, now: Instant) -> Result<u64, StoreError> {
        let values = values![now, FlagState::Acknowledged.code(), MOST_EXPIRED];
        let rows = self.read_conn().await?.all(EXPIRED, values).await?;
        let mut opened = 0;
        for row in rows {
            let Some((mut write, stored)) = self.begin_on_flag(row.int("id")?).await? else { continue };
            // A person may have been faster.
            let Some(change) = stored.flag.expire(now) else { continue };
            write.change_flag(&stored, &change, now, &Actor::system(), None).await?;
            write.tell_step(&stored, &change, None);
            self.finish(write, now).await?;
            opened += 1;
        }
        Ok(opened)
    }

    /// A flag as it is while nobody else can change it.
    pub(super) async fn begin_on_flag(&self, id: i64) -> Result<Option<(Write, Stored)>, StoreError> {
        let mut write = self.begin().await?;
        let Some(stored) = flags::by_id(&mut write.conn, id).await? else { return Ok(None) };
        write.lock_repository(stored.repository).await?;
        Ok(flags::by_id(&mut write.conn, id).await?.map(|stored| (write, stored)))
    }
}

impl Write {
    /// What a new promise means for the flag of its tag.
    async fn judge_promise(
        &mut self,
        repository: i64,
        tag: &Tag,
        promises: &Promises,
        actor: &Actor,
        now: Instant,
    ) -> Result<(), StoreError> {
        let flag = flags::of_tag(&mut self.conn, tag.id).await?;
        let judged = Judged {
            class: tag.class,
            lowering: tag.lowering,
            promises,
            state: &tag.record.state,
            pre_release: Version::of(tag.name.as_str()).pre_release,
            moved: false,
            before_seq: i64::MAX,
        };
        let event = if flag.is_some() { None } else { Cause::newest(&mut self.conn, tag.id).await? };
        let step = Step { repository, tag: Some(tag.id), event, at: now, actor, reason: None };
        self.judge_tag(flag, &judged, &step).await?;
        Ok(())
    }
}

/// A tag as far as promises and flags need it.
struct Tag {
    id: i64,
    name: TagName,
    class: Class,
    lowering: Lowering,
    record: TagRecord,
    promises: Promises,
}

impl Tag {
    async fn by_name(conn: &mut Conn, repository: i64, name: &TagName) -> Result<Option<Self>, StoreError> {
        let Some(row) = conn.optional(load::TAG, values![repository, name.as_str()]).await? else { return Ok(None) };
        let promises = Promises::of(conn, repository, name).await?;
        let (id, class) = (row.int("id")?, row.code("class", Class::from_code)?);
        let (lowering, record) = (load::lowering(&row)?, load::record(&row)?);
        Ok(Some(Self { id, name: name.clone(), class, lowering, record, promises }))
    }

    async fn by_id(conn: &mut Conn, repository: i64, id: i64) -> Result<Self, StoreError> {
        let name = projections::tag_name(&conn.one(TAG_NAME, values![id]).await?.text("name")?)?;
        let tag = Self::by_name(conn, repository, &name).await?;
        tag.ok_or_else(|| StoreError::Inconsistent("the tag of a flag is not there".to_owned()))
    }
}

fn check_reason(reason: &str) -> Result<(), StoreError> {
    if (1..=LONGEST_REASON).contains(&reason.chars().count()) && !reason.trim().is_empty() {
        return Ok(());
    }
    let message = format!("say why in 1 to {LONGEST_REASON} characters");
    Err(StoreError::Refused { message, field: "reason" })
}

fn refused(error: FlagError) -> StoreError {
    let field = match error {
        FlagError::Conflict { .. } => return StoreError::Conflict,
        FlagError::Closed => return StoreError::Closed(error.to_string()),
        FlagError::UntilPassed => "until",
        FlagError::InBreach | FlagError::NothingToAccept | FlagError::NothingToReview => "resolution",
        FlagError::Restored => "version",
    };
    StoreError::Refused { message: error.to_string(), field }
}
