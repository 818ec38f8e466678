//! Manifests and configs that were read once, and proofs of targets.

use tagwarden_model::api::Readiness;
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;

use super::{Store, StoreError};

/// A kept manifest or config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its Content-Type when read.
    pub media_type: String,
    /// The bytes as received.
    pub bytes: Vec<u8>,
}

/// The newest proof of a digest in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The digest.
    pub digest: Digest,
    /// What was found.
    pub readiness: Readiness,
    /// In words.
    pub detail: String,
    /// When.
    pub at: Instant,
}

#[expect(unused_variables, clippy::unused_async, clippy::todo, reason = "replaced by the implementation")]
impl Store {
    /// Keeps bytes under their digest, compressed; nothing happens if they are there.
    pub async fn put_content(&self, digest: &Digest, content: &Content, now: Instant) -> Result<(), StoreError> {
        todo!()
    }

    /// Kept bytes.
    pub async fn content(&self, digest: &Digest) -> Result<Option<Content>, StoreError> {
        todo!()
    }

    /// Keeps the outcome of a proof and writes a change notice.
    pub async fn put_proof(&self, repository: i64, proof: &Proof) -> Result<(), StoreError> {
        todo!()
    }
}
