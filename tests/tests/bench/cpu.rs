use std::fs;

use tagwarden_tests::static_registry::StaticRegistry;

use super::busy::{Busy, median};

const TAGS: usize = 1_000;
const AT_ONCE: usize = 8;
const ROUNDS: usize = 5;
/// In a round.
const CHECKS: u64 = 20_000;
/// Microseconds of both cores together.
const MOST: f64 = 150.0;

/// What the server's process uses for a check that finds nothing new, with everything that belongs to it: the request, the
/// decision, the passes' listings and rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn cpu_of_an_unchanged_check() {
    let registry = StaticRegistry::start(TAGS).await;
    let busy = Busy::start(registry.host(), &["team/api".to_owned()], AT_ONCE, "1ms").await;
    // The first reading, and a pass after it.
    busy.checked(2 * TAGS as u64).await;
    let mut costs = Vec::new();
    for _ in 0..ROUNDS {
        // Counted by the registry, so that nothing is a check that was not asked.
        let (before, first) = (cpu(busy.tagwarden.id()), registry.heads());
        let rate = busy.checks_per_second(CHECKS).await;
        let (after, last) = (cpu(busy.tagwarden.id()), registry.heads());
        let cost = (after - before) / (last - first) as f64;
        println!("  {rate:.0} checks/s against a static registry, {cost:.0} us of CPU each");
        costs.push(cost);
    }
    let cost = median(costs);
    println!("CPU of an unchanged check: {cost:.0} us (at most {MOST:.0})");
    assert!(cost <= MOST, "an unchanged check takes {cost:.0} us of CPU");
}

/// Microseconds that all threads of a process have used, in the kernel too (proc(5), `stat`: utime and stime, in hundredths of
/// a second).
fn cpu(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The second field is the program's name in parentheses; the third is the first of these.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    [fields[11], fields[12]].iter().map(|ticks| ticks.parse::<f64>().unwrap() * 1e4).sum()
}
