//! What a timeline holds between two frames: lanes, tiles, window, what is pointed at and what is chosen.

use std::ops::Range;
use std::rc::Rc;

use tagwarden_model::api::{Activity, Lane, LaneKind, TimelineHead};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::timeline::{
    Arranged, Board, Handle, Hit, Item, Place, Shape, Sheet, Style, TileStore, View, sheet, short, strip,
};
use wasm_bindgen::JsCast;
use web_sys::{AbortController, HtmlCanvasElement, HtmlElement};

use super::board::Tip;
use super::canvas::{Canvas, Palette};
use super::gestures::Drag;
use super::twin::Row;
use crate::telling::{Told, tell};
use crate::text::timeline::WORDS;
use crate::window::Window;
use crate::{browser, painter};

/// The canvas of the lanes grows and moves by so many pixels.
const BLOCK: f64 = 32.0;
/// Pixels of the screen that are painted of lanes while they move, where these are sharp enough.
const MOVING: f64 = 1_500_000.0;

/// A tile that is asked for.
pub(super) struct Asked {
    pub(super) level: u8,
    pub(super) number: i64,
    pub(super) control: AbortController,
    /// Something happened since then, which its answer may not know.
    pub(super) since: Instant,
}

/// Where is drawn.
pub struct Canvases {
    /// The axis and what is pinned.
    pub fixed: HtmlCanvasElement,
    /// All other lanes.
    pub lanes: HtmlCanvasElement,
    /// The strip over all time.
    pub strip: HtmlCanvasElement,
    /// Asked for colours.
    pub probe: HtmlElement,
    /// What is printed in place of them.
    pub print: HtmlElement,
    /// Where buttons are: of pinned lanes, and of all others.
    pub handles: [HtmlElement; 2],
}

/// Everything but what is shown in elements.
pub struct Desk {
    pub head: Rc<TimelineHead>,
    pub store: TileStore,
    pub window: Window,
    pub view: View,
    pub compact: bool,
    pub arranged: Arranged,
    pub sheet: Sheet,
    pub hover: Option<Hit>,
    /// What is chosen has the focus.
    pub focused: bool,
    pub chosen: Option<(usize, i64)>,
    pub drag: Option<Drag>,
    /// Pointers that are down, with their places.
    pub pointers: Vec<(i32, f64)>,
    /// Left and right edge of a stretch that is being selected.
    pub selecting: Option<(f64, f64)>,
    /// The event that the address names and that was not found yet.
    pub sought: Option<i64>,
    /// Somebody looked elsewhere since the address was written.
    pub is_ahead: bool,
    /// Events of all lanes when the view left the present.
    pub(super) events: u64,
    pub(super) canvases: Option<Canvases>,
    /// For pictures that stand still and that move.
    pub(super) palettes: Vec<Rc<Palette>>,
    /// The view changed, and does not stand still yet.
    pub(super) moves: bool,
    pub(super) width: f64,
    pub(super) is_measured: bool,
    /// What is painted on the lanes' canvas, in pixels of the picture.
    pub(super) part: Range<f64>,
    pub(super) asked: Vec<Asked>,
    pub(super) frame_due: bool,
    pub(super) ask_due: bool,
    pub(super) failed: bool,
    /// What is pinned says what is known.
    pub(super) told: bool,
    /// What was chosen before its lane became part of another one, and what was chosen then.
    pub(super) former: Option<[(usize, i64); 2]>,
    /// Grows with every change of the view.
    pub(super) turn: u64,
    /// What the table's rows say.
    pub rows: Vec<Row>,
    /// What can be done with lanes, as it is written beside them.
    pub(super) handles: Option<Vec<Handle>>,
}

impl Desk {
    /// With no lanes yet.
    pub(super) fn new() -> Self {
        let now = browser::now();
        let view = View::last(Millis::days(30), now);
        let activity = Activity { level: 28, first_ms: None, bucket: Vec::new(), count: Vec::new() };
        let head = TimelineHead { repositories: Vec::new(), lanes: Vec::new(), next: None, total: 0, activity };
        Self {
            head: Rc::new(head),
            store: TileStore::default(),
            window: Window::default(),
            view,
            compact: false,
            arranged: Arranged::default(),
            sheet: Sheet::default(),
            hover: None,
            focused: false,
            chosen: None,
            drag: None,
            pointers: Vec::new(),
            selecting: None,
            sought: None,
            is_ahead: false,
            events: 0,
            canvases: None,
            palettes: Vec::new(),
            moves: false,
            width: 0.0,
            is_measured: false,
            part: 0.0..0.0,
            asked: Vec::new(),
            frame_due: false,
            ask_due: false,
            failed: false,
            told: false,
            former: None,
            turn: 0,
            rows: Vec::new(),
            handles: None,
        }
    }

    /// Whether the view moves on with the time.
    pub fn follows(&self) -> bool {
        !matches!(self.window, Window::Between(_))
    }

    /// When the first of the watches began.
    pub fn since(&self) -> Instant {
        self.head.repositories.iter().map(|watched| watched.since).min().unwrap_or(Instant(0))
    }

    /// What its window shows now.
    pub(super) fn shown(&self, now: Instant) -> View {
        self.window.view(self.all(now), self.since(), now)
    }

    /// All there is: from the first hint or event or the beginning of the watch until now, and a day if that is less.
    pub fn all(&self, now: Instant) -> View {
        let firsts = self.head.lanes.iter().map(|lane| lane.first);
        let first = self.head.activity.first_ms.map(Instant);
        let watches =
            self.head.repositories.iter().flat_map(|watched| watched.hints_from.into_iter().chain([watched.since]));
        let from =
            firsts.chain(first).chain(watches).min().unwrap_or(now - Millis::days(30)).min(now - Millis::days(1));
        View::last(now - View::fit(from, now).from, now)
    }

    pub(super) fn count(&self) -> u64 {
        self.head.lanes.iter().map(|lane| lane.events).sum()
    }

    /// The lane of a hit.
    pub fn lane(&self, hit: &Hit) -> Option<&Lane> {
        self.head.lanes.get(hit.lane)
    }

    /// A hit in words.
    pub fn tell(&self, hit: &Hit) -> Option<Told> {
        let now = browser::now();
        let mut lane = self.lane(hit)?.clone();
        // Several of a collapsed repository are on no one lane of it.
        if !hit.is_single() && self.sheet.row(hit.lane).is_some_and(|place| place.lanes.len() > 1) {
            (lane.kind, lane.name) = (LaneKind::Tag, short(&lane.repository).to_owned());
        }
        let watched = self.head.repositories.iter().find(|watched| watched.repository == lane.repository);
        Some(tell(hit, &lane, watched?, &self.store, now, &browser::offset))
    }

    /// A hit in words, below its lane.
    pub(super) fn tip(&self, hit: &Hit, x: f64) -> Option<Tip> {
        let place = self.sheet.row(hit.lane)?;
        let left = (x > self.sheet.left.midpoint(self.sheet.right)).then_some(self.width);
        // What is pinned stands lower than its place while the page is scrolled.
        let stays = self.canvases.as_ref().filter(|_| place.bottom <= self.sheet.fixed);
        let lower = stays.and_then(|canvases| canvases.handles[0].offset_parent()?.dyn_into::<HtmlElement>().ok());
        let y = place.bottom + lower.map_or(0.0, |fixed| f64::from(fixed.offset_top()));
        Some(Tip { told: self.tell(hit)?, x, y, left })
    }

    /// An event, also where it is one of several: much wider, its tile tells them apart.
    pub(super) fn hit_of(&self, seq: i64) -> Option<Hit> {
        let find = |sheet: &Sheet| sheet.lanes.iter().flat_map(|lane| &lane.hits).find(|hit| hit.seq == seq).copied();
        let shown = find(&self.sheet);
        shown.filter(Hit::is_single).or_else(|| find(&self.sheet(browser::now(), self.width * 64.0, true))).or(shown)
    }

    /// Something happened then: what tells of it is asked for again, also what is asked for just now.
    pub(super) fn expire(&mut self, since: Instant) {
        self.store.expire(since);
        for asked in &mut self.asked {
            asked.since = asked.since.min(since);
        }
    }

    pub(super) fn drop_asked(&mut self, wanted: Option<(u8, &[i64])>) {
        self.asked.retain(|asked| {
            let keep = wanted.is_some_and(|(level, numbers)| asked.level == level && numbers.contains(&asked.number));
            if !keep {
                asked.control.abort();
            }
            keep
        });
    }

    fn sheet(&self, now: Instant, width: f64, compact: bool) -> Sheet {
        let chosen = self.chosen.filter(|_| self.focused).and_then(|chosen| self.sheet.find(chosen));
        let pointed = self.hover.or(chosen).filter(Hit::is_single);
        let digest = pointed.and_then(|hit| self.store.digest(hit.digest?)).cloned();
        let board = Board {
            head: &self.head,
            view: self.view,
            now,
            width,
            compact,
            low: if browser::is_coarse() { 24.0 } else { 12.0 },
            offset: &browser::offset,
            words: &WORDS,
            arranged: &self.arranged,
            highlight: digest.as_ref(),
            chosen: self.chosen,
        };
        sheet(&board, &self.store)
    }

    /// Learns how much room there is, if it may be another one. Not before a frame is due: the browser would lay out the page
    /// for it. Says whether that was the first time.
    pub(super) fn measure(&mut self) -> bool {
        let Some(canvases) = self.canvases.as_ref().filter(|_| !self.is_measured) else { return false };
        let width = f64::from(canvases.lanes.client_width());
        self.is_measured = true;
        std::mem::replace(&mut self.width, width) <= 0.0 && width > 0.0
    }

    pub(super) fn lay(&mut self, now: Instant) {
        let mut sheet = self.sheet(now, self.width, self.compact);
        if let Some((from, until)) = self.selecting {
            let (x, width) = (from.min(until), (until - from).abs());
            let items = &mut sheet.drawing.items;
            let shape = Shape::Rect { x, y: 20.0, width, height: sheet.drawing.height - 44.0 };
            items.push(Item { shape, style: Style::Brush, hue: None, title: None, dim: false });
        }
        self.store.touch(self.view);
        self.sheet = sheet;
    }

    /// Chooses what is nearest in time, where what was chosen is part of something else now, or its lane of another one.
    pub(super) fn choose_near(&mut self) {
        let Some((lane, key)) = self.chosen.filter(|chosen| self.sheet.find(*chosen).is_none()) else { return };
        let repository = |lane: usize| self.head.lanes.get(lane).map(|lane| &lane.repository);
        let is_its = |place: &&Place| place.lanes.first().and_then(|first| repository(*first)) == repository(lane);
        let place = self.sheet.row(lane).or_else(|| self.sheet.lanes.iter().find(is_its));
        let near = place.and_then(|place| place.hits.iter().min_by_key(|hit| hit.key().abs_diff(key)));
        if let Some(hit) = near {
            self.chosen = Some((hit.lane, hit.key()));
        }
    }

    /// Whether other lanes are on the screen than those that are painted.
    pub(super) fn is_elsewhere(&self) -> bool {
        let all = self.sheet.fixed..self.sheet.drawing.height;
        self.canvases.as_ref().is_some_and(|canvases| on_screen(&canvases.lanes, all) != self.part)
    }

    pub(super) fn paint(&mut self, now: Instant) {
        let Some(Canvases { fixed, lanes, strip: below, probe, .. }) = &self.canvases else { return };
        if self.width <= 0.0 {
            return;
        }
        let strip = strip(&self.head.activity, self.all(now), self.view, self.sheet.left, self.width);
        let (whole, edge) = (&self.sheet.drawing, self.sheet.fixed);
        stand(fixed, edge);
        self.part = on_screen(lanes, edge..whole.height);
        place(lanes, &self.part, &(edge..whole.height));
        let ratio = ratio(self.width * (self.part.end - self.part.start), self.moves);
        let known = self.palettes.iter().find(|palette| palette.fits(ratio)).cloned();
        let Some(palette) = known.or_else(|| Palette::read(probe, ratio).map(Rc::new)) else { return };
        if !self.palettes.iter().any(|known| Rc::ptr_eq(known, &palette)) {
            self.palettes.push(palette.clone());
        }
        for (element, drawing, part) in
            [(fixed, whole, 0.0..edge), (lanes, whole, self.part.clone()), (below, &strip, 0.0..strip.height)]
        {
            if let Some(mut surface) = Canvas::prepare(element, drawing.width, &part, &palette) {
                painter::paint(drawing, &part, &mut surface);
            }
        }
    }
}

/// Pixels of the screen that are painted for each of the page, of a picture that large. On a sharp screen most of a frame is
/// spent on them: what moves has fewer, but never less than one, so that it moves smoothly, and is sharp again where it stands
/// still. In steps of a quarter, in which patterns are as large as they were on most screens.
fn ratio(area: f64, moves: bool) -> f64 {
    let sharp = browser::pixel_ratio();
    if !moves || area * sharp * sharp <= MOVING {
        return sharp;
    }
    ((MOVING / area).sqrt() * 4.0).floor().max(4.0).min(sharp * 4.0) / 4.0
}

/// What is pinned stays in sight, unless it would take the room of all others.
fn stand(fixed: &HtmlCanvasElement, height: f64) -> Option<()> {
    let is_high = height * 2.0 > browser::height();
    fixed.parent_element()?.class_list().toggle_with_force("timeline-high", is_high).ok()?;
    Some(())
}

/// The part of the lanes that is on the screen, and a little more.
fn on_screen(lanes: &HtmlCanvasElement, all: Range<f64>) -> Range<f64> {
    let Some(holder) = lanes.parent_element() else { return all };
    let above = -holder.get_bounding_client_rect().top();
    let length = all.end - all.start;
    let from = ((above / BLOCK).floor() * BLOCK).clamp(0.0, length);
    let until = (((above + browser::height()) / BLOCK).ceil() * BLOCK).clamp(from, length);
    all.start + from..all.start + until
}

/// Puts the canvas where that part is. It has no more than that, as it costs by its size and not by what is seen of it.
fn place(lanes: &HtmlCanvasElement, part: &Range<f64>, all: &Range<f64>) -> Option<()> {
    let pixels = |length: f64| [&length.to_string(), "px"].concat();
    let holder = lanes.parent_element()?.dyn_into::<HtmlElement>().ok()?;
    holder.style().set_property("height", &pixels(all.end - all.start)).ok()?;
    lanes.style().set_property("top", &pixels(part.start - all.start)).ok()
}
