//! A timeline says what it has no lanes of, and the focus stays with what it was put on.

use serde_json::json;
use thirtyfour::Key;

use super::site::REPOSITORY;
use super::timeline::Timeline;
use super::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_without_lanes_says_why() {
    let world = World::start().await;
    let (site, browser) = (&world.site, &world.site.browser);
    world.post("groups", &json!({ "name": "empty" })).await;
    for (address, words) in [
        (format!("repository?name={}&q=nothing-like-this", site.repository), "No lane matches."),
        ("timeline?flagged=true&q=nothing-like-this".to_owned(), "No lane matches."),
        ("group?name=empty".to_owned(), "No tag was seen yet."),
        ("group?name=nobody-made-it".to_owned(), "No tag was seen yet."),
    ] {
        site.open(&address).await;
        browser.shows(words).await;
        assert!(!browser.text().await.contains("Loading…"), "{address} waits for nothing");
    }
    world.site.browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_focus_stays_with_an_event_whatever_comes_beside_it() {
    let world = World::start().await;
    let (site, browser) = (&world.site, &world.site.browser);
    let timeline = Timeline { site };
    site.open(&format!("repository?name={}", site.repository)).await;
    timeline.has_row("2.5.0 published").await;
    timeline.focus("2.5.0 published").await;
    timeline.has_focus_on("2.5.0 published").await;
    // A lane of its own comes above it.
    world.publish(REPOSITORY, "3.0.0", 10);
    timeline.has_row("3.0.0 published").await;
    timeline.has_focus_on("2.5.0 published").await;
    // The newest of its lane, which it may become a part of.
    world.publish(REPOSITORY, "2.5.1", 11);
    timeline.has_row("2.5.1").await;
    timeline.has_focus_on("2.5.x").await;

    // To where nothing happened, and back.
    for _ in 0..8 {
        browser.press("a").await;
    }
    // The table says that nobody watched then, and no more.
    let script = "return [...document.querySelectorAll('.twin tbody tr')].every(row => row.textContent.includes('not watched'));";
    let is_empty = || async { (browser.run(script, Vec::new()).await == true).then_some(()) };
    browser.until("there are no rows of events", is_empty).await;
    timeline.has_focus_on("").await;
    browser.press(Key::Right).await;
    for _ in 0..12 {
        browser.press("d").await;
    }
    timeline.has_row("2.5").await;
    timeline.has_focus_on("2.5.x").await;
    world.site.browser.close().await;
}
