use std::fs;

use tagwarden_tests::static_registry::StaticRegistry;

use super::busy::Busy;

const REPOSITORIES: usize = 100;
const TAGS: usize = 1_000;
/// Megabytes.
const MOST: f64 = 120.0;

/// The server's memory with 100,000 tags: after it has read and checked them all, and again after a start with all of them on
/// record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn memory_of_100_000_tags() {
    let registry = StaticRegistry::start(TAGS).await;
    let repositories: Vec<String> = (0..REPOSITORIES).map(|at| format!("team/app-{at}")).collect();
    let all = (REPOSITORIES * TAGS) as u64;
    let mut busy = Busy::start(registry.host(), &repositories, 16, "20s").await;
    let mut most: f64 = 0.0;
    for situation in ["read for the first time and checked", "on record, after a start"] {
        // So many that every repository is loaded and has been asked, some a second time.
        busy.checked(2 * all).await;
        let (now, peak) = (resident(busy.tagwarden.id(), "VmRSS"), resident(busy.tagwarden.id(), "VmHWM"));
        println!("  {all} tags {situation}: {now:.0} MB resident, {peak:.0} MB at most");
        most = most.max(peak);
        busy.tagwarden.stop();
        busy.tagwarden.restart().await;
    }
    println!("memory of {all} watched tags: {most:.0} MB (at most {MOST:.0})");
    assert!(most <= MOST, "{all} tags take {most:.0} MB");
}

/// A line of proc(5)'s `status`, in megabytes.
pub fn resident(process: u32, line: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).unwrap();
    value.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
}
