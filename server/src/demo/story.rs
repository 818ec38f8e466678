//! The story that the demo tells: what a dozen images released in the past year, and what went wrong with some of them.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tagwarden_model::instant::{Instant, Millis};

use super::image::{Build, ImageBuild};

/// The registries of the story, as image names call them.
pub const HOSTS: [&str; 3] = ["registry.acme.example", "base.acme.example", "builds.acme.example"];

/// How long the story lasts before the present.
pub const PAST: Millis = Millis::days(365);

/// Tags of the repository that shows how many tags look.
pub const MANY: u32 = 5_000;

/// What happens in a registry, or what a person decides about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Instant,
    /// In which of [`HOSTS`].
    pub registry: usize,
    /// To which repository.
    pub repository: &'static str,
    /// What.
    pub what: What,
}

/// What an act does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The tags name what was built from now on.
    Push(Vec<String>, Build),
    /// The same, for tags that were released before.
    PushAgain(Vec<String>, Build),
    /// The tags are gone.
    Delete(Vec<String>),
    /// The registry answers 503 from now on, or no longer.
    Fail(bool),
    /// A person takes note of the flag of a tag.
    Acknowledge(String, &'static str),
    /// A person closes the flag of a tag, and accepts what it is now.
    Close(String, &'static str),
}

/// How a product names its releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// `2.3.0`, with the rolling `2.3`, `2` and `latest`.
    Semver,
    /// `3.12.4-slim`, with the rolling `3.12-slim`.
    Suffixed(&'static str),
    /// `2026.11.2`, with the rolling `latest`.
    Calendar,
    /// `1.4.0`, a Helm chart.
    Chart,
}

struct Product {
    registry: usize,
    repository: &'static str,
    title: &'static str,
    scheme: Scheme,
    /// Days between two releases, more or less.
    every: i64,
    /// The first version of the story.
    first: [u32; 3],
}

const PRODUCTS: [Product; 12] = {
    const fn of(
        registry: usize,
        repository: &'static str,
        title: &'static str,
        scheme: Scheme,
        every: i64,
        first: [u32; 3],
    ) -> Product {
        Product { registry, repository, title, scheme, every, first }
    }
    use Scheme::{Calendar, Chart, Semver, Suffixed};
    [
        of(0, "acme/payments-api", "Payments API", Semver, 17, [1, 3, 0]),
        of(0, "acme/payments-web", "Payments in the browser", Semver, 12, [5, 0, 2]),
        of(0, "acme/ledger", "Ledger", Semver, 19, [4, 2, 0]),
        of(0, "acme/notifier", "Notifier", Semver, 23, [1, 4, 0]),
        of(0, "acme/gateway", "Gateway", Semver, 14, [1, 7, 0]),
        of(0, "acme/identity", "Identity", Semver, 26, [3, 0, 0]),
        // Titles that run from right to left.
        of(0, "acme/catalog", "كتالوج المنتجات 2", Semver, 29, [0, 9, 0]),
        of(0, "acme/search", "חיפוש", Calendar, 18, [0, 0, 1]),
        of(
            0,
            "platform/customer-experience/notification-preferences-synchronizer",
            "Keeps what customers said about notifications in step between the shop, the app and the contact centre",
            Semver,
            31,
            [0, 3, 1],
        ),
        of(1, "base/python", "Python", Suffixed("slim"), 30, [3, 12, 0]),
        of(1, "base/node", "Node.js", Suffixed("alpine"), 24, [22, 1, 0]),
        of(2, "charts/payments", "Payments", Chart, 34, [1, 0, 0]),
    ]
};

const PAYMENTS_API: usize = 0;
const PAYMENTS_WEB: usize = 1;
const LEDGER: usize = 2;
const NOTIFIER: usize = 3;
const GATEWAY: usize = 4;
const IDENTITY: usize = 5;
const SEARCH: usize = 7;
const PYTHON: usize = 9;

/// A tag that was released, and what it was built from.
#[derive(Clone)]
struct Released {
    at: Instant,
    tag: String,
    build: Build,
}

/// The story, as far as it was told.
pub struct Story {
    random: StdRng,
    versions: [[u32; 3]; PRODUCTS.len()],
    released: BTreeMap<usize, Vec<Released>>,
    beat: usize,
}

impl Story {
    /// What happened until `now`, in order, and the story from there on. The same `seed` tells the same.
    pub fn until(now: Instant, seed: u64) -> (Self, Vec<Act>) {
        let versions = PRODUCTS.each_ref().map(|product| product.first);
        let random = StdRng::seed_from_u64(seed);
        let mut story = Self { random, versions, released: BTreeMap::new(), beat: 0 };
        let mut acts = Vec::new();
        for (product, of) in PRODUCTS.iter().enumerate() {
            // The first release of each was there before anybody watched.
            let mut at = now - PAST;
            // The last months of the first product is told below, day by day.
            let end = now - if product == PAYMENTS_API { Millis::days(90) } else { Millis::hours(5) };
            while at < end {
                acts.extend(story.release(product, at));
                let days = of.every * story.random.random_range(70..200) / 100;
                at = at + Millis::days(days.max(1)) + Millis::minutes(story.random.random_range(-200..200));
            }
        }
        acts.extend(story.last_months(now));
        acts.extend(story.incidents(now));
        acts.sort_by_key(|act| act.at);
        (story, acts)
    }

    fn last_months(&mut self, now: Instant) -> Vec<Act> {
        let mut acts = Vec::new();
        for (version, ago) in [
            ([2, 0, 0], Millis::days(81)),
            ([2, 1, 0], Millis::days(66)),
            ([2, 2, 0], Millis::days(49)),
            ([2, 2, 7], Millis::days(36)),
            ([2, 2, 8], Millis::days(26)),
            ([2, 3, 0], Millis::days(19)),
            ([2, 3, 1], Millis::days(14)),
            ([2, 4, 0], Millis::days(9)),
            ([2, 4, 1], Millis::days(5)),
            ([2, 4, 2], Millis::hours(7)),
        ] {
            self.versions[PAYMENTS_API] = version;
            acts.extend(self.push(PAYMENTS_API, now - ago));
        }
        acts
    }

    /// What went wrong in the past year, and what people made of it.
    fn incidents(&mut self, now: Instant) -> Vec<Act> {
        let ago = |length: Millis| now - length;
        let mut acts = Vec::new();
        let (moved, back) = (ago(Millis::days(120)), ago(Millis::hours(120 * 24 - 3)));
        let identity = self.newest(IDENTITY, moved);
        acts.extend(again(identity.as_ref(), IDENTITY, moved, rebuilt_from_other_source));
        acts.extend(again(identity.as_ref(), IDENTITY, back, |_| {}));
        acts.extend(identity.iter().map(|released| {
            let why = "the pipeline of a branch had pushed it; the tag is protected now";
            act(IDENTITY, back + Millis::hours(1), What::Close(released.tag.clone(), why))
        }));

        let search = self.newest(SEARCH, ago(Millis::days(60)));
        acts.extend(again(search.as_ref(), SEARCH, ago(Millis::days(60)), |image| image.compression = 9));
        acts.extend(search.iter().map(|released| {
            let at = ago(Millis::days(59));
            act(SEARCH, at, What::Close(released.tag.clone(), "the registry was moved and compressed its layers anew"))
        }));

        // Three together: one decision, one group.
        let gone: Vec<String> = self.tags_between(PAYMENTS_WEB, ago(Millis::days(330)), ago(Millis::days(240)), 3);
        acts.push(act(PAYMENTS_WEB, ago(Millis::days(45)), What::Delete(gone.clone())));
        acts.extend(gone.into_iter().map(|tag| {
            act(PAYMENTS_WEB, ago(Millis::days(44)), What::Close(tag, "nobody runs what is older than half a year"))
        }));

        let notifier = self.newest(NOTIFIER, ago(Millis::days(40)));
        acts.extend(
            (notifier.iter())
                .map(|released| act(NOTIFIER, ago(Millis::days(29)), What::Delete(vec![released.tag.clone()]))),
        );
        let ledger = self.newest(LEDGER, ago(Millis::days(12)));
        acts.extend(again(ledger.as_ref(), LEDGER, ago(Millis::days(11)), |image| image.platforms.truncate(1)));
        acts.extend(ledger.iter().map(|released| {
            let at = ago(Millis::days(10));
            act(LEDGER, at, What::Acknowledge(released.tag.clone(), "no arm64 nodes are left; to be released anew"))
        }));
        acts.push(act(PYTHON, ago(Millis::days(9)), What::Fail(true)));
        acts.push(act(PYTHON, ago(Millis::hours(9 * 24 - 7)), What::Fail(false)));

        let gateway = self.newest(GATEWAY, ago(Millis::days(7)));
        acts.extend(again(gateway.as_ref(), GATEWAY, ago(Millis::days(6)), attested_anew));
        let python = self.newest(PYTHON, ago(Millis::days(20)));
        let yesterday = ago(Millis::hours(14));
        acts.extend(again(python.as_ref(), PYTHON, yesterday, |image| {
            image.created = image.created + Millis::days(17);
        }));
        let payments = self.newest(PAYMENTS_API, ago(Millis::days(18)));
        acts.extend(again(payments.as_ref(), PAYMENTS_API, ago(Millis::minutes(160)), rebuilt_from_other_source));
        acts
    }

    /// What happens next.
    pub fn next(&mut self, now: Instant) -> Vec<Act> {
        let beat = self.beat;
        self.beat += 1;
        let web = self.newest(PAYMENTS_WEB, now - Millis::days(2));
        match beat {
            // One round of what can go wrong is enough: later only releases follow.
            1 => again(web.as_ref(), PAYMENTS_WEB, now, rebuilt_from_other_source),
            3 => {
                let gateway = self.newest(GATEWAY, now - Millis::days(8));
                again(gateway.as_ref(), GATEWAY, now, attested_anew)
            }
            4 => vec![act(PYTHON, now, What::Fail(true))],
            6 => vec![act(PYTHON, now, What::Fail(false))],
            7 => {
                let identity = self.newest(IDENTITY, now - Millis::days(10));
                again(identity.as_ref(), IDENTITY, now, |image| image.platforms.truncate(1))
            }
            8 => {
                let gone = self.newest(NOTIFIER, now - Millis::days(60));
                gone.into_iter().map(|gone| act(NOTIFIER, now, What::Delete(vec![gone.tag]))).collect()
            }
            10 => again(web.as_ref(), PAYMENTS_WEB, now, |_| {}),
            _ => {
                let product = self.random.random_range(0..PRODUCTS.len());
                self.release(product, now)
            }
        }
    }

    /// The next version, most often a patch.
    fn release(&mut self, product: usize, at: Instant) -> Vec<Act> {
        let chance = self.random.random_range(0..10);
        let Some(version) = self.versions.get_mut(product) else { return Vec::new() };
        *version = match (*version, chance) {
            _ if !self.released.contains_key(&product) => *version,
            ([major, minor, _], 6..) => [major, minor + 1, 0],
            ([major, minor, patch], _) => [major, minor, patch + 1],
        };
        self.push(product, at)
    }

    fn push(&mut self, product: usize, at: Instant) -> Vec<Act> {
        let (Some(of), Some([major, minor, patch])) = (PRODUCTS.get(product), self.versions.get(product).copied())
        else {
            return Vec::new();
        };
        let tags = match of.scheme {
            Scheme::Semver => vec![
                format!("{major}.{minor}.{patch}"),
                format!("{major}.{minor}"),
                major.to_string(),
                "latest".to_owned(),
            ],
            Scheme::Suffixed(suffix) => {
                vec![format!("{major}.{minor}.{patch}-{suffix}"), format!("{major}.{minor}-{suffix}")]
            }
            Scheme::Calendar => {
                let [year, month, ..] = at.fields();
                let count = patch + 10 * minor;
                vec![format!("{year}.{month:02}.{count}"), "latest".to_owned()]
            }
            Scheme::Chart => vec![format!("{major}.{minor}.{patch}")],
        };
        let version = tags.first().cloned().unwrap_or_default();
        let build = self.build(of, &version, at);
        let released = Released { at, tag: version, build: build.clone() };
        self.released.entry(product).or_default().push(released);
        vec![act(product, at, What::Push(tags, build))]
    }

    fn build(&mut self, of: &Product, version: &str, at: Instant) -> Build {
        let name = of.repository.rsplit('/').next().unwrap_or(of.repository);
        if of.scheme == Scheme::Chart {
            return Build::Chart { name: name.to_owned(), version: version.to_owned(), content: version.to_owned() };
        }
        let created = at - Millis::minutes(self.random.random_range(2..15));
        let revision = format!("{:016x}{:016x}{:08x}", self.random.random::<u64>(), self.random.random::<u64>(), 7);
        let base = ["debian 12", "certificates", "time zones", "a user without rights", "shared libraries"];
        let own = ["assets", "dependencies", "configuration", "templates", "migrations", "program"];
        let layers = (base.iter().map(|layer| (*layer).to_owned()))
            .chain(own.iter().map(|layer| format!("{layer} of {name} {version}")))
            .collect();
        Build::Image(ImageBuild {
            platforms: vec!["linux/amd64", "linux/arm64"],
            entrypoint: vec![format!("/app/{name}")],
            env: vec!["PATH=/usr/local/bin:/usr/bin:/bin".to_owned(), "LOG=info".to_owned()],
            labels: vec![
                ("org.opencontainers.image.title".to_owned(), of.title.to_owned()),
                ("org.opencontainers.image.version".to_owned(), version.to_owned()),
                ("org.opencontainers.image.revision".to_owned(), revision),
                ("org.opencontainers.image.source".to_owned(), format!("https://git.acme.example/{}", of.repository)),
            ],
            layers,
            compression: 6,
            created,
            attested_by: Some(self.random.random_range(1000..9000)),
        })
    }

    /// The newest release of a product that was out at some time.
    fn newest(&self, product: usize, at: Instant) -> Option<Released> {
        let of = self.released.get(&product)?;
        of.iter().filter(|released| released.at <= at).max_by_key(|released| released.at).cloned()
    }

    fn tags_between(&self, product: usize, from: Instant, to: Instant, most: usize) -> Vec<String> {
        let of = self.released.get(&product).into_iter().flatten();
        of.filter(|released| (from..to).contains(&released.at))
            .take(most)
            .map(|released| released.tag.clone())
            .collect()
    }
}

/// A release is pushed once more, built a little differently.
fn again(released: Option<&Released>, product: usize, at: Instant, change: impl Fn(&mut ImageBuild)) -> Vec<Act> {
    let pushed = released.map(|released| {
        let mut build = released.build.clone();
        if let Build::Image(image) = &mut build {
            change(image);
        }
        act(product, at, What::PushAgain(vec![released.tag.clone()], build))
    });
    pushed.into_iter().collect()
}

/// As when the pipeline of another branch runs for a version that is out: other sources, another start, no attestation.
fn rebuilt_from_other_source(image: &mut ImageBuild) {
    image.entrypoint.push("--debug".to_owned());
    image.env.retain(|variable| !variable.starts_with("LOG="));
    image.env.push("LOG=trace".to_owned());
    for layer in image.layers.iter_mut().rev().take(3) {
        layer.push_str(", another branch");
    }
    for (name, value) in &mut image.labels {
        if name.ends_with(".revision") {
            *value = value.chars().rev().collect();
        }
    }
    image.attested_by = None;
}

fn attested_anew(image: &mut ImageBuild) {
    image.attested_by = image.attested_by.map(|run| run + 1);
}

fn act(product: usize, at: Instant, what: What) -> Act {
    let (registry, repository) = PRODUCTS.get(product).map_or((0, ""), |of| (of.registry, of.repository));
    Act { at, registry, repository, what }
}

/// The repositories of the story: which of [`HOSTS`], and the name there.
pub fn repositories() -> impl Iterator<Item = (usize, &'static str)> {
    PRODUCTS.iter().map(|product| (product.registry, product.repository))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_795_435_200_000);

    #[test]
    fn the_same_seed_tells_the_same_story_in_order() {
        let (_, acts) = Story::until(NOW, 7);
        assert_eq!(acts, Story::until(NOW, 7).1);
        assert_ne!(acts, Story::until(NOW, 8).1);
        assert!(acts.is_sorted_by_key(|act| act.at));
        assert!(acts.iter().all(|act| act.at < NOW && act.at >= NOW - PAST));
    }

    #[test]
    fn every_repository_is_there_from_the_beginning_and_no_release_is_named_twice() {
        let (_, acts) = Story::until(NOW, 7);
        for (registry, repository) in repositories() {
            let of = |act: &&Act| act.registry == registry && act.repository == repository;
            let pushes = acts.iter().filter(of).filter_map(|act| match &act.what {
                What::Push(tags, _) => Some((act.at, tags[0].clone())),
                _ => None,
            });
            let pushes: Vec<_> = pushes.collect();
            assert_eq!(pushes[0].0, NOW - PAST, "{repository}");
            let mut names: Vec<_> = pushes.iter().map(|(_, name)| name).collect();
            names.sort();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "{repository}");
        }
    }

    #[test]
    fn whatever_is_pushed_again_deleted_or_decided_was_released_before() {
        let (mut story, mut acts) = Story::until(NOW, 7);
        for beat in 0..40 {
            acts.extend(story.next(NOW + Millis::minutes(beat)));
        }
        for (at, act) in acts.iter().enumerate() {
            let (What::PushAgain(tags, _) | What::Delete(tags)) = &act.what else { continue };
            assert!(!tags.is_empty());
            for tag in tags {
                let released = |earlier: &Act| {
                    earlier.repository == act.repository
                        && matches!(&earlier.what, What::Push(tags, _) if tags.contains(tag))
                };
                assert!(acts[..at].iter().any(released), "{} {tag}", act.repository);
            }
        }
        let re_pushed = acts.iter().any(|act| matches!(&act.what, What::PushAgain(tags, _) if tags[0] == "2.3.0"));
        assert!(re_pushed, "the release on the first picture");
    }
}
