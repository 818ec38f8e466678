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

/// The reader's distance from UTC at an instant.
pub type Offset<'a> = &'a dyn Fn(Instant) -> Millis;

/// "23 Nov 2026 06:27:45", local.
pub fn absolute(at: Instant, offset: Millis) -> String {
    let [year, month, day, ..] = (at + offset).fields();
    text::day_and_time(&text::date(month, day, Some(year)), &clock(at, offset))
}

/// "23 Nov", local; with the year unless it is the present one.
pub fn date(at: Instant, now: Instant, offset: Offset<'_>) -> String {
    let [year, month, day, ..] = (at + offset(at)).fields();
    text::date(month, day, (year != (now + offset(now)).fields()[0]).then_some(year))
}

/// "06:27:45", local.
pub fn clock(at: Instant, offset: Millis) -> String {
    let [_, _, _, hour, minute, second, _] = (at + offset).fields();
    format!("{hour:02}:{minute:02}:{second:02}")
}

fn is_of_one_day(one: Instant, other: Instant, offset: Offset<'_>) -> bool {
    let day = |at: Instant| (at + offset(at)).0.div_euclid(86_400_000);
    day(one) == day(other)
}

/// Like [`clock`], with the date unless it is today's.
pub fn clock_with_date(at: Instant, now: Instant, offset: Offset<'_>) -> String {
    let time = clock(at, offset(at));
    if is_of_one_day(at, now, offset) { time } else { text::day_and_time(&date(at, now, offset), &time[..5]) }
}

/// A window in words: "between 08:41:12 and 08:46:09", "22 Nov between 20:12 and 20:17", "before 08:46:09".
pub fn window(not_before: Option<Instant>, not_after: Instant, now: Instant, offset: Offset<'_>) -> String {
    let end = clock_with_date(not_after, now, offset);
    match not_before {
        None => text::before(&end),
        Some(start) if is_of_one_day(start, not_after, offset) && !is_of_one_day(start, now, offset) => {
            let (start, end) = (clock(start, offset(start)), clock(not_after, offset(not_after)));
            // Within a minute, the minutes alone would say nothing.
            let digits = if start[..5] == end[..5] { 8 } else { 5 };
            text::between_on(&date(not_after, now, offset), &start[..digits], &end[..digits])
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
        let zero: Offset<'_> = &|_| Millis(0);
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
    fn a_year_is_said_when_it_is_not_this_one() {
        let zero: Offset<'_> = &|_| Millis(0);
        let old = NOON - Millis::days(365);
        assert_eq!(clock_with_date(old, NOON, zero), "23 Nov 2025 12:00");
        assert_eq!(window(Some(old - Millis::hours(1)), old, NOON, zero), "23 Nov 2025 between 11:00 and 12:00");
        assert_eq!(window(Some(old), NOON, NOON, zero), "between 23 Nov 2025 12:00 and 12:00:00");
        // The reader's year: in UTC it is still 2026.
        let evening = NOON + Millis::days(38) + Millis::hours(11);
        assert_eq!(clock_with_date(NOON, evening, &|_| Millis::hours(2)), "23 Nov 2026 14:00");
    }

    #[test]
    fn each_instant_has_the_clock_of_its_own_day() {
        let summer_ends = NOON - Millis::days(29);
        let offset: Offset<'_> = &|at| Millis::hours(if at < summer_ends { 2 } else { 1 });
        let before = summer_ends - Millis::hours(6);
        let words = window(Some(before), summer_ends + Millis::hours(30), NOON, offset);
        assert_eq!(words, "between 25 Oct 08:00 and 26 Oct 19:00");
    }

    #[test]
    fn a_zone_may_be_half_an_hour_off() {
        assert_eq!(zone(Millis(0)), "UTC");
        assert_eq!(zone(Millis::minutes(60)), "UTC+1");
        assert_eq!(zone(Millis::minutes(-210)), "UTC-3:30");
    }
}
