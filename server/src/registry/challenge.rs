//! What a 401 asks for: the `WWW-Authenticate` header (RFC 9110 11.6.1, distribution-spec token authentication).

use http_auth::parser::ChallengeParser;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// One challenge that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// User name and password with every request.
    Basic,
    /// A token from the service at `realm`.
    Bearer {
        /// The token service's URL, not yet checked.
        realm: String,
        /// What the token service knows the registry as.
        service: Option<String>,
        /// What the token has to allow; several parts are separated by spaces.
        scope: Option<String>,
        /// `insufficient_scope`, `invalid_token`.
        error: Option<String>,
    },
}

/// Headers and parameters beyond this length come from no registry.
const MAX_LENGTH: usize = 8 * 1024;

impl Challenge {
    /// The strongest challenge of an answer: Bearer before Basic (some registries offer both), whatever the order.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut basic = None;
        // Line by line: one line that cannot be parsed (`Negotiate YII=`) must not hide the others.
        for line in headers.get_all(WWW_AUTHENTICATE) {
            let line = String::from_utf8_lossy(line.as_bytes());
            for challenge in parse(&line[..line.floor_char_boundary(MAX_LENGTH)]) {
                match challenge {
                    Self::Bearer { .. } => return Some(challenge),
                    Self::Basic => basic = Some(challenge),
                }
            }
        }
        basic
    }
}

/// The challenges of one header line; what is not understood is left out.
fn parse(line: &str) -> Vec<Challenge> {
    let strict: Result<Vec<_>, _> = ChallengeParser::new(line).collect();
    let schemes = match strict {
        Ok(challenges) => challenges
            .into_iter()
            .map(|challenge| {
                let params = challenge.params.iter().map(|(name, value)| ((*name).to_owned(), value.to_unescaped()));
                (challenge.scheme.to_owned(), params.collect())
            })
            .collect(),
        Err(_) => lenient(line),
    };
    schemes.into_iter().filter_map(|(scheme, params)| recognise(&scheme, &params)).collect()
}

/// A scheme and its parameters.
type Scheme = (String, Vec<(String, String)>);

fn recognise(scheme: &str, params: &[(String, String)]) -> Option<Challenge> {
    let param = |name: &str| {
        let found = params.iter().find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_empty());
        found.map(|(_, value)| value.clone())
    };
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Some(Challenge::Bearer {
        realm: param("realm")?,
        service: param("service"),
        scope: param("scope"),
        error: param("error"),
    })
}

/// Reads what the grammar forbids and registries send: unquoted URLs, a trailing comma, a missing closing quote.
fn lenient(line: &str) -> Vec<Scheme> {
    let mut schemes: Vec<Scheme> = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            // A stray `=` has no name; step over it, or the loop would not end.
            match rest.strip_prefix('=') {
                Some(after) => rest = after,
                None => return schemes,
            }
            continue;
        }
        rest = after;
        let Some(value) = after.trim_start_matches([' ', '\t']).strip_prefix('=') else {
            schemes.push((word.to_owned(), Vec::new()));
            continue;
        };
        let (value, after) = lenient_value(value.trim_start_matches([' ', '\t']));
        rest = after;
        if let Some((_, params)) = schemes.last_mut() {
            params.push((word.to_owned(), value));
        }
    }
}

/// A quoted or bare value, and what follows it.
fn lenient_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(char),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn of(lines: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        Challenge::of(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>, error: Option<&str>) -> Option<Challenge> {
        let [service, scope, error] = [service, scope, error].map(|text| text.map(str::to_owned));
        Some(realm.to_owned()).map(|realm| Challenge::Bearer { realm, service, scope, error })
    }

    #[test]
    fn what_registries_send_is_read() {
        let full = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="insufficient_scope""#;
        let (realm, scope) = ("https://auth.docker.io/token", "repository:a/b:pull,push");
        assert_eq!(of(&[full]), bearer(realm, Some("registry.docker.io"), Some(scope), Some("insufficient_scope")));
        assert_eq!(of(&[r#"Basic realm="basic-realm""#]), Some(Challenge::Basic));
        assert_eq!(of(&["Negotiate YII=", r#"basic realm="x""#]), Some(Challenge::Basic));
        let codeberg =
            r#"Bearer realm="https://codeberg.org/v2/token",service="container_registry",scope="*",Basic realm="x""#;
        let expected = bearer("https://codeberg.org/v2/token", Some("container_registry"), Some("*"), None);
        assert_eq!(of(&[codeberg]), expected);
        assert_eq!(of(&[r#"Basic realm="x", Bearer realm="https://r/t""#]), bearer("https://r/t", None, None, None));
        assert_eq!(of(&["Negotiate", "Digest realm=x"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn what_the_grammar_forbids_is_still_read() {
        assert_eq!(
            of(&["Bearer realm=https://r/token?x=1,service=s"]),
            bearer("https://r/token?x=1", Some("s"), None, None)
        );
        assert_eq!(of(&[r#"Bearer realm="https://r/t",service="s","#]), bearer("https://r/t", Some("s"), None, None));
        assert_eq!(of(&[r#"Bearer realm="https://r/t"#]), bearer("https://r/t", None, None, None));
        assert_eq!(of(&[r#"BEARER Realm = "a\"b" , SCOPE=x,"#]), bearer("a\"b", None, Some("x"), None));
        assert_eq!(of(&["Bearer service=s"]), None, "no realm, no token");
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic_or_hang(line in "(Bearer|Basic)?[ =,\"\\\\a-z]{0,40}.{0,20}") {
            let _ = parse(&line);
            let _ = lenient(&line);
        }
    }
}
