//! Digests are kept once; rows name them by number.

use std::collections::{BTreeSet, HashMap};

use tagwarden_model::digest::Digest;

use super::StoreError;
use super::db::{Conn, Row, Value, statements, values};

statements! {
    INSERT_DIGEST = "INSERT INTO digests (hash) VALUES ($1) ON CONFLICT (hash) DO NOTHING RETURNING id";
    FIND_DIGEST = "SELECT id FROM digests WHERE hash = $1";
}

/// Numbers of the digests that one transaction needs.
#[derive(Default)]
pub(super) struct Interned(HashMap<Digest, i64>);

impl Interned {
    /// Finds or adds all of `digests`. In the order of their bytes, so that two transactions never wait for each other.
    pub(super) async fn new(conn: &mut Conn, digests: impl IntoIterator<Item = &Digest>) -> Result<Self, StoreError> {
        let mut ids = HashMap::new();
        for digest in digests.into_iter().collect::<BTreeSet<_>>() {
            let id = if let Some(id) = find(conn, digest).await? {
                id
            } else if let Some(row) = conn.optional(INSERT_DIGEST, values![digest.bytes()]).await? {
                row.int("id")?
            } else {
                // Another transaction was faster, and has committed, or we would wait.
                let missing = || StoreError::Inconsistent(format!("{digest} is there and is not"));
                find(conn, digest).await?.ok_or_else(missing)?
            };
            ids.insert(digest.clone(), id);
        }
        Ok(Self(ids))
    }

    pub(super) fn id(&self, digest: &Digest) -> Result<i64, StoreError> {
        let missing = || StoreError::Inconsistent(format!("{digest} was not interned"));
        self.0.get(digest).copied().ok_or_else(missing)
    }

    /// The parameter for a column that may be NULL.
    pub(super) fn value(&self, digest: Option<&Digest>) -> Result<Value, StoreError> {
        Ok(Value::Int(digest.map(|digest| self.id(digest)).transpose()?))
    }
}

/// The number of a digest, if it is known.
pub(super) async fn find(conn: &mut Conn, digest: &Digest) -> Result<Option<i64>, StoreError> {
    conn.optional(FIND_DIGEST, values![digest.bytes()]).await?.map(|row| row.int("id")).transpose()
}

/// The digest whose raw hash a column holds.
pub(super) fn digest_opt(row: &Row, column: &str) -> Result<Option<Digest>, StoreError> {
    let Some(bytes) = row.bytes_opt(column)? else { return Ok(None) };
    let digest = match bytes.len() {
        32 => bytes.try_into().ok().map(Digest::Sha256),
        _ => bytes.try_into().ok().map(|hash| Digest::Sha512(Box::new(hash))),
    };
    let wrong = || StoreError::Inconsistent(format!("{column} is no hash"));
    digest.ok_or_else(wrong).map(Some)
}

/// The same where there must be one.
pub(super) fn digest(row: &Row, column: &str) -> Result<Digest, StoreError> {
    digest_opt(row, column)?.ok_or_else(|| StoreError::Inconsistent(format!("{column} is missing")))
}
