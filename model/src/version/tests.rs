use super::*;
use proptest::prelude::*;

/// Tag, family, track (empty for none), whether it is a pre-release.
const TAGS: &[(&str, &str, &str, bool)] = &[
    ("1.27.3", "", "1.27", false),
    ("v1.27.3", "", "1.27", false),
    ("1.27.3-alpine", "alpine", "1.27-alpine", false),
    ("1.27.3-alpine3.20", "alpine", "1.27-alpine", false),
    ("1.27.3-alpine3.20-perl", "alpine-perl", "1.27-alpine-perl", false),
    ("3.12-slim", "slim", "3.12-slim", false),
    ("3.12.1-slim-bookworm", "slim-bookworm", "3.12-slim-bookworm", false),
    ("12", "", "", false),
    ("12-slim", "slim", "", false),
    ("24.04", "", "24.04", false),
    ("2.3.0-rc.1", "", "2.3", true),
    ("v2.3.0-rc.1", "", "2.3", true),
    ("v2.3.0-RC1", "", "2.3", true),
    ("2.3.0rc1", "", "2.3", true),
    ("2.3.0b2", "", "2.3", true),
    ("2.3.0a1.dev4", "", "2.3", true),
    ("2.3.0-beta.2-alpine", "alpine", "2.3-alpine", true),
    ("3.0.0-M2", "", "3.0", true),
    ("2.3.0-SNAPSHOT", "", "2.3", true),
    ("11.0.2-b10", "b", "11.0-b", false),
    ("1.2.3-r4", "r", "1.2-r", false),
    ("v1.30.2-k3s1", "k3s", "1.30-k3s", false),
    ("v1.30.2-rc1-k3s1", "k3s", "1.30-k3s", true),
    ("1.2.3-amd64", "amd64", "1.2-amd64", false),
    ("1.2.3-arm64v8", "arm64v8", "1.2-arm64v8", false),
    ("12.4.1-cudnn-devel-ubuntu22.04", "cudnn-devel-ubuntu", "12.4-cudnn-devel-ubuntu", false),
    ("v1.2.3-14-g3f91c0e", "", "1.2", false),
    ("1.2.3-3f91c0e", "", "1.2", false),
    ("2024.05.1", "", "2024.05", false),
    ("2024-05-01", "", "2024.05", false),
    ("20240501", "", "", false),
    ("RELEASE.2024-01-01T00-00-00Z", "RELEASE", "2024.01-RELEASE", false),
    ("8.2-apache", "apache", "8.2-apache", false),
    ("php8.2-apache", "php-apache", "8.2-php-apache", false),
    ("latest", "latest", "", false),
    ("bookworm", "bookworm", "", false),
    ("nightly", "nightly", "", false),
    ("nightly-2024-05-01", "nightly", "2024.05-nightly", false),
    ("main-3f91c0e", "main", "", false),
    ("main-abc1234-1700000000", "commit", "", false),
    ("sha-3f91c0e", "commit", "", false),
    ("3f91c0e", "commit", "", false),
    ("0123456789012345678901234567890123456789", "commit", "", false),
    ("pr-123", "pr", "", false),
    ("_", "", "", false),
];

#[test]
fn section_7_family_and_track_are_what_stays_when_the_numbers_go() {
    for (tag, family, track, pre_release) in TAGS {
        let version = Version::of(tag);
        assert_eq!(version.family, *family, "{tag}");
        assert_eq!(version.track.as_deref().unwrap_or(""), *track, "{tag}");
        assert_eq!(version.pre_release, *pre_release, "{tag}");
    }
}

#[test]
fn section_7_versions_order_numerically_within_a_family_and_pre_releases_before_their_release() {
    for ascending in [
        &["0.9.12", "v0.10.0", "1.2", "1.2.0", "1.2.1", "1.2.3", "1.2.3.1", "1.2.10", "1.10.0", "2.0.0", "10.0.0"][..],
        &[
            "2.3.0-dev.1",
            "2.3.0-alpha",
            "2.3.0-alpha.2",
            "2.3.0-alpha.10",
            "2.3.0b1",
            "2.3.0-beta.2",
            "2.3.0-M1",
            "2.3.0-rc.1",
            "2.3.0-rc2",
            "2.3.0-rc.10",
            "2.3.0-SNAPSHOT",
            "2.3.0",
            "2.3.1-rc.1",
        ],
        &["1.27.3-alpine3.9", "1.27.3-alpine3.20", "1.27.4-rc1-alpine3.19", "1.27.4-alpine3.9", "1.27.10-alpine"],
        &["2023-12-31", "2024-01-02", "2024-01-10-rc1", "2024-01-10", "2024-10-01"],
        &["RELEASE.2024-01-01T00-00-00Z", "RELEASE.2024-01-01T00-00-09Z", "RELEASE.2024-01-01T00-10-00Z"],
        &["v1.2.3", "v1.2.3-2-g3f91c0e", "v1.2.3-14-g0a91c0e"],
        &["main-fff1234-1700000000", "main-abc1234-1700000001"],
        &["pr-9", "pr-10", "pr-123"],
        &["sha-3f91c0e", "latest", "1.0"],
    ] {
        for pair in ascending.windows(2) {
            let [before, after] = [Version::of(pair[0]), Version::of(pair[1])];
            assert!(before.key < after.key, "{} < {}", pair[0], pair[1]);
            assert!(before < after, "{} < {}", pair[0], pair[1]);
        }
    }
}

#[test]
fn section_7_numbers_of_any_length_are_numbers() {
    for digits in 1..300 {
        let shorter = format!("{}.9-alpine", "9".repeat(digits));
        let longer = format!("1{}.0-alpine", "0".repeat(digits));
        assert!(Version::of(&shorter).is_before(&Version::of(&longer)), "{digits} digits");
    }
}

#[test]
fn section_7_another_spelling_is_not_an_earlier_version() {
    for (one, other) in
        [("2.3.0", "v2.3.0"), ("2024.05.1", "2024.5.1"), ("2.3.0-rc1", "2.3.0-rc.1"), ("2.3.0", "2.3.0")]
    {
        let [one, other] = [Version::of(one), Version::of(other)];
        assert!(!one.is_before(&other) && !other.is_before(&one), "{one:?} {other:?}");
    }
    assert!(Version::of("v2.3.0-rc1").is_before(&Version::of("2.3.0")));
    assert!(Version::of("2.3.0").is_before(&Version::of("2.3.0.1")));
}

/// A version as the property tests think of it.
#[derive(Debug, Clone)]
struct Plain {
    main: Vec<String>,
    pre: Option<(usize, Vec<String>)>,
    rest: Option<String>,
}

const RANKED: [&str; 5] = ["dev", "alpha", "beta", "rc", "snapshot"];

impl Plain {
    fn tag(&self) -> String {
        let pre = self.pre.iter().map(|(rank, numbers)| format!("-{}.{}", RANKED[*rank], numbers.join(".")));
        format!("{}{}-alpine{}", self.main.join("."), pre.collect::<String>(), self.rest.as_deref().unwrap_or(""))
    }

    /// The order by its definition, without bytes.
    fn order(&self, other: &Self) -> Ordering {
        let pre = |version: &Self| match &version.pre {
            Some((rank, numbers)) => (*rank, numbers.iter().map(|number| numeric(number)).collect()),
            None => (RANKED.len(), Vec::new()),
        };
        let numbers = |version: &Self| version.main.iter().map(|number| numeric(number)).collect::<Vec<_>>();
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| pre(self).cmp(&pre(other)))
            .then_with(|| self.rest.as_deref().map(numeric).cmp(&other.rest.as_deref().map(numeric)))
    }
}

/// Digits as a number of any size: first by length, then by digits.
fn numeric(digits: &str) -> (usize, String) {
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits.to_owned())
}

fn plain() -> impl Strategy<Value = Plain> {
    let number = || prop_oneof![8 => "[0-9]{1,2}", 2 => "[0-9]{3,6}", 1 => "[0-9]{20,40}", 1 => "[0-9]{250,600}"];
    (
        prop::collection::vec(number(), 1..5),
        prop::option::of((0..RANKED.len(), prop::collection::vec(number(), 0..3))),
        prop::option::of(number()),
    )
        .prop_map(|(main, pre, rest)| Plain { main, pre, rest })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn section_7_the_order_of_keys_is_the_order_of_versions(one in plain(), other in plain()) {
        let (left, right) = (Version::of(&one.tag()), Version::of(&other.tag()));
        prop_assert_eq!(&left.family, "alpine");
        prop_assert_eq!(left.pre_release, one.pre.is_some());
        match one.order(&other) {
            Ordering::Equal => prop_assert_eq!(left.key == right.key, one.tag() == other.tag()),
            order => prop_assert_eq!(left.key.cmp(&right.key), order),
        }
    }

    #[test]
    fn neighbouring_versions_are_told_apart(version in plain(), at in 0_usize..4, digit in 0_u8..10) {
        let mut other = version.clone();
        let at = at % other.main.len();
        other.main[at].push(char::from(b'0' + digit));
        let order = Version::of(&version.tag()).key.cmp(&Version::of(&other.tag()).key);
        match version.order(&other) {
            Ordering::Equal => prop_assert_ne!(order, Ordering::Equal),
            expected => prop_assert_eq!(order, expected),
        }
    }

    #[test]
    fn no_text_makes_it_panic_and_no_two_share_a_key(one: String, other: String) {
        prop_assert_eq!(Version::of(&one).key == Version::of(&other).key, one == other);
    }

    #[test]
    fn tags_of_one_alphabet_never_share_a_key(one in "[av0-9._-]{0,12}", other in "[av0-9._-]{0,12}") {
        prop_assert_eq!(Version::of(&one).key == Version::of(&other).key, one == other);
    }
}

#[test]
fn tracks_order_by_their_numbers() {
    let tracks = ["0.9", "1.2", "1.10", "1.27-alpine", "2.0", "10.0-slim-bookworm", "2024.05"];
    let keys: Vec<_> = tracks.iter().map(|track| track_key(track).unwrap()).collect();
    assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
    assert_eq!(track_key("1.27"), track_key("1.27-alpine"));
    for (tag, _, track, _) in TAGS.iter().filter(|(_, _, track, _)| !track.is_empty()) {
        assert!(track_key(track).is_some(), "{tag}");
    }
    for none in ["", "1", "1.", ".1", "1.x", "alpine", "v1.2", "1.2.3", "commit"] {
        assert_eq!(track_key(none), None, "{none}");
    }
}

#[test]
fn one_number_means_all_its_tracks_and_a_third_says_nothing() {
    let is_in = |track: &str, range: &str| {
        let [least, greatest] = track_range(range).unwrap();
        (least..=greatest).contains(&track_key(track).unwrap())
    };
    for (range, tracks) in
        [("2", "2.0 2.3 2.10 2.03"), ("2.3", "2.3 2.03"), ("v2.3.1-rc.1", "2.3"), ("02", "2.0 2.3 2.10")]
    {
        for track in ["1.9", "2.0", "2.3", "2.10", "3.0", "20.3", "2.03"] {
            let expected = tracks.split(' ').any(|known| track_key(known) == track_key(track));
            assert_eq!(is_in(track, range), expected, "{track} in {range}");
        }
    }
    for none in ["", "x", "2.x", "2.", ".3", "latest"] {
        assert_eq!(track_range(none), None, "{none}");
    }
}
