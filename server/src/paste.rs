//! Finds the images that a pasted text names: lists, compose files, Kubernetes manifests, Diun's lists. Pure, and quick with
//! whatever is pasted: sizes, depth and aliases are bounded.

mod documents;
mod formats;
mod lines;

use std::collections::BTreeMap;

use tagwarden_model::api::{NotUnderstood, PasteFormat, PasteItem, Pasted};
use tagwarden_model::name::Reference;

/// Bytes of a pasted text.
pub const LONGEST: usize = 1 << 20;

/// Repositories that one answer has.
const MOST_ITEMS: usize = 2_000;

/// Lines that were not understood, in one answer.
const MOST_UNREAD: usize = 200;

/// Tags of a repository, and places where it was found.
const MOST_OF_EACH: usize = 10;

/// Characters of what was not understood that are repeated.
const SHOWN: usize = 120;

/// Finds what a text names.
pub fn parse(text: &str) -> Pasted {
    let text = text.trim_start_matches('\u{feff}');
    let mut found = Found::default();
    let format = match documents::read(text) {
        Ok(Some(documents)) => formats::collect(&documents, &mut found),
        Ok(None) => None,
        Err(unread) => {
            found.unread.push(unread);
            Some(PasteFormat::Unknown)
        }
    };
    let format = format.unwrap_or_else(|| {
        lines::collect(text, &mut found);
        PasteFormat::Names
    });
    found.answer(format)
}

/// What was found so far.
#[derive(Default)]
struct Found {
    items: BTreeMap<String, PasteItem>,
    unread: Vec<NotUnderstood>,
    truncated: bool,
}

impl Found {
    /// Takes an image's name as it stands at `place`.
    fn image(&mut self, text: &str, place: &str) {
        let text = text.trim();
        match reference(text) {
            Ok(reference) => self.repository(&reference, place),
            Err(reason) => self.unread(text, place, reason),
        }
    }

    fn repository(&mut self, reference: &Reference, place: &str) {
        let name = reference.repository.to_string();
        if self.items.len() >= MOST_ITEMS && !self.items.contains_key(&name) {
            self.truncated = true;
            return;
        }
        let empty = || PasteItem { name: name.clone(), tags: Vec::new(), places: Vec::new(), watched: false };
        let item = self.items.entry(name.clone()).or_insert_with(empty);
        add(&mut item.places, place);
        if let Some(tag) = &reference.tag {
            add(&mut item.tags, tag.as_str());
        }
    }

    fn unread(&mut self, text: &str, place: &str, reason: String) {
        if self.unread.len() < MOST_UNREAD {
            let text = text.chars().take(SHOWN).collect();
            self.unread.push(NotUnderstood { place: place.to_owned(), text, reason });
        } else {
            self.truncated = true;
        }
    }

    fn answer(self, format: PasteFormat) -> Pasted {
        let items = self.items.into_values().collect();
        Pasted { format, items, not_understood: self.unread, truncated: self.truncated }
    }
}

fn add(list: &mut Vec<String>, text: &str) {
    if list.len() < MOST_OF_EACH && list.iter().all(|known| known != text) {
        list.push(text.chars().take(SHOWN).collect());
    }
}

/// Reads an image's name. Variables of compose stand for their defaults; a tag that is one is left out.
fn reference(text: &str) -> Result<Reference, String> {
    let text = text.strip_prefix("docker://").unwrap_or(text);
    let resolved = with_defaults(text);
    let known = match resolved.find('$') {
        None => resolved.as_str(),
        Some(variable) => {
            let tag = resolved[..variable].rfind(':').filter(|colon| !resolved[*colon..].contains('/'));
            let tag = tag.or_else(|| resolved[..variable].rfind('@'));
            tag.map(|at| &resolved[..at]).ok_or("the name is a variable without a default: write what it stands for")?
        }
    };
    known.parse().map_err(|error: tagwarden_model::name::ReferenceError| error.to_string())
}

/// `${TAG:-1.2}` and `${TAG-1.2}` become `1.2`.
fn with_defaults(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, variable)) = rest.split_once("${") {
        let Some((inside, after)) = variable.split_once('}') else { break };
        out.push_str(before);
        match inside.split_once('-') {
            Some((_, default)) => out.push_str(default),
            None => out.push('$'),
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests;
