//! Differences as they are listed: bounded, and secrets left out.

use std::collections::BTreeMap;

use super::words::{excerpts, visible};
use super::{ChangeLevel, Difference, Field, How};

/// Of one field with names, so many are listed.
const NAMED: usize = 8;
/// So many characters of a name.
const NAME: usize = 80;

/// Collects what differs.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub differences: Vec<Difference>,
    pub left_out: u64,
}

impl Rows {
    /// The worst of what was found.
    pub fn level(&self) -> ChangeLevel {
        self.differences.iter().map(|row| row.field.level()).max().unwrap_or(ChangeLevel::Same)
    }

    /// Says that a field differs, if it does, with both values; an empty one counts as none.
    pub fn value(&mut self, field: Field, old: &str, new: &str) {
        if old != new {
            let how = match (old.is_empty(), new.is_empty()) {
                (true, _) => How::Added,
                (_, true) => How::Removed,
                _ => How::Changed,
            };
            let (old, new) = excerpts(old, new);
            self.push(field, None, how, old, new);
        }
    }

    /// Says that a field differs, without values.
    pub fn bare(&mut self, field: Field) {
        self.push(field, None, How::Changed, None, None);
    }

    /// Says which names differ in two maps. Values are given only where `shown` gives a text for one.
    pub fn named<V: PartialEq>(
        &mut self,
        field: Field,
        old: &BTreeMap<&str, V>,
        new: &BTreeMap<&str, V>,
        shown: impl Fn(&V) -> Option<&str>,
    ) {
        let gone_or_other = old.iter().filter(|(name, value)| new.get(*name) != Some(value));
        let names = gone_or_other.map(|(name, value)| (name, Some(value), new.get(name)));
        let added =
            new.iter().filter(|(name, _)| !old.contains_key(*name)).map(|(name, value)| (name, None, Some(value)));
        for (at, (name, old, new)) in names.chain(added).enumerate() {
            if at >= NAMED {
                self.left_out = self.left_out.saturating_add(1);
                continue;
            }
            let how = match (old, new) {
                (None, _) => How::Added,
                (_, None) => How::Removed,
                _ => How::Changed,
            };
            let text = |value: Option<&V>| value.and_then(&shown).map(str::to_owned).unwrap_or_default();
            let (old, new) = excerpts(&text(old), &text(new));
            self.push(field, Some(visible(name, NAME)), how, old, new);
        }
    }

    fn push(&mut self, field: Field, name: Option<String>, how: How, old: Option<String>, new: Option<String>) {
        self.differences.push(Difference { field, name, how, old, new });
    }
}
