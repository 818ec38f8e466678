//! What an address means: which of the page's routes it is, and what its path and query hold.

use crate::url::decode;

/// Names with their values, from a path or a query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// The pairs of a query without its `?`.
    pub fn of_query(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
        });
        Self(pairs.collect())
    }

    /// The value of a name; the last one when it is there more than once.
    pub fn get(&self, key: &str) -> Option<String> {
        self.0.iter().rfind(|(name, _)| name == key).map(|(_, value)| value.clone())
    }
}

/// What stands for `:name` in a pattern such as `flags/:id`, when a path is of this pattern. Slashes around a path say nothing.
pub fn matched(pattern: &str, path: &str) -> Option<Params> {
    let (mut wanted, mut found) = (pattern.split('/'), path.trim_matches('/').split('/'));
    let mut params = Vec::new();
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(Params(params)),
            (Some(wanted), Some(part)) => match wanted.strip_prefix(':') {
                Some(name) => params.push((name.to_owned(), decode(part))),
                None if wanted == part => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// An address below the document's base, relative to it and without a fragment; `None` elsewhere.
pub fn within<'a>(base_uri: &str, address: &'a str) -> Option<&'a str> {
    let rest = address.strip_prefix(base_uri).filter(|_| !base_uri.is_empty())?;
    Some(rest.split_once('#').map_or(rest, |(rest, _)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_forms_and_links_write_it() {
        let query = Params::of_query("name=ghcr.io/a%2Fb&find=pay+ments%2B&empty=&bare&&view=1&view=2&bad=%zz%4");
        let get = |key| query.get(key);
        assert_eq!(get("name").as_deref(), Some("ghcr.io/a/b"));
        assert_eq!(get("find").as_deref(), Some("pay ments+"));
        assert_eq!((get("empty").as_deref(), get("bare").as_deref(), get("missing")), (Some(""), Some(""), None));
        assert_eq!(get("view").as_deref(), Some("2"));
        assert_eq!(get("bad").as_deref(), Some("%zz%4"));
        assert_eq!(Params::of_query(""), Params::default());
    }

    #[test]
    fn a_path_is_of_a_pattern_part_by_part() {
        let id = |path| matched("flags/:id", path).map(|params| params.get("id").unwrap_or_default());
        assert_eq!(id("flags/7").as_deref(), Some("7"));
        assert_eq!(id("flags/7/").as_deref(), Some("7"));
        assert_eq!(id("flags/a%20+").as_deref(), Some("a +"));
        for other in ["flags", "flags/", "flags/7/8", "flag/7", ""] {
            assert_eq!(id(other), None, "{other}");
        }
        assert_eq!(matched("", ""), Some(Params::default()));
        assert_eq!(matched("", "flags"), None);
        assert_eq!(matched("flags", "flags/"), Some(Params::default()));
        assert_eq!(matched("flags", "flagsx"), None);
    }

    #[test]
    fn only_what_is_below_the_base_is_the_pages() {
        let base = "https://host/tags/";
        assert_eq!(within(base, "https://host/tags/"), Some(""));
        assert_eq!(within(base, "https://host/tags/flags/7?a=/b#c?d"), Some("flags/7?a=/b"));
        for elsewhere in ["https://host/", "https://host/tagsx", "https://host/tags", "http://host/tags/", "mailto:a@b"]
        {
            assert_eq!(within(base, elsewhere), None, "{elsewhere}");
        }
        assert_eq!(within("", "https://host/"), None);
    }
}
