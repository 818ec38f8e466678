//! What the timeline paints: the calls that it makes, and a few of the pixels that come of them.

use serde::Deserialize;
use serde_json::json;
use tagwarden_tests::browser::Browser;

use super::site::REPOSITORY;
use super::timeline::Timeline;
use super::world::World;

/// Writes down what each canvas was painted with since it was emptied.
const SCRIPT: &str = "
    const canvases = new WeakMap(), brush = CanvasRenderingContext2D.prototype;
    const note = (context, change) => {
        if (!canvases.has(context)) canvases.set(context, { paths: [], texts: [], path: [] });
        change(canvases.get(context));
    };
    const notes = {
        clearRect: (context, all) => { all.paths = []; all.texts = []; all.path = []; },
        beginPath: (context, all) => { all.path = []; },
        fill: (context, all) => all.paths.push({ act: 'fill', ink: `${context.fillStyle}`, shapes: [...all.path] }),
        stroke: (context, all) => all.paths.push({ act: 'stroke', ink: `${context.strokeStyle}`, shapes: [...all.path] }),
        fillText: (context, all, text, x, y) => all.texts.push({ words: text, x, y, ink: `${context.fillStyle}` }),
    };
    for (const name of ['rect', 'roundRect', 'arc', 'moveTo', 'lineTo', 'closePath'])
        notes[name] = (context, all, ...numbers) => all.path.push([name, numbers]);
    for (const [name, change] of Object.entries(notes)) {
        const real = brush[name];
        brush[name] = function (...given) {
            note(this, all => change(this, all, ...given));
            return real.apply(this, given);
        };
    }
    window.painted = selector => canvases.get(document.querySelector(selector).getContext('2d'));";

const LANES: &str = ".timeline-rest .timeline-canvas";

/// What a canvas was painted with.
#[derive(Debug, Deserialize)]
struct Painted {
    paths: Vec<Path>,
    texts: Vec<Text>,
}

/// A path that was filled or stroked, as calls with their numbers.
#[derive(Debug, Deserialize)]
struct Path {
    act: String,
    ink: String,
    shapes: Vec<(String, Vec<f64>)>,
}

#[derive(Debug, Deserialize)]
struct Text {
    words: String,
    x: f64,
    y: f64,
    ink: String,
}

impl Painted {
    async fn on(browser: &Browser) -> Self {
        serde_json::from_value(browser.run("return painted(arguments[0]);", vec![json!(LANES)]).await).unwrap()
    }

    fn text(&self, words: &str) -> &Text {
        let mut found = self.texts.iter().filter(|text| text.words == words);
        let text = found.next().unwrap_or_else(|| panic!("no text {words:?}: {self:#?}"));
        assert!(found.next().is_none(), "{words:?} stands twice: {self:#?}");
        text
    }

    /// Middle and ink of every circle of a radius that was filled.
    fn discs(&self, radius: f64) -> Vec<(f64, f64, &str)> {
        let filled = self.paths.iter().filter(|path| path.act == "fill");
        let arcs = filled.flat_map(|path| path.shapes.iter().map(move |shape| (shape, path.ink.as_str())));
        let discs = arcs.filter_map(|((call, numbers), ink)| match (call.as_str(), numbers.as_slice()) {
            ("arc", [x, y, r, ..]) if (r - radius).abs() < 0.01 => Some((*x, *y, ink)),
            _ => None,
        });
        discs.collect()
    }

    /// Middle of every diamond that was filled with an ink.
    fn diamonds(&self, ink: &str) -> Vec<(f64, f64)> {
        let filled = self.paths.iter().filter(|path| path.act == "fill" && path.ink == ink);
        let shapes: Vec<_> = filled.flat_map(|path| &path.shapes).collect();
        let corners = shapes.windows(5).filter(|calls| {
            let calls: Vec<&str> = calls.iter().map(|(call, _)| call.as_str()).collect();
            calls == ["moveTo", "lineTo", "lineTo", "lineTo", "closePath"]
        });
        corners.map(|calls| (calls[0].1[0], calls[1].1[1])).collect()
    }
}

/// The colour at a place of the picture: red, green, blue, opacity.
async fn pixel(browser: &Browser, x: f64, y: f64) -> [u8; 4] {
    // The lanes are painted on a canvas of their own, below that of the axis.
    let script = "const above = document.querySelector('.timeline-fixed .timeline-canvas').clientHeight;
        const canvas = document.querySelector(arguments[0]);
        const y = arguments[2] - above - canvas.offsetTop;
        return [...canvas.getContext('2d').getImageData(arguments[1], y, 1, 1).data];";
    serde_json::from_value(browser.run(script, vec![json!(LANES), json!(x.round()), json!(y.round())]).await).unwrap()
}

/// An ink as a pixel, painted apart.
async fn ink(browser: &Browser, ink: &str) -> [u8; 4] {
    let script = "const brush = new OffscreenCanvas(1, 1).getContext('2d'); brush.fillStyle = arguments[0];
        brush.fillRect(0, 0, 1, 1); return [...brush.getImageData(0, 0, 1, 1).data];";
    serde_json::from_value(browser.run(script, vec![json!(ink)]).await).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_paints_releases_breaches_and_their_names() {
    let world = World::start().await;
    let browser = &world.site.browser;
    browser.before_pages(SCRIPT).await;
    world.site.open(&format!("repository?name={}", world.site.repository)).await;
    world.site.has_its_data().await;
    let timeline = Timeline { site: &world.site };
    timeline.has_row("2.3.0 reassigned").await;
    world.publish(REPOSITORY, "3.0.0", 10);
    timeline.has_row("3.0.0 published").await;
    for (theme, flag, flag_pixel) in
        [("light", "#c4271a", [0xc4, 0x27, 0x1a, 0xff]), ("dark", "#ff7a6c", [0xff, 0x7a, 0x6c, 0xff])]
    {
        browser.theme(theme).await;
        let painted = browser
            .until("the breach has the colour of the theme", || async {
                Some(Painted::on(browser).await).filter(|painted| !painted.diamonds(flag).is_empty())
            })
            .await;
        // Each lane has its name, and one mark at its height.
        let at = |lane: &str| painted.text(lane).y;
        let heights = |discs: Vec<(f64, f64, &str)>| {
            let mut heights: Vec<_> = discs.into_iter().map(|(_, y, _)| y).collect();
            heights.sort_by(f64::total_cmp);
            heights
        };
        assert_eq!(heights(painted.discs(5.0)), [at("3.0.x"), at("2.5.x")], "published");
        let [x, y] = match painted.diamonds(flag).as_slice() {
            [(x, y)] => [*x, *y],
            others => panic!("one release was moved: {others:?}"),
        };
        assert!((y - at("2.3.x")).abs() < 0.01, "the breach is on its lane");
        let before = heights(painted.discs(4.0));
        assert!(
            [at("2.4.x"), at("2.3.x"), at("2.2.x")].iter().all(|lane| before.contains(lane)),
            "from before: {before:?}"
        );
        for (name, inks) in [("3.0.0", None), ("2.5.0", None), ("2.3.0 reassigned", Some(flag))] {
            let text = painted.text(name);
            assert_eq!(text.ink == flag, inks.is_some(), "{name} in {}", text.ink);
            assert!(text.x < x, "what happened just now has its name on its left");
        }

        // What was called is what is seen.
        assert_eq!(pixel(browser, x, y).await, flag_pixel, "{theme}: a breach");
        for (x, y, hue) in painted.discs(5.0) {
            assert_eq!(pixel(browser, x, y).await, ink(browser, hue).await, "{theme}: a release in {hue}");
        }
        assert_eq!(pixel(browser, x + 20.0, y).await, [0; 4], "{theme}: the future is blank");
    }
    world.site.browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_moves_has_fewer_pixels_and_is_sharp_where_it_stands_still() {
    let world = World::start().await;
    let browser = &world.site.browser;
    // So sharp that even a few lanes are many pixels.
    browser.resize_at(1440, 900, 5).await;
    world.site.open(&format!("repository?name={}", world.site.repository)).await;
    world.site.has_its_data().await;
    let script = "const canvas = document.querySelector(arguments[0]), box = canvas.getBoundingClientRect();
        return [canvas.width / canvas.clientWidth, box.x + box.width / 2, box.y + box.height / 2];";
    let look = async || {
        let answer = browser.run(script, vec![json!(LANES)]).await;
        serde_json::from_value::<[f64; 3]>(answer).unwrap()
    };
    let [sharp, x, y] = look().await;
    assert!((sharp - 5.0).abs() < 0.01, "{sharp} pixels for each of the page");
    let mouse = async |kind: &str, x: f64| {
        let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1 });
        browser.cdp("Input.dispatchMouseEvent", event).await;
    };
    mouse("mousePressed", x).await;
    mouse("mouseMoved", x - 60.0).await;
    browser.until("it moves with fewer pixels", async || (look().await[0] < 4.0).then_some(())).await;
    browser.until("it is held, and sharp", async || (look().await[0] > 4.99).then_some(())).await;
    mouse("mouseMoved", x - 90.0).await;
    browser.until("it moves on with fewer pixels", async || (look().await[0] < 4.0).then_some(())).await;
    mouse("mouseReleased", x - 90.0).await;
    browser.until("it is let go, and sharp", async || (look().await[0] > 4.99).then_some(())).await;
    world.site.browser.close().await;
}

/// Where the present and the moved release are.
async fn places(browser: &Browser) -> [f64; 2] {
    let painted = || async {
        let painted = Painted::on(browser).await;
        let (x, _) = *painted.diamonds("#c4271a").first()?;
        let now = painted.texts.iter().find(|text| text.words == "now")?.x;
        Some([now, x])
    };
    browser.until("the breach is painted", painted).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_shows_the_same_when_it_is_loaded_again() {
    let world = World::start().await;
    let (site, browser) = (&world.site, &world.site.browser);
    browser.before_pages(SCRIPT).await;
    browser.theme("light").await;
    let timeline = Timeline { site };
    let address = format!("repository?name={}&range=2h", site.repository);
    // Towards the past as far as the present stays in sight; towards the future as far as that goes; and closer.
    for (drag, wheel) in [(9, 0), (-200, 0), (0, 200)] {
        site.open(&address).await;
        timeline.has_row("2.3.0 reassigned").await;
        match wheel {
            0 => timeline.drag(drag).await,
            by => timeline.wheel(by).await,
        }
        timeline.path_until("the address follows", |path| path != address).await;
        let there = places(browser).await;
        browser.driver.refresh().await.unwrap();
        timeline.has_row("2.3.0 reassigned").await;
        let again = places(browser).await;
        // In two hours a pixel is six seconds, and the test takes some.
        assert!(there.iter().zip(again).all(|(one, other)| (one - other).abs() < 4.0), "{there:?} became {again:?}");
    }
    world.site.browser.close().await;
}
