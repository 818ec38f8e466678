//! Jobs, kept contents, proofs, change notices.

use tagwarden::store::content::{Content, Proof};
use tagwarden::store::jobs::{JobRequest, NO_ENTRY};
use tagwarden::store::{Scope, Store, StoreError};
use tagwarden_model::api::{ChangeKind, Job, JobKind, JobResult, JobState, Readiness, RepositoryPreview};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Millis;

use crate::db_test;
use crate::world::{START, World, digest, name, person, repository, tag_name};

async fn job(world: &World, request: &JobRequest) -> Result<Option<Job>, StoreError> {
    world.store.create_job(&name(), JobKind::Check, request, &person(), world.tick()).await
}

fn check(tags: &[&str]) -> JobRequest {
    JobRequest::Check(tags.iter().map(|tag| tag_name(tag)).collect())
}

db_test! {
    async fn a_job_is_taken_worked_on_and_ended(world: World) {
        let first = job(&world, &check(&["1.0.0"])).await.unwrap().unwrap();
        let proof = JobRequest::Proof(vec![digest("a")]);
        let second = world.store.create_job(&name(), JobKind::Proof, &proof, &person(), world.tick()).await.unwrap().unwrap();
        assert_eq!((first.state, first.repository.as_str()), (JobState::Queued, "registry.example/team/api"));
        assert!(world.store.take_jobs(world.registry + 1, JobKind::Check, 10).await.unwrap().is_empty());
        let taken = world.store.take_jobs(world.registry, JobKind::Check, 10).await.unwrap();
        assert_eq!((taken[0].id, &taken[0].request), (first.id, &check(&["1.0.0"])));
        assert_eq!(world.store.take_jobs(world.registry, JobKind::Proof, 10).await.unwrap()[0].request, proof);
        world.store.progress_job(first.id, 1, 2, world.tick()).await.unwrap();
        let running = world.store.job(Scope::All, first.id).await.unwrap().unwrap();
        assert_eq!((running.state, running.done, running.total), (JobState::Running, 1, 2));
        world.store.finish_job(first.id, None, world.tick()).await.unwrap();
        world.store.finish_job(second.id, Some("the registry refused"), world.tick()).await.unwrap();
        let ended = world.store.job(Scope::All, first.id).await.unwrap().unwrap();
        assert_eq!((ended.state, ended.error, ended.finished.is_some()), (JobState::Done, None, true));
        let failed = world.store.job(Scope::All, second.id).await.unwrap().unwrap();
        assert_eq!((failed.state, failed.error.as_deref()), (JobState::Failed, Some("the registry refused")));
        // What has ended stays so.
        world.store.progress_job(first.id, 9, 9, world.tick()).await.unwrap();
        world.store.finish_job(first.id, Some("late"), world.tick()).await.unwrap();
        assert_eq!(world.store.job(Scope::All, first.id).await.unwrap().unwrap().error, None);
        assert_eq!(world.store.job(Scope::All, 4711).await.unwrap(), None);
    }
}

db_test! {
    async fn equal_jobs_wait_once(world: World) {
        let first = job(&world, &check(&["1.0.0"])).await.unwrap().unwrap();
        assert_eq!(job(&world, &check(&["1.0.0"])).await.unwrap().unwrap().id, first.id);
        assert_ne!(job(&world, &check(&[])).await.unwrap().unwrap().id, first.id);
        world.store.take_jobs(world.registry, JobKind::Check, 10).await.unwrap();
        let proof = JobRequest::Proof(vec![digest("a")]);
        world.store.create_job(&name(), JobKind::Proof, &proof, &person(), world.tick()).await.unwrap().unwrap();
        assert_eq!(world.store.take_jobs(world.registry, JobKind::Proof, 10).await.unwrap().len(), 1);
        let while_running = job(&world, &check(&["1.0.0"])).await.unwrap().unwrap();
        assert_ne!(while_running.id, first.id, "what runs may have passed the tag already");
        // The worker dies: the running one would wait a second time.
        world.store.requeue_jobs(world.registry, JobKind::Check).await.unwrap();
        let waiting = world.store.take_jobs(world.registry, JobKind::Check, 10).await.unwrap();
        assert_eq!(waiting.len(), 2);
        assert!(world.store.take_jobs(world.registry, JobKind::Proof, 10).await.unwrap().is_empty(), "its worker lives");
        assert!(waiting.iter().any(|job| job.id == while_running.id));
        assert_eq!(world.store.job(Scope::All, first.id).await.unwrap().unwrap().state, JobState::Done);
    }
}

db_test! {
    async fn jobs_of_what_is_not_watched_and_too_many_jobs_are_refused(world: World) {
        let made = world.store.create_job(&repository("never"), JobKind::Check, &check(&[]), &person(), START).await;
        assert_eq!(made.unwrap(), None);
        for number in 0..1000 {
            job(&world, &check(&[&format!("1.{number}.0")])).await.unwrap().unwrap();
        }
        let error = job(&world, &check(&[])).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { field: "repository", .. }), "{error}");
        assert!(job(&world, &check(&["1.7.0"])).await.unwrap().is_some(), "that one waits already");
    }
}

db_test! {
    async fn a_look_needs_no_watched_repository_and_is_forgotten(world: World) {
        let preview = JobRequest::Preview(repository("never"));
        let look = async || world.store.create_look(NO_ENTRY, &preview, &person(), world.now()).await.unwrap();
        let job = look().await;
        assert_eq!((job.kind, job.repository.clone()), (JobKind::Preview, repository("never").to_string()));
        assert_eq!(look().await.id, job.id, "equal ones wait once");
        assert!(world.store.take_jobs(world.registry, JobKind::Preview, 10).await.unwrap().is_empty());
        let taken = world.store.take_jobs(NO_ENTRY, JobKind::Preview, 10).await.unwrap();
        assert_eq!((taken[0].repository, &taken[0].request), (None, &preview));
        let result = JobResult::Preview(RepositoryPreview { found: true, tags: 7, ..RepositoryPreview::default() });
        world.store.answer_job(job.id, &result, world.now()).await.unwrap();
        let ended = world.store.job(Scope::All, job.id).await.unwrap().unwrap();
        assert_eq!((ended.state, ended.result), (JobState::Done, Some(result)));
        let change = world.store.changes(Scope::All, 0, 100).await.unwrap().unwrap().pop().unwrap();
        assert_eq!((change.kind, change.reference, change.repository), (ChangeKind::Job, job.id, None));
        world.store.prune_jobs(world.now() + Millis::hours(1)).await.unwrap();
        assert!(world.store.job(Scope::All, job.id).await.unwrap().is_some());
        world.store.prune_jobs(world.now() + Millis::hours(1) + Millis(1)).await.unwrap();
        assert_eq!(world.store.job(Scope::All, job.id).await.unwrap(), None);
        let check = world.store.create_look(NO_ENTRY, &check(&[]), &person(), world.now()).await;
        assert!(matches!(check, Err(StoreError::Inconsistent(_))));
    }
}

db_test! {
    async fn jobs_that_ended_are_forgotten_after_a_day(world: World) {
        let mut ids = Vec::new();
        for number in 0..4 {
            ids.push(job(&world, &check(&[&format!("1.{number}.0")])).await.unwrap().unwrap().id);
        }
        world.store.take_jobs(world.registry, JobKind::Check, 3).await.unwrap();
        let first = world.tick();
        world.store.finish_job(ids[0], None, first).await.unwrap();
        let second = world.tick();
        world.store.finish_job(ids[1], Some("the registry refused"), second).await.unwrap();
        let kept = async || {
            let mut kept = Vec::new();
            for id in &ids {
                kept.push(world.store.job(Scope::All, *id).await.unwrap().is_some());
            }
            kept
        };
        let day = Millis::hours(24);
        world.store.prune_jobs(first + day).await.unwrap();
        assert_eq!(kept().await, [true, true, true, true], "a day is kept");
        world.store.prune_jobs(second + day).await.unwrap();
        assert_eq!(kept().await, [false, true, true, true]);
        world.store.prune_jobs(second + Millis::days(9)).await.unwrap();
        assert_eq!(kept().await, [false, false, true, true], "what waits or runs is no old job");
        // A number is never given twice.
        world.store.finish_job(ids[3], None, world.tick()).await.unwrap();
        world.store.prune_jobs(second + Millis::days(9)).await.unwrap();
        let next = job(&world, &check(&["2.0.0"])).await.unwrap().unwrap().id;
        assert!(next > ids[3], "{next}");
        world.store.prune_jobs(second + Millis::days(9)).await.unwrap();
        assert_eq!(kept().await, [false, false, true, false]);
    }
}

db_test! {
    async fn contents_are_kept_by_their_digest(world: World) {
        let bytes = "{\"layers\":[]}".repeat(1000).into_bytes();
        let content = Content { media_type: "application/json".to_owned(), bytes };
        let digest = Digest::of(&content.bytes);
        assert_eq!(world.store.content(&digest).await.unwrap(), None);
        for _ in 0..2 {
            world.store.put_contents(&[(digest.clone(), content.clone())], START).await.unwrap();
        }
        assert_eq!(world.store.content(&digest).await.unwrap(), Some(content.clone()));
        let empty = Content { bytes: Vec::new(), ..content.clone() };
        world.store.put_contents(&[(Digest::of(b""), empty.clone())], START).await.unwrap();
        assert_eq!(world.store.content(&Digest::of(b"")).await.unwrap(), Some(empty));
        let lie = world.store.put_contents(&[(Digest::of(b"other"), content.clone())], START).await;
        assert!(matches!(lie, Err(StoreError::Refused { .. })));
        let other = Content { bytes: b"other".to_vec(), ..content.clone() };
        let both = [(Digest::of(b"other"), other.clone()), (Digest::of(b"a lie"), other)];
        assert!(matches!(world.store.put_contents(&both, START).await, Err(StoreError::Refused { .. })));
        assert_eq!(world.store.content(&Digest::of(b"other")).await.unwrap(), None, "all or none");
        // A damaged row is an error, neither wrong bytes nor a panic.
        world.execute("UPDATE content SET size = 999999999999").await;
        assert!(matches!(world.store.content(&digest).await, Err(StoreError::Inconsistent(_))));
        world.execute("UPDATE content SET size = 13, zstd = salt FROM (SELECT hash AS salt FROM digests) d").await;
        assert!(matches!(world.store.content(&digest).await, Err(StoreError::Inconsistent(_))));
    }
}

db_test! {
    async fn the_newest_proof_of_a_digest_stands(world: World) {
        world.create("1.0.0", "a").await;
        world.create("1.1.0", "b").await;
        let proof = |minutes, readiness| Proof {
            digest: digest("a"),
            readiness,
            detail: "2 layers".to_owned(),
            at: START + Millis::minutes(minutes),
        };
        let target = async || world.store.targets(Scope::All, &name(), &tag_name("1.1.0")).await.unwrap().unwrap().remove(0);
        assert_eq!((target().await.readiness, target().await.proven), (Readiness::Unproven, None));
        world.store.put_proof(world.repository, &proof(5, Readiness::Ready)).await.unwrap();
        world.store.put_proof(world.repository, &proof(3, Readiness::Gone)).await.unwrap();
        let proven = target().await;
        assert_eq!((proven.readiness, proven.proven), (Readiness::Ready, Some(START + Millis::minutes(5))));
        assert_eq!(proven.detail.as_deref(), Some("2 layers"));
        assert_eq!(proven.pinned, format!("registry.example/team/api@{}", digest("a")));
        world.store.put_proof(world.repository, &proof(9, Readiness::Incomplete)).await.unwrap();
        assert_eq!(target().await.readiness, Readiness::Incomplete);
    }
}

db_test! {
    async fn notices_are_read_in_order_and_forgotten_after_a_day(world: World) {
        world.create("1.0.0", "a").await;
        world.to("1.0.0", "a", "b", 1).await;
        let changes = world.store.changes(Scope::All, 0, 100).await.unwrap().unwrap();
        let kinds = changes.iter().map(|change| (change.kind, change.reference)).collect::<Vec<_>>();
        let flag = world.flag().await.id;
        assert_eq!(kinds, [
            (ChangeKind::Repository, 0),
            (ChangeKind::Events, 1),
            (ChangeKind::Flag, flag),
            (ChangeKind::Events, 2),
        ]);
        assert_eq!(changes[1].repository.as_deref(), Some("registry.example/team/api"));
        let newest = world.store.newest_change().await.unwrap();
        assert_eq!(newest, 4);
        assert_eq!(world.store.changes(Scope::All, newest, 100).await.unwrap(), Some(Vec::new()));
        assert_eq!(world.store.changes(Scope::All, 1, 2).await.unwrap().unwrap().len(), 2);
        assert_eq!(world.store.changes(Scope::All, newest + 1, 2).await.unwrap(), None, "from a database that is gone");

        world.store.prune_changes(START + Millis::hours(24)).await.unwrap();
        assert_eq!(world.store.changes(Scope::All, 0, 100).await.unwrap().unwrap().len(), 4, "a day is kept");
        world.store.prune_changes(START + Millis::hours(24) + Millis(1)).await.unwrap();
        assert_eq!(world.store.changes(Scope::All, 0, 100).await.unwrap(), None);
        assert_eq!(world.store.changes(Scope::All, 1, 100).await.unwrap().unwrap().len(), 3);
        world.store.prune_changes(START + Millis::days(9)).await.unwrap();
        assert_eq!(world.store.changes(Scope::All, 3, 100).await.unwrap(), None);
        assert_eq!(world.store.changes(Scope::All, 4, 100).await.unwrap(), Some(Vec::new()));
        world.create("1.1.0", "a").await;
        assert_eq!(world.store.changes(Scope::All, 4, 100).await.unwrap().unwrap()[0].id, 5, "numbers go on");
    }
}

db_test! {
    async fn who_waits_for_changes_is_woken(world: World) {
        let newest = world.store.newest_change().await.unwrap();
        world.store.changed(newest - 1).await;
        let waiting = tokio::spawn({
            let store = world.store.clone();
            async move { store.changed(newest).await }
        });
        world.create("1.0.0", "a").await;
        waiting.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_replica_is_woken_on_postgresql() {
    let world = World::postgres().await;
    let replica = Store::open(&world.url).await.unwrap();
    let newest = replica.newest_change().await.unwrap();
    world.create("1.0.0", "a").await;
    replica.changed(newest).await;
    assert_eq!(replica.changes(Scope::All, newest, 10).await.unwrap().unwrap()[0].kind, ChangeKind::Events);
}
