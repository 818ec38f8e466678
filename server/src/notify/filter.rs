//! What a notifier wants to hear.

use globset::GlobMatcher;
use serde::Deserialize;
use tagwarden_model::api::Occasion;
use tagwarden_model::event::Severity;
use tagwarden_model::tag::Class;

use crate::store::tellings::Telling;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Flags that were opened, opened again, or became worse.
    Flag,
    /// What was flagged is as promised again.
    Restored,
    /// Repositories that cannot be checked, and that can again.
    Failing,
}

/// What a notifier wants to hear; empty lists want everything.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Whether it wants to hear of some repositories only.
    pub only: bool,
    /// These, by patterns over canonical names.
    pub repositories: Vec<GlobMatcher>,
    /// Classes of flagged tags.
    pub classes: Vec<Class>,
    /// Flags that are less severe are left out.
    pub severity: Severity,
    /// Which kinds.
    pub kinds: Vec<Kind>,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        let globs = |of: &Self| of.repositories.iter().map(|pattern| pattern.glob().clone()).collect::<Vec<_>>();
        (self.only, &self.classes, self.severity, &self.kinds)
            == (other.only, &other.classes, other.severity, &other.kinds)
            && globs(self) == globs(other)
    }
}

impl Filter {
    /// Whether it wants this.
    pub fn wants(&self, telling: &Telling) -> bool {
        let kind = match telling.occasion {
            Occasion::Opened | Occasion::Reopened | Occasion::Worsened => Kind::Flag,
            Occasion::Restored => Kind::Restored,
            Occasion::Failing | Occasion::Recovered => Kind::Failing,
            Occasion::Test => return true,
        };
        let repository = || self.repositories.iter().any(|pattern| pattern.is_match(&telling.repository));
        let class = |class| self.classes.is_empty() || self.classes.contains(&class);
        let severe = |severity| severity >= self.severity;
        self.kinds.contains(&kind)
            && (!self.only || repository())
            && telling.class.is_none_or(class)
            && telling.flag.as_ref().is_none_or(|flag| severe(flag.severity))
    }
}
