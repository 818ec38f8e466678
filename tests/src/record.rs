//! Fills the record as the poller would: through `Store::commit`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use tagwarden::clock::Clock as _;
use tagwarden::store::record::{Commit, Lease, RepositoryRow, RepositoryWrite, StoredTag, TagWrite, Written};
use tagwarden::store::watch::{Added, RegistryEntry};
use tagwarden::store::{Actor, ActorKind, Store};
use tagwarden_model::api::RepositoryState;
use tagwarden_model::class::Ruling;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::{EventKind, NewEvent, Source};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::{Band, Class, Listed, MediaType, TagRecord, TagState};

use crate::step_clock::StepClock;

/// The repository of [`usual`].
pub const API: &str = "registry.example/team/api";

/// Writes to the record of one server.
pub struct Record {
    store: Store,
    clock: Arc<StepClock>,
}

/// One watched repository to write to.
pub struct Watched {
    /// The repository's row.
    pub id: i64,
    /// The lease of its registry.
    pub lease: Lease,
}

/// The digest of some bytes.
pub fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

/// Whoever acts in a test.
pub fn somebody() -> Actor {
    Actor { kind: ActorKind::Person, id: "tester".into(), display: "A Tester".into() }
}

impl Record {
    /// Writes to `store` at the times of `clock`.
    pub fn new(store: Store, clock: Arc<StepClock>) -> Self {
        Self { store, clock }
    }

    fn now(&self) -> Instant {
        self.clock.now().mark.wall
    }

    /// Begins to watch a repository.
    pub async fn watch(&self, name: &str) -> Watched {
        let name: RepositoryName = name.parse().unwrap();
        let entry = RegistryEntry { id: 0, name: name.host.clone(), host: name.host.clone(), repositories: vec![] };
        let registry = self.store.put_registry(&entry).await.unwrap().id;
        let added = self.store.watch(registry, &name, &somebody(), self.now()).await.unwrap();
        let Added::New(id) = added else { panic!("{name} was watched already") };
        let until = self.now() + Millis::days(1_000);
        let lease = self.store.lease(registry, "tester", self.now(), until).await.unwrap().unwrap();
        Watched { id, lease }
    }

    /// What the last attempts to check it showed.
    pub async fn state(&self, of: &Watched, state: RepositoryState) {
        let now = self.now();
        let state = RepositoryRow { state, reason: None, since: now, refused_since: None };
        let write = RepositoryWrite { repository: of.id, lease: of.lease, now, state, event: None, invisible: None };
        self.store.put_repository(&write).await.unwrap();
    }

    /// A tag whose name first gives the bytes `contents[0]`, then, a minute later each, the others.
    pub async fn tag(&self, of: &Watched, tag: &str, class: Class, contents: &[&str]) {
        let mut record = TagRecord::unread(Band::Hot, Listed { not_before: None });
        for content in contents {
            let old = record.state.digest().cloned();
            let kind = if old.is_some() { EventKind::Moved } else { EventKind::Created };
            record.last_seq = self.write(of, tag, class, &mut record, kind, old, Some(digest(content))).await;
            self.clock.step(Millis::minutes(1));
        }
    }

    /// These releases are found gone by one pass, whose number is `group`.
    pub async fn delete(&self, of: &Watched, tags: &[&str], group: i64) {
        let now = self.now();
        let loaded = self.store.load(of.id, now).await.unwrap();
        let present = loaded.tags.into_iter().filter(|tag| tags.contains(&tag.name.as_str()));
        let deleted = |tag: StoredTag| {
            let old = tag.record.state.digest().cloned();
            let event = NewEvent { kind: EventKind::Deleted, old, group: Some(group), ..event(now) };
            let record = TagRecord { state: TagState::Absent, claimed: None, ..tag.record };
            TagWrite { name: tag.name, ruling: tag.ruling, record, events: vec![event], proven: false }
        };
        let tags: Vec<_> = present.map(deleted).collect();
        let commit = Commit { repository: of.id, lease: of.lease, now, tags };
        let written = self.store.commit(&commit).await.unwrap();
        assert!(written.iter().all(|written| matches!(written, Written::Ok { flagged: true, .. })), "{written:?}");
    }

    #[expect(clippy::too_many_arguments, reason = "one call in the loop above")]
    async fn write(
        &self,
        of: &Watched,
        tag: &str,
        class: Class,
        record: &mut TagRecord,
        kind: EventKind,
        old: Option<Digest>,
        new: Option<Digest>,
    ) -> i64 {
        let moment = self.clock.now();
        let now = moment.mark.wall;
        record.state = new.clone().map_or(TagState::Absent, TagState::Present);
        record.claimed.clone_from(&new);
        record.media_type = Some(MediaType::OciIndex);
        record.verified = true;
        record.floor = Some(moment.mark);
        record.proof_floor = Some(moment.mark);
        let baseline = old.is_none();
        let not_before = (!baseline).then_some(now - Millis::minutes(5));
        let event = NewEvent { kind, old, new, not_before, baseline, ..event(now) };
        let name = TagName::new(tag).unwrap();
        let write = TagWrite {
            name,
            ruling: Ruling::new(class, "built in"),
            record: record.clone(),
            events: vec![event],
            proven: true,
        };
        let commit = Commit { repository: of.id, lease: of.lease, now, tags: vec![write] };
        match self.store.commit(&commit).await.unwrap()[..] {
            [Written::Ok { last_seq, .. }] => last_seq,
            ref written => panic!("{tag}: {written:?}"),
        }
    }
}

/// A proven event of five minutes that ended now.
fn event(now: Instant) -> NewEvent {
    NewEvent {
        kind: EventKind::Created,
        old: None,
        new: None,
        not_before: Some(now - Millis::minutes(5)),
        not_after: now,
        clock_changed: false,
        verified: true,
        baseline: false,
        source: Source::Poll,
        deleted_by: None,
        group: None,
    }
}

/// What most tests look at: a release that was moved (flag 1), one that is as promised, a rolling tag; and a second
/// repository with nothing in it.
pub async fn usual(record: &Record) -> Watched {
    let api = record.watch(API).await;
    record.tag(&api, "2.2.0", Class::Release, &["two two"]).await;
    record.tag(&api, "2.3.0", Class::Release, &["two three", "something else"]).await;
    record.tag(&api, "latest", Class::Rolling, &["two two", "two three"]).await;
    record.watch("registry.example/team/empty").await;
    api
}
