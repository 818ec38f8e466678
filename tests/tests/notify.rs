//! Telling people, through the front door: flags in, requests and mails out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::json;
use tagwarden::clock::Clock as _;
use tagwarden::config::{Checked, Sources};
use tagwarden::notify::Notify;
use tagwarden::reload::InForce;
use tagwarden::store::Store;
use tagwarden_model::api::{DeliveryState, Notifier, RepositoryState};
use tagwarden_model::change::{self, Change, Content, Unread};
use tagwarden_model::event::Severity;
use tagwarden_model::instant::Millis;
use tagwarden_model::tag::Class;
use tagwarden_tests::certificates::Authority;
use tagwarden_tests::mail_server::MailServer;
use tagwarden_tests::receiver::{Answer, Receiver};
use tagwarden_tests::record::{API, Record, Watched};
use tagwarden_tests::step_clock::{START, StepClock};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A server as far as telling goes.
struct Teller {
    store: Store,
    url: String,
    clock: Arc<StepClock>,
    record: Record,
    config: String,
    folder: tempfile::TempDir,
    task: JoinHandle<()>,
    configuration: Configuration,
}

type Configuration = watch::Sender<Arc<InForce>>;

fn check(folder: &tempfile::TempDir, config: &str) -> Result<Checked, String> {
    let (file, docker) = (folder.path().join("tagwarden.toml"), folder.path().join("config.json"));
    std::fs::write(&docker, "{}").unwrap();
    std::fs::write(&file, format!("[server]\ndocker_config = '{}'\n{config}", docker.display())).unwrap();
    Sources::of_file(file).load().map_err(|error| error.to_string())
}

fn run(store: &Store, clock: &Arc<StepClock>, config: Checked) -> (JoinHandle<()>, Configuration) {
    let (sender, configuration) = watch::channel(Arc::new(InForce::new(config, START)));
    let notify = Notify {
        store: store.clone(),
        clock: clock.clone(),
        configuration,
        public_url: Some("https://tags.example/".into()),
    };
    (tokio::spawn(notify.run(CancellationToken::new())), sender)
}

impl Teller {
    async fn start(config: impl Into<String>) -> Self {
        let (folder, config) = (tempfile::tempdir().unwrap(), config.into());
        let url = format!("sqlite://{}", folder.path().join("record.db").display());
        let store = Store::open(&url).await.unwrap();
        let clock = Arc::new(StepClock::new());
        let record = Record::new(store.clone(), clock.clone());
        let (task, configuration) = run(&store, &clock, check(&folder, &config).unwrap());
        Self { store, url, clock, record, config, folder, task, configuration }
    }

    /// Everything stops where it is, as when the process is killed; a new one starts on the same file.
    async fn kill_and_restart(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.store.shut().await;
        self.store = Store::open(&self.url).await.unwrap();
        self.record = Record::new(self.store.clone(), self.clock.clone());
        (self.task, self.configuration) = run(&self.store, &self.clock, check(&self.folder, &self.config).unwrap());
    }

    /// A watched repository with these releases.
    async fn releases(&self, tags: &[&str]) -> Watched {
        let watched = self.record.watch(API).await;
        for tag in tags {
            self.record.tag(&watched, tag, Class::Release, &[tag]).await;
        }
        watched
    }

    async fn state(&self) -> Notifier {
        let notifier = check(&self.folder, &self.config).unwrap().notifiers[0].described();
        self.store.notifier(&notifier).await.unwrap()
    }

    /// What the notifier's state is once `is` is true of it.
    async fn until(&self, is: impl Fn(&Notifier) -> bool) -> Notifier {
        let mut outbox = self.store.outbox();
        loop {
            let state = self.state().await;
            if is(&state) {
                return state;
            }
            tokio::time::timeout(std::time::Duration::from_secs(20), outbox.changed()).await.expect("in vain").unwrap();
        }
    }
}

fn webhook(url: &str, more: &str) -> String {
    format!(
        "[[notifier]]\nname = 'hook'\nkind = 'webhook'\nurl = '{url}'\nsecret = 's3cret'\nallow_private = true\n{more}"
    )
}

#[tokio::test]
async fn fifty_deletions_of_one_pass_are_one_signed_message() {
    let mut receiver = Receiver::start([]).await;
    let teller = Teller::start(webhook(&receiver.url, "")).await;
    let tags: Vec<String> = (0..50).map(|number| format!("1.{number}.0")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let watched = teller.releases(&tags).await;
    teller.record.delete(&watched, &tags, 7).await;
    teller.clock.step(Millis::seconds(10));
    let request = receiver.next().await;
    assert_eq!(request.header("content-type"), "application/cloudevents+json");
    assert_eq!(request.signed("s3cret"), teller.clock.now().mark.wall.0 / 1000);
    let event = request.json();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "dev.tagwarden.flag.opened");
    assert_eq!(event["source"], "https://tags.example/");
    assert_eq!(event["subject"], API);
    assert_eq!(event["id"], "hook/opened/flag-1/1");
    let data = &event["data"];
    assert_eq!(data["title"], format!("[warning] 50 releases of {API} are gone"));
    assert_eq!(data["flags"].as_array().unwrap().len(), 50);
    assert_eq!(data["flags"][0]["link"], "https://tags.example/flags/1");
    // Nothing else is under way: what comes next is the test.
    teller.until(|state| state.last_success.is_some() && state.waiting == 0).await;
    teller.store.test_notifier("hook", teller.clock.now().mark.wall).await.unwrap();
    assert_eq!(receiver.next().await.json()["type"], "dev.tagwarden.notifier.test");
}

#[tokio::test]
async fn what_is_added_in_time_joins_and_a_comparison_is_waited_for_two_minutes_at_most() {
    let mut receiver = Receiver::start([]).await;
    let teller = Teller::start(webhook(&receiver.url, "")).await;
    let watched = teller.releases(&["1.0.0", "1.1.0", "1.2.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.clock.step(Millis::seconds(9));
    teller.record.delete(&watched, &["1.1.0"], 7).await;
    teller.record.delete(&watched, &["1.2.0"], 8).await;
    teller.clock.step(Millis::seconds(9));
    teller.clock.step(Millis::seconds(1));
    let mut subjects = Vec::new();
    for _ in 0..2 {
        let event = receiver.next().await.json();
        subjects.push((event["subject"].as_str().unwrap().to_owned(), event["data"]["count"].as_u64()));
    }
    subjects.sort();
    assert_eq!(subjects, [(API.to_owned(), Some(2)), (format!("{API}:1.2.0"), Some(1))]);
    // A move ranks critical while it is compared; the message waits for that, not for ever.
    teller.record.tag(&watched, "2.0.0", Class::Release, &["a", "b"]).await;
    teller.clock.step(Millis::seconds(59));
    teller.store.test_notifier("hook", teller.clock.now().mark.wall).await.unwrap();
    assert_eq!(receiver.next().await.json()["type"], "dev.tagwarden.notifier.test", "two minutes less a second");
    teller.clock.step(Millis::seconds(1));
    let event = receiver.next().await.json();
    assert_eq!(event["data"]["title"], format!("[critical] {API}:2.0.0 was reassigned"));
}

#[tokio::test]
async fn passes_over_two_repositories_that_began_at_one_moment_are_two_messages() {
    let mut receiver = Receiver::start([]).await;
    let teller = Teller::start(webhook(&receiver.url, "")).await;
    let names = ["registry.example/team/one", "registry.example/team/two"];
    let mut watched = Vec::new();
    for name in names {
        let one = teller.record.watch(name).await;
        teller.record.tag(&one, "1.0.0", Class::Release, &["a"]).await;
        teller.record.tag(&one, "1.1.0", Class::Release, &["b"]).await;
        watched.push(one);
    }
    for one in &watched {
        teller.record.delete(one, &["1.0.0", "1.1.0"], 7).await;
    }
    teller.clock.step(Millis::seconds(10));
    let mut subjects = Vec::new();
    for _ in 0..2 {
        let event = receiver.next().await.json();
        assert_eq!(event["data"]["count"], 2);
        subjects.push(event["subject"].as_str().unwrap().to_owned());
    }
    subjects.sort();
    assert_eq!(subjects, names);
}

#[tokio::test]
async fn what_was_compared_is_told_in_words_and_as_bad_as_it_is() {
    let mut receiver = Receiver::start([]).await;
    let mut on_call = Receiver::start([]).await;
    let also = webhook(&on_call.url, "severity = 'critical'\n").replace("'hook'", "'on-call'");
    let teller = Teller::start(webhook(&receiver.url, "") + also.as_str()).await;
    let watched = teller.releases(&[]).await;
    teller.record.tag(&watched, "1.0.0", Class::Release, &["a", "b"]).await;
    let comparing = teller.store.comparing(watched.lease.registry, 9).await.unwrap().remove(0);
    let (old, new) = &comparing.pairs[0];
    let [before, after] = [old, new].map(|digest| Content { digest: digest.clone(), body: Err(Unread::Missing) });
    let change = Change { severity: Severity::Warning, ..change::compare(&before, &after) };
    let now = teller.clock.now().mark.wall;
    teller.store.put_comparison(old, new, &change, now).await.unwrap();
    assert!(teller.store.conclude_comparison(comparing.flag, now).await.unwrap());
    teller.clock.step(Millis::seconds(10));
    let event = receiver.next().await.json();
    assert_eq!(event["data"]["title"], format!("[warning] {API}:1.0.0 was reassigned"));
    let text = event["data"]["text"].as_str().unwrap();
    assert!(text.contains(&format!("\n  {}\n", change.sentence())), "{text}");
    teller.store.test_notifier("on-call", teller.clock.now().mark.wall).await.unwrap();
    assert_eq!(on_call.next().await.json()["type"], "dev.tagwarden.notifier.test", "it hears of the worst only");
}

#[tokio::test]
async fn a_failing_receiver_gets_the_same_message_later_and_says_when() {
    let busy = Answer::Status(429, vec![("retry-after", "600".into())]);
    let mut receiver = Receiver::start([Answer::Status(500, vec![]), busy]).await;
    let teller = Teller::start(webhook(&receiver.url, "")).await;
    let watched = teller.releases(&["1.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.clock.step(Millis::seconds(10));
    let first = receiver.next().await.json();
    let state = teller.until(|state| state.error.is_some()).await;
    assert_eq!(state.error.as_deref(), Some("127.0.0.1 answered 500 Internal Server Error"));
    let wait = state.next.unwrap() - teller.clock.now().mark.wall;
    assert!((Millis::seconds(10)..=Millis::seconds(12)).contains(&wait), "{wait:?}");
    teller.clock.step(Millis::seconds(12));
    assert_eq!(receiver.next().await.json(), first);
    let state = teller.until(|state| state.error.as_deref().unwrap().contains("429")).await;
    assert_eq!(state.next.unwrap() - teller.clock.now().mark.wall, Millis::minutes(10));
    teller.clock.step(Millis::minutes(10));
    assert_eq!(receiver.next().await.json(), first);
    let state = teller.until(|state| state.last_success.is_some()).await;
    assert_eq!((state.waiting, state.dead), (0, 0));
}

#[tokio::test]
async fn after_enough_attempts_a_message_is_dead_until_a_person_retries_it() {
    let mut receiver = Receiver::start((0..16).map(|_| Answer::Status(503, vec![]))).await;
    let teller = Teller::start(webhook(&receiver.url, "")).await;
    let watched = teller.releases(&["1.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    for _ in 0..16 {
        teller.clock.step(Millis::minutes(72));
        receiver.next().await;
        let now = teller.clock.now().mark.wall;
        teller.until(|state| state.last_failure == Some(now)).await;
    }
    let state = teller.until(|state| state.dead == 1).await;
    assert_eq!((state.waiting, state.next), (0, None));
    assert_eq!(teller.store.retry_deliveries("hook", teller.clock.now().mark.wall).await.unwrap(), 1);
    receiver.next().await;
    teller.until(|state| state.last_success.is_some() && state.dead == 0).await;
}

#[tokio::test]
async fn killed_before_and_while_it_sends_nothing_is_lost_and_the_key_stays() {
    let mut receiver = Receiver::start([Answer::Silence]).await;
    let mut teller = Teller::start(webhook(&receiver.url, "")).await;
    let watched = teller.releases(&["1.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.kill_and_restart().await;
    teller.clock.step(Millis::seconds(10));
    let first = receiver.next().await.json();
    teller.kill_and_restart().await;
    teller.clock.step(Millis::minutes(1));
    assert_eq!(receiver.next().await.json(), first);
    teller.until(|state| state.last_success.is_some()).await;
}

#[tokio::test]
async fn quiet_hours_wait_for_the_morning_and_the_worst_does_not() {
    // The clock begins at noon in London.
    let mut receiver = Receiver::start([]).await;
    let quiet = "quiet_hours = { from = '12:00', to = '18:30', zone = 'Europe/London' }\n";
    let teller = Teller::start(webhook(&receiver.url, quiet)).await;
    let watched = teller.releases(&["1.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.record.tag(&watched, "2.0.0", Class::Release, &["a", "b"]).await;
    teller.clock.step(Millis::minutes(2));
    assert_eq!(receiver.next().await.json()["subject"], format!("{API}:2.0.0"), "critical");
    let state = teller.until(|state| state.waiting == 1).await;
    assert_eq!(state.next, Some(START + Millis::minutes(390)));
    teller.clock.step(Millis::hours(7));
    assert_eq!(receiver.next().await.json()["subject"], format!("{API}:1.0.0"));
}

#[tokio::test]
async fn a_notifier_hears_what_it_asked_for() {
    hears_of_web("repositories = ['registry.example/*/web']\n", "").await;
    hears_of_web("groups = ['shop']\n", "[[group]]\nname = 'shop'\nrepositories = ['registry.example/*/web']\n").await;
}

async fn hears_of_web(only: &str, group: &str) {
    let mut receiver = Receiver::start([]).await;
    let only = format!("{only}severity = 'critical'\nevents = ['flag', 'failing']\n{group}");
    let teller = Teller::start(webhook(&receiver.url, &only)).await;
    let watched = teller.releases(&["1.0.0", "2.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    let web = teller.record.watch("registry.example/team/web").await;
    teller.record.tag(&web, "1.0.0", Class::Release, &["a"]).await;
    teller.record.delete(&web, &["1.0.0"], 8).await;
    teller.record.tag(&web, "3.0.0", Class::Release, &["a", "b", "a"]).await;
    teller.record.state(&web, RepositoryState::Failing).await;
    teller.clock.step(Millis::minutes(2));
    let mut titles = Vec::new();
    for _ in 0..2 {
        titles.push(receiver.next().await.json()["data"]["title"].as_str().unwrap().to_owned());
    }
    titles.sort();
    assert_eq!(
        titles,
        [
            "[critical] registry.example/team/web:3.0.0 was not as promised for a while",
            "registry.example/team/web cannot be checked"
        ]
    );
}

#[tokio::test]
async fn a_new_configuration_is_obeyed_at_once() {
    let (mut before, mut after) = (Receiver::start([]).await, Receiver::start([]).await);
    let teller = Teller::start(webhook(&before.url, "")).await;
    let watched = teller.releases(&["1.0.0", "2.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.clock.step(Millis::seconds(10));
    assert!(before.next().await.json()["data"]["title"].as_str().unwrap().contains("1.0.0"));
    let config = check(&teller.folder, &webhook(&after.url, "")).unwrap();
    teller.configuration.send_replace(Arc::new(InForce::new(config, START)));
    teller.record.delete(&watched, &["2.0.0"], 8).await;
    teller.clock.step(Millis::seconds(10));
    assert!(after.next().await.json()["data"]["title"].as_str().unwrap().contains("2.0.0"));
}

#[tokio::test]
async fn slack_and_diun_get_the_bodies_that_they_know() {
    let mut receiver = Receiver::start([]).await;
    let slack =
        format!("[[notifier]]\nname = 'hook'\nkind = 'slack'\nurl = '{}'\nallow_private = true\n", receiver.url);
    let teller = Teller::start(slack).await;
    let watched = teller.releases(&["1.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.clock.step(Millis::seconds(10));
    let request = receiver.next().await;
    assert_eq!(request.header("content-type"), "application/json");
    let body = request.json();
    assert_eq!(body.as_object().unwrap().len(), 2);
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with(&format!("[warning] {API}:1.0.0 is gone\n\n- {API}:1.0.0 is gone")), "{text}");

    let teller = Teller::start(webhook(&receiver.url, "format = 'diun'\n")).await;
    let watched = teller.releases(&["1.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.clock.step(Millis::seconds(10));
    let body = receiver.next().await.json();
    assert_eq!(body["image"], format!("{API}:1.0.0"));
    assert_eq!(body["status"], "update");
    assert!(body["digest"].as_str().unwrap().starts_with("sha256:"));
    for key in ["diun_version", "hostname", "provider", "hub_link", "mime_type", "created", "platform", "metadata"] {
        assert!(!body[key].is_null(), "{key}");
    }
}

#[tokio::test]
async fn a_template_says_it_in_its_own_words_and_one_that_fails_is_told_of() {
    let mut receiver = Receiver::start([]).await;
    let template = "template = '''{{ {\"tag\": flags[0].tag, \"n\": count}|tojson }}'''\n";
    let teller = Teller::start(webhook(&receiver.url, template)).await;
    let watched = teller.releases(&["1.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.clock.step(Millis::seconds(10));
    let request = receiver.next().await;
    assert_eq!(request.json(), json!({ "tag": "1.0.0", "n": 1 }));
    request.signed("s3cret");
    // A test message has no flag.
    let test = teller.store.test_notifier("hook", teller.clock.now().mark.wall).await.unwrap();
    let state = teller.until(|state| state.error.is_some()).await;
    assert!(state.error.unwrap().starts_with("the template fails"));
    assert_eq!(teller.store.delivery(test.id).await.unwrap().unwrap().state, DeliveryState::Failed);
}

#[tokio::test]
async fn a_private_address_and_a_redirect_are_refused_without_a_word_of_the_url() {
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let receiver = Receiver::start([]).await;
        let url = receiver.url.replace("127.0.0.1", host);
        let teller = Teller::start(webhook(&url, "").replace("allow_private = true", "")).await;
        teller.store.test_notifier("hook", teller.clock.now().mark.wall).await.unwrap();
        let state = teller.until(|state| state.error.is_some()).await;
        let error = state.error.clone().unwrap();
        assert!(error.contains(host) && error.contains("allow_private"), "{error}");
        assert!(!format!("{state:?}").contains("secret-path"), "{state:?}");
    }
    let elsewhere = Receiver::start([]).await;
    let mut receiver = Receiver::start([Answer::Status(302, vec![("location", elsewhere.url.clone())])]).await;
    let teller = Teller::start(webhook(&receiver.url, "")).await;
    teller.store.test_notifier("hook", teller.clock.now().mark.wall).await.unwrap();
    receiver.next().await;
    let state = teller.until(|state| state.error.is_some()).await;
    assert_eq!(state.error.unwrap(), "127.0.0.1 answered 302 Found; redirects are not followed");
}

#[tokio::test]
async fn a_mail_comes_whole_over_starttls() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mail");
    authority.issue(&place, &["127.0.0.1"]);
    let mut server = MailServer::start(Some(&place), 0);
    let config = format!(
        "[[notifier]]\nname = 'mail'\nkind = 'smtp'\nhost = '127.0.0.1'\nport = {}\nallow_private = true\nca_file = '{}'\n\
         username = 'robot'\npassword = 'hunter2'\nfrom = 'Tagwarden <tags@example.test>'\n\
         to = ['ada@example.test', 'Bob <bob@example.test>']\n",
        server.port,
        authority.ca_file().display()
    );
    let teller = Teller::start(config).await;
    let watched = teller.releases(&["1.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.clock.step(Millis::seconds(10));
    let mail = server.next().await;
    assert!(mail.encrypted);
    let login = mail.commands.iter().position(|command| command == "AUTH").unwrap();
    assert!(login > mail.commands.iter().position(|command| command == "STARTTLS").unwrap());
    assert!(mail.commands.contains(&"RCPT TO:<bob@example.test>".to_owned()), "{:?}", mail.commands);
    let (head, body) = mail.text.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("From: Tagwarden <tags@example.test>") && head.contains("To: ada@example.test, Bob"),
        "{head}"
    );
    assert!(head.contains("text/plain") && head.contains("@tagwarden>"), "{head}");
    assert!(
        head.replace("\r\n ", " ").contains(&format!("Subject: [Tagwarden] [warning] {API}:1.0.0 is gone")),
        "{head}"
    );
    assert!(body.contains("https://tags.example/flags/1"), "{body}");
}

#[tokio::test]
async fn a_mail_that_is_refused_comes_again_and_without_tls_none_is_sent_unless_that_was_said() {
    let mut server = MailServer::start(None, 1);
    let config = format!(
        "[[notifier]]\nname = 'mail'\nkind = 'smtp'\nhost = '127.0.0.1'\nport = {}\nallow_private = true\ntls = 'none'\n\
         from = 'tags@example.test'\nto = ['ada@example.test']\n",
        server.port
    );
    let teller = Teller::start(config.clone()).await;
    let watched = teller.releases(&["1.0.0"]).await;
    teller.record.delete(&watched, &["1.0.0"], 7).await;
    teller.clock.step(Millis::seconds(10));
    let state = teller.until(|state| state.error.is_some()).await;
    assert!(state.error.unwrap().contains("try again later"));
    teller.clock.step(Millis::seconds(12));
    let mail = server.next().await;
    assert!(!mail.encrypted && mail.text.contains("is gone"));

    let teller = Teller::start(config.replace("'none'", "'starttls'")).await;
    teller.store.test_notifier("mail", teller.clock.now().mark.wall).await.unwrap();
    let state = teller.until(|state| state.error.is_some()).await;
    assert!(state.last_success.is_none(), "{state:?}");
}

#[tokio::test]
async fn a_mail_server_that_never_ends_a_line_is_not_listened_to_for_ever() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mail");
    authority.issue(&place, &["127.0.0.1"]);
    let ca = format!("tls = 'tls'\nca_file = '{}'\n", authority.ca_file().display());
    for (place, tls) in [(None, "tls = 'none'\n"), (Some(place.as_path()), &ca)] {
        let server = MailServer::endless(place);
        let config = format!(
            "[[notifier]]\nname = 'mail'\nkind = 'smtp'\nhost = '127.0.0.1'\nport = {}\nallow_private = true\n{tls}\
             from = 'tags@example.test'\nto = ['ada@example.test']\n",
            server.port
        );
        let teller = Teller::start(config).await;
        teller.store.test_notifier("mail", teller.clock.now().mark.wall).await.unwrap();
        let state = teller.until(|state| state.error.is_some()).await;
        let error = state.error.unwrap();
        assert!(error.ends_with("the server says more than 262144 bytes"), "{tls}: {error}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_notifiers_is_said_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = check(
        &folder,
        "[notifications]\nquiet_time = '1h'\n\
         [[notifier]]\nname = 'a'\nkind = 'webhook'\nurl = 'ftp://x'\nhost = 'mail'\ntemplate = '{% if %}'\nevents = []\n\
         [[notifier]]\nname = 'ok'\nkind = 'webhook'\nurl = 'https://x.example/'\n\
         [[notifier]]\nname = 'ok'\nkind = 'slack'\nurl_file = '/nowhere'\nsecret = 'x'\n\
         groups = ['shop']\n[[notifier]]\nname = 'm m'\nkind = 'smtp'\nurl = 'http://x'\ntls = 'none'\nusername = 'u'\npassword = 'hunter2'\n\
         from = \"a@b.example\\r\\nBcc: c@d.example\"\nrepositories = ['[']\n\
         quiet_hours = { from = '25:00', to = '07:00', zone = 'Nowhere/Atlantis' }\n",
    )
    .err()
    .unwrap();
    insta::assert_snapshot!(wrong.replace(&folder.path().display().to_string(), "/etc"));
    assert!(!wrong.contains("hunter2"));
    let secret = check(&folder, &webhook("https://x.example/token", "")).unwrap().notifiers;
    assert!(!format!("{secret:?}").contains("s3cret") && !format!("{secret:?}").contains("token"), "{secret:?}");
}
