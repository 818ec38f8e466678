//! Finding repositories and tags by words.

use std::cmp::Reverse;

use tagwarden_model::api::FoundTag;
use tagwarden_model::tag::Class;
use tagwarden_model::version::Version;

use crate::store::db::{Row, statements, values};
use crate::store::digests::digest_opt;
use crate::store::{Scope, Store, StoreError};

/// Repositories and tags that are given.
const MOST: usize = 12;
/// Repositories whose tags are looked through where the words name some.
const MOST_LOOKED_AT: usize = 8;
/// Tags that are read at once, of which the newest are given.
const MOST_READ: u32 = 100;
/// Tags of all repositories that are passed to find them: those of what is not watched any more count, too.
const MOST_PASSED: u32 = 2000;

macro_rules! select {
    ($tags:literal, $rest:literal) => {
        concat!(
            "SELECT r.name AS repository, t.name, t.class, t.state, d.hash AS digest_hash, f.id AS flag_id
            FROM (SELECT * FROM tags WHERE class <> 4 AND name >= $1 AND name < $2 ",
            $tags,
            ") t JOIN repositories r ON r.id = t.repository_id
                LEFT JOIN digests d ON d.id = t.digest_id
                LEFT JOIN flags f ON f.tag_id = t.id AND f.state <> 4
            WHERE (r.period_id IS NOT NULL OR r.state = 7) ORDER BY ",
            $rest
        )
    };
}

// The names of tags have no character behind `~`, so a name that begins with x lies between x and x~.
statements! {
    REPOSITORIES = "SELECT id, name FROM repositories WHERE period_id IS NOT NULL OR state = 7 ORDER BY name";
    BEGINNING = select!("ORDER BY name LIMIT $4", "t.name LIMIT $3");
    OF_REPOSITORY = select!("AND repository_id = $4 ORDER BY version_key DESC LIMIT $3", "t.version_key DESC");
}

impl Store {
    /// Watched repositories whose names have all of these words, those whose last part they name first; and tags: one word
    /// begins the tag's name, with or without a `v`, and the others are in the repository's.
    pub async fn find(&self, scope: Scope, words: &[&str]) -> Result<(Vec<String>, Vec<FoundTag>), StoreError> {
        let Scope::All = scope;
        let mut conn = self.read_conn().await?;
        let rows = conn.all(REPOSITORIES, values![]).await?;
        let names =
            rows.iter().map(|row| Ok((row.int("id")?, row.text("name")?))).collect::<Result<Vec<_>, StoreError>>()?;
        let repositories = having(&names, words);

        let mut tags: Vec<FoundTag> = Vec::new();
        for (at, word) in words.iter().enumerate().rev() {
            let others: Vec<&str> =
                words.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, w)| *w).collect();
            let within = having(&names, &others);
            for begin in [(*word).to_owned(), format!("v{word}")] {
                let end = format!("{begin}~");
                if others.is_empty() {
                    let rows = conn.all(BEGINNING, values![&begin, &end, MOST_READ, MOST_PASSED]).await?;
                    tags.extend(rows.iter().map(tag).collect::<Result<Vec<_>, _>>()?);
                    continue;
                }
                for (id, _) in within.iter().take(MOST_LOOKED_AT) {
                    let rows = conn.all(OF_REPOSITORY, values![&begin, &end, MOST_READ, *id]).await?;
                    tags.extend(rows.iter().map(tag).collect::<Result<Vec<_>, _>>()?);
                }
            }
            if !tags.is_empty() {
                let exact = |tag: &FoundTag| tag.name == *word || tag.name.strip_prefix('v') == Some(word);
                tags.sort_by_cached_key(|tag| {
                    (Reverse(exact(tag)), Reverse(Version::of(&tag.name).key), tag.repository.clone())
                });
                break;
            }
        }
        tags.truncate(MOST);
        Ok((repositories.into_iter().take(MOST).map(|(_, name)| name.clone()).collect(), tags))
    }
}

/// The repositories that have all words in their names; those first whose last part begins with the first word.
fn having<'a>(names: &'a [(i64, String)], words: &[&str]) -> Vec<&'a (i64, String)> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut found: Vec<_> =
        names.iter().filter(|(_, name)| words.iter().all(|word| name.contains(word.as_str()))).collect();
    found.sort_by_key(|(_, name)| {
        let last = name.rsplit('/').next().unwrap_or_default();
        let place = |word: &String| (last != *word, !last.starts_with(word.as_str()), !last.contains(word.as_str()));
        (words.first().map(place), name.len())
    });
    found
}

fn tag(row: &Row) -> Result<FoundTag, StoreError> {
    Ok(FoundTag {
        repository: row.text("repository")?,
        name: row.text("name")?,
        class: row.code("class", Class::from_code)?,
        digest: digest_opt(row, "digest_hash")?,
        present: [None, Some(true), Some(false)].get(row.count("state")? as usize).copied().flatten(),
        flag: row.int_opt("flag_id")?,
    })
}
