//! The lane a release belongs to.

/// Family and numbers of a tag: `2.3.1-alpine` is `("alpine", [2, 3, 1])`.
pub(super) fn split(tag: &str) -> (String, Vec<u64>) {
    let mut family = String::new();
    let mut numbers = Vec::new();
    for (at, part) in tag.split(['-', '_', '+', '.']).enumerate() {
        let digits = if at == 0 { part.strip_prefix('v').unwrap_or(part) } else { part };
        match digits.parse() {
            Ok(number) if digits.bytes().all(|byte| byte.is_ascii_digit()) => numbers.push(number),
            _ => {
                let word: String = part.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
                if !family.is_empty() && !word.is_empty() {
                    family.push('-');
                }
                family.push_str(&word);
            }
        }
    }
    // A pre-release stands beside its release.
    if matches!(family.as_str(), "rc" | "alpha" | "beta" | "pre" | "dev") {
        family.clear();
    }
    (family, numbers)
}

/// The name of a lane: `2.3.x-alpine`, or `x.y.z-alpine` for a whole family.
pub(super) fn name(family: &str, track: Option<(u64, u64)>) -> String {
    let numbers = track.map_or_else(|| "x.y.z".to_owned(), |(major, minor)| format!("{major}.{minor}.x"));
    if family.is_empty() { numbers } else { format!("{numbers}-{family}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_split_into_family_and_numbers() {
        for (tag, family, numbers) in [
            ("2.3.1", "", vec![2, 3, 1]),
            ("v1.0.0-alpine3.20", "alpine", vec![1, 0, 0, 20]),
            ("2.4.0-rc.1", "", vec![2, 4, 0, 1]),
            ("2.4.0-rc1", "", vec![2, 4, 0]),
            ("3.12.4-slim-bookworm", "slim-bookworm", vec![3, 12, 4]),
            ("latest", "latest", vec![]),
            ("", "", vec![]),
        ] {
            assert_eq!(split(tag), (family.to_owned(), numbers), "{tag}");
        }
    }
}
