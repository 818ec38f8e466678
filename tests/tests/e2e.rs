//! The page in a real browser, with the real registry behind the server: `make page` builds it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use tagwarden_model::digest::Digest;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::images::Image;
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::{http_client, skopeo};
use thirtyfour::By;

const REPOSITORY: &str = "team/api";

/// One browser for all of it: what a person sees from the first visit to the way back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_shows_a_moved_release_and_gives_the_way_back() {
    let registry = DockerRegistry::start().await;
    let (host, old) = (registry.host(), Image::index(1));
    skopeo::push(&old, &host, REPOSITORY, "2.3.0").await;
    let tagwarden = Tagwarden::quick("record.db").await;
    let site =
        Site { browser: Browser::start().await, url: tagwarden.url(), repository: format!("{host}/{REPOSITORY}") };
    site.browser.allow_clipboard().await;

    site.watch_by_the_form().await;
    let new = site.flag_appears_without_reload(&host).await;
    let flag = site.copy_the_way_back(&old.digest).await;
    site.every_page_can_be_reloaded(&flag, &old.digest, &new).await;
    site.back_and_forward(&flag).await;
    site.browser.close().await;
}

#[tokio::test]
async fn an_unknown_file_is_not_the_page() {
    let tagwarden = Tagwarden::quick("record.db").await;
    let get = async |path: &str| http_client().get(format!("{}/{path}", tagwarden.url())).send().await.unwrap();
    let page = get("").await.text().await.unwrap();
    let files: Vec<&str> = page.split('"').filter_map(|word| word.strip_prefix("./tagwarden-app-")).collect();
    assert!(!files.is_empty(), "the page is not built: make page");
    for file in files {
        assert_eq!(get(&format!("tagwarden-app-{file}")).await.status(), 200, "{file}");
    }
    // What an old tab asks for after an update: HTML would be run as a module.
    for path in ["tagwarden-app-0123456789abcdef.js", "tagwarden-app-0123456789abcdef_bg.wasm", "assets/logo.png"] {
        let answer = get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        let content_type = answer.headers().get("content-type").map_or("", |value| value.to_str().unwrap());
        assert!(!content_type.contains("html"), "{path} is {content_type}");
    }
}

/// The page of one server, in a browser.
struct Site {
    browser: Browser,
    url: String,
    repository: String,
}

impl Site {
    async fn open(&self, path: &str) {
        self.browser.open(&format!("{}/{path}", self.url)).await;
    }

    async fn path(&self) -> String {
        let url = self.browser.driver.current_url().await.unwrap();
        url.as_str().strip_prefix(&format!("{}/", self.url)).unwrap().to_owned()
    }

    /// Waits until the page at `path` is shown, with `words` in it.
    async fn is_at(&self, path: &str, words: &str) {
        self.browser
            .until(&format!("the page is at {path:?}"), || async { (self.path().await == path).then_some(()) })
            .await;
        self.browser.shows(words).await;
    }

    /// Opens the overview and names the first repository.
    async fn watch_by_the_form(&self) {
        self.open("").await;
        self.browser.shows("Name the first repository.").await;
        self.browser.shown("#add-name").await.send_keys(&self.repository).await.unwrap();
        // What it has is shown before it is watched.
        self.browser.shows("Found, with 1 tag.").await;
        self.browser.shown("form.form button[type=submit]").await.click().await.unwrap();
        // Its release is read, and stands as it is.
        self.browser.shows("1 release watched").await;
        self.browser.shows("Every release is as it was").await;
        assert!(self.browser.driver.find(By::Css(".flag-card")).await.is_err(), "nothing moved yet");
    }

    /// skopeo moves the tag; the open overview shows the flag.
    async fn flag_appears_without_reload(&self, host: &str) -> Digest {
        self.browser.driver.execute("window.sameDocument = true;", Vec::new()).await.unwrap();
        let new = skopeo::push(&Image::index(2), host, REPOSITORY, "2.3.0").await;
        let card = self.browser.shown(".flag-card").await;
        let words = card.text().await.unwrap();
        assert!(words.contains("api 2.3.0") && words.contains(&self.repository), "{words}");
        let same = self.browser.driver.execute("return window.sameDocument === true;", Vec::new()).await.unwrap();
        assert_eq!(same.json(), &json!(true), "the page was loaded again");
        new
    }

    /// Opens the flag and copies the pinned reference of the promised digest. Gives the flag's path.
    async fn copy_the_way_back(&self, promised: &Digest) -> String {
        self.browser.shown(".flag-card-button").await.click().await.unwrap();
        self.browser.shown(".way-back").await;
        let path = self.path().await;
        assert!(path.starts_with("flags/"), "{path}");
        self.browser.shown("button[aria-label='Copy pinned reference']").await.click().await.unwrap();
        self.browser.shows("Copied").await;
        assert_eq!(self.browser.clipboard().await, format!("{}@{promised}", self.repository));
        self.browser.assert_no_errors(&[]).await;
        path
    }

    /// A deep link shows its page, also when it is loaded again.
    async fn every_page_can_be_reloaded(&self, flag: &str, old: &Digest, new: &Digest) {
        let repository = format!("repository?name={}", self.repository);
        for (path, words) in [
            ("", "Needs attention"),
            ("flags", "All not closed"),
            (flag, "The way back"),
            ("repositories", self.repository.strip_suffix("api").unwrap()),
            (&repository, "2.3.0"),
            (&format!("digest/{old}"), "pointed at it; none does now."),
            (&format!("digest/{new}"), "points at it."),
        ] {
            self.open(path).await;
            self.is_at(path, words).await;
            self.browser.driver.refresh().await.unwrap();
            self.is_at(path, words).await;
            self.browser.assert_no_errors(&[]).await;
        }
    }

    /// Links lead to pages within the document, and the browser's buttons lead back and forth.
    async fn back_and_forward(&self, flag: &str) {
        self.open("").await;
        self.browser.driver.execute("window.sameDocument = true;", Vec::new()).await.unwrap();
        self.browser.shown("nav a[href='flags']").await.click().await.unwrap();
        self.is_at("flags", "All not closed").await;
        self.browser.shown(".flag-card-button").await.click().await.unwrap();
        self.is_at(flag, "The way back").await;
        self.browser.driver.back().await.unwrap();
        self.is_at("flags", "All not closed").await;
        self.browser.driver.back().await.unwrap();
        self.is_at("", "Needs attention").await;
        self.browser.driver.forward().await.unwrap();
        self.is_at("flags", "All not closed").await;
        let same = self.browser.driver.execute("return window.sameDocument === true;", Vec::new()).await.unwrap();
        assert_eq!(same.json(), &json!(true), "a link loaded the document again");
    }
}
