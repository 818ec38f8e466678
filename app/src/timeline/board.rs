//! What happens to a page's timeline: it takes lanes and tiles in, asks for others, and draws a frame when one is due.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{Lane, TimelineHead};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::timeline::{Act, Arranged, Hit, TileStore, View};
use web_sys::{AbortController, AbortSignal};

use super::desk::{Asked, Canvases, Desk};
use super::handles;
use super::tile_reader;
use crate::held::Held;
use crate::telling::Told;
use crate::view::after_paint;
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
    /// Nobody watched, or nothing could be observed.
    Blind,
    /// There are no lanes.
    NoLane,
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
    /// The width of the picture, where there is more room left of it.
    pub left: Option<f64>,
}

/// A timeline on a page.
#[derive(Clone, Copy)]
pub struct Timeline {
    desk: StoredValue<Rc<RefCell<Desk>>, LocalStorage>,
    /// Beside the pointer.
    pub tip: Held<Option<Tip>>,
    /// What is pinned.
    pub card: Held<Option<Told>>,
    /// What there is to see.
    pub seen: Held<Seen>,
    /// Events that came right of the view.
    pub news: Held<u64>,
    /// Called when the view stands still: table and address follow.
    pub settled: Trigger,
    /// Rows that the table has or is about to have, and how many there would be.
    pub rows: Held<(usize, usize)>,
    /// Called when more of them are to be written.
    pub more_rows: Trigger,
}

impl Timeline {
    /// With no lanes yet.
    pub fn new() -> Self {
        Self {
            desk: StoredValue::new_local(Rc::new(RefCell::new(Desk::new()))),
            tip: Held::new(None),
            card: Held::new(None),
            seen: Held::new(Seen::Loading),
            news: Held::new(0),
            settled: Trigger::new(),
            rows: Held::new((0, 0)),
            more_rows: Trigger::new(),
        }
    }

    /// The desk, unless the page is gone.
    pub fn desk(self) -> Option<Rc<RefCell<Desk>>> {
        self.desk.try_get_value()
    }

    /// The page is left: nobody waits for an answer.
    pub fn leave(self) {
        if let Some(desk) = self.desk() {
            desk.borrow_mut().drop_asked(None);
        }
    }

    /// Paints on these from now on.
    pub fn mount(self, canvases: Canvases) {
        if let Some(desk) = self.desk() {
            desk.borrow_mut().canvases = Some(canvases);
        }
        self.draw();
    }

    /// The room or the screen is another one.
    pub fn measure(self) {
        if let Some(desk) = self.desk() {
            let mut desk = desk.borrow_mut();
            desk.is_measured = false;
            desk.palettes.clear();
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
        self.measure();
    }

    /// Takes lanes in. Tiles that something was added to are asked for again; of other lanes all are.
    pub fn put(self, head: TimelineHead) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            let old = desk.head.clone();
            // Where each lane was before.
            let place = |new: &Lane| old.lanes.iter().position(|old| old.id == new.id);
            let places: Vec<Option<usize>> = head.lanes.iter().map(place).collect();
            let is_same =
                places.len() == old.lanes.len() && places.iter().enumerate().all(|(at, place)| *place == Some(at));
            let newest = old.lanes.iter().map(|lane| lane.last).max();
            let (mut since, mut grown) = (Instant(i64::MAX), 0);
            for (new, place) in head.lanes.iter().zip(&places) {
                match place.and_then(|at| old.lanes.get(at)) {
                    Some(old) => {
                        grown += new.events.saturating_sub(old.events);
                        if new.flags != old.flags {
                            // A flag may concern any event.
                            since = since.min(new.first).min(old.first);
                        } else if new != old {
                            // An event's window begins before it.
                            since = since.min(new.last.min(old.last) - Millis::hours(1));
                        }
                    }
                    None if Some(new.first) > newest => grown += new.events,
                    None => {}
                }
            }
            for (new, old) in head.repositories.iter().zip(&old.repositories) {
                if let Some(at) = new.hints_from.filter(|_| new.hints != old.hints) {
                    since = since.min(at);
                }
            }
            let is_other = places.iter().all(Option::is_none);
            if is_other {
                desk.store = TileStore::default();
            }
            if is_same {
                desk.expire(since);
            } else {
                desk.store.rearrange(&places);
                desk.drop_asked(None);
                let chosen =
                    desk.chosen.and_then(|(lane, key)| Some((places.iter().position(|at| *at == Some(lane))?, key)));
                (desk.chosen, desk.former, desk.hover, desk.handles) = (chosen, None, None, None);
                self.tip.set(None);
            }
            let news = desk.count().saturating_sub(desk.events) + grown;
            desk.head = Rc::new(head);
            desk.events = desk.count().saturating_sub(news);
            let now = browser::now();
            if is_other || matches!(desk.window, Window::Usual | Window::All) {
                desk.view = desk.shown(now);
            }
            if is_other || desk.follows() {
                desk.events = desk.count();
            }
            desk.turn += 1;
            if desk.head.lanes.is_empty() {
                self.seen.set(Seen::NoLane);
            }
        }
        self.draw();
        self.settle_later();
    }

    /// The present moved: a view that ends there moves with it.
    pub fn tick(self, now: Instant) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            if desk.drag.is_none() && desk.follows() {
                desk.view = desk.shown(now);
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
                self.card.set(None);
            }
            desk.sought = event.filter(|event| pinned != Some(*event));
            desk.told = false;
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
            (desk.is_ahead, desk.moves) = (true, true);
        }
        self.tip.set(None);
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
            let was = desk.chosen;
            desk.arranged.toggle(act, lane);
            desk.lay(browser::now());
            // What stood in for something else gives way to it again.
            match desk.former.filter(|[before, after]| was == Some(*after) && desk.sheet.find(*before).is_some()) {
                Some([before, _]) => desk.chosen = Some(before),
                None => desk.choose_near(),
            }
            desk.former = was.zip(desk.chosen).filter(|(was, chosen)| was != chosen).map(<[_; 2]>::from);
            desk.is_ahead = true;
        }
        self.tip.set(None);
        self.draw();
        self.settled.notify();
    }

    /// The focus came to what is chosen, or left it.
    pub fn focus(self, focused: bool) {
        let Some(desk) = self.desk() else { return };
        if std::mem::replace(&mut desk.borrow_mut().focused, focused) != focused {
            self.tip.set(None);
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
                self.card.set(hit.and_then(|hit| desk.tell(&hit)));
            }
            // Who walks by keys reads what who points at it reads.
            let middle = hit.filter(|_| !pin).map(|hit| hit.left.max(desk.sheet.left).midpoint(hit.right));
            self.tip.set(middle.and_then(|x| desk.tip(&hit?, x)));
        }
        self.draw();
        if pin {
            self.wrote();
        }
    }

    /// Closes the card.
    pub fn unpin(self) {
        self.card.set(None);
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

    /// Opens what is one thing; looks closer at several, as long as that is closer.
    pub fn open(self, hit: Hit) {
        let closer = View::fit(Instant(hit.from), Instant(hit.at));
        let is_closer = self.desk().is_some_and(|desk| closer.length() < desk.borrow().view.length());
        if is_closer && !hit.is_single() {
            self.look(closer);
        } else {
            self.choose(Some(hit), true);
        }
    }

    /// The view stands still: table and address follow. What follows the time ends where its address says.
    pub fn settle(self) {
        let Some(desk) = self.desk() else { return };
        {
            let mut desk = desk.borrow_mut();
            desk.moves = false;
            if desk.follows() {
                desk.view = desk.shown(browser::now());
            }
        }
        self.draw();
        self.settled.notify();
    }

    /// Settles unless the view changes meanwhile.
    pub(super) fn settle_later(self) {
        let Some(turn) = self.desk().map(|desk| desk.borrow().turn) else { return };
        set_timeout(
            move || {
                let Some(desk) = self.desk().filter(|desk| desk.borrow().turn == turn) else { return };
                if desk.borrow().drag.is_none() {
                    self.settle();
                } else if std::mem::take(&mut desk.borrow_mut().moves) {
                    // Held still it is sharp, and moves on.
                    self.draw();
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
        if desk.canvases.is_none() {
            return;
        }
        if desk.measure() {
            // The browser has laid out the whole page for this: enough for a frame.
            drop(desk);
            self.draw();
            return;
        }
        let now = browser::now();
        desk.lay(now);
        desk.paint(now);
        if desk.handles.as_ref() != Some(&desk.sheet.handles) {
            after_paint(Box::new(move || {
                self.desk().map(|desk| handles::write(&mut desk.borrow_mut()));
            }));
        }
        if !desk.head.lanes.is_empty() {
            let is_empty = desk.sheet.lanes.iter().all(|lane| lane.hits.iter().all(|hit| hit.count == 0));
            let seen = match (desk.sheet.is_loaded, is_empty) {
                (false, _) if desk.failed => Seen::Failed,
                (false, true) => Seen::Loading,
                (true, true) if desk.sheet.is_blind => Seen::Blind,
                (true, true) => Seen::Nothing,
                _ => Seen::Something,
            };
            set_if_other(self.seen, seen);
        }
        let news = if desk.follows() { 0 } else { desk.count().saturating_sub(desk.events) };
        set_if_other(self.news, news);
        if !std::mem::replace(&mut desk.ask_due, true) {
            set_timeout(move || self.ask(), STILL);
        }
        if !std::mem::replace(&mut desk.told, true) && self.tell_anew(&mut desk).is_some() {
            drop(desk);
            self.draw();
        }
    }

    /// Pins the event that the address names. What is pinned says what is known now: a tag may have moved on, a flag come.
    /// Nothing where nothing else is chosen.
    fn tell_anew(self, desk: &mut Desk) -> Option<()> {
        // Of several the card says no more than it did.
        let one = |card: &Option<Told>| card.as_ref().filter(|told| told.tag.is_some()).and_then(|told| told.seq);
        let pinned = self.card.try_with_untracked(one).flatten();
        let seq = desk.sought.or(pinned)?;
        let hit = desk.hit_of(seq).filter(|hit| hit.is_single() || desk.sought.is_some())?;
        let told = desk.tell(&hit);
        set_if_other(self.card, told);
        desk.sought.take()?;
        desk.chosen = Some((hit.lane, hit.key()));
        desk.choose_near();
        Some(())
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
            desk.asked.push(Asked { level, number, control, since: Instant(i64::MAX) });
            spawn_local(async move {
                let answer = api::tile(level, number, &ids, signal.clone()).await;
                self.receive(&signal, answer.ok());
            });
        }
    }

    /// Takes the answer to what is still asked for: what was given up is asked for no more, what took too long is.
    fn receive(self, signal: &AbortSignal, text: Option<String>) {
        let Some(shared) = self.desk() else { return };
        {
            let mut desk = shared.borrow_mut();
            let is_it = |asked: &Asked| asked.control.signal() == *signal;
            let Some(at) = desk.asked.iter().position(is_it) else { return };
            let since = desk.asked.swap_remove(at).since;
            let tile = text.and_then(|text| tile_reader::read(&text));
            desk.failed = tile.is_none();
            // What failed is not asked for again at once.
            desk.ask_due = desk.failed;
            if let Some(tile) = tile {
                desk.store.put(&tile);
                // It may be older than what happened meanwhile.
                desk.expire(since);
                desk.told = false;
            } else {
                set_timeout(move || self.ask(), Duration::from_secs(5));
            }
        }
        self.draw();
        self.settle_later();
    }
}

fn set_if_other<T: PartialEq + Send + Sync + 'static>(held: Held<T>, value: T) {
    if held.try_with_untracked(|old| *old != value) == Some(true) {
        held.set(value);
    }
}
