//! Looks into releases that stood before the watch: when their images claim to be made.
//!
//! It is a claim of whoever built them, and a picture of the first day: no window is narrowed by it.

use std::collections::BTreeSet;

use tagwarden_model::change::{Body, Content, Unread, Wanted};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;

use super::{Comparer, DEPTH, Held, Undecided, read};
use crate::registry::Registry;
use crate::store::StoreError;
use crate::store::hints::Stood;

/// Releases that one round takes: a flag that opens meanwhile waits for no more.
const ROUND: u32 = 20;
/// One that cannot be read now is left out and asked for after all others; so many in a row, and it is the registry.
const UNDECIDED: u32 = 3;
/// 2013-01-01: no image is older, and builds that can be reproduced say 1970 or 1980.
const OLDEST: Instant = Instant(1_356_998_400_000);

/// What the rounds before have found out.
#[derive(Default)]
pub(super) struct Looked {
    /// Repositories with nothing left to look into, by row and watch period.
    read: BTreeSet<(i64, i64)>,
    /// What could not be read.
    left_out: BTreeSet<Digest>,
}

/// What is known so far of when an image was made.
enum Made {
    Says(Option<String>),
    Unread(Wanted),
    Unknown,
}

impl<R: Registry> Comparer<R> {
    /// Looks into some releases.
    pub(super) async fn hints(&self, looked: &mut Looked) -> Result<(), StoreError> {
        let mut left = ROUND;
        for repository in self.store.read_once(self.entry.id).await? {
            if left == 0 || !self.has_to_spare() {
                return Ok(());
            }
            if looked.read.contains(&(repository.id, repository.period)) {
                continue;
            }
            let mut waiting = self.store.without_hint(repository.id, u32::MAX).await?;
            let is_read = waiting.is_empty();
            // The newest first, but for those that were left out before: they would be the first for ever.
            waiting.sort_by_key(|stood| stood.digest.as_ref().is_some_and(|digest| looked.left_out.contains(digest)));
            let (mut hints, mut undecided) = (Vec::new(), 0);
            for stood in waiting {
                if left == 0 || undecided >= UNDECIDED {
                    break;
                }
                left -= 1;
                if let Ok(created) = self.created(&repository.name, &stood).await? {
                    hints.push((stood, created));
                    undecided = 0;
                } else {
                    looked.left_out.extend(stood.digest);
                    undecided += 1;
                }
            }
            if !hints.is_empty() {
                self.store.put_hints(repository.id, &hints, self.clock.now().mark.wall).await?;
            } else if is_read {
                looked.read.insert((repository.id, repository.period));
            }
        }
        Ok(())
    }

    /// Half of what a registry allows is left for what is new, and for people.
    fn has_to_spare(&self) -> bool {
        self.registry.allowance().is_none_or(|allowance| allowance.remaining >= allowance.limit.div_ceil(2))
    }

    /// When the image claims to be made, if that can be so.
    async fn created(
        &self,
        repository: &RepositoryName,
        stood: &Stood,
    ) -> Result<Result<Option<Instant>, Undecided>, StoreError> {
        let (Some(digest), Some(first_seen)) = (&stood.digest, stood.first_seen) else { return Ok(Ok(None)) };
        let mut held = Held::default();
        let mut wanted = Wanted::Manifest(digest.clone());
        for _ in 0..DEPTH {
            match self.load(repository, &mut held, vec![wanted]).await? {
                Err(Undecided) => return Ok(Err(Undecided)),
                Ok(0) => break,
                Ok(_) => {}
            }
            let [content] = read([digest], &mut held).await;
            match made(&content) {
                Made::Says(created) => {
                    let created = created.and_then(|text| text.parse::<Instant>().ok());
                    return Ok(Ok(created.filter(|created| (OLDEST..=first_seen).contains(created))));
                }
                Made::Unread(next) => wanted = next,
                Made::Unknown => break,
            }
        }
        Ok(Ok(None))
    }
}

/// Of an index, the first image speaks for all: its platforms are built together.
fn made(content: &Content) -> Made {
    match &content.body {
        Ok(Body::Index(index)) => {
            let image = index.entries.iter().find(|entry| !entry.is_attestation());
            image.map_or(Made::Unknown, |entry| made(&entry.content))
        }
        Ok(Body::Manifest(manifest)) => match &manifest.image {
            Some(Ok(config)) => Made::Says(config.created.clone()),
            Some(Err(Unread::Missing)) => Made::Unread(Wanted::Config(manifest.config.digest.clone())),
            _ => Made::Unknown,
        },
        Err(Unread::Missing) => Made::Unread(Wanted::Manifest(content.digest.clone())),
        Err(Unread::Unreadable(_)) => Made::Unknown,
    }
}
