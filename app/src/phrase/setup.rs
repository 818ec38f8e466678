//! Sentences about what is not a tag: what could be watched, who is told, and the configuration.

use tagwarden_model::api::{ClassCount, Configuration, ConfigurationError, Notifier, Pasted, RepositoryPreview};
use tagwarden_model::instant::Instant;

use super::{Tone, count, grouped, number, split_name};
use crate::time;

/// What a repository has, or why that is not known, in lines.
pub fn preview_lines(preview: &RepositoryPreview) -> Vec<String> {
    if let Some(reason) = &preview.reason {
        return vec![format!("{reason}.")];
    }
    let watched = if preview.watched { " It is watched already." } else { "" };
    let mut lines = vec![format!("Found, with {}.{watched}", count(preview.tags, "tag", "tags"))];
    let class =
        |class: &ClassCount| format!("{} {}: {}", grouped(class.tags), class.class.word(), class.examples.join(", "));
    lines.extend(preview.classes.iter().map(class));
    lines.extend(preview.proposals.first().map(|proposal| {
        let example = proposal.examples.first().map_or("", String::as_str);
        let tags = count(proposal.tags, "tag", "tags");
        format!(
            "{tags} like {example}: rolling. If they never move, a rule for {} makes them releases.",
            proposal.pattern
        )
    }));
    lines
}

/// What a pasted text names, and the first thing in it that was not understood.
pub fn pasted(pasted: &Pasted) -> String {
    let found = count(pasted.items.len() as u64, "repository", "repositories");
    let Some(first) = pasted.not_understood.first() else { return format!("{found} found.") };
    let all = count(pasted.not_understood.len() as u64, "place was", "places were");
    format!("{found} found. {all} not understood; {}: {}.", first.place, first.reason)
}

/// Whether people can be told.
pub fn notifiers_sentence(notifiers: &[Notifier]) -> String {
    let failing = notifiers.iter().filter(|notifier| is_failing(notifier)).count();
    match (notifiers.len(), failing) {
        (0, _) => "Nobody is told of flags: the configuration has no notifier yet.".to_owned(),
        (1, 0) => "One notifier is told of flags.".to_owned(),
        (1, _) => "The only notifier could not be told.".to_owned(),
        (all, 0) => format!("{} notifiers are told of flags.", number(all as u64)),
        (all, some) => format!("{} of {all} notifiers could not be told.", number(some as u64)),
    }
}

/// Whether the last message for a notifier, or an older one, could not be delivered.
pub fn is_failing(notifier: &Notifier) -> bool {
    notifier.dead > 0 || notifier.last_failure > notifier.last_success
}

/// How it is with a notifier, in a word.
pub fn notifier_word(notifier: &Notifier) -> (String, Tone) {
    match notifier {
        _ if notifier.dead > 0 => (format!("{} not told", grouped(notifier.dead)), Tone::Warning),
        _ if is_failing(notifier) => ("failing".to_owned(), Tone::Warning),
        _ if notifier.waiting > 0 => (format!("{} waiting", grouped(notifier.waiting)), Tone::Quiet),
        _ => ("ok".to_owned(), Tone::Ok),
    }
}

/// That the newest configuration has mistakes, and which one is in force.
pub fn wrong_configuration(of: &Configuration, now: Instant) -> String {
    let file = of.file.as_deref().unwrap_or("the configuration");
    let (_, name) = split_name(file);
    let mistakes = match of.errors.len() {
        1 => "a mistake".to_owned(),
        many => format!("{many} mistakes"),
    };
    let read = time::relative(of.loaded_at, now);
    format!("The newest version of {name} has {mistakes} and is not in force; the one that was read {read} is.")
}

/// One mistake of a configuration on one line.
pub fn configuration_error(error: &ConfigurationError) -> String {
    let place = error.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let advice = if error.advice.is_empty() { String::new() } else { format!("; {}", error.advice) };
    format!("{place}{}{advice}", error.message)
}
