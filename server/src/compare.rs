//! Reads what is behind digests in the background, and says what changed (RECORD.md 2.7 and 9).
//!
//! A flag opens at once and ranks critical; what its contents say comes later, from here. What a release consists of is read
//! as soon as it appears, because the registry may forget it.

mod hints;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tagwarden_model::change::{self, Body, Change, Content, Unread, Wanted};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use tokio_util::sync::CancellationToken;

use self::hints::Looked;
use crate::clock::SharedClock;
use crate::content;
use crate::jobs::{Proven, prove};
use crate::registry::{By, Registry, RegistryError};
use crate::store::comparisons::{Comparing, Released};
use crate::store::content::{Content as Kept, Proof};
use crate::store::refreshes::Refresh;
use crate::store::watch::RegistryEntry;
use crate::store::{Store, StoreError};

/// Without being woken, and after a registry could not be asked, it looks again so much later.
const LOOK_EVERY: Millis = Millis::seconds(30);
/// Flags and releases that one round takes.
const ROUND: u32 = 100;
/// Releases of so many events before a start are looked at again: what is held is not asked for.
const LOOK_BACK: i64 = 200;
/// All bytes of one comparison. An index of 64 platforms has some hundred kilobytes.
const LARGEST: usize = 64 << 20;
/// The same, while somebody waits for it.
const LARGEST_AT_ONCE: usize = 8 << 20;
/// The targets of an open flag that are proven without being asked for.
const TARGETS: usize = 2;
/// How long such a proof is taken to hold.
const PROVEN_FOR: Millis = Millis::days(1);
/// When a registry that could not be asked for a proof is asked again.
const ASK_AGAIN: Millis = Millis::minutes(10);
/// An index lists manifests, these name configs: nothing is deeper.
const DEPTH: usize = 4;

/// Compares for one registry entry.
pub struct Comparer<R> {
    /// The record.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// The registry as this entry reaches it.
    pub registry: Arc<R>,
    /// The stored entry.
    pub entry: RegistryEntry,
}

/// What was read of some digests: bytes, and what is not to be had.
#[derive(Default)]
struct Held {
    bytes: BTreeMap<Digest, Vec<u8>>,
    gone: BTreeSet<Digest>,
    size: usize,
}

/// The registry cannot be asked now: nothing may be concluded.
struct Undecided;

impl<R: Registry> Comparer<R> {
    /// Works until `stop`. A failing database is waited for.
    pub async fn run(&self, stop: CancellationToken) {
        let (mut after, mut looked) = (None, Looked::default());
        loop {
            let newest = self.store.newest_change().await.unwrap_or_default();
            let round = tokio::select! {
                round = self.round(&mut after, &mut looked) => round,
                () = stop.cancelled() => return,
            };
            if let Err(error) = &round {
                tracing::error!(registry = self.entry.name, ?error, "comparing waits for a moment");
            }
            // After a round that could not do everything only time helps.
            let again = self.clock.now().mono.after(LOOK_EVERY);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.store.changed(newest), if matches!(round, Ok(true)) => {}
                () = self.clock.sleep_until(again) => {}
            }
        }
    }

    /// Compares what waits, then reads what new releases consist of, then some of what stood before. Whether everything was done
    /// but the last.
    async fn round(&self, after: &mut Option<i64>, looked: &mut Looked) -> Result<bool, StoreError> {
        let mut done = true;
        for comparing in self.store.comparing(self.entry.id, ROUND).await? {
            done &= self.compare(&comparing).await?;
        }
        done &= self.refreshes().await?;
        let mut seq = match *after {
            Some(seq) => seq,
            None => self.store.newest_seq().await? - LOOK_BACK,
        };
        for Released { seq: of, repository, digest } in self.store.released(self.entry.id, seq, ROUND).await? {
            if self.read_all(&repository, &digest).await?.is_err() {
                done = false;
                break;
            }
            seq = of;
        }
        *after = Some(seq);
        self.prove().await?;
        // Last, and nothing waits for them: what is written of them begins the next round.
        self.hints(looked).await?;
        Ok(done)
    }

    /// Proves the ways back of open flags: whoever opens one in a hurry shall not have to ask.
    async fn prove(&self) -> Result<(), StoreError> {
        let now = self.clock.now().mark.wall;
        let (proven, asked) = (now - PROVEN_FOR, now - ASK_AGAIN);
        for way in self.store.stale_ways_back(self.entry.id, proven, asked, TARGETS, ROUND).await? {
            for digest in way.digests {
                let Proven { readiness, detail, contents } = prove(&*self.registry, &way.repository, &digest).await;
                let at = self.clock.now().mark.wall;
                self.store.put_contents(&contents, at).await?;
                self.store.put_proof(way.id, &Proof { digest, readiness, detail, at }).await?;
            }
        }
        Ok(())
    }

    /// Compares what rebuilt tags were refreshed with. Whether everything was done; a tag that must wait keeps its order.
    async fn refreshes(&self) -> Result<bool, StoreError> {
        let (mut after, mut waiting) = (0, BTreeSet::new());
        for _ in 0..ROUND {
            let Some(refresh) = self.store.next_refresh(self.entry.id, after).await? else {
                return Ok(waiting.is_empty());
            };
            after = refresh.seq;
            if !waiting.contains(&refresh.tag) && !self.refresh(&refresh).await? {
                waiting.insert(refresh.tag);
            }
        }
        Ok(false)
    }

    async fn refresh(&self, refresh: &Refresh) -> Result<bool, StoreError> {
        if let Some((old, new)) = &refresh.pair
            && self.store.comparison(old, new).await?.is_none()
        {
            let Ok(change) = self.difference(&refresh.repository, old, new).await? else { return Ok(false) };
            self.store.put_comparison(old, new, &change, self.clock.now().mark.wall).await?;
        }
        match self.store.conclude_refresh(refresh.seq, self.clock.now().mark.wall).await {
            Err(StoreError::Conflict) => Ok(false),
            concluded => concluded,
        }
    }

    async fn compare(&self, comparing: &Comparing) -> Result<bool, StoreError> {
        for (old, new) in &comparing.pairs {
            let Ok(change) = self.difference(&comparing.repository, old, new).await? else { return Ok(false) };
            self.store.put_comparison(old, new, &change, self.clock.now().mark.wall).await?;
        }
        match self.store.conclude_comparison(comparing.flag, self.clock.now().mark.wall).await {
            // A person or the poller was faster; the next round sees what they did.
            Err(StoreError::Conflict) => Ok(false),
            concluded => concluded,
        }
    }

    /// What two digests differ in. The old one is read first: it is the one that the registry may collect.
    async fn difference(
        &self,
        repository: &RepositoryName,
        old: &Digest,
        new: &Digest,
    ) -> Result<Result<Change, Undecided>, StoreError> {
        let mut held = Held::default();
        let roots = [old, new].map(|digest| Wanted::Manifest(digest.clone()));
        if self.load(repository, &mut held, roots.into()).await?.is_err() {
            return Ok(Err(Undecided));
        }
        for _ in 0..DEPTH {
            let [before, after] = read([old, new], &mut held).await;
            let wanted = change::wanted(&before, &after);
            match self.load(repository, &mut held, wanted).await? {
                Err(Undecided) => return Ok(Err(Undecided)),
                Ok(0) => break,
                Ok(_) => {}
            }
        }
        let [before, after] = read([old, new], &mut held).await;
        // Hostile contents take a while: no other task waits for that.
        let compared = tokio::task::spawn_blocking(move || change::compare(&before, &after)).await;
        compared.map(Ok).map_err(|error| StoreError::Inconsistent(format!("comparing {old} and {new}: {error}")))
    }

    /// Reads everything that a release consists of but its layers, so that the record has it.
    async fn read_all(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Result<(), Undecided>, StoreError> {
        let mut held = Held::default();
        let mut wanted = vec![Wanted::Manifest(digest.clone())];
        for _ in 0..DEPTH {
            match self.load(repository, &mut held, wanted).await? {
                Err(Undecided) => return Ok(Err(Undecided)),
                Ok(0) => break,
                Ok(_) => {}
            }
            let [content] = read([digest], &mut held).await;
            wanted = missing(&content);
        }
        Ok(Ok(()))
    }

    /// Loads what is wanted and not held yet, from the record or else from the registry. How many were new.
    async fn load(
        &self,
        repository: &RepositoryName,
        held: &mut Held,
        wanted: Vec<Wanted>,
    ) -> Result<Result<usize, Undecided>, StoreError> {
        let mut new = 0;
        for wanted in wanted {
            let (Wanted::Manifest(digest) | Wanted::Config(digest)) = &wanted;
            if held.bytes.contains_key(digest) || held.gone.contains(digest) {
                continue;
            }
            let bytes = match kept(&self.store, digest).await? {
                Some(bytes) => Some(bytes),
                None => match self.fetch(repository, &wanted).await? {
                    Ok(bytes) => bytes,
                    Err(Undecided) => return Ok(Err(Undecided)),
                },
            };
            match bytes.filter(|bytes| held.size + bytes.len() <= LARGEST) {
                Some(bytes) => {
                    held.size += bytes.len();
                    held.bytes.insert(digest.clone(), bytes);
                    new += 1;
                }
                None => {
                    held.gone.insert(digest.clone());
                }
            }
        }
        Ok(Ok(new))
    }

    /// Bytes from the registry, kept from now on; `None` when it does not have them, or has something else.
    async fn fetch(
        &self,
        repository: &RepositoryName,
        wanted: &Wanted,
    ) -> Result<Result<Option<Vec<u8>>, Undecided>, StoreError> {
        let (digest, answer) = match wanted {
            Wanted::Manifest(digest) => {
                let answer = self.registry.manifest(repository, By::Digest(digest)).await.result;
                let kept = |manifest: crate::registry::Manifest| Kept {
                    media_type: manifest.media_type.word().to_owned(),
                    bytes: manifest.bytes,
                };
                (digest, answer.map(kept))
            }
            Wanted::Config(digest) => {
                let answer = self.registry.blob(repository, digest).await.result;
                (digest, answer.map(|bytes| Kept { media_type: CONFIG.to_owned(), bytes }))
            }
        };
        match answer {
            Ok(kept) => {
                let bytes = kept.bytes.clone();
                self.store.put_contents(&[(digest.clone(), kept)], self.clock.now().mark.wall).await?;
                Ok(Ok(Some(bytes)))
            }
            Err(RegistryError::NotFound { .. } | RegistryError::Unintelligible { .. }) => Ok(Ok(None)),
            Err(error) => {
                tracing::debug!(%repository, %digest, %error, "a comparison waits for the registry");
                Ok(Err(Undecided))
            }
        }
    }
}

/// What the record itself keeps of two digests: no registry is asked.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_record(store: &Store, digests: [&Digest; 2]) -> Result<[Content; 2], StoreError> {
    let mut held = Held::default();
    let mut wanted: Vec<_> = digests.map(|digest| Wanted::Manifest(digest.clone())).into();
    loop {
        let mut new = 0;
        for Wanted::Manifest(digest) | Wanted::Config(digest) in wanted {
            if held.bytes.contains_key(&digest) {
                continue;
            }
            if let Some(bytes) = kept(store, &digest).await?.filter(|bytes| held.size + bytes.len() <= LARGEST_AT_ONCE)
            {
                held.size += bytes.len();
                held.bytes.insert(digest, bytes);
                new += 1;
            }
        }
        let contents = read(digests, &mut held).await;
        if new == 0 {
            return Ok(contents);
        }
        wanted = contents.iter().flat_map(missing).collect();
    }
}

async fn read<const N: usize>(digests: [&Digest; N], held: &mut Held) -> [Content; N] {
    let (digests, bytes) = (digests.map(Clone::clone), std::mem::take(&mut held.bytes));
    let read = tokio::task::spawn_blocking(move || {
        let contents = digests.each_ref().map(|digest| content::read(digest, &bytes));
        (contents, bytes, digests)
    });
    match read.await {
        Ok((contents, bytes, _)) => {
            held.bytes = bytes;
            contents
        }
        // Reading panicked or the process ends: nothing is known.
        Err(error) => {
            let why = Unread::Unreadable(error.to_string());
            std::array::from_fn(|_| Content { digest: Digest::of(b""), body: Err(why.clone()) })
        }
    }
}

async fn kept(store: &Store, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
    match store.content(digest).await {
        Err(StoreError::Inconsistent(reason)) => {
            tracing::error!(%digest, %reason, "kept bytes are damaged and count as not held");
            Ok(None)
        }
        kept => Ok(kept?.map(|kept| kept.bytes)),
    }
}

/// Configs are kept beside manifests; which of the config types it is says the manifest.
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// What of a release is not held. Attestations are read when they are compared.
fn missing(content: &Content) -> Vec<Wanted> {
    match &content.body {
        Ok(Body::Index(index)) => {
            let images = index.entries.iter().filter(|entry| !entry.is_attestation());
            images.flat_map(|entry| missing(&entry.content)).collect()
        }
        Ok(Body::Manifest(manifest)) => match &manifest.image {
            Some(Err(Unread::Missing)) => vec![Wanted::Config(manifest.config.digest.clone())],
            _ => Vec::new(),
        },
        Err(Unread::Missing) => vec![Wanted::Manifest(content.digest.clone())],
        Err(Unread::Unreadable(_)) => Vec::new(),
    }
}
