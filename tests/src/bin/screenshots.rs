//! `make screenshots`: every page of the demo, light, dark and on a phone, and how a flag prints, into tests/screenshots; the
//! first one, light and dark, is the README's picture, too.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tagwarden::config::{Checked, ServerConfig};
use tagwarden::registry::credentials::Secret;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::demo_run::Demo;
use tagwarden_tests::http_client;
use thirtyfour::{By, Key};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Name of the variant, width, height, theme.
const VARIANTS: [(&str, u32, u32, &str); 4] = [
    ("light", 1440, 900, "light"),
    ("dark", 1440, 900, "dark"),
    ("phone", 390, 844, "light"),
    ("phone-dark", 390, 844, "dark"),
];

/// A sheet of A4 without its margins, in CSS pixels.
const SHEET: (u32, u32) = (688, 1017);

/// What a timeline says until its lanes and marks are there.
const LOADING: &str = "Loading…";

const RELEASED: &str = "registry.acme.example/acme/payments-api";
/// With the one above, a group that somebody made.
const BESIDE: &str = "registry.acme.example/acme/payments-web";

#[tokio::main]
async fn main() {
    let demo = Demo::start().await;
    demo.until_told().await;
    make_group(&demo).await;
    let stop = CancellationToken::new();
    let nothing = start_empty(stop.clone()).await;
    let flags = demo.all("flags?state=active").await;
    let flag = flags.iter().find(|flag| flag["repository"] == RELEASED).unwrap_or(&Value::Null).clone();
    let digest = flag["current"].as_str().unwrap_or_default();
    let promise = flag["promise"].as_str().unwrap_or_default();
    let lanes = demo.get(&format!("timeline/lanes?repository={RELEASED}")).await;
    let lane = lanes["lanes"][0]["id"].as_str().unwrap_or_default();
    let of_flag = format!("flags/{}", flag["id"]);
    let pages = [
        ("overview", String::new()),
        ("flags", "flags".to_owned()),
        ("flag", of_flag.clone()),
        ("timeline", "timeline".to_owned()),
        ("timeline-arranged", format!("timeline?q=payments&pin={lane}&collapse={BESIDE}")),
        ("group", "group?name=payments".to_owned()),
        ("repositories", "repositories".to_owned()),
        ("repository", format!("repository?name={RELEASED}")),
        ("many-tags", "repository?name=builds.acme.example/ci/builds".to_owned()),
        ("tag", format!("tag?repository={RELEASED}&name=2.3.0")),
        ("rolling-tag", format!("tag?repository={RELEASED}&name=latest")),
        ("targets", format!("targets?repository={RELEASED}&tag=2.3.0")),
        ("digest", format!("digest/{digest}")),
        ("compare", format!("compare?old={promise}&new={digest}")),
        ("notifiers", "notifiers".to_owned()),
        ("settings", "settings".to_owned()),
        ("settings-rule-tried", "settings".to_owned()),
        ("palette", String::new()),
        ("not-found", "flags/1/none".to_owned()),
        ("styleguide", "styleguide".to_owned()),
    ];
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("docs");
    let browser = Browser::start().await;
    for (variant, width, height, theme) in VARIANTS {
        browser.resize(width, height).await;
        browser.theme(theme).await;
        for (page, path) in &pages {
            open(&browser, &format!("{}/{path}", demo.url)).await;
            match *page {
                "palette" => find(&browser, "payments 2.3").await,
                "settings-rule-tried" => try_rule(&browser).await,
                _ => {}
            }
            let path = browser.screenshot(&format!("{page}-{variant}")).await;
            println!("{}", path.display());
            if *page == "overview" && !variant.starts_with("phone") {
                let picture = docs.join(format!("overview-{variant}.png"));
                fs::copy(&path, &picture).unwrap_or_else(|error| panic!("{}: {error}", picture.display()));
            }
        }
        open(&browser, &nothing).await;
        println!("{}", browser.screenshot(&format!("empty-{variant}")).await.display());
    }
    browser.resize(SHEET.0, SHEET.1).await;
    open(&browser, &format!("{}/{of_flag}", demo.url)).await;
    browser.cdp("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
    println!("{}", browser.screenshot("flag-print").await.display());
    browser.close().await;
    stop.cancel();
    demo.stop().await;
}

/// Opens a page, and waits for all that it shows.
async fn open(browser: &Browser, url: &str) {
    browser.open(url).await;
    browser.shown("main h1").await;
    browser
        .until("the page has its data", || async {
            let waiting = browser.driver.find_all(By::Css("main .skeleton[role], main[aria-busy=true]")).await.ok()?;
            (waiting.is_empty() && !browser.text().await.contains(LOADING)).then_some(())
        })
        .await;
}

/// Asks the palette, and waits for its answer.
async fn find(browser: &Browser, words: &str) {
    browser.press(Key::Control + "k").await;
    browser.shown("#find").await;
    browser.press(words).await;
    browser.shown(".palette-row").await;
}

/// Asks what one more rule would change, and shows the answer.
async fn try_rule(browser: &Browser) {
    let field = browser.shown("#rule-tag").await;
    field.send_keys("2.*").await.expect("the field takes text");
    browser.shown("main select option[value=rolling]").await.click().await.expect("a class is chosen");
    browser.shown("main form button[type=submit]").await.click().await.expect("the form is sent");
    browser.shows("would get another class").await;
    field.scroll_into_view().await.expect("the form is scrolled to");
}

async fn make_group(demo: &Demo) {
    let act = async |path: &str, body: Value| {
        let answer = http_client().post(format!("{}/api/v1/{path}", demo.url)).json(&body).send().await;
        let status = answer.expect("the demo answers").status();
        assert!(status.is_success(), "{path}: {status}");
    };
    act("groups", json!({ "name": "payments" })).await;
    for repository in [RELEASED, BESIDE] {
        act("groups/repositories", json!({ "group": "payments", "repository": repository })).await;
    }
}

/// A server that watches nothing: its address.
async fn start_empty(stop: CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it has an address"));
    let server = ServerConfig { database: Secret::new("sqlite::memory:"), ..ServerConfig::default() };
    let config = Checked { server, ..Checked::default() };
    tokio::spawn(tagwarden::serve::serve(config, None, false, listener, None, stop));
    url
}
