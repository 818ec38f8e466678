//! Tiles are tested by what a lane shows while some are there.

use proptest::prelude::*;

use super::*;
use crate::api::{Breach, Hint};

const LEVEL: u8 = 20;

/// A tile of one lane with a move at each of the instants.
pub(crate) fn tile(level: u8, number: i64, seq: i64, moves: &[i64]) -> Tile {
    let digests: Vec<TileDigest> = (0..=moves.len())
        .map(|at| TileDigest {
            digest: Digest::of(&at.to_le_bytes()),
            release: (at % 2 == 1).then(|| format!("1.0.{at}")),
        })
        .collect();
    let rows = moves.len();
    let lane = TileLane {
        entering: Some(0),
        entering_since_ms: Some(number * tile_length(level) - 5),
        entering_not_before_ms: None,
        first_ms: moves.to_vec(),
        at_ms: moves.to_vec(),
        not_before_ms: moves.to_vec(),
        count: vec![1; rows],
        seq: (1..=rows as i64).collect(),
        kind: vec![EventKind::Moved.code() as u8; rows],
        baseline: vec![0; rows],
        tag: vec![0; rows],
        digest: (1..=rows as i32).collect(),
    };
    let (lanes, tags) = (vec![lane], vec!["latest".to_owned()]);
    Tile { level, number, seq, lanes, claims: Vec::new(), digests, tags, breaches: Vec::new(), hints: Vec::new() }
}

fn view(from: i64, until: i64) -> View {
    View { from: Instant(from * tile_length(LEVEL)), until: Instant(until * tile_length(LEVEL)) }
}

fn loaded(store: &TileStore, view: View) -> Vec<(i64, i64, bool)> {
    let part = |stretch: &Stretch<'_>| {
        (stretch.from / tile_length(LEVEL), stretch.until / tile_length(LEVEL), stretch.is_loaded())
    };
    store.stretches(view, LEVEL).iter().map(part).collect()
}

#[test]
fn what_is_in_view_is_asked_before_what_is_beside_it_and_only_once() {
    let mut store = TileStore::default();
    assert_eq!(store.wanted(view(5, 7), LEVEL), [6, 5, 7, 4]);
    store.put(&tile(LEVEL, 6, 9, &[]));
    assert_eq!(store.wanted(view(5, 7), LEVEL), [5, 7, 4]);
    store.expire(Instant(6 * tile_length(LEVEL) + 1));
    assert_eq!(store.wanted(view(5, 7), LEVEL), [6, 5, 7, 4], "what reaches the event is asked again");
    assert_eq!(loaded(&store, view(5, 7)), [(5, 6, false), (6, 7, true)], "and shown until then");
    store.expire(Instant(7 * tile_length(LEVEL)));
    store.put(&tile(LEVEL, 6, 9, &[]));
    store.expire(Instant(7 * tile_length(LEVEL)));
    assert_eq!(store.wanted(view(6, 7), LEVEL), [7, 5], "a later event does not concern it");
}

#[test]
fn an_answer_that_was_overtaken_is_left_out() {
    let mut store = TileStore::default();
    let at = 6 * tile_length(LEVEL) + 3;
    store.put(&tile(LEVEL, 6, 9, &[at]));
    store.put(&tile(LEVEL, 6, 8, &[]));
    assert_eq!(store.stretches(view(6, 7), LEVEL)[0].lane(0).marks.len(), 1);
}

#[test]
fn a_coarser_tile_stands_in_and_else_finer_ones() {
    let mut store = TileStore::default();
    store.put(&tile(LEVEL + 2, 1, 1, &[]));
    assert_eq!(
        loaded(&store, view(3, 9)),
        [(3, 4, false), (4, 5, true), (5, 6, true), (6, 7, true), (7, 8, true), (8, 9, false)]
    );
    let mut store = TileStore::default();
    store.put(&tile(LEVEL - 1, 9, 1, &[]));
    let half = tile_length(LEVEL) / 2;
    let found: Vec<(i64, i64, bool)> =
        store.stretches(view(4, 6), LEVEL).iter().map(|it| (it.from / half, it.until / half, it.is_loaded())).collect();
    assert_eq!(found, [(8, 9, false), (9, 10, true), (10, 12, false)]);
}

#[test]
fn a_lane_of_a_clipped_tile_begins_with_what_the_tag_named_there() {
    let mut store = TileStore::default();
    let start = 6 * tile_length(LEVEL);
    store.put(&tile(LEVEL, 6, 1, &[start + 10, start + 20, start + 30]));
    let window = View { from: Instant(start + 15), until: Instant(start + 25) };
    let stretches = store.stretches(window, LEVEL);
    let part = stretches[0].lane(0);
    let Naming { digest, since, .. } = part.entering.unwrap();
    assert_eq!((store.text(digest), since), ("1.0.1", start + 10));
    assert_eq!(part.marks.iter().map(|mark| mark.at).collect::<Vec<_>>(), [start + 20]);
    let early = View { from: Instant(start), until: Instant(start + 5) };
    assert_eq!(store.stretches(early, LEVEL)[0].lane(0).entering.map(|naming| naming.since), Some(start - 5));
    assert!(stretches[0].lane(7).marks.is_empty(), "a lane that the answer lacks is empty");
}

#[test]
fn breaches_and_claims_go_to_their_lane() {
    let mut store = TileStore::default();
    let start = 6 * tile_length(LEVEL);
    let mut odd = tile(LEVEL, 6, 1, &[start + 10]);
    let breach = Breach {
        lane: 0,
        at_ms: start + 10,
        not_before_ms: start,
        seq: 1,
        kind: EventKind::Moved,
        tag: 0,
        old_digest: Some(0),
        new_digest: Some(1),
        restored: false,
        flag: Some(7),
        active: true,
        first_ms: start,
    };
    odd.breaches = vec![breach.clone(), Breach { lane: 9, ..breach }];
    odd.hints = vec![
        Hint { lane: 0, created_ms: start + 4, tag: 0, digest: 0 },
        Hint { lane: 0, created_ms: start, tag: 5, digest: 0 },
    ];
    store.put(&odd);
    let part = store.stretches(view(6, 7), LEVEL)[0].lane(0);
    assert_eq!((part.befell.len(), part.claimed.len()), (1, 1), "what names an unknown lane or tag is left out");
}

proptest! {
    #[test]
    fn stretches_cover_the_view_without_overlap(
        tiles in proptest::collection::vec((LEVEL - 4..LEVEL + 5, 0_i64..40), 0..80), from in 0_i64..60, length in 1_i64..8,
    ) {
        let mut store = TileStore::default();
        for (level, number) in tiles {
            store.put(&tile(level, number, 1, &[]));
        }
        prop_assert!(store.held.len() <= MOST);
        let view = View { from: Instant(from * tile_length(LEVEL) / 3 + 7), until: Instant((from + length) * tile_length(LEVEL) / 3) };
        let stretches = store.stretches(view, LEVEL);
        prop_assert_eq!(stretches.first().map(|it| it.from), Some(view.from.0));
        prop_assert_eq!(stretches.last().map(|it| it.until), Some(view.until.0));
        prop_assert!(stretches.windows(2).all(|pair| pair[0].until == pair[1].from));
        prop_assert!(stretches.iter().all(|it| it.from < it.until));
    }
}
