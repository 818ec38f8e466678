//! What keeps people from using a page: axe-core's rules, and what assistive technology is told.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tagwarden_tests::browser::{Browser, WINDOWS};
use tagwarden_tests::tagwarden_process::Tagwarden;
use thirtyfour::Key;
use tokio::process::Command;

use super::site::Site;
use super::states;
use super::timeline::Timeline;
use super::world::World;

/// The rules that are looked after.
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// The text of axe-core, which `packaging/tools.sh test` fetches.
async fn axe() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let asked = Command::new("bash").args(["packaging/tools.sh", "axe"]).current_dir(root).output().await.unwrap();
    assert!(asked.status.success(), "packaging/tools.sh axe: {}", String::from_utf8_lossy(&asked.stderr));
    let path = String::from_utf8(asked.stdout).unwrap();
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}; run packaging/tools.sh test"))
}

/// What violates a rule on the page as it is: rule, element, why.
async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    if browser.run("return typeof axe;", Vec::new()).await == "undefined" {
        browser.cdp("Runtime.evaluate", json!({ "expression": axe })).await;
    }
    let script = "const done = arguments[1];
        axe.run(document, { runOnly: arguments[0], resultTypes: ['violations'] }).then(
            found => done(found.violations.flatMap(rule => rule.nodes.map(
                node => `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary}`))),
            error => done([`axe failed: ${error}`]));";
    let found = browser.driver.execute_async(script, vec![json!(RULES)]).await.unwrap();
    found.convert().unwrap()
}

/// Looks at pages in both themes, and keeps what is wrong.
struct Eye {
    axe: String,
    wrong: Vec<String>,
}

impl Eye {
    async fn look(&mut self, browser: &Browser, view: &str) {
        for theme in ["light", "dark"] {
            browser.theme(theme).await;
            let found = violations(browser, &self.axe).await;
            self.wrong.extend(found.into_iter().map(|words| format!("{view}, {theme}: {words}")));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_violates_a_rule_in_either_theme() {
    let mut world = World::start().await;
    let mut eye = Eye { axe: axe().await, wrong: Vec::new() };
    let Site { browser, .. } = &world.site;
    for (page, path) in world.pages() {
        world.site.open(&path).await;
        world.site.has_its_data().await;
        eye.look(browser, page).await;
        match page {
            "overview" => {
                browser.press(Key::Control + "k").await;
                browser.shown("#find").await;
                browser.press("api").await;
                browser.shown(".palette-row").await;
                eye.look(browser, "palette").await;
                browser.press(Key::Escape).await;
            }
            "flag" => {
                browser.shown("section:has(> #decide) button").await.click().await.unwrap();
                browser.shown("#reason").await;
                eye.look(browser, "decision").await;
            }
            "repository" => {
                browser.shown("button[aria-label='Keys of the timeline']").await.click().await.unwrap();
                browser.shown("dialog[open]").await;
                eye.look(browser, "keys of the timeline").await;
                browser.press(Key::Escape).await;
                let timeline = Timeline { site: &world.site };
                timeline.has_row("2.5.0 published").await;
                timeline.focus("2.5.0 published").await;
                timeline.press(Key::Enter).await;
                browser.shown(".timeline-pinned").await;
                browser.shown(".twin-head button").await.click().await.unwrap();
                eye.look(browser, "pinned card and open table").await;
            }
            _ => {}
        }
    }
    let [_, _, (_, width, height)] = WINDOWS;
    browser.resize(width, height).await;
    for (page, path) in world.pages() {
        world.site.open(&path).await;
        world.site.has_its_data().await;
        eye.look(browser, &format!("{page} on a phone")).await;
    }
    let [(_, width, height), ..] = WINDOWS;
    browser.resize(width, height).await;
    states::each(&mut world, async |browser, state| eye.look(browser, state).await).await;
    let wrong = eye.wrong;
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
    world.site.browser.assert_no_errors(&states::ERRORS).await;
    world.site.browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assistive_technology_is_told_what_each_page_shows() {
    let world = World::start().await;
    let Site { browser, .. } = &world.site;
    let told = async |root: &str| {
        let tree = browser.cdp("Accessibility.getFullAXTree", json!({})).await;
        Outline::of(&tree).below(root).replace(&world.host, "registry")
    };
    for (page, path) in world.pages() {
        if page == "styleguide" {
            continue;
        }
        world.site.open(&path).await;
        world.site.has_its_data().await;
        insta::assert_snapshot!(format!("aria_{page}"), told("main").await);
    }
    insta::assert_snapshot!("aria_shell", told("banner").await);
    browser.press(Key::Control + "k").await;
    browser.shown("#find").await;
    browser.press("api 2.5").await;
    browser.shown(".palette-row").await;
    browser.until("the answer is there", || async { (browser.count(".palette-row").await == 1).then_some(()) }).await;
    insta::assert_snapshot!("aria_palette", told("dialog").await);

    for (state, path) in [("no_page", "flags/1/none"), ("no_flag", "flags/999")] {
        world.site.open(path).await;
        browser.shown("main .empty").await;
        insta::assert_snapshot!(format!("aria_{state}"), told("main").await);
    }
    let empty = Tagwarden::quick("record.db").await;
    browser.open(&empty.url()).await;
    browser.shows("Name the first repository.").await;
    insta::assert_snapshot!("aria_empty", told("main").await);
    browser.assert_no_errors(&[("/api/v1/flags/999", "status of 404")]).await;
    world.site.browser.close().await;
}

/// The accessibility tree of a page.
struct Outline<'a> {
    nodes: BTreeMap<&'a str, &'a Value>,
    first: &'a Value,
}

impl<'a> Outline<'a> {
    fn of(tree: &'a Value) -> Self {
        let nodes = tree["nodes"].as_array().unwrap();
        Self { nodes: nodes.iter().map(|node| (node["nodeId"].as_str().unwrap(), node)).collect(), first: &nodes[0] }
    }

    /// What is below the first node of a role, a line for each that says something; what changes from run to run is replaced.
    fn below(&self, role: &str) -> String {
        let root = self.find(self.first, role).unwrap_or_else(|| panic!("there is no {role}"));
        let mut lines = Vec::new();
        self.write(root, 0, "", &mut lines);
        // Texts that follow each other are one.
        lines.dedup_by(|line, before| {
            let is_one = line.is_text && before.is_text && line.depth == before.depth;
            if is_one {
                before.words.push_str(&line.words);
            }
            is_one
        });
        let write = |line: &Line| format!("{}{}", "  ".repeat(line.depth), line.words.trim());
        lines.iter().map(write).collect::<Vec<_>>().join("\n")
    }

    fn children(&self, node: &'a Value) -> impl Iterator<Item = &'a Value> {
        let ids = node["childIds"].as_array().into_iter().flatten();
        ids.filter_map(|id| self.nodes.get(id.as_str()?).copied())
    }

    fn find(&self, node: &'a Value, role: &str) -> Option<&'a Value> {
        if node["role"]["value"] == role && node["ignored"] == false {
            return Some(node);
        }
        self.children(node).find_map(|child| self.find(child, role))
    }

    /// `named` is the name of what it stands in: a text that repeats it says nothing.
    fn write(&self, node: &'a Value, depth: usize, named: &str, lines: &mut Vec<Line>) {
        const STATES: [&str; 9] =
            ["level", "checked", "disabled", "expanded", "invalid", "modal", "pressed", "required", "selected"];
        const SILENT: [&str; 7] = ["generic", "none", "paragraph", "rowgroup", "strong", "code", "time"];
        let role = node["role"]["value"].as_str().unwrap_or_default();
        let name = node["name"]["value"].as_str().unwrap_or_default();
        if matches!(role, "StaticText" | "InlineTextBox" | "ListMarker" | "LineBreak") {
            if role == "StaticText" && !named.contains(name) {
                lines.push(Line { depth, words: steady(name), is_text: true });
            }
            return;
        }
        let mut below = depth;
        let mut named = named;
        if node["ignored"] == false && !(name.is_empty() && SILENT.contains(&role)) {
            let properties = node["properties"].as_array().into_iter().flatten();
            let states = properties.filter_map(|property| {
                let (name, value) = (property["name"].as_str()?, &property["value"]["value"]);
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (STATES.contains(&name) && value != "false").then(|| format!(" {name}={value}"))
            });
            let quoted = if name.is_empty() { String::new() } else { format!(" {:?}", steady(name)) };
            let words = format!("{role}{quoted}{}", states.collect::<String>());
            lines.push(Line { depth, words, is_text: false });
            // A picture is its name, and a row that has a name has the words of its cells.
            if role == "image" || (role == "row" && !name.is_empty()) {
                return;
            }
            (below, named) = (depth + 1, name);
        }
        for child in self.children(node) {
            self.write(child, below, named, lines);
        }
    }
}

/// A line of an [`Outline`].
struct Line {
    depth: usize,
    words: String,
    is_text: bool,
}

/// The text without what the time of day and the speed of the machine make of it: `12:34:56` is `CLOCK`, `40 s` is `LENGTH`.
fn steady(text: &str) -> String {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_clock = |word: &str| word.contains(':') && word.split(':').all(is_number);
    let is_unit = |word: &str| matches!(word.trim_end_matches(['.', ',', '"']), "s" | "min" | "h");
    let words = text.replace("just now", "0 s ago");
    let words: Vec<&str> = words.split(' ').collect();
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let next = words.get(at + 1).copied().unwrap_or_default();
        let bare = word.trim_matches(['.', ',', '"']);
        if is_clock(bare) {
            out.push(word.replace(bare, "CLOCK"));
        } else if is_number(word) && is_unit(next) {
            out.push(next.replace(next.trim_end_matches(['.', ',', '"']), "LENGTH"));
            at += 1;
        } else {
            out.push((*word).to_owned());
        }
        at += 1;
    }
    out.join(" ")
}

#[test]
fn what_changes_from_run_to_run_is_replaced() {
    assert_eq!(steady("Between 08:41:12 (last seen old) and 08:46:09."), "Between CLOCK (last seen old) and CLOCK.");
    assert_eq!(steady("open 40 s"), steady("open 2 min"));
    assert_eq!(steady("first seen just now, 3 tags"), steady("first seen 12 s ago, 3 tags"));
}
