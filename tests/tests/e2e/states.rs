//! What pages show besides what they are about: nothing found, nothing there, something refused, a server that is away.

use serde_json::json;
use tagwarden_tests::browser::Browser;
use tagwarden_tests::tagwarden_process::Tagwarden;
use thirtyfour::Key;

use super::reconnect;
use super::world::World;

/// What the browser says of them, as they are meant to be.
pub const ERRORS: [(&str, &str); 6] = [
    ("/api/v1/flags/999", "status of 404"),
    ("/api/v1/repositories/one?name=", "status of 404"),
    ("/api/v1/repositories/preview", "status of 400"),
    ("/api/v1/repositories", "status of 400"),
    ("/api/v1/live", "net::ERR_INCOMPLETE_CHUNKED_ENCODING"),
    ("/api/v1/", "net::ERR_CONNECTION_REFUSED"),
];

/// Brings a page into each of these states, and has it looked at. The server is away afterwards.
pub async fn each(world: &mut World, mut look: impl AsyncFnMut(&Browser, &str)) {
    found_nothing(world, &mut look).await;
    acted(world, &mut look).await;
    empty(&world.site.browser, &mut look).await;
    read_only(world, &mut look).await;
    away(world, &mut look).await;
}

/// Addresses that lead to nothing, and a sign that it is said.
async fn found_nothing(world: &World, look: &mut impl AsyncFnMut(&Browser, &str)) {
    for (state, path, sign) in [
        ("no such page", "flags/1/none".to_owned(), "main .empty"),
        ("no such flag", "flags/999".to_owned(), "main .empty"),
        ("no such repository", format!("repository?name={}/team/none", world.host), "#purge"),
        ("no flag fits", "flags?find=nothing".to_owned(), "main .empty"),
        ("no repository fits", "repositories?find=nothing".to_owned(), "main .lead a[href='repositories']"),
    ] {
        world.site.open(&path).await;
        world.site.browser.shown(sign).await;
        look(&world.site.browser, state).await;
    }
}

/// What comes of what a person does.
async fn acted(world: &World, look: &mut impl AsyncFnMut(&Browser, &str)) {
    let (site, browser) = (&world.site, &world.site.browser);
    let click = async |selector: &str| browser.shown(selector).await.click().await.unwrap();
    let types = async |selector: &str, text: &str| browser.shown(selector).await.send_keys(text).await.unwrap();

    site.open("flags").await;
    click(".flag-select input").await;
    browser.shown(".select-bar").await;
    look(browser, "a flag is selected").await;

    site.open("repositories").await;
    types("#add-name", &format!("{}/Team", world.host)).await;
    browser.shows("upper case is not allowed").await;
    click("form.form button[type=submit]").await;
    browser.shown(".form-error").await;
    look(browser, "a form that failed").await;

    site.open("settings").await;
    types("#rule-tag", "2.*").await;
    click("main select option[value=rolling]").await;
    click("main form button[type=submit]").await;
    browser.shows("would get another class").await;
    look(browser, "what a rule would do").await;

    browser.press(Key::Control + "k").await;
    browser.shown("#find").await;
    browser.press("nothing at all").await;
    browser.shows("Nothing found.").await;
    look(browser, "the palette finds nothing").await;
    click(".palette-keep button").await;
    browser.shown(".toast").await;
    look(browser, "something is said").await;
}

/// A server that watches nothing yet.
async fn empty(browser: &Browser, look: &mut impl AsyncFnMut(&Browser, &str)) {
    let server = Tagwarden::quick("record.db").await;
    for (path, words) in [
        ("", "Name the first repository."),
        ("flags", "No flag needs a decision"),
        ("repositories", "Nothing is watched yet."),
        ("timeline", "All repositories that are watched, on one axis."),
        ("notifiers", "Nobody is told of flags"),
        ("settings", "every other tag"),
    ] {
        browser.open(&format!("{}/{path}", server.url())).await;
        browser.shows(words).await;
        look(browser, &format!("nothing is watched: {path}")).await;
    }
    // It would say that its server is gone.
    browser.open("about:blank").await;
}

/// A server that only shows its record.
async fn read_only(world: &mut World, look: &mut impl AsyncFnMut(&Browser, &str)) {
    world.tagwarden.restart_with(&["--read-only"]).await;
    for path in ["", "flags", "flags/1"] {
        world.site.open(path).await;
        world.site.has_its_data().await;
        world.site.browser.shows("Read-only.").await;
        look(&world.site.browser, &format!("read-only: {path}")).await;
    }
}

/// A server that is away under an open page.
async fn away(world: &mut World, look: &mut impl AsyncFnMut(&Browser, &str)) {
    let browser = &world.site.browser;
    browser.before_pages(reconnect::SCRIPT).await;
    world.site.open("flags/1").await;
    world.site.has_its_data().await;
    browser.run("stopClock();", Vec::new()).await;
    world.tagwarden.kill();
    browser.run("moveClock(arguments[0]);", vec![json!(41_000)]).await;
    browser.shows(reconnect::LOST).await;
    look(browser, "live updates are lost").await;
    browser.shown("nav a[href='settings']").await.click().await.unwrap();
    browser.shows("Try again").await;
    look(browser, "the server cannot be reached").await;
}
