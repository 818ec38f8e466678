//! Manifests and configs as they were pushed, read for their comparison: RECORD.md 9.
//!
//! What is read here was written by whoever can push. Everything is bounded, no name is read twice in two ways, and what is
//! wrong is said: what cannot be read ranks critical, so that nobody gains by writing it.

mod config;
mod json;
mod manifest;

use std::collections::BTreeMap;
use std::sync::Arc;

use tagwarden_model::change::{Body, Config, Content, Entry, Index, Manifest, Unread};
use tagwarden_model::digest::Digest;

pub use self::json::ContentError;
use self::manifest::{Parsed, is_index};

/// What a digest names, from the bytes that are held, each kept under its digest: manifests, those that an index lists, and
/// configs. The rest is `Missing`; `change::wanted` says which of it is worth loading before this is called again.
pub fn read(digest: &Digest, held: &BTreeMap<Digest, Vec<u8>>) -> Content {
    let mut reader = Reader { held, manifests: BTreeMap::new(), configs: BTreeMap::new() };
    let body = match reader.parse(digest) {
        Ok(Parsed::Index { media_type, annotations, entries }) => {
            let entries = entries.into_iter().map(|entry| reader.entry(entry)).collect();
            Ok(Body::Index(Index { media_type, annotations, entries }))
        }
        Ok(Parsed::Manifest(manifest)) => Ok(Body::Manifest(reader.with_config(manifest))),
        Err(unread) => Err(unread),
    };
    Content { digest: digest.clone(), body }
}

/// Parses everything once: an index may name one manifest, and many manifests one config, a thousand times.
struct Reader<'a> {
    held: &'a BTreeMap<Digest, Vec<u8>>,
    manifests: BTreeMap<Digest, Result<Arc<Manifest>, Unread>>,
    configs: BTreeMap<Digest, Result<Arc<Config>, Unread>>,
}

impl Reader<'_> {
    fn parse(&self, digest: &Digest) -> Result<Parsed, Unread> {
        let bytes = self.held.get(digest).ok_or(Unread::Missing)?;
        manifest::parse(bytes).map_err(|error| unreadable(&error))
    }

    fn entry(&mut self, entry: manifest::Descriptor) -> Entry {
        let body = if is_index(&entry.part.media_type) { Err(nested()) } else { self.manifest(&entry.part.digest) };
        Entry {
            platform: entry.platform,
            annotations: entry.part.annotations,
            content: Content { digest: entry.part.digest, body: body.map(Body::Manifest) },
        }
    }

    fn manifest(&mut self, digest: &Digest) -> Result<Arc<Manifest>, Unread> {
        if let Some(read) = self.manifests.get(digest) {
            return read.clone();
        }
        let read = self.parse(digest).and_then(|parsed| match parsed {
            Parsed::Manifest(manifest) => Ok(self.with_config(manifest)),
            Parsed::Index { .. } => Err(nested()),
        });
        self.manifests.insert(digest.clone(), read.clone());
        read
    }

    fn with_config(&mut self, mut manifest: Manifest) -> Arc<Manifest> {
        if manifest.image.is_some() {
            let config = self.configs.entry(manifest.config.digest.clone()).or_insert_with_key(|digest| {
                let bytes = self.held.get(digest).ok_or(Unread::Missing)?;
                config::parse(bytes).map(Arc::new).map_err(|error| unreadable(&error))
            });
            manifest.image = Some(config.clone());
        }
        Arc::new(manifest)
    }
}

fn unreadable(error: &ContentError) -> Unread {
    Unread::Unreadable(error.to_string())
}

fn nested() -> Unread {
    Unread::Unreadable("it is an index inside an index".to_owned())
}

#[cfg(test)]
mod tests;
