//! Where a tag can go back to.

use super::number;

pub const TARGETS: &str = "Targets";
pub const NONE: &str = "No digest to go back to is known: it was never seen in another state.";
pub const SINCE: &str = ", first seen ";
pub const PROVEN: &str = "Proven ";
pub const PROVE: &str = "Prove now";
pub const PROVING: &str = "Proving…";
pub const PROOF_FAILED: &str = "The proof failed.";
pub const PROOF_UNDER_WAY: &str = "Under way; the state changes here when it is done.";
pub const PINNED: &str = "pinned reference";
pub const KUBECTL_HELP: &str = "For another deployment or container put its name in the last line.";

pub fn title(subject: &str) -> String {
    ["Way back of ", subject].concat()
}

pub fn heading(subject: &str) -> String {
    ["Where ", subject, " can go back to"].concat()
}

/// What the page says first: how many are known, and how many of them are proven.
pub fn headline(all: u64, ready: u64) -> String {
    match (all, ready) {
        (0, _) => NONE.into(),
        (1, 0) => "One target is known; it has not been proven to be pullable.".into(),
        (1, _) => "One target is known, and it was proven to be pullable.".into(),
        (all, 0) => format!("{} targets are known; none has been proven to be pullable.", number(all)),
        (all, 1) => format!("{} targets are known; one was proven to be pullable.", number(all)),
        (all, ready) => format!("{} targets are known; {ready} were proven to be pullable.", number(all)),
    }
}
