//! Which rows a timeline has: pinned lanes first, then the others, those of a collapsed repository as one.

use super::Words;
use super::sheet::lane_label;
use crate::api::{Lane, LaneKind, TILE_LANES, TimelineHead};
use crate::tag::Class;

/// How the reader arranged the lanes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arranged {
    /// Ids of the lanes that stay at the top, in this order.
    pub pinned: Vec<String>,
    /// Repositories of which one lane is shown.
    pub collapsed: Vec<String>,
}

/// What can be done with a lane or a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Keeps the lane at the top.
    Pin,
    /// Puts it back among the others.
    Unpin,
    /// Shows one lane for its repository.
    Collapse,
    /// Shows all of them again.
    Expand,
}

impl Arranged {
    /// What an address says: words with commas between them.
    pub fn read(pinned: Option<&str>, collapsed: Option<&str>) -> Self {
        let words = |text: Option<&str>| -> Vec<String> {
            let mut words: Vec<String> = Vec::new();
            for word in text.unwrap_or_default().split(',').filter(|word| !word.is_empty()) {
                // An address is anybody's: it names each once, and no more than a page has.
                if words.len() < TILE_LANES && words.iter().all(|known| known != word) {
                    words.push(word.to_owned());
                }
            }
            words
        };
        Self { pinned: words(pinned), collapsed: words(collapsed) }
    }

    /// The same for an address: pinned, collapsed.
    pub fn write(&self) -> [Option<String>; 2] {
        [&self.pinned, &self.collapsed].map(|words| (!words.is_empty()).then(|| words.join(",")))
    }

    /// Does it, or undoes it where it is done.
    pub fn toggle(&mut self, act: Act, lane: &Lane) {
        let (words, word) = match act {
            Act::Pin | Act::Unpin => (&mut self.pinned, &lane.id),
            Act::Collapse | Act::Expand => (&mut self.collapsed, &lane.repository),
        };
        match words.iter().position(|known| known == word) {
            Some(at) => drop(words.remove(at)),
            None => words.push(word.clone()),
        }
    }
}

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row<'a> {
    /// What stands over the lanes below it: a repository, which can be collapsed, or what they are.
    Heading { text: &'a str, lane: usize, is_repository: bool },
    /// Lanes that are drawn as one.
    Lanes { lanes: Vec<usize>, label: String, act: Act },
}

impl Row<'_> {
    /// Its first lane.
    pub fn first(&self) -> usize {
        match self {
            Self::Heading { lane, .. } => *lane,
            Self::Lanes { lanes, .. } => lanes.first().copied().unwrap_or_default(),
        }
    }
}

/// The rows from top to bottom.
pub(super) fn rows<'a>(head: &'a TimelineHead, arranged: &Arranged, words: &'a Words) -> Vec<Row<'a>> {
    let many = head.repositories.len() > 1;
    let mut rows = Vec::new();
    for id in &arranged.pinned {
        if let Some((at, lane)) = head.lanes.iter().enumerate().find(|(_, lane)| lane.id == *id) {
            let label = lane_label(lane);
            let label = if many { [short(&lane.repository), " ", &label].concat() } else { label };
            rows.push(Row::Lanes { lanes: vec![at], label, act: Act::Unpin });
        }
    }
    let mut above = "";
    for (at, lane) in head.lanes.iter().enumerate() {
        if arranged.pinned.contains(&lane.id) {
            continue;
        }
        let heading = heading(many, lane, words);
        let is_collapsed = many && arranged.collapsed.contains(&lane.repository);
        if heading == above {
            if let (true, Some(Row::Lanes { lanes, .. })) = (is_collapsed, rows.last_mut()) {
                lanes.push(at);
                continue;
            }
        } else {
            above = heading;
            if is_collapsed {
                let label = short(heading).to_owned();
                rows.push(Row::Lanes { lanes: vec![at], label, act: Act::Expand });
                continue;
            }
            rows.push(Row::Heading { text: heading, lane: at, is_repository: many });
        }
        rows.push(Row::Lanes { lanes: vec![at], label: lane_label(lane), act: Act::Pin });
    }
    // Marks of releases can be joined, spans of tags cannot: they stand for the repository only where it has nothing else.
    let is_release = |at: &usize| head.lanes.get(*at).is_some_and(|lane| lane.kind != LaneKind::Tag);
    for row in &mut rows {
        if let Row::Lanes { lanes, .. } = row {
            let most = lanes.iter().filter(|at| is_release(at)).count().max(1);
            lanes.truncate(most);
        }
    }
    rows
}

/// A repository's name without what leads to it.
pub fn short(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or(repository)
}

/// What stands over a lane unless it stands over the one above it already.
fn heading<'a>(many: bool, lane: &'a Lane, words: &'a Words) -> &'a str {
    match lane.class {
        _ if many => &lane.repository,
        Class::Release => words.releases,
        Class::Rebuilt => words.rebuilt,
        Class::Rolling | Class::Ignored => words.rolling,
    }
}
