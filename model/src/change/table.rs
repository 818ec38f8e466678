//! A change as a table: what differs, before, after.

use serde::{Deserialize, Serialize};

use super::{Change, ChangeLevel, Difference, Field, Layers, PlatformChange};
use crate::event::Severity;

/// So many rows say enough; the whole change says the rest.
const ROWS: usize = 40;

/// One row of the table that a person reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeRow {
    /// What differs: `entrypoint`, `label version (linux/arm64)`.
    pub what: String,
    /// Before; `None` where it was not there, or may not be shown.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
    /// Whether this alone would be critical.
    pub critical: bool,
}

impl Change {
    /// The table: what is the same on all platforms once, in the order in which it is told.
    pub fn table(&self) -> Vec<ChangeRow> {
        let mut rows: Vec<ChangeRow> = self.whole.iter().map(|difference| row(difference, "")).collect();
        rows.extend(self.platform_row());
        for (difference, scope) in self.by_difference() {
            match (difference.field, self.layers()) {
                (Field::Layers, Some(layers)) => rows.push(layers_row(layers, &scope)),
                _ => rows.push(row(difference, &scope)),
            }
        }
        rows.extend(self.attestations.as_ref().map(|attestations| ChangeRow {
            what: "attestations".to_owned(),
            before: Some(attestations.old.to_string()),
            after: Some(attestations.new.to_string()),
            critical: false,
        }));
        rows.extend(self.revision.as_ref().filter(|revision| !revision.same).map(|revision| ChangeRow {
            what: "claimed source revision".to_owned(),
            before: revision.old.clone(),
            after: revision.new.clone(),
            critical: false,
        }));
        rows.truncate(ROWS);
        rows
    }

    /// The platforms, where the sets differ.
    fn platform_row(&self) -> Option<ChangeRow> {
        let names = |present: fn(&PlatformChange) -> bool| {
            let of = self.platforms.iter().filter(|platform| present(platform));
            of.filter_map(|platform| platform.platform.clone()).collect::<Vec<_>>().join(", ")
        };
        let (before, after) = (names(|platform| platform.old.is_some()), names(|platform| platform.new.is_some()));
        let what = "platforms".to_owned();
        (before != after).then_some(ChangeRow { what, before: Some(before), after: Some(after), critical: false })
    }

    /// Each difference once, with where it is: nothing is said where it is everywhere.
    fn by_difference(&self) -> Vec<(&Difference, String)> {
        let compared: Vec<&PlatformChange> =
            self.platforms.iter().filter(|platform| platform.old.is_some() && platform.new.is_some()).collect();
        let mut found: Vec<(&Difference, Vec<&str>)> = Vec::new();
        for platform in &compared {
            for difference in &platform.differences {
                let name = platform.platform.as_deref().unwrap_or("no platform");
                match found.iter_mut().find(|(other, _)| *other == difference) {
                    Some((_, names)) => names.push(name),
                    None => found.push((difference, vec![name])),
                }
            }
        }
        found.sort_by_key(|(difference, _)| difference.field);
        let all = compared.len();
        let scope =
            |names: Vec<&str>| if names.len() == all { String::new() } else { format!(" ({})", names.join(", ")) };
        found.into_iter().map(|(difference, names)| (difference, scope(names))).collect()
    }

    /// The layers, where all platforms have the same numbers of them.
    fn layers(&self) -> Option<Layers> {
        let mut all = self.platforms.iter().filter_map(|platform| platform.layers);
        let first = all.next()?;
        let counts = |layers: &Layers| (layers.old, layers.new, layers.kept);
        all.all(|layers| counts(&layers) == counts(&first)).then_some(first)
    }
}

fn row(difference: &Difference, scope: &str) -> ChangeRow {
    let noun = difference.field.noun();
    let what = difference.name.as_ref().map_or_else(|| noun.to_owned(), |name| format!("{noun}: {name}"));
    let said = |value: &Option<String>, there: bool| value.clone().or_else(|| there.then(|| "set".to_owned()));
    let (before, after) = match difference.how {
        super::How::Added => (None, said(&difference.new, true)),
        super::How::Removed => (said(&difference.old, true), None),
        super::How::Changed => {
            let unsaid = difference.old.is_none() && difference.new.is_none();
            let other = unsaid.then(|| "another value".to_owned());
            (difference.old.clone(), difference.new.clone().or(other))
        }
    };
    ChangeRow { what: format!("{what}{scope}"), before, after, critical: is_critical(difference.field) }
}

fn is_critical(field: Field) -> bool {
    field.level().severity() == Severity::Critical && field.level() != ChangeLevel::NotComparable
}

fn layers_row(layers: Layers, scope: &str) -> ChangeRow {
    let replaced = layers.new.saturating_sub(layers.kept);
    ChangeRow {
        what: format!("layers{scope}"),
        before: Some(format!("{}, {} to pull", layers.old, size(layers.old_size))),
        after: Some(format!("{} kept, {replaced} new, {} to pull", layers.kept, size(layers.new_size))),
        critical: true,
    }
}

/// `84.2 MB`.
fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} bytes"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = bytes / (unit / 10);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_or_so() {
        for (bytes, words) in
            [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (84_249_999, "84.2 MB"), (3_950_000_000, "3.9 GB")]
        {
            assert_eq!(size(bytes), words);
        }
    }
}
