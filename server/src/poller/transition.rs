use tagwarden_model::api::{RegistryState, RepositoryState};
use tagwarden_model::instant::{Instant, Millis};

use crate::store::record::RepositoryRow;
use crate::store::watch::RegistryRow;

/// A state of a repository or of a registry entry, as far as the log tells it.
pub struct Told<'a> {
    /// The state's word.
    pub word: &'a str,
    /// It is as it should be.
    pub well: bool,
    pub reason: Option<&'a str>,
    pub since: Instant,
}

impl<'a> From<&'a RepositoryRow> for Told<'a> {
    fn from(row: &'a RepositoryRow) -> Self {
        let well = matches!(row.state, RepositoryState::New | RepositoryState::Ok);
        Self { word: row.state.word(), well, reason: row.reason.as_deref(), since: row.since }
    }
}

impl<'a> From<&'a RegistryRow> for Told<'a> {
    fn from(row: &'a RegistryRow) -> Self {
        let well = matches!(row.state, RegistryState::New | RegistryState::Ok);
        Self { word: row.state.word(), well, reason: row.reason.as_deref(), since: row.since.unwrap_or_default() }
    }
}

/// What the log says when one state follows another: once, however many passes find it so. `None` while it is the same.
pub fn transition(before: &Told<'_>, after: &Told<'_>) -> Option<String> {
    if before.word == after.word {
        return None;
    }
    let lasted = after.since - before.since;
    Some(match (after.reason, before.well) {
        (Some(reason), _) => format!("{}: {reason}", after.word),
        (None, false) if after.well => format!("{} again after {}", after.word, length(lasted)),
        (None, _) => after.word.to_owned(),
    })
}

/// `40s`, `3m`, `1h 5m`: seconds matter only in the first minutes.
fn length(lasted: Millis) -> String {
    let seconds = lasted.0.max(0) / 1000;
    let whole = if seconds < 600 { seconds } else { seconds / 60 * 60 };
    format!("{:#}", jiff::SignedDuration::from_secs(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_told_when_it_begins_with_the_time_that_the_bad_one_took() {
        let well = |word, since| Told { word, well: true, reason: None, since: Instant(since) };
        let ill = |word, reason, since| Told { word, well: false, reason: Some(reason), since: Instant(since) };
        let said = |before: Told<'_>, after: Told<'_>| transition(&before, &after);
        assert_eq!(said(well("new", 0), well("ok", 5000)).as_deref(), Some("ok"));
        assert_eq!(said(well("ok", 0), well("ok", 0)), None);
        assert_eq!(said(well("ok", 0), ill("failing", "503", 9000)).as_deref(), Some("failing: 503"));
        assert_eq!(said(ill("failing", "503", 0), ill("failing", "timed out", 0)), None, "its reason may change");
        assert_eq!(said(ill("failing", "503", 0), ill("hidden", "404", 9000)).as_deref(), Some("hidden: 404"));
        for (lasted, words) in [
            (20_000, "ok again after 20s"),
            (185_000, "ok again after 3m 5s"),
            (725_000, "ok again after 12m"),
            (93_784_000, "ok again after 26h 3m"),
        ] {
            assert_eq!(said(ill("failing", "503", 0), well("ok", lasted)).as_deref(), Some(words));
        }
    }
}
