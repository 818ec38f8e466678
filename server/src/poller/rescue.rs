use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tagwarden_model::digest::Digest;
use tagwarden_model::event::{EventKind, NewEvent};
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::observation::Mono;
use tokio::task::{JoinError, JoinSet};

use crate::registry::{Answer, By, Manifest, Registry, RegistryError};
use crate::store::content::Content;

/// So many manifests wait at most; more are left where they are.
const MOST: usize = 1000;

/// Which manifests shall be fetched by digest now, unless they are held: those that a tag has just left (RECORD.md 2.7).
/// The registry may collect them within minutes.
pub fn left<'a>(events: impl IntoIterator<Item = &'a NewEvent>) -> BTreeSet<Digest> {
    let leaves = |event: &&NewEvent| matches!(event.kind, EventKind::Moved | EventKind::Deleted);
    events.into_iter().filter(leaves).filter_map(|event| event.old.clone()).collect()
}

/// Fetches manifests that tags left, best effort: one at a time beside the checks, within the registry's own limits, and each
/// once more when the registry could not say whether it is there.
#[derive(Default)]
pub struct Rescue {
    waiting: VecDeque<Wanted>,
    flying: JoinSet<(Wanted, Answer<Manifest>)>,
}

struct Wanted {
    repository: RepositoryName,
    digest: Digest,
    at: Mono,
    again: bool,
}

impl Rescue {
    /// Whether a request is under way.
    pub fn busy(&self) -> bool {
        !self.flying.is_empty()
    }

    /// When a request can be sent; `None` when nothing waits, or one is under way.
    pub fn next_due(&self) -> Option<Mono> {
        self.waiting.iter().map(|wanted| wanted.at).min().filter(|_| !self.busy())
    }

    pub fn want(&mut self, repository: &RepositoryName, digests: Vec<Digest>, now: Mono) {
        for digest in digests {
            let same = |wanted: &Wanted| wanted.digest == digest && wanted.repository == *repository;
            if self.waiting.len() < MOST && !self.waiting.iter().any(same) {
                self.waiting.push_back(Wanted { repository: repository.clone(), digest, at: now, again: false });
            }
        }
    }

    /// Sends the next request, unless one is under way.
    pub fn send<R: Registry>(&mut self, registry: &Arc<R>, now: Mono) {
        let due = self.waiting.iter().position(|wanted| wanted.at <= now).filter(|_| !self.busy());
        let Some(wanted) = due.and_then(|at| self.waiting.remove(at)) else { return };
        let registry = Arc::clone(registry);
        self.flying.spawn(async move {
            let answer = registry.manifest(&wanted.repository, By::Digest(&wanted.digest)).await;
            (wanted, answer)
        });
    }

    /// Waits for the end of the request under way; `None` without one.
    pub async fn join(&mut self) -> Option<Result<Fetched, JoinError>> {
        self.flying.join_next().await.map(|landed| landed.map(Fetched))
    }

    /// What is to be kept. An answer that says nothing is asked for once more, `pause` later or when the registry says.
    pub fn land(&mut self, Fetched((wanted, answer)): Fetched, pause: Millis) -> Option<(Digest, Content)> {
        let Wanted { repository, digest, again, .. } = wanted;
        let error = match answer.result {
            Ok(Manifest { bytes, media_type, .. }) => {
                return Some((digest, Content { media_type: media_type.word().to_owned(), bytes }));
            }
            Err(error) => error,
        };
        let at = match error {
            RegistryError::NotFound { .. } => None,
            RegistryError::RateLimited { retry_at, .. } | RegistryError::Spent { retry_at, .. } => Some(retry_at),
            _ => Some(answer.received.mono.after(pause)),
        };
        if let Some(at) = at.filter(|_| !again) {
            self.waiting.push_back(Wanted { repository, digest, at, again: true });
        } else {
            tracing::info!(%repository, %digest, %error, "a manifest that a tag left could not be kept");
        }
        None
    }
}

/// An answer to a request of [`Rescue`].
pub struct Fetched((Wanted, Answer<Manifest>));

#[cfg(test)]
mod tests {
    use super::*;
    use tagwarden_model::event::Source;
    use tagwarden_model::instant::Instant;

    fn event(kind: EventKind, old: Option<&str>, verified: bool) -> NewEvent {
        NewEvent {
            kind,
            old: old.map(|old| Digest::of(old.as_bytes())),
            new: None,
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

    #[test]
    fn what_moves_and_deletions_left_is_fetched_proven_or_not() {
        let events = [
            event(EventKind::Created, None, true),
            event(EventKind::Moved, Some("a"), true),
            event(EventKind::Moved, Some("b"), false),
            event(EventKind::Deleted, Some("c"), true),
            event(EventKind::Deleted, Some("a"), true),
            // What a retracted claim named was never there.
            event(EventKind::Retracted, Some("d"), true),
            event(EventKind::Vanished, None, true),
        ];
        let expected: BTreeSet<_> = ["a", "b", "c"].map(|old| Digest::of(old.as_bytes())).into();
        assert_eq!(left(&events), expected);
    }
}
