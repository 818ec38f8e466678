//! A registry, a server that watches it, and what its API says.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden_model::api::{Event, Flag, FlagDetail, Job, Page, Readiness, Repository, Target};
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::postgres;
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::wait;

/// Every delay of the record, and the time between two passes.
pub const DELAY: Millis = Millis::seconds(2);

/// How long anything may take on a busy machine; it takes a few delays on an idle one.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where the server keeps the record.
#[derive(Debug, Clone, Copy)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// An empty registry and a server that watches nothing yet.
pub struct World {
    pub registry: DockerRegistry,
    pub tagwarden: Tagwarden,
    pub api: Api,
}

/// The server's API, also while the server is down.
#[derive(Debug, Clone)]
pub struct Api {
    client: reqwest::Client,
    url: String,
    host: String,
}

/// The time in which a test did something.
#[derive(Debug, Clone, Copy)]
pub struct During {
    pub before: Instant,
    pub after: Instant,
}

/// What an event says of a tag, without its window.
pub type Step = (EventKind, Option<Digest>, Option<Digest>);

impl World {
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, "").await
    }

    /// `more` goes into the server's configuration.
    pub async fn start_with(database: Database, more: &str) -> Self {
        let registry = DockerRegistry::start().await;
        let database = match database {
            Database::Sqlite => "record.db".to_owned(),
            Database::Postgres => postgres::database().await,
        };
        let tagwarden = Tagwarden::quick_with(&database, more).await;
        let client = tagwarden_tests::http_client();
        let api = Api { client, url: tagwarden.url(), host: registry.host() };
        Self { registry, tagwarden, api }
    }

    /// Watches `team/api` and waits until all its `tags` were read; they stood before.
    pub async fn watch(&self, repository: &str, tags: usize) {
        let name = self.api.name(repository);
        let (status, answer) = self.api.post("repositories", &json!({ "name": name })).await;
        assert_eq!(status, 201, "{answer}");
        let events = self.api.recorded(repository, tags).await;
        assert!(events.iter().all(|event| event.kind == EventKind::Created && event.baseline), "{events:#?}");
        self.api.repository_until(repository, "it was read", |found| found.state.word() == "ok").await;
    }
}

impl Api {
    /// The canonical name of `team/api`.
    pub fn name(&self, repository: &str) -> String {
        format!("{}/{repository}", self.host)
    }

    /// A GET that must succeed; `None` while nobody answers.
    async fn try_get<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        let response = self.client.get(format!("{}/api/v1/{path}", self.url)).send().await.ok()?;
        let status = response.status();
        let text = response.text().await.ok()?;
        assert_eq!(status, 200, "{path}: {text}");
        Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}")))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        wait::until(path, PATIENCE, || self.try_get(path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.client.post(format!("{}/api/v1/{path}", self.url)).json(body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Asks for a check of the whole repository now and waits for its end.
    pub async fn check(&self, repository: &str) -> Job {
        let (status, job) = self.post("checks?wait=10", &json!({ "repository": self.name(repository) })).await;
        assert_eq!(status, 202, "{job}");
        let job: Job = serde_json::from_value(job).unwrap();
        let path = format!("jobs/{}", job.id);
        wait::until("the check ends", PATIENCE, || async {
            self.try_get::<Job>(&path).await.filter(|job| job.finished.is_some())
        })
        .await
    }

    pub async fn repository_until(
        &self,
        repository: &str,
        what: &str,
        holds: impl Fn(&Repository) -> bool,
    ) -> Repository {
        let path = format!("repositories/one?name={}", self.name(repository));
        wait::until(what, PATIENCE, || async {
            self.try_get::<Repository>(&path).await.filter(|repository| holds(repository))
        })
        .await
    }

    /// All events of a repository, in the order of recording; `None` while nobody answers.
    async fn try_events(&self, repository: &str) -> Option<Vec<Event>> {
        let first = format!("events?order=seq&limit=500&repository={}", self.name(repository));
        let mut path = first.clone();
        let mut events = Vec::new();
        loop {
            let page: Page<Event> = self.try_get(&path).await?;
            events.extend(page.items);
            let Some(next) = page.next else { break };
            path = format!("{first}&cursor={next}");
        }
        events.reverse();
        Some(events)
    }

    pub async fn events(&self, repository: &str) -> Vec<Event> {
        wait::until("the events", PATIENCE, || self.try_events(repository)).await
    }

    /// Waits until the repository has this many events, and gives them.
    pub async fn recorded(&self, repository: &str, count: usize) -> Vec<Event> {
        let events = wait::until(format!("{count} events of {repository}"), PATIENCE, || async {
            self.try_events(repository).await.filter(|events| events.len() >= count)
        })
        .await;
        assert_eq!(events.len(), count, "{events:#?}");
        events
    }

    /// Whether a tag has this many events already; not while nobody answers.
    pub async fn has_events(&self, repository: &str, tag: &str, count: usize) -> bool {
        self.try_events(repository).await.is_some_and(|events| of_tag(events, tag).len() >= count)
    }

    /// Waits until a tag has this many events, and gives them.
    pub async fn recorded_of(&self, repository: &str, tag: &str, count: usize) -> Vec<Event> {
        let events = wait::until(format!("{count} events of {repository}:{tag}"), PATIENCE, || async {
            let events = of_tag(self.try_events(repository).await?, tag);
            (events.len() >= count).then_some(events)
        })
        .await;
        assert_eq!(events.len(), count, "{events:#?}");
        events
    }

    pub async fn flags(&self, repository: &str) -> Vec<Flag> {
        let page: Page<Flag> = self.get(&format!("flags?limit=500&repository={}", self.name(repository))).await;
        assert_eq!(page.next, None);
        page.items
    }

    /// Waits until the only flag of a repository has been compared, and gives it.
    pub async fn compared(&self, repository: &str) -> FlagDetail {
        let path = format!("flags?limit=500&repository={}", self.name(repository));
        let compared = |flags: &Page<Flag>| flags.items.len() == 1 && !flags.items[0].comparing;
        let flags = wait::until(format!("the comparison of {repository}"), PATIENCE, || async {
            self.try_get(&path).await.filter(compared)
        })
        .await;
        self.flag(flags.items[0].id).await
    }

    /// The best way back of a flag, once it was tried.
    pub async fn proven(&self, id: i64) -> Target {
        wait::until("its way back is proven", PATIENCE, || async {
            let target = self.flag(id).await.targets.into_iter().next()?;
            (target.readiness != Readiness::Unproven).then_some(target)
        })
        .await
    }

    pub async fn flag(&self, id: i64) -> FlagDetail {
        self.get(&format!("flags/{id}")).await
    }
}

impl During {
    /// Whether the window of `event` can hold what happened during this.
    pub fn is_enclosed_by(self, event: &Event) -> bool {
        event.not_before.is_some_and(|not_before| not_before <= self.after) && event.not_after >= self.before
    }
}

/// Does something and says when.
pub async fn during<T>(act: impl Future<Output = T>) -> (T, During) {
    let before = now();
    let done = act.await;
    (done, During { before, after: now() })
}

fn now() -> Instant {
    SystemClock::new(0).now().mark.wall
}

pub fn step(event: &Event) -> Step {
    (event.kind, event.old_digest.clone(), event.new_digest.clone())
}

pub fn of_tag(events: Vec<Event>, tag: &str) -> Vec<Event> {
    events.into_iter().filter(|event| event.tag.as_deref() == Some(tag)).collect()
}
