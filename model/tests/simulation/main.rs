//! Seeded random histories through the record machine, against the true log of a registry that misbehaves.
//!
//! Each history has tags that move, are deleted (several at once, by a shared digest) and come back; outages, refused and
//! missing listings, empty and incomplete listings, stale replicas, lying headers; overlapping checks, crashes of the server
//! and steps of its clock. No event may lack a cause, every window must enclose the truth, and what stood long enough in
//! peace must be found. `TAGWARDEN_HISTORIES` sets how many are played, `TAGWARDEN_SEED` plays one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use world::{History, play};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn the_record_agrees_with_the_truth_in_random_histories() {
    if let Some(seed) = number("TAGWARDEN_SEED") {
        println!("{}", play(seed, true).summary());
        return;
    }
    let histories = number("TAGWARDEN_HISTORIES").unwrap_or(4_000);
    let mut all = History::default();
    for seed in 0..histories {
        all.add(&play(seed, false));
    }
    println!("{} histories: {}", histories, all.summary());
    // A simulation in which nothing happens would prove nothing.
    for (what, count) in all.counts() {
        assert!(count > 0, "no history had any {what}");
    }
}
