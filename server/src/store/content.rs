//! Manifests and configs that were read once, and proofs of targets.

use tagwarden_model::api::Readiness;
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;

use tagwarden_model::api::ChangeKind;

use super::db::{Row, statements, values};
use super::digests::Interned;
use super::{Store, StoreError};

/// What a manifest or config may weigh unpacked; larger ones are never kept, so a row that says more is damaged.
const LARGEST: usize = 64 << 20;
/// zstd's own default: small and fast.
const LEVEL: i32 = 3;

statements! {
    PUT_CONTENT = "INSERT INTO content (digest_id, media_type, size, zstd, at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (digest_id) DO NOTHING";
    CONTENT = "SELECT c.media_type, c.size, c.zstd FROM content c JOIN digests d ON d.id = c.digest_id WHERE d.hash = $1";
    HOLDS = "SELECT c.size FROM content c JOIN digests d ON d.id = c.digest_id WHERE d.hash = $1";
    PUT_PROOF = "INSERT INTO proofs (repository_id, digest_id, readiness, detail, at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (repository_id, digest_id) DO UPDATE
        SET readiness = excluded.readiness, detail = excluded.detail, at = excluded.at WHERE excluded.at >= proofs.at";
}

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

impl Store {
    /// Keeps bytes under their digests, compressed, in one transaction; those that are there stay. Bytes of another digest
    /// are refused, and nothing is kept then.
    pub async fn put_contents(&self, contents: &[(Digest, Content)], now: Instant) -> Result<(), StoreError> {
        if contents.is_empty() {
            return Ok(());
        }
        let mut packed = Vec::new();
        for (digest, content) in contents {
            if content.bytes.len() > LARGEST || !digest.matches(&content.bytes) {
                return Err(StoreError::Refused {
                    message: format!("these bytes are larger than {LARGEST} or not those of {digest}"),
                    field: "bytes",
                });
            }
            let bytes = zstd::encode_all(&content.bytes[..], LEVEL)
                .map_err(|error| StoreError::Inconsistent(format!("compressing {digest}: {error}")))?;
            packed.push((digest, content, bytes));
        }
        // In the order of their digests, so that two transactions never wait for each other.
        packed.sort_by_key(|(digest, ..)| *digest);
        let mut write = self.begin().await?;
        let ids = Interned::new(&mut write.conn, packed.iter().map(|(digest, ..)| *digest)).await?;
        for (digest, content, bytes) in packed {
            let size = content.bytes.len() as u64;
            let values = values![ids.id(digest)?, &content.media_type, size, &bytes[..], now];
            write.conn.execute(PUT_CONTENT, values).await?;
        }
        write.conn.commit().await
    }

    /// Kept bytes.
    pub async fn content(&self, digest: &Digest) -> Result<Option<Content>, StoreError> {
        let row = self.read_conn().await?.optional(CONTENT, values![digest.bytes()]).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Content { media_type: row.text("media_type")?, bytes: unpacked(&row, digest)? }))
    }

    /// Those of the digests whose bytes are not kept.
    pub async fn lacking(&self, digests: impl IntoIterator<Item = Digest>) -> Result<Vec<Digest>, StoreError> {
        let mut conn = self.read_conn().await?;
        let mut lacking = Vec::new();
        for digest in digests {
            if conn.optional(HOLDS, values![digest.bytes()]).await?.is_none() {
                lacking.push(digest);
            }
        }
        Ok(lacking)
    }

    /// Keeps the outcome of a proof, unless a later one is kept, and writes a change notice.
    pub async fn put_proof(&self, repository: i64, proof: &Proof) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        let ids = Interned::new(&mut write.conn, [&proof.digest]).await?;
        let values = values![repository, ids.id(&proof.digest)?, proof.readiness.code(), &proof.detail, proof.at];
        write.conn.execute(PUT_PROOF, values).await?;
        write.notice(ChangeKind::Repository, 0, repository);
        self.finish(write, proof.at).await
    }
}

/// The bytes of a row with `size` and `zstd`, when they have the digest that they are kept under.
pub(super) fn unpacked(row: &Row, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let damaged = || StoreError::Inconsistent(format!("the kept bytes of {digest} are damaged"));
    let size = usize::try_from(row.count("size")?).ok().filter(|size| *size <= LARGEST).ok_or_else(damaged)?;
    let bytes = zstd::bulk::decompress(&row.bytes("zstd")?, size).map_err(|_| damaged())?;
    if digest.matches(&bytes) { Ok(bytes) } else { Err(damaged()) }
}
