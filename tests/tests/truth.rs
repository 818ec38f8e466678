//! The short truth run: everything that a driver does on the real docker-registry is found, and nothing else.

use tagwarden_model::instant::Millis;
use tagwarden_tests::truth_run::{Run, play};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_minute_of_changes_is_recorded_truly() {
    let run = Run { acts_for: Millis::seconds(25), pace: Millis::seconds(1), repositories: 2, seed: 1 };
    let report = play(run).await;
    println!("{report:#?}");
    assert!(report.found >= 16 && report.windows >= 10, "too little happened: {report:#?}");
}
