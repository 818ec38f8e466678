//! The outbox: messages for notifiers, each tried until it was taken or tried often enough.

use tagwarden_model::api::{Delivery, DeliveryState, Notifier, Occasion};
use tagwarden_model::instant::Instant;
use tokio::sync::watch;

use super::db::{Conn, Row, statements, values};
use super::{Store, StoreError};

statements! {
    INSERT_DELIVERY = "INSERT INTO deliveries (dedupe_key, notifier, payload, state, attempts, created, next)
        VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT (dedupe_key) DO NOTHING";
    /// Whoever takes it has until the new `next` to say how it went.
    TAKE_DELIVERY = "UPDATE deliveries SET attempts = attempts + 1, next = $3
        WHERE id = (SELECT id FROM deliveries WHERE notifier = $1 AND state = 1 AND next <= $2 ORDER BY next, id LIMIT 1)
            AND state = 1 AND next <= $2
        RETURNING id, dedupe_key, payload, attempts, created";
    NEXT_DELIVERY = "SELECT min(next) AS next FROM deliveries WHERE notifier = $1 AND state = 1";
    DELIVERED = "UPDATE deliveries SET state = $2, finished = $3, next = NULL WHERE id = $1 AND state = 1";
    FAILED = "UPDATE deliveries SET state = $2, error = $3, failed = $4, next = $5, finished = $6 WHERE id = $1 AND state = 1";
    RETRY = "UPDATE deliveries SET state = $3, attempts = 0, next = $4, finished = NULL WHERE notifier = $1 AND state = $2";
    COUNT = "SELECT count(*) AS n FROM deliveries WHERE notifier = $1 AND state = $2";
    LAST_SUCCESS = "SELECT max(finished) AS at FROM deliveries WHERE notifier = $1 AND state = $2";
    LAST_FAILURE = "SELECT failed, error FROM deliveries WHERE notifier = $1 AND failed IS NOT NULL
        ORDER BY failed DESC, id DESC LIMIT 1";
    DELIVERY = "SELECT id, state, attempts, error FROM deliveries WHERE id = $1";
    BY_KEY = "SELECT id FROM deliveries WHERE dedupe_key = $1";
    PRUNE = "DELETE FROM deliveries WHERE state <> 1 AND finished < $1";
}

/// A message to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Says which message this is: written once, however often it is planned, and sent along.
    pub dedupe_key: String,
    /// The notifier's name.
    pub notifier: String,
    /// The message, JSON.
    pub payload: String,
    /// Not before.
    pub next: Instant,
}

/// A delivery that is being tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenDelivery {
    /// Its row.
    pub id: i64,
    /// The same at every attempt.
    pub dedupe_key: String,
    /// The message, JSON.
    pub payload: String,
    /// With this one.
    pub attempts: u64,
    /// When the message was made.
    pub created: Instant,
}

/// What follows from a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Another attempt, then.
    Again(Instant),
    /// None, and this is where it stands.
    End(DeliveryState),
}

impl Store {
    /// Changes when there is something to tell or to deliver, as far as this process knows.
    pub fn outbox(&self) -> watch::Receiver<()> {
        self.shared.outbox.subscribe()
    }

    /// The delivery of a notifier that has been due for longest; nobody else gets it until `until`.
    pub async fn take_delivery(
        &self,
        notifier: &str,
        now: Instant,
        until: Instant,
    ) -> Result<Option<TakenDelivery>, StoreError> {
        let mut write = self.begin().await?;
        let row = write.conn.optional(TAKE_DELIVERY, values![notifier, now, until]).await?;
        write.conn.commit().await?;
        row.map(|row| {
            Ok(TakenDelivery {
                id: row.int("id")?,
                dedupe_key: row.text("dedupe_key")?,
                payload: row.text("payload")?,
                attempts: row.count("attempts")?,
                created: row.instant("created")?,
            })
        })
        .transpose()
    }

    /// When the next delivery of a notifier is due.
    pub async fn next_delivery(&self, notifier: &str) -> Result<Option<Instant>, StoreError> {
        self.read_conn().await?.one(NEXT_DELIVERY, values![notifier]).await?.instant_opt("next")
    }

    /// The other end took it.
    pub async fn delivered(&self, id: i64, now: Instant) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        write.conn.execute(DELIVERED, values![id, DeliveryState::Delivered.code(), now]).await?;
        self.deliveries_changed(write.conn).await
    }

    /// An attempt failed.
    pub async fn delivery_failed(&self, id: i64, error: &str, then: Then, now: Instant) -> Result<(), StoreError> {
        let (state, next, finished) = match then {
            Then::Again(at) => (DeliveryState::Waiting, Some(at), None),
            Then::End(state) => (state, None, Some(now)),
        };
        let mut write = self.begin().await?;
        write.conn.execute(FAILED, values![id, state.code(), error, now, next, finished]).await?;
        self.deliveries_changed(write.conn).await
    }

    /// Lets the dead messages of a notifier be tried again; gives how many.
    pub async fn retry_deliveries(&self, notifier: &str, now: Instant) -> Result<u64, StoreError> {
        let mut write = self.begin().await?;
        let (dead, waiting) = (DeliveryState::Dead.code(), DeliveryState::Waiting.code());
        let count = write.conn.execute(RETRY, values![notifier, dead, waiting, now]).await?;
        self.deliveries_changed(write.conn).await?;
        Ok(count)
    }

    /// Writes a test message, due at once.
    pub async fn test_notifier(&self, notifier: &str, now: Instant) -> Result<Delivery, StoreError> {
        let dedupe_key = format!("{notifier}/test/{}-{:08x}", now.0, rand::random::<u32>());
        let payload = serde_json::json!({ "occasion": Occasion::Test, "at": now }).to_string();
        let new = NewDelivery { dedupe_key, notifier: notifier.to_owned(), payload, next: now };
        let mut write = self.begin().await?;
        insert(&mut write.conn, &new, now).await?;
        let id = write.conn.one(BY_KEY, values![&new.dedupe_key]).await?.int("id")?;
        self.deliveries_changed(write.conn).await?;
        Ok(Delivery { id, state: DeliveryState::Waiting, attempts: 0, error: None })
    }

    /// How a delivery went so far; `None` when it is not kept any more.
    pub async fn delivery(&self, id: i64) -> Result<Option<Delivery>, StoreError> {
        self.read_conn().await?.optional(DELIVERY, values![id]).await?.as_ref().map(delivery).transpose()
    }

    /// Fills in how the deliveries of a notifier went.
    pub async fn notifier(&self, notifier: &Notifier) -> Result<Notifier, StoreError> {
        let mut conn = self.read_conn().await?;
        let name = &notifier.name;
        let waiting = conn.one(COUNT, values![name, DeliveryState::Waiting.code()]).await?.count("n")?;
        let dead = conn.one(COUNT, values![name, DeliveryState::Dead.code()]).await?.count("n")?;
        let success = conn.one(LAST_SUCCESS, values![name, DeliveryState::Delivered.code()]).await?;
        let failure = conn.optional(LAST_FAILURE, values![name]).await?;
        Ok(Notifier {
            waiting,
            dead,
            last_success: success.instant_opt("at")?,
            last_failure: failure.as_ref().map(|row| row.instant("failed")).transpose()?,
            error: failure.map(|row| row.text("error")).transpose()?,
            next: conn.one(NEXT_DELIVERY, values![name]).await?.instant_opt("next")?,
            ..notifier.clone()
        })
    }

    /// Forgets deliveries that ended before.
    pub async fn prune_deliveries(&self, before: Instant) -> Result<u64, StoreError> {
        let mut write = self.begin().await?;
        let count = write.conn.execute(PRUNE, values![before]).await?;
        write.conn.commit().await?;
        Ok(count)
    }

    async fn deliveries_changed(&self, conn: Conn) -> Result<(), StoreError> {
        conn.commit().await?;
        self.shared.outbox.send_replace(());
        Ok(())
    }
}

pub(super) async fn insert(conn: &mut Conn, new: &NewDelivery, now: Instant) -> Result<(), StoreError> {
    let waiting = DeliveryState::Waiting.code();
    let values = values![&new.dedupe_key, &new.notifier, &new.payload, waiting, now, new.next];
    conn.execute(INSERT_DELIVERY, values).await?;
    Ok(())
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.int("id")?,
        state: row.code("state", DeliveryState::from_code)?,
        attempts: row.count("attempts")?,
        error: row.text_opt("error")?,
    })
}
