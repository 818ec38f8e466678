//! The same on a phone, with a finger.

use serde_json::{Value, json};

use super::site::Site;
use super::world::World;

/// A person with a phone in hand.
struct Phone<'a> {
    site: &'a Site,
}

impl Phone<'_> {
    /// 390 to 844 points, three pixels each, touched instead of pointed at.
    async fn take(&self) {
        let metrics = json!({ "width": 390, "height": 844, "deviceScaleFactor": 3, "mobile": true });
        self.site.browser.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        let touch = json!({ "enabled": true, "maxTouchPoints": 1 });
        self.site.browser.cdp("Emulation.setTouchEmulationEnabled", touch).await;
    }

    /// Scrolls to what matches `selector` and holds `words`, and taps on its middle. It has to be there and large enough for a
    /// finger.
    async fn tap(&self, selector: &str, words: &str) {
        let script = "
            const wanted = [...document.querySelectorAll(arguments[0])].find(one => one.textContent.includes(arguments[1]));
            if (!wanted) return null;
            wanted.scrollIntoView({ block: 'center', behavior: 'instant' });
            const box = wanted.getBoundingClientRect();
            const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
            const hit = document.elementFromPoint(x, y);
            return { x, y, width: box.width, height: box.height, is_free: hit !== null && (wanted.contains(hit) || hit.contains(wanted)) };";
        let browser = &self.site.browser;
        let place = browser
            .until(&format!("{selector} {words:?} is there"), || async {
                Some(browser.run(script, vec![json!(selector), json!(words)]).await).filter(|place| !place.is_null())
            })
            .await;
        assert_eq!(place["is_free"], true, "{selector} {words:?} lies under something else: {place}");
        let is_large = |side: &str| place[side].as_f64().is_some_and(|side| side >= 24.0);
        assert!(is_large("width") && is_large("height"), "{selector} {words:?} is too small for a finger: {place}");
        let at = json!({ "x": place["x"], "y": place["y"] });
        browser.cdp("Input.dispatchTouchEvent", json!({ "type": "touchStart", "touchPoints": [at] })).await;
        browser.cdp("Input.dispatchTouchEvent", json!({ "type": "touchEnd", "touchPoints": [] })).await;
    }

    /// Nothing is wider than the screen.
    async fn fits(&self, page: &str) {
        let script = "return [document.documentElement.scrollWidth, innerWidth];";
        let widths = self.site.browser.run(script, Vec::new()).await;
        assert_eq!(widths, json!([390, 390]), "{page} is wider than the screen");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flag_is_acknowledged_and_a_way_back_copied_on_a_phone() {
    let world = World::start().await;
    let (site, browser) = (&world.site, &world.site.browser);
    let phone = Phone { site };
    browser.allow_clipboard().await;
    phone.take().await;
    for (page, path) in world.pages() {
        site.open(&path).await;
        site.has_its_data().await;
        phone.fits(page).await;
    }

    site.open("").await;
    site.has_its_data().await;
    site.mark_document().await;
    phone.tap(".flag-card-button", "").await;
    site.is_at("flags/1", "The way back").await;
    phone.tap("button", "Acknowledge").await;
    phone.tap("#reason", "").await;
    browser.press("rebuilt on purpose").await;
    phone.tap("main form button[type=submit]", "").await;
    browser.shows("rebuilt on purpose").await;
    world.until("flags/1", |flag: &Value| flag["state"] == "acknowledged").await;
    phone.fits("the flag with its story").await;
    phone.tap("button[aria-label='Copy pinned reference']", "").await;
    browser.shows("Copied").await;
    assert_eq!(browser.clipboard().await, format!("{}@{}", site.repository, world.promised));

    phone.tap("nav a", "Repositories").await;
    site.is_at("repositories", "checked as promised").await;
    phone.tap(".repository-name", "team/api").await;
    site.is_at(&format!("repository?name={}", site.repository), "Timeline").await;
    phone.tap(".segments a", "7 days").await;
    let there = format!("repository?name={}&range=7d", site.repository);
    site.is_at(&there, "Timeline").await;
    phone.tap("button.search", "").await;
    browser.shown("#find").await;
    browser.press("api 2.5").await;
    phone.tap(".palette-row", "2.5.0").await;
    site.is_at(&format!("tag?repository={}&name=2.5.0", site.repository), "What it named").await;
    site.is_the_same_document().await;
    world.site.browser.close().await;
}
