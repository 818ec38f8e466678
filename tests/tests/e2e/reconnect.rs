//! The server dies under an open page, the world goes on, and the server comes back.

use serde_json::{Value, json};

use super::site::REPOSITORY;
use super::timeline::Timeline;
use super::world::World;

/// A clock of the page that can be stopped and moved on, and what it hears from the live stream. While the clock stands, a page
/// that lost its stream waits.
pub const SCRIPT: &str = "
    const now = Date.now, Source = EventSource;
    let stopped = null;
    Date.now = () => stopped ?? now();
    window.stopClock = () => { stopped = now(); };
    window.moveClock = by => { stopped += by; };
    window.heard = [];
    window.sources = [];
    window.EventSource = class extends Source {
        constructor(address) {
            super(address);
            sources.push(this);
            this.addEventListener('change', message => heard.push(JSON.parse(message.data).id));
        }
    };";

/// What a page says then.
pub const LOST: &str = "Live updates are lost";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_misses_nothing_while_the_server_is_killed_and_started_again() {
    let mut world = World::start().await;
    world.site.browser.before_pages(SCRIPT).await;
    world.site.open(&format!("repository?name={}", world.site.repository)).await;
    world.site.has_its_data().await;
    let timeline = Timeline { site: &world.site };
    timeline.has_row("2.5.0 published").await;
    // A change is heard, so that the page knows where it stands.
    world.publish(REPOSITORY, "2.6.0", 6);
    timeline.has_row("2.6.0 published").await;
    world.site.mark_document().await;
    let run = async |script: &str| world.site.browser.run(script, Vec::new()).await;

    run("stopClock();").await;
    world.tagwarden.kill();
    assert!(!world.site.browser.text().await.contains(LOST), "nobody is alarmed before the page knows it for sure");
    run("moveClock(41_000);").await;
    world.site.browser.shows(LOST).await;
    let is_closed = "return sources.length > 1 && sources.every(source => source.readyState === EventSource.CLOSED);";
    world.site.browser.until("it tried again in vain", || async { (run(is_closed).await == true).then_some(()) }).await;
    let before = run("return heard;").await;

    // One is new, one moved, one is gone, and all of it is recorded before the page hears of it.
    world.publish(REPOSITORY, "2.7.0", 7);
    world.publish(REPOSITORY, "2.4.0", 8);
    world.registry.delete_tag(REPOSITORY, "2.2.0");
    world.tagwarden.restart().await;
    world.until("flags?state=active", |flags| flags["items"].as_array().is_some_and(|flags| flags.len() == 3)).await;
    let events = format!("events?repository={}&baseline=false", world.site.repository);
    let known = |events: &Value| events["items"].as_array().is_some_and(|events| events.len() == 6);
    world.until(&events, known).await;
    let run = async |script: &str| world.site.browser.run(script, Vec::new()).await;
    assert_eq!(run("return heard;").await, before, "the page waits, and hears nothing meanwhile");
    assert!(world.site.browser.text().await.contains(LOST), "and says so");

    run("moveClock(120_000);").await;
    let is_quiet = || async { (!world.site.browser.text().await.contains(LOST)).then_some(()) };
    world.site.browser.until("the note goes", is_quiet).await;
    let timeline = Timeline { site: &world.site };
    for row in [
        "2.5.0 published",
        "2.6.0 published",
        "2.7.0 published",
        "2.3.0 reassigned",
        "2.4.0 reassigned",
        "2.2.0 deleted",
    ] {
        let is_so = || async { (timeline.count(row).await == 1).then_some(()) };
        world.site.browser.until(&format!("{row:?} is there once"), is_so).await;
    }
    world.site.browser.shows("Three flags among 5 releases").await;
    let tags = "return [...document.querySelectorAll('td .tag')].map(tag => tag.textContent);";
    assert_eq!(run(tags).await, json!(["2.7.0", "2.6.0", "2.5.0", "2.4.0", "2.3.0", "2.2.0", "latest"]));
    world.site.is_the_same_document().await;

    let heard: Vec<i64> = serde_json::from_value(run("return heard;").await).unwrap();
    let before: Vec<i64> = serde_json::from_value(before).unwrap();
    assert!(heard.len() > before.len() && heard.starts_with(&before), "{heard:?} after {before:?}");
    assert!(heard.windows(2).all(|pair| pair[0] < pair[1]), "something was heard twice: {heard:?}");
    let asked = run("return sources.at(-1).url;").await;
    let after = format!("live?after={}", before.last().unwrap());
    assert!(asked.as_str().unwrap().ends_with(&after), "{asked} instead of {after}");
    // What was asked for while nobody could answer.
    let expected =
        [("/api/v1/live", "net::ERR_INCOMPLETE_CHUNKED_ENCODING"), ("/api/v1/", "net::ERR_CONNECTION_REFUSED")];
    world.site.browser.assert_no_errors(&expected).await;
    world.site.browser.close().await;
}

/// Half a second stands for the half minute after which a page reads again what no notice tells; and the tab can be hidden.
const QUICK: &str = "
    const every = setInterval, ask = fetch;
    let hidden = false;
    window.setInterval = (call, wait, ...rest) => every(call, wait === 30_000 ? 500 : wait, ...rest);
    window.asked = [];
    window.fetch = (path, ...rest) => {
        asked.push(String(path));
        return ask(path, ...rest);
    };
    Object.defineProperty(document, 'hidden', { get: () => hidden });
    window.hide = is_hidden => {
        hidden = is_hidden;
        asked.length = 0;
        dispatchEvent(new Event('visibilitychange'));
    };";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_tab_reads_what_its_title_says_and_all_of_it_when_it_is_seen() {
    let world = World::start().await;
    let (site, browser) = (&world.site, &world.site.browser);
    browser.before_pages(QUICK).await;
    site.open("flags").await;
    site.has_its_data().await;
    let asked = async || {
        let asked = browser.run("return asked;", Vec::new()).await;
        serde_json::from_value::<Vec<String>>(asked).unwrap()
    };
    browser.run("hide(true);", Vec::new()).await;
    // What was under way is not counted.
    browser.until("half a minute goes by", || async { (!asked().await.is_empty()).then_some(()) }).await;
    browser.run("asked.length = 0;", Vec::new()).await;
    let summaries = || async { Some(asked().await).filter(|asked| asked.len() >= 3) };
    let hidden = browser.until("minutes go by", summaries).await;
    assert!(hidden.iter().all(|path| path == "api/v1/summary"), "{hidden:?}");
    browser.run("hide(false);", Vec::new()).await;
    let all = || async { asked().await.iter().any(|path| path.starts_with("api/v1/flags")).then_some(()) };
    browser.until("the list is read again", all).await;
    world.site.browser.close().await;
}
