//! What a content claims to be built from.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::REVISION;
use super::content::{Body, Content, entries};
use super::words::visible;

/// The label that says where the source is (OCI image specification, annotations).
const SOURCE: &str = "org.opencontainers.image.source";
/// So many characters of a claimed revision.
const CLAIM: usize = 80;
/// An address that is longer is none.
const LONGEST: usize = 300;

/// The commit that a content claims to be built from. Whoever pushed wrote it: it explains and proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceCommit {
    /// The label `org.opencontainers.image.revision`.
    pub revision: String,
    /// Where it can be read, if the label `org.opencontainers.image.source` is the plain address of a repository on the web and
    /// the revision is the hash of a commit: `commit/` and that hash below the repository.
    pub url: Option<String>,
}

/// The one commit that is claimed in all of a content that was read.
pub fn source(content: &Content) -> Option<SourceCommit> {
    let revision = revision(content)?;
    let url = one(content, SOURCE).and_then(|source| commit(source, revision));
    Some(SourceCommit { revision: shown(revision), url })
}

/// The claimed revision as it was written.
pub(super) fn revision(content: &Content) -> Option<&str> {
    one(content, REVISION)
}

/// A claimed revision as it is shown.
pub(super) fn shown(revision: &str) -> String {
    visible(revision, CLAIM)
}

/// The value of a label that is the same in all that was read; `None` if there are several.
fn one<'a>(content: &'a Content, label: &str) -> Option<&'a str> {
    let mut claims = BTreeSet::new();
    let roots = std::iter::once(content);
    let offered = entries(content).iter().filter(|entry| !entry.is_attestation()).map(|entry| &entry.content);
    for content in roots.chain(offered) {
        let of_config = match &content.body {
            Ok(Body::Manifest(manifest)) => manifest.image.as_ref().and_then(|image| image.as_ref().ok()),
            _ => None,
        };
        let annotations = match &content.body {
            Ok(Body::Index(index)) => Some(&index.annotations),
            Ok(Body::Manifest(manifest)) => Some(&manifest.annotations),
            Err(_) => None,
        };
        let maps = annotations.into_iter().chain(of_config.map(|config| &config.labels));
        claims.extend(maps.filter_map(|map| map.get(label)).map(String::as_str));
    }
    let one = claims.pop_first();
    one.filter(|claim| claims.is_empty() && !claim.is_empty())
}

/// GitHub, GitLab, Gitea, Forgejo and sourcehut show a commit at `commit/` below the repository, Bitbucket at `commits/`.
fn commit(source: &str, revision: &str) -> Option<String> {
    let is_hash = matches!(revision.len(), 40 | 64) && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte);
    let rest = source.strip_prefix("https://")?.trim_end_matches('/');
    let (host, path) = rest.split_once('/')?;
    let path = path.strip_suffix(".git").unwrap_or(path);
    // Nothing that a reader could take for another place: no account, no query, no way up.
    let is_plain = source.len() <= LONGEST && rest.bytes().all(plain) && !path.contains(':');
    let parts_are = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    let below = if host == "bitbucket.org" { "commits" } else { "commit" };
    (is_hash && is_plain && parts_are && !host.is_empty()).then(|| format!("https://{host}/{path}/{below}/{revision}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_has_an_address_where_both_labels_are_plain() {
        let hash = "3f91".repeat(10);
        let of = |source: &str| commit(source, &hash);
        for (source, base) in [
            ("https://github.com/acme/api", "https://github.com/acme/api/commit/"),
            ("https://github.com/acme/api.git", "https://github.com/acme/api/commit/"),
            ("https://git.acme.example:8443/team/sub/api/", "https://git.acme.example:8443/team/sub/api/commit/"),
            ("https://git.sr.ht/~acme/api", "https://git.sr.ht/~acme/api/commit/"),
            ("https://bitbucket.org/acme/api", "https://bitbucket.org/acme/api/commits/"),
        ] {
            assert_eq!(of(source), Some([base, &hash].concat()), "{source}");
        }
        for source in [
            "",
            "https://",
            "https://github.com",
            "https://github.com/",
            "https:///acme",
            "http://github.com/acme/api",
            "javascript:alert(1)//a/b",
            "https://github.com@evil.example/acme",
            "https://evil.example/a?b=",
            "https://evil.example/a#b",
            "https://evil.example/a/../b",
            "https://evil.example/a//b",
            "https://evil.example/ä",
            "https://evil.example/a b",
            "git@github.com:acme/api.git",
            "https://evil.example\\@github.com/acme",
        ] {
            assert_eq!(of(source), None, "{source}");
        }
        for revision in ["", "3f91c0e", "main", "../../..", &"g".repeat(40), &"3".repeat(41)] {
            assert_eq!(commit("https://github.com/acme/api", revision), None, "{revision}");
        }
        assert_eq!(of(&["https://a.example/", &"b".repeat(LONGEST)].concat()), None);
    }
}
