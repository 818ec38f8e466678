//! The same window as a table: what holds the focus, what assistive technology reads, and what is copied.

use leptos::prelude::Notify;
use tagwarden_model::timeline::short;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlElement};

use super::board::Timeline;
use super::desk::Desk;
use super::handles;
use crate::browser;
use crate::telling::row;
use crate::view::after_paint;

/// Rows that are written at most.
const MOST: usize = 500;
/// New ones that are written in one task.
const AT_ONCE: usize = 40;

/// Writes the rows into `body`, and says how many there are, and how many there would be: of too many those around what is chosen.
/// The row of what is chosen, or else the first, can be reached by the tab key. While something is not loaded the old rows
/// stay, so that nobody loses the one he reads. Many new rows are written in steps, until the last of which the table is busy.
pub fn write(timeline: Timeline, body: &Element) -> Option<()> {
    let shared = timeline.desk()?;
    let now = browser::now();
    let table = body.parent_element()?;
    let (mut rows, mut number, mut all, mut new) = (Vec::new(), 0, 0, 0);
    let had_focus = has_focus(&table);
    let old = {
        let mut desk = shared.borrow_mut();
        if !desk.sheet.is_loaded && !desk.failed && !desk.head.lanes.is_empty() {
            let _ = table.set_attribute("aria-busy", "true");
            return None;
        }
        if had_focus {
            // What has the focus may be part of something else now.
            desk.choose_near();
        }
        let old = std::mem::take(&mut desk.rows);
        let hits = || desk.sheet.lanes.iter().flat_map(|place| &place.hits).chain(&desk.sheet.quiet);
        let chosen = desk.chosen.and_then(|chosen| hits().position(|hit| (hit.lane, hit.key()) == chosen));
        let first = chosen.map_or(0, |at| (at / 100 * 100).saturating_sub(MOST / 2));
        for hit in hits() {
            all += 1;
            if all <= first || number >= MOST {
                continue;
            }
            let of = (hit.lane, hit.key());
            let is_new = old.iter().all(|row: &Row| row.of != of);
            if is_new && new >= AT_ONCE && desk.chosen != Some(of) {
                number += 1;
                continue;
            }
            let (Some(lane), Some(told)) = (desk.lane(hit), desk.tell(hit)) else { continue };
            let [mut lane_label, what, when, digest] = row(hit, lane, &told, now, &browser::offset);
            if desk.head.repositories.len() > 1 && !hit.is_nothing() {
                lane_label = [short(&lane.repository), " ", &lane_label].concat();
            }
            number += 1;
            new += usize::from(is_new);
            rows.push(Row { of, cells: [lane_label, what, when, digest, told.sentence] });
        }
        old
    };
    let is_whole = rows.len() == number;
    let _ = table.set_attribute("aria-busy", if is_whole { "false" } else { "true" });
    update(body, old, &rows)?;
    shared.borrow_mut().rows = rows;
    let reached = mark(timeline, body);
    if had_focus {
        // The row that had the focus may be gone; one that nobody chose does not get it.
        let is_chosen = reached.filter(|entry| entry.has_attribute("aria-selected")).unwrap_or(table);
        if !has_focus(&is_chosen) {
            focus(is_chosen.dyn_ref()?);
        }
    }
    timeline.rows.set((number, all));
    if !is_whole {
        after_paint(Box::new(move || timeline.more_rows.notify()));
    }
    Some(())
}

/// One row as it is written.
pub struct Row {
    /// Lane and key of what it is about.
    of: (usize, i64),
    cells: [String; 5],
}

/// Makes the old rows the new ones. What says what it said is not touched: nobody who reads it is told anew.
fn update(body: &Element, mut old: Vec<Row>, rows: &[Row]) -> Option<()> {
    let document = body.owner_document()?;
    let entries = body.children();
    let entry = |at: usize| entries.item(at as u32);
    let mut at = 0;
    old.retain(|row| {
        let stays = rows.iter().any(|new| new.of == row.of);
        if stays {
            at += 1;
        } else if let Some(entry) = entry(at) {
            entry.remove();
        }
        stays
    });
    for (at, row) in rows.iter().enumerate() {
        if old.get(at).is_none_or(|old| old.of != row.of) {
            // It may have stood elsewhere.
            if let Some(from) = old.iter().skip(at).position(|old| old.of == row.of) {
                entry(at + from)?.remove();
                old.remove(at + from);
            }
            let new = new_row(&document, row.of)?;
            body.insert_before(&new, entry(at).as_deref()).ok()?;
            old.insert(at, Row { of: row.of, cells: Default::default() });
        }
        let cells = entry(at)?.children();
        for (place, (text, before)) in row.cells.iter().zip(&old.get(at)?.cells).enumerate() {
            if text != before {
                cells.item(place as u32)?.set_text_content(Some(text));
            }
        }
    }
    while let Some(entry) = entry(rows.len()) {
        entry.remove();
    }
    Some(())
}

fn new_row(document: &Document, (lane, key): (usize, i64)) -> Option<Element> {
    let entry = document.create_element("tr").ok()?;
    for (name, value) in [("data-lane", &*lane.to_string()), ("data-key", &key.to_string()), ("tabindex", "-1")] {
        let _ = entry.set_attribute(name, value);
    }
    for _ in 0..5 {
        let _ = entry.append_child(&*document.create_element("td").ok()?);
    }
    Some(entry)
}

/// Whether the focus is on an element or in it.
fn has_focus(element: &Element) -> bool {
    let active = element.owner_document().and_then(|document| document.active_element());
    active.is_some_and(|active| element.contains(Some(&active)))
}

/// Marks the row of what is chosen and lets the tab key reach it, or else the first; gives that row.
fn mark(timeline: Timeline, body: &Element) -> Option<Element> {
    let find = |selector: &str| body.query_selector(selector).ok().flatten();
    if let Some(old) = find("[tabindex='0']") {
        let _ = old.set_attribute("tabindex", "-1");
        let _ = old.remove_attribute("aria-selected");
    }
    let row_of = |(lane, key): (usize, i64)| {
        find(&["[data-lane='", &lane.to_string(), "'][data-key='", &key.to_string(), "']"].concat())
    };
    let chosen = timeline.desk()?.borrow().chosen.and_then(row_of);
    if let Some(entry) = &chosen {
        let _ = entry.set_attribute("aria-selected", "true");
    }
    let reached = chosen.or_else(|| body.first_element_child())?;
    let _ = reached.set_attribute("tabindex", "0");
    Some(reached)
}

fn focus(entry: &HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = entry.focus_with_options(&options);
}

/// Puts the focus on the row of what is chosen, and shows it where the table is seen, or else its lane.
pub fn follow(timeline: Timeline, body: &Element) -> Option<()> {
    let is_chosen = |entry: &Element| entry.has_attribute("aria-selected");
    let entry = mark(timeline, body).filter(is_chosen).or_else(|| {
        // There were too many rows, or it came just now.
        write(timeline, body);
        mark(timeline, body).filter(is_chosen)
    })?;
    focus(entry.dyn_ref()?);
    if entry.closest(".twin-open").ok()?.is_some() {
        browser::scroll_to(&entry);
        return Some(());
    }
    let desk = timeline.desk()?;
    let desk = desk.borrow();
    handles::reveal(&desk, desk.chosen?.0)
}

/// The thing that a row of the table is about.
pub fn at(desk: &Desk, target: &Element) -> Option<tagwarden_model::timeline::Hit> {
    let entry = target.closest("tr[data-key]").ok()??;
    let lane = entry.get_attribute("data-lane")?.parse().ok()?;
    let key = entry.get_attribute("data-key")?.parse().ok()?;
    desk.sheet.find((lane, key))
}
