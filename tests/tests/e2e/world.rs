//! A server with something of everything: two repositories, a group, a notifier, a flag with a way back; and its page.

use serde_json::{Value, json};
use tagwarden::demo::registry::{DemoRegistry, Serving};
use tagwarden_model::tag::MediaType;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::http_client;
use tagwarden_tests::images::Image;
use tagwarden_tests::receiver::Receiver;
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::wait::{START, until};

use super::site::{REPOSITORY, Site};

/// All of it, as long as it is needed.
pub struct World {
    pub registry: DemoRegistry,
    pub tagwarden: Tagwarden,
    /// Where the registry is: `127.0.0.1:5000`.
    pub host: String,
    pub site: Site,
    /// The digest that the moved release is held to.
    pub promised: String,
    /// The digest that it names instead. Its image claims a commit.
    pub moved: String,
    _serving: Serving,
    _receiver: Receiver,
}

impl World {
    /// Release 2.5.0 of `team/api` came after the watch began, then 2.3.0 was moved; everything is compared and proven.
    pub async fn start() -> Self {
        let (registry, receiver) = (DemoRegistry::new(), Receiver::start([]).await);
        for (repository, tag, seed) in
            [("api", "2.2.0", 1), ("api", "2.3.0", 2), ("api", "2.4.0", 3), ("api", "latest", 3), ("web", "1.0.0", 4)]
        {
            publish(&registry, &format!("team/{repository}"), tag, &Image::index(seed));
        }
        let serving = registry.serve().await.unwrap();
        let notifier = format!("[[notifier]]\nname = 'on-call'\nkind = 'webhook'\nurl = '{}'\n", receiver.url);
        let tagwarden = Tagwarden::quick_with("record.db", &notifier).await;
        let host = serving.host();
        let repository = format!("{host}/{REPOSITORY}");
        let site = Site { browser: Browser::start().await, url: tagwarden.url(), repository };
        let promised = Image::index(2).digest.to_string();
        let labels = [
            ("org.opencontainers.image.revision", "3f91c0e2a1b43f91c0e2a1b43f91c0e2a1b43f91"),
            ("org.opencontainers.image.source", "https://git.acme.example/team/api"),
        ];
        let moved = Image::labelled_index(9, &labels);
        let to = moved.digest.to_string();
        let world =
            Self { registry, tagwarden, host, site, promised, moved: to, _serving: serving, _receiver: receiver };

        for name in ["team/api", "team/web"] {
            world.post("repositories", &json!({ "name": format!("{}/{name}", world.host) })).await;
        }
        world.post("groups", &json!({ "name": "shop" })).await;
        world.post("groups/repositories", &json!({ "group": "shop", "repository": world.site.repository })).await;
        let watched = format!("repositories/one?name={}", world.site.repository);
        // What is there when the first pass of a band ends stood before the watch.
        let is_swept = |band: &Value| !band["last_complete"].is_null();
        let is_begun = |answer: &Value| answer["freshness"].as_array().is_some_and(|bands| bands.iter().all(is_swept));
        world.until(&watched, |answer| answer["state"] == "ok" && answer["tags"] == 4 && is_begun(answer)).await;
        world.publish(REPOSITORY, "2.5.0", 5);
        world.until(&watched, |answer| answer["tags"] == 5).await;
        // Later, so that the two are apart on a timeline.
        publish(&world.registry, REPOSITORY, "2.3.0", &moved);
        let proven = |answer: &Value| answer["comparing"] == false && answer["targets"][0]["readiness"] == "ready";
        world.until("flags/1", proven).await;
        world
    }

    /// Lets a tag of a repository name another image.
    pub fn publish(&self, repository: &str, tag: &str, seed: u64) {
        publish(&self.registry, repository, tag, &Image::index(seed));
    }

    /// What the API answers to a GET; null when it refuses.
    pub async fn get(&self, path: &str) -> Value {
        let url = format!("{}/api/v1/{path}", self.site.url);
        let Ok(answer) = http_client().get(url).send().await else { return Value::Null };
        answer.json().await.unwrap_or_default()
    }

    /// Waits until the API answers so.
    pub async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        until(format!("the answer of {path}"), START, || async { Some(self.get(path).await).filter(&is_so) }).await
    }

    /// Acts as the page does.
    pub async fn post(&self, path: &str, body: &Value) {
        let answer = http_client().post(format!("{}/api/v1/{path}", self.site.url)).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {} {}", answer.status(), answer.text().await.unwrap());
    }

    /// Every view that an address leads to.
    pub fn pages(&self) -> Vec<(&'static str, String)> {
        let name = &self.site.repository;
        vec![
            ("overview", String::new()),
            ("flags", "flags".to_owned()),
            ("flag", "flags/1".to_owned()),
            ("repositories", "repositories?group=shop".to_owned()),
            ("repository", format!("repository?name={name}")),
            ("group", "group?name=shop".to_owned()),
            ("timeline", "timeline".to_owned()),
            ("tag", format!("tag?repository={name}&name=2.3.0")),
            ("targets", format!("targets?repository={name}&tag=2.3.0")),
            ("notifiers", "notifiers".to_owned()),
            ("settings", "settings".to_owned()),
            ("styleguide", "styleguide".to_owned()),
            ("digest", format!("digest/{}", self.promised)),
            ("compare", format!("compare?old={}&new={}", self.promised, self.moved)),
        ]
    }
}

fn publish(registry: &DemoRegistry, repository: &str, tag: &str, image: &Image) {
    for blob in &image.blobs {
        registry.put_blob(repository, blob.clone());
    }
    for child in &image.children {
        registry.put_manifest(repository, child.manifest.clone(), MediaType::OciManifest);
    }
    registry.push(repository, tag, image.manifest.clone(), MediaType::OciIndex);
}
