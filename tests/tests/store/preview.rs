//! What the preview of a policy reads.

use tagwarden::policy::{Policy, Rule};
use tagwarden::preview::Preview;
use tagwarden::store::Scope;
use tagwarden::store::record::{RepositoryRow, RepositoryWrite};
use tagwarden_model::api::{PolicyPreview, RepositoryState};
use tagwarden_model::event::{EventKind, NewEvent};
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::tag::{Class, TagRecord, TagState};

use crate::db_test;
use crate::world::{World, claimed, digest, event, name, person, present, repository, write_of};

/// What the table alone would do in place of `rules`, in so many tags at most.
async fn preview(
    world: &World,
    rules: Vec<Rule>,
    only: Option<&RepositoryName>,
    most_tags: usize,
) -> Option<PolicyPreview> {
    let (current, proposed) = (Policy::new(rules), Policy::default());
    let preview = Preview { current: &current, proposed: &proposed, repository: only, now: world.now(), most_tags };
    preview.of(&world.store, Scope::All).await.unwrap()
}

async fn state(world: &World, state: RepositoryState) {
    let now = world.tick();
    let state = RepositoryRow { state, reason: None, since: now, refused_since: None };
    let write =
        RepositoryWrite { repository: world.repository, lease: world.lease, now, state, event: None, invisible: None };
    world.store.put_repository(&write).await.unwrap();
}

db_test! {
    async fn histories_say_what_is_there_and_what_moved_since(world: World) {
        world.create("1.0", "a").await;
        world.to("1.0", "a", "b", 1).await;
        world.pass(Millis::days(1));
        let since = world.now();
        world.to("1.0", "b", "c", 2).await;
        let (seq, _) = world.to("1.0", "c", "d", 3).await;
        // A move that bytes took back is none.
        let unproven = NewEvent { verified: false, ..event(EventKind::Moved, Some("d"), Some("e"), world.tick()) };
        let claim = claimed("e", seq, TagState::Present(digest("d")));
        let (seq, _) = world.write(write_of("1.0", claim, vec![unproven])).await;
        let retracted = event(EventKind::Retracted, Some("e"), Some("d"), world.tick());
        world.write(write_of("1.0", present("d", seq), vec![retracted])).await;
        let changed = world.now();
        let (seq, _) = world.create("2.0", "a").await;
        world.delete("2.0", "a", seq).await;
        let all = world.store.histories(Scope::All, world.repository, since, "", 10).await.unwrap();
        let told: Vec<_> = all.iter().map(|tag| (tag.tag.as_str(), tag.present, tag.moves, tag.changed)).collect();
        assert_eq!(told, [("1.0", Some(true), 2, Some(changed)), ("2.0", Some(false), 0, Some(world.now()))]);
        let first = world.store.histories(Scope::All, world.repository, since, "", 1).await.unwrap();
        let second = world.store.histories(Scope::All, world.repository, since, "1.0", 1).await.unwrap();
        assert_eq!([first, second].concat(), all);
    }
}

db_test! {
    async fn a_preview_looks_at_so_many_tags_and_says_when_there_are_more(world: World) {
        let rules = || vec![Rule::new("**", "*", Class::Ignored).unwrap()];
        // More than are read at once.
        let tags = (0..1_001).map(|number| world.created(&format!("1.0.{number}"), "a")).collect();
        world.try_commit(tags).await.unwrap();
        // Looked at before, having none.
        world.store.watch(world.registry, &repository("a"), &person(), world.tick()).await.unwrap();
        for (most, tags, truncated) in [(2_000, 1_001, false), (1_001, 1_001, false), (1_000, 1_000, true), (3, 3, true), (0, 0, true)] {
            let found = preview(&world, rules(), None, most).await.unwrap();
            assert_eq!((found.tags, found.changed, found.truncated), (tags, tags, truncated), "{most}");
        }
        let found = preview(&world, rules(), Some(&repository("a")), 0).await.unwrap();
        assert_eq!((found.tags, found.truncated), (0, false));
        assert_eq!(preview(&world, rules(), Some(&repository("b")), 9).await, None);
        assert!(world.store.unwatch(&name(), &person(), world.tick()).await.unwrap());
        assert_eq!(preview(&world, rules(), Some(&name()), 9).await, None);
        assert_eq!(preview(&world, rules(), None, 9).await.unwrap().tags, 0);
    }
}

db_test! {
    async fn nothing_is_proposed_of_what_is_not_known_whole(world: World) {
        for tag in ["1.0", "1.1", "1.2", "1.3"] {
            world.create(tag, "a").await;
        }
        world.pass(Millis::days(91));
        for (state_of, most, proposals) in [
            (RepositoryState::New, 9, 0),
            (RepositoryState::Ok, 9, 1),
            (RepositoryState::Ok, 4, 1),
            (RepositoryState::Ok, 3, 0),
            (RepositoryState::Failing, 9, 0),
            (RepositoryState::Hidden, 9, 0),
        ] {
            state(&world, state_of).await;
            let found = preview(&world, Vec::new(), None, most).await.unwrap();
            assert_eq!(found.proposals.len(), proposals, "{state_of} {most}");
        }
        // A tag that is gone gets no class.
        let gone = event(EventKind::Deleted, Some("a"), None, world.tick());
        let record = TagRecord { state: TagState::Absent, claimed: None, ..present("a", 1) };
        world.write(write_of("1.0", record, vec![gone])).await;
        let release = Rule::new("**", "1.*", Class::Release).unwrap();
        let found = preview(&world, vec![release], None, 9).await.unwrap();
        assert_eq!((found.tags, found.changed, found.changes[0].examples.len()), (4, 3, 3));
    }
}
