//! Content digests as in the OCI image specification, section "Digests".

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

/// A digest `algorithm:hex` of one of the two registered algorithms.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// `sha256:` and 64 hex digits.
    Sha256([u8; 32]),
    /// `sha512:` and 128 hex digits.
    Sha512(Box<[u8; 64]>),
}

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no colon.
    #[error("a digest looks like sha256:<64 hex digits>")]
    Shape,
    /// Only sha256 and sha512 are registered (OCI image-spec, "Registered algorithms").
    #[error("the digest algorithm is neither sha256 nor sha512")]
    Algorithm,
    /// Wrong length, or a character outside `0-9a-f`.
    #[error("a {algorithm} digest has {expected} lower-case hex digits")]
    Hex {
        /// The algorithm that was named.
        algorithm: &'static str,
        /// How many digits it has.
        expected: usize,
    },
}

impl Digest {
    /// The sha256 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::Sha256(sha2::Sha256::digest(bytes).into())
    }

    /// Whether `bytes` have this digest, by this digest's own algorithm.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Sha256(hash) => sha2::Sha256::digest(bytes)[..] == hash[..],
            Self::Sha512(hash) => sha2::Sha512::digest(bytes)[..] == hash[..],
        }
    }

    /// The raw hash.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(hash) => hash,
            Self::Sha512(hash) => &hash[..],
        }
    }

    /// The name before the colon.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    fn text(&self) -> String {
        let mut text = String::with_capacity(7 + 2 * self.bytes().len());
        text.push_str(self.algorithm());
        text.push(':');
        put_hex(&mut text, self.bytes());
        text
    }

    /// All hex digits, without the algorithm.
    pub fn hex(&self) -> String {
        hex(self.bytes())
    }

    /// The form a person reads: the first and the next four hex digits, `a41b·09ce`.
    pub fn short(&self) -> String {
        let hex = hex(&self.bytes()[..4]);
        format!("{}·{}", &hex[..4], &hex[4..])
    }
}

/// Lower-case hex of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    put_hex(&mut text, bytes);
    text
}

fn put_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What a byte is worth as a digit; 255: it is none.
const WORTH: [u8; 256] = {
    let mut worth = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        worth[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    worth
};

/// Bytes from lower-case hex, `None` for anything else.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let pairs: &[[u8; 2]; N] = pairs.try_into().ok()?;
    let worth = pairs.map(|pair| pair.map(|byte| WORTH[usize::from(byte)]));
    // A timeline brings thousands: one look at all digits, and not one at each.
    let is_hex = worth.iter().flatten().fold(0, |all, worth| all | worth) < 16;
    is_hex.then(|| worth.map(|[high, low]| high << 4 | low))
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, digits) = text.split_once(':').ok_or(DigestError::Shape)?;
        match algorithm {
            "sha256" => unhex(digits).map(Self::Sha256).ok_or(DigestError::Hex { algorithm: "sha256", expected: 64 }),
            "sha512" => unhex(digits)
                .map(|hash| Self::Sha512(Box::new(hash)))
                .ok_or(DigestError::Hex { algorithm: "sha512", expected: 128 }),
            _ => Err(DigestError::Algorithm),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_empty_text_has_its_published_hash() {
        assert_eq!(
            Digest::of(b"").to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(Digest::of(b"").short(), "e3b0·c442");
    }

    #[test]
    fn what_is_no_digest_is_refused_with_its_reason() {
        let upper = format!("sha256:{}", "A".repeat(64));
        for (text, error) in [
            ("", DigestError::Shape),
            ("sha256", DigestError::Shape),
            ("md5:00", DigestError::Algorithm),
            ("sha256:zz", DigestError::Hex { algorithm: "sha256", expected: 64 }),
            (&upper, DigestError::Hex { algorithm: "sha256", expected: 64 }),
            ("sha512:00", DigestError::Hex { algorithm: "sha512", expected: 128 }),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_digest_reads_back_as_it_was_written(bytes in proptest::collection::vec(any::<u8>(), 0..64), long: bool) {
            let digest = if long {
                Digest::Sha512(Box::new(sha2::Sha512::digest(&bytes).into()))
            } else {
                Digest::of(&bytes)
            };
            prop_assert!(digest.matches(&bytes));
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = text.parse::<Digest>();
        }
    }
}
