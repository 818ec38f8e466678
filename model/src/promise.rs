//! Promises: the digest a release is held to, and whether it keeps it. Pure rules of RECORD.md 8.1 and 8.2.

use crate::digest::Digest;
use crate::event::{EventKind, NewEvent};
use crate::tag::{Class, TagState};

/// The digest a release is held to. Who made it, when and why is stored beside.
///
/// Promises name the sha256 of the bytes, as [`TagState::Present`] does: a promise in another algorithm could never be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// `None`: the release is retired, its absence is the promise.
    pub digest: Option<Digest>,
    /// Taken from a digest that no bytes have proven: proof replaces it without breach or flag.
    pub provisional: bool,
}

/// Whether a tag is what it is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is, or nothing is promised, or nothing has been read.
    AsPromised,
    /// Other digest, or absent.
    InBreach,
}

impl Promise {
    /// What a person accepts who accepts a tag as it is; `None` for a tag that was never read.
    pub fn accepted(state: &TagState, verified: bool) -> Option<Self> {
        match state {
            TagState::Unread => None,
            TagState::Absent => Some(Self { digest: None, provisional: false }),
            TagState::Present(digest) => Some(Self { digest: Some(digest.clone()), provisional: !verified }),
        }
    }

    /// The promise after bytes proved the tag's unproven digest, without an event: `proven` replaces `claimed` where that
    /// was promised.
    #[must_use]
    pub fn after_proof(self, claimed: &Digest, proven: &Digest) -> Self {
        if self.provisional && self.digest.as_ref() == Some(claimed) {
            Self { digest: Some(proven.clone()), provisional: false }
        } else {
            self
        }
    }
}

/// Whether a tag in `state` keeps `promise`.
pub fn standing(promise: Option<&Promise>, state: &TagState) -> Standing {
    match (promise, state) {
        (None, _) | (_, TagState::Unread) => Standing::AsPromised,
        (Some(promise), _) if promise.digest.as_ref() == state.digest() => Standing::AsPromised,
        (Some(_), _) => Standing::InBreach,
    }
}

/// The promise in force after `event`. `promise` is the one before, `former` the one that it had replaced, `now` what the
/// tag is after the whole step of the record that the event belongs to.
///
/// A release without a promise is held to the first digest seen. A retraction comes from bytes that showed the registry's
/// header to lie, and a provisional promise rests on nothing but that header: unless these bytes are what it promised, it
/// falls and the former one is in force again. Without a former one there is none until the next digest is seen, which
/// may be in the same step.
pub fn after_event(
    class: Class,
    promise: Option<&Promise>,
    former: Option<&Promise>,
    event: &NewEvent,
    now: &TagState,
) -> Option<Promise> {
    let retracted = event.kind == EventKind::Retracted;
    let standing = match promise {
        Some(promise) if promise.provisional && retracted => {
            if promise.digest.as_ref() == now.digest() {
                return Some(Promise { provisional: false, ..promise.clone() });
            }
            former.filter(|former| !former.provisional)
        }
        other => other,
    };
    if standing.is_some() || class != Class::Release || retracted {
        return standing.cloned();
    }
    let first = event.new.clone()?;
    Some(Promise { digest: Some(first), provisional: !event.verified })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Source;
    use crate::instant::Instant;

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    fn event(kind: EventKind, new: Option<&str>, verified: bool) -> NewEvent {
        NewEvent {
            kind,
            old: None,
            new: new.map(digest),
            not_before: None,
            not_after: Instant(0),
            clock_changed: false,
            verified,
            baseline: false,
            source: Source::Poll,
            deleted_by: None,
            group: None,
        }
    }

    /// [`super::after_event`] where the event is the last of its step.
    fn after_event(
        class: Class,
        promise: Option<&Promise>,
        former: Option<&Promise>,
        event: &NewEvent,
    ) -> Option<Promise> {
        let now = event.new.clone().map_or(TagState::Absent, TagState::Present);
        super::after_event(class, promise, former, event, &now)
    }

    fn promise(name: &str, provisional: bool) -> Promise {
        Promise { digest: Some(digest(name)), provisional }
    }

    #[test]
    fn section_8_1_the_first_digest_seen_is_the_promise() {
        let created = event(EventKind::Created, Some("a"), true);
        assert_eq!(after_event(Class::Release, None, None, &created), Some(promise("a", false)));
        for class in [Class::Rebuilt, Class::Rolling, Class::Ignored] {
            assert_eq!(after_event(class, None, None, &created), None, "{class}");
        }
    }

    #[test]
    fn section_8_1_no_event_replaces_a_promise() {
        for kind in EventKind::ALL {
            for provisional in [false, true] {
                let made = promise("a", provisional);
                let new = (*kind != EventKind::Deleted).then_some("b");
                if *kind == EventKind::Retracted && provisional {
                    continue;
                }
                assert_eq!(
                    after_event(Class::Release, Some(&made), None, &event(*kind, new, true)),
                    Some(made.clone()),
                    "{kind}"
                );
            }
        }
    }

    #[test]
    fn section_8_1_an_unproven_digest_gives_a_provisional_promise_that_proof_replaces() {
        let created = event(EventKind::Created, Some("a"), false);
        let provisional = after_event(Class::Release, None, None, &created).unwrap();
        assert_eq!(provisional, promise("a", true));
        assert_eq!(provisional.clone().after_proof(&digest("a"), &digest("a")), promise("a", false));
        assert_eq!(
            provisional.clone().after_proof(&digest("a"), &digest("bytes of a")),
            promise("bytes of a", false),
            "a claim in another algorithm"
        );
        assert_eq!(
            provisional.clone().after_proof(&digest("b"), &digest("b")),
            provisional,
            "the proof of another claim"
        );
        assert_eq!(
            promise("a", false).after_proof(&digest("a"), &digest("b")),
            promise("a", false),
            "a promise that stands"
        );
    }

    #[test]
    fn section_8_1_a_retraction_fells_a_provisional_promise_and_the_next_reading_makes_another() {
        let retracted = event(EventKind::Retracted, None, false);
        assert_eq!(after_event(Class::Release, Some(&promise("a", true)), None, &retracted), None);
        let former = promise("z", false);
        assert_eq!(
            after_event(Class::Release, Some(&promise("a", true)), Some(&former), &retracted),
            Some(former),
            "what was accepted never existed"
        );
        assert_eq!(
            after_event(Class::Release, Some(&promise("a", true)), Some(&promise("z", true)), &retracted),
            None,
            "both rest on the header"
        );
        let read = event(EventKind::Created, Some("b"), true);
        assert_eq!(after_event(Class::Release, None, None, &read), Some(promise("b", false)));
    }

    #[test]
    fn section_8_1_what_a_retraction_goes_back_to_is_no_new_promise() {
        let retracted = event(EventKind::Retracted, Some("a"), true);
        assert_eq!(after_event(Class::Release, None, None, &retracted), None);
        let third = TagState::Present(digest("third"));
        let provisional = promise("a", true);
        assert_eq!(super::after_event(Class::Release, Some(&provisional), None, &retracted, &third), None);
        let moved = event(EventKind::Moved, Some("third"), true);
        assert_eq!(super::after_event(Class::Release, None, None, &moved, &third), Some(promise("third", false)));
    }

    #[test]
    fn section_8_1_the_bytes_of_a_retraction_prove_a_provisional_promise_of_them() {
        let retracted = event(EventKind::Retracted, Some("a"), true);
        let former = promise("z", false);
        assert_eq!(
            after_event(Class::Release, Some(&promise("a", true)), Some(&former), &retracted),
            Some(promise("a", false)),
            "a later claim was the lie"
        );
    }

    #[test]
    fn section_8_1_a_retraction_leaves_a_proven_promise() {
        let made = promise("a", false);
        let retracted = event(EventKind::Retracted, Some("a"), true);
        assert_eq!(after_event(Class::Release, Some(&made), Some(&promise("z", false)), &retracted), Some(made));
    }

    #[test]
    fn section_8_1_absence_is_a_legal_promise() {
        let retired = Promise::accepted(&TagState::Absent, true).unwrap();
        assert_eq!(retired, Promise { digest: None, provisional: false });
        assert_eq!(standing(Some(&retired), &TagState::Absent), Standing::AsPromised);
        assert_eq!(standing(Some(&retired), &TagState::Present(digest("a"))), Standing::InBreach);
    }

    #[test]
    fn section_8_1_accepting_an_unproven_state_gives_a_provisional_promise() {
        assert_eq!(Promise::accepted(&TagState::Present(digest("a")), false), Some(promise("a", true)));
        assert_eq!(Promise::accepted(&TagState::Present(digest("a")), true), Some(promise("a", false)));
        assert_eq!(Promise::accepted(&TagState::Unread, true), None);
    }

    #[test]
    fn section_8_2_a_release_is_in_breach_while_its_state_differs_from_its_promise() {
        let made = promise("a", false);
        for (state, expected) in [
            (TagState::Present(digest("a")), Standing::AsPromised),
            (TagState::Present(digest("b")), Standing::InBreach),
            (TagState::Absent, Standing::InBreach),
            (TagState::Unread, Standing::AsPromised),
        ] {
            assert_eq!(standing(Some(&made), &state), expected, "{state:?}");
            assert_eq!(standing(None, &state), Standing::AsPromised, "{state:?}");
        }
    }
}
