use std::fs;
use std::time::Duration;

use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden_tests::http_client;
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::wait::pause;

/// The built server with one registry whose limits are lifted, and what it counts.
pub struct Busy {
    pub tagwarden: Tagwarden,
    client: reqwest::Client,
    clock: SystemClock,
}

impl Busy {
    /// Starts one that checks each tag of these repositories every `interval`; if that is shorter than a pass takes, passes
    /// follow each other without a rest.
    pub async fn start(host: &str, repositories: &[String], at_once: usize, interval: &str) -> Self {
        let watch = |path: &String| format!("[[watch]]\nrepository = '{host}/{path}'\n");
        let watches = repositories.iter().map(watch).collect::<Vec<_>>().concat();
        let tagwarden = Tagwarden::start(|place| {
            let docker_config = place.folder.join("config.json");
            fs::write(&docker_config, "{}").unwrap();
            let bands = ["hot", "warm", "cold", "pinned"].map(|band| format!("{band} = '{interval}'\n")).concat();
            format!(
                "[server]\nlisten = '127.0.0.1:{}'\ndatabase = 'record.db'\ndocker_config = '{}'\n\
                 [polling]\npass_limit = '1h'\n{bands}\
                 [[registry]]\nhost = '{host}'\nconcurrency = {at_once}\n{watches}",
                place.port,
                docker_config.display()
            )
        })
        .await;
        Self { tagwarden, client: http_client(), clock: SystemClock::new(1) }
    }

    /// One of the server's counters, over all its labels.
    pub async fn counted(&self, counter: &str) -> u64 {
        let url = format!("{}/metrics", self.tagwarden.url());
        let text = self.client.get(url).send().await.unwrap().text().await.unwrap();
        let values = text.lines().filter(|line| line.starts_with(&format!("{counter}_total{{")));
        values.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
    }

    /// Checks since the server's last start.
    pub async fn checks(&self) -> u64 {
        self.counted("tagwarden_checks").await
    }

    /// Waits until so many checks were made since the server's last start. A run that is stuck is ended by whoever waits for it.
    pub async fn checked(&self, checks: u64) {
        while self.checks().await < checks {
            pause(Duration::from_millis(50)).await;
        }
    }

    /// Checks per second over the next `checks`, none of which may find a change.
    pub async fn checks_per_second(&self, checks: u64) -> f64 {
        let events = self.counted("tagwarden_events").await;
        let (began, first) = (self.clock.now().mono, self.checks().await);
        self.checked(first + checks).await;
        let (ended, last) = (self.clock.now().mono, self.checks().await);
        assert_eq!(self.counted("tagwarden_events").await, events, "nothing was pushed");
        (last - first) as f64 * 1e6 / (ended.0 - began.0) as f64
    }
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Milliseconds of many of the same.
pub struct Times(Vec<f64>);

impl Times {
    pub fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    /// What such a part of them is not above: 0.99.
    pub fn at(&self, part: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * part) as usize]
    }
}
