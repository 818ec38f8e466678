//! Nothing that is read moves away while the rest of a page comes.

use super::world::World;

/// Sums the shifts that the browser tells and nobody asked for.
const SCRIPT: &str = "window.shift = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => { if (!entry.hadRecentInput) shift += entry.value; }))
        .observe({ type: 'layout-shift', buffered: true });";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_jumps_while_it_is_read() {
    let world = World::start().await;
    let browser = &world.site.browser;
    browser.before_pages(SCRIPT).await;
    let mut wrong = Vec::new();
    for (page, path) in world.pages() {
        world.site.open(&path).await;
        world.site.has_its_data().await;
        // Shifts are told with the frames.
        let script =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(shift)));";
        let shift = browser.driver.execute_async(script, Vec::new()).await.unwrap().json().as_f64().unwrap();
        if shift >= 0.02 {
            wrong.push(format!("{page}: {shift:.3}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    world.site.browser.close().await;
}
