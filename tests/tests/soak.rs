//! The long truth and fault runs: `make soak`.

use tagwarden_model::instant::Millis;
use tagwarden_tests::{fault_run, socket_run, truth_run};

/// For how many minutes the truth run acts.
const VARIABLE: &str = "TAGWARDEN_SOAK_MINUTES";

#[tokio::test]
#[ignore = "long: make soak"]
async fn a_million_checks_with_faults_invent_nothing() {
    println!("{:#?}", fault_run::play(1_000_000, 2).await);
}

#[tokio::test]
#[ignore = "long: make soak"]
async fn ten_thousand_checks_over_sockets_with_faults_invent_nothing() {
    println!("{:#?}", socket_run::play(10_000, 2).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: make soak"]
async fn minutes_of_changes_are_recorded_truly() {
    let minutes = std::env::var(VARIABLE)
        .map_or(20, |text| text.parse().unwrap_or_else(|_| panic!("{VARIABLE} is a number of minutes, not `{text}`")));
    let run = truth_run::Run {
        acts_for: Millis::minutes(minutes),
        pace: Millis::seconds(2),
        repositories: 4,
        seed: rand::random::<u32>().into(),
    };
    println!("{run:?}");
    println!("{:#?}", truth_run::play(run).await);
}
