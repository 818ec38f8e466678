//! Waiting for something that another process does: the one place where tests look again and again.

use std::fmt::Display;
use std::time::Duration;

/// How long a program may take to start on a busy machine with two cores.
pub const START: Duration = Duration::from_mins(1);

/// Calls `check` every 20 ms until it gives `Some`. Panics after `limit`, naming `what` did not happen.
pub async fn until<T, Fut>(what: impl Display, limit: Duration, check: impl FnMut() -> Fut) -> T
where
    Fut: Future<Output = Option<T>>,
{
    try_until(limit, check).await.unwrap_or_else(|| panic!("waited {limit:?} in vain: {what}"))
}

/// The same, but `None` after `limit`.
pub async fn try_until<T, Fut>(limit: Duration, mut check: impl FnMut() -> Fut) -> Option<T>
where
    Fut: Future<Output = Option<T>>,
{
    let looking = async {
        loop {
            if let Some(found) = check().await {
                return found;
            }
            pause(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(limit, looking).await.ok()
}

/// Lets real time pass: between two looks, and where slowness itself is what a test plays.
#[expect(clippy::disallowed_methods, reason = "other processes do not run on our fake clock")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn it_looks_until_there_is_something() {
        let looks = Cell::new(0);
        let found = until("the third look", START, || async {
            looks.set(looks.get() + 1);
            (looks.get() == 3).then_some("here")
        })
        .await;
        assert_eq!((found, looks.get()), ("here", 3));
    }

    #[tokio::test]
    #[should_panic(expected = "in vain: never")]
    async fn it_says_what_did_not_happen() {
        until::<(), _>("never", Duration::from_millis(50), || async { None }).await;
    }
}
