//! What people decide: flags and promises.

use tagwarden_model::api::{Acknowledge, Close, MakePromise, Promise};
use tagwarden_model::instant::Instant;

use super::{Actor, Store, StoreError};

#[expect(unused_variables, clippy::unused_async, clippy::todo, reason = "replaced by the implementation")]
impl Store {
    /// Acknowledges a flag; `None` if there is none, `Conflict` if its version is another, `Refused` by the rules.
    pub async fn acknowledge(
        &self,
        flag: i64,
        act: &Acknowledge,
        actor: &Actor,
        now: Instant,
    ) -> Result<Option<()>, StoreError> {
        todo!()
    }

    /// Closes a flag, as [`Store::acknowledge`]. `accepted` makes the present state the promise.
    pub async fn close(&self, flag: i64, act: &Close, actor: &Actor, now: Instant) -> Result<Option<()>, StoreError> {
        todo!()
    }

    /// Makes a promise; opens or restores the flag it decides. `None` if the repository is not watched.
    pub async fn make_promise(
        &self,
        act: &MakePromise,
        actor: &Actor,
        now: Instant,
    ) -> Result<Option<Promise>, StoreError> {
        todo!()
    }

    /// Opens flags whose acknowledgement has ended; gives how many.
    pub async fn expire_acknowledgements(&self, now: Instant) -> Result<u64, StoreError> {
        todo!()
    }
}
