//! Which manifest of the old content stands beside which of the new one.

use std::collections::{BTreeMap, VecDeque};

use super::content::{Body, Content, Index, Manifest};
use super::{ChangeLevel, Platform};

/// A manifest that machines may pull, and the platform under which they find it.
#[derive(Debug, Clone)]
pub(super) struct Listed<'a> {
    /// As runtimes spell it; `None` where nothing says it.
    pub platform: Option<Platform>,
    /// The manifest.
    pub content: &'a Content,
}

impl<'a> Listed<'a> {
    /// What an index offers to machines, in its order.
    pub fn of_index(index: &'a Index) -> Vec<Self> {
        let offered = index.entries.iter().filter(|entry| !entry.is_attestation());
        offered
            .map(|entry| {
                let platform = match &entry.platform {
                    // One that lacks its system or architecture is taken for whatever a machine is.
                    Some(platform) => Some(platform).filter(|platform| platform.is_named()),
                    None => of_config(&entry.content),
                };
                Self { platform: platform.map(Platform::normalised), content: &entry.content }
            })
            .collect()
    }

    /// A manifest that stands alone.
    pub fn alone(content: &'a Content) -> Self {
        Self { platform: of_config(content).map(Platform::normalised), content }
    }

    fn manifest(&self) -> Option<&Manifest> {
        match &self.content.body {
            Ok(Body::Manifest(manifest)) => Some(manifest),
            _ => None,
        }
    }

    /// Whether it is known to be no image: no machine pulls it for its platform.
    fn is_artifact(&self) -> bool {
        self.manifest().is_some_and(|manifest| manifest.image.is_none())
    }

    fn is_like(&self, other: &Self) -> bool {
        let alike = |(one, other): (&Platform, &Platform)| machine(one) == machine(other);
        self.platform.as_ref().zip(other.platform.as_ref()).is_some_and(alike)
    }
}

/// The platform that an image's config says.
fn of_config(content: &Content) -> Option<&Platform> {
    let Ok(Body::Manifest(manifest)) = &content.body else { return None };
    let config = manifest.image.as_ref()?.as_ref().ok()?;
    Some(&config.platform).filter(|platform| platform.is_named())
}

/// System and architecture.
fn machine(platform: &Platform) -> (&str, &str) {
    (&platform.os, &platform.architecture)
}

/// What stands beside what.
#[derive(Debug)]
pub(super) enum Pair<'a> {
    /// In both.
    Both(&'a Listed<'a>, &'a Listed<'a>),
    /// Only in the old content.
    Removed(&'a Listed<'a>),
    /// Only in the new content; the level says whether a machine may take it instead of what it took before.
    Added(&'a Listed<'a>, ChangeLevel),
    /// Only in the old content, and nothing says for which platform.
    UnknownOld(&'a Listed<'a>),
    /// Only in the new content, and nothing says for which platform.
    UnknownNew(&'a Listed<'a>),
}

/// Puts the old and the new side by side: those of the old in their order, then what was added.
pub(super) fn pair<'a>(old: &'a [Listed<'a>], new: &'a [Listed<'a>]) -> Vec<Pair<'a>> {
    let mut partner = vec![None; old.len()];
    let mut free: Vec<bool> = vec![true; new.len()];
    // Artifacts without a platform are found by their digest. An image without one is whatever a machine takes first, and
    // its place counts.
    let nameless = || old.iter().chain(new).filter(|listed| listed.platform.is_none());
    if nameless().all(Listed::is_artifact) {
        join(old, new, &mut partner, &mut free, |listed| listed.platform.is_none().then_some(&listed.content.digest));
    }
    join(old, new, &mut partner, &mut free, |listed| Some(&listed.platform));
    join(old, new, &mut partner, &mut free, |listed| listed.platform.as_ref().map(machine));

    let partners: Vec<Option<&Listed>> = partner.iter().map(|at| at.and_then(|at: usize| new.get(at))).collect();
    let stood = old.iter().zip(partners).map(|(old, partner)| match partner {
        Some(new) => Pair::Both(old, new),
        None if old.platform.is_none() && !old.is_artifact() => Pair::UnknownOld(old),
        None => Pair::Removed(old),
    });
    let added = new.iter().zip(&free).filter(|(_, free)| **free).map(|(listed, _)| {
        if listed.platform.is_none() {
            return if listed.is_artifact() {
                Pair::Added(listed, ChangeLevel::PlatformAdded)
            } else {
                Pair::UnknownNew(listed)
            };
        }
        let beside = old.iter().any(|old| listed.is_like(old));
        Pair::Added(listed, if beside { ChangeLevel::Selection } else { ChangeLevel::PlatformAdded })
    });
    stood.chain(added).collect()
}

/// Gives to each of `old` that has none the first free one of `new` with the same key, in both orders.
fn join<'a, K: Ord>(
    old: &'a [Listed<'a>],
    new: &'a [Listed<'a>],
    partner: &mut [Option<usize>],
    free: &mut [bool],
    key: impl Fn(&'a Listed<'a>) -> Option<K>,
) {
    let mut by_key: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
    for (at, listed) in new.iter().enumerate().filter(|(at, _)| free.get(*at) == Some(&true)) {
        if let Some(key) = key(listed) {
            by_key.entry(key).or_default().push_back(at);
        }
    }
    for (listed, partner) in old.iter().zip(partner).filter(|(_, partner)| partner.is_none()) {
        *partner = key(listed).and_then(|key| by_key.get_mut(&key)?.pop_front());
        if let Some(taken) = partner.and_then(|at| free.get_mut(at)) {
            *taken = false;
        }
    }
}
