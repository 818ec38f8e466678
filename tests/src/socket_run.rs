//! The fault run over sockets: the real client and poller against the registry in memory, behind every fault that a script
//! can play on the wire.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tagwarden::clock::Clock as _;
use tagwarden::demo::registry::DemoRegistry;
use tagwarden::poller::PollerSettings;
use tagwarden::registry::client::{HttpRegistry, RegistrySettings};
use tagwarden::registry::transport::TimeOuts;
use tagwarden::registry::{Answer, By, Head, Manifest, Registry};
use tagwarden_model::api::RepositoryState;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::MediaType;

use crate::double::Image;
use crate::fake_clock::FakeClock;
use crate::fault_run::{assert_events, line};
use crate::faults::fault::Fault;
use crate::faults::{Call, FaultyRegistry, Rule};
use crate::polling::{START, World, tag};

const REPOSITORIES: usize = 6;
const TAGS: usize = 40;
/// From when on the header of one tag of each repository lies.
const LIE: Millis = Millis::minutes(10);
/// When one tag of each repository moves, and from when on faults are played.
const MOVE: Millis = Millis::minutes(20);
/// A replica that did not hear of the move answers so long: RECORD.md 2.5 forgives ten minutes.
const LAG: Millis = Millis::minutes(9);

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// HEADs and GETs of tags that reached the registry while faults were played.
    pub checks: usize,
    /// Events that are true: baselines and the moves.
    pub true_events: usize,
    /// Requests that were answered wrongly, by fault.
    pub faults: BTreeMap<String, usize>,
}

fn path(number: usize) -> String {
    format!("team/{number}")
}

fn tags() -> impl Iterator<Item = TagName> {
    (0..TAGS).map(|number| tag(&format!("branch-{number}")))
}

fn push(registry: &DemoRegistry, repository: &str, name: &TagName, version: u64) {
    let image = Image::of(&format!("{repository}:{} {version}", name.as_str()));
    registry.push(repository, name.as_str(), image.bytes.to_vec(), MediaType::OciManifest);
}

/// Plays until so many checks of tags were answered. Panics when an event or a flag has no cause.
pub async fn play(checks: usize, seed: u64) -> Report {
    crate::install_tls();
    let world = World::in_memory().await;
    let registry = DemoRegistry::new().dated_by(world.clock.clone());
    let mut expected = BTreeSet::new();
    for repository in (0..REPOSITORIES).map(path) {
        for name in tags() {
            push(&registry, &repository, &name, 1);
            expected.insert(line(EventKind::Created, &repository, &name));
        }
    }
    let faulty = FaultyRegistry::start(registry).await;
    let entry = world.entry(&faulty.host()).await;
    for number in 0..REPOSITORIES {
        world.watch(&entry, &path(number)).await;
    }
    let mut settings = RegistrySettings::new(&faulty.host());
    let short = Duration::from_millis(150);
    settings.time_outs = TimeOuts { connect: short, read: short, total: short * 3 };
    let client = HttpRegistry::new(settings, world.clock.clone()).unwrap();
    let client = Arc::new(Working { clock: world.clock.clone(), inner: client });
    let settings =
        PollerSettings { lease: Millis::hours(1), refresh: Millis::minutes(20), ..PollerSettings::default() };
    let polling = world.poll(&entry, client, settings);
    world.run(LIE).await;
    // Known for liars before GETs fail.
    faulty.add(Rule::new(Fault::lying_digest(&Digest::of(b"a lie"))).on(of_liar));
    world.run(Millis(MOVE.0 - LIE.0)).await;

    let stale = faulty.registry.frozen();
    let moved = tag("branch-7");
    for repository in (0..REPOSITORIES).map(path) {
        push(&faulty.registry, &repository, &moved, 2);
        expected.insert(line(EventKind::Moved, &repository, &moved));
    }
    add_rules(&faulty, &world, stale, seed);
    let done = || faulty.calls().iter().filter(|(call, _)| is_manifest(call)).count();
    let (before, mut asked) = (done(), 0);
    while asked < checks {
        world.run(Millis::minutes(30)).await;
        assert_events(&world, &expected, false).await;
        asked = done() - before;
    }
    faulty.heal();
    world.run(Millis::hours(2)).await;
    assert_events(&world, &expected, true).await;
    for number in 0..REPOSITORIES {
        let repository = world.repository(&entry, &path(number)).await;
        assert_eq!(repository.state, RepositoryState::Ok, "{repository:?}");
        assert!(repository.freshness.iter().all(|band| band.late_since.is_none()), "{repository:?}");
    }
    polling.stop().await;
    let mut played: BTreeMap<String, usize> = BTreeMap::new();
    for (_, fault) in faulty.calls() {
        if let Some(fault) = fault {
            *played.entry(format!("{fault:?}")).or_default() += 1;
        }
    }
    assert!(played.len() > 15, "most faults were never played: {played:#?}");
    Report { checks: asked, true_events: expected.len(), faults: played }
}

fn is_manifest(call: &Call) -> bool {
    call.path.contains("/manifests/")
}

/// These tags have a header that lies, and no other trouble: a HEAD that keeps to a wrong digest while GETs are not to be had
/// is written as unverified, by RECORD.md 2.2.
fn of_liar(call: &Call) -> bool {
    call.path.ends_with("/manifests/branch-3")
}

fn of_moved(call: &Call) -> bool {
    call.path.ends_with("/manifests/branch-7")
}

fn add_rules(faulty: &FaultyRegistry, world: &World, stale: DemoRegistry, seed: u64) {
    let mut seed = seed << 8;
    let mut add = |fault: Fault, chance: f64, concerns: fn(&Call) -> bool| {
        seed += 1;
        faulty.add(Rule::new(fault).on(concerns).chance(chance, seed));
    };
    let (clock, until) = (world.clock.clone(), START + MOVE + LAG);
    let lags = move |call: &Call| of_moved(call) && clock.now().mark.wall < until;
    faulty.add(Rule::new(Fault::Stale(stale)).on(lags).every_second());

    let anything: fn(&Call) -> bool = |call| !of_liar(call);
    let listing: fn(&Call) -> bool = |call| call.path.ends_with("/tags/list");
    let manifest: fn(&Call) -> bool = |call| is_manifest(call) && !of_liar(call);
    let shapes = ["2", "0", "-1", "Mon, 23 Nov 2026 12:30:00 GMT", "880.092µs", "1m30s", "soon", ""];
    for shape in shapes {
        add(Fault::retry_after(shape.as_bytes()), 0.002, anything);
    }
    add(Fault::x_retry_after(START.0 / 1000 + 1800), 0.002, anything);
    add(Fault::RateLimited(None), 0.002, anything);
    for status in [400, 403, 408, 418, 500, 501, 502, 503, 504] {
        add(Fault::Status(StatusCode::from_u16(status).unwrap()), 0.006, anything);
    }
    add(Fault::Reset, 0.01, anything);
    add(Fault::CutBody, 0.01, anything);
    add(Fault::Html, 0.02, anything);
    add(Fault::NotFound, 0.02, anything);
    let host = faulty.host();
    for target in ["http://127.0.0.1:1/".to_owned(), format!("http://{host}/login"), format!("http://{host}/v2/")] {
        add(Fault::Redirect(target), 0.005, anything);
    }
    for challenge in [format!("Bearer realm=\"http://{host}/token\",service=\"x\""), "Basic realm=\"x\"".to_owned()] {
        add(Fault::Unauthorized(challenge), 0.005, anything);
    }
    add(Fault::Unauthorized("Negotiate".to_owned()), 0.005, anything);
    for spoiled in [Fault::no_digest(), Fault::no_etag(), Fault::content_type("text/plain")] {
        add(spoiled, 0.01, manifest);
    }
    add(Fault::content_type("application/vnd.oci.image.index.v1+json"), 0.01, manifest);
    add(Fault::NullTags, 0.05, listing);
    add(Fault::NoTags, 0.05, listing);
    for link in [
        "</v2/other/tags/list?last=zzz>; rel=\"next\"",
        "<http://127.0.0.1:1/v2/team/0/tags/list?n=1>; rel=\"next\"",
        "nonsense",
    ] {
        add(Fault::link(link), 0.05, listing);
    }
    for date in [None, Some("Thu, 01 Jan 1970 00:00:00 GMT"), Some("today")] {
        add(Fault::date(date), 0.01, anything);
    }
    // These cost real time.
    add(Fault::HugeBody(9 << 20), 0.001, anything);
    add(Fault::SlowBody(Duration::from_millis(10)), 0.003, anything);
    add(Fault::SlowBody(Duration::from_millis(400)), 0.001, anything);
    add(Fault::Delay(Duration::from_millis(400)), 0.001, anything);
}

/// The client, whose waits on the wire take no time on the fake clock.
struct Working {
    clock: Arc<FakeClock>,
    inner: HttpRegistry,
}

impl Registry for Working {
    async fn list_tags(&self, repository: &RepositoryName) -> Answer<Vec<TagName>> {
        let _worker = self.clock.worker();
        self.inner.list_tags(repository).await
    }

    async fn head(&self, repository: &RepositoryName, tag: &TagName, known: Option<&Digest>) -> Answer<Head> {
        let _worker = self.clock.worker();
        self.inner.head(repository, tag, known).await
    }

    async fn manifest(&self, repository: &RepositoryName, by: By<'_>) -> Answer<Manifest> {
        let _worker = self.clock.worker();
        self.inner.manifest(repository, by).await
    }

    async fn blob(&self, repository: &RepositoryName, digest: &Digest) -> Answer<Vec<u8>> {
        let _worker = self.clock.worker();
        self.inner.blob(repository, digest).await
    }

    async fn has_blob(&self, repository: &RepositoryName, digest: &Digest) -> Answer<bool> {
        let _worker = self.clock.worker();
        self.inner.has_blob(repository, digest).await
    }

    async fn has_manifest(&self, repository: &RepositoryName, digest: &Digest) -> Answer<bool> {
        let _worker = self.clock.worker();
        self.inner.has_manifest(repository, digest).await
    }
}
