//! The registry in memory behind a script of faults: everything a registry, a proxy or a network can do wrong.

pub mod fault;
mod wire;

use std::future::IntoFuture;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tagwarden::demo::registry::DemoRegistry;
use tokio_util::sync::{CancellationToken, DropGuard};

use fault::Fault;
use wire::{Wire, WireListener};

/// A registry on loopback that answers truly, except where a [`Rule`] says otherwise.
pub struct FaultyRegistry {
    /// The truth behind it: push, move and delete here.
    pub registry: DemoRegistry,
    script: Arc<Mutex<Script>>,
    host: String,
    _stop: DropGuard,
}

/// A request as a rule sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// GET, HEAD, …
    pub method: Method,
    /// `/v2/team/api/tags/list`, without the query.
    pub path: String,
    /// After the `?`.
    pub query: String,
}

/// One line of the script: which fault, for which requests, how often.
pub struct Rule {
    fault: Fault,
    concerns: Box<dyn Fn(&Call) -> bool + Send>,
    when: When,
    met: u64,
}

enum When {
    Always,
    Numbers(RangeInclusive<u64>),
    EverySecond,
    Chance(f64, Box<StdRng>),
}

#[derive(Default)]
struct Script {
    rules: Vec<Rule>,
    calls: Vec<(Call, Option<Fault>)>,
}

impl FaultyRegistry {
    /// Serves `registry`, without any fault yet, on a free port of 127.0.0.1.
    pub async fn start(registry: DemoRegistry) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = WireListener::bind().await.expect("a free port");
        let host = listener.host();
        let router: Router = registry.router().layer(from_fn_with_state(script.clone(), answer));
        let server = axum::serve(listener, router.into_make_service_with_connect_info::<Wire>());
        let stop = CancellationToken::new();
        tokio::spawn(stop.clone().run_until_cancelled_owned(server.into_future()));
        Self { registry, script, host, _stop: stop.drop_guard() }
    }

    /// `127.0.0.1:5000`, the host of references.
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// `http://127.0.0.1:5000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Adds a rule. Of several that want to play for a request, the one added first does.
    pub fn add(&self, rule: Rule) {
        lock(&self.script).rules.push(rule);
    }

    /// Removes all rules: from now on every answer is true.
    pub fn heal(&self) {
        lock(&self.script).rules.clear();
    }

    /// Every request so far, in the order of arrival, with the fault that was played.
    pub fn calls(&self) -> Vec<(Call, Option<Fault>)> {
        lock(&self.script).calls.clone()
    }
}

impl Rule {
    /// Plays `fault` for every request, until narrowed by the other methods.
    pub fn new(fault: Fault) -> Self {
        Self { fault, concerns: Box::new(|_| true), when: When::Always, met: 0 }
    }

    /// Only for requests for which `concerns` holds.
    #[must_use]
    pub fn on(self, concerns: impl Fn(&Call) -> bool + Send + 'static) -> Self {
        Self { concerns: Box::new(concerns), ..self }
    }

    /// Only for requests whose path ends like this: `/tags/list`, `/manifests/2.3.0`.
    #[must_use]
    pub fn on_path(self, end: &str) -> Self {
        let end = end.to_owned();
        self.on(move |call| call.path.ends_with(&end))
    }

    /// Only for requests about one repository.
    #[must_use]
    pub fn on_repository(self, name: &str) -> Self {
        let start = format!("/v2/{name}/");
        self.on(move |call| call.path.starts_with(&start))
    }

    /// Only for the n-th to m-th request that the rule concerns, counted from 1.
    #[must_use]
    pub fn numbers(self, numbers: RangeInclusive<u64>) -> Self {
        Self { when: When::Numbers(numbers), ..self }
    }

    /// Only for the first, third, fifth … request that the rule concerns: answers that alternate.
    #[must_use]
    pub fn every_second(self) -> Self {
        Self { when: When::EverySecond, ..self }
    }

    /// Each time with this probability, from a generator of its own with this seed.
    #[must_use]
    pub fn chance(self, probability: f64, seed: u64) -> Self {
        Self { when: When::Chance(probability, Box::new(StdRng::seed_from_u64(seed))), ..self }
    }

    fn plays(&mut self, call: &Call) -> bool {
        if !(self.concerns)(call) {
            return false;
        }
        self.met += 1;
        match &mut self.when {
            When::Always => true,
            When::Numbers(numbers) => numbers.contains(&self.met),
            When::EverySecond => self.met % 2 == 1,
            When::Chance(probability, generator) => generator.random_bool(*probability),
        }
    }
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    let call = Call {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
    };
    let fault = {
        let mut script = lock(&script);
        // Every rule counts, also those that come too late to play.
        let playing: Vec<Fault> =
            script.rules.iter_mut().filter_map(|rule| rule.plays(&call).then(|| rule.fault.clone())).collect();
        let fault = playing.into_iter().next();
        script.calls.push((call, fault.clone()));
        fault
    };
    match fault {
        Some(fault) => fault.play(request, next, &wire).await,
        None => next.run(request).await,
    }
}
