//! What a registry says of how many requests it allows.

use reqwest::header::{HeaderMap, HeaderName};
use tagwarden_model::instant::Millis;

/// How many counted requests a registry allows in a while, as it said last. Docker Hub counts GETs of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests allowed within `window`, at least 1.
    pub limit: u32,
    /// The length of time in which they are counted, at least a second.
    pub window: Millis,
    /// How many of them were left.
    pub remaining: u32,
}

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");

impl Allowance {
    /// From `ratelimit-limit: 100;w=21600` and `ratelimit-remaining: 98;w=21600`, as Docker Hub sends them; `None` where one of
    /// them is missing, names no window, or makes no sense. Of several limits the first counts.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let (limit, window) = quota(headers, &LIMIT)?;
        let (remaining, _) = quota(headers, &REMAINING)?;
        let window = Millis::seconds(i64::from(window.filter(|window| *window > 0)?));
        (limit > 0 && remaining <= limit).then_some(Self { limit, window, remaining })
    }

    /// How many requests it allows a day.
    pub fn a_day(&self) -> f64 {
        f64::from(self.limit) * Millis::days(1).0 as f64 / self.window.0 as f64
    }
}

/// The first quota of a header, `100;w=21600`: the number, and the seconds of its window if it has one.
fn quota(headers: &HeaderMap, name: &HeaderName) -> Option<(u32, Option<u32>)> {
    let mut parts = headers.get(name)?.to_str().ok()?.split(',').next()?.split(';').map(str::trim);
    let quota = number(parts.next()?)?;
    Some((quota, parts.find_map(|part| number(part.strip_prefix("w=")?))))
}

/// Digits alone: no sign, no fraction.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn read(limit: &[u8], remaining: &[u8]) -> Option<(u32, i64, u32)> {
        let mut headers = HeaderMap::new();
        headers.insert(LIMIT, HeaderValue::from_bytes(limit).unwrap());
        headers.insert(REMAINING, HeaderValue::from_bytes(remaining).unwrap());
        Allowance::of(&headers).map(|found| (found.limit, found.window.0 / 1000, found.remaining))
    }

    #[test]
    fn what_docker_hub_says_is_read() {
        for (limit, remaining, expected) in [
            ("100;w=21600", "98;w=21600", (100, 21_600, 98)),
            ("200;w=21600", "0;w=21600", (200, 21_600, 0)),
            (" 100 ; w=21600 ", "100", (100, 21_600, 100)),
            ("100;burst=7;w=60;policy=\"a\"", "5", (100, 60, 5)),
            ("10;w=1, 500;w=3600", "9, 400", (10, 1, 9)),
            ("4294967295;w=4294967295", "4294967295", (u32::MAX, 4_294_967_295, u32::MAX)),
        ] {
            assert_eq!(read(limit.as_bytes(), remaining.as_bytes()), Some(expected), "{limit} {remaining}");
        }
        let hub = Allowance { limit: 100, window: Millis::hours(6), remaining: 98 };
        assert!((hub.a_day() - 400.0).abs() < 1e-9);
    }

    #[test]
    fn nonsense_is_no_allowance() {
        for (limit, remaining) in [
            (&b"100"[..], &b"98;w=21600"[..]),
            (b"100;w=0", b"98"),
            (b"100;w=", b"98"),
            (b"100;w=-5", b"98"),
            (b"100;w=1.5", b"98"),
            (b"100;w=99999999999999999999", b"98"),
            (b"0;w=21600", b"0"),
            (b"-100;w=21600", b"98"),
            (b"+100;w=21600", b"98"),
            (b"1e2;w=21600", b"98"),
            (b"99999999999999999999;w=21600", b"98"),
            (b"100;w=21600", b"101"),
            (b"100;w=21600", b""),
            (b"100;w=21600", b"many"),
            (b"", b""),
            (b";;,,==", b"="),
            (b"\xff100;w=21600", b"98"),
            ("١٠٠;w=21600".as_bytes(), b"98"),
        ] {
            let said = (String::from_utf8_lossy(limit), String::from_utf8_lossy(remaining));
            assert_eq!(read(limit, remaining), None, "{said:?}");
        }
        assert_eq!(Allowance::of(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(any: Vec<u8>, close in "[0-9]{0,12}[;, ]{0,2}(w=)?[0-9.-]{0,12}") {
            for bytes in [&any[..], close.as_bytes()] {
                if let Ok(value) = HeaderValue::from_bytes(bytes) {
                    let headers = HeaderMap::from_iter([(LIMIT, value.clone()), (REMAINING, value)]);
                    let sane = Allowance::of(&headers).is_none_or(|found| found.a_day() > 0.0 && found.a_day().is_finite());
                    prop_assert!(sane);
                }
            }
        }
    }
}
