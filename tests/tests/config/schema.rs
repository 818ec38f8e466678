//! The schema that editors use is the one that the server checks with.

use std::fs;
use std::path::Path;

use tagwarden::config::schema;

use super::Written;

#[test]
fn the_committed_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/tagwarden.schema.json");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let committed: serde_json::Value = serde_json::from_str(&committed).unwrap_or_default();
    assert!(committed == schema(), "bring it up to date: tagwarden config-schema > packaging/tagwarden.schema.json");
}

#[test]
fn every_key_of_the_schema_is_known_to_the_server() {
    fn lines(schema: &serde_json::Value, heading: &str) -> String {
        let properties = schema["properties"].as_object().unwrap().iter();
        let (tables, keys): (Vec<_>, Vec<_>) =
            properties.partition(|(_, value)| value["type"] == "object" || value["items"]["type"] == "object");
        // A wrong kind for every key: each is found, none is unknown.
        let wrong = |property: &serde_json::Value| if property["type"] == "boolean" { "1" } else { "true" };
        let keys: Vec<_> = keys.into_iter().map(|(key, property)| format!("{key} = {}", wrong(property))).collect();
        let mut text = format!("{heading}\n{}\n", keys.join("\n"));
        for (key, table) in tables {
            let inner = heading.trim_matches(['[', ']']);
            let name = if inner.is_empty() { key.clone() } else { format!("{inner}.{key}") };
            text += &match table["type"].as_str().unwrap() {
                "object" => lines(table, &format!("[{name}]")),
                _ => lines(&table["items"], &format!("[[{name}]]")),
            };
        }
        text
    }
    let text = lines(&schema(), "");
    let error = Written::new(&text).load().err().unwrap();
    let found: Vec<_> = error.mistakes.iter().map(|mistake| mistake.message.as_str()).collect();
    // A variable goes before `docker_config`.
    assert_eq!(found.len(), text.lines().filter(|line| line.contains('=')).count() - 1, "{found:#?}");
    assert!(found.iter().all(|message| !message.contains("is no key")), "{found:#?}");
}
