use std::fmt::Write as _;

use super::*;
use crate::digest::hex;
use proptest::prelude::*;
use serde_json::Value;

/// One example of the committed vectors, which were computed without this code.
#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    salt: String,
    body: String,
    entry: String,
    leaf: String,
}

/// What an [`Entry`] borrows.
#[derive(Debug, Clone, PartialEq)]
struct Owned {
    numbers: (i64, i64, Option<i64>, i64, Option<i64>),
    kind: EventKind,
    repository: String,
    tag: Option<String>,
    digests: (Option<Digest>, Option<Digest>),
    flags: (bool, bool, bool),
    source: (Source, Option<String>),
    deleted_by: Option<DeletedBy>,
    actor: String,
}

impl Owned {
    fn entry(&self) -> Entry<'_> {
        let (seq, at, not_before, not_after, group) = self.numbers;
        Entry {
            seq,
            at: Instant(at),
            kind: self.kind,
            repository: &self.repository,
            tag: self.tag.as_deref(),
            old: self.digests.0.as_ref(),
            new: self.digests.1.as_ref(),
            not_before: not_before.map(Instant),
            not_after: Instant(not_after),
            clock_changed: self.flags.0,
            source: self.source.0,
            source_name: self.source.1.as_deref(),
            verified: self.flags.1,
            baseline: self.flags.2,
            deleted_by: self.deleted_by,
            group,
            actor: &self.actor,
        }
    }

    /// The inverse of [`Entry::body`], by the module's description.
    fn read(body: &str) -> Self {
        let fields: Vec<Value> = serde_json::from_str(body).unwrap();
        assert_eq!(fields.len(), 17);
        assert_eq!(fields[0], FORMAT);
        let text = |at: usize| fields[at].as_str().map(str::to_owned);
        let number = |at: usize| (!fields[at].is_null()).then(|| fields[at].as_i64().unwrap());
        let digest = |at: usize| text(at).map(|digest| digest.parse().unwrap());
        let flag = |at: usize| fields[at].as_bool().unwrap();
        let source = text(11).unwrap();
        let (word, name) = match source.split_once(':') {
            Some((word, name)) => (word, Some(name.to_owned())),
            None => (&*source, None),
        };
        Self {
            numbers: (number(1).unwrap(), number(2).unwrap(), number(8), number(9).unwrap(), number(15)),
            kind: EventKind::from_word(&text(3).unwrap()).unwrap(),
            repository: text(4).unwrap(),
            tag: text(5),
            digests: (digest(6), digest(7)),
            flags: (flag(10), flag(12), flag(13)),
            source: (Source::from_word(word).unwrap(), name),
            deleted_by: text(14).map(|word| DeletedBy::from_word(&word).unwrap()),
            actor: text(16).unwrap(),
        }
    }
}

/// Text that tries to look like the end of its element.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\",\"".to_owned()),
        Just("null".to_owned()),
        Just("\\u0022".to_owned()),
        Just("]".to_owned()),
        Just("\u{0}\u{1f}\u{7f}\u{2028}".to_owned()),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn digest() -> impl Strategy<Value = Digest> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(Digest::Sha256),
        any::<[[u8; 32]; 2]>().prop_map(|halves| Digest::Sha512(Box::new(halves.concat().try_into().unwrap()))),
    ]
}

fn owned() -> impl Strategy<Value = Owned> {
    let word = |all: &'static [EventKind]| prop::sample::select(all);
    (
        any::<(i64, i64, Option<i64>, i64, Option<i64>)>(),
        word(EventKind::ALL),
        hostile(),
        prop::option::of(hostile()),
        (prop::option::of(digest()), prop::option::of(digest())),
        any::<(bool, bool, bool)>(),
        (prop::sample::select(Source::ALL), prop::option::of(hostile())),
        prop::option::of(prop::sample::select(DeletedBy::ALL)),
        hostile(),
    )
        .prop_map(|(numbers, kind, repository, tag, digests, flags, source, deleted_by, actor)| Owned {
            numbers,
            kind,
            repository,
            tag,
            digests,
            flags,
            source,
            deleted_by,
            actor,
        })
}

#[test]
fn section_11_3_the_committed_vectors_hold() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let salt: Vec<u8> =
            (0..16).map(|at| u8::from_str_radix(&vector.salt[2 * at..2 * at + 2], 16).unwrap()).collect();
        let salt: Salt = salt.try_into().unwrap();
        let event = Owned::read(&vector.body);
        assert_eq!(event.entry().body(), vector.body, "{}", vector.name);
        assert_eq!(hex(&entry_hash(&salt, &vector.body)), vector.entry, "{}", vector.name);
        assert_eq!(hex(&event.entry().leaf(&salt)), vector.leaf, "{}", vector.name);
    }
}

#[test]
fn section_11_3_the_salt_changes_the_leaf_and_an_entry_is_no_leaf() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let event = Owned::read(&vectors[1].body);
    let (one, other) = ([0; 16], [1; 16]);
    assert_ne!(event.entry().leaf(&one), event.entry().leaf(&other));
    assert_ne!(event.entry().leaf(&one), entry_hash(&one, &event.entry().body()));
}

#[test]
fn section_11_3_the_words_in_bodies_never_change() {
    let words: Vec<_> = EventKind::ALL.iter().map(|kind| kind.word()).collect();
    assert_eq!(words, ["created", "moved", "deleted", "recreated", "retracted", "vanished", "returned"]);
    let words: Vec<_> = Source::ALL.iter().map(|source| source.word()).collect();
    assert_eq!(words, ["poll", "hint", "backfill", "tagwarden"]);
    let words: Vec<_> = DeletedBy::ALL.iter().map(|reason| reason.word()).collect();
    assert_eq!(words, ["unlisted", "dangling", "empty_listing"]);
}

proptest! {
    #[test]
    fn section_11_3_no_name_can_forge_another_body(event in owned()) {
        prop_assert_eq!(Owned::read(&event.entry().body()), event);
    }

    #[test]
    fn section_11_3_only_what_is_listed_is_escaped(text: String) {
        let mut expected = String::from("\"");
        for char in text.chars() {
            match char {
                '"' | '\\' => expected.extend(['\\', char]),
                '\u{8}' => expected.push_str("\\b"),
                '\t' => expected.push_str("\\t"),
                '\n' => expected.push_str("\\n"),
                '\u{c}' => expected.push_str("\\f"),
                '\r' => expected.push_str("\\r"),
                ..='\u{1f}' => write!(expected, "\\u{:04x}", u32::from(char)).unwrap(),
                _ => expected.push(char),
            }
        }
        expected.push('"');
        let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors.json")).unwrap();
        let mut event = Owned::read(&vectors[0].body);
        event.actor = text;
        let body = event.entry().body();
        let end = format!(",{expected}]");
        prop_assert!(body.ends_with(&end), "{body} does not end with {end}");
    }
}
