//! What somebody is told, and how it is said.

use serde::{Deserialize, Serialize};
use tagwarden_model::api::{Flag, Occasion};
use tagwarden_model::digest::Digest;
use tagwarden_model::event::Severity;
use tagwarden_model::flag::FlagKind;
use tagwarden_model::instant::Instant;

use crate::store::tellings::Telling;

/// Flags or repositories that one message names; it says how many there are.
const MOST_NAMED: usize = 50;
/// Characters of a title: it becomes the subject of a mail.
const LONGEST_TITLE: usize = 200;
/// Characters of what a registry says.
const LONGEST_REASON: usize = 300;

/// One message, as it is kept in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// What happened.
    pub occasion: Occasion,
    /// When it was written down.
    pub at: Instant,
    /// Of the worst flag.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Flags or repositories that it is about.
    #[serde(default)]
    pub count: usize,
    /// What they are all part of: a tag, a repository or a host.
    #[serde(default)]
    pub subject: String,
    /// The first flags.
    #[serde(default)]
    pub flags: Vec<FlagTold>,
    /// The first repositories, of a message that is not about flags.
    #[serde(default)]
    pub repositories: Vec<RepositoryTold>,
}

/// A flag, and where its page is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlagTold {
    /// The flag as it was then.
    #[serde(flatten)]
    pub flag: Flag,
    /// Its page, if it is known how people reach the server.
    pub link: Option<String>,
}

/// A repository that cannot be checked, or can again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepositoryTold {
    /// Its canonical name.
    pub name: String,
    /// Why it cannot be checked.
    pub reason: Option<String>,
}

/// A message with its words: what templates and CloudEvents hold.
#[derive(Debug, Serialize)]
pub struct Described<'a> {
    #[serde(flatten)]
    message: &'a Message,
    title: String,
    text: String,
}

impl Message {
    /// One message of things that belong together; `None` of nothing. `link` is where people reach the server.
    pub fn of(tellings: &[&Telling], link: Option<&str>) -> Option<Self> {
        let first = tellings.first()?;
        let mut flags: Vec<&Flag> = Vec::new();
        let mut names: Vec<(&String, Option<&String>)> = Vec::new();
        for telling in tellings {
            match &telling.flag {
                Some(flag) if flags.iter().all(|known| known.id != flag.id) => flags.push(flag),
                None if names.iter().all(|(name, _)| *name != &telling.repository) => {
                    names.push((&telling.repository, telling.reason.as_ref()));
                }
                _ => {}
            }
        }
        flags.sort_by_key(|flag| std::cmp::Reverse(flag.severity));
        let count = flags.len() + names.len();
        let one_repository = tellings.iter().all(|telling| telling.repository == first.repository);
        let subject = match flags.as_slice() {
            [flag] => image(flag),
            _ if one_repository => first.repository.clone(),
            _ => first.host.clone(),
        };
        let told = |flag: &&Flag| FlagTold {
            flag: (*flag).clone(),
            link: link.map(|link| format!("{}/flags/{}", link.trim_end_matches('/'), flag.id)),
        };
        Some(Self {
            occasion: first.occasion,
            at: first.at,
            severity: flags.iter().map(|flag| flag.severity).max(),
            count,
            subject,
            flags: flags.iter().take(MOST_NAMED).map(told).collect(),
            repositories: names
                .iter()
                .take(MOST_NAMED)
                .map(|(name, reason)| RepositoryTold {
                    name: (*name).clone(),
                    reason: reason.map(|reason| line(reason, LONGEST_REASON)),
                })
                .collect(),
        })
    }

    /// What a person sends to try a notifier.
    pub fn test(at: Instant) -> Self {
        let (flags, repositories) = (Vec::new(), Vec::new());
        Self { occasion: Occasion::Test, at, severity: None, count: 0, subject: String::new(), flags, repositories }
    }

    /// With its words.
    pub fn described(&self) -> Described<'_> {
        Described { message: self, title: self.title(), text: self.text() }
    }

    /// One line.
    pub fn title(&self) -> String {
        let title = match (self.occasion, self.flags.as_slice()) {
            (Occasion::Test, _) => "This is a test".to_owned(),
            (Occasion::Failing, _) if self.count == 1 => format!("{} cannot be checked", self.subject),
            (Occasion::Failing, _) => format!("{} repositories of {} cannot be checked", self.count, self.subject),
            (Occasion::Recovered, _) if self.count == 1 => format!("{} can be checked again", self.subject),
            (Occasion::Recovered, _) => format!("{} repositories of {} can be checked again", self.count, self.subject),
            (Occasion::Restored, [one]) if one.flag.tag.is_none() => format!("{} is back", self.subject),
            (Occasion::Restored, [_]) => format!("{} is as promised again", self.subject),
            (Occasion::Restored, _) => format!("{} releases of {} are as promised again", self.count, self.subject),
            (_, [one]) => format!("{} {}", self.subject, what(&one.flag)),
            (_, flags) if flags.iter().all(|told| is_gone(&told.flag)) => {
                format!("{} releases of {} are gone", self.count, self.subject)
            }
            _ => format!("{} releases of {} are not as promised", self.count, self.subject),
        };
        let title = match self.severity.filter(|_| self.occasion != Occasion::Restored) {
            Some(severity) => format!("[{severity}] {title}"),
            None => title,
        };
        line(&title, LONGEST_TITLE)
    }

    /// The title and some lines for each flag or repository.
    pub fn text(&self) -> String {
        let mut lines = vec![self.title(), String::new()];
        for told in &self.flags {
            let flag = &told.flag;
            lines.push(format!("- {} {}", image(flag), self.happened(flag)));
            lines.extend(flag.promise.as_ref().map(|promise| format!("  promised: {promise}")));
            let other = flag.current.as_ref().filter(|current| flag.promise.as_ref() != Some(*current));
            lines.extend(other.map(|current| format!("  now:      {current}")));
            lines.push(match flag.not_before {
                Some(from) => format!("  between {from} and {}", flag.not_after),
                None => format!("  before {}", flag.not_after),
            });
            lines.extend(told.link.as_ref().map(|link| format!("  {link}")));
        }
        for told in &self.repositories {
            let reason = told.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            lines.push(format!("- {}{reason}", told.name));
        }
        let named = self.flags.len() + self.repositories.len();
        if self.count > named {
            lines.push(format!("- and {} more", self.count - named));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    fn happened(&self, flag: &Flag) -> &'static str {
        if self.occasion == Occasion::Restored { "is as promised again" } else { what(flag) }
    }

    /// The last part of a CloudEvents type.
    pub fn event_type(&self) -> String {
        let of = match self.occasion {
            Occasion::Opened | Occasion::Reopened | Occasion::Worsened | Occasion::Restored => "flag",
            Occasion::Failing | Occasion::Recovered => "repository",
            Occasion::Test => "notifier",
        };
        format!("dev.tagwarden.{of}.{}", self.occasion)
    }

    /// The digest that a reader who knows one image only is told of.
    pub fn digest(&self) -> Option<&Digest> {
        let flag = &self.flags.first()?.flag;
        flag.current.as_ref().or(flag.promise.as_ref())
    }
}

/// The flagged tag as docker would name it, or the repository.
pub(super) fn image(flag: &Flag) -> String {
    match &flag.tag {
        Some(tag) => format!("{}:{tag}", flag.repository),
        None => flag.repository.clone(),
    }
}

fn is_gone(flag: &Flag) -> bool {
    flag.kind == FlagKind::Breach && flag.current.is_none()
}

fn what(flag: &Flag) -> &'static str {
    match (flag.kind, &flag.promise, &flag.current) {
        (FlagKind::Vanished, ..) => "cannot be found any more",
        (FlagKind::Invisible, ..) => "is not visible to these credentials any more",
        (FlagKind::Breach, _, None) => "is gone",
        (FlagKind::Breach, None, Some(_)) => "is there although it was retired",
        (FlagKind::Breach, Some(promise), Some(current)) if promise == current => "was not as promised for a while",
        (FlagKind::Breach, Some(_), Some(_)) => "was reassigned",
    }
}

/// One line without control characters, cut.
fn line(text: &str, longest: usize) -> String {
    let clean = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    let mut line: String = clean.take(longest + 1).collect();
    if line.chars().count() > longest {
        line = line.chars().take(longest - 1).chain(['…']).collect();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_and_has_an_end() {
        assert_eq!(line("a\r\nBcc: x\u{1b}[0m", 100), "a  Bcc: x [0m");
        assert_eq!(line(&"x".repeat(300), 200).chars().count(), 200);
        assert_eq!(line("xxx", 3), "xxx");
    }
}
