//! The page in a real browser, with the real registry behind the server: `make page` builds it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use tagwarden::demo::registry::DemoRegistry;
use tagwarden_model::digest::Digest;
use tagwarden_model::tag::MediaType;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::images::Image;
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::wait::{START, until};
use tagwarden_tests::{http_client, skopeo};
use thirtyfour::{By, Key};

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

/// Behind a proxy that gives it a path of its own; then as a server that only shows its record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_is_at_home_below_a_path() {
    let registry = DockerRegistry::start().await;
    let host = registry.host();
    skopeo::push(&Image::index(1), &host, REPOSITORY, "2.3.0").await;
    let mut tagwarden = Tagwarden::quick_below("/acme/tags", "record.db").await;
    let site =
        Site { browser: Browser::start().await, url: tagwarden.url(), repository: format!("{host}/{REPOSITORY}") };
    site.watch_by_the_form().await;
    site.flag_appears_without_reload(&host).await;
    site.browser.shown(".flag-card-button").await.click().await.unwrap();
    site.browser.shown(".way-back").await;
    let flag = site.path().await;
    site.back_and_forward(&flag).await;
    site.search_leads_to_a_page().await;
    site.the_description_of_the_api_is_there().await;
    site.nothing_was_asked_elsewhere().await;

    tagwarden.restart_with(&["--read-only"]).await;
    site.no_act_is_offered(&flag).await;
    tagwarden.restart().await;
    site.stop_watching().await;
    // The server was ended under an open page, twice; and that watching ended may be heard before the answer that it did.
    let expected = ["/api/v1/live - Failed to load resource", "/api/v1/repositories/one", "/api/v1/timeline"];
    site.browser.assert_no_errors(&expected).await;
    site.browser.close().await;
}

/// From a pasted text to a purge, as a person does it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_adds_many_groups_pauses_and_purges() {
    let registry = DemoRegistry::new();
    for repository in [REPOSITORY, "team/web"] {
        registry.push(repository, "2.3.0", "{}", MediaType::OciManifest);
    }
    let serving = registry.serve().await.unwrap();
    let host = serving.host();
    let tagwarden = Tagwarden::quick("record.db").await;
    let site =
        Site { browser: Browser::start().await, url: tagwarden.url(), repository: format!("{host}/{REPOSITORY}") };
    let browser = &site.browser;
    let click = async |selector: &str| browser.shown(selector).await.click().await.unwrap();
    let types = async |selector: &str, text: &str| browser.shown(selector).await.send_keys(text).await.unwrap();

    site.open("repositories").await;
    types("#add-name", &format!("{host}/Team")).await;
    browser.shows("upper case is not allowed").await;
    click("aside details summary").await;
    types("#paste", &format!("{host}/{REPOSITORY}:2.3.0\n{host}/team/web:2.3.0")).await;
    click("#paste-find").await;
    browser.shows("2 repositories found.").await;
    click("#paste-watch").await;
    browser.shows("2 repositories are watched from now on.").await;

    let page = format!("repository?name={}", site.repository);
    site.open(&page).await;
    click(".popover summary").await;
    types("#group", "shop").await;
    click(".popover button").await;
    browser.shows("in shop").await;
    click("#pause").await;
    browser.shows("Resume").await;
    site.open("repositories?group=shop").await;
    browser.shows("1 of 2 for “shop”.").await;

    site.open(&page).await;
    click("#stop").await;
    click("#stop-now").await;
    browser.shown(".columns").await;
    site.open(&page).await;
    types("#purge", &format!("{host}/team/ap")).await;
    click(".form button").await;
    browser.shows("repeat the name of the repository").await;
    types("#purge", "i").await;
    click(".form button").await;
    browser.shows("Its history is deleted.").await;
    // It asks for what is refused or not watched any more.
    let expected = ["/preview", "/api/v1/repositories/one", "/api/v1/timeline", "/api/v1/repositories/purge"];
    browser.assert_no_errors(&expected).await;
    site.browser.close().await;
}

/// Somebody clears away what is known, says which release is bad, and keeps the view for the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_decides_about_many_and_keeps_views() {
    let registry = DemoRegistry::new();
    for at in 0..4 {
        registry.push(REPOSITORY, &format!("1.{at}.0"), format!("{{\"at\":{at}}}"), MediaType::OciManifest);
    }
    let serving = registry.serve().await.unwrap();
    let tagwarden = Tagwarden::quick("record.db").await;
    let repository = format!("{}/{REPOSITORY}", serving.host());
    let site = Site { browser: Browser::start().await, url: tagwarden.url(), repository };
    let browser = &site.browser;
    let click = async |selector: &str| browser.shown(selector).await.click().await.unwrap();
    let types = async |selector: &str, text: &str| browser.shown(selector).await.send_keys(text).await.unwrap();
    site.open("").await;
    types("#add-name", &site.repository).await;
    browser.shows("Found, with 4 tags.").await;
    click("form.form button[type=submit]").await;
    browser.shows("4 releases watched").await;
    for at in 0..3 {
        registry.push(REPOSITORY, &format!("1.{at}.0"), format!("{{\"again\":{at}}}"), MediaType::OciManifest);
    }

    site.open("flags?find=1.0.0").await;
    browser.shown(".flag-row").await;
    assert_eq!(browser.count(".flag-row").await, 1, "the filter is in the address");
    site.open("flags").await;
    // What one pass found is one row.
    browser.shows("Three flags need a decision").await;
    browser.shows("other release").await;
    // A comparison is a step of its own: what was selected before it would have to be looked at again.
    browser
        .until("all is compared", || async { (!browser.text().await.contains("comparing what changed")).then_some(()) })
        .await;
    browser
        .until("all are selected", || async {
            let script = "document.querySelectorAll('.flag-select input:not(:checked)').forEach(box => box.click());";
            browser.driver.execute(script, Vec::new()).await.ok()?;
            browser.text().await.contains("3 selected").then_some(())
        })
        .await;
    types(".select-bar .input", "rebuilt on purpose").await;
    click(".select-bar button[type=submit]").await;
    browser.shows("3 flags are acknowledged.").await;
    click(".toast button").await;
    click("nav a[href='flags?state=acknowledged']").await;
    browser.shows("other release").await;

    browser.driver.active_element().await.unwrap().send_keys(Key::Control + "k").await.unwrap();
    types("#find", "Known").await;
    click(".palette-keep button").await;
    browser.shows("This view is kept as “Known”.").await;
    site.open("").await;
    click(".nav-views a").await;
    site.is_at("flags?state=acknowledged", "means other bytes than before").await;

    site.open(&format!("tag?repository={}&name=1.1.0", site.repository)).await;
    click("details.card summary").await;
    types("#bad", "loses orders").await;
    click("details.card button[type=submit]").await;
    browser.shows("It may be used again").await;
    browser.shows("loses orders").await;
    site.open(&format!("targets?repository={}&tag=1.3.0", site.repository)).await;
    browser.shown(".way-back, .targets, table").await;
    assert!(!browser.text().await.contains("1.1.0"), "it is no way back any more");

    site.open("settings").await;
    types("#rule-tag", "1.*").await;
    click("main select option[value=rolling]").await;
    click("main form button[type=submit]").await;
    browser.shows("4 of 4 tags would get another class.").await;
    browser.shows("class = \"rolling\"").await;
    site.browser.close().await;
}

/// A timeline by keys alone, by mouse, and by its address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_timeline_is_walked_zoomed_and_found_again() {
    let registry = DemoRegistry::new();
    for tag in ["2.3.0", "2.4.0", "latest"] {
        registry.push(REPOSITORY, tag, "{}", MediaType::OciManifest);
    }
    let serving = registry.serve().await.unwrap();
    let tagwarden = Tagwarden::quick("record.db").await;
    let repository = format!("{}/{REPOSITORY}", serving.host());
    let site = Site { browser: Browser::start().await, url: tagwarden.url(), repository };
    site.watch_many().await;
    site.open(&format!("repository?name={}", site.repository)).await;
    let timeline = Timeline { site: &site };
    // What is there when the first pass ends stood before the watch.
    site.browser.shows("next pass").await;
    site.browser.shows("checked").await;
    registry.push(REPOSITORY, "3.0.0", "{}", MediaType::OciManifest);
    timeline.has_row("3.0.0 published").await;

    timeline.focus("3.0.0 published").await;
    timeline.press(Key::Enter).await;
    site.browser.shown(".timeline-pinned").await;
    timeline.path_with("event=").await;
    site.browser.driver.refresh().await.unwrap();
    site.browser.shown(".timeline-pinned").await;
    timeline.has_row("3.0.0 published").await;
    timeline.focus("3.0.0 published").await;
    timeline.press(Key::Escape).await;
    timeline.path_without("event=").await;
    let whole = site.path().await;
    timeline.press("w").await;
    timeline.path_is_not(&whole).await;
    site.browser.driver.back().await.unwrap();
    timeline.path_until("the whole window is back", |path| path == whole).await;

    timeline.drag(-200).await;
    let dragged = timeline.path_is_not(&whole).await;
    timeline.wheel(-300).await;
    timeline.path_is_not(&dragged).await;
    site.browser.driver.back().await.unwrap();
    site.browser.until("the dragged window is back", || async { (site.path().await == dragged).then_some(()) }).await;
    timeline.is_pinned_and_collapsed_until_that_is_undone(&registry, &serving.host()).await;
    site.browser.close().await;
}

/// The timeline of a page.
struct Timeline<'a> {
    site: &'a Site,
}

impl Timeline<'_> {
    /// Lanes of two repositories are pinned and collapsed by key and by mouse; the address keeps it.
    async fn is_pinned_and_collapsed_until_that_is_undone(&self, registry: &DemoRegistry, host: &str) {
        let browser = &self.site.browser;
        let (pinned, closed) = (".handle[aria-pressed=true]", ".handle[aria-expanded=false]");
        registry.push("team/web", "1.0.0", "{}", MediaType::OciManifest);
        self.site.open("repositories").await;
        browser.shown("#add-name").await.send_keys(format!("{host}/team/web")).await.unwrap();
        browser.shows("Found, with 1 tag.").await;
        browser.shown("form.form button[type=submit]").await.click().await.unwrap();
        self.site.open("timeline").await;
        self.has_row("web").await;
        browser
            .until("two repositories", || async {
                (browser.count(".handle[aria-expanded=true]").await == 2).then_some(())
            })
            .await;

        self.focus("3.0.0 published").await;
        self.press("p").await;
        self.path_with("pin=").await;
        browser.shown(pinned).await;
        self.focus("3.0.0 published").await;
        self.press("c").await;
        self.path_with("collapse=").await;
        let both = self.site.path().await;
        browser.shown(closed).await;
        browser.driver.refresh().await.unwrap();
        browser.shown(pinned).await;
        browser.shown(closed).await;
        assert_eq!(self.site.path().await, both);

        // The buttons are one stop of the tab key, arrow keys lead from one to the next.
        browser.driver.execute("document.querySelector('.handle[tabindex=\"0\"]').focus();", Vec::new()).await.unwrap();
        self.press(Key::Down).await;
        self.press(Key::Enter).await;
        self.path_without("collapse=").await;
        browser.shown(pinned).await.click().await.unwrap();
        self.path_without("pin=").await;
        browser.driver.back().await.unwrap();
        browser.driver.back().await.unwrap();
        self.path_until("it is arranged as before", |path| path == both).await;
        browser.shown(closed).await;
    }

    /// Waits for a row of the table that holds `words`.
    async fn has_row(&self, words: &str) {
        let script = "return [...document.querySelectorAll('.twin tbody tr')].some(row => row.innerText.includes(arguments[0]) \
                      || row.textContent.includes(arguments[0]));";
        self.site
            .browser
            .until(&format!("the table has {words:?}"), || async {
                let found = self.site.browser.driver.execute(script, vec![json!(words)]).await.ok()?;
                (found.json() == &json!(true)).then_some(())
            })
            .await;
    }

    /// Puts the focus on the row that holds `words`, as the tab and arrow keys do.
    async fn focus(&self, words: &str) {
        let script = "[...document.querySelectorAll('.twin tbody tr')].find(row => row.textContent.includes(arguments[0])).focus();";
        self.site.browser.driver.execute(script, vec![json!(words)]).await.unwrap();
    }

    /// Types where the focus is.
    async fn press(&self, keys: impl Into<thirtyfour::TypingData>) {
        self.site.browser.driver.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Drags the lanes by some pixels.
    async fn drag(&self, by: i64) {
        let canvas = self.site.browser.shown(".timeline-canvas").await;
        let chain = self.site.browser.driver.action_chain();
        chain.click_and_hold_element(&canvas).move_by_offset(by, 0).release().perform().await.unwrap();
    }

    /// Turns the wheel over the lanes while Ctrl is down.
    async fn wheel(&self, by: i64) {
        let script = "const canvas = document.querySelector('.timeline-canvas'); canvas.dispatchEvent(new WheelEvent('wheel', \
                      { deltaY: arguments[0], ctrlKey: true, bubbles: true, cancelable: true, clientX: 700, clientY: 400 }));";
        self.site.browser.driver.execute(script, vec![json!(by)]).await.unwrap();
    }

    async fn path_with(&self, words: &str) -> String {
        self.path_until(&format!("the address has {words:?}"), |path| path.contains(words)).await
    }

    async fn path_without(&self, words: &str) -> String {
        self.path_until(&format!("the address has no {words:?}"), |path| !path.contains(words)).await
    }

    async fn path_is_not(&self, path: &str) -> String {
        self.path_until("the address changes", |new| new != path).await
    }

    async fn path_until(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        self.site.browser.until(what, || async { Some(self.site.path().await).filter(|path| is_it(path)) }).await
    }
}

/// The file is wrong, and every page says so until it is right; what it watches has no button that ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_says_which_configuration_is_in_force() {
    let registry = DemoRegistry::new();
    registry.push(REPOSITORY, "2.3.0", "{}", MediaType::OciManifest);
    let serving = registry.serve().await.unwrap();
    let repository = format!("{}/{REPOSITORY}", serving.host());
    let tagwarden = Tagwarden::start(|place| {
        std::fs::write(place.folder.join("config.json"), "{}").unwrap();
        let docker = place.folder.join("config.json");
        format!(
            "[server]\nlisten = '127.0.0.1:{}'\ndocker_config = '{}'\n[[watch]]\nrepository = '{repository}'\n",
            place.port,
            docker.display()
        )
    })
    .await;
    let site = Site { browser: Browser::start().await, url: tagwarden.url(), repository };
    let page = format!("repository?name={}", site.repository);
    site.open(&page).await;
    site.browser.shows("watched by the configuration file").await;
    assert!(site.browser.driver.find(By::Id("stop")).await.is_err(), "the file watches it");

    let in_force = async |has_mistakes: bool| {
        let url = format!("{}/api/v1/configuration", site.url);
        let errors = |of: &Value| of["errors"].as_array().is_some_and(|errors| errors.is_empty() != has_mistakes);
        until("it was read again", START, || async {
            let answer = http_client().get(&url).send().await.ok()?;
            Some(answer.json::<Value>().await.ok()?).filter(errors)
        })
        .await;
    };
    tagwarden.rewrite(|text| text + "[[registry]]\nhost = 'ghcr.io'\nusrname = 'robot'\n[[wacth]]\n");
    tagwarden.signal("HUP");
    in_force(true).await;
    for path in ["", &page] {
        site.open(path).await;
        site.browser.shows("The newest version of tagwarden.toml has 2 mistakes and is not in force").await;
    }
    site.browser.shown(".configuration-note summary").await.click().await.unwrap();
    site.browser.shows("line 8: `usrname` is no key of [[registry]]; did you mean `username`?").await;
    site.browser.screenshot("configuration-with-mistakes").await;
    tagwarden.rewrite(|text| text.replace("usrname = 'robot'\n[[wacth]]\n", ""));
    tagwarden.signal("HUP");
    in_force(false).await;
    site.open(&page).await;
    site.browser.shows("watched by the configuration file").await;
    assert!(!site.browser.text().await.contains("The newest version"), "it is right again");
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
        let path = url.as_str().strip_prefix(&format!("{}/", self.url));
        path.unwrap_or_else(|| panic!("{url} is outside {}/", self.url)).to_owned()
    }

    /// Waits until the page at `path` is shown, with `words` in it.
    async fn is_at(&self, path: &str, words: &str) {
        self.browser
            .until(&format!("the page is at {path:?}"), || async { (self.path().await == path).then_some(()) })
            .await;
        self.browser.shows(words).await;
    }

    /// Watches the repository by the form of the list.
    async fn watch_many(&self) {
        self.open("repositories").await;
        self.browser.shown("#add-name").await.send_keys(&self.repository).await.unwrap();
        self.browser.shows("Found, with 3 tags.").await;
        self.browser.shown("form.form button[type=submit]").await.click().await.unwrap();
        self.browser.shown(".table tbody tr").await;
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

    async fn search_leads_to_a_page(&self) {
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

    async fn the_description_of_the_api_is_there(&self) {
        self.open("api/v1/docs").await;
        self.browser.shown("a[href='openapi.json']").await.click().await.unwrap();
        self.is_at("api/v1/openapi.json", "\"openapi\"").await;
        let document: Value = serde_json::from_str(&self.browser.text().await).unwrap();
        let servers = document["servers"][0]["url"].as_str().unwrap();
        assert!(self.url.ends_with(servers), "{servers}");
    }

    /// Every file, request and link of the pages that have most of them is below our own address.
    async fn nothing_was_asked_elsewhere(&self) {
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
    async fn no_act_is_offered(&self, flag: &str) {
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

    async fn stop_watching(&self) {
        self.open(&format!("repository?name={}", self.repository)).await;
        self.browser.shown("#stop").await.click().await.unwrap();
        self.browser.shown("#stop-now").await.click().await.unwrap();
        self.is_at("", "Name the first repository.").await;
    }
}
