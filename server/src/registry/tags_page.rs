//! One page of a listing.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use tagwarden_model::name::TagName;

use super::RegistryError;
use super::client::unintelligible;
use super::transport::Reply;

/// `{"name":"team/api","tags":["1.0",null]}`; the list may be null, but not missing.
#[derive(Deserialize)]
struct TagsPage {
    #[serde(deserialize_with = "null_or_list")]
    tags: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Name(String),
    Other(IgnoredAny),
}

fn null_or_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Item>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The names on a page that are valid tags.
pub fn page_of_tags(reply: &Reply) -> Result<impl Iterator<Item = TagName> + use<>, RegistryError> {
    let page: TagsPage = serde_json::from_slice(&reply.body).map_err(|error| {
        if reply.is_html() {
            unintelligible("an HTML page instead of the tags; is there a sign-in page or a proxy in between?")
        } else {
            let (line, column) = (error.line(), error.column());
            unintelligible(&format!("no list of tags: wrong JSON at line {line}, column {column}"))
        }
    })?;
    // Nexus lists nulls, Artifactory digests: no tags.
    Ok(page.tags.into_iter().filter_map(|item| match item {
        Item::Name(name) => TagName::new(&name),
        Item::Other(_) => None,
    }))
}
