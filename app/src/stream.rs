//! When to open, close and reopen the live stream: a state machine without a browser.
//!
//! An `EventSource` that waits to reconnect looks like one that is silent, and comments do not reach scripts; so the
//! server sends a named `tick` every 15 s, and silence is what counts here.

use tagwarden_model::instant::{Instant, Millis};

/// Silence after which what is shown counts as stale.
pub const SILENCE: Millis = Millis::seconds(40);
/// How long a hidden tab keeps its stream.
pub const HIDDEN: Millis = Millis::seconds(60);
/// How long a source that is opened when the tab is seen again may take before it counts as lost.
const RETURN: Millis = Millis::seconds(3);
/// Waits before reopening: the first, doubled each time up to the last.
const FIRST_WAIT: Millis = Millis::seconds(1);
const LONGEST_WAIT: Millis = Millis::seconds(30);

/// What the page tells people about the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing was heard yet, or not since the tab is seen again.
    Connecting,
    /// Heard within [`SILENCE`].
    Live,
    /// Nothing heard since then.
    Stale(Instant),
    /// Closed while nobody looks.
    Asleep,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// `hello`: the stream is open.
    Hello,
    /// `tick`.
    Tick,
    /// `change` with its id.
    Change(i64),
    /// `reset`: what was missed is not kept any more.
    Reset,
    /// The source failed.
    Failed,
    /// A second went by.
    Timer,
    /// The tab was hidden.
    Hidden,
    /// The tab is seen again.
    Shown,
    /// The page was left, and may be kept for going back to.
    Left,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Open a source; changes after this id are wanted.
    Open {
        /// `Last-Event-ID`, which a new source can only say in its address.
        after: Option<i64>,
    },
    /// Close the source.
    Close,
    /// Load everything anew: changes may have been missed.
    Reload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Open,
    Waiting { until: Instant },
    Asleep,
}

/// The stream of one tab.
#[derive(Debug, Clone)]
pub struct Stream {
    source: Source,
    last_id: Option<i64>,
    heard: Option<Instant>,
    /// When the present source was opened.
    opened: Instant,
    greeted_before: bool,
    attempts: u32,
    hidden_since: Option<Instant>,
}

impl Stream {
    /// A stream that was opened just now.
    pub fn new(now: Instant) -> Self {
        Self {
            source: Source::Open,
            last_id: None,
            heard: None,
            opened: now,
            greeted_before: false,
            attempts: 0,
            hidden_since: None,
        }
    }

    /// What to tell people.
    pub fn status(&self, now: Instant) -> Status {
        match (self.source, self.heard) {
            (Source::Asleep, _) => Status::Asleep,
            (_, Some(heard)) if now - heard < SILENCE => Status::Live,
            // Nobody missed it while nobody looked.
            (Source::Open, Some(_)) if self.attempts == 0 && now - self.opened < RETURN => Status::Connecting,
            (_, Some(heard)) => Status::Stale(heard),
            (_, None) if self.attempts == 0 => Status::Connecting,
            (_, None) => Status::Stale(self.opened),
        }
    }

    /// Takes note of what happened and says what to do.
    pub fn step(&mut self, input: Input, now: Instant) -> Option<Action> {
        match input {
            Input::Hello => {
                self.hear(now);
                // Without an id nothing says what was missed while the source was closed.
                let missed = self.greeted_before && self.last_id.is_none();
                self.greeted_before = true;
                missed.then_some(Action::Reload)
            }
            Input::Tick => {
                self.hear(now);
                None
            }
            Input::Change(id) => {
                self.hear(now);
                self.last_id = Some(id);
                None
            }
            Input::Reset => {
                self.hear(now);
                self.last_id = None;
                Some(Action::Reload)
            }
            Input::Failed if self.source == Source::Open => Some(self.close(now)),
            Input::Failed => None,
            Input::Timer => self.timer(now),
            Input::Hidden => {
                self.hidden_since.get_or_insert(now);
                None
            }
            Input::Left => {
                // A kept page would keep its connection, and a browser has six for all pages of a server.
                let was_open = self.source == Source::Open;
                self.source = Source::Asleep;
                was_open.then_some(Action::Close)
            }
            Input::Shown => {
                self.hidden_since = None;
                (self.source == Source::Asleep).then(|| {
                    // What failed before it slept says nothing of now.
                    self.attempts = 0;
                    self.open(now)
                })
            }
        }
    }

    fn hear(&mut self, now: Instant) {
        self.heard = Some(now);
        self.attempts = 0;
    }

    fn timer(&mut self, now: Instant) -> Option<Action> {
        if self.hidden_since.is_some_and(|since| now - since >= HIDDEN) && self.source != Source::Asleep {
            self.source = Source::Asleep;
            return Some(Action::Close);
        }
        let heard = self.heard.map_or(self.opened, |heard| heard.max(self.opened));
        match self.source {
            Source::Open if now - heard >= SILENCE => Some(self.close(now)),
            Source::Waiting { until } if now >= until => Some(self.open(now)),
            _ => None,
        }
    }

    fn close(&mut self, now: Instant) -> Action {
        let wait = FIRST_WAIT.0.saturating_mul(1 << self.attempts.min(10)).min(LONGEST_WAIT.0);
        self.attempts += 1;
        self.source = Source::Waiting { until: now + Millis(wait) };
        Action::Close
    }

    fn open(&mut self, now: Instant) -> Action {
        self.source = Source::Open;
        self.opened = now;
        Action::Open { after: self.last_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant(seconds * 1000)
    }

    fn open_stream() -> Stream {
        let mut stream = Stream::new(at(0));
        assert_eq!(stream.step(Input::Hello, at(0)), None);
        stream
    }

    #[test]
    fn forty_silent_seconds_close_the_source_and_it_is_reopened_from_the_last_id() {
        let mut stream = open_stream();
        stream.step(Input::Change(7), at(5));
        stream.step(Input::Tick, at(20));
        assert_eq!(stream.step(Input::Timer, at(59)), None);
        assert_eq!(stream.status(at(59)), Status::Live);
        assert_eq!(stream.step(Input::Timer, at(60)), Some(Action::Close));
        assert_eq!(stream.status(at(60)), Status::Stale(at(20)));
        assert_eq!(stream.step(Input::Timer, at(61)), Some(Action::Open { after: Some(7) }));
        assert_eq!(stream.status(at(61)), Status::Stale(at(20)), "open is not yet heard");
        assert_eq!(stream.step(Input::Hello, at(62)), None);
        assert_eq!(stream.status(at(62)), Status::Live);
    }

    #[test]
    fn failures_are_retried_ever_more_slowly() {
        let mut stream = Stream::new(at(0));
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..7 {
            assert_eq!(stream.step(Input::Failed, at(now)), Some(Action::Close));
            assert_eq!(stream.step(Input::Failed, at(now)), None, "a closed source cannot fail again");
            let begun = now;
            while stream.step(Input::Timer, at(now)) != Some(Action::Open { after: None }) {
                now += 1;
            }
            waits.push(now - begun);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert!(matches!(stream.status(at(now)), Status::Stale(_)));
    }

    #[test]
    fn what_may_have_been_missed_is_loaded_anew() {
        let mut stream = open_stream();
        stream.step(Input::Failed, at(1));
        stream.step(Input::Timer, at(2));
        assert_eq!(stream.step(Input::Hello, at(3)), Some(Action::Reload), "no id was known");
        stream.step(Input::Change(3), at(4));
        stream.step(Input::Failed, at(5));
        stream.step(Input::Timer, at(6));
        assert_eq!(stream.step(Input::Hello, at(7)), None, "the server sends what follows 3");
        assert_eq!(stream.step(Input::Reset, at(7)), Some(Action::Reload));
    }

    #[test]
    fn a_hidden_tab_sleeps_after_a_minute_and_resumes() {
        let mut stream = open_stream();
        stream.step(Input::Change(9), at(1));
        stream.step(Input::Hidden, at(10));
        for second in 11..70 {
            stream.step(Input::Tick, at(second));
            assert_eq!(stream.step(Input::Timer, at(second)), None);
        }
        assert_eq!(stream.step(Input::Timer, at(70)), Some(Action::Close));
        assert_eq!(stream.status(at(500)), Status::Asleep);
        assert_eq!(stream.step(Input::Timer, at(500)), None, "asleep is not silent");
        assert_eq!(stream.step(Input::Shown, at(900)), Some(Action::Open { after: Some(9) }));
        assert_eq!(stream.status(at(900)), Status::Connecting, "nobody is alarmed by what was not looked at");
        assert_eq!(stream.step(Input::Hello, at(901)), None);
        assert_eq!(stream.status(at(901)), Status::Live);
    }

    #[test]
    fn a_tab_that_returns_and_hears_nothing_is_lost_after_three_seconds_or_with_the_first_failure() {
        let mut silent = open_stream();
        silent.step(Input::Failed, at(5));
        silent.step(Input::Hidden, at(5));
        assert_eq!(silent.step(Input::Timer, at(65)), Some(Action::Close));
        silent.step(Input::Shown, at(900));
        let mut failing = silent.clone();
        for now in [Instant(900_000), Instant(902_999)] {
            assert_eq!(silent.status(now), Status::Connecting);
        }
        assert_eq!(silent.status(at(903)), Status::Stale(at(0)));
        failing.step(Input::Failed, at(901));
        assert_eq!(failing.status(at(901)), Status::Stale(at(0)));
        failing.step(Input::Timer, at(902));
        assert_eq!(failing.status(at(902)), Status::Stale(at(0)), "opened again, and still lost");
    }

    #[test]
    fn a_page_that_was_left_gives_its_connection_back_at_once() {
        let mut stream = open_stream();
        stream.step(Input::Change(4), at(1));
        assert_eq!(stream.step(Input::Left, at(2)), Some(Action::Close));
        assert_eq!(stream.step(Input::Left, at(2)), None);
        assert_eq!(stream.step(Input::Shown, at(60)), Some(Action::Open { after: Some(4) }));
        assert_eq!(stream.step(Input::Shown, at(60)), None, "both pageshow and visibilitychange tell");
    }

    #[test]
    fn a_short_look_away_changes_nothing() {
        let mut stream = open_stream();
        stream.step(Input::Hidden, at(1));
        assert_eq!(stream.step(Input::Shown, at(30)), None);
        stream.step(Input::Tick, at(90));
        assert_eq!(stream.step(Input::Timer, at(100)), None);
    }
}
