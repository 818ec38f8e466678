//! The timeline by keys alone, by mouse, and by its address.

use tagwarden::demo::registry::DemoRegistry;
use tagwarden_model::tag::MediaType;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::tagwarden_process::Tagwarden;
use thirtyfour::Key;

use super::site::{REPOSITORY, Site};
use super::timeline::Timeline;

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
    // The words beside it go first.
    site.browser.shown(".timeline-tip").await;
    timeline.press(Key::Escape).await;
    site.browser
        .until("the words are gone", || async { (site.browser.count(".timeline-tip").await == 0).then_some(()) })
        .await;
    site.browser.shown(".timeline-pinned").await;
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
