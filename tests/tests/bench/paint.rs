use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::wait::pause;

use super::busy::median;
use super::scale::{self, HOST, SMALL};

const LOADS: usize = 5;
const SLOWER: u32 = 4;
/// Milliseconds.
const USEFUL: f64 = 1_000.0;
const LONG_TASK: f64 = 100.0;
const SHIFT: f64 = 0.02;
/// The page is looked at for so long after its sentence is there.
const AFTER: Duration = Duration::from_secs(3);

/// Runs before the page's own scripts. Useful is the frame after the one in which the page's heading was found (of the overview
/// that is its sentence): it has been painted by then. Layout shifts and tasks of 50 ms and more are those that the browser
/// itself tells.
const SCRIPT: &str = "window.measured = { useful: null, shift: 0, tasks: [] };
    const observe = (type, take) => new PerformanceObserver(list => list.getEntries().forEach(take)).observe({ type, buffered: true });
    observe('layout-shift', shift => { if (!shift.hadRecentInput) measured.shift += shift.value; });
    observe('longtask', task => measured.tasks.push([task.startTime, task.duration]));
    const look = () => requestAnimationFrame(document.querySelector('.page-head h1')?.textContent.trim()
        ? () => measured.useful = performance.now() : look);
    look();";

#[derive(Deserialize)]
struct Measured {
    useful: Option<f64>,
    shift: f64,
    /// When each began, and how long it was.
    tasks: Vec<(f64, f64)>,
}

impl Measured {
    /// The longest task that a person who sees the page had to wait for. One that had begun before the useful frame counts as a
    /// whole: that frame is part of it, so that it began after the frame before, with which the heading was painted.
    fn longest(&self, useful: f64) -> f64 {
        let later = self.tasks.iter().filter(|(began, took)| began + took > useful);
        later.map(|(_, took)| *took).fold(0.0, f64::max)
    }
}

/// The first look at the pages that people come to first, on a processor that is four times slower, with nothing of the page in
/// the browser's cache. Of the loads of a page the median counts, of its layout shift the most.
///
/// It needs a machine that is idle otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn first_useful_paint_on_a_slow_processor() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("record.db").display());
    scale::fill(&url, SMALL).await;
    let (server, _) = scale::started(&url).await;
    let browser = Browser::start().await;
    browser.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": SCRIPT })).await;
    browser.cdp("Emulation.setCPUThrottlingRate", json!({ "rate": SLOWER })).await;
    let mut missed = Vec::new();
    for (page, path) in [
        ("overview", String::new()),
        ("repository", format!("repository?name={HOST}/team/app-1")),
        ("timeline", "timeline".to_owned()),
        ("flag", "flags/1".to_owned()),
    ] {
        let (mut paints, mut longest, mut shift): (Vec<f64>, Vec<f64>, f64) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..LOADS {
            browser.open("about:blank").await;
            browser.cdp("Network.clearBrowserCache", json!({})).await;
            browser.open(&format!("{}/{path}", server.url())).await;
            let measured = async || {
                let answer = browser.driver.execute("return window.measured;", Vec::new()).await.ok()?;
                answer.convert::<Measured>().ok()
            };
            browser.until("the heading is there", async || measured().await?.useful).await;
            pause(AFTER).await;
            let measured = measured().await.unwrap();
            let useful = measured.useful.unwrap();
            let later = measured.longest(useful);
            println!(
                "  useful after {useful:.0} ms; layout shift {:.4}; longest task after it {later:.0} ms; long tasks {:.0?}",
                measured.shift, measured.tasks
            );
            paints.push(useful);
            longest.push(later);
            shift = shift.max(measured.shift);
        }
        let (useful, longest) = (median(paints), median(longest));
        println!(
            "{page}: first useful paint at {SLOWER}x slowdown, median of {LOADS}: {useful:.0} ms (less than {USEFUL:.0})"
        );
        println!("{page}: layout shift, at most: {shift:.4} (less than {SHIFT})");
        println!("{page}: longest task after it, median: {longest:.0} ms (at most {LONG_TASK:.0}; 0 if none took 50)");
        if useful >= USEFUL {
            missed.push(format!("{page}: {useful:.0} ms"));
        }
        if shift >= SHIFT {
            missed.push(format!("{page}: layout shift {shift:.4}"));
        }
        if longest > LONG_TASK {
            missed.push(format!("{page}: a task of {longest:.0} ms"));
        }
    }
    browser.close().await;
    assert!(missed.is_empty(), "{missed:#?}");
}
