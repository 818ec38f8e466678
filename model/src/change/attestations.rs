//! Attestations that an index lists beside its images: what they say they are, and which are lost.

use std::collections::BTreeSet;

use super::content::{Body, Content, Entry, attestations, entries};
use super::pairs::Listed;
use super::{AttestationChange, AttestationKind, ChangeLevel, LostAttestation, Platform};
use crate::digest::Digest;

/// So many lost ones are listed, signatures first.
const LOST: usize = 32;

/// How types of statements begin.
const PREDICATES: &[(&str, AttestationKind)] = &[
    ("https://slsa.dev/provenance/", AttestationKind::Provenance),
    ("https://spdx.dev/Document", AttestationKind::Sbom),
    ("https://cyclonedx.org/bom", AttestationKind::Sbom),
    ("https://sigstore.dev/cosign/sign/", AttestationKind::Signature),
];
/// How media types begin.
const MEDIA_TYPES: &[(&str, AttestationKind)] = &[
    ("application/vnd.dev.cosign.simplesigning.", AttestationKind::Signature),
    ("application/vnd.dev.cosign.artifact.sig.", AttestationKind::Signature),
    ("application/vnd.dev.sigstore.bundle", AttestationKind::Signature),
    ("application/vnd.cncf.notary.signature", AttestationKind::Signature),
    ("application/spdx", AttestationKind::Sbom),
    ("text/spdx", AttestationKind::Sbom),
    ("application/vnd.cyclonedx", AttestationKind::Sbom),
    ("application/vnd.syft+json", AttestationKind::Sbom),
];

/// How the attestations differ; `None` where they do not.
pub(super) fn compare(sides: [&Content; 2], offered: [&[Listed]; 2]) -> Option<AttestationChange> {
    let [old, new] = sides;
    let (before, after) = (attestations(old), attestations(new));
    if before == after {
        return None;
    }
    let [old_offered, new_offered] = offered;
    let (had, has) = (kinds(old, old_offered), kinds(new, new_offered));
    // What was said of a platform that is gone went with it.
    let stays = |platform: &Option<Platform>| {
        platform.is_none() || new_offered.iter().any(|listed| listed.platform == *platform)
    };
    let gone = had.difference(&has).filter(|(_, platform)| stays(platform));
    let mut lost: Vec<LostAttestation> = gone
        .map(|(kind, platform)| LostAttestation { platform: platform.as_ref().map(Platform::shown), kind: *kind })
        .collect();
    lost.truncate(LOST);
    // What the unread ones are nobody knows: a signature may be among the old ones that are gone, and what seems to be lost
    // may be among the new ones.
    let doubtful = unread(new).next().is_some() && !lost.is_empty();
    if doubtful {
        lost.clear();
    }
    let unread = doubtful || unread(old).any(|digest| !after.contains(digest));
    Some(AttestationChange { old: before.len() as u64, new: after.len() as u64, lost, unread })
}

fn unread(side: &Content) -> impl Iterator<Item = &Digest> {
    let attestations = entries(side).iter().filter(|entry| entry.is_attestation());
    attestations.filter(|entry| entry.content.body.is_err()).map(|entry| &entry.content.digest)
}

impl AttestationChange {
    /// What it means: a lost signature or provenance is known to be lost, or what was lost may have been one.
    pub(super) fn level(&self) -> ChangeLevel {
        let known =
            |lost: &LostAttestation| matches!(lost.kind, AttestationKind::Signature | AttestationKind::Provenance);
        if self.unread || self.lost.iter().any(known) {
            ChangeLevel::AttestationLost
        } else {
            ChangeLevel::Attestations
        }
    }
}

/// What is attested of which platform.
fn kinds(side: &Content, offered: &[Listed]) -> BTreeSet<(AttestationKind, Option<Platform>)> {
    let mut kinds = BTreeSet::new();
    for entry in entries(side).iter().filter(|entry| entry.is_attestation()) {
        let about = entry.subject();
        let subject = offered.iter().find(|listed| Some(&listed.content.digest) == about.as_ref());
        let platform = subject.and_then(|listed| listed.platform.clone());
        kinds.extend(of_entry(entry).into_iter().map(|kind| (kind, platform.clone())));
    }
    kinds
}

/// What the parts of an attestation manifest say they are, as far as anybody knows.
fn of_entry(entry: &Entry) -> BTreeSet<AttestationKind> {
    let Ok(Body::Manifest(manifest)) = &entry.content.body else { return BTreeSet::new() };
    let predicate = manifest.annotations.get("dev.sigstore.bundle.predicateType");
    let whole = kind(manifest.artifact_type.as_deref().unwrap_or(&manifest.config.media_type), predicate);
    let layers = manifest.layers.iter().filter_map(|layer| {
        let names = ["in-toto.io/predicate-type", "predicateType"];
        kind(&layer.media_type, names.iter().find_map(|name| layer.annotations.get(*name)))
    });
    layers.chain(whole).collect()
}

/// What a part is, by the type of its statement (in-toto, "Predicates") or else by its media type.
fn kind(media_type: &str, predicate: Option<&String>) -> Option<AttestationKind> {
    let (text, kinds) = match predicate {
        Some(predicate) => (predicate.as_str(), PREDICATES),
        None => (media_type, MEDIA_TYPES),
    };
    kinds.iter().find(|(beginning, _)| text.starts_with(beginning)).map(|(_, kind)| *kind)
}
