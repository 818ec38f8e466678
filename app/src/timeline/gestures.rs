//! Mouse, touch and wheel on the canvases, and keys in the table and the strip.

use leptos::prelude::*;
use tagwarden_model::timeline::{Act, View};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{AddEventListenerOptions, Event, HtmlCanvasElement, KeyboardEvent, PointerEvent, WheelEvent};

use super::board::Timeline;
use super::desk::Desk;
use crate::browser;

/// Movements shorter than this are a click.
const STEADY: f64 = 4.0;

/// What a pressed pointer does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hold {
    /// Moves the view.
    Pan,
    /// Selects a stretch.
    Select,
    /// Moves the shown part on the strip, or one of its edges.
    Brush(bool, bool),
}

/// A pressed pointer.
#[derive(Debug, Clone, Copy)]
pub struct Drag {
    hold: Hold,
    start: f64,
    view: View,
    moved: bool,
}

/// What a canvas shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The axis and what is pinned.
    Fixed,
    /// All other lanes.
    Lanes,
    /// The strip over all time.
    Strip,
}

const EVENTS: [&str; 6] = ["pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave", "wheel"];

/// Listens on a canvas as long as the page lives.
pub fn listen(timeline: Timeline, canvas: &HtmlCanvasElement, shows: Shows) {
    let element = canvas.clone();
    let listener = Closure::<dyn FnMut(Event)>::new(move |event: Event| handle(timeline, &element, shows, &event));
    let options = AddEventListenerOptions::new();
    options.set_passive(false);
    for name in EVENTS {
        let function = listener.as_ref().unchecked_ref();
        let _ = canvas.add_event_listener_with_callback_and_add_event_listener_options(name, function, &options);
    }
    let listener = StoredValue::new_local(listener);
    on_cleanup(move || listener.dispose());
}

fn handle(timeline: Timeline, canvas: &HtmlCanvasElement, shows: Shows, event: &Event) {
    let is_strip = shows == Shows::Strip;
    if let Some(wheel) = event.dyn_ref::<WheelEvent>() {
        turn(timeline, wheel, is_strip);
        return;
    }
    let Some(event) = event.dyn_ref::<PointerEvent>() else { return };
    let Some(shared) = timeline.desk() else { return };
    let above = if shows == Shows::Lanes { shared.borrow().part.start } else { 0.0 };
    let (x, y) = (f64::from(event.offset_x()), f64::from(event.offset_y()) + above);
    match event.type_().as_str() {
        "pointerdown" if event.button() == 0 => {
            let _ = canvas.set_pointer_capture(event.pointer_id());
            let mut desk = shared.borrow_mut();
            desk.pointers.push((event.pointer_id(), x));
            let hold = match (is_strip, event.shift_key()) {
                (true, _) => desk.grip(x),
                (false, true) => Hold::Select,
                (false, false) => Hold::Pan,
            };
            // Two fingers are no click.
            desk.drag = Some(Drag { hold, start: x, view: desk.view, moved: desk.pointers.len() > 1 });
        }
        "pointermove" => {
            let drag = shared.borrow().drag;
            match drag {
                Some(drag) => pull(timeline, drag, event.pointer_id(), x),
                None if !is_strip => point(timeline, x, y),
                None => {}
            }
        }
        "pointerleave" => point(timeline, -1.0, -1.0),
        _ => release(timeline, event, is_strip, x, y),
    }
}

fn turn(timeline: Timeline, wheel: &WheelEvent, is_strip: bool) {
    let Some(shared) = timeline.desk() else { return };
    let (across, down) = (wheel.delta_x(), wheel.delta_y());
    let (view, part, width) = {
        let desk = shared.borrow();
        let part = if is_strip { 0.5 } else { desk.part(f64::from(wheel.offset_x())) };
        (desk.view, part, desk.sheet.right - desk.sheet.left)
    };
    if wheel.ctrl_key() || wheel.meta_key() {
        // Some devices tell lines instead of pixels.
        let lines = if wheel.delta_mode() == 0 { 1.0 } else { 30.0 };
        timeline.look(view.zoom(part, (down * lines * 0.003).clamp(-1.0, 1.0).exp()));
    } else if across.abs() > down.abs() {
        timeline.look(view.pan(across / width.max(1.0)));
    } else {
        return;
    }
    wheel.prevent_default();
}

/// Moves what is held.
fn pull(timeline: Timeline, drag: Drag, pointer: i32, x: f64) {
    let Some(shared) = timeline.desk() else { return };
    let mut desk = shared.borrow_mut();
    let Some(at) = desk.pointers.iter().position(|(id, _)| *id == pointer) else { return };
    let before = std::mem::replace(&mut desk.pointers[at].1, x);
    let width = (desk.sheet.right - desk.sheet.left).max(1.0);
    let moved = drag.moved || (x - drag.start).abs() >= STEADY;
    desk.drag = Some(Drag { moved, ..drag });
    if !moved {
        return;
    }
    let other = desk.pointers.iter().find(|(id, _)| *id != pointer).map(|(_, x)| *x);
    let part = (x - drag.start) / width;
    let view = match (drag.hold, other) {
        // Two fingers: what is between them stays there.
        (Hold::Pan, Some(other)) => {
            let factor = ((before - other).abs().max(8.0) / (x - other).abs().max(8.0)).clamp(0.5, 2.0);
            desk.view.zoom(desk.part(x.midpoint(other)), factor)
        }
        (Hold::Pan, None) => drag.view.pan(-part),
        (Hold::Select, _) => {
            desk.selecting = Some((drag.start, x));
            drop(desk);
            timeline.draw();
            return;
        }
        (Hold::Brush(from, until), _) => {
            let now = browser::now();
            let all = desk.all(now);
            let by = all.at(part) - all.from;
            let [from, until] = match (from, until) {
                // Where nothing was held a stretch is selected.
                (false, false) => [drag.start, x].map(|x| all.at(desk.part(x))),
                _ => [(drag.view.from, from), (drag.view.until, until)]
                    .map(|(at, moves)| if moves { at + by } else { at }),
            };
            let view = View { from: from.min(until), until: until.max(from) };
            if drag.hold == Hold::Brush(true, true) { view } else { view.ended(now) }
        }
    };
    drop(desk);
    timeline.tip.set(None);
    timeline.look(view);
}

fn release(timeline: Timeline, event: &PointerEvent, is_strip: bool, x: f64, y: f64) {
    let Some(shared) = timeline.desk() else { return };
    let mut desk = shared.borrow_mut();
    desk.pointers.retain(|(id, _)| *id != event.pointer_id());
    let Some(drag) = desk.drag.take() else { return };
    let selected = desk.selecting.take();
    let view = desk.view;
    let is_cancelled = event.type_() == "pointercancel";
    if let Some((from, until)) = selected.filter(|_| !is_cancelled) {
        let (from, until) = (view.at(desk.part(from.min(until))), view.at(desk.part(from.max(until))));
        drop(desk);
        timeline.look(View { from, until }.ended(browser::now()));
    } else if drag.moved || is_cancelled {
        drop(desk);
        timeline.settle();
    } else if is_strip {
        let all = desk.all(browser::now());
        let shift = all.at(desk.part(x)) - view.at(0.5);
        drop(desk);
        if matches!(drag.hold, Hold::Brush(false, false)) {
            timeline.look(View { from: view.from + shift, until: view.until + shift });
        } else {
            timeline.settle_later();
        }
    } else {
        let hit = desk.sheet.hit(x, y);
        drop(desk);
        match hit {
            Some(hit) => timeline.open(hit),
            None => timeline.choose(None, true),
        }
        timeline.settle_later();
    }
}

/// Shows what is under the pointer, and the same digest everywhere.
fn point(timeline: Timeline, x: f64, y: f64) {
    let Some(shared) = timeline.desk() else { return };
    let mut desk = shared.borrow_mut();
    let hit = desk.sheet.hit(x, y);
    let key = |hit: tagwarden_model::timeline::Hit| (hit.lane, hit.key());
    if hit.map(key) == desk.hover.map(key) {
        return;
    }
    desk.hover = hit;
    let tip = hit.and_then(|hit| desk.tip(&hit, x));
    drop(desk);
    timeline.tip.set(tip);
    timeline.draw();
}

impl Desk {
    /// Which part of the plot's width lies left of `x`.
    fn part(&self, x: f64) -> f64 {
        ((x - self.sheet.left) / (self.sheet.right - self.sheet.left).max(1.0)).clamp(0.0, 1.0)
    }

    /// What is held on the strip at `x`: however narrow the shown part is, it can be moved, and its edges are beside it.
    fn grip(&self, x: f64) -> Hold {
        let all = self.all(browser::now());
        let width = self.sheet.right - self.sheet.left;
        let place = |at: tagwarden_model::instant::Instant| {
            self.sheet.left + (at - all.from).0 as f64 / all.length().0.max(1) as f64 * width
        };
        let (from, until) = (place(self.view.from), place(self.view.until));
        let (away, inner) = (x - from.midpoint(until), ((until - from) / 2.0 - 7.0).max(6.0));
        let is_near = away.abs() < inner + 14.0;
        Hold::Brush(is_near && away < inner, is_near && away > -inner)
    }
}

/// Does what a key says. `None` for keys that mean nothing here, else whether the choice moved.
pub fn key(timeline: Timeline, event: &KeyboardEvent, is_strip: bool) -> Option<bool> {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return None;
    }
    let shared = timeline.desk()?;
    let (view, chosen) = (shared.borrow().view, shared.borrow().chosen);
    let (key, code) = (event.key(), event.code());
    let step = |along: bool, by: isize| {
        let hit = shared.borrow().sheet.step(chosen, along, by);
        match hit {
            Some(hit) => timeline.choose(Some(hit), false),
            None if along => timeline.look(view.pan(0.5 * by as f64)),
            None => {}
        }
        Some(true)
    };
    let look = |view: View| {
        timeline.look(view);
        Some(false)
    };
    match (key.as_str(), code.as_str()) {
        ("ArrowLeft", _) if !is_strip => step(true, -1),
        ("ArrowRight", _) if !is_strip => step(true, 1),
        ("ArrowUp", _) if !is_strip => step(false, -1),
        ("ArrowDown", _) if !is_strip => step(false, 1),
        ("Home" | "End", _) if !is_strip => {
            let hit = shared.borrow().sheet.end(chosen.map(|(lane, _)| lane), key == "End");
            timeline.choose(hit, false);
            Some(true)
        }
        ("Home", _) => {
            let from = shared.borrow().all(browser::now()).from;
            look(View { from, until: from + view.length() })
        }
        ("End", _) => look(View::last(view.length(), browser::now())),
        ("Enter", _) if !is_strip => {
            let hit = shared.borrow().sheet.find(chosen?)?;
            timeline.open(hit);
            Some(true)
        }
        (_, "KeyP" | "KeyC") if !is_strip => {
            let (lane, _) = chosen?;
            timeline.arrange(if code == "KeyP" { Act::Pin } else { Act::Collapse }, lane);
            Some(true)
        }
        ("Escape", _) => {
            if timeline.tip.try_with_untracked(Option::is_some) == Some(true) {
                timeline.tip.set(None);
            } else {
                timeline.unpin();
            }
            Some(false)
        }
        ("ArrowLeft", _) | (_, "KeyA") => look(view.pan(-0.25)),
        ("ArrowRight", _) | (_, "KeyD") => look(view.pan(0.25)),
        ("ArrowUp" | "+" | "=", _) | (_, "KeyW" | "NumpadAdd") => look(view.zoom(0.5, 0.5)),
        ("ArrowDown" | "-", _) | (_, "KeyS" | "NumpadSubtract") => look(view.zoom(0.5, 2.0)),
        _ => None,
    }
}
