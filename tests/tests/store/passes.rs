//! Passes, gaps, and what freshness is made of them.

use tagwarden::store::Scope;
use tagwarden::store::record::{GapWrite, PassRow, RepositoryRow, RepositoryWrite};
use tagwarden::store::watch::Added;
use tagwarden_model::api::{ChangeKind, Progress, RepositoryState, Standing, Unread};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::observation::Unknown;
use tagwarden_model::tag::{Band, Listed, TagRecord};

use crate::db_test;
use crate::world::{START, World, mark, name, pass, person, present, repository, tag_name, write_of};

async fn put(world: &World, pass: &PassRow) {
    world.store.put_pass(world.repository, world.lease, pass, None).await.unwrap();
}

async fn kept(world: &World) -> Vec<PassRow> {
    world.store.load(world.repository, START).await.unwrap().passes
}

fn at(minutes: i64) -> Instant {
    START + Millis::minutes(minutes)
}

/// A complete pass that names these tags.
fn naming(minutes: i64, tags: &[&str]) -> PassRow {
    let exceptions = tags.iter().map(|tag| tag_name(tag)).collect::<Vec<_>>();
    let unseen = if tags.is_empty() { Vec::new() } else { vec![(Unknown::Pending, tags.len() as u64)] };
    PassRow { exceptions, unseen, listed: None, ..pass(at(minutes)) }
}

fn failing(minutes: i64, reason: &str) -> PassRow {
    let reason = Some(reason.to_owned());
    PassRow {
        complete: false,
        listed: None,
        unseen: vec![(Unknown::Unreachable, 3)],
        seen: 0,
        reason,
        ..pass(at(minutes))
    }
}

db_test! {
    async fn a_pass_of_five_thousand_unchanged_tags_is_one_row(world: World) {
        let tags = (0..5000).map(|number| world.created(&format!("1.{number}.0"), "a")).collect();
        world.try_commit(tags).await.unwrap();
        let before = world.row_counts().await;
        let first = PassRow { asked: 5000, seen: 5000, listed: Some((mark(at(5)), 5000)), ..pass(at(5)) };
        put(&world, &first).await;
        let mut expected = before.clone();
        for table in ["passes", "registry_checks"] {
            *expected.get_mut(table).unwrap() += 1;
        }
        assert_eq!(world.row_counts().await, expected);
        assert_eq!(kept(&world).await, [first], "a pass is read as it was written");
        // Two listings are kept for the windows of new tags; further passes add nothing.
        for minutes in 2..20 {
            put(&world, &PassRow { listed: Some((mark(at(5 * minutes)), 5000)), ..pass(at(5 * minutes)) }).await;
        }
        *expected.get_mut("passes").unwrap() += 1;
        assert_eq!(world.row_counts().await, expected);
        assert_eq!(world.store.load(world.repository, START).await.unwrap().listings, [mark(at(95)), mark(at(90))]);
    }
}

db_test! {
    async fn every_last_sighting_outlives_the_merging(world: World) {
        // By the definition of RECORD.md 4.2, over all passes that were ever written.
        let last_sighting = |passes: &[PassRow], tag: &str, proofs: bool| {
            let named = |pass: &PassRow| pass.exceptions.iter().any(|name| name.as_str() == tag);
            let counts = |pass: &&PassRow| pass.complete && (pass.proof || !proofs) && !named(pass);
            passes.iter().filter(counts).map(|pass| pass.started).max()
        };
        let names = ["a", "b", "c", "d"];
        let mut written = Vec::new();
        let mut random = 99_u64;
        for minute in 0..120 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bits = random >> 32;
            let missed = names.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, name)| *name);
            let mut pass = naming(minute, &missed.collect::<Vec<_>>());
            pass.proof = (bits >> 8).is_multiple_of(8);
            pass.complete = !(bits >> 12).is_multiple_of(4);
            put(&world, &pass).await;
            written.push(pass);
            let kept = kept(&world).await;
            assert!(kept.len() <= 2 * (names.len() + 1) + 1, "{} rows", kept.len());
            for tag in names.into_iter().chain(["never-named"]) {
                for proofs in [false, true] {
                    assert_eq!(last_sighting(&kept, tag, proofs), last_sighting(&written, tag, proofs), "{tag} at {minute}");
                }
            }
        }
    }
}

db_test! {
    async fn a_tag_that_is_named_for_ever_keeps_one_more_row(world: World) {
        put(&world, &naming(0, &[])).await;
        for minutes in 1..50 {
            put(&world, &naming(minutes, &["1.0.0"])).await;
        }
        let started = kept(&world).await.iter().map(|pass| pass.started.wall).collect::<Vec<_>>();
        assert_eq!(started, [at(49), at(0)]);
    }
}

db_test! {
    async fn a_registry_says_how_its_repositories_stand(world: World) {
        let standings = async |now| {
            let registry = world.store.registry_states(Scope::All, now, None, 9).await.unwrap().0.remove(0);
            let told = |standing: &Standing| (standing.state, standing.late, standing.repositories, standing.reason.clone());
            (registry.checked, registry.standings.iter().map(told).collect::<Vec<_>>(), registry.standings.first().and_then(|of| of.progress))
        };
        world.create("1.0.0", "a").await;
        world.store.watch(world.registry, &repository("other"), &person(), START).await.unwrap();
        let new = (RepositoryState::New, false, 2, None);
        assert_eq!(standings(at(0)).await, (None, vec![new], Some(Progress { read: 1, found: 1 })));
        let state = RepositoryRow { state: RepositoryState::Ok, reason: None, since: at(0), refused_since: None };
        let write = RepositoryWrite { repository: world.repository, lease: world.lease, now: at(0), state, event: None, invisible: None };
        world.store.put_repository(&write).await.unwrap();
        put(&world, &pass(at(1))).await;
        let (checked, fine, _) = standings(at(2)).await;
        assert_eq!(checked, Some(pass(at(1)).finished));
        assert_eq!(fine, [(RepositoryState::New, false, 1, None), (RepositoryState::Ok, false, 1, None)]);
        put(&world, &failing(3, "unreachable")).await;
        let late = standings(at(60 * 24)).await.1;
        assert_eq!(late[1], (RepositoryState::Ok, true, 1, Some("unreachable".to_owned())));
        world.store.pause(&name(), &person(), at(5)).await.unwrap();
        let paused = standings(at(60 * 24)).await.1;
        assert_eq!(paused[1], (RepositoryState::Paused, false, 1, Some("paused by Ada".to_owned())), "nothing is promised");
    }
}

db_test! {
    async fn failing_passes_are_one_row_and_one_gap_whatever_their_reason(world: World) {
        put(&world, &pass(at(0))).await;
        let before = world.row_counts().await;
        for minutes in 1..40 {
            let reason = ["unreachable", "rate limited"][minutes as usize % 2];
            let gap = GapWrite { band: Band::Hot, from: at(0), reason: reason.to_owned() };
            world.store.put_pass(world.repository, world.lease, &failing(minutes, reason), Some(&gap)).await.unwrap();
        }
        let after = world.row_counts().await;
        assert_eq!((after["passes"] - before["passes"], after["gaps"] - before["gaps"]), (1, 1));
        assert_eq!(after["changes"] - before["changes"], 1, "complete -> incomplete, said once");
        put(&world, &pass(at(40))).await;
        assert_eq!(world.row_counts().await["changes"] - before["changes"], 2);
        let gaps = world.store.timeline(Scope::All, &name()).await.unwrap().unwrap().gaps;
        assert_eq!((gaps.len(), gaps[0].from, gaps[0].until), (1, at(0), Some(at(40))));
        assert_eq!(gaps[0].reason, "rate limited", "the reason that it began with");
        // The next outage is another gap.
        let gap = GapWrite { band: Band::Hot, from: at(40), reason: "again".to_owned() };
        world.store.put_pass(world.repository, world.lease, &failing(45, "again"), Some(&gap)).await.unwrap();
        assert_eq!(world.store.timeline(Scope::All, &name()).await.unwrap().unwrap().gaps.len(), 2);
    }
}

db_test! {
    async fn a_pass_that_does_not_name_all_it_missed_is_incomplete(world: World) {
        let many = (0..101).map(|number| format!("1.{number}.0")).collect::<Vec<_>>();
        let many = many.iter().map(String::as_str).collect::<Vec<_>>();
        put(&world, &naming(1, &many)).await;
        assert!(!kept(&world).await[0].complete);
        assert_eq!(kept(&world).await[0].exceptions.len(), 100);
        put(&world, &PassRow { unseen: vec![(Unknown::Pending, 2)], ..naming(2, &["1.0.0"]) }).await;
        assert!(!kept(&world).await[0].complete);
        put(&world, &naming(3, &many[..100])).await;
        assert!(kept(&world).await[0].complete);
    }
}

db_test! {
    async fn a_repository_is_late_when_its_newest_complete_pass_is_older_than_promised(world: World) {
        world.create("1.0.0", "a").await;
        put(&world, &pass(at(10))).await;
        let read = async |now| world.store.repository(Scope::All, &name(), now).await.unwrap().unwrap();
        let due = at(10) + Millis::minutes(6);
        let fresh = read(due).await;
        assert_eq!(fresh.freshness[0].late_since, None);
        assert_eq!((fresh.freshness[0].promised_ms, fresh.freshness[0].last_complete), (360_000, Some(at(10))));
        assert_eq!((fresh.last_pass, fresh.next_pass), (Some(pass(at(10)).finished), Some(at(15))));
        let late = read(due + Millis(1)).await;
        assert_eq!(late.freshness[0].late_since, Some(due));
        assert_eq!(world.store.summary(Scope::All, due).await.unwrap().late, 0);
        put(&world, &failing(15, "connection refused")).await;
        let late = read(at(30)).await;
        assert_eq!(late.freshness[0].late_reason.as_deref(), Some("connection refused"));
        let summary = world.store.summary(Scope::All, at(30)).await.unwrap();
        assert_eq!((summary.late, summary.promised_ms), (1, Some(360_000)));
        // A pass that can name all that it did not see is complete for sightings; it is as late.
        put(&world, &PassRow { reason: Some("503".to_owned()), ..naming(20, &["1.0.0"]) }).await;
        let late = read(at(30)).await;
        assert_eq!((late.freshness[0].late_since, late.freshness[0].late_reason.as_deref()), (Some(due), Some("503")));
        assert_eq!(world.store.watched(world.registry).await.unwrap()[0].passes[0].complete_started, Some(at(10)));
        put(&world, &pass(at(31))).await;
        assert_eq!(read(at(32)).await.freshness[0].late_since, None);
    }
}

db_test! {
    async fn the_longest_promise_for_a_release_is_told_however_many_longer_ones_are_for_none(world: World) {
        world.create("1.0.0", "a").await;
        put(&world, &pass(at(10))).await;
        let told = async || world.store.summary(Scope::All, at(12)).await.unwrap().promised_ms;
        assert_eq!(told().await, Some(360_000));
        let longer = PassRow { promised: Millis::days(1), ..pass(at(10)) };
        for number in 0..12 {
            let added = world.store.watch(world.registry, &repository(&format!("empty-{number}")), &person(), START).await;
            let Added::New(id) = added.unwrap() else { panic!("it was watched already") };
            world.store.put_pass(id, world.lease, &longer, None).await.unwrap();
        }
        assert_eq!(told().await, Some(360_000), "no release is in the others");
        put(&world, &PassRow { promised: Millis::days(2), ..pass(at(11)) }).await;
        assert_eq!(told().await, Some(172_800_000));
    }
}

db_test! {
    async fn the_newest_complete_proof_of_a_band_is_shown_with_what_is_promised(world: World) {
        world.create("1.0.0", "a").await;
        let read = async || world.store.repository(Scope::All, &name(), at(600)).await.unwrap().unwrap().freshness.remove(0);
        let day = Millis::days(1).0.unsigned_abs();
        assert_eq!((read().await.last_proof, read().await.proof_promised_ms), (None, day));
        let proof = |minutes| PassRow { proof: true, ..pass(at(minutes)) };
        put(&world, &pass(at(5))).await;
        assert_eq!(read().await.last_proof, None, "HEADs prove nothing");
        put(&world, &proof(10)).await;
        // Later passes, proofs that saw less than was promised and those of another band do not hide it.
        put(&world, &PassRow { band: Band::Cold, ..proof(11) }).await;
        put(&world, &PassRow { complete: false, reason: Some("503".to_owned()), ..proof(15) }).await;
        put(&world, &PassRow { proof: true, reason: Some("503".to_owned()), ..naming(20, &["1.0.0"]) }).await;
        for minutes in 5..30 {
            put(&world, &PassRow { proof_promised: Millis::days(3), ..pass(at(5 * minutes)) }).await;
        }
        assert_eq!((read().await.last_proof, read().await.proof_promised_ms), (Some(at(10)), 3 * day));
        put(&world, &proof(200)).await;
        assert_eq!((read().await.last_proof, read().await.proof_promised_ms), (Some(at(200)), day));
    }
}

db_test! {
    async fn a_repository_that_never_was_read_says_how_far_it_is(world: World) {
        let unread = |tag| write_of(tag, TagRecord::unread(Band::Warm, Listed { not_before: None }), Vec::new());
        world.try_commit(vec![unread("1.0.0"), unread("1.1.0"), unread("1.2.0")]).await.unwrap();
        world.create("2.0.0", "a").await;
        let read = async |now| world.store.repository(Scope::All, &name(), now).await.unwrap().unwrap();
        let repository = read(at(600)).await;
        assert_eq!(repository.progress, Some(Progress { read: 1, found: 4 }));
        assert_eq!((repository.tags, repository.releases), (1, 1));
        let bands = repository.freshness.iter().map(|band| (band.band, band.tags, band.late_since)).collect::<Vec<_>>();
        assert_eq!(bands, [(Band::Hot, 1, None), (Band::Warm, 3, None)]);
        let state = RepositoryRow { state: RepositoryState::Ok, reason: None, since: at(9), refused_since: None };
        let write = RepositoryWrite { repository: world.repository, lease: world.lease, now: at(9), state, event: None, invisible: None };
        world.store.put_repository(&write).await.unwrap();
        assert_eq!(read(at(600)).await.progress, None);
        let changes = world.store.changes(Scope::All, 0, 100).await.unwrap().unwrap();
        assert_eq!(changes.last().unwrap().kind, ChangeKind::Repository);
    }
}

db_test! {
    async fn tags_that_nobody_could_read_are_told_when_they_change(world: World) {
        let unread = |count: u64, reason: &str| Some(Unread { count, reason: reason.to_owned() });
        let read = async || world.store.repository(Scope::All, &name(), at(60)).await.unwrap().unwrap().unread;
        let notices = async || world.store.newest_change().await.unwrap();
        put(&world, &pass(at(1))).await;
        assert_eq!(read().await, None);
        let before = notices().await;
        let three = PassRow { unread: unread(3, "schema 1"), ..pass(at(6)) };
        put(&world, &three).await;
        assert_eq!(read().await, unread(3, "schema 1"));
        assert!(kept(&world).await.contains(&three), "a pass is read as it was written");
        put(&world, &PassRow { unread: unread(3, "schema 1"), ..pass(at(11)) }).await;
        assert_eq!(notices().await - before, 1, "said once");
        // Several bands together; the newest pass of each counts.
        put(&world, &PassRow { band: Band::Cold, unread: unread(1, "404"), ..pass(at(12)) }).await;
        assert_eq!(read().await, unread(4, "schema 1"));
        put(&world, &pass(at(16))).await;
        assert_eq!(read().await, unread(1, "404"));
        assert_eq!(notices().await - before, 3);
    }
}

db_test! {
    async fn bands_do_not_see_each_others_passes(world: World) {
        world.create("1.0.0", "a").await;
        let mut cold = present("a", 0);
        cold.band = Band::Cold;
        world.write(write_of("0.1.0", cold, Vec::new())).await;
        put(&world, &PassRow { band: Band::Cold, next: at(1440), ..pass(at(1)) }).await;
        put(&world, &pass(at(7))).await;
        put(&world, &failing(12, "503")).await;
        let summaries = world.store.watched(world.registry).await.unwrap().remove(0).passes;
        let mut summaries = summaries.iter().map(|pass| (pass.band, pass.started, pass.next, pass.complete_started)).collect::<Vec<_>>();
        summaries.sort();
        assert_eq!(summaries, [(Band::Hot, at(12), at(17), Some(at(7))), (Band::Cold, at(1), at(1440), Some(at(1)))]);
        assert_eq!(world.tag("1.0.0").await.last_seen, Some(at(7)));
        assert_eq!(world.tag("0.1.0").await.last_seen, Some(at(1)));
    }
}
