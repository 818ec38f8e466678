//! Lanes and tiles of the timeline.

use std::collections::BTreeMap;

use futures::future::join_all;
use tagwarden::store::Scope;
use tagwarden::store::read::Position;
use tagwarden::store::read::timeline::tile::TileAt;
use tagwarden::store::read::timeline::{LaneFilter, LanesOf, Versions};
use tagwarden::store::record::{Commit, RepositoryRow, RepositoryWrite, TagWrite};
use tagwarden_model::api::{
    Acknowledge, Close, Event, Lane, LaneKind, RepositoryState, TILE_BRIEF, TILE_BUCKETS, Tile, TileLane, TimelineHead,
};
use tagwarden_model::class::Ruling;
use tagwarden_model::event::{EventKind, NewEvent};
use tagwarden_model::flag::Resolution;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::tag::{Class, TagState};
use tagwarden_model::version::{Version, track_key};

use crate::db_test;
use crate::world::{World, claimed, digest, event, name, person, present, repository, write_of};

fn all() -> LaneFilter {
    LaneFilter::default()
}

async fn page(
    world: &World,
    filter: &LaneFilter,
    after: Option<&Position>,
    limit: u32,
) -> (TimelineHead, Option<Position>) {
    world.store.lanes(Scope::All, filter, after, limit).await.unwrap().unwrap()
}

async fn lanes(world: &World, filter: LaneFilter) -> Vec<Lane> {
    let (head, next) = page(world, &filter, None, 40).await;
    assert!(next.is_none() && head.total == head.lanes.len() as u64);
    head.lanes
}

async fn names(world: &World, filter: LaneFilter) -> Vec<String> {
    lanes(world, filter).await.into_iter().map(|lane| format!("{} {}", lane.kind, lane.name)).collect()
}

fn number(level: u8, at: Instant) -> i64 {
    (at.0 >> level).div_euclid(TILE_BUCKETS)
}

async fn tile_of(world: &World, lanes: &[Lane], level: u8, number: i64) -> Tile {
    let ids: Vec<i64> = lanes.iter().map(|lane| lane.id.parse().unwrap()).collect();
    world.store.tile(Scope::All, TileAt::new(level, number).unwrap(), &ids).await.unwrap()
}

db_test! {
    async fn lanes_stand_in_their_order_and_are_filtered(world: World) {
        let other = write_of("7.0.0", present("z", 0), vec![event(EventKind::Created, None, Some("z"), world.tick())]);
        for tag in ["edge", "stable", "latest", "2.1.0", "1.9.1", "1.10.0", "1.9.0", "1.9.0-alpine", "20240501", "buildcache"] {
            world.create(tag, tag).await;
        }
        let rebuilt = TagWrite { ruling: Ruling::new(Class::Rebuilt, "test"), ..world.created("22.04", "u") };
        world.write(rebuilt).await;
        let ignored = TagWrite { ruling: Ruling::new(Class::Ignored, "test"), ..world.created("sha256-aa.sig", "s") };
        world.write(ignored).await;
        world.to("1.9.1", "1.9.1", "bad", 5).await;
        let second = repository("a/first");
        let added = world.store.watch(world.registry, &second, &person(), world.tick()).await.unwrap();
        let tagwarden::store::watch::Added::New(second_id) = added else { panic!("new") };
        world.store.commit(&Commit { repository: second_id, ..world.commit_of(vec![other]) }).await.unwrap();

        let tracks = ["track 2.1", "track 1.10", "track 1.9", "track ", "track 1.9-alpine"];
        let others = ["tag latest", "tag stable", "tag buildcache", "tag edge", "tag 22.04"];
        let expected: Vec<&str> = tracks.into_iter().chain(others).collect();
        let one = || LaneFilter { of: LanesOf::Repository(name()), ..all() };
        assert_eq!(names(&world, one()).await, expected);
        let everything: Vec<&str> = ["track 7.0"].into_iter().chain(expected.clone()).collect();
        assert_eq!(names(&world, all()).await, everything, "a/first stands before team/api");
        let families = names(&world, LaneFilter { by: Some(LaneKind::Family), ..one() }).await;
        assert_eq!(families[..3], ["family ", "family alpine", "tag latest"]);
        let of_family = |family: &str| LaneFilter { family: Some(family.to_owned()), ..one() };
        assert_eq!(names(&world, of_family("")).await, tracks[..4]);
        assert_eq!(names(&world, of_family("alpine")).await, tracks[4..]);
        assert!(names(&world, of_family("none")).await.is_empty());
        for (class, from, to) in [(Class::Release, 0, 5), (Class::Rolling, 5, 9), (Class::Rebuilt, 9, 10)] {
            assert_eq!(names(&world, LaneFilter { class: Some(class), ..one() }).await, expected[from..to], "{class}");
        }
        let between = |from: Option<&str>, to: Option<&str>| {
            let key = |track: Option<&str>| track.map(|track| track_key(track).unwrap());
            LaneFilter { versions: Some(Versions { from: key(from), to: key(to) }), ..one() }
        };
        assert_eq!(names(&world, between(Some("1.10"), Some("2.1"))).await, tracks[..2]);
        assert_eq!(names(&world, between(None, Some("1.9"))).await, [tracks[2], tracks[4]]);
        assert_eq!(names(&world, between(Some("2.1"), None)).await, tracks[..1]);
        let contains = |text: &str| LaneFilter { contains: Some(text.to_owned()), ..all() };
        assert_eq!(names(&world, contains("ALPINE")).await, tracks[4..]);
        assert_eq!(names(&world, contains("A/First")).await, ["track 7.0"]);
        assert!(names(&world, contains("%")).await.is_empty());
        assert_eq!(names(&world, LaneFilter { flagged: true, ..all() }).await, ["track 1.9"]);
        let by_family = LaneFilter { flagged: true, by: Some(LaneKind::Family), ..all() };
        assert_eq!(lanes(&world, by_family).await.iter().map(|lane| lane.flags).collect::<Vec<_>>(), [1]);
        assert!(world.store.lanes(Scope::All, &LaneFilter { of: LanesOf::Repository(repository("never")), ..all() }, None, 9)
            .await.unwrap().is_none());
        assert!(names(&world, LaneFilter { of: LanesOf::Group("none".to_owned()), ..all() }).await.is_empty());

        // Pages give every lane once, and the rest of the head.
        let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let (head, next) = page(&world, &all(), after.as_ref(), 3).await;
            assert_eq!(head.total, 11);
            assert_eq!(head.activity.count.iter().sum::<u64>(), 13, "the whole is told on each page");
            found.extend(head.lanes.iter().map(|lane| format!("{} {}", lane.kind, lane.name)));
            (after, pages) = (next, pages + 1);
            if after.is_none() {
                break;
            }
        }
        assert_eq!((found, pages), (everything.into_iter().map(str::to_owned).collect(), 4));
        let (head, _) = page(&world, &one(), None, 40).await;
        let api = &head.repositories[..];
        assert_eq!((api.len(), api[0].repository.as_str(), api[0].since), (1, "registry.example/team/api", crate::world::START));
        assert_eq!(head.activity.count.iter().sum::<u64>(), 12, "without the ignored one");
        world.assert_projections().await;
    }
}

db_test! {
    async fn a_repository_of_many_tracks_shows_families(world: World) {
        for minor in 0..=20 {
            if minor == 20 {
                assert_eq!(names(&world, all()).await.len(), 20, "tracks");
            }
            world.create(&format!("1.{minor}.0"), "a").await;
            world.create(&format!("1.{minor}.1"), "a").await;
        }
        assert_eq!(names(&world, all()).await, ["family "]);
        assert_eq!(names(&world, LaneFilter { by: Some(LaneKind::Track), ..all() }).await.len(), 21);
        world.assert_projections().await;
    }
}

db_test! {
    async fn a_tag_of_another_class_keeps_its_lane_until_it_is_ignored(world: World) {
        let (seq, _) = world.create("edge", "a").await;
        let of = |class| TagWrite { ruling: Ruling::new(class, "test"), ..write_of("edge", present("a", seq), Vec::new()) };
        for (class, expected) in [(Class::Rebuilt, 1), (Class::Release, 1), (Class::Ignored, 0), (Class::Rolling, 1)] {
            world.write(of(class)).await;
            assert_eq!(lanes(&world, all()).await.len(), expected, "{class}");
            assert_eq!(lanes(&world, LaneFilter { class: Some(class), ..all() }).await.len(), expected, "{class}");
            world.assert_projections().await;
        }
    }
}

db_test! {
    async fn a_release_that_rolls_from_now_on_has_a_lane_and_takes_its_flag_along(world: World) {
        let (seq, _) = world.create("1.0.0", "a").await;
        world.create("1.0.1", "a").await;
        let created = world.now();
        let (seq, _) = world.to("1.0.0", "a", "b", seq).await;
        let by = |kind| LaneFilter { by: Some(kind), flagged: true, ..all() };
        assert_eq!(names(&world, by(LaneKind::Track)).await, ["track 1.0"]);
        assert_eq!(names(&world, by(LaneKind::Family)).await, ["family "]);
        let of = |class| TagWrite { ruling: Ruling::new(class, "test"), ..write_of("1.0.0", present("b", seq), Vec::new()) };
        for class in [Class::Rolling, Class::Release, Class::Rebuilt] {
            world.write(of(class)).await;
            let tag = class != Class::Release;
            for (kind, releases) in [(LaneKind::Track, "track 1.0"), (LaneKind::Family, "family ")] {
                assert_eq!(names(&world, by(kind)).await, [if tag { "tag 1.0.0" } else { releases }], "{class}");
                let found = lanes(&world, LaneFilter { by: Some(kind), ..all() }).await;
                let flags: Vec<_> = found.iter().map(|lane| (lane.events, lane.flags)).collect();
                assert_eq!(flags, if tag { vec![(3, 0), (0, 1)] } else { vec![(3, 1)] }, "{class} {kind}");
            }
            world.assert_projections().await;
        }
        let found = lanes(&world, LaneFilter { class: Some(Class::Rebuilt), ..all() }).await;
        assert_eq!((found[0].first, found[0].last), (created - Millis::minutes(1), created - Millis::minutes(1)));
        let tile = tile_of(&world, &found, 4, number(4, world.now() + Millis::minutes(1))).await;
        assert_eq!(tile.digests[tile.lanes[0].entering.unwrap() as usize].digest, digest("b"), "what it names is drawn");
        // Its lane has no event of it: in the tile in which it began, it begins where it did.
        let since = world.now();
        let began = async |lanes: &[Lane], level: u8| {
            let tile = tile_of(&world, lanes, level, number(level, since)).await;
            tile.lanes[0].entering.map(|place| (tile.digests[place as usize].digest.clone(), tile.lanes[0].entering_since_ms.unwrap()))
        };
        for level in [4, 20, 28, 40] {
            assert_eq!(began(&found, level).await, Some((digest("b"), since.0)), "{level}");
        }
        let moved = event(EventKind::Moved, Some("b"), Some("c"), world.tick());
        world.write(TagWrite { ruling: Ruling::new(Class::Rebuilt, "test"), ..write_of("1.0.0", present("c", seq), vec![moved]) }).await;
        let found = lanes(&world, LaneFilter { class: Some(Class::Rebuilt), ..all() }).await;
        assert_eq!((found[0].events, found[0].first), (1, world.now()));
        for level in [4, 20, 28, 40] {
            assert_eq!(began(&found, level).await, Some((digest("b"), since.0)), "until it moves: {level}");
        }
        world.assert_projections().await;
    }
}

db_test! {
    async fn two_spellings_of_a_track_are_two_lanes_on_any_pages(world: World) {
        for tag in ["26.04.1", "26.4.1", "26.3.1"] {
            world.create(tag, tag).await;
        }
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (head, next) = page(&world, &all(), after.as_ref(), 1).await;
            found.extend(head.lanes.into_iter().map(|lane| lane.name));
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, ["26.04", "26.4", "26.3"]);
        world.assert_projections().await;
    }
}

db_test! {
    async fn a_lane_counts_what_it_has(world: World) {
        let at = world.tick();
        let stood = NewEvent { baseline: true, not_before: None, ..event(EventKind::Created, None, Some("a"), at) };
        world.write(write_of("1.0.0", present("a", 0), vec![stood.clone()])).await;
        world.write(write_of("latest", present("a", 0), vec![stood])).await;
        world.create("1.0.1", "b").await;
        let found = lanes(&world, all()).await;
        let [track, latest] = &found[..] else { panic!("{found:?}") };
        assert_eq!((track.events, track.baseline, track.first, track.last), (2, 1, at, world.now()));
        assert_eq!((latest.events, latest.baseline, latest.class), (1, 0, Class::Rolling));
        let tile = tile_of(&world, &found, 28, number(28, at)).await;
        for level in [28, 30] {
            let TileLane { count, baseline, .. } = &tile_of(&world, &found, level, number(level, at)).await.lanes[0];
            assert_eq!((count.as_slice(), baseline.as_slice()), (&[2][..], &[1][..]), "at level {level}");
        }
        assert_eq!(tile.lanes[1].baseline, [1]);
        assert_eq!(tile.lanes[1].not_before_ms, tile.lanes[1].at_ms, "nothing is known");
        assert_eq!(tile.digests[tile.lanes[1].digest[0] as usize].release.as_deref(), Some("1.0.0"));
    }
}

db_test! {
    async fn what_a_tag_names_when_the_tile_begins(world: World) {
        let (seq, _) = world.create("latest", "a").await;
        let created = world.now();
        world.pass(Millis::days(10));
        let (seq, _) = world.to("latest", "a", "b", seq).await;
        let moved = world.now();
        world.pass(Millis::days(10));
        world.delete("latest", "b", seq).await;
        let deleted = world.now();
        let found = lanes(&world, all()).await;
        let entering = async |at: Instant| {
            // Buckets of 16 ms: the tile of an instant begins at most four seconds before it.
            let tile = tile_of(&world, &found, 4, number(4, at)).await;
            let lane = &tile.lanes[0];
            lane.entering.map(|place| (tile.digests[place as usize].digest.clone(), lane.entering_since_ms.unwrap()))
        };
        let second = Millis::minutes(1);
        assert_eq!(entering(created).await, None);
        assert_eq!(entering(created + second).await, Some((digest("a"), created.0)));
        assert_eq!(entering(moved).await, Some((digest("a"), created.0)), "the mark itself is in the tile");
        assert_eq!(entering(moved + second).await, Some((digest("b"), moved.0)));
        assert_eq!(entering(deleted).await, Some((digest("b"), moved.0)));
        assert_eq!(entering(deleted + second).await, None);
    }
}

db_test! {
    async fn breaches_stand_at_every_level(world: World) {
        let (seq, _) = world.create("1.0.0", "a").await;
        let first = world.now();
        world.pass(Millis::days(30));
        let (seq, _) = world.to("1.0.0", "a", "b", seq).await;
        let broken = world.now();
        world.pass(Millis::days(1));
        world.to("1.0.0", "b", "a", seq).await;
        let mended = world.now();
        // What else happens in the same buckets does not hide it.
        for patch in 1..50 {
            world.create(&format!("1.0.{patch}"), "c").await;
        }
        let family = lanes(&world, LaneFilter { by: Some(LaneKind::Family), ..all() }).await;
        let both: Vec<Lane> = lanes(&world, all()).await.into_iter().chain(family).collect();
        for level in 4..=40 {
            for (at, kind, restored) in [(broken, "b", false), (mended, "a", true)] {
                let tile = tile_of(&world, &both, level, number(level, at)).await;
                let of_it: Vec<_> = tile.breaches.iter().filter(|breach| breach.at_ms == at.0).collect();
                assert_eq!(of_it.iter().map(|breach| breach.lane).collect::<Vec<_>>(), [1, 0], "level {level}: on both");
                let breach = of_it[0];
                assert_eq!((breach.restored, breach.active, breach.flag), (restored, true, Some(1)));
                assert_eq!((breach.first_ms, breach.kind, tile.tags[breach.tag as usize].as_str()), (first.0, EventKind::Moved, "1.0.0"));
                assert_eq!(tile.digests[breach.new_digest.unwrap() as usize].digest, digest(kind));
                assert_eq!(breach.not_before_ms, at.0 - 30_000);
            }
        }
        let act = Close { version: 2, reason: "seen".to_owned(), resolution: Resolution::Reviewed };
        world.store.close(1, &act, &person(), world.tick()).await.unwrap().unwrap();
        let tile = tile_of(&world, &both[..1], 28, number(28, broken)).await;
        assert!(!tile.breaches.is_empty() && tile.breaches.iter().all(|breach| !breach.active));
        let none = Acknowledge { version: 3, reason: "late".to_owned(), until: None };
        assert!(world.store.acknowledge(1, &none, &person(), world.tick()).await.is_err());
    }
}

db_test! {
    async fn the_newest_breaches_are_kept(world: World) {
        let (mut seq, _) = world.create("1.0.0", "a").await;
        world.create("2.0.0", "a").await;
        for at in 0..1_010 {
            let (from, to) = if at % 2 == 0 { ("a", "b") } else { ("b", "a") };
            (seq, _) = world.to("1.0.0", from, to, seq).await;
        }
        let found = lanes(&world, LaneFilter { by: Some(LaneKind::Track), ..all() }).await;
        assert_eq!(found[1].name, "1.0");
        let tile = tile_of(&world, &found[1..], 40, number(40, world.now())).await;
        assert_eq!((tile.breaches.len(), tile.breaches.last().unwrap().seq), (1000, seq));
        assert!(tile.breaches.is_sorted_by_key(|breach| breach.seq));
        let other = tile_of(&world, &found[..1], 40, number(40, world.now())).await;
        assert!(other.breaches.is_empty(), "of another lane");
        let family = lanes(&world, LaneFilter { by: Some(LaneKind::Family), ..all() }).await;
        let both: Vec<Lane> = found.into_iter().chain(family).collect();
        let tile = tile_of(&world, &both, 40, number(40, world.now())).await;
        assert_eq!((tile.breaches.len(), tile.breaches.last().unwrap().seq), (1000, seq), "on two lanes");
    }
}

db_test! {
    async fn the_first_release_of_a_digest_is_known_after_a_retraction_too(world: World) {
        let unproven = NewEvent { verified: false, ..event(EventKind::Created, None, Some("x"), world.tick()) };
        let (seq, _) = world.write(write_of("1.0.0", claimed("x", 0, TagState::Unread), vec![unproven])).await;
        world.create("1.0.1", "x").await;
        world.create("latest", "x").await;
        let release = async || {
            let latest = lanes(&world, LaneFilter { class: Some(Class::Rolling), ..all() }).await;
            let tile = tile_of(&world, &latest, 28, number(28, world.now())).await;
            tile.digests[tile.lanes[0].digest[0] as usize].release.clone()
        };
        assert_eq!(release().await.as_deref(), Some("1.0.0"));
        let retracted = event(EventKind::Retracted, Some("x"), None, world.tick());
        let created = event(EventKind::Created, None, Some("y"), world.now());
        world.write(write_of("1.0.0", present("y", seq), vec![retracted, created])).await;
        assert_eq!(release().await.as_deref(), Some("1.0.1"));
        world.assert_projections().await;
    }
}

db_test! {
    async fn of_many_digests_those_that_are_releases_are_told_as_such(world: World) {
        world.tick();
        let releases = (0..400).map(|number| world.created(&format!("1.{number}.0"), &format!("release {number}")));
        world.try_commit(releases.collect()).await.unwrap();
        // A release, something else, a release that came long after the one before.
        let named = |at: u32| if at.is_multiple_of(2) { format!("release {}", at / 2 * 7 % 400) } else { format!("other {at}") };
        let (seq, _) = world.create("latest", &named(0)).await;
        let moves = (1..360).map(|at| event(EventKind::Moved, Some(&named(at - 1)), Some(&named(at)), world.tick()));
        world.write(write_of("latest", present(&named(359), seq), moves.collect())).await;

        let latest = lanes(&world, LaneFilter { class: Some(Class::Rolling), ..all() }).await;
        let level = 15;
        let (mut told, mut most) = (Vec::new(), 0);
        for tile in number(level, world.now() - Millis::minutes(360))..=number(level, world.now()) {
            let tile = tile_of(&world, &latest, level, tile).await;
            most = most.max(tile.digests.len());
            let digests = tile.lanes[0].digest.iter().map(|place| tile.digests[*place as usize].clone());
            told.extend(digests.map(|told| (told.digest, told.release)));
        }
        assert!(most > 100, "{most} digests of a tile are looked up one by one");
        // With a second connection as without one.
        let tile = number(level, world.now() - Millis::minutes(180));
        let tiles = join_all((0..8).map(|_| tile_of(&world, &latest, level, tile))).await;
        assert!(tiles.iter().all(|tile| *tile == tiles[0] && !tile.digests.is_empty()), "{tiles:?}");
        let release = |at: u32| (at.is_multiple_of(2)).then(|| format!("1.{}.0", at / 2 * 7 % 400));
        assert_eq!(told, (0..360).map(|at| (digest(&named(at)), release(at))).collect::<Vec<_>>());
    }
}

/// What a tile must say of a lane, from its events alone.
fn expected(
    events: &[(Lane, Event)],
    lane: &Lane,
    level: u8,
    number: i64,
) -> Vec<(i64, i64, i64, i64, u32, EventKind)> {
    let mut buckets = BTreeMap::<i64, Vec<&Event>>::new();
    for (_, event) in events.iter().filter(|(of, _)| of.id == lane.id) {
        let bucket = event.at.0 >> level;
        if bucket.div_euclid(TILE_BUCKETS) == number {
            buckets.entry(bucket).or_default().push(event);
        }
    }
    let mark = |events: Vec<&Event>| {
        let last = events.iter().max_by_key(|event| (event.at, event.seq)).unwrap();
        let first = events.iter().map(|event| event.at.0).min().unwrap();
        (first, last.at.0, last.not_before.unwrap_or(last.at).0, last.seq, events.len() as u32, last.kind)
    };
    buckets.into_values().map(mark).collect()
}

fn marks(lane: &TileLane) -> Vec<(i64, i64, i64, i64, u32, EventKind)> {
    let mark = |at: usize| {
        let kind = EventKind::from_code(lane.kind[at].into()).unwrap();
        (lane.first_ms[at], lane.at_ms[at], lane.not_before_ms[at], lane.seq[at], lane.count[at], kind)
    };
    (0..lane.at_ms.len()).map(mark).collect()
}

db_test! {
    async fn every_tile_of_a_random_history_is_what_its_events_say(world: World) {
        let mut random = 99_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let mut last = BTreeMap::<&str, (i64, Option<String>)>::new();
        for _ in 0..300 {
            // Bursts, quiet months, and some that are placed earlier than what was recorded before them.
            let pause = [1, 40, 900, 70_000, 5_000_000, 900_000_000, 3_000_000_000][next(7) as usize];
            world.pass(Millis(next(pause) as i64));
            let at = world.now() - Millis(if next(4) == 0 { next(200_000) as i64 } else { 0 });
            let tag = ["1.0.0", "1.0.1", "1.1.0", "1.0.0-slim", "latest", "edge"][next(6) as usize];
            let contents = format!("c{}", next(5));
            let (seq, state) = last.get(tag).cloned().unwrap_or((0, None));
            let (event, record, state) = match &state {
                None => {
                    let kind = if seq == 0 { EventKind::Created } else { EventKind::Recreated };
                    (event(kind, None, Some(&contents), at), present(&contents, seq), Some(contents))
                }
                Some(now) if next(5) == 0 => {
                    let record = tagwarden_model::tag::TagRecord { state: TagState::Absent, claimed: None, ..present(now, seq) };
                    (event(EventKind::Deleted, Some(now), None, at), record, None)
                }
                Some(now) if *now == contents => continue,
                Some(now) => (event(EventKind::Moved, Some(now), Some(&contents), at), present(&contents, seq), Some(contents)),
            };
            let (seq, _) = world.write(write_of(tag, record, vec![event])).await;
            last.insert(tag, (seq, state));
        }
        let tracks = lanes(&world, all()).await;
        let families = lanes(&world, LaneFilter { by: Some(LaneKind::Family), class: Some(Class::Release), ..all() }).await;
        let both: Vec<Lane> = tracks.into_iter().chain(families).collect();
        assert_eq!(both.len(), 7, "three tracks, two tags, two families");
        let mut events = Vec::new();
        for event in world.events().await {
            let tag = event.tag.as_deref().unwrap();
            let version = Version::of(tag);
            let track = version.track.unwrap_or_default();
            for lane in &both {
                let name = match lane.kind {
                    LaneKind::Family => &version.family,
                    LaneKind::Track => &track,
                    LaneKind::Tag => tag,
                };
                let release = event.class == Some(Class::Release);
                if lane.name == *name && release == (lane.kind != LaneKind::Tag) {
                    events.push((lane.clone(), event.clone()));
                }
            }
        }
        let mut briefs = 0;
        for level in 4..=40 {
            let mut numbers: Vec<i64> = events.iter().map(|(_, event)| number(level, event.at)).collect();
            numbers.sort_unstable();
            numbers.dedup();
            // At fine levels every event has a tile of its own: some of them.
            let step = numbers.len().div_ceil(12);
            for tile_number in numbers.into_iter().step_by(step) {
                let tile = tile_of(&world, &both, level, tile_number).await;
                for (lane, found) in both.iter().zip(&tile.lanes) {
                    assert_eq!(marks(found), expected(&events, lane, level, tile_number), "{level} {tile_number} {}", lane.name);
                    for at in 0..found.seq.len() {
                        let event = &events.iter().find(|(_, event)| event.seq == found.seq[at]).unwrap().1;
                        assert_eq!(Some(&tile.tags[found.tag[at] as usize]), event.tag.as_ref());
                        let bucket = 1 << level;
                        let ends = found.first_ms.get(at + 1).is_some_and(|next| next - found.at_ms[at] < bucket);
                        let many = found.count[at] > 1 || at > 0 && found.first_ms[at] - found.at_ms[at - 1] < bucket;
                        if lane.kind == LaneKind::Tag && many && ends && event.new_digest.is_some() {
                            assert_eq!(found.digest[at], TILE_BRIEF, "nobody could see it");
                            briefs += 1;
                            continue;
                        }
                        let named = usize::try_from(found.digest[at]).ok().map(|place| &tile.digests[place].digest);
                        assert_eq!(named, event.new_digest.as_ref());
                    }
                }
            }
        }
        assert!(briefs > 20, "{briefs}");
        world.assert_projections().await;
    }
}

db_test! {
    async fn a_lane_that_is_not_there_is_empty(world: World) {
        world.create("latest", "a").await;
        let mut found = lanes(&world, all()).await;
        "4711".clone_into(&mut found[0].id);
        let tile = tile_of(&world, &found, 28, number(28, world.now())).await;
        assert_eq!((tile.lanes, tile.seq), (vec![TileLane::default()], 1));
        // The lane that counts the whole repository is none that is drawn.
        let ids = world.texts("SELECT CAST(id AS TEXT) FROM lanes WHERE kind = 0".to_owned()).await;
        found[0].id.clone_from(&ids[0]);
        let tile = tile_of(&world, &found, 28, number(28, world.now())).await;
        assert_eq!(tile.lanes, [TileLane::default()]);
        for (level, number) in [(3, 0), (41, 0), (40, i64::MAX), (4, i64::MIN), (40, i64::MAX / 256)] {
            assert_eq!(TileAt::new(level, number), None);
        }
    }
}

db_test! {
    async fn hints_of_what_stood_before_are_in_their_tiles(world: World) {
        let seen = world.tick();
        let stood = |tag: &str| {
            let stood = NewEvent { baseline: true, not_before: None, ..event(EventKind::Created, None, Some(tag), seen) };
            write_of(tag, present(tag, 0), vec![stood])
        };
        let tags: Vec<String> = (0..201).map(|patch| format!("1.{}.{patch}", patch % 2)).collect();
        world.try_commit(tags.iter().map(|tag| stood(tag)).chain([stood("latest")]).collect()).await.unwrap();
        world.create("9.0.0", "new").await;
        let progress = async || {
            let head = page(&world, &all(), None, 40).await.0;
            (head.repositories[0].hints, head.repositories[0].hints_to_come)
        };
        assert_eq!(progress().await, (0, 200), "of releases from before the watch");
        let waiting = world.store.without_hint(world.repository, 3).await.unwrap();
        let expected = ["1.1.199", "1.1.197", "1.1.195"].map(|tag| Some(digest(tag)));
        assert_eq!(waiting.iter().map(|stood| stood.digest.clone()).collect::<Vec<_>>(), expected, "newest version first");
        assert!(waiting.iter().all(|stood| stood.first_seen == Some(seen)));
        let created = seen - Millis::days(400);
        let known = [Some(created), None, Some(created + Millis::days(100))];
        let hints: Vec<_> = waiting.into_iter().zip(known).collect();
        world.store.put_hints(world.repository, &hints, world.now()).await.unwrap();
        assert_eq!(progress().await, (2, 197));
        assert_eq!(page(&world, &all(), None, 40).await.0.repositories[0].hints_from, Some(created));
        let mut rest = world.store.without_hint(world.repository, 500).await.unwrap();
        assert_eq!((rest.len(), rest.remove(0).digest), (197, Some(digest("1.1.193"))));

        let tracks = lanes(&world, LaneFilter { class: Some(Class::Release), ..all() }).await;
        let family = lanes(&world, LaneFilter { by: Some(LaneKind::Family), class: Some(Class::Release), ..all() }).await;
        let both: Vec<Lane> = tracks.into_iter().chain(family).collect();
        for level in 4..=40 {
            let tile = tile_of(&world, &both, level, number(level, created)).await;
            let of_it: Vec<_> = tile.hints.iter().filter(|hint| hint.created_ms == created.0).collect();
            assert_eq!(of_it.iter().map(|hint| both[hint.lane as usize].name.as_str()).collect::<Vec<_>>(), ["", "1.1"], "{level}");
            let hint = of_it[0];
            assert_eq!((tile.tags[hint.tag as usize].as_str(), &tile.digests[hint.digest as usize].digest), ("1.1.199", &digest("1.1.199")));
        }
        let other = tile_of(&world, &both[..1], 40, number(40, created)).await;
        assert_eq!((both[0].name.as_str(), other.hints.len()), ("9.0", 0), "of another lane");
        let whole = tile_of(&world, &both[1..2], 40, number(40, created)).await;
        assert!(whole.hints.len() == 2 && whole.hints.is_sorted_by_key(|hint| hint.created_ms));
    }
}

db_test! {
    async fn rolling_tags_stand_by_their_versions_the_newest_first(world: World) {
        for tag in ["1.7", "1.10", "1.9-alpine", "1.10-alpine", "latest", "1", "edge"] {
            world.create(tag, tag).await;
        }
        let rolling = names(&world, LaneFilter { class: Some(Class::Rolling), ..all() }).await;
        let expected = ["latest", "1.10", "1.7", "1", "1.10-alpine", "1.9-alpine", "edge"];
        assert_eq!(rolling, expected.map(|tag| format!("tag {tag}")));
        world.assert_projections().await;
    }
}

db_test! {
    async fn a_text_finds_lanes_by_what_is_shown_and_by_what_is_on_them(world: World) {
        for tag in ["2.3.0", "2.3.1-alpine", "2.4.0", "12.3.1", "20240501", "latest"] {
            world.create(tag, tag).await;
        }
        let found = async |text: &str, by: Option<LaneKind>| {
            names(&world, LaneFilter { contains: Some(text.to_owned()), by, ..all() }).await
        };
        for (text, expected) in [
            ("2.3.0", vec!["track 2.3"]),
            ("v2.3.9", vec!["track 2.3"]),
            ("2.3.X", vec!["track 12.3", "track 2.3", "track 2.3-alpine"]),
            ("2.3.1-alpine", vec!["track 2.3-alpine"]),
            (".x-alp", vec!["track 2.3-alpine"]),
            ("20240501", vec!["track "]),
            ("2.5.0", vec![]),
            ("latest", vec!["tag latest"]),
        ] {
            assert_eq!(found(text, None).await, expected, "{text}");
        }
        for (text, expected) in [
            ("2.4.7", vec!["family "]),
            ("2.3.1-alpine", vec!["family alpine"]),
            ("x.y.z-al", vec!["family alpine"]),
            ("20240501", vec!["family "]),
            ("2.3.x", vec!["family "]),
        ] {
            assert_eq!(found(text, Some(LaneKind::Family)).await, expected, "{text}");
        }
    }
}

db_test! {
    async fn tags_that_are_gone_can_be_left_out_or_looked_for(world: World) {
        world.create("1.0.0", "a").await;
        world.create("latest", "a").await;
        let (seq, _) = world.create("edge", "a").await;
        world.delete("edge", "a", seq).await;
        let of = async |present: bool| names(&world, LaneFilter { present: Some(present), ..all() }).await;
        assert_eq!((of(true).await, of(false).await), (vec!["track 1.0".to_owned(), "tag latest".to_owned()], vec!["tag edge".to_owned()]));
    }
}

db_test! {
    async fn what_has_no_room_on_a_page_is_gathered_by_family(world: World) {
        for minor in 0..20 {
            world.create(&format!("1.{minor}.0"), "a").await;
        }
        for tag in 0..20 {
            world.create(&format!("branch-{tag}"), "a").await;
        }
        assert_eq!(names(&world, all()).await.len(), 40, "tracks");
        world.create("latest", "a").await;
        let found = names(&world, all()).await;
        assert_eq!((found.len(), found[0].as_str()), (22, "family "));
        assert_eq!(page(&world, &LaneFilter { by: Some(LaneKind::Track), ..all() }, None, 40).await.0.total, 41);
        let filtered = names(&world, LaneFilter { class: Some(Class::Release), ..all() }).await;
        assert_eq!(filtered.len(), 20, "what is filtered has room as tracks");
    }
}

db_test! {
    async fn what_is_pinned_is_there_on_every_page_and_whatever_is_filtered(world: World) {
        for tag in ["a", "b", "c", "d", "e", "f"] {
            world.create(tag, "a").await;
        }
        let other = repository("b/other");
        world.store.watch(world.registry, &other, &person(), world.tick()).await.unwrap();
        let lanes = lanes(&world, all()).await;
        let id = |name: &str| lanes.iter().find(|lane| lane.name == name).unwrap().id.parse::<i64>().unwrap();
        let pinned = |names: &[&str]| LaneFilter { pinned: names.iter().map(|name| id(name)).chain([4711]).collect(), ..all() };
        let whole = async |filter: &LaneFilter| {
            let (mut pages, mut after) = (Vec::new(), None);
            loop {
                let (head, next) = page(&world, filter, after.as_ref(), 3).await;
                assert_eq!(head.total, 6);
                pages.push(head.lanes.into_iter().map(|lane| lane.name).collect::<Vec<_>>().concat());
                after = next;
                if after.is_none() {
                    break pages;
                }
            }
        };
        assert_eq!(whole(&all()).await, ["abc", "def"]);
        assert_eq!(whole(&pinned(&["b"])).await, ["abc", "bde", "bf"], "on its own page it stays where it is");
        assert_eq!(whole(&pinned(&["f"])).await, ["fab", "fcd", "ef"]);
        assert_eq!(whole(&pinned(&["f", "e", "d"])).await, ["fea", "feb", "fec", "def"], "one at least is new on a page");
        let filter = LaneFilter { contains: Some("c".to_owned()), ..pinned(&["f"]) };
        let (head, next) = page(&world, &filter, None, 40).await;
        assert_eq!((head.lanes.iter().map(|lane| lane.name.as_str()).collect::<String>(), head.total, next), ("cf".to_owned(), 2, None));
        let (head, _) = page(&world, &LaneFilter { of: LanesOf::Repository(other), ..pinned(&["a"]) }, None, 40).await;
        assert!(head.lanes.is_empty(), "of another repository");
    }
}

db_test! {
    async fn times_that_nobody_watched_are_told_newest_first(world: World) {
        let start = crate::world::START;
        let watched = async || page(&world, &LaneFilter { of: LanesOf::Repository(name()), ..all() }, None, 40).await.0.repositories.remove(0);
        assert_eq!((watched().await.since, watched().await.pauses), (start, vec![]));
        let paused = world.tick();
        world.store.pause(&name(), &person(), paused).await.unwrap();
        let pause = |from, until| tagwarden_model::api::Pause { from, until };
        assert_eq!(watched().await.pauses, [pause(paused, None)]);
        let resumed = world.tick();
        world.store.resume(&name(), &person(), resumed).await.unwrap();
        assert_eq!((watched().await.since, watched().await.pauses), (start, vec![pause(paused, Some(resumed))]));
        // Watched again at once: nothing is left out.
        let again = world.tick();
        world.store.unwatch(&name(), &person(), again).await.unwrap();
        world.store.watch(world.registry, &name(), &person(), again).await.unwrap();
        assert_eq!(watched().await.pauses, [pause(paused, Some(resumed))]);
        let ended = world.tick();
        world.store.unwatch(&name(), &person(), ended).await.unwrap();
        assert_eq!(watched().await.pauses, [pause(ended, None), pause(paused, Some(resumed))]);
    }
}

db_test! {
    async fn what_befalls_a_rebuilt_tag_and_its_repository_is_in_the_tile(world: World) {
        let rebuilt = |write: TagWrite| TagWrite { ruling: Ruling::new(Class::Rebuilt, "test"), ..write };
        world.create("latest", "a").await;
        let (seq, _) = world.write(rebuilt(world.created("22.04", "a"))).await;
        let moved = event(EventKind::Moved, Some("a"), Some("b"), world.tick());
        let (seq, _) = world.write(rebuilt(write_of("22.04", present("b", seq), vec![moved]))).await;
        let at = world.now();
        let breaches = async |class: Class| {
            let found = lanes(&world, LaneFilter { class: Some(class), ..all() }).await;
            tile_of(&world, &found, 28, number(28, at)).await.breaches
        };
        assert_eq!(breaches(Class::Rebuilt).await, [], "a refresh is no breach");
        world.execute(&format!(
            "INSERT INTO flags (id, kind, state, severity, content_severity, deletion_severity, comparing, flapping, repository_id, tag_id,
                not_after, opened, changed, version)
                SELECT 7, 1, 1, 3, 3, 1, 0, 0, repository_id, tag_id, at, at, at, 1 FROM events WHERE seq = {seq};
            INSERT INTO flag_events (flag_id, seq, repository_id, at, restored) SELECT 7, seq, repository_id, at, 0 FROM events WHERE seq = {seq};"
        )).await;
        let found = breaches(Class::Rebuilt).await;
        assert_eq!(found.iter().map(|breach| (breach.lane, breach.seq, breach.flag, breach.active)).collect::<Vec<_>>(), [(0, seq, Some(7), true)]);
        assert_eq!(breaches(Class::Rolling).await, []);

        let happened = async |state: RepositoryState, kind: EventKind| {
            let now = world.tick();
            let state = RepositoryRow { state, reason: None, since: now, refused_since: None };
            let event = Some(NewEvent { ..event(kind, None, None, now) });
            world.store.put_repository(&RepositoryWrite { repository: world.repository, lease: world.lease, now, state, event, invisible: None }).await.unwrap();
        };
        happened(RepositoryState::Vanished, EventKind::Vanished).await;
        happened(RepositoryState::Ok, EventKind::Returned).await;
        let found = lanes(&world, all()).await;
        let tile = tile_of(&world, &found, 28, number(28, at)).await;
        let told: Vec<_> = tile.breaches.iter().map(|breach| (breach.lane, breach.kind, breach.restored, tile.tags[breach.tag as usize].as_str())).collect();
        let [moved, vanished, returned] = [EventKind::Moved, EventKind::Vanished, EventKind::Returned];
        assert_eq!(told, [(1, moved, false, "22.04"), (0, vanished, false, "api"), (0, returned, true, "api")]);
        assert!(tile.breaches[1].flag.is_some() && tile.breaches.is_sorted_by_key(|breach| breach.at_ms));
    }
}

db_test! {
    async fn what_only_a_header_claims_is_told_until_bytes_prove_it(world: World) {
        let unproven = NewEvent { verified: false, ..event(EventKind::Created, None, Some("x"), world.tick()) };
        let (seq, _) = world.write(write_of("1.0.0", claimed("x", 0, TagState::Unread), vec![unproven])).await;
        world.create("1.0.1", "x").await;
        let claims = async || {
            let found = lanes(&world, all()).await;
            tile_of(&world, &found, 28, number(28, world.now())).await.claims
        };
        assert_eq!(claims().await, [seq]);
        world.execute(&format!("INSERT INTO event_proofs (seq, proven_at) VALUES ({seq}, 1)")).await;
        assert!(claims().await.is_empty());
    }
}

db_test! {
    async fn the_window_in_which_a_span_began_goes_along(world: World) {
        world.create("latest", "a").await;
        let created = world.now();
        let found = lanes(&world, all()).await;
        let tile = tile_of(&world, &found, 4, number(4, created + Millis::minutes(1))).await;
        assert_eq!(tile.lanes[0].entering_not_before_ms, Some((created - Millis::seconds(30)).0));
    }
}

db_test! {
    async fn a_release_with_a_hint_is_not_counted_where_the_watch_began(world: World) {
        let seen = world.tick();
        let stood = |tag: &str| {
            let stood = NewEvent { baseline: true, not_before: None, ..event(EventKind::Created, None, Some(tag), seen) };
            write_of(tag, present(tag, 0), vec![stood])
        };
        world.try_commit(["1.0.0", "1.0.1", "1.1.0"].map(stood).to_vec()).await.unwrap();
        let tracks = lanes(&world, all()).await;
        let family = lanes(&world, LaneFilter { by: Some(LaneKind::Family), ..all() }).await;
        let both: Vec<Lane> = tracks.into_iter().chain(family).collect();
        let left = async || {
            let tile = tile_of(&world, &both, 20, number(20, seen)).await;
            let left = |lane: &TileLane| {
                let tag = usize::try_from(lane.tag[0]).ok().map(|place| tile.tags[place].clone());
                (lane.count[0], lane.baseline[0], tag)
            };
            tile.lanes.iter().map(left).collect::<Vec<_>>()
        };
        let tag = |tag: &str| Some(tag.to_owned());
        assert_eq!(left().await, [(1, 1, tag("1.1.0")), (2, 2, tag("1.0.1")), (3, 3, tag("1.1.0"))]);
        let waiting = world.store.without_hint(world.repository, 3).await.unwrap();
        let hints: Vec<_> = waiting.into_iter().zip([Some(seen - Millis::days(9)), Some(seen - Millis::days(20)), None]).collect();
        world.store.put_hints(world.repository, &hints, world.now()).await.unwrap();
        assert_eq!(left().await, [(0, 0, None), (1, 1, None), (1, 1, None)], "what is left is not called by another's name");
    }
}
