//! What can be done with lanes: buttons over their names, written as the table is. One of them can be reached by the tab key,
//! the others by arrow keys from there.

use tagwarden_model::timeline::{Act, Handle};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FocusOptions, HtmlElement, KeyboardEvent};

use super::board::Timeline;
use super::desk::Desk;
use crate::browser;
use crate::text::board as text;

/// Writes those of pinned lanes and all others into their places, if they are others than before. The focus stays on what it
/// was on.
pub fn write(desk: &mut Desk) -> Option<()> {
    if desk.handles.as_ref() == Some(&desk.sheet.handles) {
        return Some(());
    }
    let [fixed, lanes] = &desk.canvases.as_ref()?.handles;
    let document = lanes.owner_document()?;
    let mut active = document.active_element().and_then(|active| active.get_attribute("data-of"));
    fixed.set_text_content(None);
    lanes.set_text_content(None);
    for (at, handle) in desk.sheet.handles.iter().enumerate() {
        let button = document.create_element("button").ok()?.unchecked_into::<HtmlElement>();
        let (act, of) = named(desk, handle)?;
        let is_pin = matches!(handle.act, Act::Pin | Act::Unpin);
        let is_on = matches!(handle.act, Act::Unpin | Act::Collapse);
        let attributes = [
            ("type", "button"),
            ("class", if is_pin { "handle handle-pin" } else { "handle" }),
            (if is_pin { "aria-pressed" } else { "aria-expanded" }, if is_on { "true" } else { "false" }),
            ("aria-label", &act),
            ("title", &act),
            ("data-at", &at.to_string()),
            ("data-of", &of),
            ("tabindex", if at == 0 { "0" } else { "-1" }),
        ];
        for (name, value) in attributes {
            let _ = button.set_attribute(name, value);
        }
        let (parent, shift) = if handle.act == Act::Unpin { (fixed, 0.0) } else { (lanes, desk.sheet.fixed) };
        let pixels = [("top", handle.top - shift), ("height", handle.bottom - handle.top), ("width", handle.right)];
        for (name, value) in pixels {
            let _ = button.style().set_property(name, &[&value.to_string(), "px"].concat());
        }
        let _ = parent.append_child(&button);
        if active.as_ref() == Some(&of) {
            // What came by itself does not scroll the page, what somebody has done does.
            let stays = desk
                .handles
                .iter()
                .flatten()
                .any(|old| old.act == handle.act && named(desk, old).is_some_and(|(_, other)| other == of));
            reach(&button, !stays);
            active = None;
        }
    }
    // Its lane is gone.
    if let Some(first) = active.and_then(|_| beside(lanes, "[tabindex='0']")) {
        reach(&first, false);
    }
    desk.handles = Some(desk.sheet.handles.clone());
    Some(())
}

/// What a button says, and whose it is, whatever else changes.
fn named(desk: &Desk, handle: &Handle) -> Option<(String, String)> {
    let lane = desk.head.lanes.get(handle.lane)?;
    Some(match handle.act {
        Act::Pin | Act::Unpin => (text::pin(lane), lane.id.clone()),
        Act::Collapse | Act::Expand => (text::lanes_of(&lane.repository), lane.repository.clone()),
    })
}

fn reach(button: &HtmlElement, scroll: bool) {
    if let Some(before) = beside(button, "[tabindex='0']") {
        let _ = before.set_attribute("tabindex", "-1");
    }
    let _ = button.set_attribute("tabindex", "0");
    let options = FocusOptions::new();
    options.set_prevent_scroll(!scroll);
    let _ = button.focus_with_options(&options);
}

/// A button beside another one.
fn beside(of: &Element, selector: &str) -> Option<HtmlElement> {
    let whole = of.closest(".timeline-lanes").ok()??;
    Some(whole.query_selector(&[".handle", selector].concat()).ok()??.unchecked_into())
}

/// Scrolls the page until a lane is seen.
pub fn reveal(desk: &Desk, lane: usize) -> Option<()> {
    let first = *desk.sheet.row(lane)?.lanes.first()?;
    let at = desk.handles.iter().flatten().position(|handle| handle.lane == first && handle.act != Act::Collapse)?;
    let button = beside(&desk.canvases.as_ref()?.handles[1], &["[data-at='", &at.to_string(), "']"].concat())?;
    browser::scroll_to(&button);
    Some(())
}

fn number(event: &Event) -> Option<(Element, usize)> {
    let button = event.target()?.unchecked_into::<Element>().closest(".handle").ok()??;
    let at = button.get_attribute("data-at")?.parse().ok()?;
    Some((button, at))
}

/// Does what a pressed button says.
pub fn press(timeline: Timeline, event: &Event) -> Option<()> {
    let (_, at) = number(event)?;
    let handle = *timeline.desk()?.borrow().handles.as_ref()?.get(at)?;
    timeline.arrange(handle.act, handle.lane);
    Some(())
}

/// Goes to the button above or below.
pub fn key(event: &KeyboardEvent) -> Option<()> {
    let (button, at) = number(event)?;
    let by = match event.key().as_str() {
        "ArrowUp" => -1,
        "ArrowDown" => 1,
        _ => return None,
    };
    event.prevent_default();
    let next = at.checked_add_signed(by)?;
    reach(&beside(&button, &["[data-at='", &next.to_string(), "']"].concat())?, true);
    Some(())
}
