//! What typed words lead to: pages, kept views, and what the server found.

use tagwarden_model::api::{Found, View};

use crate::meaning::split_name;
use crate::text::shell as text;
use crate::url;

/// Pages by name.
pub const PAGES: [(&str, &str); 6] = [
    (text::OVERVIEW, url::OVERVIEW),
    (text::TIMELINE, "timeline"),
    (text::FLAGS, "flags"),
    (text::REPOSITORIES, "repositories"),
    (text::NOTIFIERS, "notifiers"),
    (text::SETTINGS, "settings"),
];
/// Rows of a kind.
const MOST: usize = 8;

/// One way on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// What it leads to, in a word.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What tells it from others of the same name.
    pub detail: String,
    /// Where it leads.
    pub address: String,
}

/// All ways on from what was typed, the most likely first.
pub fn ways(typed: &str, views: &[View], found: &Found) -> Vec<Way> {
    let typed = typed.trim().to_ascii_lowercase();
    let fits = |name: &str| name.to_ascii_lowercase().contains(&typed);
    let way = |kind, name: &str, detail: &str, address: String| Way {
        kind,
        name: name.to_owned(),
        detail: detail.to_owned(),
        address,
    };
    let mut ways = Vec::new();
    for used in found.digests.iter().take(MOST) {
        let is_first = ways.iter().all(|way: &Way| way.kind != text::KIND_DIGEST);
        if is_first {
            ways.push(way(
                text::KIND_DIGEST,
                &used.digest.short(),
                text::DIGEST_DETAIL,
                url::digest(&used.digest.to_string()),
            ));
        }
        ways.push(way(text::KIND_TAG, &used.tag, &used.repository, url::tag(&used.repository, &used.tag)));
    }
    for tag in found.tags.iter().take(MOST) {
        let state = match (tag.flag, tag.present) {
            (Some(_), _) => text::TAG_FLAGGED,
            (None, Some(false)) => text::TAG_GONE,
            (None, _) => "",
        };
        let detail = format!("{}{state}", tag.repository);
        ways.push(way(text::KIND_TAG, &tag.name, &detail, url::tag(&tag.repository, &tag.name)));
    }
    for name in found.repositories.iter().take(MOST) {
        let (path, last) = split_name(name);
        ways.push(way(text::KIND_REPOSITORY, last, path.trim_end_matches('/'), url::repository(name)));
    }
    for view in views.iter().filter(|view| fits(&view.name)).take(MOST) {
        ways.push(way(text::KIND_VIEW, &view.name, "", view.address.clone()));
    }
    for (name, address) in PAGES.into_iter().filter(|(name, _)| fits(name)) {
        ways.push(way(text::KIND_PAGE, name, "", address.to_owned()));
    }
    ways
}

#[cfg(test)]
mod tests {
    use tagwarden_model::api::{DigestUse, FoundTag};
    use tagwarden_model::digest::Digest;
    use tagwarden_model::instant::Instant;
    use tagwarden_model::tag::Class;

    use super::*;

    fn addresses(typed: &str, views: &[View], found: &Found) -> Vec<String> {
        ways(typed, views, found).into_iter().map(|way| format!("{} {}", way.kind, way.address)).collect()
    }

    const NOTHING: Found = Found { repositories: Vec::new(), tags: Vec::new(), digests: Vec::new() };

    #[test]
    fn pages_and_views_are_found_by_any_part_of_their_names() {
        let view = |name: &str| View {
            name: name.into(),
            address: "flags?state=open".into(),
            actor: "local".into(),
            at: Instant(0),
        };
        let views = [view("Payments, open"), view("Other")];
        assert_eq!(addresses(" PAY", &views, &NOTHING), ["view flags?state=open"]);
        assert_eq!(addresses("flag", &views, &NOTHING), ["page flags"]);
        assert_eq!(addresses("", &views, &NOTHING).len(), 2 + PAGES.len());
    }

    #[test]
    fn what_the_server_found_comes_first_and_names_stay_in_their_parameters() {
        let digest = Digest::of(b"x");
        let used = DigestUse {
            digest: digest.clone(),
            repository: "ghcr.io/a/b".into(),
            tag: "1&2".into(),
            class: Class::Rolling,
            from: Instant(0),
            until: None,
        };
        let tag = FoundTag {
            repository: "ghcr.io/a/b".into(),
            name: "1.0.0".into(),
            class: Class::Release,
            digest: None,
            present: Some(false),
            flag: None,
        };
        let found = Found { repositories: vec!["ghcr.io/a/flags".into()], tags: vec![tag], digests: vec![used] };
        let expected = [
            format!("digest digest/{digest}"),
            "tag tag?repository=ghcr.io/a/b&name=1%262".to_owned(),
            "tag tag?repository=ghcr.io/a/b&name=1.0.0".to_owned(),
            "repository repository?name=ghcr.io/a/flags".to_owned(),
            "page flags".to_owned(),
        ];
        assert_eq!(addresses("flags", &[], &found), expected);
        assert_eq!(ways("flags", &[], &found)[2].detail, "ghcr.io/a/b, not there any more");
    }
}
