use crate::event::Severity;
use crate::tag::Class;

/// The worst that happened in a breach, by what it was; [`Severity::Info`] where nothing of the kind did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worst {
    /// Other content than was promised.
    pub content: Severity,
    /// Nothing where something was promised.
    pub deletion: Severity,
}

/// How a rule of the policy lowers the severity of what happens to its tags (RECORD.md 9). Only the operator writes rules:
/// nothing that can be pushed lowers anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lowering {
    /// Nothing is more severe than this.
    pub cap: Option<Severity>,
    /// Deletions are expected.
    pub retention: bool,
}

impl Worst {
    /// Nothing of note.
    pub const NOTHING: Self = Self { content: Severity::Info, deletion: Severity::Info };

    /// Other content, this bad.
    pub const fn content(content: Severity) -> Self {
        Self { content, ..Self::NOTHING }
    }

    /// A deletion; of a pre-release it is worth a line in the log.
    pub const fn deletion(pre_release: bool) -> Self {
        let deletion = if pre_release { Severity::Info } else { Severity::Warning };
        Self { deletion, ..Self::NOTHING }
    }

    /// Both happened.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { content: self.content.max(other.content), deletion: self.deletion.max(other.deletion) }
    }

    /// How severe that is where no rule lowers it.
    pub fn severity(self) -> Severity {
        self.content.max(self.deletion)
    }
}

impl Lowering {
    /// How severe it is under the rule.
    pub fn of(self, worst: Worst) -> Severity {
        let deletion = if self.retention { Severity::Info } else { worst.deletion };
        let severity = worst.content.max(deletion);
        self.cap.map_or(severity, |cap| severity.min(cap))
    }

    /// What of it says nothing for tags of this class, by the key of the configuration, and why.
    pub fn mistakes(self, class: Class) -> impl Iterator<Item = (&'static str, &'static str)> {
        let flagged = matches!(class, Class::Release | Class::Rebuilt);
        let cap = (self.cap.is_some() && !flagged)
            .then_some(("severity", "tags of this class are never flagged, so there is no severity to lower"));
        let retention = (self.retention && class != Class::Release)
            .then_some(("retention", "only releases are flagged when they are deleted"));
        cap.into_iter().chain(retention)
    }
}
