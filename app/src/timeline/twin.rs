//! The same window as a table: what holds the focus, what assistive technology reads, and what is copied.

use tagwarden_model::instant::Instant;
use tagwarden_model::timeline::What;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlElement};

use super::board::Timeline;
use super::desk::Desk;
use crate::browser;
use crate::telling::row;

/// Rows that are written at most.
const MOST: usize = 500;

/// Writes the rows into `body` anew and gives their number, and how many there would be. The row of what is chosen, or else
/// the first, can be reached by the tab key.
pub fn write(timeline: Timeline, body: &Element) -> Option<(usize, usize)> {
    let document = body.owner_document()?;
    let had_focus = document.active_element().is_some_and(|active| body.contains(Some(&active)));
    let shared = timeline.desk()?;
    let desk = shared.borrow();
    let now = browser::now();
    body.set_text_content(None);
    let mut written = 0;
    let mut all = 0;
    let mut reached = None;
    for place in &desk.sheet.lanes {
        for hit in &place.hits {
            all += 1;
            if written >= MOST {
                continue;
            }
            let (Some(lane), Some(told)) = (desk.lane(hit), desk.tell(hit)) else { continue };
            let entry = document.create_element("tr").ok()?;
            let is_chosen = desk.chosen == Some((hit.lane, hit.key()));
            let _ = entry.set_attribute("data-lane", &hit.lane.to_string());
            let _ = entry.set_attribute("data-key", &hit.key().to_string());
            let _ = entry.set_attribute("tabindex", "-1");
            if is_chosen {
                let _ = entry.set_attribute("aria-selected", "true");
            }
            let at = if hit.what == What::Span { hit.from } else { hit.at };
            let offset = browser::offset(Instant(at.clamp(0, now.0)));
            for text in row(hit, lane, &told, now, offset) {
                cell(&document, &entry, &text)?;
            }
            cell(&document, &entry, &told.sentence)?;
            let _ = body.append_child(&entry);
            if is_chosen || reached.is_none() {
                reached = Some(entry);
            }
            written += 1;
        }
    }
    drop(desk);
    if let Some(entry) = reached.and_then(|entry| entry.dyn_into::<HtmlElement>().ok()) {
        let _ = entry.set_attribute("tabindex", "0");
        if had_focus {
            focus(&entry);
        }
    }
    Some((written, all))
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
    Some(())
}

/// The thing that a row of the table is about.
pub fn at(desk: &Desk, target: &Element) -> Option<tagwarden_model::timeline::Hit> {
    let entry = target.closest("tr[data-key]").ok()??;
    let lane = entry.get_attribute("data-lane")?.parse().ok()?;
    let key = entry.get_attribute("data-key")?.parse().ok()?;
    let at = desk.sheet.find(lane, key)?;
    desk.sheet.lanes.get(lane)?.hits.get(at).copied()
}
