//! JSON that somebody pushed, read strictly and within bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use sha2::{Digest as _, Sha256};
use tagwarden_model::change::visible;
use tagwarden_model::digest::Digest;

/// What a manifest or config may weigh: what registries accept at least (OCI distribution-spec, "Pushing Manifests").
const MAX_BYTES: usize = 4 << 20;
/// What a list or a map may hold; no image has a tenth of it.
const MAX_ITEMS: usize = 2_000;
/// So many characters of a reason are kept.
const REASON: usize = 200;

/// Why bytes are no manifest, index or config that can be compared; the texts are shown to people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// More bytes than a registry has to accept.
    #[error("it has {size} bytes; at most {MAX_BYTES} are read")]
    TooLarge {
        /// How many.
        size: usize,
    },
    /// No JSON, cut JSON, or nested without end.
    #[error("it is no JSON that can be read: {message}")]
    Json {
        /// What and where, by line and column.
        message: String,
    },
    /// JSON that holds something else than it should.
    #[error("at `{at}`: {message}")]
    Invalid {
        /// Where, as in `layers[3].digest`; `.` for the whole.
        at: String,
        /// What is wrong.
        message: String,
    },
    /// Without `manifests`, `config` and `layers`.
    #[error("it is neither an index nor a manifest")]
    NoManifest,
    /// With `manifests` and `config` or `layers`: clients disagree about what it is.
    #[error("it is an index and a manifest at once")]
    Ambiguous,
    /// Its own `mediaType` says something else than what it holds.
    #[error("it says that it is `{media_type}`, which it is not")]
    MediaType {
        /// What it says.
        media_type: String,
    },
    /// Docker's schema 1, or one to come.
    #[error("its schema version is {version}; only 2 is read")]
    Schema {
        /// What it says.
        version: u64,
    },
}

/// Reads one value from bytes that hold nothing else.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ContentError> {
    if bytes.len() > MAX_BYTES {
        return Err(ContentError::TooLarge { size: bytes.len() });
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let at = visible(&error.path().to_string(), REASON);
        let error = error.into_inner();
        if error.is_data() { ContentError::Invalid { at, message: reason(&error) } } else { no_json(&error) }
    })?;
    json.end().map_err(|error| no_json(&error))?;
    Ok(value)
}

fn no_json(error: &serde_json::Error) -> ContentError {
    ContentError::Json { message: reason(error) }
}

fn reason(error: &serde_json::Error) -> String {
    visible(&error.to_string(), REASON)
}

/// An object with known keys.
pub(super) trait Object: Default {
    /// What is made of it.
    type Value;

    /// The keys that [`Object::known`] reads.
    const KEYS: &'static [&'static str];

    /// Reads the value of one of [`Object::KEYS`]; each comes once at most.
    fn known<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;

    /// Reads the value of another key.
    fn other<'de, A: MapAccess<'de>>(&mut self, _key: String, map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(drop)
    }

    /// What was read, or what is missing.
    fn value(self) -> Result<Self::Value, &'static str>;
}

/// Reads an [`Object`] so that every client reads it in the same way: no known key comes twice, or in a spelling that Go
/// takes for it (`Digest` for `digest`), by which a pushed file would be one thing here and another where it runs.
pub(super) struct Strict<T: Object>(pub T::Value);

impl<'de, T: Object> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor::<T>(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<T> {
    type Value = Strict<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = T::default();
        let mut seen = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match T::KEYS.iter().find(|known| folded(known).eq(folded(&key))) {
                Some(known) if *known != key => {
                    return Err(A::Error::custom(format!(
                        "`{key}` would be read as `{known}` by some and not by others"
                    )));
                }
                Some(known) if seen.contains(known) => {
                    return Err(A::Error::custom(format!("`{known}` is there twice")));
                }
                Some(known) => {
                    seen.push(*known);
                    object.known(known, &mut map)?;
                }
                None => object.other(key, &mut map)?,
            }
        }
        object.value().map(Strict).map_err(A::Error::custom)
    }
}

/// Letters as Go's decoder compares keys (encoding/json, `foldName`).
fn folded(key: &str) -> impl Iterator<Item = char> {
    key.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    })
}

/// An object, or null for an empty one.
pub(super) fn object<'de, T: Object, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T::Value>, A::Error> {
    Ok(map.next_value::<Option<Strict<T>>>()?.map(|read| read.0))
}

/// A text; null is an empty one.
pub(super) fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
    Ok(map.next_value::<Option<String>>()?.unwrap_or_default())
}

/// A list of at most `MOST`; null is an empty one.
pub(super) struct List<T, const MOST: usize = MAX_ITEMS>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for List<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for ListVisitor<T, MOST> {
    type Value = List<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(List(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        // Without trusting a length that is claimed.
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() >= MOST {
                return Err(A::Error::custom(format!("more than {MOST} items")));
            }
            items.push(item);
        }
        Ok(List(items))
    }
}

/// An object of any names with values of one type; no name comes twice. Null is an empty one.
pub(super) struct Map<T>(pub BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor(PhantomData))
    }
}

struct NamesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamesVisitor<T> {
    type Value = Map<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Map(BTreeMap::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut items = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            add(&mut items, name, map.next_value()?)?;
        }
        Ok(Map(items))
    }
}

/// Adds what comes under a name that is not known beforehand.
fn add<T, E: serde::de::Error>(items: &mut BTreeMap<String, T>, name: String, value: T) -> Result<(), E> {
    if items.len() >= MAX_ITEMS {
        return Err(E::custom(format!("more than {MAX_ITEMS} names")));
    }
    if items.contains_key(&name) {
        return Err(E::custom(format!("`{name}` is there twice")));
    }
    items.insert(name, value);
    Ok(())
}

/// The names of an object, whatever stands under them.
pub(super) fn names<'de, A: MapAccess<'de>>(map: &mut A) -> Result<BTreeSet<String>, A::Error> {
    Ok(map.next_value::<Map<IgnoredAny>>()?.0.into_keys().collect())
}

/// A hash of a value as it is written, but for spaces and escapes: equal only where every client reads the same. Nothing of
/// the value is kept, however large it is. `None` for null, false and what is empty: builders write them or leave them out.
struct Hashed(Option<Digest>);

impl<'de> Deserialize<'de> for Hashed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut hash = Sha256::new();
        let holds = Feed(&mut hash).deserialize(deserializer)?;
        Ok(Self(holds.then(|| Digest::Sha256(hash.finalize().into()))))
    }
}

/// Adds the hash of the next value to the other fields of an object.
pub(super) fn add_hashed<'de, A: MapAccess<'de>>(
    others: &mut BTreeMap<String, Digest>,
    name: String,
    map: &mut A,
) -> Result<(), A::Error> {
    map.next_value::<Hashed>()?.0.map_or(Ok(()), |hash| add(others, name, hash))
}

/// Feeds a value to a hash: it begins with its kind, and a text with its length. Says whether it holds anything.
pub(super) struct Feed<'a>(pub &'a mut Sha256);

impl Feed<'_> {
    fn text(&mut self, text: &str) {
        self.0.update(b"t");
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }
}

impl<'de> DeserializeSeed<'de> for Feed<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Feed<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        self.0.update(b"n");
        Ok(false)
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        self.0.update([b'b', u8::from(value)]);
        Ok(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        self.0.update(b"u");
        self.0.update(value.to_be_bytes());
        Ok(true)
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        self.0.update(b"i");
        self.0.update(value.to_be_bytes());
        Ok(true)
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        self.0.update(b"f");
        self.0.update(value.to_be_bytes());
        Ok(true)
    }

    fn visit_str<E>(mut self, value: &str) -> Result<bool, E> {
        self.text(value);
        Ok(!value.is_empty())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut holds = false;
        self.0.update(b"[");
        while list.next_element_seed(Feed(self.0))?.is_some() {
            holds = true;
        }
        self.0.update(b"]");
        Ok(holds)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        let mut holds = false;
        self.0.update(b"{");
        while let Some(key) = map.next_key::<String>()? {
            self.text(&key);
            map.next_value_seed(Feed(self.0))?;
            holds = true;
        }
        self.0.update(b"}");
        Ok(holds)
    }
}
