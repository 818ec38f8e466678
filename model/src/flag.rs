//! Flags: what becomes of a breach. Pure rules of RECORD.md 8.

use crate::coded::coded;

coded! {
    /// What a flag is about.
    pub enum FlagKind {
        /// A release differs from its promise.
        Breach = 1 "breach",
        /// A repository has been missing for a day.
        Vanished = 2 "vanished",
        /// A repository is refused to these credentials while others of its registry are not.
        Invisible = 3 "invisible",
    }
}

coded! {
    /// Where a flag stands.
    pub enum FlagState {
        /// Needs a person.
        Open = 1 "open",
        /// A person knows.
        Acknowledged = 2 "acknowledged",
        /// The state is the promise again; needs a review.
        Restored = 3 "restored",
        /// A person decided.
        Closed = 4 "closed",
    }
}

coded! {
    /// What a person decided.
    pub enum Resolution {
        /// Looked at; the release is as promised again.
        Reviewed = 1 "reviewed",
        /// The new state is the promise now.
        Accepted = 2 "accepted",
        /// It was none.
        NotAnIssue = 3 "not_an_issue",
    }
}
