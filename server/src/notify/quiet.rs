//! Hours in which nobody wants to hear anything but the worst.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use tagwarden_model::event::Severity;
use tagwarden_model::instant::Instant;

/// Hours in which messages wait, by the clock of a place.
#[derive(Debug, Clone, PartialEq)]
pub struct QuietHours {
    /// They begin at this time of the day.
    pub from: Time,
    /// They end at this time, of the next day if it is earlier.
    pub to: Time,
    /// By the clock of this place.
    pub zone: TimeZone,
    /// Critical messages wait, too.
    pub critical_waits: bool,
}

impl QuietHours {
    /// When a message that could be sent at `at` is sent.
    pub fn after(&self, at: Instant, severity: Option<Severity>) -> Instant {
        if severity == Some(Severity::Critical) && !self.critical_waits {
            return at;
        }
        self.end(at).unwrap_or(at)
    }

    /// When the quiet hours that `at` is in end.
    fn end(&self, at: Instant) -> Option<Instant> {
        let here = Timestamp::from_millisecond(at.0).ok()?.to_zoned(self.zone.clone());
        let time = here.time();
        let (inside, tomorrow) = if self.from < self.to {
            (self.from <= time && time < self.to, false)
        } else {
            (self.from <= time || time < self.to, self.from <= time)
        };
        if !inside {
            return None;
        }
        let day = if tomorrow { here.date().checked_add(1.day()).ok()? } else { here.date() };
        // Where the clocks are put forward over the end, it is the moment after.
        let end = day.to_datetime(self.to).to_zoned(self.zone.clone()).ok()?;
        Some(Instant(end.timestamp().as_millisecond()).max(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Instant {
        Instant(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn hours(from: &str, to: &str) -> QuietHours {
        let time = |text| Time::strptime("%H:%M", text).unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        QuietHours { from: time(from), to: time(to), zone, critical_waits: false }
    }

    #[test]
    fn a_night_ends_in_the_morning_also_when_the_clocks_change() {
        let night = hours("22:00", "07:00");
        for (at, end) in [
            ("2026-11-23T20:59:59Z", "2026-11-23T20:59:59Z"),
            ("2026-11-23T21:00:00Z", "2026-11-24T06:00:00Z"),
            ("2026-11-24T05:59:59Z", "2026-11-24T06:00:00Z"),
            ("2026-11-24T06:00:00Z", "2026-11-24T06:00:00Z"),
            ("2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"),
        ] {
            assert_eq!(night.after(instant(at), Some(Severity::Warning)), instant(end), "{at}");
        }
        // 02:30 does not exist on this day.
        assert_eq!(
            hours("01:00", "02:30").after(instant("2026-03-29T00:30:00Z"), None),
            instant("2026-03-29T01:30:00Z")
        );
    }

    #[test]
    fn a_pause_at_noon_is_one_too_and_critical_passes_unless_told_otherwise() {
        let noon = hours("12:00", "13:00");
        let at = instant("2026-11-23T11:30:00Z");
        assert_eq!(noon.after(at, None), instant("2026-11-23T12:00:00Z"));
        assert_eq!(noon.after(at, Some(Severity::Critical)), at);
        let strict = QuietHours { critical_waits: true, ..noon };
        assert_eq!(strict.after(at, Some(Severity::Critical)), instant("2026-11-23T12:00:00Z"));
    }
}
