//! Back, forward and reload, on every view that an address can hold.

use thirtyfour::{By, Key};

use super::site::Site;
use super::timeline::Timeline;
use super::world::World;

/// A view that was gone to: its address, and a condition that the page meets there alone.
struct View {
    path: String,
    sign: String,
}

/// Somebody who goes from view to view, and finds each of them again.
struct Walk<'a> {
    site: &'a Site,
    views: Vec<View>,
}

impl Walk<'_> {
    /// The view is there, and is there again when it is loaded anew.
    async fn is_at(&mut self, path: &str, sign: &str) {
        self.views.push(View { path: path.to_owned(), sign: sign.to_owned() });
        let view = self.views.last().unwrap();
        self.shows(view).await;
        self.site.browser.driver.refresh().await.unwrap();
        self.shows(view).await;
    }

    async fn shows(&self, View { path, sign }: &View) {
        let what = format!("the page at {path:?} with {sign}");
        let script = format!("return Boolean({sign});");
        let is_shown = || async {
            let is_there = self.site.path().await == *path && self.site.browser.run(&script, Vec::new()).await == true;
            is_there.then_some(())
        };
        self.site.browser.until(&what, is_shown).await;
    }

    async fn click(&self, selector: &str) {
        self.site.has_its_data().await;
        self.site.browser.shown(selector).await.click().await.unwrap();
    }

    /// Clicks on what matches `selector` and holds `words`.
    async fn click_on(&self, selector: &str, words: &str) {
        self.site.has_its_data().await;
        let find = || async {
            for found in self.site.browser.driver.find_all(By::Css(selector)).await.ok()? {
                if found.text().await.ok()?.contains(words) {
                    return found.click().await.ok();
                }
            }
            None
        };
        self.site.browser.until(&format!("{selector} {words:?} is clicked"), find).await;
    }

    /// All the way back and forth again.
    async fn is_found_again(&self) {
        for view in self.views.iter().rev().skip(1) {
            self.site.browser.driver.back().await.unwrap();
            self.shows(view).await;
        }
        for view in self.views.iter().skip(1) {
            self.site.browser.driver.forward().await.unwrap();
            self.shows(view).await;
        }
    }
}

/// The heading of the page holds `words`.
fn heading(words: &str) -> String {
    format!("document.querySelector('main h1')?.textContent.includes('{words}')")
}

/// What matches `selector` is there.
fn there(selector: &str) -> String {
    format!("document.querySelector({selector:?})")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_view_is_found_again_by_back_forward_and_reload() {
    let world = World::start().await;
    let (site, browser) = (&world.site, &world.site.browser);
    let name = site.repository.clone();
    let mut walk = Walk { site, views: Vec::new() };
    site.open("").await;
    walk.is_at("", &there(".flag-card-urgent")).await;

    // Flags: their state is a link, the other filters change the address in its place.
    walk.click("nav a[href='flags']").await;
    walk.is_at("flags", &there("nav a[href='flags?state=active'][aria-current=page]")).await;
    walk.click(".filters a[href='flags?state=open']").await;
    site.is_at("flags?state=open", "Open").await;
    walk.click("select option[value=critical]").await;
    site.is_at("flags?state=open&severity=critical", "Open").await;
    browser.shown(".filters input").await.send_keys("2.3" + Key::Enter).await.unwrap();
    let chosen = "document.querySelector('.filters select')?.value === 'critical' \
                  && document.querySelector('.filters input')?.value === '2.3' && document.querySelector('.flag-card')";
    walk.is_at("flags?state=open&severity=critical&find=2.3", chosen).await;
    walk.click(".filters a[href^='flags?state=closed']").await;
    walk.is_at("flags?state=closed&severity=critical&find=2.3", &there("main .empty")).await;

    // Repositories: by group and by name.
    walk.click("nav a[href='repositories']").await;
    walk.is_at("repositories", "document.querySelectorAll('tbody tr').length === 2").await;
    walk.click(".page-tabs a[href$='group=shop']").await;
    walk.is_at("repositories?group=shop", "document.querySelectorAll('tbody tr').length === 1").await;
    walk.click_on(".lead a", "Its timeline").await;
    walk.is_at("group?name=shop", &heading("shop")).await;

    // A timeline: its stretch, its lanes, what is pinned.
    walk.click("nav a[href='timeline']").await;
    walk.is_at("timeline", &there(".timeline-rest .timeline-canvas")).await;
    walk.click_on(".segments a", "7 days").await;
    walk.is_at("timeline?range=7d", &there(".segments a[href*='range=7d'][aria-current=true]")).await;
    walk.click("select[name=class] option[value=release]").await;
    walk.is_at("timeline?range=7d&class=release", "document.querySelector('select[name=class]')?.value === 'release'")
        .await;
    browser.shown("input[name=q]").await.send_keys("web" + Key::Enter).await.unwrap();
    let filtered = "document.querySelector('input[name=q]')?.value === 'web'";
    walk.is_at("timeline?range=7d&q=web&class=release", filtered).await;

    // What the palette leads to.
    browser.press(Key::Control + "k").await;
    browser.shown("#find").await.send_keys("api 2.3" + Key::Enter).await.unwrap();
    walk.is_at(&format!("tag?repository={name}&name=2.3.0"), &heading("api 2.3.0")).await;
    walk.click_on(".tag-facts a", "flag").await;
    walk.is_at("flags/1", &there(".way-back")).await;
    walk.click_on(".facts a", "2.3.0").await;
    walk.is_at(&format!("tag?repository={name}&name=2.3.0"), &heading("api 2.3.0")).await;
    walk.click(".crumb a").await;
    walk.is_at(&format!("repository?name={name}"), "document.querySelectorAll('td .tag').length === 5").await;
    walk.click_on("nav[aria-label='Class of tags'] a", "Rolling").await;
    let rolling = "document.querySelectorAll('td .tag').length === 1";
    walk.is_at(&format!("repository?name={name}&view=rolling"), rolling).await;
    walk.click("td .digest").await;
    let digest = site.path().await;
    assert!(digest.starts_with("digest/sha256:"), "{digest}");
    walk.is_at(&digest, &heading("Digest")).await;
    walk.click("nav a[href='notifiers']").await;
    walk.is_at("notifiers", &heading("Notifiers")).await;
    walk.click("nav a[href='settings']").await;
    walk.is_at("settings", &heading("Settings")).await;
    walk.is_found_again().await;

    // From a breach on a timeline to what changed.
    let timeline = Timeline { site };
    site.open(&format!("repository?name={name}")).await;
    timeline.has_row("2.3.0 reassigned").await;
    timeline.focus("2.3.0 reassigned").await;
    timeline.press(Key::Enter).await;
    browser.shows("Commit 3f91c0e2a1b4 on git.acme.example (claimed)").await;
    let mut walk = Walk { site, views: Vec::new() };
    walk.click_on(".timeline-pinned a", "Compare").await;
    let compared = format!("compare?old={}&new={}", world.promised, world.moved);
    walk.is_at(&compared, &there(".changed")).await;
    let address = "https://git.acme.example/team/api/commit/3f91c0e2a1b43f91c0e2a1b43f91c0e2a1b43f91";
    assert_eq!(browser.count(&format!("main a[href='{address}'][rel~=noreferrer]")).await, 1);

    // These two have no link of their own here.
    let mut walk = Walk { site, views: Vec::new() };
    let targets = format!("targets?repository={name}&tag=2.3.0");
    site.open(&targets).await;
    walk.is_at(&targets, &there(".way-back")).await;
    site.open("styleguide").await;
    walk.is_at("styleguide", &heading("A page opens")).await;
    walk.is_found_again().await;
    world.site.browser.close().await;
}
