//! What is wrong with a configuration, shown so that it can be put right, and without the secrets that stand beside it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Seen;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// Something wrong at a place of the file.
pub struct Problem {
    /// Bytes of the file.
    pub place: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub advice: String,
}

impl Problem {
    /// Something wrong, and what to do.
    pub fn new(place: Range<usize>, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { place, message: message.into(), advice: advice.into() }
    }
}

/// Everything that is wrong with one version of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// At least one, in the order of the file.
    pub mistakes: Vec<Mistake>,
    /// All files that were read or looked for: when one changes, it may be right.
    pub read: Vec<Seen>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line and column in the file, from 1; `None` for what is wrong outside of it.
    pub at: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// All of it for a terminal, with the line of the file.
    shown: String,
}

impl Mistake {
    /// A mistake that is at no place of the file.
    pub fn outside(message: impl Into<String>, advice: impl Into<String>) -> Self {
        let (message, advice) = (message.into(), advice.into());
        let advised = (!advice.is_empty()).then(|| Level::HELP.message(advice.as_str()));
        let report = [Level::ERROR.primary_title(message.as_str()).elements(advised)];
        let shown = Renderer::plain().render(&report);
        Self { at: None, message, advice, shown }
    }

    /// A mistake in the file. Nothing of `secrets` is shown.
    pub fn inside(path: &Path, text: &str, secrets: &[Range<usize>], problem: Problem) -> Self {
        let Problem { place, message, advice } = problem;
        let start = floor(text, place.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line_end = line_start + text[line_start..line_end].trim_end_matches('\r').len();
        let end = floor(text, place.end).clamp(start, line_end.max(start));
        let (line, [from, to]) = masked(&text[line_start..line_end], line_start, secrets, [start, end]);
        let number = text[..line_start].matches('\n').count() + 1;
        let column = text[line_start..start].chars().count() + 1;
        let path = path.to_string_lossy();
        let label = (!advice.is_empty()).then_some(advice.as_str());
        let caret = AnnotationKind::Primary.span(from..to.max(from)).label(label);
        let snippet = Snippet::source(line.as_str()).line_start(number).path(path.as_ref()).annotation(caret);
        let report = [Level::ERROR.primary_title(message.as_str()).element(snippet)];
        let shown = Renderer::plain().decor_style(DecorStyle::Ascii).render(&report);
        Self { at: Some((number, column)), message, advice, shown }
    }
}

/// The nearest boundary of a character at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A line with `…` for secrets, and where two places of it are then.
fn masked(line: &str, offset: usize, secrets: &[Range<usize>], places: [usize; 2]) -> (String, [usize; 2]) {
    let mut shown = String::new();
    let mut places = places.map(|place| (place - offset, None));
    let mut hiding = false;
    for (at, letter) in line.char_indices().chain([(line.len(), '\n')]) {
        for (place, found) in &mut places {
            if at >= *place && found.is_none() {
                *found = Some(shown.len());
            }
        }
        let hide = secrets.iter().any(|secret| secret.contains(&(offset + at)));
        match (hide, hiding) {
            (true, false) => shown.push('…'),
            (false, _) if at < line.len() => shown.push(letter),
            _ => {}
        }
        hiding = hide;
    }
    let end = shown.len();
    let [from, to] = places.map(|(_, found)| found.unwrap_or(end));
    // A mark on a secret itself is on what stands for it.
    let from = if to == from && from > 0 && shown[..from].ends_with('…') { from - '…'.len_utf8() } else { from };
    (shown, [from, to])
}

/// Where secrets may be in a file that cannot be parsed: whatever follows the `=` of a line, unless its key is known to be
/// harmless, and whole lines without a key.
pub fn guessed_secrets(text: &str, is_harmless: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut secrets = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let from = match line.split_once('=') {
            // What follows a second `=` has a key of its own.
            Some((key, rest)) if is_harmless(key.trim()) => {
                rest.find('=').map_or(end, |at| start + key.len() + 1 + at + 1)
            }
            Some((key, rest)) => start + key.len() + 1 + (rest.len() - rest.trim_start().len()),
            None if line.trim_start().starts_with(['[', '#']) => end,
            None => start,
        };
        secrets.push(from.min(end)..end);
        start += line.len();
    }
    secrets
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{} has ", file.display())?,
            None => f.write_str("the configuration has ")?,
        }
        match self.mistakes.len() {
            1 => f.write_str("a mistake")?,
            count => write!(f, "{count} mistakes")?,
        }
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n\n{mistake}"))
    }
}
