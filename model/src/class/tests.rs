use super::*;
use proptest::prelude::*;

const HEX64: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const REPOSITORY: &str = "ghcr.io/acme/api";

/// Real tags by the row that decides them.
const TABLE: &[(Classified, &[&str])] = &[
    (
        IGNORED,
        &[
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.sig",
            "sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.att",
            "sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.sbom",
            "sha512-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "keep-a41b09ce12ab",
        ],
    ),
    (
        MOVING,
        &[
            "latest",
            "nightly",
            "snapshot",
            "edge",
            "dev",
            "main",
            "master",
            "canary",
            "unstable",
            "test",
            "LATEST",
            "Nightly",
            "edge-alpine",
            "edge-alpine3.20",
            "latest-slim",
            "latest-amd64",
            "alpine-latest",
            "main-debug",
            "master_debian",
            "unstable-slim",
            "nightly-bookworm-slim",
            "test-suite",
            "pr-123",
            "pr-123-alpine",
            "pr_7",
            "1.27.3-dev",
            "2.3.0-SNAPSHOT",
            "2.3.0-SNAPSHOT-jre",
            "2024-05-01-nightly",
            "3f91c0e-dev",
            "v2-edge",
            "3.12-dev-slim",
            "latest-dev",
        ],
    ),
    (
        VERSION,
        &[
            "2.3.0",
            "v2.3.0",
            "1.27.3-alpine3.20",
            "1.27.3-alpine",
            "1.27.3-alpine-slim",
            "1.27.3-perl",
            "v2.3.0-rc.1",
            "2.3.0-rc1",
            "2.3.0rc1",
            "2.3.0-beta.2",
            "1.0.0-alpha",
            "0.0.1",
            "10.0.19045.5131",
            "1.2.3.4.5",
            "2024.05.1",
            "24.04.1",
            "24.5.12",
            "2024.12.31-1",
            "3.12.4-slim-bookworm",
            "16.3.0-bullseye",
            "v1.30.2-k3s1",
            "v1.27.3-eksbuild.1",
            "5.6.1.Final",
            "17.0.11_9-jre",
            "17.0.11_9-jdk-alpine",
            "21.0.3_9",
            "1.2.3-debian-12-r5",
            "v0.14.0-amd64",
            "7.4.0-0",
            "1.1.1w",
            "v3.5.13-3f91c0e",
            "1.2.3-14-g3f91c0e",
            "2.3.0-dev.5",
            "2.3.0-dev-20240501",
            "2.3.0-main-3f91c0e",
            "2.3.0-pr-12-3f91c0e",
            "2.3.0-testing",
            "2.3.0.dev4",
            "12.4.1-cudnn-devel-ubuntu22.04",
            "v1.2.3_build7",
            "2023.11.14",
            "8.0.300-1-jammy",
            "2.3.0-canary.20240501",
            "20240501.1.2",
        ],
    ),
    (
        DATE,
        &[
            "2024-05-01",
            "2024-05-01-1",
            "2024-05-01T10-00-00Z",
            "20240501",
            "20240501-3f91c0e",
            "20240501.1",
            "2024050112",
            "202405011230",
            "20240501123059",
            "20240501T1234",
            "19991231",
            "RELEASE.2024-01-01T00-00-00Z",
            "RELEASE.2024-01-01T00-00-00Z-cpuv1",
            "RELEASE.2024-01-01T00-00-00Z.fips",
            "RELEASE.20240101",
        ],
    ),
    (
        COMMIT,
        &[
            "sha-3f91c0e",
            "sha-1234567",
            "sha-3f91c0e89aa34b8bb0bbd0f36b21a84a4e6f7f46",
            "3f91c0e89aa34b8bb0bbd0f36b21a84a4e6f7f46",
            "0123456789012345678901234567890123456789",
            "3f91c0e",
            "abc1234",
            "a41b09ce12ab",
            "main-abc1234-1700000000",
            "feature-login-abc1234-1700000000",
            "master-3f91c0e89aa34b8bb0bbd0f36b21a84a4e6f7f46-1700000000",
        ],
    ),
    (
        TWO_NUMBERS,
        &[
            "24.04",
            "1.27",
            "v1.27",
            "3.12-slim",
            "3.12-slim-bookworm",
            "1.27-alpine3.20",
            "8.2-apache",
            "1.2.x",
            "1.2rc1",
            "2024.05",
            "6.0-jammy",
            "22.04_stable",
        ],
    ),
    (
        ONE_NUMBER,
        &[
            "12",
            "v2",
            "12-slim",
            "8-jre",
            "17-jdk-alpine",
            "1700000000",
            "20241301",
            "20240532",
            "2024-13-01",
            "202405",
            "123456789",
        ],
    ),
    (
        WORD,
        &[
            "bookworm",
            "bookworm-slim",
            "stable",
            "alpine",
            "slim",
            "jammy-20240427",
            "bullseye-20240423-slim",
            "lts",
            "lts-alpine3.20",
            "rolling",
            "beta",
            "rc",
            "testing",
            "develop",
            "php8.2-apache",
            "release-1.2.3",
            "main-3f91c0e",
            "main-1.2.3",
            "main-123",
            "nightly-2024-05-01",
            "nightly-20240501",
            "dev-v2",
            "pr-123-3f91c0e",
            "pr-1.2",
            "pr-alpine-12",
            "main-abc1234-0700000000",
            "edge-slim-2.0",
            "deadbeef",
            "DEADBEE1",
            "3f91",
            "3f91c0",
            "3f91c0e89aa34",
            "sha-3f91c0",
            "sha-3F91C0E",
            "sha256-3f91c0e",
            "keep-a41b09ce12",
            "main-abc1234-170000000",
            "main-abc123-1700000000",
            "V1.2.3",
            "RELEASE.latest",
            "mainline",
            "latests",
            "jdk17",
            "ltsc2022",
            "_",
            "v",
        ],
    ),
];

#[test]
fn section_7_every_row_of_the_default_table() {
    let mut count = 0;
    for (expected, tags) in TABLE {
        for tag in *tags {
            assert_eq!(class_of(REPOSITORY, tag), *expected, "{tag}");
            assert!(crate::name::TagName::new(tag).is_some(), "{tag} is no tag");
            count += 1;
        }
    }
    assert!(count >= 120, "{count} examples");
}

#[test]
fn section_7_versions_of_official_images_are_rebuilt_and_nothing_else_differs() {
    for (expected, tags) in TABLE {
        let official = if *expected == VERSION { OFFICIAL } else { *expected };
        for tag in *tags {
            assert_eq!(class_of("docker.io/library/nginx", tag), official, "{tag}");
            for elsewhere in ["docker.io/acme/nginx", "docker.io/library2/x", "ghcr.io/docker.io/library/x"] {
                assert_eq!(class_of(elsewhere, tag), *expected, "{elsewhere}:{tag}");
            }
        }
    }
}

#[test]
fn section_7_the_classes_of_the_rows() {
    let classes = TABLE.iter().map(|(row, _)| (row.rule, row.class)).collect::<Vec<_>>();
    assert_eq!(
        classes,
        [
            ("default:artifact", Class::Ignored),
            ("default:moving-word", Class::Rolling),
            ("default:version", Class::Release),
            ("default:date", Class::Release),
            ("default:commit", Class::Release),
            ("default:two-numbers", Class::Rolling),
            ("default:one-number", Class::Rolling),
            ("default:word", Class::Rolling),
        ]
    );
    assert_eq!(class_of("docker.io/library/nginx", "1.27.3").class, Class::Rebuilt);
}

#[test]
fn section_7_commits_are_of_the_family_commit() {
    for (row, tags) in TABLE {
        for tag in *tags {
            assert_eq!(crate::version::Version::of(tag).family == "commit", *row == COMMIT, "{tag}");
        }
    }
}

#[test]
fn section_7_a_digest_needs_all_its_digits() {
    for tag in [&HEX64[1..], &format!("sha256-{}", &HEX64[1..]), &format!("{HEX64}.sig"), "keep-a41b09ce12abc"] {
        assert_ne!(class_of(REPOSITORY, tag), IGNORED, "{tag}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(repository: String, tag: String) {
        let _ = class_of(&repository, &tag);
    }

    #[test]
    fn section_7_three_numbers_with_any_suffix_are_a_release_unless_a_moving_word_ends_them(
        version in "v?[0-9]{1,6}\\.[0-9]{1,6}\\.[0-9]{1,6}",
        suffix in "([-_.][a-z0-9.]{1,8}){0,3}",
    ) {
        let tag = version + &suffix;
        let moving = tag.split(['-', '_']).any(|segment| MOVING_WORDS.contains(&segment));
        if !moving {
            prop_assert_eq!(class_of(REPOSITORY, &tag), VERSION, "{}", tag);
        }
    }

    #[test]
    fn section_7_a_moving_word_moves_until_a_version_or_hash_follows(
        before in "([a-z]{1,6}-){0,2}",
        word in prop::sample::select(MOVING_WORDS),
        after in "(-[g-z]{1,6}){0,2}",
        version in "-v?[0-9]{1,3}(\\.[0-9]{1,3}){1,2}|-[a-f][0-9][0-9a-f]{5,12}",
    ) {
        let moving = format!("{before}{word}{after}");
        prop_assert_eq!(class_of(REPOSITORY, &moving), MOVING, "{}", moving);
        let fixed = format!("{moving}{version}");
        prop_assert_ne!(class_of(REPOSITORY, &fixed), MOVING, "{}", fixed);
    }
}
