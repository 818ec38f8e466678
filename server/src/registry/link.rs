//! The next page of a listing: the `Link` header (RFC 8288).

use reqwest::header::{HeaderMap, LINK};

/// The query string of the `rel="next"` target; `Some("")` if the target has none, `None` if there is no next page.
///
/// Host and path of the target are ignored: registries behind proxies get them wrong (Artifactory drops the repository,
/// Nexus adds a prefix, Quay names another host), and a target that is not followed cannot lead elsewhere.
pub fn next_query(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().find_map(|line| next_target(&String::from_utf8_lossy(line.as_bytes())))
}

fn next_target(line: &str) -> Option<String> {
    let mut rest = line;
    // A comma inside `<…>` belongs to the target, so that a target is read up to its bracket before its parameters are.
    while let Some((_, after)) = rest.split_once('<') {
        let (target, params) = after.split_once('>')?;
        let end = unquoted_comma(params);
        if is_next(&params[..end]) {
            let query = target.split_once('?').map_or("", |(_, query)| query);
            return Some(query.split('#').next().unwrap_or_default().to_owned());
        }
        rest = &params[end..];
    }
    None
}

/// Where the parameters of this target end.
fn unquoted_comma(params: &str) -> usize {
    let mut quoted = false;
    let comma = params.find(|char| {
        quoted ^= char == '"';
        char == ',' && !quoted
    });
    comma.unwrap_or(params.len())
}

/// Whether one of the relation types is `next`.
fn is_next(params: &str) -> bool {
    params.split(';').filter_map(|param| param.split_once('=')).any(|(name, value)| {
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn next(line: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.append(LINK, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        next_query(&headers)
    }

    #[test]
    fn only_the_query_of_the_next_target_counts() {
        for (line, query) in [
            (r#"</v2/a/tags/list?last=1.0&n=100>; rel="next""#, Some("last=1.0&n=100")),
            (r#"<https://other.example/x?next_page=gAAA%3D>; rel="next""#, Some("next_page=gAAA%3D")),
            ("<list?last=b,c&n=1>; rel=next", Some("last=b,c&n=1")),
            (r#"<?last=a>;title="x, y";REL="prev NEXT""#, Some("last=a")),
            (r#"<?first>; rel="first", <?last=2>; rel="next""#, Some("last=2")),
            (r#"<?a=1#part>; rel="next""#, Some("a=1")),
            (r#"</v2/a/tags/list>; rel="next""#, Some("")),
            (r#"<?last=a>; rel="prev""#, None),
            ("<?last=a", None),
            ("?last=a; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next(line).as_deref(), query, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(line in "[<>;,=\"? a-zé]{0,60}") {
            let _ = next_target(&line);
        }
    }
}
