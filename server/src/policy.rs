//! Which promise a tag's name makes: the configured rules in their order, then the default table of `model::class`.

use globset::{Glob, GlobBuilder, GlobMatcher};
use tagwarden_model::class::class_of;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::Class;

/// Rules in the order of the configuration; the first match wins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    rules: Vec<Rule>,
}

/// One configured rule. Patterns are matched whole: `*` within a segment of a path, `**` across.
#[derive(Debug, Clone)]
pub struct Rule {
    repository: GlobMatcher,
    tag: GlobMatcher,
    class: Class,
    name: String,
}

impl PartialEq for Rule {
    /// The name holds both patterns.
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.class) == (&other.name, other.class)
    }
}

impl Rule {
    /// A rule for the tags that match `tag` in the repositories whose canonical name matches `repository`.
    pub fn new(repository: &str, tag: &str, class: Class) -> Result<Self, globset::Error> {
        let name = format!("policy:{repository}:{tag}");
        Ok(Self { repository: glob(repository)?.compile_matcher(), tag: glob(tag)?.compile_matcher(), class, name })
    }
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}

impl Policy {
    /// A policy of these rules.
    pub const fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// Its rules, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Class of a tag, and the name of the rule that gave it.
    pub fn classify(&self, repository: &RepositoryName, tag: &TagName) -> (Class, String) {
        let name = repository.to_string();
        let rule = self.rules.iter().find(|rule| rule.repository.is_match(&name) && rule.tag.is_match(tag.as_str()));
        rule.map_or_else(
            || {
                let classified = class_of(&name, tag.as_str());
                (classified.class, classified.rule.to_owned())
            },
            |rule| (rule.class, rule.name.clone()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_whole_wins_and_the_table_comes_last() {
        let policy = Policy::new(vec![
            Rule::new("ghcr.io/acme/*", "stable-?", Class::Release).unwrap(),
            Rule::new("ghcr.io/**", "stable-*", Class::Ignored).unwrap(),
        ]);
        let class =
            |repository: &str, tag: &str| policy.classify(&repository.parse().unwrap(), &TagName::new(tag).unwrap()).0;
        assert_eq!(class("ghcr.io/acme/api", "stable-1"), Class::Release);
        assert_eq!(class("ghcr.io/acme/api", "stable-10"), Class::Ignored);
        assert_eq!(class("ghcr.io/acme/team/api", "stable-1"), Class::Ignored);
        assert_eq!(class("ghcr.io/acme/api", "1.2.3"), Class::Release);
        assert_eq!(class("ghcr.io/acme/api", "latest"), Class::Rolling);
    }
}
