//! The same on a phone, with a finger.

use serde_json::{Value, json};
use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_tests::browser::Browser;
use tagwarden_tests::demo_run::Demo;

use super::site::Site;
use super::timeline::Timeline;
use super::world::World;

const LANES: &str = ".timeline-rest .timeline-canvas";
const STRIP: &str = ".timeline-strip .timeline-canvas";

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

    /// Puts a finger down for each of `ways`, moves it from the one part of the element's width to the other, and takes it up.
    async fn swipe(&self, selector: &str, ways: &[[f64; 2]]) {
        let script = "
            const element = document.querySelector(arguments[0]);
            element.scrollIntoView({ block: 'center', behavior: 'instant' });
            const box = element.getBoundingClientRect();
            return [box.left, box.width, box.top + Math.min(box.height, 60) / 2];";
        let browser = &self.site.browser;
        let place = browser.run(script, vec![json!(selector)]).await;
        let [left, width, y]: [f64; 3] = serde_json::from_value(place).unwrap();
        let touch = async |kind: &str, part: Option<f64>| {
            let fingers = part.iter().flat_map(|part| {
                let place = move |[from, to]: &[f64; 2]| left + width * (from + (to - from) * part);
                ways.iter().enumerate().map(move |(id, way)| json!({ "x": place(way), "y": y, "id": id }))
            });
            let event = json!({ "type": kind, "touchPoints": fingers.collect::<Vec<_>>() });
            browser.cdp("Input.dispatchTouchEvent", event).await;
        };
        touch("touchStart", Some(0.0)).await;
        for part in [0.25, 0.5, 0.75, 1.0] {
            touch("touchMove", Some(part)).await;
        }
        touch("touchEnd", None).await;
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

/// Both ends of the window in an address.
fn window(path: &str) -> [Instant; 2] {
    let query = path.split_once('?').unwrap().1;
    let value = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)).unwrap().replace("%3A", ":");
    ["from=", "until="].map(|key| value(key).parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_is_moved_and_pinched_with_fingers() {
    let demo = Demo::start().await;
    demo.until_told().await;
    let (browser, url) = (Browser::start().await, demo.url.clone());
    let site = Site { browser, url, repository: String::new() };
    let (phone, timeline) = (Phone { site: &site }, Timeline { site: &site });
    phone.take().await;
    site.open("timeline?range=30d").await;
    site.browser.shown(".handle").await;
    let (whole, began) = (site.path().await, SystemClock::new(1).now().mark.wall);

    // Its filters are one row that can be moved, and none of them is squeezed.
    let script = "const fields = [...document.querySelectorAll('.timeline-filter > *')].map(field => field.getBoundingClientRect());
        return [Math.min(...fields.map(box => box.width)), new Set(fields.map(box => box.top + box.height / 2 | 0)).size];";
    let filters: [f64; 2] = serde_json::from_value(site.browser.run(script, Vec::new()).await).unwrap();
    assert!(filters[0] > 70.0 && filters[1] <= 2.0, "{filters:?}");

    phone.swipe(LANES, &[[0.5, 0.9]]).await;
    let dragged = timeline.path_is_not(&whole).await;
    let [from, until] = window(&dragged);
    let is_close = |one: Millis, other: Millis| (one.0 - other.0).abs() < other.0 / 20;
    assert!(until < began && is_close(until - from, Millis::days(30)), "{dragged}");

    phone.swipe(LANES, &[[0.6, 0.5], [0.7, 0.9]]).await;
    let pinched = timeline.path_is_not(&dragged).await;
    let [nearer, sooner] = window(&pinched);
    assert!(from < nearer && sooner < until && (sooner - nearer).0 * 2 < (until - from).0, "{pinched}");

    // A tap on the strip leads to what happened there, and what is held on it is moved.
    phone.swipe(STRIP, &[[0.6, 0.6]]).await;
    let tapped = timeline.path_is_not(&pinched).await;
    let [from, until] = window(&tapped);
    assert!(until < nearer && is_close(until - from, sooner - nearer), "{tapped}");
    phone.swipe(STRIP, &[[0.6, 0.8]]).await;
    let pulled = timeline.path_is_not(&tapped).await;
    let [later, end] = window(&pulled);
    assert!(later > until && is_close(end - later, until - from), "{tapped} {pulled}");
    site.browser.close().await;
    demo.stop().await;
}
