//! `kill -9` at random while tags move on: nothing is lost, doubled or invented.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::flag::FlagState;
use tagwarden_tests::http_client;
use tagwarden_tests::images::{Image, delete_digest};
use tagwarden_tests::wait::pause;

use super::world::{Api, During, Step, World, during, of_tag, step};
use crate::scenario;

const REPOSITORY: &str = "team/api";
const TAGS: [&str; 3] = ["1.0.0", "2.0.0", "3.0.0"];
const KILLS: usize = 20;

/// Between two looks at the record while servers come and go.
const LOOK: Duration = Duration::from_millis(20);

scenario! {
    async fn kills(world: World) {
        let mut world = world;
        let seed = rand::random::<u64>();
        println!("seed {seed}");
        let drivers: Vec<Driver> = (0..).zip(TAGS).map(|(number, tag)| Driver::new(&world, seed, number, tag)).collect();
        for driver in &drivers {
            driver.push(&driver.first).await;
        }
        // It never changes: the list is never empty, and nothing may be said of it.
        Image::single(1).put(&http_client(), &world.registry.url(), REPOSITORY, "0.1.0").await;
        world.watch(REPOSITORY, TAGS.len() + 1).await;

        let stop = AtomicBool::new(false);
        let api = world.api.clone();
        let [one, two, three] = drivers.try_into().ok().unwrap();
        let killing = async {
            let mut random = StdRng::seed_from_u64(seed);
            for _ in 0..KILLS {
                let life = Duration::from_millis(random.random_range(0..5_500));
                // Killed wherever it is, also while it starts.
                let living = async {
                    world.tagwarden.restart().await;
                    std::future::pending::<()>().await;
                };
                let _ = tokio::time::timeout(life, living).await;
                world.tagwarden.kill();
            }
            world.tagwarden.restart().await;
            stop.store(true, Ordering::SeqCst);
        };
        let ((), one, two, three) = tokio::join!(killing, one.run(&stop), two.run(&stop), three.run(&stop));

        // What was doubted when the last acts were recorded has its time to become an event.
        for _ in 0..3 {
            assert_eq!(api.check(REPOSITORY).await.error, None);
        }
        let events = api.events(REPOSITORY).await;
        let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=events.len() as i64).collect::<Vec<_>>(), "gapless, and no event of anything else");
        let told: usize = [&one, &two, &three].map(|log| log.acts.len()).iter().sum();
        assert_eq!(events.len(), told + 1, "seed {seed}: {events:#?}");
        assert_eq!(of_tag(events.clone(), "0.1.0").len(), 1);
        println!("{told} acts, {KILLS} kills");
        assert!(told > 2 * TAGS.len(), "too little happened to show anything: {told} acts");
        let flags = api.flags(REPOSITORY).await;
        for log in [one, two, three] {
            let recorded = of_tag(events.clone(), log.tag);
            let steps: Vec<Step> = recorded.iter().map(step).collect();
            let acts: Vec<Step> = log.acts.iter().map(|(act, _)| act.clone()).collect();
            assert_eq!(steps, acts, "seed {seed}");
            for (event, (_, act)) in recorded.iter().zip(&log.acts).skip(1) {
                assert!(act.is_enclosed_by(event), "seed {seed}: {act:?} {event:#?}");
            }
            let of_tag: Vec<_> = flags.iter().filter(|flag| flag.tag.as_deref() == Some(log.tag)).collect();
            let [flag] = of_tag.as_slice() else { panic!("seed {seed}: one flag of {}: {of_tag:#?}", log.tag) };
            let expected = if flag.current == flag.promise { FlagState::Restored } else { FlagState::Open };
            assert_eq!((flag.state, &flag.current), (expected, &steps.last().unwrap().2), "seed {seed}: {flag:#?}");
            assert_eq!(api.flag(flag.id).await.events.len(), recorded.len() - 1, "seed {seed}");
        }
    }
}

/// Moves, deletes and pushes one tag again and again, each time when the record has the act before.
struct Driver {
    api: Api,
    client: reqwest::Client,
    registry: String,
    random: StdRng,
    tag: &'static str,
    first: Image,
    seeds: std::ops::RangeFrom<u64>,
}

/// What a driver did, and when.
struct Log {
    tag: &'static str,
    acts: Vec<(Step, During)>,
}

impl Driver {
    fn new(world: &World, seed: u64, number: u64, tag: &'static str) -> Self {
        let mut seeds = (number + 1) * 1_000..;
        let first = Image::index(seeds.next().unwrap());
        let random = StdRng::seed_from_u64(seed ^ number);
        Self {
            api: world.api.clone(),
            client: http_client(),
            registry: world.registry.url(),
            random,
            tag,
            first,
            seeds,
        }
    }

    /// Lets the tag name `image`; the time is that of the last request alone, so that no window has room to spare.
    async fn push(&self, image: &Image) -> During {
        image.put(&self.client, &self.registry, REPOSITORY, &image.digest.to_string()).await;
        during(image.put_manifest(&self.client, &self.registry, REPOSITORY, self.tag)).await.1
    }

    async fn run(mut self, stop: &AtomicBool) -> Log {
        let created = self.api.recorded_of(REPOSITORY, self.tag, 1).await.remove(0);
        let at_first = During { before: created.not_after, after: created.not_after };
        let mut acts = vec![((EventKind::Created, None, Some(self.first.digest.clone())), at_first)];
        let mut state = Some(self.first.digest.clone());
        while !stop.load(Ordering::SeqCst) || acts.len() < 2 {
            let (next, when) = self.act(state.as_ref()).await;
            let kind = match (&state, &next) {
                (Some(_), Some(_)) => EventKind::Moved,
                (Some(_), None) => EventKind::Deleted,
                (None, _) => EventKind::Recreated,
            };
            acts.push(((kind, state.clone(), next.clone()), when));
            state = next;
            // No life may be long enough for what must be doubted first: patience begins when nobody is killed any more.
            let is_recorded = async || self.api.has_events(REPOSITORY, self.tag, acts.len()).await;
            while !stop.load(Ordering::SeqCst) && !is_recorded().await {
                pause(LOOK).await;
            }
            self.api.recorded_of(REPOSITORY, self.tag, acts.len()).await;
        }
        Log { tag: self.tag, acts }
    }

    /// Gives the digest that the tag has afterwards, and when that came about.
    async fn act(&mut self, state: Option<&Digest>) -> (Option<Digest>, During) {
        let away_from_first = state.is_some_and(|state| *state != self.first.digest);
        let image = match (state, self.random.random_range(0..4)) {
            // A deletion needs a long life; one tag is only moved, so that something happens in short ones, too.
            (Some(digest), 0) if self.tag != TAGS[0] => {
                let deletion = delete_digest(&self.client, &self.registry, REPOSITORY, digest);
                return (None, during(deletion).await.1);
            }
            (_, 1) if away_from_first => self.first.clone(),
            _ => Image::single(self.seeds.next().unwrap()),
        };
        let when = self.push(&image).await;
        (Some(image.digest), when)
    }
}

scenario! {
    async fn handover(world: World) {
        let mut world = world;
        let config = world.tagwarden.folder().join("tagwarden.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        let longer = text.replace("lease = '1s'", "lease = '10m'");
        assert_ne!(longer, text);
        std::fs::write(&config, longer).unwrap();
        world.tagwarden.restart().await;
        Image::single(1).put(&http_client(), &world.registry.url(), REPOSITORY, "1.0.0").await;
        world.watch(REPOSITORY, 1).await;

        // Told to end, a server leaves the registry to the next one at once: it need not be silent for ten minutes.
        world.tagwarden.stop();
        world.tagwarden.restart().await;
        assert_eq!(world.api.check(REPOSITORY).await.error, None);
    }
}
