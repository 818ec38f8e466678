//! Which dates stand on the axis.

use super::{AXIS, Drawing, Frame, Scale, Style, labels};
use crate::instant::{Instant, Millis};

/// Steps of equal length, in minutes; longer ones follow the calendar.
const STEPS: [i64; 14] = [1, 2, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10_080, 20_160, 40_320];

/// Room between two dates in pixels.
const APART: f64 = 84.0;

/// Draws grid lines and dates.
pub(super) fn draw(drawing: &mut Drawing, scale: &Scale, frame: &Frame<'_>, bottom: f64) {
    let mut free = f64::MIN;
    for (at, text) in ticks(scale, frame) {
        let x = scale.x(at).floor() + 0.5;
        drawing.line(Style::Grid, vec![(x, AXIS - 6.0), (x, bottom)]);
        let end = x + 4.0 + labels::width(&text);
        // The first one may be longer than there is room until the second.
        if end <= drawing.width && x > free {
            free = end;
            drawing.text(Style::AxisText, x + 4.0, 12.0, false, text);
        }
    }
}

/// Round local times within the scale, with their names.
fn ticks(scale: &Scale, frame: &Frame<'_>) -> Vec<(Instant, String)> {
    let length = (scale.to - scale.from).0.max(1);
    let room = ((scale.right - scale.left) / APART).floor().max(1.0) as i64;
    let step = STEPS.into_iter().map(Millis::minutes).find(|step| length / step.0 <= room);
    match step {
        Some(step) => even(scale, step, frame),
        None => calendar(scale, room, frame),
    }
}

fn even(scale: &Scale, step: Millis, frame: &Frame<'_>) -> Vec<(Instant, String)> {
    let offset = frame.offset;
    // 1970-01-05 was a Monday: weeks start there.
    let origin = if step.0 >= Millis::days(7).0 { Millis::days(4).0 } else { 0 };
    let local = (scale.from + offset(scale.from)).0;
    let mut at = local + (origin - local).rem_euclid(step.0);
    // The day that is meant where none is said, and the year.
    let day = |at: Instant| (at + offset(at)).0.div_euclid(Millis::days(1).0);
    let (mut year, today) = (year_of(frame.now, frame), day(frame.now));
    let mut found = Vec::new();
    while found.len() < 64 {
        // The distance from UTC may change on the way; a day's line stands at that day's midnight.
        let instant = Instant(at) - offset(Instant(at) - offset(scale.from));
        if instant > scale.to {
            break;
        }
        let [its_year, month, day_of_month, hour, minute, ..] = Instant(at).fields();
        let is_midnight = hour == 0 && minute == 0;
        let mut text = format!("{hour:02}:{minute:02}");
        if is_midnight || (found.is_empty() && day(instant) != today) {
            let date = (frame.words.date)(month, day_of_month, (its_year != year).then_some(its_year));
            text = if is_midnight { date } else { (frame.words.date_and_time)(&date, &text) };
            year = its_year;
        }
        found.push((instant, text));
        at += step.0;
    }
    found
}

fn calendar(scale: &Scale, room: i64, frame: &Frame<'_>) -> Vec<(Instant, String)> {
    let offset = frame.offset;
    let [year, month, ..] = (scale.from + offset(scale.from)).fields();
    let months = (scale.to - scale.from).0 / Millis::days(30).0;
    let step = [1, 2, 3, 6, 12, 24, 60].into_iter().find(|step| months / step <= room).unwrap_or(120);
    let mut count = (year * 12 + month - 1).div_euclid(step) * step;
    let mut found = Vec::new();
    while found.len() < 64 {
        count += step;
        let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
        let Ok(midnight) = format!("{year:04}-{month:02}-01T00:00:00Z").parse::<Instant>() else { break };
        let at = midnight - offset(midnight);
        if at > scale.to {
            break;
        }
        let is_told = month == 1 || (found.is_empty() && year != year_of(frame.now, frame));
        found.push((at, (frame.words.month)(month, is_told.then_some(year))));
    }
    found
}

fn year_of(at: Instant, frame: &Frame<'_>) -> i64 {
    (at + (frame.offset)(at)).fields()[0]
}

/// The day, local; with its year where that is not the present one.
fn date(at: Instant, frame: &Frame<'_>) -> String {
    let [year, month, day, ..] = (at + (frame.offset)(at)).fields();
    (frame.words.date)(month, day, (year != year_of(frame.now, frame)).then_some(year))
}

/// Date and time of day, local.
pub(super) fn date_time(at: Instant, frame: &Frame<'_>) -> String {
    let [_, _, _, hour, minute, ..] = (at + (frame.offset)(at)).fields();
    (frame.words.date_and_time)(&date(at, frame), &format!("{hour:02}:{minute:02}"))
}
