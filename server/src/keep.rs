//! Tasks that must not end before they are stopped: one that panics is started again.

use std::future::Future;

use tagwarden_model::instant::Millis;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::clock::SharedClock;
use crate::metrics::{Metrics, OfTask};

/// A task that panicked is started again after so long: what made it panic may be there still.
const PAUSE: Millis = Millis::seconds(10);

/// Runs what `start` gives until it ends by itself, as it does after `stop`. A panic is a defect of ours; it costs what the
/// task knew, not the task.
pub async fn keep<F: Future<Output = ()> + Send + 'static>(
    of: OfTask,
    start: impl Fn(CancellationToken) -> F,
    clock: SharedClock,
    metrics: Metrics,
    stop: CancellationToken,
) {
    loop {
        match AbortOnDropHandle::new(tokio::spawn(start(stop.clone()))).await {
            Err(panic) if panic.is_panic() => {
                tracing::error!(registry = of.registry, task = of.task, %panic, "a task panicked; it is started again");
            }
            // Ended, or cut off with the whole process.
            Ok(()) | Err(_) => return,
        }
        metrics.panics.get_or_create(&of).inc();
        let again = clock.now().mono.after(PAUSE);
        tokio::select! {
            () = clock.sleep_until(again) => {}
            () = stop.cancelled() => return,
        }
    }
}
