//! A tab that stays open for a week: what it no longer shows, it no longer holds.

use serde_json::{Value, json};
use tagwarden_tests::browser::Browser;

use super::world::World;

/// Keeps the memory of the page's WebAssembly where a test finds it.
const SCRIPT: &str = "
    const Source = EventSource;
    window.sources = [];
    window.EventSource = class extends Source {
        constructor(address) {
            super(address);
            sources.push(this);
        }
    };
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const real = WebAssembly[name];
        WebAssembly[name] = async (...given) => {
            const made = await real.apply(WebAssembly, given);
            const values = Object.values((made.instance ?? made).exports);
            window.wasmMemory = values.find(value => value instanceof WebAssembly.Memory) ?? window.wasmMemory;
            return made;
        };
    }";

/// Twenty changes of the route, to every page but the styleguide: by links, by the palette and by the browser's history, each
/// one waited for. They end where they began.
const ROUND: &str = "
    const [repository, compare, done] = arguments;
    const wait = async (what, check) => {
        for (const end = performance.now() + 10_000; performance.now() < end;) {
            const found = check();
            if (found) return found;
            await new Promise(requestAnimationFrame);
        }
        throw new Error(`waited in vain: ${what} at ${location.href}`);
    };
    const has_its_data = () => document.querySelector('main h1')
        && !document.querySelector('main .skeleton[role], main .timeline-state:not(:has(button)), main[aria-busy=true], main table[aria-busy=true]')
        && [...document.querySelectorAll('.timeline-lanes canvas')].every(canvas => canvas.width !== 300);
    const change = async (what, act) => {
        const before = location.href;
        await act();
        await wait(`another address after ${what}`, () => location.href !== before);
        await wait(`the page of ${what}`, has_its_data);
    };
    const found = selector => wait(selector, () => document.querySelector(selector));
    const follow = selector => change(selector, async () => (await found(selector)).click());
    // Of pages to which no link leads from where it stands.
    const go = path => change(path, () => {
        const link = document.querySelector('main').appendChild(document.createElement('a'));
        link.href = path;
        link.click();
        link.remove();
    });
    const back = () => change('back', () => history.back());
    const find = (words, name) => change(`the palette with ${words}`, async () => {
        document.querySelector('button.search').click();
        const field = await found('#palette[open] #find');
        field.value = words;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        const rows = () => [...document.querySelectorAll('.palette-row')];
        (await wait(name, () => rows().find(row => row.textContent.includes(name)))).click();
    });
    (async () => {
        sources.at(-1).dispatchEvent(new MessageEvent('change', { data: '{}' }));
        await follow('nav a[href=\"flags\"]');
        await follow('.flag-card-button');
        await go(`repository?name=${repository}`);
        await change('a pinned card', async () => (await found('.twin tbody tr')).click());
        await found('.timeline-pinned');
        await go(compare);
        await follow('main a.digest');
        await back();
        await back();
        await follow('td .tag');
        await back();
        await follow('nav a[href=\"timeline\"]');
        await follow('nav a[href=\"notifiers\"]');
        await follow('nav a[href=\"settings\"]');
        await find('api 2.3', '2.3.0');
        await go(`targets?repository=${repository}&tag=2.3.0`);
        await follow('nav a[href=\"repositories\"]');
        await go('group?name=shop');
        await follow('nav a[href=\"flags\"]');
        await back();
        await follow('nav a[href=\"repositories\"]');
        await follow('nav a[href=\"./\"]');
    })().then(() => done(''), error => done(`${error}`));";

/// What the page holds.
#[derive(Debug)]
struct Held {
    wasm_bytes: u64,
    nodes: u64,
    listeners: u64,
}

impl Held {
    async fn by(browser: &Browser) -> Self {
        // What the first collection frees may hold what the second one does.
        for _ in 0..2 {
            browser.cdp("HeapProfiler.collectGarbage", json!({})).await;
        }
        let answer = browser.cdp("Performance.getMetrics", json!({})).await;
        let metric = |name: &str| {
            let found = answer["metrics"].as_array()?.iter().find(|metric| metric["name"] == name)?;
            found["value"].as_f64().map(|value| value as u64)
        };
        let bytes = browser.run("return wasmMemory.buffer.byteLength;", Vec::new()).await;
        Self {
            wasm_bytes: bytes.as_u64().unwrap(),
            nodes: metric("Nodes").unwrap(),
            listeners: metric("JSEventListeners").unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_pages_leave_nothing_behind() {
    let world = World::start().await;
    let (site, browser) = (&world.site, &world.site.browser);
    browser.before_pages(SCRIPT).await;
    browser.cdp("Performance.enable", json!({})).await;
    site.open("").await;
    site.has_its_data().await;
    site.mark_document().await;
    let compare = format!("compare?old={}&new={}", world.promised, world.moved);
    let mut held = Vec::new();
    for round in 1..=10 {
        let said = browser.driver.execute_async(ROUND, vec![json!(site.repository), json!(compare)]).await.unwrap();
        assert_eq!(said.json(), &Value::from(""), "round {round}");
        held.push(Held::by(browser).await);
    }
    site.is_the_same_document().await;
    let [_, _, _, _, hundred, _, _, _, _, two_hundred] = held.as_slice() else { panic!("ten rounds") };
    assert!(two_hundred.wasm_bytes <= hundred.wasm_bytes, "WebAssembly's memory grows: {held:#?}");
    assert!(two_hundred.nodes <= hundred.nodes, "nodes are kept: {held:#?}");
    assert!(two_hundred.listeners <= hundred.listeners, "listeners are kept: {held:#?}");
    world.site.browser.close().await;
}
