//! The version that a tag's name says, in the form of the tag row.

use tagwarden_model::name::TagName;

/// Columns of the tag row.
pub(super) struct Version {
    pub(super) family: String,
    pub(super) track: String,
    /// Compares as the versions do.
    pub(super) key: Vec<u8>,
    pub(super) pre_release: bool,
}

/// The version of a tag.
pub(super) fn of(name: &TagName) -> Version {
    Version { family: String::new(), track: String::new(), key: name.as_str().as_bytes().to_vec(), pre_release: false }
}
