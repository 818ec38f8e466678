//! The whole view of a timeline as its address holds it, so that a copied address shows the same.

use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::timeline::View;

/// Which stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// What nobody chose: see [`Window::usual`].
    #[default]
    Usual,
    /// All there is.
    All,
    /// The last of it; moves on with the time.
    Last(Millis),
    /// From one instant to another.
    Between(View),
}

impl Window {
    /// Reads `range`, `from` and `until`; what cannot be read is what nobody chose.
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Self {
        let instant = |key| get(key)?.parse::<Instant>().ok();
        if let (Some(from), Some(until)) = (instant("from"), instant("until"))
            && from < until
        {
            return Self::Between(View { from, until });
        }
        match get("range").as_deref() {
            Some("all") => Self::All,
            Some(range) => length(range).map_or(Self::Usual, Self::Last),
            None => Self::Usual,
        }
    }

    /// What is shown when nobody chose: a month, or less where there is less. On the first day of a watch a year, as there are
    /// hints alone. `since` is when the watch began.
    pub fn usual(all: View, since: Instant, now: Instant) -> Self {
        let most = Millis::days(if now - since < Millis::days(1) { 365 } else { 30 });
        if all.length() < most { Self::All } else { Self::Last(most) }
    }

    /// The stretch that it means now. `all` is all there is.
    pub fn view(self, all: View, since: Instant, now: Instant) -> View {
        let view = match self {
            Self::All => all,
            Self::Usual => return Self::usual(all, since, now).view(all, since, now),
            Self::Last(length) => View::last(length, now),
            Self::Between(view) => view,
        };
        view.within(now)
    }

    /// A window that shows a view: one that ends at now moves on.
    pub fn of(view: View, now: Instant) -> Self {
        if view.follows(now) {
            Self::Last(Millis((now - view.from).0 / 1000 * 1000))
        } else {
            Self::Between(View { from: second(view.from), until: second(view.until) })
        }
    }

    /// `range`, `from` and `until` as they stand in an address.
    pub fn write(self) -> [(&'static str, Option<String>); 3] {
        let (range, view) = match self {
            Self::Usual => (None, None),
            Self::All => (Some("all".to_owned()), None),
            Self::Last(Millis(length)) if length % 86_400_000 == 0 => (Some(format!("{}d", length / 86_400_000)), None),
            Self::Last(Millis(length)) => (Some(format!("{}s", length / 1000)), None),
            Self::Between(view) => (None, Some(view)),
        };
        [
            ("range", range),
            ("from", view.map(|view| view.from.to_string())),
            ("until", view.map(|view| view.until.to_string())),
        ]
    }
}

fn second(at: Instant) -> Instant {
    Instant(at.0 / 1000 * 1000)
}

/// `30d`, `24h`, `90m` or `5400s`.
fn length(text: &str) -> Option<Millis> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok().filter(|number| (1..1_000_000_000).contains(number))?;
    match unit {
        "d" => Some(Millis::days(number)),
        "h" => Some(Millis::hours(number)),
        "m" => Some(Millis::minutes(number)),
        "s" => Some(Millis::seconds(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_795_435_200_000);

    fn read(query: &[(&str, &str)]) -> Window {
        Window::read(&|key| query.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn an_address_shows_the_same_again() {
        let view = View { from: NOW - Millis::days(9), until: NOW - Millis::days(2) };
        for window in [
            Window::Usual,
            Window::All,
            Window::Last(Millis::days(90)),
            Window::Last(Millis::seconds(5401)),
            Window::Between(view),
        ] {
            let written = window.write();
            let query: Vec<(&str, &str)> =
                written.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
            assert_eq!(read(&query), window, "{query:?}");
        }
        assert_eq!(read(&[("range", "24h")]), Window::Last(Millis::hours(24)));
    }

    #[test]
    fn what_follows_the_time_shows_the_same_again() {
        for (ago, length) in [(9, 9), (30, 30), (30, 31), (30, 300), (1, 1)] {
            let from = NOW - Millis::hours(ago);
            let view = View { from, until: from + Millis::hours(length) }.within(NOW).ended(NOW);
            let window = Window::of(view, NOW);
            let query = window.write().map(|(key, value)| (key, value.unwrap_or_default()));
            let query: Vec<(&str, &str)> = query
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| (*key, value.as_str()))
                .collect();
            let again = read(&query).view(view, NOW - Millis::days(9), NOW);
            assert!((again.from - view.from).0.abs() <= 1000, "{view:?}, {query:?}");
            assert!((again.until - view.until).0.abs() <= 1000, "{view:?}, {query:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_what_nobody_chose() {
        let huge = "9".repeat(30);
        for range in ["", "d", "30", "-3d", "0d", "30y", "é", huge.as_str()] {
            assert_eq!(read(&[("range", range)]), Window::Usual, "{range}");
        }
        assert_eq!(read(&[("from", "yesterday"), ("until", "2026-11-23T06:27:45Z")]), Window::Usual);
        assert_eq!(read(&[("until", "2026-11-20T00:00:00Z"), ("from", "2026-11-23T00:00:00Z")]), Window::Usual);
    }

    #[test]
    fn a_view_that_ends_at_now_moves_on() {
        let month = View::last(Millis::days(30), NOW);
        assert_eq!(Window::of(month, NOW), Window::Last(Millis::days(30)));
        let later = NOW + Millis::days(1);
        assert_eq!(Window::of(month, NOW).view(month, NOW, later), View::last(Millis::days(30), later));
        let past = month.pan(-0.5);
        assert_eq!(Window::of(past, NOW).view(month, NOW, later), past, "to the second");
    }

    #[test]
    fn what_is_younger_than_a_month_is_shown_whole() {
        let since = NOW - Millis::days(3);
        let all = View::last(NOW - since, NOW);
        assert_eq!(Window::Usual.view(all, since, NOW), all);
        let year = View::last(Millis::days(365), NOW);
        assert_eq!(Window::Usual.view(year, since, NOW), View::last(Millis::days(30), NOW));
    }

    #[test]
    fn the_first_day_shows_a_year_of_hints() {
        let since = NOW - Millis::hours(2);
        let hints = View::last(Millis::days(200), NOW);
        assert_eq!(Window::Usual.view(hints, since, NOW), hints);
        let old = View::last(Millis::days(2000), NOW);
        assert_eq!(Window::Usual.view(old, since, NOW), View::last(Millis::days(365), NOW));
        assert_eq!(Window::Usual.view(old, NOW - Millis::hours(24), NOW), View::last(Millis::days(30), NOW));
    }
}
