//! What the newest listings of its repositories say of a registry entry as a whole (RECORD.md 3.5).

use crate::api::RegistryState;

/// What the newest attempt to list a repository gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastListing {
    /// Tags, none, or that there is no such repository: we were let in.
    Answered,
    /// 401 or 403.
    Refused,
    /// Nothing that can be understood.
    Failed,
}

/// The state of an entry by the newest listing of each of its watched repositories; `None` for one that was not tried yet.
/// Nothing can be said while those that were tried are alike in failing and others are to come.
pub fn entry_state(newest: impl IntoIterator<Item = Option<LastListing>>) -> Option<RegistryState> {
    let (mut untried, mut refused, mut failed) = (false, false, false);
    for listing in newest {
        match listing {
            Some(LastListing::Answered) => return Some(RegistryState::Ok),
            Some(LastListing::Refused) => refused = true,
            Some(LastListing::Failed) => failed = true,
            None => untried = true,
        }
    }
    match (untried, refused, failed) {
        (false, false, false) => Some(RegistryState::New),
        (false, true, false) => Some(RegistryState::Unauthorized),
        (false, _, true) => Some(RegistryState::Failing),
        (true, ..) => None,
    }
}
