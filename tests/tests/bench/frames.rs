use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden_model::observation::Mono;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::wait::{pause, until};
use tempfile::TempDir;

use super::busy::Times;
use super::scale::{self, BEGINS, HOST, LENGTH, Size};

/// So few that all of them are on the screen at once.
const LANES: i64 = 25;
const EVENTS: usize = 100_000;
/// The first repository's rolling tags have them; a few releases are what these point at.
const SIZE: Size = Size {
    repositories: 2,
    tags: 545,
    tags_of_first: 525,
    rolling_of_first: LANES,
    events: 100_645,
    moves_of_first: EVENTS as i64 / LANES,
};
/// Milliseconds: a frame of a screen with 60 of them in a second.
const P95: f64 = 16.7;
/// Movements of the pointer, and turns of the wheel.
const STEPS: i64 = 180;
/// A page that draws once for several of them is not measured by them.
const FRAMES: usize = STEPS as usize * 9 / 10;
/// Between two of them.
const PACE: Duration = Duration::from_millis(16);
/// A chart that needs longer for all of them is measured by those that it did.
const LONGEST: Mono = Mono(30_000_000);
const TRACED: &str = "devtools.timeline,disabled-by-default-devtools.timeline";
/// Writes down which texts each canvas was painted with since it was emptied, until `textsInView` is asked: those that stand
/// within the window, and below what stays at its top.
const SCRIPT: &str = "
    const brush = CanvasRenderingContext2D.prototype, { clearRect, fillText } = brush, painted = new Map();
    brush.clearRect = function (...given) {
        painted.set(this, []);
        return clearRect.apply(this, given);
    };
    brush.fillText = function (text, x, y, ...more) {
        painted.get(this)?.push([text, this.getTransform().transformPoint({ x, y }).y]);
        return fillText.call(this, text, x, y, ...more);
    };
    window.textsInView = () => {
        Object.assign(brush, { clearRect, fillText });
        const top = document.querySelector('.timeline-fixed').getBoundingClientRect().bottom, found = [];
        for (const [{ canvas }, texts] of painted) {
            const box = canvas.getBoundingClientRect();
            const place = y => box.top + y * box.height / canvas.height;
            found.push(...texts.filter(([, y]) => canvas.isConnected && place(y) > top && place(y) < innerHeight));
        }
        return found.map(([text]) => text);
    };";

/// The main thread's work for each step of a drag and of the wheel with Ctrl, with 100,000 events in view: the timeline, and two
/// charts with their own ways of drawing less than all of them.
///
/// Counted is the time of all tasks of the page's main thread (Chromium's trace, `RunTask`), from the one that is told of a
/// movement to the next such: its script, layout and paint, the frame's callbacks and whatever else runs until then, such as
/// timers and answers that are read. Of each the time that has passed counts; what the thread itself was given is told too. It needs a machine that is idle otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn main_thread_work_of_a_frame() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("record.db").display());
    scale::fill(&url, SIZE).await;
    let (server, _) = scale::started(&url).await;
    let lanes = write_charts(&folder, &url).await;
    let timeline = format!("{}/repository?name={HOST}/team/app-1&class=rolling&range=all", server.url());
    let chart = |name: &str| format!("file://{}", folder.path().join(name).display());
    let mut missed = Vec::new();
    for (name, url, area) in [
        ("Tagwarden", timeline, ".timeline-canvas"),
        ("ECharts, large scatter", chart("echarts.html"), "#chart"),
        ("vis-timeline, clustering", chart("vis.html"), "#chart"),
    ] {
        for ratio in [1, 2] {
            let browser = Browser::traced(TRACED).await;
            browser.resize_at(1440, 900, ratio).await;
            if name == "Tagwarden" {
                browser.before_pages(SCRIPT).await;
            }
            browser.open(&url).await;
            assert_eq!(browser.run("return devicePixelRatio;", Vec::new()).await, ratio, "{name}");
            until("the events are drawn", Duration::from_mins(5), async || {
                // An answer that is late is that of a page that still computes.
                let script = "return window.ready ?? !!document.querySelector('.twin tbody tr');";
                browser.driver.execute(script, Vec::new()).await.ok()?.json().as_bool()?.then_some(())
            })
            .await;
            let script = "const area = document.querySelector(arguments[0]); area.scrollIntoView({ block: 'start' });
                const box = area.getBoundingClientRect(); return [box.x + box.width / 2, box.y + 300];";
            let middle = browser.driver.execute(script, vec![json!(area)]).await.unwrap();
            let [x, y]: [f64; 2] = middle.convert().unwrap();
            pause(Duration::from_secs(1)).await;
            if name == "Tagwarden" {
                let texts = browser.run("return textsInView();", Vec::new()).await;
                let texts: Vec<String> = serde_json::from_value(texts).unwrap();
                let in_view: usize = texts.iter().filter_map(|text| lanes.get(text)).sum();
                assert!(in_view >= EVENTS, "{in_view} events are in view: {texts:?}");
            }
            for act in ["pan", "zoom"] {
                let before = view(&browser).await;
                let work = if act == "pan" { pan(&browser, x, y).await } else { zoom(&browser, x, y).await };
                let Some(work) = work else {
                    assert_ne!(name, "Tagwarden", "{act} at {ratio}x");
                    println!("{name}, {ratio}x, {act}: a step was not done within a minute");
                    continue;
                };
                until(format!("the view of {name} was moved by the {act}"), Duration::from_mins(2), async || {
                    view(&browser).await.filter(|view| before.as_ref().is_some_and(|before| view != before))
                })
                .await;
                let (passed, given): (Vec<f64>, Vec<f64>) = work.into_iter().unzip();
                let (count, times, given) = (passed.len(), Times::of(passed), Times::of(given).at(0.95));
                let [p50, p95, most] = [0.5, 0.95, 1.0].map(|part| times.at(part));
                println!(
                    "{name}, {ratio}x, {act}: p50 {p50:.1} ms, p95 {p95:.1} ({given:.1} of the processor), at most {most:.1}, of \
                     {count} frames"
                );
                if name == "Tagwarden" && count < FRAMES {
                    missed.push(format!("{act} at {ratio}x: {count} frames, not {FRAMES}"));
                }
                if name == "Tagwarden" && p95 > P95 {
                    missed.push(format!("{act} at {ratio}x: p95 {p95:.1} ms, not {P95}"));
                }
            }
            let is_idle = mouse(&browser, "mouseMoved", x, y, json!({})).await.is_some();
            if is_idle && env::var_os("TAGWARDEN_BENCH_PICTURES").is_some() {
                browser.screenshot(&format!("frames-{}-{ratio}", name.split(',').next().unwrap())).await;
            }
            if is_idle {
                browser.close().await;
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

/// What a page shows, as it says itself: the timeline by its address. `None` if the page does not answer.
async fn view(browser: &Browser) -> Option<String> {
    let script = "return window.view ? JSON.stringify(view()) : location.href;";
    browser.driver.execute(script, Vec::new()).await.ok()?.convert().ok()
}

/// Drags to and fro, and does not come back to where it began. `None` if the page does not answer within a minute.
async fn pan(browser: &Browser, mut x: f64, y: f64) -> Option<Vec<(f64, f64)>> {
    mouse(browser, "mouseMoved", x, y, json!({})).await?;
    browser.trace().await;
    mouse(browser, "mousePressed", x, y, json!({ "button": "left", "buttons": 1, "clickCount": 1 })).await?;
    let clock = SystemClock::new(1);
    for at in (0..STEPS).take_while(|_| clock.now().mono < LONGEST) {
        x += if at / 30 % 2 == 0 { 6.0 } else { -5.0 };
        mouse(browser, "mouseMoved", x, y, json!({ "button": "left", "buttons": 1 })).await?;
        pause(PACE).await;
    }
    mouse(browser, "mouseReleased", x, y, json!({ "button": "left", "clickCount": 1 })).await?;
    Some(work(&browser.trace().await, &["pointermove", "mousemove"]))
}

/// Zooms in and out, and does not come back to where it began. `None` if the page does not answer within a minute.
async fn zoom(browser: &Browser, x: f64, y: f64) -> Option<Vec<(f64, f64)>> {
    // A page that still computes answers nothing at all.
    mouse(browser, "mouseMoved", x, y, json!({})).await?;
    browser.trace().await;
    let clock = SystemClock::new(1);
    for at in (0..STEPS).take_while(|_| clock.now().mono < LONGEST) {
        let by = if at / 15 % 2 == 0 { -20.0 } else { 18.0 };
        // Two is Ctrl.
        mouse(browser, "mouseWheel", x, y, json!({ "deltaX": 0, "deltaY": by, "modifiers": 2 })).await?;
        pause(PACE).await;
    }
    Some(work(&browser.trace().await, &["wheel", "mousewheel"]))
}

async fn mouse(browser: &Browser, kind: &str, x: f64, y: f64, more: Value) -> Option<()> {
    let mut parameters = json!({ "type": kind, "x": x, "y": y });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let sent = browser.driver.cdp().send_raw("Input.dispatchMouseEvent", parameters).await;
    match sent {
        Ok(_) => Some(()),
        Err(error) if error.to_string().contains("error sending request") => None,
        Err(error) => panic!("{kind}: {error}"),
    }
}

/// Milliseconds that the thread which is told of these works, from each time that it is told to the next: passed and given.
fn work(trace: &[Value], told: &[&str]) -> Vec<(f64, f64)> {
    let is_told = |event: &&Value| {
        event["name"] == "EventDispatch" && told.iter().any(|kind| event["args"]["data"]["type"] == *kind)
    };
    let first = trace.iter().find(is_told).unwrap_or_else(|| panic!("no {told:?} in {} events", trace.len()));
    let number = |event: &Value, key: &str| event[key].as_f64().unwrap_or_default();
    let here = trace.iter().filter(|event| event["pid"] == first["pid"] && event["tid"] == first["tid"]);
    let told: Vec<f64> = here.clone().filter(is_told).map(|event| number(event, "ts")).collect();
    let of_task = |event: &&Value| event["name"] == "RunTask" && event["ph"] == "X";
    let task = |task: &Value| (number(task, "ts"), number(task, "dur"), number(task, "tdur"));
    let mut tasks: Vec<(f64, f64, f64)> = here.filter(of_task).map(task).collect();
    assert!(!tasks.is_empty(), "no tasks in {} events", trace.len());
    tasks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut frames = Vec::new();
    for (from, passed, given) in tasks {
        if told.iter().any(|at| (from..=from + passed).contains(at)) {
            frames.push((0.0, 0.0));
        }
        if let Some(frame) = frames.last_mut() {
            *frame = (frame.0 + passed / 1e3, frame.1 + given / 1e3);
        }
    }
    // After the last one anything may happen.
    frames.pop();
    assert!(!frames.is_empty(), "no frame in {} events", trace.len());
    frames
}

/// Writes the pages of the charts, with the events of the record at `url`. Gives the lanes, with how many events each has.
async fn write_charts(folder: &TempDir, url: &str) -> BTreeMap<String, usize> {
    let mut record = SqliteConnection::connect(url).await.unwrap();
    let sql = "SELECT CAST(substr(t.name, 6) AS INTEGER), e.at FROM events e JOIN tags t ON t.id = e.tag_id \
               WHERE e.repository_id = 1 AND e.class = 3 ORDER BY e.seq";
    let events: Vec<(i64, i64)> = sqlx::query_as(sql).fetch_all(&mut record).await.unwrap();
    record.close().await.unwrap();
    let mut lanes = BTreeMap::new();
    for (lane, _) in &events {
        *lanes.entry(format!("roll-{lane}")).or_default() += 1;
    }
    assert_eq!((events.len(), lanes.len()), (EVENTS, LANES as usize), "as much as on the timeline");
    let (charts, ends) = (charts().display().to_string(), BEGINS + LENGTH);
    let events = json!(events);
    let page = |head: &str, script: &str| {
        format!(
            "<!doctype html><meta charset='utf-8'>{head}<body style='margin:0'><div id='chart' style='width:1200px;height:880px'></div>
            <script>const area = document.getElementById('chart'), begins = {BEGINS}, ends = {ends}, events = {events};
            const lanes = [...Array({LANES}).keys()].map(lane => `roll-${{lane}}`);
            window.ready = false;
            const isReady = () => requestAnimationFrame(() => requestAnimationFrame(() => window.ready = true));
            {script}</script>"
        )
    };
    let vis = page(
        &format!(
            "<link rel='stylesheet' href='file://{charts}/vis-timeline/styles/vis-timeline-graph2d.min.css'>
            <script src='file://{charts}/vis-timeline/standalone/umd/vis-timeline-graph2d.min.js'></script>"
        ),
        "const items = events.map(([lane, at], id) => ({ id, group: lane, start: at, type: 'point', content: '' }));
        const groups = lanes.map((content, id) => ({ id, content }));
        const timeline = new vis.Timeline(area, items, groups, { start: begins, end: ends, height: '880px', stack: false, cluster: { maxItems: 3 },
            zoomKey: 'ctrlKey', showCurrentTime: false });
        window.view = () => timeline.getWindow();
        isReady();",
    );
    let echarts = page(
        &format!("<script src='file://{charts}/echarts/dist/echarts.min.js'></script>"),
        // The axis is longer than the events, so that there is somewhere to drag them to.
        "const chart = echarts.init(area);
        chart.setOption({ animation: false, grid: { left: 80, right: 20, top: 20, bottom: 40 },
            xAxis: { type: 'time', min: begins - (ends - begins) / 2, max: ends + (ends - begins) / 2 },
            yAxis: { type: 'category', data: lanes },
            dataZoom: [{ type: 'inside', startValue: begins, endValue: ends, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: true }],
            series: [{ type: 'scatter', large: true, symbolSize: 6, data: events.map(([lane, at]) => [at, lane]) }] });
        window.view = () => chart.getOption().dataZoom.map(({ start, end }) => [start, end]);
        isReady();",
    );
    fs::write(folder.path().join("vis.html"), vis).unwrap();
    fs::write(folder.path().join("echarts.html"), echarts).unwrap();
    lanes
}

/// Where packaging/tools.sh has put the charts.
fn charts() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/tools.sh");
    let output = Command::new(tools).arg("charts").output().unwrap();
    let folder = PathBuf::from(String::from_utf8(output.stdout).unwrap());
    assert!(folder.join("echarts").exists(), "the charts are missing: run packaging/tools.sh bench");
    folder
}
