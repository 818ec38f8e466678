//! The lanes of a page's timeline as a picture, from the tiles that are there.

use super::hits::{Hit, nearest};
use super::rows::{Act, Arranged, Row, rows};
use super::tiles::{Stretch, TileStore};
use super::view::{View, tile_length};
use super::{
    ABOVE, AXIS, Drawing, Frame, HEADING, LANE, NOTES, RIGHT, Scale, Shape, Style, Words, axis, draw_now, ground,
    gutter, labels, releases, rolling,
};
use crate::api::{Activity, Lane, LaneKind, TimelineHead};
use crate::digest::Digest;
use crate::instant::{Instant, Millis};
use crate::tag::Class;

/// Room left of names, for what can be done with their lanes.
const INDENT: f64 = 16.0;
/// Height of the strip with the activity.
const STRIP: f64 = 36.0;

/// What is looked at, and how.
pub struct Board<'a> {
    /// The lanes.
    pub head: &'a TimelineHead,
    /// The stretch of time.
    pub view: View,
    /// Now.
    pub now: Instant,
    /// Width of the whole picture in pixels.
    pub width: f64,
    /// Low lanes without names on their marks.
    pub compact: bool,
    /// How high such a lane is in pixels: a finger needs more than a mouse.
    pub low: f64,
    /// The viewer's distance from UTC at an instant.
    pub offset: &'a dyn Fn(Instant) -> Millis,
    /// In the viewer's language.
    pub words: &'a Words,
    /// How the lanes are arranged.
    pub arranged: &'a Arranged,
    /// The digest that is pointed at: everything else steps back.
    pub highlight: Option<&'a Digest>,
    /// Lane and [`Hit::key`] of what is chosen.
    pub chosen: Option<(usize, i64)>,
}

/// The place of a lane, or of those of a repository that are shown as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Places in the list of lanes.
    pub lanes: Vec<usize>,
    /// Top in pixels.
    pub top: f64,
    /// Bottom in pixels.
    pub bottom: f64,
    /// Its hits from left to right.
    pub hits: Vec<Hit>,
    /// What of [`Sheet::quiet`] lies over it, by its place there.
    pub quiet: Vec<usize>,
}

/// What can be done left of the plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Handle {
    /// What.
    pub act: Act,
    /// With this lane, or with its repository.
    pub lane: usize,
    /// Top in pixels.
    pub top: f64,
    /// Bottom in pixels.
    pub bottom: f64,
    /// Right edge of what it is about.
    pub right: f64,
}

/// The picture, and what is where.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// What to paint.
    pub drawing: Drawing,
    /// The lanes from top to bottom.
    pub lanes: Vec<Place>,
    /// Times in which nobody watched or nothing could be observed, each once for all lanes of its repository.
    pub quiet: Vec<Hit>,
    /// What can be done with them, from top to bottom.
    pub handles: Vec<Handle>,
    /// Down to here it stays in sight: the axis and what is pinned.
    pub fixed: f64,
    /// Where the plot begins.
    pub left: f64,
    /// Where it ends.
    pub right: f64,
    /// The level of the tiles that are wanted for it.
    pub level: u8,
    /// Whether all of it is known.
    pub is_loaded: bool,
    /// Whether of no repository anything was observed in it: nobody can say that nothing happened.
    pub is_blind: bool,
}

/// The room and the means of what draws one lane.
pub(super) struct Pen<'a> {
    pub board: &'a Board<'a>,
    pub store: &'a TileStore,
    pub stretches: &'a [Stretch<'a>],
    pub scale: &'a Scale,
    pub drawing: &'a mut Drawing,
}

impl Pen<'_> {
    /// Whether a digest is another one than the one that is pointed at.
    pub fn is_dim(&self, digest: Option<super::Word>) -> bool {
        self.board.highlight.is_some_and(|wanted| digest.and_then(|word| self.store.digest(word)) != Some(wanted))
    }

    /// The hue of a digest.
    pub fn hue(&self, digest: Option<super::Word>) -> Option<u8> {
        Some(crate::hue::bars(self.store.digest(digest?)?)[0])
    }

    /// Where an instant is.
    pub fn x(&self, at: i64) -> f64 {
        self.scale.x(Instant(at))
    }

    pub fn push(&mut self, style: Style, shape: Shape, digest: Option<super::Word>, has_hue: bool) {
        let hue = if has_hue { self.hue(digest) } else { None };
        let dim = self.is_dim(digest);
        self.drawing.items.push(super::Item { shape, style, hue, title: None, dim });
    }
}

impl Sheet {
    /// The hit at a point, or very near it; else why there is none.
    pub fn hit(&self, x: f64, y: f64) -> Option<Hit> {
        let lane = self.lanes.iter().find(|lane| lane.top <= y && y < lane.bottom)?;
        match nearest(&lane.hits, x, 4.0) {
            Some(at) => lane.hits.get(at).copied(),
            None => self.quiet(lane, &|hit| hit.left <= x && x <= hit.right),
        }
    }

    /// What was chosen, by lane and [`Hit::key`].
    pub fn find(&self, chosen: (usize, i64)) -> Option<Hit> {
        match self.place(chosen) {
            Some((row, at)) => self.lanes.get(row)?.hits.get(at).copied(),
            None => self.quiet(self.row(chosen.0)?, &|hit| hit.key() == chosen.1),
        }
    }

    fn quiet(&self, place: &Place, is_it: &dyn Fn(&Hit) -> bool) -> Option<Hit> {
        let found = place.quiet.iter().filter_map(|at| self.quiet.get(*at)).find(|hit| is_it(hit))?;
        Some(Hit { lane: *place.lanes.first()?, ..*found })
    }

    fn place(&self, (lane, key): (usize, i64)) -> Option<(usize, usize)> {
        let is_it = |hit: &Hit| hit.lane == lane && hit.key() == key;
        let mut rows = self.lanes.iter().enumerate();
        rows.find_map(|(row, place)| Some((row, place.hits.iter().position(is_it)?)))
    }

    /// Where a lane is.
    pub fn row(&self, lane: usize) -> Option<&Place> {
        self.lanes.iter().find(|place| place.lanes.contains(&lane))
    }

    /// The first or last thing of the row that a lane is in.
    pub fn end(&self, lane: Option<usize>, last: bool) -> Option<Hit> {
        let hits = &lane.map_or(self.lanes.first(), |lane| self.row(lane))?.hits;
        if last { hits.last() } else { hits.first() }.copied()
    }

    /// The thing next to a chosen one: `along` its row, else on the nearest row above or below that has any, where it is
    /// nearest in time. Without one chosen, the newest of all.
    pub fn step(&self, chosen: Option<(usize, i64)>, along: bool, by: isize) -> Option<Hit> {
        let Some((lane, key)) = chosen else {
            let newest = self.lanes.iter().filter_map(|lane| lane.hits.last());
            return newest.reduce(|best, hit| if hit.key() > best.key() { hit } else { best }).copied();
        };
        let place = self.place((lane, key));
        let row = match place {
            Some((row, _)) => row,
            None => self.lanes.iter().position(|place| place.lanes.contains(&lane))?,
        };
        let hits = &self.lanes.get(row)?.hits;
        if along {
            let at = if let Some((_, at)) = place {
                at.checked_add_signed(by)?
            } else {
                let after = hits.iter().position(|hit| hit.key() > key).unwrap_or(hits.len());
                if by > 0 { after } else { after.checked_sub(1)? }
            };
            return hits.get(at).copied();
        }
        let middle = place.and_then(|(_, at)| hits.get(at));
        let x = middle.map_or(self.right, |hit| hit.left.midpoint(hit.right));
        let mut row = row.checked_add_signed(by)?;
        while let Some(place) = self.lanes.get(row) {
            if let Some(at) = nearest_middle(&place.hits, x) {
                return place.hits.get(at).copied();
            }
            row = row.checked_add_signed(by)?;
        }
        None
    }
}

fn nearest_middle(hits: &[Hit], x: f64) -> Option<usize> {
    let after = hits.partition_point(|hit| hit.left.midpoint(hit.right) < x);
    let away = |at: usize| hits.get(at).map_or(f64::MAX, |hit| (hit.left.midpoint(hit.right) - x).abs());
    match after.checked_sub(1) {
        Some(before) if away(before) < away(after) => Some(before),
        _ => (after < hits.len()).then_some(after),
    }
}

/// The name of a lane as it is shown: `2.3.x-alpine` for a track, `x.y.z-alpine` for a family, or the tag.
pub fn lane_label(lane: &Lane) -> String {
    match lane.kind {
        LaneKind::Tag => lane.name.clone(),
        LaneKind::Family if lane.name.is_empty() => "x.y.z".to_owned(),
        LaneKind::Family => format!("x.y.z-{}", lane.name),
        LaneKind::Track => match lane.name.split_once('-') {
            Some((numbers, family)) => format!("{numbers}.x-{family}"),
            None => format!("{}.x", lane.name),
        },
    }
}

/// Where everything goes.
pub fn sheet(board: &Board<'_>, store: &TileStore) -> Sheet {
    let rows = rows(board.head, board.arranged, board.words);
    let names = rows.iter().filter_map(|row| match row {
        Row::Lanes { label, .. } => Some(label.as_str()),
        Row::Heading { .. } => None,
    });
    let left = INDENT + gutter(names, board.width);
    let right = (board.width - RIGHT).max(left + 1.0);
    let scale = Scale { from: board.view.from, now: board.now, to: board.view.until, left, right };
    let level = board.view.level(right - left);
    let stretches = store.stretches(board.view, level);
    let mut drawing = Drawing { width: board.width, height: 0.0, items: Vec::new() };
    let (mut lanes, mut handles) = (Vec::new(), Vec::new());
    let (mut bottom, mut fixed) = (AXIS, AXIS);
    for row in rows {
        let mut pen = Pen { board, store, stretches: &stretches, scale: &scale, drawing: &mut drawing };
        let (top, first) = (bottom, row.first());
        match row {
            Row::Heading { text, is_repository, .. } => {
                bottom += HEADING;
                let x = if is_repository { INDENT } else { 0.0 };
                let room = ((right - x) / labels::width("x")) as usize;
                let text = labels::shorten(text, room);
                let right = x + labels::width(&text);
                pen.drawing.text(Style::HeadingText, x, bottom - 11.0, false, text);
                if is_repository {
                    handles.push(Handle { act: Act::Collapse, lane: first, top, bottom, right });
                }
            }
            Row::Lanes { lanes: of, label, act } => {
                let place = draw_row(&mut pen, of, &label, top);
                bottom = place.bottom;
                if act == Act::Unpin {
                    fixed = bottom;
                }
                // Beside the name, which is at the foot of a tall row.
                let top = top.max(bottom - LANE);
                handles.push(Handle { act, lane: first, top, bottom, right: left - 8.0 });
                lanes.push(place);
            }
        }
    }
    bottom += 4.0;
    let (mut quiet, mut is_blind) = (Vec::new(), !lanes.is_empty());
    for watched in &board.head.repositories {
        let silent = ground::silent(watched, &scale);
        is_blind &= ground::is_blind(&silent, &scale);
        for hit in silent {
            let its = |lane: &usize| board.head.lanes.get(*lane).filter(|lane| lane.repository == watched.repository);
            quiet.extend(ground::draw(&mut drawing, hit, quiet.len(), &mut lanes, &its));
        }
    }
    ground::note(&mut drawing, &quiet, &lanes, board.words, bottom);
    let mut is_loaded = true;
    for stretch in &stretches {
        let (x, end) = (scale.x(Instant(stretch.from)), scale.x(Instant(stretch.until)));
        let mut unloaded = |y: f64, bottom: f64| {
            is_loaded = false;
            drawing.push(Style::Unloaded, Shape::Rect { x, y, width: end - x, height: bottom - y }, None);
        };
        if stretch.is_loaded() {
            let is_new = |place: &&Place| !place.lanes.iter().all(|lane| stretch.knows(*lane));
            lanes.iter().filter(is_new).for_each(|place| unloaded(place.top, place.bottom));
        } else {
            unloaded(AXIS, bottom);
        }
    }
    let frame =
        Frame { from: board.view.from, now: board.now, width: board.width, offset: board.offset, words: board.words };
    axis::draw(&mut drawing, &scale, &frame, bottom);
    if (board.view.from..=board.view.until).contains(&board.now) {
        draw_now(&mut drawing, &scale, board.words, bottom);
    }
    drawing.height = bottom + NOTES;
    Sheet { drawing, lanes, quiet, handles, fixed, left, right, level, is_loaded, is_blind }
}

fn draw_row(pen: &mut Pen<'_>, lanes: Vec<usize>, label: &str, top: f64) -> Place {
    let board = pen.board;
    let is_any = |is_it: &dyn Fn(&Lane) -> bool| lanes.iter().filter_map(|at| board.head.lanes.get(*at)).any(is_it);
    // A lane with something to decide has room to say so, however crowded it is.
    let is_tall = is_any(&|lane| lane.flags > 0 && lane.class == Class::Release);
    let height = if board.compact { board.low } else { LANE };
    let bottom = top + if is_tall && !board.compact { LANE + ABOVE } else { height };
    let middle = bottom - height / 2.0;
    let left = pen.scale.left;
    pen.drawing.line(Style::LaneLine, vec![(left, bottom - 0.5), (board.width, bottom - 0.5)]);
    let room = ((left - 12.0 - INDENT) / labels::width("x")) as usize;
    pen.drawing.text(Style::LaneText, INDENT, middle, false, labels::shorten(label, room));
    let hits = match lanes.first() {
        Some(lane) if is_any(&|lane| lane.kind == LaneKind::Tag) => rolling::draw(pen, *lane, middle),
        _ => releases::draw(pen, &lanes, middle, is_tall),
    };
    if let Some(hit) = board.chosen.and_then(|chosen| hits.iter().find(|hit| (hit.lane, hit.key()) == chosen)) {
        let (x, width) = (hit.left - 3.0, hit.right - hit.left + 6.0);
        let (y, height) = if board.compact { (top, height) } else { (bottom - LANE + 2.0, LANE - 4.0) };
        pen.drawing.push(Style::Chosen, Shape::Rect { x, y, width, height }, None);
    }
    Place { lanes, top, bottom, hits, quiet: Vec::new() }
}

/// The strip over all time: how much happened, and which part is shown.
pub fn strip(activity: &Activity, all: View, shown: View, left: f64, width: f64) -> Drawing {
    let right = (width - RIGHT).max(left + 1.0);
    let scale = Scale { from: all.from, now: all.until, to: all.until, left, right };
    let mut drawing = Drawing { width, height: STRIP, items: Vec::new() };
    let most = activity.count.iter().copied().max().unwrap_or(1) as f64;
    let bucket = tile_length(activity.level) / crate::api::TILE_BUCKETS;
    for (number, count) in activity.bucket.iter().zip(&activity.count) {
        // Nothing is drawn before the first event: on the first day of a watch its bucket is most of the strip.
        let begins = (number * bucket).max(activity.first_ms.unwrap_or(i64::MIN));
        let (x, end) = (scale.x(Instant(begins)), scale.x(Instant((number + 1) * bucket)));
        // A root, as else one busy day hides a quiet year.
        let height = (*count as f64 / most).sqrt() * (STRIP - 10.0) + 2.0;
        let shape = Shape::Rect { x, y: STRIP - 4.0 - height, width: (end - x - 1.0).max(1.5), height };
        drawing.push(Style::Activity, shape, None);
    }
    drawing.line(Style::LaneLine, vec![(left, STRIP - 3.5), (right, STRIP - 3.5)]);
    let (from, until) = (scale.x(shown.from), scale.x(shown.until).max(scale.x(shown.from) + 3.0));
    for (x, end) in [(left, from), (until, right)] {
        if end > x {
            let shape = Shape::Rect { x, y: 1.0, width: end - x, height: STRIP - 5.0 };
            drawing.push(Style::Outside, shape, None);
        }
    }
    drawing.push(Style::Brush, Shape::Rect { x: from, y: 0.5, width: until - from, height: STRIP - 4.0 }, None);
    drawing
}

#[cfg(test)]
mod tests;
