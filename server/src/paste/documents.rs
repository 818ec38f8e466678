//! JSON and YAML, within bounds.

use serde_json::Value;
use tagwarden_model::api::NotUnderstood;

/// Nodes of a pasted YAML: what fits into its megabyte and is no attack.
const MOST_NODES: usize = 100_000;

/// Its documents.
const MOST_DOCUMENTS: usize = 2_000;

/// Its depth.
const DEEPEST: usize = 48;

/// What its aliases may unfold to.
const MOST_REPLAYED: usize = 20_000;

/// Keys with which the documents begin that are understood.
const KEYS: &[&str] = &["services", "apiVersion", "kind", "providers", "items", "version", "name", "metadata"];

/// The documents of a text; `None` if it looks like neither JSON nor YAML.
pub fn read(text: &str) -> Result<Option<Vec<Value>>, NotUnderstood> {
    if text.trim_start().starts_with(['{', '[']) {
        let json = serde_json::from_str(text).map(|document| Some(vec![document]));
        // `[::1]:5000/team/api` begins so, too.
        return json.or_else(|error| {
            if text.trim_start().starts_with("[::") {
                return Ok(None);
            }
            Err(unread(error.line() as u64, &format!("this looks like JSON, but is wrong there: {error}")))
        });
    }
    if !text.lines().any(is_key) {
        return Ok(None);
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: MOST_NODES,
            max_events: 3 * MOST_NODES,
            max_documents: MOST_DOCUMENTS,
            max_depth: DEEPEST,
            max_aliases: 1_000,
            max_anchors: 1_000,
            // One block that all services share is no attack; what aliases unfold to is bounded below.
            enforce_alias_anchor_ratio: false,
            max_recorded_anchor_events: 10 * MOST_REPLAYED,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST_REPLAYED },
        with_snippet: false,
    };
    let documents = serde_saphyr::from_multiple_with_options(text, options);
    documents.map(Some).map_err(|error: serde_saphyr::Error| {
        let line = error.location().map_or(1, |location| location.line());
        let words = error.to_string();
        let words = if words.contains("budget") {
            "it is larger, deeper or repeats itself more often than a list of images does".to_owned()
        } else {
            words.chars().take(300).collect()
        };
        unread(line, &format!("this looks like YAML, but cannot be read: {words}"))
    })
}

/// Whether a line begins with a key that the formats have, at the left or as the first of a list's entry.
fn is_key(line: &str) -> bool {
    let Some((key, rest)) = line.strip_prefix("- ").unwrap_or(line).split_once(':') else { return false };
    KEYS.contains(&key.trim_end()) && (rest.is_empty() || rest.starts_with([' ', '\t', '\r']))
}

fn unread(line: u64, reason: &str) -> NotUnderstood {
    NotUnderstood { place: format!("line {line}"), text: String::new(), reason: reason.to_owned() }
}
