//! Digests and tags of a tile, each once.

use std::collections::HashMap;

use tagwarden_model::api::TileDigest;
use tagwarden_model::digest::Digest;

use super::unlike;
use crate::store::StoreError;
use crate::store::db::{Conn, Dialects, Row, values};
use crate::store::digests::digest;

/// Digests by a list of numbers.
macro_rules! digests {
    ($columns:literal, $listed:literal) => {
        concat!("SELECT string_agg(concat_ws(' ', ", $columns, "), ';') AS digests FROM ", $listed)
    };
}

/// Names of tags, by a list of numbers.
macro_rules! tags {
    ($listed:literal) => {
        concat!("SELECT string_agg(concat_ws(' ', t.id, t.name), ';') AS tags FROM tags t WHERE t.id ", $listed)
    };
}

/// Those of a repository that are releases, in a row: at most so many from a first to a last.
const NEIGHBOURS: Dialects = Dialects {
    sqlite: digests!(
        "p.digest_id, hex(p.hash), p.tag",
        "(SELECT * FROM first_releases WHERE repository_id = $1 AND digest_id >= $2 AND digest_id <= $3 ORDER BY digest_id LIMIT $4) p"
    ),
    postgres: digests!(
        "p.digest_id, encode(p.hash, 'hex'), p.tag",
        "(SELECT digest_id, hash, tag FROM first_releases WHERE repository_id = $1 AND digest_id >= $2 AND digest_id <= $3
            ORDER BY digest_id LIMIT $4) p"
    ),
};

/// Those that are releases of a repository, with the first of them.
const RELEASED: Dialects = Dialects {
    sqlite: digests!(
        "p.digest_id, hex(p.hash), p.tag",
        "json_each($1) j CROSS JOIN first_releases p ON p.repository_id = $2 AND p.digest_id = j.value"
    ),
    postgres: digests!(
        "p.digest_id, encode(p.hash, 'hex'), p.tag",
        "first_releases p WHERE p.repository_id = $2 AND p.digest_id = ANY(CAST(translate($1, '[]', '{}') AS BIGINT[]))"
    ),
};

const DIGESTS: Dialects = Dialects {
    sqlite: digests!("d.id, hex(d.hash)", "json_each($1) j CROSS JOIN digests d ON d.id = j.value"),
    postgres: digests!(
        "d.id, encode(d.hash, 'hex')",
        "digests d WHERE d.id = ANY(CAST(translate($1, '[]', '{}') AS BIGINT[]))"
    ),
};

const TAGS: Dialects = Dialects {
    sqlite: tags!("IN (SELECT value FROM json_each($1))"),
    postgres: tags!("= ANY(CAST(translate($1, '[]', '{}') AS BIGINT[]))"),
};

pub(in crate::store) const DIALECTS: &[Dialects] = &[NEIGHBOURS, RELEASED, DIGESTS, TAGS];

/// So many digests at most are looked up one by one.
const FEW: usize = 100;

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
    pub(super) async fn read_tags(&mut self, conn: &mut Conn, mut ids: Vec<i64>) -> Result<(), StoreError> {
        each_once(&mut ids);
        let row = conn.one(conn.pick(TAGS), values![json(&ids)]).await?;
        for entry in row.text_opt("tags")?.iter().flat_map(|tags| tags.split(';')) {
            let (id, name) = entry.split_once(' ').ok_or_else(|| unlike("tag"))?;
            self.places_of_tags.insert(id.parse().map_err(|_| unlike("tag"))?, self.tags.len() as u32);
            self.tags.push(name.to_owned());
        }
        Ok(())
    }

    /// Takes up digests by their numbers, with the releases that they are in a repository. What tags named within a stretch of time
    /// was mostly published within one, too: many are read as they stand beside each other, which costs a quarter of looking each up,
    /// and only what is not among them is looked up.
    pub(super) async fn read_digests(&mut self, conn: &mut Conn, of: i64, mut ids: Vec<i64>) -> Result<(), StoreError> {
        each_once(&mut ids);
        if let [first, .., last] = ids[..]
            && ids.len() > FEW
        {
            let neighbours = conn.one(conn.pick(NEIGHBOURS), values![of, first, last, 2 * ids.len() as i64]).await?;
            self.take_digests(of, &ids, &neighbours)?;
        }
        ids.retain(|id| !self.places_of_digests.contains_key(&(of, *id)));
        if !ids.is_empty() {
            let found = conn.one(conn.pick(RELEASED), values![json(&ids), of]).await?;
            self.take_digests(of, &ids, &found)?;
            ids.retain(|id| !self.places_of_digests.contains_key(&(of, *id)));
        }
        if !ids.is_empty() {
            let found = conn.one(conn.pick(DIGESTS), values![json(&ids)]).await?;
            self.take_digests(of, &ids, &found)?;
        }
        Ok(())
    }

    /// Those that are `wanted`, which rise.
    fn take_digests(&mut self, of: i64, wanted: &[i64], row: &Row) -> Result<(), StoreError> {
        for entry in row.text_opt("digests")?.iter().flat_map(|digests| digests.split(';')) {
            let mut parts = entry.split_ascii_whitespace();
            let id = parts.next().and_then(|id| id.parse().ok()).ok_or_else(|| unlike("digest"))?;
            if wanted.binary_search(&id).is_err() {
                continue;
            }
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

fn each_once(ids: &mut Vec<i64>) {
    ids.retain(|id| *id > 0);
    ids.sort_unstable();
    ids.dedup();
}

fn json(ids: &[i64]) -> String {
    serde_json::json!(ids).to_string()
}

/// The digest of a hash in hex, in upper case as SQLite writes it or in lower case.
fn of_hash(hex: &str) -> Option<Digest> {
    let mut digest = [if hex.len() == 64 { "sha256:" } else { "sha512:" }, hex].concat();
    digest.make_ascii_lowercase();
    digest.parse().ok()
}
