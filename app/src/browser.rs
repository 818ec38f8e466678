//! The few things the page asks of the browser.

use js_sys::Date;
use tagwarden_model::instant::{Instant, Millis};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Document, Element, Event, FocusOptions, HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlLinkElement,
    KeyboardEvent, ScrollIntoViewOptions, ScrollLogicalPosition, Window,
};

use crate::route::within;
use crate::text;

fn window() -> Option<Window> {
    web_sys::window()
}

fn document() -> Option<Document> {
    window()?.document()
}

fn element(id: &str) -> Option<Element> {
    document()?.get_element_by_id(id)
}

/// The browser's clock. Nothing in the browser has another one.
pub fn now() -> Instant {
    Instant(Date::now() as i64)
}

/// The browser's distance from UTC at an instant.
pub fn offset(at: Instant) -> Millis {
    Millis::minutes(-(Date::new(&JsValue::from_f64(at.0 as f64)).get_timezone_offset() as i64))
}

/// The document's base address.
pub fn base_uri() -> String {
    document().and_then(|document| document.base_uri().ok().flatten()).unwrap_or_default()
}

/// Which build of the server wrote this page.
pub fn build() -> Option<String> {
    let meta = document()?.query_selector("meta[name=tagwarden-build]").ok().flatten()?;
    meta.get_attribute("content").filter(|build| !build.is_empty())
}

/// Whether nobody sees the tab.
pub fn is_hidden() -> bool {
    document().is_some_and(|document| document.hidden())
}

/// Says to assistive technology whether more of the page is still being made.
pub fn set_busy(busy: bool) {
    if let Some(main) = element("main") {
        let _ = if busy { main.set_attribute("aria-busy", "true") } else { main.remove_attribute("aria-busy") };
    }
}

/// Titles the tab and marks its icon while something needs attention.
pub fn set_title(page: Option<&str>, attention: u64) {
    if let Some(document) = document() {
        document.set_title(&text::shell::tab(page, attention));
    }
    let icon = if attention > 0 { "favicon-flag.svg" } else { "favicon.svg" };
    let link = element("favicon").and_then(|link| link.dyn_into::<HtmlLinkElement>().ok());
    if let Some(link) = link.filter(|link| link.get_attribute("href").as_deref() != Some(icon)) {
        link.set_href(icon);
    }
}

/// Says which language the document speaks.
pub fn set_language(language: &str) {
    if let Some(root) = document().and_then(|document| document.document_element()) {
        let _ = root.set_attribute("lang", language);
    }
}

/// Takes away what stood in the body before the page's code ran.
pub fn remove_skeleton() {
    if let Some(skeleton) = element("boot") {
        skeleton.remove();
    }
}

/// Puts the focus on an element.
pub fn focus(id: &str) {
    if let Some(element) = element(id).and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Puts the focus on the first element that matches a selector, and scrolls to nowhere: what had it is gone.
pub fn pass_focus(selector: &str) {
    let element = document().and_then(|document| document.query_selector(selector).ok().flatten());
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = element.focus_with_options(&options);
    }
}

fn dialog(id: &str) -> Option<HtmlDialogElement> {
    element(id).and_then(|element| element.dyn_into().ok())
}

/// Opens a dialog over everything; the browser keeps the focus in it, and gives it back when it closes.
pub fn show_dialog(id: &str) {
    if let Some(dialog) = dialog(id).filter(|dialog| !dialog.open()) {
        let _ = dialog.show_modal();
    }
}

/// Whether one is open. That of a timeline has been opened by the time that the page hears of the key.
pub fn has_dialog() -> bool {
    document().is_some_and(|document| document.query_selector("dialog[open]").is_ok_and(|found| found.is_some()))
}

/// Closes it.
pub fn close_dialog(id: &str) {
    if let Some(dialog) = dialog(id) {
        dialog.close();
    }
}

/// Whether an event happened to an element itself, not to something in it.
pub fn is_itself(event: &Event, id: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| target.id() == id)
}

/// Puts the focus on a field and selects what is in it.
pub fn select(id: &str) {
    focus(id);
    if let Some(field) = element(id).and_then(|element| element.dyn_into::<HtmlInputElement>().ok()) {
        field.select();
    }
}

/// Scrolls a list until an element of it is seen.
pub fn show_within(id: &str) {
    if let Some(element) = element(id) {
        scroll_to(&element);
    }
}

/// Scrolls no further than until an element is seen.
pub fn scroll_to(element: &Element) {
    let options = ScrollIntoViewOptions::new();
    options.set_block(ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&options);
}

/// Whether a key alone is a command: not while somebody types, nor for whoever switched such keys off (WCAG 2.1.4).
pub fn is_single_key(event: &KeyboardEvent) -> bool {
    !event.ctrl_key() && !event.meta_key() && !event.alt_key() && !is_typing() && has_single_keys()
}

/// Whether keys alone are commands in this browser.
pub fn has_single_keys() -> bool {
    let storage = window().and_then(|window| window.local_storage().ok().flatten());
    storage.and_then(|storage| storage.get_item("keys").ok().flatten()).as_deref() != Some("off")
}

/// Switches them on or off, as long as this browser remembers.
pub fn set_single_keys(on: bool) {
    let storage = window().and_then(|window| window.local_storage().ok().flatten());
    let _ = storage.map(|storage| storage.set_item("keys", if on { "on" } else { "off" }));
}

/// The address of the shown page, relative to its base.
pub fn address() -> String {
    let whole = window().and_then(|window| window.location().href().ok());
    whole.and_then(|whole| within_base(&whole)).unwrap_or_default()
}

/// A whole address relative to the document's base, when it is below it.
pub fn within_base(address: &str) -> Option<String> {
    within(&base_uri(), address).map(ToOwned::to_owned)
}

/// Changes the address of the shown page, relative to its base; the one before stays in the history unless it is replaced.
pub fn set_address(address: &str, replace: bool) {
    let Some(history) = window().and_then(|window| window.history().ok()) else { return };
    let whole = format!("{}{address}", base_uri());
    let _ = if replace {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&whole))
    } else {
        history.push_state_with_url(&JsValue::NULL, "", Some(&whole))
    };
}

/// Scrolls to the top of the page.
pub fn scroll_to_top() {
    if let Some(window) = window() {
        window.scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// Whether the focus is in a field that takes text.
pub fn is_typing() -> bool {
    let active = document().and_then(|document| document.active_element());
    active.is_some_and(|active| matches!(active.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

/// Shows the banner of index.html, whose button works without the page's code.
pub fn show_reload_banner(words: &str) {
    if let (Some(banner), Some(text)) = (element("reload"), element("reload-text")) {
        text.set_text_content(Some(words));
        let _ = banner.remove_attribute("hidden");
    }
}

/// The chosen theme: `light`, `dark`, or `None` for the system's.
pub fn theme() -> Option<String> {
    document()?.document_element()?.get_attribute("data-theme")
}

/// Chooses a theme and remembers it.
pub fn set_theme(theme: Option<&str>) {
    let Some(root) = document().and_then(|document| document.document_element()) else { return };
    let storage = window().and_then(|window| window.local_storage().ok().flatten());
    // Storage may be forbidden; the choice then lasts until the page is closed.
    if let Some(theme) = theme {
        let _ = root.set_attribute("data-theme", theme);
        let _ = storage.map(|storage| storage.set_item("theme", theme));
    } else {
        let _ = root.remove_attribute("data-theme");
        let _ = storage.map(|storage| storage.remove_item("theme"));
    }
    redraw();
}

/// Copies a text. Without a clipboard (plain HTTP from another host) `shown` is selected instead, and this is false.
pub async fn copy(text: &str, shown: Option<&Element>) -> bool {
    if let Some(window) = window() {
        let navigator = window.navigator();
        let has_clipboard =
            js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|clipboard| clipboard.is_object());
        if has_clipboard {
            let written = wasm_bindgen_futures::JsFuture::from(navigator.clipboard().write_text(text)).await;
            if written.is_ok() {
                return true;
            }
        }
        if let (Ok(Some(selection)), Some(shown)) = (window.get_selection(), shown) {
            let _ = selection.select_all_children(shown);
        }
    }
    false
}

/// The height of what is seen of a page, in its pixels.
pub fn height() -> f64 {
    window().and_then(|window| window.inner_height().ok()?.as_f64()).unwrap_or(0.0)
}

/// Whether people point with fingers.
pub fn is_coarse() -> bool {
    let query = window().and_then(|window| window.match_media("(pointer: coarse)").ok().flatten());
    query.is_some_and(|query| query.matches())
}

/// Pixels of the screen in one of the page.
pub fn pixel_ratio() -> f64 {
    window().map_or(1.0, |window| window.device_pixel_ratio())
}

/// Calls whoever draws with the theme's colours.
fn redraw() {
    if let (Some(window), Ok(event)) = (window(), Event::new("redraw")) {
        let _ = window.dispatch_event(&event);
    }
}

/// Opens the browser's dialog for printing.
pub fn print() {
    if let Some(window) = window() {
        let _ = window.print();
    }
}
