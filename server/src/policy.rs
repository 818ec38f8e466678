//! Which promise a tag's name makes: the configured rules in their order, then the default table of `model::class`.

use globset::{Glob, GlobBuilder, GlobMatcher};
use tagwarden_model::class::{Ruling, class_of};
use tagwarden_model::flag::Lowering;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::proposal::PATTERN_LIMIT;
use tagwarden_model::tag::Class;

/// The pattern that everything matches.
pub const EVERYTHING: &str = "**";

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
    lowering: Lowering,
    name: String,
}

/// A pattern of a rule that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct PatternError {
    /// What the pattern is over: `repository` or `tag`.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// The rules that are about one repository.
pub struct RulesOf<'a> {
    repository: String,
    rules: Vec<&'a Rule>,
}

impl PartialEq for Rule {
    /// The name holds both patterns.
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.class, self.lowering) == (&other.name, other.class, other.lowering)
    }
}

impl Rule {
    /// A rule for the tags that match `tag` in the repositories whose canonical name matches `repository`.
    pub fn new(repository: &str, tag: &str, class: Class) -> Result<Self, PatternError> {
        let name = format!("policy:{repository}:{tag}");
        let (repository, tag) = (matcher("repository", repository)?, matcher("tag", tag)?);
        Ok(Self { repository, tag, class, lowering: Lowering::default(), name })
    }

    /// The rule with severities lowered so.
    #[must_use]
    pub fn lowered(self, lowering: Lowering) -> Self {
        Self { lowering, ..self }
    }

    /// Its name, which tags carry that have their class from it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pattern over repositories.
    pub fn repository(&self) -> &str {
        self.repository.glob().glob()
    }

    /// The pattern over tags.
    pub fn tag(&self) -> &str {
        self.tag.glob().glob()
    }

    /// The class that it gives.
    pub fn class(&self) -> Class {
        self.class
    }

    /// How it lowers severities.
    pub fn lowering(&self) -> Lowering {
        self.lowering
    }
}

/// A pattern that is matched whole: `*` within a segment of a path, `**` across.
pub fn matcher(field: &'static str, pattern: &str) -> Result<GlobMatcher, PatternError> {
    // What is longer may nest deeper than can be compiled.
    if pattern.chars().count() > PATTERN_LIMIT {
        return Err(PatternError { field, reason: format!("a pattern has at most {PATTERN_LIMIT} characters") });
    }
    let glob: Result<Glob, _> = GlobBuilder::new(pattern).literal_separator(true).build();
    let wrong = |error: globset::Error| {
        let shown: String = pattern.chars().take(80).collect();
        PatternError { field, reason: format!("`{shown}` is no pattern: {}", error.kind()) }
    };
    glob.map(|glob| glob.compile_matcher()).map_err(wrong)
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

    /// The rules that are about a repository.
    pub fn of(&self, repository: &RepositoryName) -> RulesOf<'_> {
        let repository = repository.to_string();
        let rules = self.rules.iter().filter(|rule| rule.repository.is_match(&repository)).collect();
        RulesOf { repository, rules }
    }

    /// What it says about a tag.
    pub fn classify(&self, repository: &RepositoryName, tag: &TagName) -> Ruling {
        let rules = self.of(repository);
        let table = || Ruling::from(class_of(&rules.repository, tag.as_str()));
        let ruling = |rule: &Rule| Ruling { lowering: rule.lowering, ..Ruling::new(rule.class, rule.name.clone()) };
        rules.first(tag).map_or_else(table, ruling)
    }
}

impl RulesOf<'_> {
    /// The rule that gives a tag its class; `None` where the built-in table does.
    pub fn first(&self, tag: &TagName) -> Option<&Rule> {
        self.rules.iter().copied().find(|rule| rule.tag.is_match(tag.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_rule_that_matches_whole_wins_and_the_table_comes_last() {
        let policy = Policy::new(vec![
            Rule::new("ghcr.io/acme/*", "stable-?", Class::Release).unwrap(),
            Rule::new("ghcr.io/**", "stable-*", Class::Ignored).unwrap(),
        ]);
        let class = |repository: &str, tag: &str| {
            policy.classify(&repository.parse().unwrap(), &TagName::new(tag).unwrap()).class
        };
        assert_eq!(class("ghcr.io/acme/api", "stable-1"), Class::Release);
        assert_eq!(class("ghcr.io/acme/api", "stable-10"), Class::Ignored);
        assert_eq!(class("ghcr.io/acme/team/api", "stable-1"), Class::Ignored);
        assert_eq!(class("ghcr.io/acme/api", "1.2.3"), Class::Release);
        assert_eq!(class("ghcr.io/acme/api", "latest"), Class::Rolling);
    }

    #[test]
    fn an_error_names_the_pattern() {
        let error = Rule::new("ghcr.io/{a", "*", Class::Release).unwrap_err();
        assert_eq!(error.field, "repository");
        let error = Rule::new("**", "[broken", Class::Release).unwrap_err();
        assert_eq!(error.to_string(), "tag: `[broken` is no pattern: unclosed character class; missing ']'");
    }

    #[test]
    fn a_pattern_that_is_taken_can_be_compiled() {
        for unit in ["{", "*a", "[!a-z]", "{a,", "é", "**/", "?"] {
            let pattern = unit.repeat(PATTERN_LIMIT / 2 / unit.chars().count());
            let closed = format!("{pattern}{}", "}".repeat(pattern.matches('{').count()));
            assert!(Rule::new("**", &closed, Class::Release).is_ok(), "{closed}");
        }
        assert!(Rule::new("**", &"a".repeat(PATTERN_LIMIT + 1), Class::Release).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn any_text_is_a_pattern_or_an_error(text in r"[\[\]{}*?!,a-c\\/-]{0,40}|\PC{0,40}|.{0,9}") {
            if let Ok(rule) = Rule::new(&text, &text, Class::Release) {
                Policy::new(vec![rule]).classify(&"nginx".parse().unwrap(), &TagName::new("a-b").unwrap());
            }
        }
    }
}
