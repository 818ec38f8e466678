//! What happens to a page's timeline: it takes lanes and tiles in, asks for others, and draws a frame when one is due.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::TimelineHead;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::timeline::{Act, Arranged, Drawing, Hit, TileStore, View};
use web_sys::AbortController;

use super::desk::{Asked, Canvases, Desk};
use super::handles;
use super::tile_reader;
use crate::telling::Told;
use crate::window::Window;
use crate::{api, browser};

/// Tiles that are asked for at once.
const AT_ONCE: usize = 4;
/// The view stands still for so long before its tiles are asked for.
const STILL: Duration = Duration::from_millis(60);
/// And for so long before table and address follow.
const SETTLED: Duration = Duration::from_millis(300);

/// What there is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Something.
    Something,
    /// Not yet known.
    Loading,
    /// Nothing happened.
    Nothing,
    /// The server did not answer.
    Failed,
}

/// The words beside the pointer.
#[derive(Debug, Clone, PartialEq)]
pub struct Tip {
    /// What it is about.
    pub told: Told,
    /// Where it is, in pixels of the picture.
    pub x: f64,
    /// The lower edge of its lane.
    pub y: f64,
    /// Whether there is more room left of it.
    pub left: bool,
}

/// A timeline on a page.
#[derive(Clone, Copy)]
pub struct Timeline {
    desk: StoredValue<Rc<RefCell<Desk>>, LocalStorage>,
    /// Beside the pointer.
    pub tip: RwSignal<Option<Tip>>,
    /// What is pinned.
    pub card: RwSignal<Option<Told>>,
    /// What there is to see.
    pub seen: RwSignal<Seen>,
    /// Events that came right of the view.
    pub news: RwSignal<u64>,
    /// Called when the view stands still: table and address follow.
    pub settled: Trigger,
}

impl Timeline {
    /// With no lanes yet.
    pub fn new() -> Self {
        Self {
            desk: StoredValue::new_local(Rc::new(RefCell::new(Desk::new()))),
            tip: RwSignal::new(None),
            card: RwSignal::new(None),
            seen: RwSignal::new(Seen::Loading),
            news: RwSignal::new(0),
            settled: Trigger::new(),
        }
    }

    /// The desk, unless the page is gone.
    pub fn desk(self) -> Option<Rc<RefCell<Desk>>> {
        self.desk.try_get_value()
    }

    /// Paints on these from now on.
    pub fn mount(self, canvases: Canvases) {
        if let Some(desk) = self.desk() {
            desk.borrow_mut().canvases = Some(canvases);
        }
        self.measure();
    }

    /// The room or the screen is another one.
    pub fn measure(self) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            desk.width = desk.canvases.as_ref().map_or(0.0, |canvases| f64::from(canvases.lanes.client_width()));
        }
        self.draw();
    }

    /// The page was scrolled.
    pub fn scroll(self) {
        if self.desk().is_some_and(|desk| desk.borrow().is_elsewhere()) {
            self.draw();
        }
    }

    /// The colours are others.
    pub fn repaint(self) {
        if let Some(desk) = self.desk() {
            desk.borrow_mut().palette = None;
        }
        self.measure();
    }

    /// Takes lanes in. Tiles that events were added to are asked for again; of other lanes all are.
    pub fn put(self, head: TimelineHead) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            let is_same = head.lanes.len() == desk.head.lanes.len()
                && head.lanes.iter().zip(&desk.head.lanes).all(|(new, old)| new.id == old.id);
            if is_same {
                let mut since = None;
                let mut earlier = |at: Instant| since = Some(since.map_or(at, |since: Instant| since.min(at)));
                for (new, old) in head.lanes.iter().zip(&desk.head.lanes).filter(|(new, old)| new != old) {
                    // A flag may concern an older event; an event's window begins before it.
                    earlier(new.last.min(old.last) - Millis::hours(1));
                }
                for (new, old) in head.repositories.iter().zip(&desk.head.repositories) {
                    if let Some(at) = new.hints_from.filter(|_| new.hints != old.hints) {
                        earlier(at);
                    }
                }
                if let Some(since) = since {
                    desk.store.expire(since);
                }
            } else {
                desk.store = TileStore::default();
                desk.drop_asked(None);
                desk.chosen = None;
                desk.hover = None;
                desk.handles = None;
            }
            let is_first = desk.head.lanes.is_empty();
            desk.head = Rc::new(head);
            let now = browser::now();
            if is_first || (!is_same && desk.follows()) {
                desk.view = desk.shown(now);
            }
            if is_first || desk.follows() {
                desk.events = desk.count();
            }
            desk.turn += 1;
        }
        self.draw();
        self.settle_later();
    }

    /// The present moved: a view that ends there moves with it.
    pub fn tick(self, now: Instant) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            let by = now - std::mem::replace(&mut desk.ticked, now);
            if desk.drag.is_none() && desk.follows() {
                // The part of the future that is shown stays as it is, so that nothing jumps.
                desk.view = View { from: desk.view.from + by, until: desk.view.until + by };
            }
        }
        self.draw();
    }

    /// Shows what the address says.
    pub fn show(self, window: Window, event: Option<i64>, compact: bool, arranged: Arranged) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            (desk.compact, desk.arranged) = (compact, arranged);
            if desk.window != window {
                desk.window = window;
                let now = browser::now();
                desk.view = desk.shown(now);
                desk.turn += 1;
            }
            let pinned = self.card.try_with_untracked(|card| card.as_ref().and_then(|told| told.seq)).flatten();
            if event.is_none() && pinned.is_some() {
                self.card.try_set(None);
            }
            desk.sought = event.filter(|event| pinned != Some(*event));
        }
        self.draw();
        self.settle_later();
    }

    /// Looks at something else. Table and address follow when it stands still.
    pub fn look(self, view: View) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            let now = browser::now();
            let view = view.within(now);
            if view.follows(now) {
                desk.events = desk.count();
            }
            (desk.view, desk.window) = (view, Window::of(view, now));
            desk.turn += 1;
            desk.is_ahead = true;
        }
        self.tip.try_set(None);
        self.draw();
        self.settle_later();
    }

    /// Pins or collapses, or undoes it.
    pub fn arrange(self, act: Act, lane: usize) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            let head = desk.head.clone();
            let Some(lane) = head.lanes.get(lane) else { return };
            if matches!(act, Act::Collapse | Act::Expand) && head.repositories.len() < 2 {
                return;
            }
            desk.arranged.toggle(act, lane);
            desk.lay(browser::now());
            desk.choose_near();
            desk.is_ahead = true;
        }
        self.tip.try_set(None);
        self.draw();
        self.settled.notify();
    }

    /// The focus came to what is chosen, or left it.
    pub fn focus(self, focused: bool) {
        let Some(desk) = self.desk() else { return };
        if std::mem::replace(&mut desk.borrow_mut().focused, focused) != focused {
            self.tip.try_set(None);
            self.draw();
        }
    }

    /// Chooses something; `pin` shows its card.
    pub fn choose(self, hit: Option<Hit>, pin: bool) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            desk.chosen = hit.map(|hit| (hit.lane, hit.key()));
            desk.hover = None;
            if pin {
                self.card.try_set(hit.and_then(|hit| desk.tell(&hit)));
            }
            // Who walks by keys reads what who points at it reads.
            let middle = hit.filter(|_| !pin).map(|hit| hit.left.max(desk.sheet.left).midpoint(hit.right));
            self.tip.try_set(middle.and_then(|x| desk.tip(&hit?, x)));
        }
        self.draw();
        if pin {
            self.wrote();
        }
    }

    /// Closes the card.
    pub fn unpin(self) {
        self.card.try_set(None);
        self.wrote();
    }

    /// Has the address follow now.
    pub fn wrote(self) {
        if let Some(desk) = self.desk() {
            let mut desk = desk.borrow_mut();
            desk.sought = None;
            desk.is_ahead = true;
        }
        self.settled.notify();
    }

    /// Opens what is one thing; looks closer at several.
    pub fn open(self, hit: Hit) {
        if hit.is_single() {
            self.choose(Some(hit), true);
        } else {
            self.look(View::fit(Instant(hit.from), Instant(hit.at)));
        }
    }

    fn settle_later(self) {
        let Some(turn) = self.desk().map(|desk| desk.borrow().turn) else { return };
        set_timeout(
            move || {
                let is_still =
                    self.desk().is_some_and(|desk| desk.borrow().turn == turn && desk.borrow().drag.is_none());
                if is_still {
                    self.settled.notify();
                }
            },
            SETTLED,
        );
    }

    /// Draws with the next frame.
    pub fn draw(self) {
        let Some(desk) = self.desk() else { return };
        if !std::mem::replace(&mut desk.borrow_mut().frame_due, true) {
            request_animation_frame(move || self.frame());
        }
    }

    fn frame(self) {
        let Some(desk) = self.desk() else { return };
        let mut desk = desk.borrow_mut();
        desk.frame_due = false;
        let now = browser::now();
        desk.lay(now);
        desk.paint(now);
        handles::write(&mut desk);
        if !desk.head.lanes.is_empty() {
            let is_empty = desk.sheet.lanes.iter().all(|lane| lane.hits.iter().all(|hit| hit.count == 0));
            let seen = match (desk.sheet.is_loaded, is_empty) {
                (false, _) if desk.failed => Seen::Failed,
                (false, true) => Seen::Loading,
                (true, true) => Seen::Nothing,
                _ => Seen::Something,
            };
            set_if_other(self.seen, seen);
        }
        let news = if desk.follows() { 0 } else { desk.count().saturating_sub(desk.events) };
        set_if_other(self.news, news);
        if let Some(hit) = desk.sought.and_then(|seq| desk.hit_of(seq)) {
            desk.sought = None;
            desk.chosen = Some((hit.lane, hit.key()));
            desk.frame_due = true;
            request_animation_frame(move || self.frame());
            self.card.try_set(desk.tell(&hit));
        }
        if !std::mem::replace(&mut desk.ask_due, true) {
            set_timeout(move || self.ask(), STILL);
        }
    }

    /// Asks for the most pressing tiles and gives up what is not wanted any more.
    fn ask(self) {
        let Some(shared) = self.desk() else { return };
        let mut desk = shared.borrow_mut();
        desk.ask_due = false;
        if desk.head.lanes.is_empty() || desk.sheet.level == 0 {
            return;
        }
        let level = desk.sheet.level;
        let wanted = desk.store.wanted(desk.view, level);
        desk.drop_asked(Some((level, &wanted)));
        let ids: Vec<&str> = desk.head.lanes.iter().map(|lane| lane.id.as_str()).collect();
        let ids = ids.join(",");
        for number in wanted {
            let is_asked = desk.asked.iter().any(|asked| asked.number == number);
            if is_asked || desk.asked.len() >= AT_ONCE {
                continue;
            }
            let Ok(control) = AbortController::new() else { return };
            let (signal, late, ids) = (control.signal(), control.clone(), ids.clone());
            set_timeout(move || late.abort(), Duration::from_millis(api::PATIENCE_MS.into()));
            desk.asked.push(Asked { level, number, control });
            spawn_local(async move {
                let answer = api::tile(level, number, &ids, signal.clone()).await;
                self.receive(level, number, answer.ok(), signal.aborted());
            });
        }
    }

    fn receive(self, level: u8, number: i64, text: Option<String>, aborted: bool) {
        let Some(shared) = self.desk() else { return };
        {
            let mut desk = shared.borrow_mut();
            let is_awaited = desk.asked.iter().position(|asked| asked.level == level && asked.number == number);
            let Some(at) = is_awaited else { return };
            desk.asked.swap_remove(at);
            let tile = text.and_then(|text| tile_reader::read(&text));
            desk.failed = tile.is_none() && !aborted;
            match tile {
                Some(tile) => desk.store.put(&tile),
                // What failed is not asked for again at once.
                None => desk.ask_due = true,
            }
        }
        if shared.borrow().failed {
            set_timeout(move || self.ask(), Duration::from_secs(5));
        } else {
            shared.borrow_mut().ask_due = false;
        }
        self.draw();
        self.settle_later();
    }
}

fn set_if_other<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_with_untracked(|old| *old != value) == Some(true) {
        signal.try_set(value);
    }
}
