//! What is tried again and when: statuses, delays with jitter, and every shape of `Retry-After`.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use tagwarden_model::instant::{Instant, Millis};

use super::RegistryError;
use super::transport::{Reply, To};

/// How often and after which delays a failed request is sent again.
#[derive(Clone)]
pub struct Retry {
    /// The delay before each further try; one try more than there are delays.
    pub delays: Vec<Millis>,
    /// A number from 0 to 1: a delay lasts between its half and its whole. Random but in tests.
    pub jitter: Arc<dyn Fn() -> f64 + Send + Sync>,
}

impl PartialEq for Retry {
    /// Chance is no setting.
    fn eq(&self, other: &Self) -> bool {
        self.delays == other.delays
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self { delays: vec![Millis(500), Millis::seconds(2)], jitter: Arc::new(rand::random::<f64>) }
    }
}

impl Retry {
    /// The delay before try number `tried + 1`; `None` when the tries are used up, or when the registry asks for a
    /// longer wait than a request should be held for.
    pub fn delay(&self, tried: usize, asked: Option<Millis>) -> Option<Millis> {
        let delay = self.delays.get(tried.checked_sub(1)?)?;
        if asked > self.delays.last().copied() {
            return None;
        }
        let jittered = Millis((delay.0 as f64 * (0.5 + 0.5 * (self.jitter)().clamp(0.0, 1.0))) as i64);
        Some(asked.map_or(jittered, |asked| asked.max(jittered)))
    }
}

/// A try that failed, by what happens next.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Another try will not help.
    Final(RegistryError),
    /// Another try may help: connection errors, 408, 5xx.
    Again {
        /// What the caller gets if it does not.
        error: RegistryError,
        /// The registry's `Retry-After`.
        after: Option<Millis>,
    },
    /// 429: nothing is sent to this registry for a while.
    Limited {
        /// Who said so.
        by: To,
        /// The registry's `Retry-After`.
        after: Option<Millis>,
        /// What the registry said.
        message: String,
    },
}

impl Fault {
    /// The fault that a registry's status is; `None` for 200 and 304, which depend on the request.
    pub fn of(reply: &Reply, now: Instant) -> Option<Self> {
        if matches!(reply.status, StatusCode::OK | StatusCode::NOT_MODIFIED) {
            return None;
        }
        let message = reply.said();
        Some(match reply.status {
            StatusCode::NOT_FOUND => Self::Final(RegistryError::NotFound { code: reply.error_code() }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Final(RegistryError::Refused { message }),
            StatusCode::TOO_MANY_REQUESTS => {
                Self::Limited { by: To::Registry, after: retry_after(&reply.headers, now), message }
            }
            status if status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() => Self::Again {
                error: RegistryError::Server { status: status.as_u16(), message: reply.detail() },
                after: retry_after(&reply.headers, now),
            },
            _ => Self::Final(RegistryError::Unintelligible { message }),
        })
    }
}

/// The shortest wait that is kept; GHCR asks for microseconds.
const SHORTEST: Millis = Millis::seconds(1);
/// The longest wait that is kept.
pub const LONGEST: Millis = Millis::minutes(15);

/// How long the registry asks us to wait, between one second and 15 minutes; `None` if it does not say.
///
/// `Retry-After` comes as seconds, as an HTTP date (RFC 9110 10.2.3) and as a Go duration (`880.092µs`, which is not
/// ASCII); Docker Hub's API sends `X-Retry-After` with a Unix time.
pub fn retry_after(headers: &HeaderMap, now: Instant) -> Option<Millis> {
    // A date is compared with the registry's own clock where it is shown: ours may differ.
    let now = date(headers).unwrap_or(now);
    let standard = headers.get(RETRY_AFTER).and_then(|value| wait(value, now));
    let wait = standard.or_else(|| headers.get("x-retry-after").and_then(|value| wait(value, now)))?;
    Some(wait.clamp(SHORTEST, LONGEST))
}

/// The `Date` header.
pub fn date(headers: &HeaderMap) -> Option<Instant> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

fn http_date(text: &str) -> Option<Instant> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Instant)
}

fn wait(value: &HeaderValue, now: Instant) -> Option<Millis> {
    // Nobody waits as long as the seconds since 1970: so large a number is a Unix time.
    const UNIX_TIMES: f64 = 1e8;
    let text = String::from_utf8_lossy(value.as_bytes());
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let seconds: f64 = text.parse().ok()?;
        let millis = Millis((seconds * 1000.0).ceil() as i64);
        return Some(if seconds < UNIX_TIMES { millis } else { Instant(millis.0) - now });
    }
    http_date(text).map(|at| at - now).or_else(|| go_duration(text))
}

/// Reads what Go's `time.Duration.String` writes: `1h2m3.5s`, `880.092µs`; rounded up to milliseconds.
fn go_duration(text: &str) -> Option<Millis> {
    let mut rest = text;
    let mut millis = 0.0;
    while !rest.is_empty() {
        let number = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let unit = rest[number..].find(|char: char| char.is_ascii_digit()).map_or(rest.len(), |length| number + length);
        let scale = match &rest[number..unit] {
            "ns" => 1e-6,
            // The sign as U+00B5 and U+03BC, and as the single byte of Latin-1, which is not UTF-8.
            "us" | "µs" | "μs" | "\u{fffd}s" => 1e-3,
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 6e4,
            "h" => 3.6e6,
            _ => return None,
        };
        millis += rest[..number].parse::<f64>().ok()? * scale;
        rest = &rest[unit..];
    }
    Some(Millis(millis.ceil() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Instant = Instant(1_784_000_000_000);

    fn read(lines: &[(&'static str, &[u8])]) -> Option<Millis> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        retry_after(&headers, NOW)
    }

    fn http(at: Instant) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + std::time::Duration::from_millis(at.0 as u64))
    }

    #[test]
    fn every_shape_of_retry_after_is_read() {
        for (value, millis) in [
            (&b"2"[..], 2000),
            (b" 120 ", 120_000),
            (b"1.5", 1500),
            (b"0", 1000),
            (b"86400", 900_000),
            (b"99999999999999999999999999", 900_000),
            ("880.092µs".as_bytes(), 1000),
            ("880.092μs".as_bytes(), 1000),
            (b"880.092\xb5s", 1000),
            (b"1m0s", 60_000),
            (b"2.5s", 2500),
            (b"1h2m", 900_000),
            (http(NOW + Millis::seconds(30)).as_bytes(), 30_000),
            (http(NOW + Millis::seconds(-30)).as_bytes(), 1000),
        ] {
            let text = String::from_utf8_lossy(value).into_owned();
            assert_eq!(read(&[("retry-after", value)]), Some(Millis(millis)), "{text}");
        }
        for value in [&b""[..], b"soon", b"-5", b"1x", b"1.2.3", b"s", b"5m3", b"\xff"] {
            assert_eq!(read(&[("retry-after", value)]), None, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn docker_hubs_unix_time_is_read() {
        let at = (NOW.0 / 1000 + 45).to_string();
        assert_eq!(read(&[("x-retry-after", at.as_bytes())]), Some(Millis(45_000)));
        assert_eq!(read(&[("retry-after", b"soon"), ("x-retry-after", at.as_bytes())]), Some(Millis(45_000)));
    }

    #[test]
    fn a_date_is_compared_with_the_registrys_own_clock() {
        let theirs = NOW + Millis::hours(-1);
        let (date, until) = (http(theirs), http(theirs + Millis::seconds(20)));
        let wait = read(&[("date", date.as_bytes()), ("retry-after", until.as_bytes())]);
        assert_eq!(wait, Some(Millis(20_000)));
    }

    #[test]
    fn delays_are_jittered_between_half_and_whole_and_end() {
        let retry = |jitter: f64| Retry { jitter: Arc::new(move || jitter), ..Retry::default() };
        assert_eq!([1, 2, 3].map(|tried| retry(0.0).delay(tried, None)), [Some(Millis(250)), Some(Millis(1000)), None]);
        assert_eq!([1, 2, 3].map(|tried| retry(1.0).delay(tried, None)), [Some(Millis(500)), Some(Millis(2000)), None]);
        assert_eq!(retry(0.0).delay(1, Some(Millis(1500))), Some(Millis(1500)), "the registry's wish is kept");
        assert_eq!(retry(0.0).delay(1, Some(Millis(3000))), None, "a request is not held that long");
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(value: Vec<u8>, close in "[0-9]{0,20}[.]?[0-9]{0,5}(ns|us|µs|ms|s|m|h|x)?[0-9]{0,3}") {
            for bytes in [&value[..], close.as_bytes()] {
                if let Ok(value) = HeaderValue::from_bytes(bytes) {
                    let wait = wait(&value, NOW);
                    prop_assert!(wait.is_none_or(|wait| wait.clamp(SHORTEST, LONGEST) >= SHORTEST));
                }
            }
        }
    }
}
