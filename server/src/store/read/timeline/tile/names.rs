//! Digests and tags of a tile, each once.

use std::collections::HashMap;

use tagwarden_model::api::TileDigest;
use tagwarden_model::digest::Digest;

use super::unlike;
use crate::store::StoreError;
use crate::store::db::{Conn, Dialects, Row, values};
use crate::store::digests::digest;

/// Digests of a repository with their releases, by a list of numbers.
macro_rules! digests {
    ($hash:literal, $listed:literal) => {
        concat!(
            "SELECT string_agg(concat_ws(' ', d.id, ",
            $hash,
            ", (SELECT p.tag FROM first_releases p WHERE p.digest_id = d.id AND p.repository_id = $2)), ';') AS digests FROM ",
            $listed
        )
    };
}

/// Names of tags, by a list of numbers.
macro_rules! tags {
    ($listed:literal) => {
        concat!("SELECT string_agg(concat_ws(' ', t.id, t.name), ';') AS tags FROM tags t WHERE t.id ", $listed)
    };
}

const DIGESTS: Dialects = Dialects {
    sqlite: digests!("lower(hex(d.hash))", "json_each($1) j CROSS JOIN digests d ON d.id = j.value"),
    postgres: digests!(
        "encode(d.hash, 'hex')",
        "digests d WHERE d.id = ANY(CAST(translate($1, '[]', '{}') AS BIGINT[]))"
    ),
};

const TAGS: Dialects = Dialects {
    sqlite: tags!("IN (SELECT value FROM json_each($1))"),
    postgres: tags!("= ANY(CAST(translate($1, '[]', '{}') AS BIGINT[]))"),
};

pub(in crate::store) const DIALECTS: &[Dialects] = &[DIGESTS, TAGS];

/// What marks name by a place.
#[derive(Default)]
pub(super) struct Names {
    pub(super) digests: Vec<TileDigest>,
    pub(super) places_of_digests: HashMap<(i64, i64), u32>,
    pub(super) tags: Vec<String>,
    pub(super) places_of_tags: HashMap<i64, u32>,
}

impl Names {
    /// Takes up tags by their numbers.
    pub(super) async fn read_tags(&mut self, conn: &mut Conn, ids: Vec<i64>) -> Result<(), StoreError> {
        let row = conn.one(conn.pick(TAGS), values![list(ids)]).await?;
        for entry in row.text_opt("tags")?.iter().flat_map(|tags| tags.split(';')) {
            let (id, name) = entry.split_once(' ').ok_or_else(|| unlike("tag"))?;
            self.places_of_tags.insert(id.parse().map_err(|_| unlike("tag"))?, self.tags.len() as u32);
            self.tags.push(name.to_owned());
        }
        Ok(())
    }

    /// Takes up digests by their numbers, with the releases that they are in a repository.
    pub(super) async fn read_digests(&mut self, conn: &mut Conn, of: i64, ids: Vec<i64>) -> Result<(), StoreError> {
        let row = conn.one(conn.pick(DIGESTS), values![list(ids), of]).await?;
        for entry in row.text_opt("digests")?.iter().flat_map(|digests| digests.split(';')) {
            let mut parts = entry.split_ascii_whitespace();
            let id = parts.next().and_then(|id| id.parse().ok()).ok_or_else(|| unlike("digest"))?;
            let digest = parts.next().and_then(of_hash).ok_or_else(|| unlike("digest"))?;
            self.places_of_digests.insert((of, id), self.digests.len() as u32);
            self.digests.push(TileDigest { digest, release: parts.next().map(str::to_owned) });
        }
        Ok(())
    }

    pub(super) fn tag(&mut self, row: &Row) -> Result<u32, StoreError> {
        let id = row.int("tag_id")?;
        if let Some(place) = self.places_of_tags.get(&id) {
            return Ok(*place);
        }
        let place = self.tags.len() as u32;
        self.tags.push(row.text("tag")?);
        self.places_of_tags.insert(id, place);
        Ok(place)
    }

    /// The digest of these columns, with the release that it is in its repository.
    pub(super) fn digest(
        &mut self,
        row: &Row,
        repository: i64,
        id: &str,
        hash: &str,
        release: &str,
    ) -> Result<Option<u32>, StoreError> {
        let Some(id) = row.int_opt(id)? else { return Ok(None) };
        if let Some(place) = self.places_of_digests.get(&(repository, id)) {
            return Ok(Some(*place));
        }
        let place = self.digests.len() as u32;
        self.digests.push(TileDigest { digest: digest(row, hash)?, release: row.text_opt(release)? });
        self.places_of_digests.insert((repository, id), place);
        Ok(Some(place))
    }
}

/// Numbers as JSON has them, each once.
fn list(mut ids: Vec<i64>) -> String {
    ids.retain(|id| *id > 0);
    ids.sort_unstable();
    ids.dedup();
    serde_json::json!(ids).to_string()
}

/// The digest of a hash in hex.
fn of_hash(hex: &str) -> Option<Digest> {
    let algorithm = if hex.len() == 64 { "sha256:" } else { "sha512:" };
    [algorithm, hex].concat().parse().ok()
}
