//! The timeline of a page, and what people do with it.

use serde_json::json;
use tagwarden::demo::registry::DemoRegistry;
use tagwarden_model::tag::MediaType;
use thirtyfour::Key;

use super::site::Site;

/// The timeline of a page.
pub struct Timeline<'a> {
    pub site: &'a Site,
}

impl Timeline<'_> {
    /// Lanes of two repositories are pinned and collapsed by key and by mouse; the address keeps it.
    pub async fn is_pinned_and_collapsed_until_that_is_undone(&self, registry: &DemoRegistry, host: &str) {
        let browser = &self.site.browser;
        let (pinned, closed) = (".handle[aria-pressed=true]", ".handle[aria-expanded=false]");
        registry.push("team/web", "1.0.0", "{}", MediaType::OciManifest);
        self.site.open("repositories").await;
        browser.shown("#add-name").await.send_keys(format!("{host}/team/web")).await.unwrap();
        browser.shows("Found, with 1 tag.").await;
        browser.shown("form.form button[type=submit]").await.click().await.unwrap();
        self.site.open("timeline").await;
        self.has_row("web").await;
        browser
            .until("two repositories", || async {
                (browser.count(".handle[aria-expanded=true]").await == 2).then_some(())
            })
            .await;

        self.focus("3.0.0 published").await;
        self.press("p").await;
        self.path_with("pin=").await;
        browser.shown(pinned).await;
        self.focus("3.0.0 published").await;
        self.press("c").await;
        self.path_with("collapse=").await;
        let both = self.site.path().await;
        browser.shown(closed).await;
        // What was chosen is part of something else now: the same key brings it back.
        self.press("c").await;
        self.path_without("collapse=").await;
        self.focus("latest").await;
        self.press("c").await;
        self.path_with("collapse=").await;
        browser.shown(closed).await;
        self.press("c").await;
        self.path_without("collapse=").await;
        self.has_focus_on("latest").await;
        self.press("c").await;
        self.path_until("it is collapsed again", |path| path == both).await;
        browser.driver.refresh().await.unwrap();
        browser.shown(pinned).await;
        browser.shown(closed).await;
        assert_eq!(self.site.path().await, both);

        // The buttons are one stop of the tab key, arrow keys lead from one to the next.
        browser.driver.execute("document.querySelector('.handle[tabindex=\"0\"]').focus();", Vec::new()).await.unwrap();
        self.press(Key::Down).await;
        self.press(Key::Enter).await;
        self.path_without("collapse=").await;
        browser.shown(pinned).await.click().await.unwrap();
        self.path_without("pin=").await;
        browser.driver.back().await.unwrap();
        browser.driver.back().await.unwrap();
        self.path_until("it is arranged as before", |path| path == both).await;
        browser.shown(closed).await;
    }

    /// Waits for a row of the table that holds `words`.
    pub async fn has_row(&self, words: &str) {
        let script = "return [...document.querySelectorAll('.twin tbody tr')].some(row => row.innerText.includes(arguments[0]) \
                      || row.textContent.includes(arguments[0]));";
        self.site
            .browser
            .until(&format!("the table has {words:?}"), || async {
                let found = self.site.browser.driver.execute(script, vec![json!(words)]).await.ok()?;
                (found.json() == &json!(true)).then_some(())
            })
            .await;
    }

    /// Waits until the focus is in the table, on what holds `words`.
    pub async fn has_focus_on(&self, words: &str) {
        let script = "const at = document.activeElement;
            return at.closest('.twin table') !== null && at.textContent.includes(arguments[0]) \
                && (at.matches('table') || at.ariaSelected === 'true');";
        let wait = || async { (self.site.browser.run(script, vec![json!(words)]).await == true).then_some(()) };
        self.site.browser.until(&format!("the focus is on {words:?}"), wait).await;
    }

    /// How many rows of the table hold `words`.
    pub async fn count(&self, words: &str) -> u64 {
        let script = "return [...document.querySelectorAll('.twin tbody tr')]
            .filter(row => row.textContent.includes(arguments[0])).length;";
        self.site.browser.run(script, vec![json!(words)]).await.as_u64().unwrap()
    }

    /// Puts the focus on the row that holds `words`, as the tab and arrow keys do.
    pub async fn focus(&self, words: &str) {
        let script = "[...document.querySelectorAll('.twin tbody tr')].find(row => row.textContent.includes(arguments[0])).focus();";
        self.site.browser.driver.execute(script, vec![json!(words)]).await.unwrap();
    }

    /// Types where the focus is.
    pub async fn press(&self, keys: impl Into<thirtyfour::TypingData>) {
        self.site.browser.driver.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Drags the lanes by some pixels.
    pub async fn drag(&self, by: i64) {
        let canvas = self.site.browser.shown(".timeline-rest .timeline-canvas").await;
        let chain = self.site.browser.driver.action_chain();
        chain.click_and_hold_element(&canvas).move_by_offset(by, 0).release().perform().await.unwrap();
    }

    /// Turns the wheel over the lanes while Ctrl is down.
    pub async fn wheel(&self, by: i64) {
        let script = "const canvas = document.querySelector('.timeline-rest .timeline-canvas'); canvas.dispatchEvent(new WheelEvent('wheel', \
                      { deltaY: arguments[0], ctrlKey: true, bubbles: true, cancelable: true, clientX: 700, clientY: 400 }));";
        self.site.browser.driver.execute(script, vec![json!(by)]).await.unwrap();
    }

    pub async fn path_with(&self, words: &str) -> String {
        self.path_until(&format!("the address has {words:?}"), |path| path.contains(words)).await
    }

    pub async fn path_without(&self, words: &str) -> String {
        self.path_until(&format!("the address has no {words:?}"), |path| !path.contains(words)).await
    }

    pub async fn path_is_not(&self, path: &str) -> String {
        self.path_until("the address changes", |new| new != path).await
    }

    pub async fn path_until(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        self.site.browser.until(what, || async { Some(self.site.path().await).filter(|path| is_it(path)) }).await
    }
}
