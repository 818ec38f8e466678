//! Times and lengths of time. Which of them is said is decided in [`crate::time`].

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub const JUST_NOW: &str = "just now";
pub const UNKNOWN: &str = "unknown";

pub fn seconds(seconds: i64) -> String {
    format!("{seconds} s")
}

pub fn minutes(minutes: i64) -> String {
    format!("{minutes} min")
}

pub fn hours(hours: i64) -> String {
    format!("{hours} h")
}

pub fn hours_and_minutes(hours: i64, minutes: i64) -> String {
    format!("{hours} h {minutes} min")
}

/// Two and more: less is said in hours.
pub fn days(days: i64) -> String {
    format!("{days} days")
}

pub fn ago(length: &str) -> String {
    [length, " ago"].concat()
}

pub fn from_now(length: &str) -> String {
    ["in ", length].concat()
}

/// "23 Nov", or "23 Nov 2025"; months begin at 1.
pub fn date(month: i64, day: i64, year: Option<i64>) -> String {
    [&day.to_string(), " ", &self::month(month, year)].concat()
}

/// "Nov", or "Jan 2026".
pub fn month(month: i64, year: Option<i64>) -> String {
    year.map_or_else(|| name(month).to_owned(), |year| format!("{} {year}", name(month)))
}

fn name(month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default()
}

/// "23 Nov 06:27".
pub fn day_and_time(date: &str, clock: &str) -> String {
    [date, " ", clock].concat()
}

pub fn before(end: &str) -> String {
    ["before ", end].concat()
}

pub fn between(start: &str, end: &str) -> String {
    ["between ", start, " and ", end].concat()
}

/// Between two times of one day.
pub fn between_on(date: &str, start: &str, end: &str) -> String {
    [date, " ", &between(start, end)].concat()
}

/// A window as its two absolute times.
pub fn from_to(start: &str, end: &str) -> String {
    [start, " to ", end].concat()
}
