//! Words for what the API names by a word of its own.

use tagwarden_model::api::{Event, Readiness, RegistryState, RuleSource};
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::tag::Class;

pub fn class(class: Class) -> &'static str {
    class.word()
}

pub fn severity(severity: Severity) -> &'static str {
    severity.word()
}

pub fn readiness(readiness: Readiness) -> &'static str {
    readiness.word()
}

pub fn registry_state(state: RegistryState) -> &'static str {
    state.word()
}

pub fn rule_source(source: RuleSource) -> &'static str {
    source.word()
}

/// What an event says after the tag's name.
pub fn event(event: &Event) -> &'static str {
    match event.kind {
        EventKind::Created if event.baseline => "was there when watching began",
        EventKind::Created => "published",
        EventKind::Moved => "moved",
        EventKind::Deleted => "deleted",
        EventKind::Recreated => "is back",
        EventKind::Retracted => "did not move: the header was wrong",
        EventKind::Vanished => "repository vanished",
        EventKind::Returned => "repository is back",
    }
}
