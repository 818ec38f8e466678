//! The same window as a table: what holds the focus, what assistive technology reads, and what is copied.

use tagwarden_model::timeline::short;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlElement};

use super::board::Timeline;
use super::desk::Desk;
use super::handles;
use crate::browser;
use crate::telling::row;

/// Rows that are written at most.
const MOST: usize = 500;

/// Writes the rows into `body` and gives their number, and how many there would be. The row of what is chosen, or else the
/// first, can be reached by the tab key. Rows that say what they said stay, so that nobody loses the one he reads.
pub fn write(timeline: Timeline, body: &Element) -> Option<(usize, usize)> {
    let shared = timeline.desk()?;
    let now = browser::now();
    let (mut rows, mut all) = (Vec::new(), 0);
    {
        let desk = shared.borrow();
        for hit in desk.sheet.lanes.iter().flat_map(|place| &place.hits).chain(&desk.sheet.quiet) {
            all += 1;
            if rows.len() >= MOST {
                continue;
            }
            let (Some(lane), Some(told)) = (desk.lane(hit), desk.tell(hit)) else { continue };
            let [mut lane_label, what, when, digest] = row(hit, lane, &told, now, &browser::offset);
            if desk.head.repositories.len() > 1 && !hit.is_nothing() {
                lane_label = [short(&lane.repository), " ", &lane_label].concat();
            }
            rows.push(Row { lane: hit.lane, key: hit.key(), cells: [lane_label, what, when, digest, told.sentence] });
        }
    }
    let (number, had_focus) = (rows.len(), has_focus(body));
    if shared.borrow().rows != rows {
        fill(body, &rows)?;
        shared.borrow_mut().rows = rows;
    }
    let reached = mark(body, shared.borrow().chosen);
    // The row that had the focus may be gone.
    if let (true, Some(entry)) = (had_focus && !has_focus(body), reached) {
        focus(entry.dyn_ref()?);
    }
    Some((number, all))
}

/// One row as it is written.
#[derive(PartialEq, Eq)]
pub struct Row {
    lane: usize,
    key: i64,
    cells: [String; 5],
}

/// Writes all rows anew; the focus stays on the row that it was on.
fn fill(body: &Element, rows: &[Row]) -> Option<()> {
    let document = body.owner_document()?;
    let active = document.active_element().filter(|active| body.contains(Some(active)));
    let place = active.and_then(|active| Some((active.get_attribute("data-lane")?, active.get_attribute("data-key")?)));
    body.set_text_content(None);
    for row in rows {
        let entry = document.create_element("tr").ok()?;
        let (lane, key) = (row.lane.to_string(), row.key.to_string());
        let _ = entry.set_attribute("data-lane", &lane);
        let _ = entry.set_attribute("data-key", &key);
        let _ = entry.set_attribute("tabindex", "-1");
        for text in &row.cells {
            cell(&document, &entry, text)?;
        }
        let _ = body.append_child(&entry);
        if place == Some((lane, key)) {
            focus(entry.dyn_ref()?);
        }
    }
    Some(())
}

fn has_focus(body: &Element) -> bool {
    let active = body.owner_document().and_then(|document| document.active_element());
    active.is_some_and(|active| body.contains(Some(&active)))
}

/// Marks the row of what is chosen and lets the tab key reach it, or else the first; gives that row.
fn mark(body: &Element, chosen: Option<(usize, i64)>) -> Option<Element> {
    let rows = body.children();
    let is_chosen = |entry: &Element| {
        let number = |name: &str| entry.get_attribute(name)?.parse::<i64>().ok();
        number("data-lane").zip(number("data-key")) == chosen.map(|(lane, key)| (lane as i64, key))
    };
    let entries: Vec<Element> = (0..rows.length()).filter_map(|at| rows.item(at)).collect();
    let reached = entries.iter().position(is_chosen);
    for (at, entry) in entries.iter().enumerate() {
        let selected = reached == Some(at);
        let _ = entry.set_attribute("tabindex", if at == reached.unwrap_or(0) { "0" } else { "-1" });
        let _ = if selected {
            entry.set_attribute("aria-selected", "true")
        } else {
            entry.remove_attribute("aria-selected")
        };
    }
    entries.into_iter().nth(reached.unwrap_or(0))
}

fn cell(document: &Document, entry: &Element, text: &str) -> Option<()> {
    let cell = document.create_element("td").ok()?;
    cell.set_text_content(Some(text));
    entry.append_child(&cell).ok().map(drop)
}

fn focus(entry: &HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = entry.focus_with_options(&options);
}

/// Puts the focus on the row of what is chosen.
pub fn follow(timeline: Timeline, body: &Element) -> Option<()> {
    let (lane, key) = timeline.desk()?.borrow().chosen?;
    let find = |selector: &str| body.query_selector(selector).ok().flatten()?.dyn_into::<HtmlElement>().ok();
    if let Some(old) = find("[tabindex='0']") {
        let _ = old.set_attribute("tabindex", "-1");
        let _ = old.remove_attribute("aria-selected");
    }
    let entry = find(&format!("[data-lane='{lane}'][data-key='{key}']"))?;
    let _ = entry.set_attribute("tabindex", "0");
    let _ = entry.set_attribute("aria-selected", "true");
    focus(&entry);
    handles::reveal(&timeline.desk()?.borrow(), lane)
}

/// The thing that a row of the table is about.
pub fn at(desk: &Desk, target: &Element) -> Option<tagwarden_model::timeline::Hit> {
    let entry = target.closest("tr[data-key]").ok()??;
    let lane = entry.get_attribute("data-lane")?.parse().ok()?;
    let key = entry.get_attribute("data-key")?.parse().ok()?;
    desk.sheet.find((lane, key))
}
