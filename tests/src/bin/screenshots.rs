//! `make screenshots`: every page of the demo, light, dark and on a phone, into tests/screenshots; the first one, light and
//! dark, is the README's picture, too.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::demo_run::Demo;

/// Name of the variant, width, height, theme.
const VARIANTS: [(&str, u32, u32, &str); 3] =
    [("light", 1440, 900, "light"), ("dark", 1440, 900, "dark"), ("phone", 390, 844, "light")];

/// What a timeline says until its lanes and marks are there.
const LOADING: &str = "Loading…";

const RELEASED: &str = "registry.acme.example/acme/payments-api";

#[tokio::main]
async fn main() {
    let demo = Demo::start().await;
    demo.until_told().await;
    let flags = demo.all("flags?state=active").await;
    let flag = flags.iter().find(|flag| flag["repository"] == RELEASED).unwrap_or(&Value::Null).clone();
    let digest = flag["current"].as_str().unwrap_or_default();
    let promise = flag["promise"].as_str().unwrap_or_default();
    let lanes = demo.get(&format!("timeline/lanes?repository={RELEASED}")).await;
    let lane = lanes["lanes"][0]["id"].as_str().unwrap_or_default();
    let pages = [
        ("overview", String::new()),
        ("flags", "flags".to_owned()),
        ("flag", format!("flags/{}", flag["id"])),
        ("timeline", "timeline".to_owned()),
        (
            "timeline-arranged",
            format!("timeline?q=payments&pin={lane}&collapse=registry.acme.example/acme/payments-web"),
        ),
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
        ("styleguide", "styleguide".to_owned()),
    ];
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("docs");
    let browser = Browser::start().await;
    for (variant, width, height, theme) in VARIANTS {
        browser.resize(width, height).await;
        browser.theme(theme).await;
        for (page, path) in &pages {
            browser.open(&format!("{}/{path}", demo.url)).await;
            browser.shown("main h1").await;
            browser
                .until("the page has its data", || async {
                    let waiting = browser.driver.find_all(thirtyfour::By::Css("main .skeleton[role]")).await.ok()?;
                    (waiting.is_empty() && !browser.text().await.contains(LOADING)).then_some(())
                })
                .await;
            let path = browser.screenshot(&format!("{page}-{variant}")).await;
            println!("{}", path.display());
            if *page == "overview" && variant != "phone" {
                let picture = docs.join(format!("overview-{variant}.png"));
                fs::copy(&path, &picture).unwrap_or_else(|error| panic!("{}: {error}", picture.display()));
            }
        }
    }
    browser.close().await;
    demo.stop().await;
}
