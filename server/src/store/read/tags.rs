//! Tags of a repository.

use tagwarden_model::api::Tag;
use tagwarden_model::digest::hex;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::promise::{Promise, Standing, standing};
use tagwarden_model::tag::{Class, TagRecord, TagState};

use super::{Position, Rows, TagFilter, one_more, page, repository_id};
use crate::store::db::{Row, statements, values};
use crate::store::digests::digest_opt;
use crate::store::record::PassRow;
use crate::store::{Scope, Store, StoreError, load, passes};

macro_rules! select {
    ($range:literal, $order:literal) => {
        concat!(
            "SELECT t.id, t.name, t.class, t.rule, t.family, t.version_key, t.state, d.hash AS digest_hash,
            CAST(NULL AS TEXT) AS prior, CAST(NULL AS BIGINT) AS listed_generation, CAST(NULL AS BIGINT) AS listed_wall,
            c.hash AS claimed_hash, t.media_type, t.verified, t.header_untrusted, t.listed, t.floor_generation, t.floor_wall,
            t.proof_generation, t.proof_wall, t.band, t.band_generation, t.band_wall, t.last_seq, t.first_seen, t.changed,
            f.id AS flag_id, p.id AS promise_id, p.provisional, pd.hash AS promise_hash
        FROM tags t LEFT JOIN digests d ON d.id = t.digest_id
            LEFT JOIN digests c ON c.id = t.claimed_id
            LEFT JOIN flags f ON f.tag_id = t.id AND f.state <> 4
            LEFT JOIN promises p ON p.repository_id = t.repository_id AND p.tag = t.name AND p.stands = 1
            LEFT JOIN digests pd ON pd.id = p.digest_id
        WHERE t.repository_id = $1
            AND (CAST($2 AS BIGINT) IS NULL OR t.class = $2)
            AND (CAST($3 AS TEXT) IS NULL OR replace(lower(t.name), lower($3), '') <> lower(t.name)) AND ",
            $range,
            " ORDER BY ",
            $order,
            " LIMIT $4"
        )
    };
}

// Two ranges of one index: its columns run in opposite directions, which one comparison of rows cannot say.
statements! {
    REST_OF_FAMILY = select!("t.family = $5 AND t.version_key < $6", "t.version_key DESC");
    ONE = select!("t.name = $5", "t.id");
    LATER_FAMILIES = select!("t.family > $5", "t.family, t.version_key DESC");
}

/// Greater than every version's key.
const NEWEST: &[u8] = &[0xff];

impl Store {
    /// Tags: newest version first within a family. `None` if the repository was never watched.
    pub async fn tags(
        &self,
        scope: Scope,
        filter: &TagFilter,
        after: Option<&Position>,
        limit: u32,
    ) -> Result<Option<Rows<Tag>>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let Some(id) = repository_id(&mut conn, &filter.repository).await? else { return Ok(None) };
        let (family, key) = match after {
            Some(after) => (after.text(0)?, unhex(after.text(1)?)?),
            None => (filter.family.as_deref().unwrap_or_default(), NEWEST.to_vec()),
        };
        let (class, contains) = (filter.class.map(Class::code), filter.contains.as_deref());
        let contains = contains.filter(|text| !text.is_empty());
        let most = one_more(limit);
        let values = values![id, class, contains, most, family, &key[..]];
        let mut rows = conn.all(REST_OF_FAMILY, values).await?;
        let rest = most - rows.len() as i64;
        if rest > 0 && filter.family.is_none() {
            rows.extend(conn.all(LATER_FAMILIES, values![id, class, contains, rest, family]).await?);
        }
        let (passes, _) = passes::of_repository(&mut conn, id).await?;
        let repository = filter.repository.to_string();
        let tags = rows.iter().map(|row| Ok((row.bytes("version_key")?, tag(row, &repository, &passes)?)));
        let tags = tags.collect::<Result<Vec<_>, StoreError>>()?;
        let position = |(key, tag): &(Vec<u8>, Tag)| Position::of([tag.family.clone().into(), hex(key).into()]);
        let (tags, next) = page(tags, limit, position);
        Ok(Some((tags.into_iter().map(|(_, tag)| tag).collect(), next)))
    }
}

impl Store {
    /// One tag. `None` if the repository was never watched or never had it.
    pub async fn tag(
        &self,
        scope: Scope,
        repository: &RepositoryName,
        name: &TagName,
    ) -> Result<Option<Tag>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let Some(id) = repository_id(&mut conn, repository).await? else { return Ok(None) };
        let (class, contains) = (None::<i64>, None::<&str>);
        let Some(row) = conn.optional(ONE, values![id, class, contains, 1_i64, name.as_str()]).await? else {
            return Ok(None);
        };
        let (passes, _) = passes::of_repository(&mut conn, id).await?;
        tag(&row, &repository.to_string(), &passes).map(Some)
    }
}

fn tag(row: &Row, repository: &str, passes: &[PassRow]) -> Result<Tag, StoreError> {
    let record = load::record(row)?;
    let name = row.text("name")?;
    let class = row.code("class", Class::from_code)?;
    let promise = match row.int_opt("promise_id")? {
        Some(_) => Some(Promise { digest: digest_opt(row, "promise_hash")?, provisional: row.yes("provisional")? }),
        None => None,
    };
    let release = class == Class::Release;
    let last_seen = last_seen(&record, &name, passes);
    Ok(Tag {
        repository: repository.to_owned(),
        class,
        rule: row.text("rule")?,
        family: row.text("family")?,
        present: match record.state {
            TagState::Unread => None,
            TagState::Present(_) => Some(true),
            TagState::Absent => Some(false),
        },
        digest: digest_opt(row, "digest_hash")?,
        verified: record.verified,
        media_type: record.media_type,
        in_breach: release && standing(promise.as_ref(), &record.state) == Standing::InBreach,
        promise: promise.filter(|_| release).and_then(|promise| promise.digest),
        flag: row.int_opt("flag_id")?,
        first_seen: row.instant_opt("first_seen")?,
        changed: row.instant_opt("changed")?,
        last_seen,
        band: record.band,
        name,
    })
}

/// RECORD.md 4.2: the newest complete pass of the tag's band that began after the tag joined it and does not name it.
fn last_seen(record: &TagRecord, name: &str, passes: &[PassRow]) -> Option<tagwarden_model::instant::Instant> {
    if record.state == TagState::Unread {
        return None;
    }
    let sighting = |pass: &&PassRow| {
        pass.complete
            && pass.band == record.band
            && record.band_since.is_none_or(|since| pass.started > since)
            && !pass.exceptions.iter().any(|tag| tag.as_str() == name)
    };
    let newest = passes.iter().filter(sighting).map(|pass| pass.started).max();
    newest.max(record.floor).map(|mark| mark.wall)
}

pub(super) fn unhex(text: &str) -> Result<Vec<u8>, StoreError> {
    let bytes = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    bytes.collect::<Option<_>>().ok_or_else(super::unreadable)
}
