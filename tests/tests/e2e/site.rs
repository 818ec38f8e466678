//! The page of one server, and what people do on any of its pages.

use serde_json::Value;
use tagwarden_model::digest::Digest;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::images::Image;
use tagwarden_tests::skopeo;
use thirtyfour::{By, Key};

/// What the real registry holds.
pub const REPOSITORY: &str = "team/api";

/// The page of one server, in a browser.
pub struct Site {
    pub browser: Browser,
    /// Of the server: `http://127.0.0.1:8080/tags`.
    pub url: String,
    /// The repository that the test is about.
    pub repository: String,
}

impl Site {
    pub async fn open(&self, path: &str) {
        self.browser.open(&format!("{}/{path}", self.url)).await;
    }

    pub async fn path(&self) -> String {
        let url = self.browser.driver.current_url().await.unwrap();
        let path = url.as_str().strip_prefix(&format!("{}/", self.url));
        path.unwrap_or_else(|| panic!("{url} is outside {}/", self.url)).to_owned()
    }

    /// Waits until the page shows what it is about, and nothing of it is still asked for.
    pub async fn has_its_data(&self) {
        self.browser.shown("main h1").await;
        let script = "return document.querySelector('main .skeleton[role], main .timeline-state:not(:has(button)), main[aria-busy=true], main table[aria-busy=true]') === null \
                      && [...document.querySelectorAll('.timeline-lanes canvas')].every(canvas => canvas.width !== 300);";
        let wait = || async { (self.browser.run(script, Vec::new()).await == true).then_some(()) };
        self.browser.until("the page has its data", wait).await;
    }

    /// Remembers the document: see [`Site::is_the_same_document`].
    pub async fn mark_document(&self) {
        self.browser.run("window.sameDocument = true;", Vec::new()).await;
    }

    /// Fails when the document was loaded again since it was marked.
    pub async fn is_the_same_document(&self) {
        let same = self.browser.run("return window.sameDocument === true;", Vec::new()).await;
        assert_eq!(same, true, "the document was loaded again");
    }

    /// Waits until the page at `path` is shown, with `words` in it.
    pub async fn is_at(&self, path: &str, words: &str) {
        self.browser
            .until(&format!("the page is at {path:?}"), || async { (self.path().await == path).then_some(()) })
            .await;
        self.browser.shows(words).await;
    }

    /// Watches the repository by the form of the list.
    pub async fn watch_many(&self) {
        self.open("repositories").await;
        self.browser.shown("#add-name").await.send_keys(&self.repository).await.unwrap();
        self.browser.shows("Found, with 3 tags.").await;
        self.browser.shown("form.form button[type=submit]").await.click().await.unwrap();
        self.browser.shown(".table tbody tr").await;
    }

    /// Opens the overview and names the first repository.
    pub async fn watch_by_the_form(&self) {
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
    pub async fn flag_appears_without_reload(&self, host: &str) -> Digest {
        self.mark_document().await;
        let new = skopeo::push(&Image::index(2), host, REPOSITORY, "2.3.0").await;
        let card = self.browser.shown(".flag-card").await;
        let words = card.text().await.unwrap();
        assert!(words.contains("api 2.3.0") && words.contains(&self.repository), "{words}");
        self.is_the_same_document().await;
        new
    }

    /// Opens the flag and copies the pinned reference of the promised digest. Gives the flag's path.
    pub async fn copy_the_way_back(&self, promised: &Digest) -> String {
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
    pub async fn every_page_can_be_reloaded(&self, flag: &str, old: &Digest, new: &Digest) {
        let repository = format!("repository?name={}", self.repository);
        for (path, words) in [
            ("", "Needs attention"),
            ("flags", "All not closed"),
            (flag, "The way back"),
            ("repositories", self.repository.strip_suffix("api").unwrap()),
            (&repository, "2.3.0"),
            ("settings", "every other tag"),
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
    pub async fn back_and_forward(&self, flag: &str) {
        self.open("").await;
        self.mark_document().await;
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
        self.is_the_same_document().await;
    }

    pub async fn search_leads_to_a_page(&self) {
        let find = async |words: &str| {
            // Anywhere on the page; what was typed last is selected, and so replaced.
            self.browser.driver.active_element().await.unwrap().send_keys(Key::Control + "k").await.unwrap();
            let field = self.browser.shown("#find").await;
            field.send_keys(words).await.unwrap();
            // Before the answer is there, too.
            field.send_keys("" + Key::Enter).await.unwrap();
        };
        find("team api").await;
        self.is_at(&format!("repository?name={}", self.repository), "Timeline").await;
        find("api 2.3").await;
        self.is_at(&format!("tag?repository={}&name=2.3.0", self.repository), "What it named").await;
        find("notif").await;
        self.is_at("notifiers", "Nobody is told of flags").await;
        find(&Image::index(1).digest.hex()).await;
        self.is_at(&format!("digest/{}", Image::index(1).digest), "pointed at it").await;
    }

    pub async fn the_description_of_the_api_is_there(&self) {
        self.open("api/v1/docs").await;
        self.browser.shown("a[href='openapi.json']").await.click().await.unwrap();
        self.is_at("api/v1/openapi.json", "\"openapi\"").await;
        let document: Value = serde_json::from_str(&self.browser.text().await).unwrap();
        let servers = document["servers"][0]["url"].as_str().unwrap();
        assert!(self.url.ends_with(servers), "{servers}");
    }

    /// Every file, request and link of the pages that have most of them is below our own address.
    pub async fn nothing_was_asked_elsewhere(&self) {
        for path in ["", &format!("repository?name={}", self.repository)] {
            self.open(path).await;
            self.browser.shows("2.3.0").await;
            let script = "return [...performance.getEntriesByType('resource').map(entry => entry.name),
                ...[...document.querySelectorAll('a[href]')].map(link => link.href)];";
            let asked: Vec<String> = self.browser.driver.execute(script, Vec::new()).await.unwrap().convert().unwrap();
            assert!(asked.iter().any(|url| url.ends_with("_bg.wasm")) && asked.len() > 8, "{asked:#?}");
            let elsewhere: Vec<_> = asked.iter().filter(|url| !url.starts_with(&format!("{}/", self.url))).collect();
            assert!(elsewhere.is_empty(), "{elsewhere:#?}");
        }
    }

    /// Pages are shown, without what the server would refuse.
    pub async fn no_act_is_offered(&self, flag: &str) {
        for (path, words, acts) in [
            ("", "Needs attention", "#add-name"),
            (flag, "The way back", "#decide, .way-back-prove button"),
            (&format!("repository?name={}", self.repository), "2.3.0", "#stop"),
        ] {
            self.open(path).await;
            self.browser.shows(words).await;
            self.browser.shows("Read-only.").await;
            assert!(self.browser.driver.find(By::Css(acts)).await.is_err(), "{path} offers {acts}");
        }
    }

    pub async fn stop_watching(&self) {
        self.open(&format!("repository?name={}", self.repository)).await;
        self.browser.shown("#stop").await.click().await.unwrap();
        self.browser.shown("#stop-now").await.click().await.unwrap();
        self.is_at("", "Name the first repository.").await;
    }
}
