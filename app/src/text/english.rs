//! English. Another language is another file and folder with the same names, chosen in `text.rs`.
//!
//! A text that begins or ends with a space stands beside something that is no text: a name, a time, a link.
#![expect(missing_docs, reason = "a text's name says where it stands, and the text says the rest")]

pub mod adding;
pub mod board;
pub mod digests;
pub mod flag;
pub mod flags;
pub mod kinds;
pub mod notifiers;
pub mod overview;
pub mod repositories;
pub mod repository;
pub mod settings;
pub mod shell;
pub mod tags;
pub mod targets;
pub mod time;
pub mod timeline;

/// As the document says it.
pub const LANG: &str = "en";

pub const TRY_AGAIN: &str = "Try again";
pub const SHOW_MORE: &str = "Show more";
pub const LOADING: &str = "Loading";
pub const WHY: &str = "Why";
pub const REPOSITORY: &str = "Repository";
pub const TAG: &str = "Tag";
pub const DIGEST: &str = "Digest";
pub const STATE: &str = "State";
pub const CLASS: &str = "Class";
pub const NOT_YET: &str = "not yet";
pub const OR: &str = " or ";
pub const CHECKED: &str = "checked ";
pub const THE_WAY_BACK: &str = "The way back";
pub const FIRST_SEEN: &str = "first seen ";
pub const CLAIMED: &str = "claimed, not yet proven";

const NUMBERS: [&str; 13] =
    ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"];

/// "1 tag", "1,204 tags".
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// "1,204".
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number at the start of a sentence.
fn number(number: u64) -> String {
    usize::try_from(number).ok().and_then(|at| NUMBERS.get(at)).map_or_else(|| grouped(number), |word| (*word).into())
}

fn tags(number: u64) -> String {
    count(number, "tag", "tags")
}

fn releases(number: u64) -> String {
    count(number, "release", "releases")
}

/// How many others were found in the same pass as a flag.
pub fn other_releases(others: u64) -> String {
    count(others, "other release", "other releases")
}

/// How many are on another page.
pub fn more(number: u64) -> String {
    [&grouped(number), " more"].concat()
}

#[cfg(test)]
mod tests;
