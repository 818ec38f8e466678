//! Plays the story: in the registries as a pipeline would, towards the server as anybody would, by its HTTP API.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tagwarden_model::api::{Acknowledge, AddRepository, Check, Close, Flag, Job, Page, Repository};
use tagwarden_model::flag::{FlagState, Resolution};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::tag::MediaType;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::clock::StoryClock;
use super::registry::DemoRegistry;
use super::story::{Act, HOSTS, MANY, PAST, Story, What};
use crate::clock::{Clock as _, SystemClock};

/// Between two acts of the story in the present.
const BEAT: Millis = Millis::seconds(25);
/// After the first round, in which everything happens once, it goes on slowly.
const SLOW_BEAT: Millis = Millis::minutes(5);
/// Acts of the first round.
const ROUND: u32 = 12;
/// A story that is not looked at for days must not fill the memory.
const LAST_BEAT: u32 = 500;
/// How often it looks whether the server has read what is due, and how long it waits for that at most.
const LOOK: Duration = Duration::from_millis(4);
const LONGEST_LOOK: u32 = 1000;

/// The demo's state, for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// How much of the past was told, in hundredths.
    pub percent: u8,
}

/// What plays it.
pub struct Player {
    /// Of the story and of the server.
    pub clock: Arc<StoryClock>,
    /// One for each of [`HOSTS`].
    pub registries: [DemoRegistry; HOSTS.len()],
    /// Where the server is.
    pub server: Url,
    /// Who wants to know how far it is.
    pub told: watch::Sender<Told>,
}

/// The server did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// It did not answer, or with a failure.
    #[error("the demo's own server: {0}")]
    Http(#[from] reqwest::Error),
    /// No URL.
    #[error("the demo's own address: {0}")]
    Url(#[from] url::ParseError),
}

impl Player {
    /// Tells the past, then the present, until `stop`.
    pub async fn play(self, story: Story, acts: Vec<Act>, stop: CancellationToken) {
        let played = stop.run_until_cancelled(self.tell(story, acts)).await;
        if let Some(Err(error)) = played {
            tracing::error!(%error, "the demo's story ended early");
        }
    }

    async fn tell(&self, mut story: Story, acts: Vec<Act>) -> Result<(), PlayError> {
        let server = Server::new(&self.server)?;
        let (began, machine) = (self.clock.now().mark.wall, SystemClock::new(0));
        self.settle(&server, &machine).await?;
        for act in acts {
            self.lead_up_to(&server, &machine, &act).await?;
            let passed = (self.clock.now().mark.wall - began).0 * 100 / PAST.0;
            self.told.send_replace(Told { percent: u8::try_from(passed).unwrap_or(100).min(99) });
        }
        self.clock.step_to(Instant(i64::MAX));
        self.settle(&server, &machine).await?;
        self.fill();
        for (host, repository) in [(2, "ci/builds"), (2, "ci/empty")] {
            let name = format!("{}/{repository}", HOSTS[host]);
            server.post::<_, Repository>("repositories", &AddRepository { name }).await?;
        }
        self.told.send_replace(Told { percent: 100 });
        tracing::info!("the demo has told its past year; from now on things happen as you watch");
        for beat in 0..LAST_BEAT {
            let wait = if beat < ROUND { BEAT } else { SLOW_BEAT };
            machine.sleep_until(machine.now().mono.after(wait)).await;
            for act in story.next(self.clock.now().mark.wall) {
                self.perform(&server, &act).await?;
            }
        }
        Ok(())
    }

    /// One act of the past: the server looks shortly before and shortly after it, so that its windows are as narrow as
    /// they would have been.
    async fn lead_up_to(&self, server: &Server, machine: &SystemClock, act: &Act) -> Result<(), PlayError> {
        let step = async |after: i64| {
            self.clock.step_to(act.at + Millis::seconds(after));
            self.settle(server, machine).await
        };
        match &act.what {
            What::Push(..) => {
                // That a tag is new is known from two listings without it.
                step(-19).await?;
                step(-7).await?;
                self.perform(server, act).await?;
                step(6).await
            }
            // A release that is a month old is looked at every few hours: a webhook would ask for a check.
            What::PushAgain(tags, _) | What::Delete(tags) => {
                let check = Check { repository: name(act), tags: tags.clone() };
                step(-7).await?;
                // Only a pass is a sighting that is kept.
                server.post::<_, Job>("checks?wait=10", &Check { tags: Vec::new(), ..check.clone() }).await?;
                self.perform(server, act).await?;
                // A deletion is believed when it was confirmed.
                for after in [3, 12, 21, 30] {
                    step(after).await?;
                    server.post::<_, Job>("checks?wait=10", &check).await?;
                }
                step(40).await
            }
            What::Fail(_) | What::Acknowledge(..) | What::Close(..) => {
                step(0).await?;
                self.perform(server, act).await?;
                step(20).await
            }
        }
    }

    async fn perform(&self, server: &Server, act: &Act) -> Result<(), PlayError> {
        let Some(registry) = self.registries.get(act.registry) else { return Ok(()) };
        match &act.what {
            What::Push(tags, build) | What::PushAgain(tags, build) => {
                build.push(registry, act.repository, tags);
            }
            What::Delete(tags) => {
                for tag in tags {
                    registry.delete_tag(act.repository, tag);
                }
            }
            What::Fail(fails) => registry.set_failing(*fails),
            What::Acknowledge(tag, reason) => {
                for Flag { id, version, .. } in server.flags(act, tag).await? {
                    let asked = Acknowledge { version, reason: (*reason).to_owned(), until: None };
                    server.post::<_, Flag>(&format!("flags/{id}/acknowledge"), &asked).await?;
                }
            }
            What::Close(tag, reason) => {
                for flag in server.flags(act, tag).await? {
                    let resolution =
                        if flag.state == FlagState::Restored { Resolution::Reviewed } else { Resolution::Accepted };
                    let asked = Close { version: flag.version, resolution, reason: (*reason).to_owned() };
                    server.post::<_, Flag>(&format!("flags/{}/close", flag.id), &asked).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits until the server has read everything that is due.
    async fn settle(&self, server: &Server, machine: &SystemClock) -> Result<(), PlayError> {
        let mut looks = 0;
        loop {
            let now = self.clock.now().mark.wall;
            let page: Page<Repository> = server.get("repositories?limit=100").await?;
            let read = |repository: &Repository| {
                let due = |next: Option<Instant>| next.is_none_or(|next| next <= now);
                repository.last_pass.is_some() && !repository.freshness.iter().any(|band| due(band.next))
            };
            looks += 1;
            if page.items.iter().all(read) || looks > LONGEST_LOOK {
                return Ok(());
            }
            machine.sleep_until(machine.now().mono.after(Millis(LOOK.as_millis() as i64))).await;
        }
    }

    /// A repository with thousands of tags, and one without any.
    fn fill(&self) {
        let Some(registry) = self.registries.last() else { return };
        for build in 0..MANY {
            let (minor, patch) = (build / 100, build % 100);
            let content = format!("{{\"schemaVersion\":2,\"annotations\":{{\"build\":\"{build}\"}}}}");
            registry.push("ci/builds", &format!("0.{minor}.{patch}"), content, MediaType::OciManifest);
        }
        registry.push("ci/empty", "latest", "{}", MediaType::OciManifest);
        registry.delete_tag("ci/empty", "latest");
    }
}

fn name(act: &Act) -> String {
    format!("{}/{}", HOSTS.get(act.registry).copied().unwrap_or_default(), act.repository)
}

/// The server as the story's pipelines and people reach it.
struct Server {
    client: Client,
    api: Url,
}

impl Server {
    fn new(server: &Url) -> Result<Self, PlayError> {
        // As for every client; whoever was first has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { client, api: server.join("api/v1/")? })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, PlayError> {
        Ok(self.client.get(self.api.join(path)?).send().await?.error_for_status()?.json().await?)
    }

    async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, PlayError> {
        Ok(self.client.post(self.api.join(path)?).json(body).send().await?.error_for_status()?.json().await?)
    }

    /// The flag of a tag that is not closed.
    async fn flags(&self, act: &Act, tag: &str) -> Result<Vec<Flag>, PlayError> {
        let page: Page<Flag> = self.get(&format!("flags?limit=100&repository={}", name(act))).await?;
        let of = |flag: &Flag| flag.tag.as_deref() == Some(tag) && flag.state != FlagState::Closed;
        Ok(page.items.into_iter().filter(of).collect())
    }
}
