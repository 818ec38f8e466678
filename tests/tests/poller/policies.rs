//! What another policy does to tags that are there already.

use std::collections::BTreeSet;
use std::sync::Arc;

use tagwarden::policy::{Policy, Rule};
use tagwarden::poller::PollerSettings;
use tagwarden::store::Scope;
use tagwarden::store::read::TagFilter;
use tagwarden::store::watch::RegistryEntry;
use tagwarden_model::api::{Flag, Tag};
use tagwarden_model::event::Severity;
use tagwarden_model::flag::{FlagState, Lowering};
use tagwarden_model::instant::Millis;
use tagwarden_model::tag::{Band, Class};
use tagwarden_tests::double::{Double, Image};
use tagwarden_tests::polling::{World, name, tag};

const PATH: &str = "team/api";

struct Play {
    world: World,
    double: Arc<Double>,
    entry: RegistryEntry,
}

impl Play {
    async fn begin() -> Self {
        let world = World::in_memory().await;
        let double = Arc::new(Double::new(world.clock.clone()));
        let entry = world.entry("registry.example").await;
        world.watch(&entry, PATH).await;
        Self { world, double, entry }
    }

    fn push(&self, name: &str, content: &str) {
        self.double.push(PATH, &tag(name), Image::of(content));
    }

    /// The server runs for a while with these rules.
    async fn run(&mut self, rules: &[(&str, Class)]) {
        let rules = rules.iter().map(|(tag, class)| Rule::new("**", tag, *class).unwrap());
        self.run_with(rules.collect()).await;
    }

    async fn run_with(&mut self, rules: Vec<Rule>) {
        self.world.policy = Arc::new(Policy::new(rules));
        let polling = self.world.poll(&self.entry, self.double.clone(), PollerSettings::default());
        self.world.run(Millis::minutes(80)).await;
        polling.stop().await;
    }

    async fn tag(&self, of: &str) -> Tag {
        let filter =
            TagFilter { repository: name(&self.entry, PATH), class: None, family: None, contains: Some(of.to_owned()) };
        let mut tags = self.world.store.tags(Scope::All, &filter, None, 2).await.unwrap().unwrap().0;
        assert_eq!(tags.len(), 1);
        tags.remove(0)
    }

    /// Tags with the reason of their promise.
    async fn promises(&self) -> Vec<(String, String)> {
        let promises = self.world.store.promises(Scope::All, &name(&self.entry, PATH), None, 10).await.unwrap().0;
        promises.into_iter().map(|promise| (promise.tag, promise.reason)).collect()
    }
}

const RELEASE: &[(&str, Class)] = &[("[0-9].[0-9][0-9]", Class::Release)];

#[tokio::test]
async fn a_tag_that_becomes_a_release_is_held_to_what_it_is_then() {
    let mut play = Play::begin().await;
    play.push("3.12", "a");
    play.run(&[]).await;
    play.push("3.12", "b");
    play.run(&[]).await;
    assert_eq!((play.tag("3.12").await.class, play.promises().await), (Class::Rolling, Vec::new()));

    play.run(RELEASE).await;
    let now = play.tag("3.12").await;
    assert_eq!((now.class, now.rule.as_str()), (Class::Release, "policy:**:[0-9].[0-9][0-9]"));
    assert_eq!((now.promise, now.in_breach), (Some(Image::of("b").digest), false));
    assert_eq!(play.promises().await, [("3.12".to_owned(), "what it was when it became a release".to_owned())]);
    assert!(play.world.flags().await.is_empty());
    assert_eq!(play.world.events().await.len(), 2, "a change of the policy is no event");

    play.push("3.12", "c");
    play.run(RELEASE).await;
    let flags = play.world.flags().await;
    assert_eq!((flags.len(), flags[0].state), (1, FlagState::Open));
}

#[tokio::test]
async fn a_change_of_the_policy_opens_and_closes_no_flag() {
    let mut play = Play::begin().await;
    play.push("1.2.3", "a");
    play.run(&[]).await;
    play.push("1.2.3", "b");
    play.run(&[]).await;
    let flags = play.world.flags().await;
    assert_eq!((flags.len(), flags[0].state), (1, FlagState::Open));

    play.run(&[("1.*", Class::Rolling)]).await;
    assert_eq!(play.tag("1.2.3").await.class, Class::Rolling);
    assert_eq!(play.world.flags().await, flags);
    // Back: the flag waits as it did, and the release is still held to what it broke.
    play.run(&[]).await;
    let now = play.tag("1.2.3").await;
    assert_eq!((now.class, now.promise, now.in_breach), (Class::Release, Some(Image::of("a").digest), true));
    assert_eq!(play.world.flags().await, flags);
}

#[tokio::test]
async fn a_release_that_rolled_for_a_while_is_held_to_what_it_is_when_it_is_one_again() {
    let mut play = Play::begin().await;
    play.push("1.2.3", "a");
    play.run(&[]).await;
    play.run(&[("1.*", Class::Rolling)]).await;
    play.push("1.2.3", "b");
    play.run(&[("1.*", Class::Rolling)]).await;
    assert!(play.world.flags().await.is_empty());
    play.run(&[]).await;
    let now = play.tag("1.2.3").await;
    assert_eq!((now.class, now.promise, now.in_breach), (Class::Release, Some(Image::of("b").digest), false));
    assert!(play.world.flags().await.is_empty());
    assert_ne!(now.band, Band::Pinned);
}

#[tokio::test]
async fn a_rule_that_lowers_reaches_the_flags_that_stand() {
    let mut play = Play::begin().await;
    for tag in ["1.2.3", "1.2.4"] {
        play.push(tag, tag);
    }
    play.run(&[]).await;
    play.push("1.2.3", "b");
    play.double.remove(PATH, &tag("1.2.4"));
    play.run(&[]).await;
    let severities = |flags: Vec<Flag>| {
        let of = |flag: Flag| (flag.tag.unwrap_or_default(), flag.severity, flag.lowered_by, flag.version);
        flags.into_iter().map(of).collect::<BTreeSet<_>>()
    };
    let before = |version| {
        let of = |tag: &str, severity| (tag.to_owned(), severity, None, version);
        BTreeSet::from([of("1.2.3", Severity::Critical), of("1.2.4", Severity::Warning)])
    };
    assert_eq!(severities(play.world.flags().await), before(1));

    let lowered = |lowering| Rule::new("**", "1.*", Class::Release).unwrap().lowered(lowering);
    play.run_with(vec![lowered(Lowering { cap: Some(Severity::Warning), retention: true })]).await;
    let of = |tag: &str, severity| (tag.to_owned(), severity, Some("policy:**:1.*".to_owned()), 2);
    let expected = BTreeSet::from([of("1.2.3", Severity::Warning), of("1.2.4", Severity::Info)]);
    assert_eq!(severities(play.world.flags().await), expected);

    // Patterns and class are the same: that it lowers nothing any more is seen all the same.
    play.run_with(vec![lowered(Lowering::default())]).await;
    assert_eq!(severities(play.world.flags().await), before(3));
}
