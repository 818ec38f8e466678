//! The canvases of a timeline with the buttons on them, and the strip over all time.

use leptos::html::{Dialog, Div};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Event, HtmlElement, KeyboardEvent};

use super::board::Timeline;
use super::card::TipBox;
use super::desk::Canvases;
use super::gestures::{self, Shows};
use super::lanes::show_help;
use super::{handles, svg};
use crate::browser;
use crate::effect::effect;
use crate::text::board as text;

/// The canvases, which say nothing to assistive technology: the table does.
#[component]
pub fn Picture(timeline: Timeline, help: NodeRef<Dialog>) -> impl IntoView {
    let holder = NodeRef::<Div>::new();
    let mount = move || {
        let card = holder.get()?.parent_element()?;
        let find = |selector: &str| Some(card.query_selector(selector).ok()??.unchecked_into::<HtmlElement>());
        let canvas = |selector: &str, shows: Shows| {
            let canvas = find(selector)?.unchecked_into();
            gestures::listen(timeline, &canvas, shows);
            Some(canvas)
        };
        timeline.mount(Canvases {
            fixed: canvas(".timeline-fixed canvas", Shows::Fixed)?,
            lanes: canvas(".timeline-rest canvas", Shows::Lanes)?,
            strip: canvas(".timeline-strip canvas", Shows::Strip)?,
            probe: find(".timeline-probe")?,
            print: find(".print-only")?,
            handles: [find(".timeline-fixed .handles")?, find(".timeline-rest .handles")?],
        });
        Some(())
    };
    effect(move || {
        mount();
    });
    let press = move |event: leptos::ev::MouseEvent| {
        handles::press(timeline, &event);
    };
    let walk = move |event: KeyboardEvent| {
        if event.key() == "?" {
            show_help(help);
        } else {
            handles::key(&event);
        }
    };
    watch_screen(timeline);
    let key = move |event: KeyboardEvent| {
        if event.key() == "?" {
            show_help(help);
        } else if gestures::key(timeline, &event, true).is_some() {
            event.prevent_default();
        }
    };
    let words = move || {
        timeline.settled.track();
        let view = timeline.desk()?.borrow().view;
        let day = |at| crate::time::absolute(at, browser::offset(at));
        Some(text::from_to(&day(view.from), &day(view.until)))
    };
    // Where the middle of it is in all time.
    let percent = move || {
        timeline.settled.track();
        let desk = timeline.desk()?;
        let desk = desk.borrow();
        let all = desk.all(browser::now());
        let part = (desk.view.at(0.5) - all.from).0 * 100 / all.length().0.max(1);
        Some(part.clamp(0, 100).to_string())
    };
    view! {
        <div node_ref=holder class="timeline-lanes screen-only" role="group" aria-label=text::HANDLES on:click=press on:keydown=walk>
            <div class="timeline-fixed">
                <canvas class="timeline-canvas" aria-hidden="true"></canvas>
                <div class="handles"></div>
            </div>
            <div class="timeline-rest">
                <canvas class="timeline-canvas" aria-hidden="true"></canvas>
                <div class="handles"></div>
            </div>
            <TipBox timeline />
        </div>
        <div
            class="timeline-strip screen-only"
            tabindex="0"
            role="slider"
            aria-label=text::STRIP
            aria-valuenow=percent
            aria-valuetext=words
            on:keydown=key
        >
            <canvas class="timeline-canvas" aria-hidden="true"></canvas>
        </div>
        <i class="timeline-probe"></i>
        <div class="print-only"></div>
    }
}

/// The picture as it is printed.
fn print(timeline: Timeline) -> Option<()> {
    let desk = timeline.desk()?;
    let desk = desk.borrow();
    svg::write(&desk.canvases.as_ref()?.print, &desk.sheet.drawing, text::TIMELINE)
}

const WATCHED: [&str; 5] = ["resize", "scroll", "redraw", "beforeprint", "keydown"];

/// Draws again when the room, the screen or the colours change. Escape takes away what stands beside the pointer, wherever
/// the focus is.
fn watch_screen(timeline: Timeline) {
    let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| match event.type_().as_str() {
        "beforeprint" => drop(print(timeline)),
        "keydown" => {
            if event.unchecked_ref::<KeyboardEvent>().key() == "Escape" {
                timeline.tip.set(None);
            }
        }
        "resize" => timeline.measure(),
        "scroll" => timeline.scroll(),
        _ => timeline.repaint(),
    });
    let Some(window) = web_sys::window() else { return };
    for name in WATCHED {
        let _ = window.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    }
    let mut queries = Vec::new();
    for query in ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(resolution: 1dppx)"] {
        if let Ok(Some(query)) = window.match_media(query) {
            let _ = query.add_event_listener_with_callback("change", listener.as_ref().unchecked_ref());
            queries.push(query);
        }
    }
    let kept = StoredValue::new_local((listener, queries));
    on_cleanup(move || {
        kept.try_with_value(|(listener, queries)| {
            let function = listener.as_ref().unchecked_ref();
            for name in WATCHED {
                let _ = window.remove_event_listener_with_callback(name, function);
            }
            for query in queries {
                let _ = query.remove_event_listener_with_callback("change", function);
            }
        });
    });
}
