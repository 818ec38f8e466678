//! The real poller over a real SQLite record, with a scripted registry behind the port and the fake clock.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "poller/hints.rs"]
mod hints;
#[path = "poller/jobs.rs"]
mod jobs;
#[path = "poller/panics.rs"]
mod panics;
#[path = "poller/passes.rs"]
mod passes;
#[path = "poller/policies.rs"]
mod policies;
#[path = "poller/proofs.rs"]
mod proofs;
#[path = "poller/registries.rs"]
mod registries;
#[path = "poller/rescue.rs"]
mod rescue;

use tagwarden_tests::fault_run;

#[tokio::test]
async fn a_hundred_thousand_checks_with_faults_invent_nothing() {
    let report = fault_run::play(100_000, 1).await;
    println!("{report:#?}");
}
