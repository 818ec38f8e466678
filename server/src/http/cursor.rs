//! Paging: `limit`, and cursors that are opaque and bound to what they were made for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tagwarden_model::api::Page;

use super::error::ApiError;
use crate::store::read::{Position, Rows};

/// What a list was asked for: its route and every parameter that chooses or orders rows. A cursor made for one list is
/// refused by another; the `limit` may change from page to page.
pub struct List {
    bound_to: String,
}

impl List {
    /// `route` names the list; `filter` is its parameters but `limit` and `cursor`, in a fixed order.
    pub fn new(route: &str, filter: &[&dyn fmt::Display]) -> Self {
        let filter: Vec<String> = filter.iter().map(ToString::to_string).collect();
        Self { bound_to: format!("{route} {filter:?}") }
    }

    /// The position that `cursor` stands for.
    pub fn position(&self, cursor: Option<&str>) -> Result<Option<Position>, ApiError> {
        let Some(text) = cursor else { return Ok(None) };
        let refused =
            || ApiError::invalid("cursor", "take the cursor from `next` of the page before, with the same parameters");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
        let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| refused())?;
        if cursor.seal != self.seal(&cursor.position) {
            return Err(refused());
        }
        Ok(Some(cursor.position))
    }

    /// The page of these rows.
    pub fn page<T>(&self, (items, next): Rows<T>) -> Page<T> {
        Page { items, next: next.map(|position| self.cursor(position)) }
    }

    /// The cursor that stands for `position`.
    pub fn cursor(&self, position: Position) -> String {
        let cursor = Cursor { seal: self.seal(&position), position };
        // Serialising strings and JSON values to memory cannot fail.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    }

    /// Changes with the route, its parameters, the position and the version of this format. It keeps apart what does not
    /// belong together; it is no secret, so the store checks the types within a position.
    fn seal(&self, position: &Position) -> String {
        let text = format!("1 {} {}", self.bound_to, serde_json::Value::from(position.0.clone()));
        URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..9])
    }
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "s")]
    seal: String,
    #[serde(rename = "p")]
    position: Position,
}

/// How many rows a page has at most: 1 to 500.
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub u32);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u32::deserialize(deserializer)?;
        if (1..=500).contains(&limit) { Ok(Self(limit)) } else { Err(D::Error::custom("a page has 1 to 500 rows")) }
    }
}

/// An optional filter as text that tells "none" from every value.
pub struct Opt<'a, T>(pub &'a Option<T>);

impl<T: fmt::Display> fmt::Display for Opt<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => write!(f, "={value}"),
            None => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cursor_is_read_by_its_own_list_only() {
        let list = List::new("tags", &[&"a/b", &Opt(&Some("x"))]);
        let cursor = list.cursor(Position(vec![json!(7), json!("v")]));
        assert_eq!(list.position(Some(&cursor)).unwrap(), Some(Position(vec![json!(7), json!("v")])));
        for other in [
            List::new("events", &[&"a/b", &Opt(&Some("x"))]),
            List::new("tags", &[&"a/c", &Opt(&Some("x"))]),
            List::new("tags", &[&"a/b", &Opt::<&str>(&None)]),
            List::new("tags", &[&"a/b\", \"=x"]),
        ] {
            assert!(matches!(other.position(Some(&cursor)), Err(ApiError::Invalid { field, .. }) if field == "cursor"));
        }
    }

    #[test]
    fn a_changed_cursor_is_refused() {
        let list = List::new("tags", &[]);
        let cursor = list.cursor(Position(vec![json!(7)]));
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(list.position(Some(&changed)).is_err(), "{changed}");
        }
        assert!(list.position(Some("")).is_err());
    }
}
