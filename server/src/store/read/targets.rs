//! The way back of a tag: candidates are gathered here, `model::target` puts them in order.

use tagwarden_model::api::{Readiness, Target};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::{Class, TagState};
use tagwarden_model::target::{self, Candidate, Past, Release};
use tagwarden_model::version::COMMIT;

use super::repository_id;
use crate::store::db::{Conn, Row, statements, values};
use crate::store::digests::{digest, digest_opt};
use crate::store::{Scope, Store, StoreError};

/// Earlier releases that are looked at; some of them share a digest or have no promise.
const MOST_READ: u32 = 60;
/// Targets that are given.
const MOST: usize = 20;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.name, t.class, t.family, t.version_key, t.state, t.first_seen, d.hash AS digest_hash,
                pd.hash AS promise_hash, x.id AS barred,
                (SELECT min(s.from_at) FROM spans s WHERE s.tag_id = t.id AND s.digest_id = p.digest_id) AS since
            FROM tags t LEFT JOIN digests d ON d.id = t.digest_id
                LEFT JOIN promises p ON p.repository_id = t.repository_id AND p.tag = t.name AND p.stands = 1
                LEFT JOIN digests pd ON pd.id = p.digest_id
                LEFT JOIN do_not_use x ON x.repository_id = t.repository_id AND x.tag = t.name AND x.lifted IS NULL
            WHERE t.repository_id = $1 ",
            $rest
        )
    };
}

statements! {
    SUBJECT = select!("AND t.name = $2");
    EARLIER_VERSIONS = select!("AND t.family = $2 AND t.version_key < $3 AND t.class = $4 ORDER BY t.version_key DESC LIMIT $5");
    EARLIER_COMMITS = select!("AND t.family = $2 AND t.first_seen < $3 AND t.class = $4 ORDER BY t.first_seen DESC, t.id DESC LIMIT $5");
    // What the tag named, the newest first, each with the release that is held to it, but for those that nobody should use.
    PAST = "SELECT d.hash AS digest_hash, s.from_at AS since,
            (SELECT t.name FROM promises p JOIN tags t ON t.repository_id = p.repository_id AND t.name = p.tag
                WHERE p.digest_id = s.digest_id AND p.stands = 1 AND p.repository_id = s.repository_id AND t.class = $2
                    AND NOT EXISTS (SELECT 1 FROM do_not_use x
                        WHERE x.repository_id = s.repository_id AND x.tag = t.name AND x.lifted IS NULL)
                ORDER BY t.version_key DESC LIMIT 1) AS release_tag
        FROM spans s JOIN digests d ON d.id = s.digest_id WHERE s.tag_id = $1 ORDER BY s.began_seq DESC LIMIT $3";
    BARRED = "SELECT d.hash AS digest_hash FROM do_not_use x JOIN digests d ON d.id = x.digest_id
        WHERE x.repository_id = $1 AND x.lifted IS NULL";
    PROOF = "SELECT p.readiness, p.detail, p.at FROM proofs p JOIN digests d ON d.id = p.digest_id
        WHERE p.repository_id = $1 AND d.hash = $2";
}

impl Store {
    /// The way back of a tag, best first. `None` if there is no such tag.
    pub async fn targets(
        &self,
        scope: Scope,
        repository: &RepositoryName,
        tag: &TagName,
    ) -> Result<Option<Vec<Target>>, StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let Some(id) = repository_id(&mut conn, repository).await? else { return Ok(None) };
        of(&mut conn, id, &repository.to_string(), tag.as_str()).await
    }
}

/// A tag as far as targets need it.
struct Tag {
    name: String,
    promise: Option<Digest>,
    since: Option<Instant>,
    do_not_use: bool,
}

impl Tag {
    fn release(&self) -> Release<'_> {
        Release { tag: &self.name, promise: self.promise.as_ref(), since: self.since, do_not_use: self.do_not_use }
    }
}

/// The targets of a tag by row and name; `None` if there is no such tag.
pub(in crate::store) async fn of(
    conn: &mut Conn,
    repository: i64,
    name: &str,
    subject: &str,
) -> Result<Option<Vec<Target>>, StoreError> {
    let Some(row) = conn.optional(SUBJECT, values![repository, subject]).await? else { return Ok(None) };
    let family = row.text("family")?;
    let release = Class::Release.code();
    let rows = if family == COMMIT {
        let first_seen = row.instant_opt("first_seen")?;
        conn.all(EARLIER_COMMITS, values![repository, &family, first_seen, release, MOST_READ]).await?
    } else {
        let key = row.bytes("version_key")?;
        conn.all(EARLIER_VERSIONS, values![repository, &family, &key[..], release, MOST_READ]).await?
    };
    let earlier = rows.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
    let state = match (row.int("state")?, digest_opt(&row, "digest_hash")?) {
        (1, Some(digest)) => TagState::Present(digest),
        (2, _) => TagState::Absent,
        _ => TagState::Unread,
    };
    let past = conn.all(PAST, values![row.int("id")?, release, MOST_READ]).await?;
    let past = past.iter().map(named_before).collect::<Result<Vec<_>, _>>()?;
    let past: Vec<Past<'_>> = (past.iter())
        .map(|(digest, release, since)| Past { digest, release: release.as_deref(), since: *since })
        .collect();
    let barred = conn.all(BARRED, values![repository]).await?;
    let barred = barred.iter().map(|row| digest(row, "digest_hash")).collect::<Result<Vec<_>, _>>()?;
    let class = row.code("class", Class::from_code)?;
    let subject = tag(&row)?;
    let releases = earlier.iter().map(Tag::release).collect::<Vec<_>>();
    let mut targets = Vec::new();
    let candidates = match class {
        Class::Release => target::targets(&subject.release(), &state, &releases, &past, &barred),
        _ => target::targets_of_rolling(&subject.name, &state, &past, &barred),
    };
    for candidate in candidates.into_iter().take(MOST) {
        let proof = conn.optional(PROOF, values![repository, candidate.digest.bytes()]).await?;
        targets.push(described(name, candidate, proof.as_ref())?);
    }
    Ok(Some(targets))
}

fn named_before(row: &Row) -> Result<(Digest, Option<String>, Instant), StoreError> {
    Ok((digest(row, "digest_hash")?, row.text_opt("release_tag")?, row.instant("since")?))
}

fn described(repository: &str, candidate: Candidate, proof: Option<&Row>) -> Result<Target, StoreError> {
    let readiness = proof.map(|row| row.code("readiness", Readiness::from_code)).transpose()?;
    Ok(Target {
        pinned: format!("{repository}@{}", candidate.digest),
        digest: candidate.digest,
        release: candidate.release,
        since: candidate.since,
        because: candidate.because,
        readiness: readiness.unwrap_or(Readiness::Unproven),
        proven: proof.map(|row| row.instant("at")).transpose()?,
        detail: proof.map(|row| row.text("detail")).transpose()?,
    })
}

fn tag(row: &Row) -> Result<Tag, StoreError> {
    // A tag of another class is held to nothing, whatever it once promised.
    let release = row.code("class", Class::from_code)? == Class::Release;
    let promise = digest_opt(row, "promise_hash")?.filter(|_| release);
    let do_not_use = row.int_opt("barred")?.is_some();
    Ok(Tag { name: row.text("name")?, promise, since: row.instant_opt("since")?, do_not_use })
}
