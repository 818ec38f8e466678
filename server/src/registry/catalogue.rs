//! The repositories of a registry: `_catalog`, which docker-registry and some others have.

use std::collections::{BTreeSet, HashSet};

use reqwest::Method;
use serde::Deserialize;
use tagwarden_model::name::RepositoryName;

use super::client::{Ask, HttpRegistry, expect_ok, unintelligible};
use super::link::next_query;
use super::scope::Right;
use super::{Names, RegistryError};

const MAX_PAGE: usize = 4 * 1024 * 1024;
const MAX_PAGES: usize = 200;
const MAX_NAMES: usize = 50_000;

/// A name is at most this long (distribution-spec, "Pulling manifests").
const LONGEST_NAME: usize = 255;

#[derive(Deserialize)]
struct Page {
    repositories: Option<Vec<String>>,
}

impl HttpRegistry {
    /// Follows `Link` to the end, or as far as is read of it.
    pub(super) async fn read_catalogue(&self, host: &str) -> Result<Names, RegistryError> {
        let nameless = RepositoryName { host: host.to_owned(), path: String::new() };
        let (mut query, mut seen, mut names) = (String::new(), HashSet::new(), BTreeSet::new());
        for _ in 0..MAX_PAGES {
            let mut ask = Ask::new(Method::GET, &nameless, "_catalog".to_owned(), MAX_PAGE);
            ask.subject.right = Right::Catalogue;
            ask.query = Some(&query);
            let reply = self.call(&ask).await.result?;
            expect_ok(&reply)?;
            let page: Page = serde_json::from_slice(&reply.body).map_err(|_| {
                let what =
                    if reply.is_html() { "an HTML page instead of the catalogue" } else { "no list of repositories" };
                unintelligible(what)
            })?;
            names.extend(page.repositories.into_iter().flatten().filter(|name| name.len() <= LONGEST_NAME));
            let whole = match next_query(&reply.headers) {
                // A page that goes on where an earlier one began has nothing new.
                Some(next) => !seen.insert(std::mem::replace(&mut query, next)) || seen.contains(&query),
                None => true,
            };
            if whole || names.len() > MAX_NAMES {
                return Ok(Names { names: names.into_iter().take(MAX_NAMES).collect(), whole });
            }
        }
        Ok(Names { names: names.into_iter().collect(), whole: false })
    }
}
