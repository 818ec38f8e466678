//! What a person does from the first visit to the way back, by mouse.

use serde_json::Value;
use tagwarden::demo::registry::DemoRegistry;
use tagwarden_model::tag::MediaType;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::images::Image;
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::wait::{START, until};
use tagwarden_tests::{http_client, skopeo};
use thirtyfour::{By, Key};

use super::site::{REPOSITORY, Site};

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
    let expected = [
        ("/api/v1/live", "net::ERR_INCOMPLETE_CHUNKED_ENCODING"),
        ("/api/v1/live", "net::ERR_CONNECTION_REFUSED"),
        ("/api/v1/timeline/tile?", "net::ERR_CONNECTION_REFUSED"),
        ("/api/v1/repositories/one?name=", "status of 404"),
        ("/api/v1/timeline/lanes?repository=", "status of 404"),
    ];
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
    browser.shows("1 repository for “shop”.").await;

    site.open(&page).await;
    click("#stop").await;
    click("#stop-now").await;
    browser.shown(".columns").await;
    site.open(&page).await;
    types("#purge", &format!("{host}/team/ap")).await;
    click(".form button").await;
    browser.shows("Repeat the name of the repository: its history is deleted for good. Correct it").await;
    types("#purge", "i").await;
    click(".form button").await;
    browser.shows("Its history is deleted.").await;
    // It asks for what is refused or not watched any more.
    let expected = [
        ("/api/v1/repositories/preview?wait=10", "status of 400"),
        ("/api/v1/repositories/one?name=", "status of 404"),
        ("/api/v1/timeline/lanes?repository=", "status of 404"),
        ("/api/v1/repositories/purge?name=", "status of 400"),
    ];
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
    browser.shows("This view is saved as “Known”.").await;
    site.open("").await;
    click(".nav-views a").await;
    site.is_at("flags?state=acknowledged", "means other bytes than before").await;

    let ways_back = async || {
        site.open(&format!("targets?repository={}&tag=1.3.0", site.repository)).await;
        let releases = "return [...document.querySelectorAll('.target-release')].map(release => release.textContent);";
        let found = browser.until("targets are offered", || async {
            let found = browser.driver.execute(releases, Vec::new()).await.ok()?.convert::<Vec<String>>().ok()?;
            (!found.is_empty()).then_some(found)
        });
        found.await
    };
    let before = ways_back().await;
    assert!(before.contains(&"1.1.0".to_owned()), "{before:?}");
    site.open(&format!("tag?repository={}&name=1.1.0", site.repository)).await;
    click("details.card summary").await;
    types("#bad", "loses orders").await;
    click("details.card button[type=submit]").await;
    browser.shows("It may be used again").await;
    browser.shows("loses orders").await;
    let others: Vec<String> = before.into_iter().filter(|release| release != "1.1.0").collect();
    assert_eq!(ways_back().await, others, "it alone is no way back any more");

    site.open("settings").await;
    types("#rule-tag", "1.*").await;
    click("main select option[value=rolling]").await;
    click("main form button[type=submit]").await;
    browser.shows("4 of 4 tags would get another class.").await;
    browser.shows("class = \"rolling\"").await;
    site.browser.close().await;
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
