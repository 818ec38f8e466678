//! Times and lengths of time as people read them: which units are said, and when the day is.

use tagwarden_model::instant::{Instant, Millis};

use crate::text::time as text;

/// "40 s", "6 min", "2 h 51 min", "19 days": at most two units, the second only where it matters.
pub fn length(length: Millis) -> String {
    let seconds = length.0.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => text::seconds(seconds),
        60..3600 => text::minutes(minutes),
        3600..36_000 if minutes % 60 != 0 => text::hours_and_minutes(hours, minutes % 60),
        3600..172_800 => text::hours(hours),
        _ => text::days(days),
    }
}

/// "just now", "40 s ago", "in 20 s".
pub fn relative(at: Instant, now: Instant) -> String {
    let apart = now - at;
    match apart.0 {
        -5_000..5_000 => text::JUST_NOW.to_owned(),
        5_000.. => text::ago(&length(apart)),
        _ => text::from_now(&length(Millis(-apart.0))),
    }
}

/// "23 Nov 2026 06:27:45", local.
pub fn absolute(at: Instant, offset: Millis) -> String {
    let [year, ..] = (at + offset).fields();
    text::date_and_time(&date(at, offset), year, &clock(at, offset))
}

/// "23 Nov", local.
pub fn date(at: Instant, offset: Millis) -> String {
    let [_, month, day, ..] = (at + offset).fields();
    text::date(month, day)
}

/// "06:27:45", local.
pub fn clock(at: Instant, offset: Millis) -> String {
    let [_, _, _, hour, minute, second, _] = (at + offset).fields();
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// Like [`clock`], with the date unless it is today's.
pub fn clock_with_date(at: Instant, now: Instant, offset: Millis) -> String {
    let of_day = |instant: Instant| (instant + offset).0.div_euclid(86_400_000);
    if of_day(at) == of_day(now) {
        clock(at, offset)
    } else {
        text::day_and_time(&date(at, offset), &clock(at, offset)[..5])
    }
}

/// A window in words: "between 08:41:12 and 08:46:09", "22 Nov between 20:12 and 20:17", "before 08:46:09".
pub fn window(not_before: Option<Instant>, not_after: Instant, now: Instant, offset: Millis) -> String {
    let end = clock_with_date(not_after, now, offset);
    let of_day = |instant: Instant| (instant + offset).0.div_euclid(86_400_000);
    match not_before {
        None => text::before(&end),
        Some(start) if of_day(start) == of_day(not_after) && of_day(start) != of_day(now) => {
            let (start, end) = (clock(start, offset), clock(not_after, offset));
            // Within a minute, the minutes alone would say nothing.
            let digits = if start[..5] == end[..5] { 8 } else { 5 };
            text::between_on(&date(not_after, offset), &start[..digits], &end[..digits])
        }
        Some(start) => text::between(&clock_with_date(start, now, offset), &end),
    }
}

/// "UTC", "UTC+1", "UTC-3:30".
pub fn zone(offset: Millis) -> String {
    let minutes = offset.0 / 60_000;
    let sign = if minutes < 0 { '-' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, rest) => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Instant = Instant(1_795_435_200_000);

    #[test]
    fn lengths_have_the_units_that_matter() {
        for (seconds, words) in [
            (-3, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3600, "1 h"),
            (10_260, "2 h 51 min"),
            (86_400, "24 h"),
            (172_800, "2 days"),
            (1_641_600, "19 days"),
        ] {
            assert_eq!(length(Millis::seconds(seconds)), words);
        }
    }

    #[test]
    fn what_is_to_come_is_told_from_what_was() {
        assert_eq!(relative(NOON, NOON + Millis::seconds(40)), "40 s ago");
        assert_eq!(relative(NOON + Millis::seconds(20), NOON), "in 20 s");
        assert_eq!(relative(NOON, NOON + Millis(1200)), "just now");
    }

    #[test]
    fn a_window_names_the_day_only_when_it_is_not_today() {
        let zero = Millis(0);
        let window_of = |before| window(before, NOON, NOON + Millis::hours(1), zero);
        assert_eq!(window_of(Some(NOON - Millis::minutes(5))), "between 11:55:00 and 12:00:00");
        assert_eq!(window_of(Some(NOON - Millis::hours(13))), "between 22 Nov 23:00 and 12:00:00");
        assert_eq!(window_of(None), "before 12:00:00");
        let (day, later) = (Millis::hours(24), NOON + Millis::days(2));
        let of_yesterday = window(Some(NOON - Millis::minutes(5)), NOON, NOON + day, zero);
        assert_eq!(of_yesterday, "23 Nov between 11:55 and 12:00");
        let narrow = window(Some(NOON + Millis::seconds(2)), NOON + Millis::seconds(9), NOON + day, zero);
        assert_eq!(narrow, "23 Nov between 12:00:02 and 12:00:09");
        assert_eq!(window(Some(NOON - day), NOON, later, zero), "between 22 Nov 12:00 and 23 Nov 12:00");
        assert_eq!(absolute(NOON, Millis::hours(1)), "23 Nov 2026 13:00:00");
    }

    #[test]
    fn a_zone_may_be_half_an_hour_off() {
        assert_eq!(zone(Millis(0)), "UTC");
        assert_eq!(zone(Millis::minutes(60)), "UTC+1");
        assert_eq!(zone(Millis::minutes(-210)), "UTC-3:30");
    }
}
