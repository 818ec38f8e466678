//! Events: written once with their leaf, read in the form of the API.

use rand::RngCore as _;
use tagwarden_model::api::Event;
use tagwarden_model::event::{DeletedBy, EventKind, NewEvent, Source};
use tagwarden_model::instant::Instant;
use tagwarden_model::log::{Entry, Salt, entry_hash, leaf_hash};
use tagwarden_model::name::TagName;
use tagwarden_model::tag::Class;

use super::db::{Conn, Row, statements, values};
use super::digests::{Interned, digest_opt};
use super::read::{EventOrder, Position, Rows};
use super::{ActorKind, StoreError, refreshes};

/// What an event is about.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) repository: i64,
    pub(super) repository_name: &'a str,
    pub(super) tag: Option<SubjectTag<'a>>,
}

#[derive(Clone, Copy)]
pub(super) struct SubjectTag<'a> {
    pub(super) id: i64,
    pub(super) name: &'a TagName,
    pub(super) class: Class,
}

/// Everything that the poller records is its act.
const ACTOR: (ActorKind, &str, &str) = (ActorKind::System, "poller", "Tagwarden");

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.seq, e.at, e.kind, r.name AS repository, t.name AS tag, e.class, o.hash AS old_hash, n.hash AS new_hash,
                e.not_before, e.not_after, e.clock_changed, e.source, e.verified, p.proven_at, e.baseline, e.deleted_by,
                e.group_id, f.flag_id, e.leaf, c.words AS difference
            FROM events e JOIN repositories r ON r.id = e.repository_id
                LEFT JOIN tags t ON t.id = e.tag_id
                LEFT JOIN digests o ON o.id = e.old_id
                LEFT JOIN digests n ON n.id = e.new_id
                LEFT JOIN event_proofs p ON p.seq = e.seq
                LEFT JOIN flag_events f ON f.seq = e.seq
                LEFT JOIN comparisons c ON c.old_id = e.old_id AND c.new_id = e.new_id ",
            $rest
        )
    };
}

statements! {
    INSERT_EVENT = "INSERT INTO events (seq, at, recorded, kind, repository_id, tag_id, class, old_id, new_id, not_before, not_after,
            clock_changed, verified, baseline, source, deleted_by, group_id, actor_kind, actor_id, actor_display, salt, entry, leaf)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)";
    PROVE_EVENT = "INSERT INTO event_proofs (seq, proven_at) SELECT seq, CAST($2 AS BIGINT) FROM events WHERE seq = $1 AND verified = 0
        ON CONFLICT (seq) DO NOTHING";
    ALL_BY_SEQ = select!("WHERE e.seq < $1 AND e.baseline <= $3 ORDER BY e.seq DESC LIMIT $2");
    ALL_BY_TIME = select!("WHERE (e.at, e.seq) < ($1, $2) AND e.baseline <= $4 ORDER BY e.at DESC, e.seq DESC LIMIT $3");
    RELEASES_BY_TIME =
        select!("WHERE e.class = 1 AND e.baseline = 0 AND (e.at, e.seq) < ($1, $2) ORDER BY e.at DESC, e.seq DESC LIMIT $3");
    REPOSITORY_BY_SEQ = select!("WHERE e.repository_id = $4 AND e.seq < $1 AND e.baseline <= $3 ORDER BY e.seq DESC LIMIT $2");
    REPOSITORY_BY_TIME =
        select!("WHERE e.repository_id = $5 AND (e.at, e.seq) < ($1, $2) AND e.baseline <= $4 ORDER BY e.at DESC, e.seq DESC LIMIT $3");
    TAG_BY_SEQ = select!("WHERE e.tag_id = $4 AND e.seq < $1 AND e.baseline <= $3 ORDER BY e.seq DESC LIMIT $2");
    TAG_BY_TIME = select!("WHERE e.tag_id = $5 AND (e.at, e.seq) < ($1, $2) AND e.baseline <= $4 ORDER BY e.at DESC, e.seq DESC LIMIT $3");
    GROUP_BY_SEQ = select!("WHERE e.repository_id IN (SELECT m.repository_id FROM group_repositories m WHERE m.group_id = $4)
        AND e.seq < $1 AND e.baseline <= $3 ORDER BY e.seq DESC LIMIT $2");
    GROUP_BY_TIME = select!("WHERE e.repository_id IN (SELECT m.repository_id FROM group_repositories m WHERE m.group_id = $5)
        AND (e.at, e.seq) < ($1, $2) AND e.baseline <= $4 ORDER BY e.at DESC, e.seq DESC LIMIT $3");
    OF_FLAG = select!("WHERE f.flag_id = $1 ORDER BY e.seq DESC LIMIT $2");
}

/// Appends an event under its number.
pub(super) async fn put_event(
    conn: &mut Conn,
    seq: i64,
    subject: Subject<'_>,
    event: &NewEvent,
    ids: &Interned,
    now: Instant,
) -> Result<(), StoreError> {
    let at = event.not_after;
    let entry = Entry {
        seq,
        at,
        kind: event.kind,
        repository: subject.repository_name,
        tag: subject.tag.map(|tag| tag.name.as_str()),
        old: event.old.as_ref(),
        new: event.new.as_ref(),
        not_before: event.not_before,
        not_after: event.not_after,
        clock_changed: event.clock_changed,
        source: event.source,
        source_name: None,
        verified: event.verified,
        baseline: event.baseline,
        deleted_by: event.deleted_by,
        group: event.group,
        actor: "system:poller",
    };
    let mut salt = Salt::default();
    rand::rng().fill_bytes(&mut salt);
    let entry = entry_hash(&salt, &entry.body());
    let leaf = leaf_hash(&entry);
    let (kind, id, display) = ACTOR;
    let values = values![
        seq,
        at,
        now,
        event.kind.code(),
        subject.repository,
        subject.tag.map(|tag| tag.id),
        subject.tag.map(|tag| tag.class.code()),
        ids.value(event.old.as_ref())?,
        ids.value(event.new.as_ref())?,
        event.not_before,
        event.not_after,
        event.clock_changed,
        event.verified,
        event.baseline,
        event.source.code(),
        event.deleted_by.map(DeletedBy::code),
        event.group,
        kind as i64,
        id,
        display,
        &salt[..],
        &entry[..],
        &leaf[..],
    ];
    conn.execute(INSERT_EVENT, values).await?;
    if let Some(tag) = subject.tag {
        refreshes::note(conn, (tag.id, tag.class), (seq, event), ids).await?;
    }
    Ok(())
}

/// The claim of an event was proven by bytes: said beside it, because events are append-only.
pub(super) async fn prove_event(conn: &mut Conn, seq: i64, now: Instant) -> Result<(), StoreError> {
    conn.execute(PROVE_EVENT, values![seq, now]).await?;
    Ok(())
}

/// Which events are listed, by row ids.
#[derive(Clone, Copy)]
pub(super) enum Of {
    All,
    /// What happened to releases; of them what stood before the watch is always left out.
    Releases,
    Repository(i64),
    Group(i64),
    Tag(i64),
}

/// A page of events, newest first, those of what stood before the watch with or left out.
pub(super) async fn list(
    conn: &mut Conn,
    of: Of,
    baseline: bool,
    order: EventOrder,
    after: Option<&Position>,
    limit: u32,
) -> Result<Rows<Event>, StoreError> {
    let most = super::read::one_more(limit);
    let rows = match order {
        EventOrder::Seq => {
            let seq = after.map_or(Ok(i64::MAX), |after| after.int(0))?;
            match of {
                Of::All | Of::Releases => conn.all(ALL_BY_SEQ, values![seq, most, baseline]).await?,
                Of::Repository(id) => conn.all(REPOSITORY_BY_SEQ, values![seq, most, baseline, id]).await?,
                Of::Group(id) => conn.all(GROUP_BY_SEQ, values![seq, most, baseline, id]).await?,
                Of::Tag(id) => conn.all(TAG_BY_SEQ, values![seq, most, baseline, id]).await?,
            }
        }
        EventOrder::At => {
            let at = after.map_or(Ok(i64::MAX), |after| after.int(0))?;
            let seq = after.map_or(Ok(i64::MAX), |after| after.int(1))?;
            match of {
                Of::All => conn.all(ALL_BY_TIME, values![at, seq, most, baseline]).await?,
                Of::Releases => conn.all(RELEASES_BY_TIME, values![at, seq, most]).await?,
                Of::Repository(id) => conn.all(REPOSITORY_BY_TIME, values![at, seq, most, baseline, id]).await?,
                Of::Group(id) => conn.all(GROUP_BY_TIME, values![at, seq, most, baseline, id]).await?,
                Of::Tag(id) => conn.all(TAG_BY_TIME, values![at, seq, most, baseline, id]).await?,
            }
        }
    };
    let events = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
    Ok(super::read::page(events, limit, |event| match order {
        EventOrder::Seq => Position::of([event.seq.into()]),
        EventOrder::At => Position::of([event.at.0.into(), event.seq.into()]),
    }))
}

/// The newest events of a flag, oldest first.
pub(super) async fn of_flag(conn: &mut Conn, flag: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
    conn.all(OF_FLAG, values![flag, limit]).await?.iter().rev().map(event).collect()
}

fn event(row: &Row) -> Result<Event, StoreError> {
    Ok(Event {
        seq: row.int("seq")?,
        at: row.instant("at")?,
        kind: row.code("kind", EventKind::from_code)?,
        repository: row.text("repository")?,
        tag: row.text_opt("tag")?,
        class: row.code_opt("class", Class::from_code)?,
        old_digest: digest_opt(row, "old_hash")?,
        new_digest: digest_opt(row, "new_hash")?,
        not_before: row.instant_opt("not_before")?,
        not_after: row.instant("not_after")?,
        clock_changed: row.yes("clock_changed")?,
        source: row.code("source", Source::from_code)?,
        verified: row.yes("verified")? || row.int_opt("proven_at")?.is_some(),
        baseline: row.yes("baseline")?,
        deleted_by: row.code_opt("deleted_by", DeletedBy::from_code)?,
        group_id: row.int_opt("group_id")?,
        flag: row.int_opt("flag_id")?,
        difference: row.text_opt("difference")?,
        leaf: tagwarden_model::digest::hex(&row.bytes("leaf")?),
    })
}
