//! From the first page to a flag acknowledged and a way back copied, without a mouse.

use serde_json::json;
use thirtyfour::{Key, TypingData};

use super::site::Site;
use super::world::World;

/// A person who has keys alone.
struct Keyboard<'a> {
    site: &'a Site,
}

impl Keyboard<'_> {
    /// Presses keys; the focus is somewhere afterwards, and seen.
    async fn press(&self, keys: impl Into<TypingData>) {
        self.site.browser.press(keys).await;
        self.sees_the_focus().await;
    }

    /// What has the focus is on the screen, with a ring; a page that was gone to has it as a whole.
    async fn sees_the_focus(&self) {
        let script = "
            const at = document.activeElement;
            if (!at || at === document.body) return 'it is lost';
            if (at.id === 'main') return '';
            const table = at.closest('.twin:not(.twin-open) tbody');
            const shown = table ? table.closest('.timeline-card').querySelector('.timeline-lanes') : at;
            const style = getComputedStyle(shown), box = shown.getBoundingClientRect();
            const has_ring = at.matches(':focus-visible') && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
            const is_there = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
            return has_ring && is_there ? '' : `${at.outerHTML}: ring ${has_ring}, on the screen ${is_there}`;";
        let browser = &self.site.browser;
        let last = std::cell::RefCell::new(String::new());
        // A dialog that closes, and a page that comes, give the focus away in their own time.
        let seen = tagwarden_tests::wait::try_until(std::time::Duration::from_secs(20), || async {
            browser.run(script, Vec::new()).await.as_str().unwrap().clone_into(&mut last.borrow_mut());
            last.borrow().is_empty().then_some(())
        });
        let seen = seen.await;
        assert!(seen.is_some(), "the focus is not seen: {}", last.borrow());
    }

    /// Goes on with the tab key until the focus is on what matches `selector` and holds `words`.
    async fn tab_to(&self, selector: &str, words: &str) {
        self.tab(|| Key::Tab.into(), selector, words).await;
    }

    /// The same, backwards.
    async fn tab_back_to(&self, selector: &str, words: &str) {
        self.tab(|| Key::Shift + Key::Tab, selector, words).await;
    }

    async fn tab(&self, keys: fn() -> TypingData, selector: &str, words: &str) {
        for _ in 0..120 {
            self.press(keys()).await;
            if self.is_on(selector, words).await {
                return;
            }
        }
        panic!("the tab key never reaches {selector} {words:?}");
    }

    async fn is_on(&self, selector: &str, words: &str) -> bool {
        let script = "const at = document.activeElement;
            return at.matches(arguments[0]) && (at.textContent + (at.ariaLabel ?? '')).includes(arguments[1]);";
        self.site.browser.run(script, vec![json!(selector), json!(words)]).await == true
    }

    /// Waits until the focus is there by itself.
    async fn is_brought_to(&self, selector: &str) {
        let wait = || async { self.is_on(selector, "").await.then_some(()) };
        self.site.browser.until(&format!("the focus is on {selector}"), wait).await;
        self.sees_the_focus().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flag_is_acknowledged_and_a_way_back_copied_by_keys_alone() {
    let world = World::start().await;
    let (site, browser) = (&world.site, &world.site.browser);
    let keyboard = Keyboard { site };
    browser.allow_clipboard().await;
    site.open("").await;
    site.has_its_data().await;
    site.mark_document().await;

    keyboard.press(Key::Tab).await;
    assert!(keyboard.is_on(".skip", "Skip to the page").await, "what comes first leads past the navigation");
    keyboard.press(Key::Enter).await;
    keyboard.is_brought_to("#main").await;
    keyboard.tab_to(".flag-card-button", "").await;
    keyboard.press(Key::Enter).await;
    site.is_at("flags/1", "The way back").await;
    keyboard.is_brought_to("#main").await;

    // A dialog gives the focus back.
    keyboard.tab_to(".flag-head button", "Print").await;
    keyboard.press("/").await;
    keyboard.is_brought_to("#find").await;
    keyboard.press(Key::Escape).await;
    keyboard.is_brought_to(".flag-head button").await;

    keyboard.press("?").await;
    browser.shown("dialog#keys[open] .keys").await;
    keyboard.press(Key::Escape).await;
    keyboard.is_brought_to(".flag-head button").await;

    keyboard.tab_to("button", "Acknowledge").await;
    keyboard.press(Key::Enter).await;
    keyboard.is_brought_to("#reason").await;
    keyboard.tab_to("button", "Cancel").await;
    keyboard.press(Key::Enter).await;
    keyboard.is_brought_to("#decide").await;
    keyboard.tab_to("button", "Acknowledge").await;
    keyboard.press(Key::Enter).await;
    keyboard.is_brought_to("#reason").await;
    keyboard.press("rebuilt on purpose").await;
    keyboard.tab_to("select", "").await;
    keyboard.tab_to("button[type=submit]", "").await;
    browser.press(Key::Enter).await;
    browser.shows("rebuilt on purpose").await;
    world.until("flags/1", |flag| flag["state"] == "acknowledged").await;
    // Its button is gone, and what it belonged to has the focus.
    keyboard.is_brought_to("#decide").await;

    keyboard.tab_to("button[aria-label='Copy pinned reference']", "").await;
    keyboard.press(Key::Enter).await;
    browser.shows("Copied").await;
    assert_eq!(browser.clipboard().await, format!("{}@{}", site.repository, world.promised));
    keyboard.sees_the_focus().await;

    // A search leads to a page, and the page has the focus.
    keyboard.press(Key::Control + "k").await;
    keyboard.is_brought_to("#find").await;
    keyboard.press("team api").await;
    browser.shown(".palette-row").await;
    keyboard.press(Key::Enter).await;
    site.is_at(&format!("repository?name={}", site.repository), "Timeline").await;
    keyboard.is_brought_to("#main").await;
    // Also to a page of the same kind, where nothing had the focus.
    browser.run("document.activeElement.blur();", Vec::new()).await;
    keyboard.press(Key::Control + "k").await;
    keyboard.is_brought_to("#find").await;
    keyboard.press("team web").await;
    browser.shown(".palette-row").await;
    keyboard.press(Key::Enter).await;
    let web = site.repository.replace("team/api", "team/web");
    site.is_at(&format!("repository?name={web}"), "Timeline").await;
    keyboard.is_brought_to("#main").await;
    browser.driver.back().await.unwrap();
    site.is_at(&format!("repository?name={}", site.repository), "Timeline").await;
    site.has_its_data().await;
    keyboard.tab_to("button[aria-label='Keys of the timeline']", "").await;
    keyboard.press(Key::Enter).await;
    browser.shown("dialog[open] .keys").await;
    keyboard.press(Key::Escape).await;
    keyboard.is_brought_to("button[aria-label='Keys of the timeline']").await;
    keyboard.tab_to(".twin tr", "").await;
    // Within it the key lists those of the timeline, and those alone.
    keyboard.press("?").await;
    browser.shown("dialog[open] .keys").await;
    assert_eq!(browser.count("dialog[open]:not(#keys)").await, 1);
    keyboard.press(Key::Escape).await;
    keyboard.is_brought_to(".twin tr").await;
    assert_eq!(browser.count("dialog[open]").await, 0);
    keyboard.press(Key::Enter).await;
    browser.shown(".timeline-pinned").await;
    // What is closed gives the focus to what it was opened from.
    keyboard.tab_back_to(".timeline-pinned button", "Close").await;
    keyboard.press(Key::Enter).await;
    keyboard.is_brought_to(".twin tr").await;

    // A view is kept; what says so can be sent away.
    keyboard.press(Key::Control + "k").await;
    keyboard.is_brought_to("#find").await;
    keyboard.press("Mine").await;
    keyboard.tab_to(".palette-keep button", "Mine").await;
    browser.press(Key::Enter).await;
    browser.shows("This view is saved as “Mine”.").await;
    keyboard.is_brought_to(".twin tr").await;
    keyboard.tab_to(".toast button", "Dismiss").await;
    browser.press(Key::Enter).await;
    keyboard.is_brought_to("#main").await;
    keyboard.tab_back_to("nav a", "Mine").await;
    // What is deleted gives the focus to its list; with the last one the list goes, too.
    keyboard.press(Key::Control + "k").await;
    keyboard.is_brought_to("#find").await;
    keyboard.press("Other").await;
    keyboard.tab_to(".palette-keep button", "Other").await;
    browser.press(Key::Enter).await;
    browser.shown("button[aria-label='Delete the view Other']").await;
    keyboard.tab_to("button", "Delete the view Other").await;
    browser.press(Key::Enter).await;
    keyboard.is_brought_to("#views").await;
    browser.until("it is deleted", || async { (browser.count(".nav-kept").await == 1).then_some(()) }).await;
    keyboard.is_brought_to("#views").await;
    keyboard.tab_to("button", "Delete the view Mine").await;
    browser.press(Key::Enter).await;
    browser.until("the list is gone", || async { (browser.count(".nav-views").await == 0).then_some(()) }).await;
    keyboard.is_brought_to("#main").await;
    site.is_the_same_document().await;

    // A release is marked as bad, and the mark is taken back: each card takes over from the one before.
    site.open(&format!("tag?repository={}&name=2.4.0", site.repository)).await;
    site.has_its_data().await;
    keyboard.tab_to("summary", "Mark as").await;
    keyboard.press(Key::Enter).await;
    keyboard.tab_to("#bad", "").await;
    keyboard.press("loses orders").await;
    browser.press(Key::Enter).await;
    browser.shows("It may be used again").await;
    keyboard.is_brought_to("h2#do-not-use").await;
    keyboard.tab_to("button", "It may be used again").await;
    browser.press(Key::Enter).await;
    keyboard.is_brought_to("summary#do-not-use").await;

    // A proof keeps the focus where it was asked for.
    site.open("flags/1").await;
    site.has_its_data().await;
    let proven = world.get("flags/1").await["targets"][0]["proven"].clone();
    keyboard.tab_to("button", "Prove now").await;
    browser.press(Key::Enter).await;
    world.until("flags/1", |flag| flag["targets"][0]["proven"] != proven).await;
    browser.shows("Prove now").await;
    assert!(keyboard.is_on(".way-back-prove button", "").await, "the button that was pressed");
    world.site.browser.close().await;
}
