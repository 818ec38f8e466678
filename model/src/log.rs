//! The canonical form of an event and its leaf in the log (RECORD.md 11.3).
//!
//! # Body, version 1
//!
//! UTF-8 text: one JSON array without white space, of these 17 elements in this order:
//!
//! | # | element | form |
//! |---|---|---|
//! | 1 | format | `"tagwarden/event/1"` |
//! | 2 | `seq` | integer |
//! | 3 | `at` | integer: Unix milliseconds |
//! | 4 | `kind` | the word of [`EventKind`] |
//! | 5 | `repository` | canonical name with host |
//! | 6 | `tag` | text, `null` for events of a repository |
//! | 7, 8 | `old`, `new` | digest `algorithm:hex` or `null` |
//! | 9 | `not_before` | integer or `null` |
//! | 10 | `not_after` | integer |
//! | 11 | `clock_changed` | boolean |
//! | 12 | `source` | the word of [`Source`]; with a name: `backfill:<name>` |
//! | 13 | `verified` | boolean, as it was when recorded: a later proof changes no body |
//! | 14 | `baseline` | boolean |
//! | 15 | `deleted_by` | the word of [`DeletedBy`] or `null` |
//! | 16 | `group` | integer or `null` |
//! | 17 | `actor` | `<kind>:<name>`, the kind without a colon: `system:poller` |
//!
//! Integers are decimal without sign or leading zeros, but `-` before negative ones. Of characters, only these are
//! escaped: `"` and `\` by a backslash; U+0008, 0009, 000A, 000C, 000D as `\b \t \n \f \r`; the rest below U+0020 as
//! `\u00` and two lower-case hex digits. That is what `JSON.stringify` writes too, so a page can build the same body.
//! The elements can be read back, so two different events never have the same body.
//!
//! What is kept beside an event is not part of it: numbers of database rows, its class, its flag, a webhook's claims.
//!
//! # Hashes
//!
//! `entry = SHA-256(salt || body)` with 16 bytes of salt, drawn for each event: the entry can be shown without telling
//! what it is about. `leaf = SHA-256(0x00 || entry)`, the leaf hash of RFC 9162, section 2.1.1. `log/vectors.json` has
//! examples that were computed by other means.

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::event::{DeletedBy, EventKind, Source};
use crate::instant::Instant;

/// An event as it enters the log; names are canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its number.
    pub seq: i64,
    /// Where it stands on the timeline.
    pub at: Instant,
    /// What happened.
    pub kind: EventKind,
    /// The repository, with host.
    pub repository: &'a str,
    /// The tag; `None` for events of the repository.
    pub tag: Option<&'a str>,
    /// What the tag named before.
    pub old: Option<&'a Digest>,
    /// What it names now.
    pub new: Option<&'a Digest>,
    /// Lower end of the window.
    pub not_before: Option<Instant>,
    /// Upper end of the window.
    pub not_after: Instant,
    /// The window was widened because a clock changed.
    pub clock_changed: bool,
    /// What made us look.
    pub source: Source,
    /// Where a backfill comes from; `None` for other sources.
    pub source_name: Option<&'a str>,
    /// Whether `new` was computed from bytes when this was recorded.
    pub verified: bool,
    /// The tag stood before we watched.
    pub baseline: bool,
    /// For deletions.
    pub deleted_by: Option<DeletedBy>,
    /// Shared by the events of one act, unique within the repository.
    pub group: Option<i64>,
    /// Who recorded it, `<kind>:<name>`.
    pub actor: &'a str,
}

/// Random bytes of one event.
pub type Salt = [u8; 16];

/// A SHA-256.
pub type Hash = [u8; 32];

const FORMAT: &str = "tagwarden/event/1";

impl Entry<'_> {
    /// The canonical body.
    pub fn body(&self) -> String {
        let source = match self.source_name {
            Some(name) => format!("{}:{name}", self.source),
            None => self.source.to_string(),
        };
        serde_json::json!([
            FORMAT,
            self.seq,
            self.at.0,
            self.kind,
            self.repository,
            self.tag,
            self.old,
            self.new,
            self.not_before.map(|instant| instant.0),
            self.not_after.0,
            self.clock_changed,
            source,
            self.verified,
            self.baseline,
            self.deleted_by,
            self.group,
            self.actor,
        ])
        .to_string()
    }

    /// The hash that the log holds.
    pub fn leaf(&self, salt: &Salt) -> Hash {
        leaf_hash(&entry_hash(salt, &self.body()))
    }
}

/// `SHA-256(salt || body)`.
pub fn entry_hash(salt: &Salt, body: &str) -> Hash {
    Sha256::new().chain_update(salt).chain_update(body).finalize().into()
}

/// `SHA-256(0x00 || entry)`.
pub fn leaf_hash(entry: &Hash) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

#[cfg(test)]
mod tests;
