//! The registry client over real sockets, against a server that misbehaves as scripted and under a clock that tests move.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use futures::FutureExt as _;
use tagwarden::check::Outcome;
use tagwarden::registry::allowance::Allowance;
use tagwarden::registry::client::{HttpRegistry, RegistrySettings};
use tagwarden::registry::credentials::Credentials;
use tagwarden::registry::gate::{Gate, Limits};
use tagwarden::registry::transport::To;
use tagwarden::registry::{Answer, By, Head, Registry, RegistryError};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::observation::Mono;
use tagwarden_model::tag::MediaType;
use tagwarden_tests::fake_clock::FakeClock;
use tagwarden_tests::scripted::{Scripted, Seen, answer, closed_host};

const NOW: Instant = Instant(1_784_000_000_000);
const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#;
const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

/// A client of one scripted server.
struct Client {
    registry: HttpRegistry,
    clock: Arc<FakeClock>,
    repository: RepositoryName,
}

impl Client {
    fn new(host: &str, change: impl FnOnce(&mut RegistrySettings)) -> Self {
        Self::with_clock(host, FakeClock::auto_advancing(NOW), change)
    }

    fn with_clock(host: &str, clock: FakeClock, change: impl FnOnce(&mut RegistrySettings)) -> Self {
        let mut settings = RegistrySettings::new(host);
        settings.retry.jitter = Arc::new(|| 1.0);
        change(&mut settings);
        let clock = Arc::new(clock);
        let registry = HttpRegistry::new(settings, clock.clone()).unwrap();
        Self { registry, clock, repository: format!("{host}/team/api").parse().unwrap() }
    }

    async fn head(&self) -> Result<Head, RegistryError> {
        self.registry.head(&self.repository, &tag("1.0"), None).await.result
    }

    async fn tags(&self) -> Result<Vec<String>, RegistryError> {
        let tags = self.registry.list_tags(&self.repository).await.result?;
        Ok(tags.iter().map(ToString::to_string).collect())
    }

    async fn manifest(&self) -> Result<tagwarden::registry::Manifest, RegistryError> {
        self.registry.manifest(&self.repository, By::Tag(&tag("1.0"))).await.result
    }
}

fn tag(text: &str) -> TagName {
    TagName::new(text).unwrap()
}

fn digest() -> Digest {
    Digest::of(MANIFEST.as_bytes())
}

/// 200 to HEAD or GET of the manifest.
fn manifest() -> Response {
    answer(200, &[("content-type", OCI), ("docker-content-digest", &digest().to_string())], MANIFEST)
}

/// What HEAD of the manifest has to give.
#[expect(clippy::unnecessary_wraps, reason = "it is compared with results")]
fn present() -> Result<Head, RegistryError> {
    Ok(Head::Present { claim: Some(digest()), media_type: MediaType::OciManifest })
}

fn credentials(host: &str, entry: &str) -> Credentials {
    Credentials::from_docker_config(format!(r#"{{"auths":{{"{host}":{entry}}}}}"#).as_bytes()).unwrap()
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn challenge(seen: &Seen, rest: &str) -> Response {
    let realm = format!("Bearer realm=\"http://{}/token?x=1\",service=\"registry.test\"{rest}", seen.header("host"));
    answer(401, &[("www-authenticate", &realm)], "")
}

fn is_refused(result: &Result<Head, RegistryError>, part: &str) -> bool {
    matches!(result, Err(RegistryError::Refused { message }) if message.contains(part))
}

fn is_unintelligible<T: std::fmt::Debug>(result: &Result<T, RegistryError>, part: &str) -> bool {
    matches!(result, Err(RegistryError::Unintelligible { message }) if message.contains(part))
}

// What is sent.

#[tokio::test]
async fn a_request_names_the_four_media_types_in_one_line_and_nobody() {
    let server = Scripted::start(|_| manifest()).await;
    let client = Client::new(server.host(), |_| {});
    assert_eq!(client.head().await, present());
    let seen = &server.seen()[0];
    assert_eq!(seen.line(), "HEAD /v2/team/api/manifests/1.0");
    assert_eq!(seen.headers.get_all("accept").iter().count(), 1);
    for code in 1..=4 {
        assert!(seen.header("accept").contains(MediaType::from_code(code).unwrap().word()));
    }
    assert_eq!([seen.header("accept-encoding"), seen.header("cache-control")], ["identity", "no-cache"]);
    assert!(seen.header("user-agent").starts_with("tagwarden/"));
    assert!(!seen.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_path_in_the_url_stands_before_v2() {
    let server = Scripted::start(|_| manifest()).await;
    let mut settings = RegistrySettings::new("mirror.example");
    settings.url = Some(server.url("/artifactory/docker/").parse().unwrap());
    let registry = HttpRegistry::new(settings, Arc::new(FakeClock::new(NOW))).unwrap();
    let answer = registry.head(&"mirror.example/team/api".parse().unwrap(), &tag("1.0"), None).await;
    assert_eq!(answer.result, present());
    assert_eq!(server.lines(), ["HEAD /artifactory/docker/v2/team/api/manifests/1.0"]);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let clock = Arc::new(FakeClock::new(NOW));
    let mut settings = RegistrySettings::new("ghcr.io");
    assert_eq!(settings.base().unwrap().as_str(), "https://ghcr.io/");
    assert_eq!(RegistrySettings::new("docker.io").base().unwrap().as_str(), "https://registry-1.docker.io/");
    assert_eq!(RegistrySettings::new("[::1]:5000").base().unwrap().as_str(), "http://[::1]:5000/");
    settings.url = Some("ftp://ghcr.io".parse().unwrap());
    let error = HttpRegistry::new(settings.clone(), clock.clone()).err().unwrap();
    assert!(error.to_string().contains("ftp://ghcr.io"), "{error}");
    settings.url = None;
    settings.ca_file = Some("/nowhere/ca.pem".into());
    let error = HttpRegistry::new(settings.clone(), clock.clone()).err().unwrap();
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no certificate").unwrap();
    settings.ca_file = Some(file.path().into());
    let error = HttpRegistry::new(settings, clock).err().unwrap();
    assert!(error.to_string().contains("no certificates"), "{error}");
}

#[tokio::test]
async fn an_answer_says_when_it_was_sent_and_received_and_what_the_registrys_clock_said() {
    let server =
        Scripted::start(|_| answer(200, &[("content-type", OCI), ("date", "Sat, 01 Aug 2026 00:00:00 GMT")], MANIFEST))
            .await;
    let client = Client::new(server.host(), |_| {});
    let before = tagwarden::clock::Clock::now(&*client.clock);
    let Answer { sent, received, date, .. } = client.registry.manifest(&client.repository, By::Tag(&tag("1.0"))).await;
    assert!(before.mono < sent.mono && sent.mono < received.mono);
    assert_eq!(date, Some("2026-08-01T00:00:00Z".parse().unwrap()));
}

// Authentication.

#[tokio::test]
async fn basic_credentials_are_sent_when_asked_for_and_from_then_on_at_once() {
    let expected = format!("Basic {}", base64("alice:s3cret"));
    let server = Scripted::start(move |seen| {
        if seen.header("authorization") == expected {
            manifest()
        } else {
            answer(401, &[("www-authenticate", "Basic realm=\"x\"")], "")
        }
    })
    .await;
    let client = Client::new(server.host(), |settings| {
        settings.credentials = credentials(&settings.host, r#"{"username":"alice","password":"s3cret"}"#);
    });
    assert_eq!(client.head().await, present());
    assert_eq!(client.head().await, present());
    assert_eq!(
        server.seen().iter().map(|seen| !seen.header("authorization").is_empty()).collect::<Vec<_>>(),
        [false, true, true]
    );
}

#[tokio::test]
async fn wrong_basic_credentials_are_shown_once() {
    let server = Scripted::start(|_| answer(401, &[("www-authenticate", "Basic realm=\"x\"")], "")).await;
    let client = Client::new(server.host(), |settings| {
        settings.credentials = credentials(&settings.host, r#"{"username":"alice","password":"s3cret"}"#);
    });
    let result = client.head().await;
    assert!(is_refused(&result, &format!("under `{}` are wrong", server.host())), "{result:?}");
    assert_eq!(client.head().await, result);
    assert_eq!(server.seen().len(), 2, "a wrong password, shown again and again, locks accounts");
    client.clock.advance(Millis::seconds(31));
    assert_eq!(client.head().await, result);
    assert_eq!(server.seen().len(), 3);
    let anonymous = Client::new(server.host(), |_| {});
    assert!(is_refused(&anonymous.head().await, "put them into the credentials file"));
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_401_that_cannot_be_answered_is_a_refusal() {
    let server = Scripted::start(|_| answer(401, &[("www-authenticate", "Negotiate YII=")], "")).await;
    assert!(is_refused(&Client::new(server.host(), |_| {}).head().await, "without a challenge"));
    assert_eq!(server.seen().len(), 1);
}

/// A registry with a token service that gives the tokens `t1`, `t2` … and takes the newest.
async fn token_registry(body: &'static str) -> (Scripted, Arc<AtomicU32>) {
    let given = Arc::new(AtomicU32::new(0));
    let counter = given.clone();
    let server = Scripted::start(move |seen| {
        if seen.uri.path() == "/token" {
            let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
            return answer(200, &[], body.replace("TOKEN", &format!("t{number}")));
        }
        let current = counter.load(Ordering::SeqCst);
        let right = current > 0 && seen.header("authorization") == format!("Bearer t{current}");
        if right { manifest() } else { challenge(seen, ",scope=\"repository:team/api:pull\"") }
    })
    .await;
    (server, given)
}

#[tokio::test]
async fn the_catalogue_is_read_with_the_scope_that_the_registry_asks_for() {
    let server = Scripted::start(|seen| match (seen.uri.path(), seen.header("authorization")) {
        ("/token", _) => answer(200, &[], r#"{"token":"t1"}"#),
        (_, "Bearer t1") if seen.uri.query().is_none() => {
            answer(200, &[("link", "</v2/_catalog?last=b>; rel=\"next\"")], r#"{"repositories":["b","a"]}"#)
        }
        // A registry that gives its last page again and again.
        (_, "Bearer t1") => {
            answer(200, &[("link", "</v2/_catalog?last=b>; rel=\"next\"")], r#"{"repositories":["c"]}"#)
        }
        _ => challenge(seen, ",scope=\"registry:catalog:*\""),
    })
    .await;
    let client = Client::new(server.host(), |_| {});
    let names = client.registry.catalogue(server.host()).await.unwrap();
    assert_eq!((names.names, names.whole), (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], true));
    let lines = server.lines();
    assert!(lines[1].contains("scope=registry%3Acatalog%3A*"), "{lines:?}");
    assert_eq!(lines[2..], ["GET /v2/_catalog", "GET /v2/_catalog?last=b"]);
}

const TOKEN_LINE: &str =
    "GET /token?x=1&service=registry.test&scope=repository%3Ateam%2Fapi%3Apull&client_id=tagwarden";

#[tokio::test]
async fn an_anonymous_token_is_fetched_once_and_used_until_five_seconds_before_its_end() {
    let (server, given) = token_registry(r#"{"token":"TOKEN","expires_in":300}"#).await;
    let client = Client::with_clock(server.host(), FakeClock::new(NOW), |_| {});
    assert_eq!(client.head().await, present());
    let head = "HEAD /v2/team/api/manifests/1.0";
    assert_eq!(server.lines(), [head, TOKEN_LINE, head]);
    client.clock.advance(Millis::seconds(294));
    assert_eq!(client.head().await, present());
    assert_eq!(given.load(Ordering::SeqCst), 1);
    client.clock.advance(Millis::seconds(2));
    assert_eq!(client.head().await, present());
    assert_eq!(server.lines()[3..], [head, TOKEN_LINE, head], "renewed before the request, without a 401");
}

#[tokio::test]
async fn a_token_without_a_life_lives_for_a_minute() {
    let (server, given) = token_registry(r#"{"access_token":"TOKEN","expires_in":1}"#).await;
    let client = Client::with_clock(server.host(), FakeClock::new(NOW), |_| {});
    for (advance, tokens) in [(0, 1), (54, 1), (2, 2)] {
        client.clock.advance(Millis::seconds(advance));
        assert_eq!(client.head().await, present());
        assert_eq!(given.load(Ordering::SeqCst), tokens);
    }
}

#[tokio::test]
async fn many_requests_share_one_token_request() {
    let (server, given) = token_registry(r#"{"token":"TOKEN"}"#).await;
    let client = Client::new(server.host(), |settings| settings.limits.concurrency = 16);
    let results = futures::future::join_all((0..16).map(|_| client.head())).await;
    assert!(results.iter().all(|result| *result == present()));
    assert_eq!(given.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_halfway_is_renewed_once_for_all() {
    let (server, given) = token_registry(r#"{"token":"TOKEN","expires_in":300}"#).await;
    let client = Client::new(server.host(), |settings| settings.limits.concurrency = 8);
    assert_eq!(client.head().await, present());
    // The registry forgets the token: it takes only `t2`, which has not been given yet.
    given.fetch_add(1, Ordering::SeqCst);
    let results = futures::future::join_all((0..8).map(|_| client.head())).await;
    assert!(results.iter().all(|result| *result == present()), "{results:?}");
    assert_eq!(given.load(Ordering::SeqCst), 3, "one more token for all eight");
}

#[tokio::test]
async fn credentials_go_to_the_token_service_and_the_token_to_the_registry() {
    let (server, _) = token_registry(r#"{"token":"TOKEN"}"#).await;
    let client = Client::new(server.host(), |settings| {
        settings.credentials = credentials(&settings.host, &format!(r#"{{"auth":"{}"}}"#, base64("alice:s3cret")));
    });
    assert_eq!(client.head().await, present());
    let seen = server.seen();
    assert_eq!(seen[1].line(), format!("{TOKEN_LINE}&account=alice"));
    assert_eq!(seen[1].header("authorization"), format!("Basic {}", base64("alice:s3cret")));
    assert_eq!(seen[2].header("authorization"), "Bearer t1");
}

#[tokio::test]
async fn a_second_401_is_a_refusal_and_never_a_loop() {
    let server = Scripted::start(|seen| match seen.uri.path() {
        "/token" => answer(200, &[], r#"{"token":"t"}"#),
        _ => challenge(seen, ",scope=\"repository:team/api:pull\""),
    })
    .await;
    let client = Client::new(server.host(), |_| {});
    assert!(is_refused(&client.head().await, "does not exist or needs credentials"));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn insufficient_scope_is_merged_once_with_the_missing_scope_first() {
    let server = Scripted::start(|seen| {
        if seen.uri.path() == "/token" {
            let both = seen.uri.query().unwrap_or_default().matches("scope=").count() == 2;
            return answer(200, &[], if both { r#"{"token":"strong"}"# } else { r#"{"token":"weak"}"# });
        }
        match seen.header("authorization") {
            "Bearer strong" => manifest(),
            "" => challenge(seen, ",scope=\"repository:team/api:pull\""),
            _ => challenge(seen, ",scope=\"repository:base/image:push,pull\",error=\"insufficient_scope\""),
        }
    })
    .await;
    let client = Client::new(server.host(), |_| {});
    assert_eq!(client.head().await, present());
    assert_eq!(client.head().await, present());
    let lines = server.lines();
    assert_eq!(lines.len(), 6, "the second HEAD knows which token it needs: {lines:?}");
    let scopes = "scope=repository%3Abase%2Fimage%3Apull%2Cpush&scope=repository%3Ateam%2Fapi%3Apull";
    assert!(lines[3].contains(scopes), "{}", lines[3]);
}

#[tokio::test]
async fn insufficient_scope_without_end_is_a_refusal() {
    let server = Scripted::start(|seen| match seen.uri.path() {
        "/token" => answer(200, &[], format!(r#"{{"token":"t{}"}}"#, seen.number)),
        _ => challenge(seen, &format!(",scope=\"repository:r{}:pull\",error=\"insufficient_scope\"", seen.number)),
    })
    .await;
    assert!(is_refused(&Client::new(server.host(), |_| {}).head().await, ""));
    assert_eq!(server.seen().len(), 5, "three tries, two tokens");
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let server = Scripted::start(|seen| match (seen.uri.path(), seen.header("authorization")) {
        ("/token", "") => answer(200, &[], r#"{"access_token":"t"}"#),
        (_, "Bearer t") => manifest(),
        _ => challenge(seen, ",scope=\"repository:team/api:pull\""),
    })
    .await;
    let client = Client::new(server.host(), |settings| {
        settings.credentials = credentials(&settings.host, r#"{"identitytoken":"ref/resh"}"#);
    });
    assert_eq!(client.head().await, present());
    let seen = &server.seen()[1];
    assert_eq!(seen.line(), "POST /token?x=1");
    let body = "grant_type=refresh_token&refresh_token=ref%2Fresh&client_id=tagwarden&scope=repository%3Ateam%2Fapi%3Apull&service=registry.test";
    assert_eq!(seen.body, body);
}

#[tokio::test]
async fn a_registry_token_is_sent_as_it_is() {
    let server =
        Scripted::start(
            |seen| if seen.header("authorization") == "Bearer raw" { manifest() } else { challenge(seen, "") },
        )
        .await;
    let with = |token: &str| {
        let entry = format!(r#"{{"registrytoken":"{token}"}}"#);
        Client::new(server.host(), |settings| settings.credentials = credentials(&settings.host, &entry))
    };
    assert_eq!(with("raw").head().await, present());
    assert!(is_refused(&with("old").head().await, "registry token"));
    assert_eq!(server.seen().len(), 2, "no token service was asked");
}

#[tokio::test]
async fn refused_credentials_are_not_dropped_and_not_shown_again_for_half_a_minute() {
    let server = Scripted::start(|seen| match seen.uri.path() {
        "/token" => answer(401, &[], r#"{"details":"incorrect username or password"}"#),
        _ => challenge(seen, ""),
    })
    .await;
    let client = Client::with_clock(server.host(), FakeClock::new(NOW), |settings| {
        settings.credentials = credentials(&settings.host, r#"{"username":"alice","password":"s3cret"}"#);
    });
    let tokens = || server.lines().iter().filter(|line| line.starts_with("GET /token")).count();
    for (advance, expected) in [(0, 1), (29, 1), (2, 2)] {
        client.clock.advance(Millis::seconds(advance));
        assert!(is_refused(&client.head().await, "incorrect username or password"));
        assert_eq!(tokens(), expected);
    }
    assert_eq!(
        server.lines().iter().filter(|line| line.starts_with("HEAD")).count(),
        1,
        "nothing is tried anonymously"
    );
}

#[tokio::test]
async fn what_a_token_service_does_wrong_says_nothing_about_tags() {
    for (status, body, expected) in [
        (404, "", "unintelligible"),
        (302, "", "unintelligible"),
        (200, "<html>", "unintelligible"),
        (200, r#"{"token":null}"#, "unintelligible"),
        (200, "HUGE", "unintelligible"),
        (500, "", "server"),
        (429, "", "limited"),
        (403, "", "refused"),
        (200, "{\"token\":\"a\\nb\"}", "unintelligible"),
    ] {
        let server = Scripted::start(move |seen| match seen.uri.path() {
            "/token" => {
                let body =
                    if body == "HUGE" { format!("{{\"token\":\"{}\"}}", "x".repeat(200_000)) } else { body.into() };
                answer(status, &[("location", "/elsewhere")], body)
            }
            _ => challenge(seen, ""),
        })
        .await;
        let result = Client::new(server.host(), |_| {}).head().await;
        let got = match result {
            Err(RegistryError::Unintelligible { .. }) => "unintelligible",
            Err(RegistryError::Server { .. }) => "server",
            Err(RegistryError::RateLimited { .. }) => "limited",
            Err(RegistryError::Refused { .. }) => "refused",
            _ => "something else",
        };
        assert_eq!(got, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_realm_that_the_rule_refuses_gets_no_credentials() {
    // Which addresses the rule refuses is tested without a network, in `reach`: should it ever fail to, nothing must leave
    // this machine. A user name in the URL is refused on loopback too.
    let server = Scripted::start(|_| {
        answer(401, &[("www-authenticate", "Bearer realm=\"http://somebody@127.0.0.2:9/token\"")], "")
    })
    .await;
    assert!(is_refused(&Client::new(server.host(), |_| {}).head().await, "`127.0.0.2` with a user name in the URL"));
    let relative = Scripted::start(|seen| match (seen.uri.path(), seen.header("authorization")) {
        ("/v2/auth", _) => answer(200, &[], r#"{"token":"t"}"#),
        (_, "Bearer t") => manifest(),
        _ => answer(401, &[("www-authenticate", "Bearer realm=/v2/auth")], ""),
    })
    .await;
    assert_eq!(Client::new(relative.host(), |_| {}).head().await, present());
}

#[tokio::test]
async fn a_secret_that_a_server_quotes_is_covered() {
    let server = Scripted::start(|seen| match seen.header("authorization") {
        "" => answer(401, &[("www-authenticate", "Basic")], ""),
        header => answer(403, &[], format!("you sent {header}, s3cret!")),
    })
    .await;
    let client = Client::new(server.host(), |settings| {
        settings.credentials = credentials(&settings.host, r#"{"username":"alice","password":"s3cret"}"#);
    });
    let message = client.registry.list_tags(&client.repository).await.result.unwrap_err().to_string();
    assert!(message.contains("you sent Basic ***, ***!"), "{message}");
}

// Rate limits, failure, waiting.

#[tokio::test]
async fn a_429_pauses_everything_until_its_end_without_a_request() {
    let limited = Arc::new(AtomicBool::new(true));
    let state = limited.clone();
    let server = Scripted::start(move |_| {
        if !state.load(Ordering::SeqCst) {
            return manifest();
        }
        let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
        answer(429, &[("retry-after", "30")], body)
    })
    .await;
    let client = Client::with_clock(server.host(), FakeClock::new(NOW), |_| {});
    let Err(RegistryError::RateLimited { retry_at, message }) = client.tags().await else { panic!("not limited") };
    assert!(message.contains("slow down"), "{message}");
    let asked = retry_at.0 / 1000;
    assert_eq!(asked, 30_000);
    limited.store(false, Ordering::SeqCst);
    client.clock.advance(Millis::seconds(29));
    for result in
        [client.head().await.map(|_| ()), client.tags().await.map(|_| ()), client.manifest().await.map(|_| ())]
    {
        assert!(matches!(result, Err(RegistryError::RateLimited { retry_at: at, .. }) if at == retry_at));
    }
    assert_eq!(server.seen().len(), 1, "a 429 is not tried again, and nothing is sent in the pause");
    client.clock.advance(Millis::seconds(1));
    assert_eq!(client.head().await, present());
}

/// Two entries of one host: what the server puts together from the configuration.
fn two_entries(host: &str, change: impl Fn(&mut RegistrySettings)) -> (Arc<FakeClock>, [HttpRegistry; 2]) {
    let clock = Arc::new(FakeClock::new(NOW));
    let shared = Arc::default();
    let registries = [(); 2].map(|()| {
        let mut settings = RegistrySettings::new(host);
        settings.host_limits = Arc::clone(&shared);
        change(&mut settings);
        HttpRegistry::new(settings, clock.clone()).unwrap()
    });
    (clock, registries)
}

#[tokio::test]
async fn a_429_pauses_all_entries_of_the_host() {
    let server = Scripted::start(|seen| match seen.number {
        0 => answer(429, &[("retry-after", "30")], ""),
        _ => manifest(),
    })
    .await;
    let (clock, [one, other]) = two_entries(server.host(), |_| {});
    let repository: RepositoryName = format!("{}/team/api", server.host()).parse().unwrap();
    let result = one.head(&repository, &tag("1.0"), None).await.result;
    let Err(RegistryError::RateLimited { retry_at, .. }) = result else { panic!("not limited") };
    let paused = other.head(&repository, &tag("1.0"), None).await.result;
    assert!(matches!(paused, Err(RegistryError::RateLimited { retry_at: at, .. }) if at == retry_at), "{paused:?}");
    assert_eq!(server.seen().len(), 1);
    clock.advance_to(retry_at);
    assert_eq!(other.head(&repository, &tag("1.0"), None).await.result, present());
    // Another host, or an entry on its own, is not asked to wait.
    let alone = Client::new(server.host(), |_| {});
    assert_eq!(alone.head().await, present());
}

#[tokio::test]
async fn entries_of_one_host_count_unexplained_429s_together() {
    let server = Scripted::start(|_| answer(429, &[], "")).await;
    let (clock, [one, other]) = two_entries(server.host(), |_| {});
    let repository: RepositoryName = format!("{}/team/api", server.host()).parse().unwrap();
    for (registry, seconds) in [(&one, 5), (&other, 10), (&one, 20)] {
        let now = tagwarden::clock::Clock::now(&*clock).mono;
        let result = registry.head(&repository, &tag("1.0"), None).await.result;
        let Err(RegistryError::RateLimited { retry_at, .. }) = result else { panic!("not limited") };
        assert_eq!((retry_at.0 - now.0) / 1_000_000, seconds);
        clock.advance_to(retry_at);
    }
}

#[tokio::test]
async fn concurrency_and_failures_stay_with_each_entry() {
    let server = Scripted::start(|seen| match seen.header("user-agent") {
        "ill" => answer(500, &[], ""),
        _ => manifest(),
    })
    .await;
    let agents = Mutex::new(vec!["well", "ill"]);
    let (_, [ill, well]) = two_entries(server.host(), |settings| {
        settings.user_agent = agents.lock().unwrap().pop().unwrap().to_owned();
        settings.retry.delays.clear();
    });
    let repository: RepositoryName = format!("{}/team/api", server.host()).parse().unwrap();
    for _ in 0..6 {
        assert!(ill.head(&repository, &tag("1.0"), None).await.result.is_err());
    }
    assert_eq!(server.seen().len(), 5, "the circuit is open");
    assert_eq!(well.head(&repository, &tag("1.0"), None).await.result, present());
}

#[tokio::test]
async fn a_429_of_the_token_service_pauses_only_the_entry_that_got_it() {
    let server = Scripted::start(|seen| match (seen.uri.path(), seen.header("authorization")) {
        ("/token", "") => answer(429, &[("retry-after", "30")], ""),
        ("/token", _) => answer(200, &[], r#"{"token":"t"}"#),
        (_, "") => challenge(seen, ""),
        _ => manifest(),
    })
    .await;
    let shared = Arc::default();
    let anonymous = Client::with_clock(server.host(), FakeClock::new(NOW), |settings| {
        settings.host_limits = Arc::clone(&shared);
    });
    let known = Client::with_clock(server.host(), FakeClock::new(NOW), |settings| {
        settings.host_limits = Arc::clone(&shared);
        settings.credentials = credentials(&settings.host, r#"{"username":"alice","password":"s3cret"}"#);
    });
    for _ in 0..2 {
        assert!(matches!(anonymous.head().await, Err(RegistryError::RateLimited { .. })));
    }
    assert_eq!(server.seen().len(), 2, "it waits");
    assert_eq!(known.head().await, present());
}

#[tokio::test]
async fn what_the_registry_allows_is_read_from_answers_for_manifests() {
    let server = Scripted::start(|seen| {
        let left = if seen.uri.path().contains("/manifests/") { "98" } else { "1" };
        let limits = [("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", left)];
        match (seen.number, seen.method.as_str()) {
            (0, _) => answer(200, &limits, r#"{"tags":[]}"#),
            (1, _) => answer(200, &[("content-type", OCI), ("ratelimit-limit", "unlimited")], MANIFEST),
            (2, _) => answer(200, &[("content-type", OCI), limits[0], limits[1]], MANIFEST),
            (3, _) => manifest(),
            _ => answer(429, &[limits[0], ("ratelimit-remaining", "0")], ""),
        }
    })
    .await;
    let (_, [one, other]) = two_entries(server.host(), |_| {});
    let repository: RepositoryName = format!("{}/team/api", server.host()).parse().unwrap();
    one.list_tags(&repository).await.result.unwrap();
    assert_eq!(one.allowance(), None, "what is said of lists is not said of manifests");
    one.head(&repository, &tag("1.0"), None).await.result.unwrap();
    assert_eq!(one.allowance(), None);
    one.manifest(&repository, By::Tag(&tag("1.0"))).await.result.unwrap();
    let allowance = Allowance { limit: 100, window: Millis::hours(6), remaining: 98 };
    assert_eq!(one.allowance(), Some(allowance));
    one.head(&repository, &tag("1.0"), None).await.result.unwrap();
    assert_eq!(one.allowance(), Some(allowance), "an answer that says nothing takes nothing back");
    other.head(&repository, &tag("1.0"), None).await.result.unwrap_err();
    assert_eq!(
        one.allowance(),
        Some(Allowance { remaining: 0, ..allowance }),
        "it is the host's, and a 429 says it too"
    );
}

#[tokio::test]
async fn every_shape_of_retry_after_arrives_over_a_socket() {
    let date = "Sat, 01 Aug 2026 00:00:00 GMT";
    for (name, value, millis) in [
        ("retry-after", &b"2"[..], 2000),
        ("retry-after", b"Sat, 01 Aug 2026 00:01:30 GMT", 90_000),
        ("retry-after", "880.092µs".as_bytes(), 1000),
        ("retry-after", b"1m30s", 90_000),
        ("x-retry-after", b"1785542445", 45_000),
        ("retry-after", b"999999", 900_000),
        ("x-none", b"", 5000),
    ] {
        let server = Scripted::start(move |_| {
            let mut response = answer(429, &[("date", date)], "");
            response.headers_mut().insert(name, axum::http::HeaderValue::from_bytes(value).unwrap());
            response
        })
        .await;
        let client = Client::with_clock(server.host(), FakeClock::new(NOW), |_| {});
        let Err(RegistryError::RateLimited { retry_at, .. }) = client.head().await else { panic!("not limited") };
        assert_eq!(retry_at.0 / 1000, millis, "{name}: {}", String::from_utf8_lossy(value));
    }
}

#[tokio::test]
async fn unexplained_429s_pause_longer_and_longer() {
    let server = Scripted::start(|_| answer(429, &[], "")).await;
    let client = Client::with_clock(server.host(), FakeClock::new(NOW), |_| {});
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let now = tagwarden::clock::Clock::now(&*client.clock).mono;
        let Err(RegistryError::RateLimited { retry_at, .. }) = client.head().await else { panic!("not limited") };
        pauses.push((retry_at.0 - now.0) / 1_000_000);
        client.clock.advance_to(retry_at);
    }
    assert_eq!(pauses, [5, 10, 20, 40]);
}

#[tokio::test]
async fn what_may_pass_is_tried_three_times_and_nothing_else() {
    for (status, tries) in
        [(500, 3), (502, 3), (503, 3), (504, 3), (408, 3), (404, 1), (403, 1), (400, 1), (429, 1), (204, 1)]
    {
        let server = Scripted::start(move |_| answer(status, &[], "")).await;
        let client = Client::new(server.host(), |_| {});
        assert!(client.head().await.is_err());
        assert_eq!(server.seen().len(), tries, "{status}");
        let delays: &[Millis] = if tries == 3 { &[Millis(500), Millis(2000)] } else { &[] };
        assert_eq!(client.clock.sleeps(), delays, "{status}");
    }
}

#[tokio::test]
async fn a_success_ends_the_tries_and_a_long_wait_is_left_to_the_caller() {
    let server = Scripted::start(|seen| if seen.number < 2 { answer(503, &[], "") } else { manifest() }).await;
    assert_eq!(Client::new(server.host(), |_| {}).head().await, present());
    let server = Scripted::start(|_| answer(503, &[("retry-after", "60")], "")).await;
    let result = Client::new(server.host(), |_| {}).head().await;
    assert!(matches!(result, Err(RegistryError::Server { status: 503, .. })));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_closed_port_is_unreachable_after_three_tries() {
    let host = closed_host().await;
    let client = Client::new(&host, |_| {});
    let result = client.head().await;
    assert!(matches!(&result, Err(RegistryError::Unreachable { message }) if message.contains(&host)), "{result:?}");
    assert_eq!(client.clock.sleeps().len(), 2);
}

#[tokio::test]
async fn after_five_failures_nothing_is_sent_until_a_probe_succeeds() {
    let works = Arc::new(AtomicBool::new(false));
    let state = works.clone();
    let server =
        Scripted::start(move |_| if state.load(Ordering::SeqCst) { manifest() } else { answer(500, &[], "") }).await;
    let client = Client::with_clock(server.host(), FakeClock::new(NOW), |settings| settings.retry.delays.clear());
    for _ in 0..5 {
        assert!(matches!(client.head().await, Err(RegistryError::Server { .. })));
    }
    let opened = |result: &Result<Head, RegistryError>| matches!(result, Err(RegistryError::Unreachable { message }) if message.contains("nothing was sent"));
    assert!(opened(&client.head().await));
    client.clock.advance(Millis(1001));
    let both = futures::future::join(client.head(), client.head()).await;
    assert!(matches!(both.0, Err(RegistryError::Server { .. })) && opened(&both.1), "one probe only: {both:?}");
    client.clock.advance(Millis(1001));
    assert!(opened(&client.head().await), "the second time it stays open for two seconds");
    assert_eq!(server.seen().len(), 6);
    works.store(true, Ordering::SeqCst);
    client.clock.advance(Millis(1001));
    assert_eq!(client.head().await, present());
    assert_eq!(client.head().await, present());
}

#[tokio::test]
async fn an_abandoned_probe_does_not_keep_the_circuit_open() {
    let clock = Arc::new(FakeClock::new(NOW));
    let gate = Gate::new(Limits { failures_to_open: 1, ..Limits::of_host("ghcr.io") }, Arc::default(), clock.clone());
    gate.record(Some(&RegistryError::Unreachable { message: "x".into() }));
    clock.advance(Millis(1001));
    let probe = gate.enter().await.unwrap();
    assert!(gate.enter().await.is_err());
    drop(probe);
    assert!(gate.enter().await.is_ok());
}

#[tokio::test]
async fn concurrency_is_limited_and_a_pause_reaches_those_who_wait() {
    let clock = Arc::new(FakeClock::new(NOW));
    let gate = Gate::new(Limits { concurrency: 1, ..Limits::of_host("ghcr.io") }, Arc::default(), clock);
    let first = gate.enter().await.unwrap();
    let mut second = Box::pin(gate.enter());
    assert!((&mut second).now_or_never().is_none());
    gate.pause(To::Registry, Some(Millis::seconds(9)), "slow".into());
    drop(first);
    assert!(matches!(second.await, Err(RegistryError::RateLimited { retry_at: Mono(at), .. }) if at / 1000 == 9000));
}

#[tokio::test]
async fn a_request_budget_spreads_requests() {
    let server = Scripted::start(|_| manifest()).await;
    let client = Client::new(server.host(), |settings| settings.limits.requests_per_second = Some(2.0));
    for _ in 0..6 {
        assert_eq!(client.head().await, present());
    }
    let sleeps = client.clock.sleeps();
    assert!(sleeps.len() >= 4 && sleeps.iter().all(|sleep| (490..=500).contains(&sleep.0)), "{sleeps:?}");
}

// Bodies.

#[tokio::test]
async fn bodies_without_end_are_not_read_to_their_end() {
    for declared in [true, false] {
        let server = Scripted::start(move |_| {
            let piece = vec![b' '; 1 << 20];
            let body = if declared {
                Body::from(piece.repeat(9))
            } else {
                Body::from_stream(futures::stream::repeat(Ok::<_, std::convert::Infallible>(piece)))
            };
            answer(200, &[("content-type", OCI)], body)
        })
        .await;
        let client = Client::new(server.host(), |_| {});
        assert!(is_unintelligible(&client.manifest().await, "more than 4194304 bytes"));
        assert!(is_unintelligible(&client.tags().await, "more than 8388608 bytes"));
        let blob = client.registry.blob(&client.repository, &digest()).await.result;
        assert!(is_unintelligible(&blob, "more than 4194304 bytes"));
    }
}

#[tokio::test]
async fn an_error_page_without_end_is_cut() {
    let server = Scripted::start(|_| {
        answer(
            404,
            &[],
            Body::from_stream(futures::stream::repeat(Ok::<_, std::convert::Infallible>(vec![b'x'; 4096]))),
        )
    })
    .await;
    assert_eq!(Client::new(server.host(), |_| {}).tags().await, Err(RegistryError::NotFound { code: None }));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_a_manifest() {
    let cut = Scripted::start_raw(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\ncontent-length: 99\r\n\r\n{\"a\":1}",
    )
    .await;
    let result = Client::new(cut.host(), |_| {}).manifest().await;
    assert!(
        matches!(&result, Err(RegistryError::Unreachable { message }) if message.contains("broke off")),
        "{result:?}"
    );
    let unnoticed = Scripted::start_raw(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\nconnection: close\r\n\r\n{\"a\":",
    )
    .await;
    assert!(is_unintelligible(&Client::new(unnoticed.host(), |_| {}).manifest().await, "no JSON object"));
    for garbage in [&b""[..], b"\x00\x01\x02", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"] {
        let server = Scripted::start_raw(garbage).await;
        let result = Client::new(server.host(), |_| {}).manifest().await;
        assert!(matches!(result, Err(RegistryError::Unreachable { .. })), "{result:?}");
    }
}

#[tokio::test]
async fn an_answer_that_stalls_is_unreachable_after_the_time_out() {
    let server = Scripted::start(|_| {
        answer(
            200,
            &[("content-type", OCI)],
            Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>()),
        )
    })
    .await;
    let client = Client::new(server.host(), |settings| settings.time_outs.read = Duration::from_millis(50));
    let result = client.manifest().await;
    assert!(
        matches!(&result, Err(RegistryError::Unreachable { message }) if message.contains("in time")),
        "{result:?}"
    );
    assert_eq!(server.seen().len(), 1, "a time-out is not tried again");
}

#[tokio::test]
async fn lists_of_all_kinds() {
    for (body, expected) in [
        (r#"{"name":"team/api","tags":["2.0","1.0","2.0"]}"#, Some(vec!["1.0", "2.0"])),
        (r#"{"name":"team/api","tags":null}"#, Some(vec![])),
        (r#"{"tags":[]}"#, Some(vec![])),
        (r#"{"tags":[null,"1.0",7,"-bad","a/b","sha256:abc",{"x":[]},"é"]}"#, Some(vec!["1.0"])),
        (r#"{"name":"team/api"}"#, None),
        (r#"{"tags":"1.0"}"#, None),
        (r#"{"tags":["1.0""#, None),
        ("[]", None),
        ("", None),
        ("<!doctype html><title>Sign in</title>", None),
    ] {
        let server = Scripted::start(move |_| answer(200, &[("content-type", "text/plain")], body)).await;
        let result = Client::new(server.host(), |_| {}).tags().await;
        match expected {
            Some(tags) => assert_eq!(result, Ok(tags.into_iter().map(str::to_owned).collect()), "{body}"),
            None => assert!(is_unintelligible(&result, ""), "{body}: {result:?}"),
        }
    }
}

// Pages.

/// Serves two pages; the first one's Link is given.
async fn two_pages(link: &'static str) -> (Scripted, Result<Vec<String>, RegistryError>) {
    let server = Scripted::start(move |seen| match seen.uri.query() {
        None => answer(200, &[("link", link)], r#"{"tags":["1.0"]}"#),
        Some(_) => answer(200, &[], r#"{"tags":["2.0"]}"#),
    })
    .await;
    let tags = Client::new(server.host(), |_| {}).tags().await;
    (server, tags)
}

#[tokio::test]
async fn only_the_query_of_a_link_is_followed() {
    for (link, query) in [
        (r#"</v2/team/api/tags/list?last=1.0&n=1>; rel="next""#, "last=1.0&n=1"),
        (r#"<http://127.0.0.2:9/wrong?last=1.0>; rel="next""#, "last=1.0"),
        ("<list?last=a,b>; rel=next", "last=a,b"),
        (r#"<?next_page=gAAA%3D%3D>;rel="next""#, "next_page=gAAA%3D%3D"),
    ] {
        let (server, tags) = two_pages(link).await;
        assert_eq!(tags, Ok(vec!["1.0".to_owned(), "2.0".to_owned()]), "{link}");
        assert_eq!(server.lines()[1], format!("GET /v2/team/api/tags/list?{query}"));
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_is_an_error() {
    let (server, tags) = two_pages(r#"</v2/team/api/tags/list>; rel="next""#).await;
    assert!(is_unintelligible(&tags, "circle"));
    assert_eq!(server.seen().len(), 1);

    let circle = Scripted::start(|seen| {
        let link = if seen.number % 2 == 0 { "<?last=a>; rel=next" } else { "<?last=b>; rel=next" };
        answer(200, &[("link", link)], r#"{"tags":["1.0"]}"#)
    })
    .await;
    assert!(is_unintelligible(&Client::new(circle.host(), |_| {}).tags().await, "circle"));
    assert_eq!(circle.seen().len(), 3);

    let endless = Scripted::start(|seen| {
        answer(200, &[("link", &format!("<?last={}>; rel=next", seen.number))], r#"{"tags":[]}"#)
    })
    .await;
    assert!(is_unintelligible(&Client::new(endless.host(), |_| {}).tags().await, "more than 1000 pages"));
    assert_eq!(endless.seen().len(), 1000);

    let many: Vec<_> = (0..150_000).map(|number| format!("\"{number}\"")).collect();
    let body = format!("{{\"tags\":[{}]}}", many.join(","));
    let other = body.replace("[\"", "[\"x").replace(",\"", ",\"x");
    let too_many = Scripted::start(move |seen| match seen.number {
        0 => answer(200, &[("link", "<?last=1>; rel=next")], body.clone()),
        _ => answer(200, &[("link", "<?last=2>; rel=next")], other.clone()),
    })
    .await;
    assert!(is_unintelligible(&Client::new(too_many.host(), |_| {}).tags().await, "200000 tags"));

    // zot answers 404 when the tag before the page was deleted; Harbor may fail halfway.
    for (status, unintelligible) in [(404, true), (500, false)] {
        let server = Scripted::start(move |seen| match seen.uri.query() {
            None => answer(200, &[("link", "<?last=1.0>; rel=next")], r#"{"tags":["1.0"]}"#),
            Some(_) => answer(status, &[], r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#),
        })
        .await;
        let tags = Client::new(server.host(), |_| {}).tags().await;
        let server_error = matches!(tags, Err(RegistryError::Server { .. }));
        assert_eq!((is_unintelligible(&tags, "page 2"), server_error), (unintelligible, !unintelligible), "{tags:?}");
    }
}

#[tokio::test]
async fn a_listing_that_takes_more_than_five_minutes_is_given_up() {
    for (seconds, pages) in [(40, 7), (65, 5), (1000, 1)] {
        let clock = Arc::new(FakeClock::new(NOW));
        let time = clock.clone();
        let server = Scripted::start(move |seen| {
            time.advance(Millis::seconds(seconds));
            let next = format!("<?last={}>; rel=next", seen.number);
            let link = [("link", next.as_str())];
            answer(200, if seen.number < 6 { &link } else { &[] }, format!(r#"{{"tags":["{}"]}}"#, seen.number))
        })
        .await;
        let registry = HttpRegistry::new(RegistrySettings::new(server.host()), clock.clone()).unwrap();
        let listed = registry.list_tags(&format!("{}/team/api", server.host()).parse().unwrap()).await.result;
        match listed {
            Ok(tags) => assert_eq!((tags.len(), pages), (7, 7)),
            Err(RegistryError::Unreachable { message }) => {
                let said = format!("after 5 minutes its list of tags was not at its end (page {pages}, {pages} tags)");
                assert!(message.contains(&said) && pages < 7, "{message}");
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!(server.seen().len(), pages);
    }
}

#[tokio::test]
async fn a_missing_repository_is_not_found_with_the_registrys_word() {
    let server = Scripted::start(|_| answer(404, &[], r#"{"errors":[{"code":"NAME_UNKNOWN","message":"x"}]}"#)).await;
    let client = Client::new(server.host(), |_| {});
    assert_eq!(client.tags().await, Err(RegistryError::NotFound { code: Some("NAME_UNKNOWN".into()) }));
    assert_eq!(client.head().await, Err(RegistryError::NotFound { code: None }), "HEAD has no body");
}

// Redirects.

#[tokio::test]
async fn a_redirect_to_another_host_gets_no_authorization() {
    let elsewhere = Scripted::start(|_| manifest()).await;
    let target = elsewhere.url("/blob?signature=1");
    let server = Scripted::start(move |seen| match (seen.header("authorization"), seen.uri.path()) {
        ("", _) => answer(401, &[("www-authenticate", "Basic")], ""),
        (_, "/here") => answer(307, &[("location", &target)], ""),
        _ => answer(307, &[("location", "/here")], ""),
    })
    .await;
    let client = Client::new(server.host(), |settings| {
        settings.credentials = credentials(&settings.host, r#"{"username":"alice","password":"s3cret"}"#);
    });
    assert_eq!(client.head().await, present());
    assert!(server.seen()[2].header("authorization").starts_with("Basic"), "kept on the same host");
    let seen = elsewhere.seen();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].headers.contains_key("authorization") && !seen[0].headers.contains_key("referer"));
}

#[tokio::test]
async fn redirects_that_the_rule_refuses_and_without_end_are_not_followed() {
    for (location, part, requests) in [
        ("http://somebody@127.0.0.2:9/x", "`127.0.0.2` with a user name in the URL", 1),
        ("/again", "more than 5 redirects", 6),
    ] {
        let server = Scripted::start(move |_| answer(302, &[("location", location)], "")).await;
        let result = Client::new(server.host(), |_| {}).head().await;
        assert!(is_unintelligible(&result, part), "{result:?}");
        assert_eq!(server.seen().len(), requests);
    }
    let server = Scripted::start(|_| answer(302, &[], "")).await;
    assert!(is_unintelligible(&Client::new(server.host(), |_| {}).head().await, "302"));
}

// Manifests and blobs.

#[tokio::test]
async fn a_conditional_head_sends_the_quoted_digest() {
    let server = Scripted::start(|seen| {
        let etag = format!("\"{}\"", digest());
        if seen.header("if-none-match") == etag { answer(304, &[], "") } else { manifest() }
    })
    .await;
    let client = Client::new(server.host(), |_| {});
    let head =
        |known: Digest| async move { client.registry.head(&client.repository, &tag("1.0"), Some(&known)).await.result };
    assert_eq!(head(digest()).await, Ok(Head::NotModified));
}

#[tokio::test]
async fn a_304_counts_only_when_a_condition_was_sent() {
    let server = Scripted::start(|_| answer(304, &[], "")).await;
    let client = Client::new(server.host(), |_| {});
    assert!(is_unintelligible(&client.head().await, "304"));
    assert!(is_unintelligible(&client.manifest().await, "304"));
    assert!(is_unintelligible(&client.tags().await, "304"));
}

#[tokio::test]
async fn a_head_without_a_usable_digest_claims_nothing_and_asks_nothing_more() {
    for header in ["", "not-a-digest", "sha256:zz", "md5:d41d8cd98f00b204e9800998ecf8427e"] {
        let server = Scripted::start(move |_| {
            answer(200, &[("content-type", &format!("{OCI}; charset=utf-8")), ("docker-content-digest", header)], "")
        })
        .await;
        let head = Head::Present { claim: None, media_type: MediaType::OciManifest };
        assert_eq!(Client::new(server.host(), |_| {}).head().await, Ok(head));
        assert_eq!(server.lines(), ["HEAD /v2/team/api/manifests/1.0"]);
    }
}

#[tokio::test]
async fn an_unknown_media_type_is_not_understood() {
    for media_type in ["text/html", "application/json", "application/vnd.docker.distribution.manifest.v1+prettyjws", ""]
    {
        let server = Scripted::start(move |_| answer(200, &[("content-type", media_type)], MANIFEST)).await;
        let client = Client::new(server.host(), |_| {});
        assert!(is_unintelligible(&client.head().await, media_type));
        assert!(is_unintelligible(&client.manifest().await, media_type));
        let there = client.registry.has_manifest(&client.repository, &digest()).await.result;
        assert!(is_unintelligible(&there, media_type));
    }
}

#[tokio::test]
async fn a_manifest_is_hashed_and_a_lying_header_is_only_a_claim() {
    let server = Scripted::start(|_| {
        answer(200, &[("content-type", OCI), ("docker-content-digest", &Digest::of(b"other").to_string())], MANIFEST)
    })
    .await;
    let client = Client::new(server.host(), |_| {});
    let manifest = client.manifest().await.unwrap();
    assert_eq!((manifest.digest, manifest.claim), (digest(), Some(Digest::of(b"other"))));
    assert_eq!(manifest.bytes, MANIFEST.as_bytes());
    let by = |digest: Digest| {
        let client = &client;
        async move { client.registry.manifest(&client.repository, By::Digest(&digest)).await.result }
    };
    assert!(by(digest()).await.is_ok());
    assert!(is_unintelligible(&by(Digest::of(b"asked")).await, "do not have the digest"));
    let there = client.registry.has_manifest(&client.repository, &digest()).await.result;
    assert!(is_unintelligible(&there, "another digest"));
}

#[tokio::test]
async fn blobs_are_hashed_and_found_or_not() {
    let server = Scripted::start(|seen| {
        let there = seen.uri.path().ends_with(&digest().to_string());
        if there { manifest() } else { answer(404, &[], "") }
    })
    .await;
    let client = Client::new(server.host(), |_| {});
    let (there, gone) = (digest(), Digest::of(b"gone"));
    let Client { registry, repository, .. } = &client;
    assert_eq!(registry.blob(repository, &there).await.result.unwrap(), MANIFEST.as_bytes());
    assert_eq!(registry.blob(repository, &gone).await.result, Err(RegistryError::NotFound { code: None }));
    assert_eq!(registry.has_blob(repository, &there).await.result, Ok(true));
    assert_eq!(registry.has_blob(repository, &gone).await.result, Ok(false));
    assert_eq!(registry.has_manifest(repository, &there).await.result, Ok(true));
    assert_eq!(registry.has_manifest(repository, &gone).await.result, Ok(false));
    let page = Scripted::start(|_| answer(200, &[("content-type", "text/html")], "<html>")).await;
    let client = Client::new(page.host(), |_| {});
    assert!(is_unintelligible(&client.registry.has_blob(&client.repository, &there).await.result, "HTML"));
    assert!(is_unintelligible(&client.registry.blob(&client.repository, &there).await.result, "digest"));
}

// `tagwarden check`.

async fn report(server: &Scripted, reference: &str, entry: &str) -> tagwarden::check::CheckReport {
    let host = server.host().to_owned();
    let settings = |name: &str| {
        let mut settings = RegistrySettings::new(name);
        settings.credentials = credentials(&host, entry);
        (settings, "config.json".to_owned())
    };
    tagwarden::check::check(reference, settings, Arc::new(FakeClock::auto_advancing(NOW))).await
}

#[tokio::test]
async fn a_check_shows_every_step_and_no_secret() {
    let server = Scripted::start(|seen| {
        let authorization = seen.header("authorization").to_owned();
        match seen.uri.path() {
            "/token" => answer(200, &[], r#"{"token":"planted-token"}"#),
            "/v2/" if authorization.is_empty() => challenge(seen, ""),
            _ if authorization.is_empty() => challenge(seen, ",scope=\"repository:team/api:pull\""),
            "/v2/" => answer(200, &[], "{}"),
            "/v2/team/api/tags/list" => answer(200, &[], r#"{"tags":["1.0","2.0"]}"#),
            _ if seen.method == "HEAD" => manifest(),
            _ => answer(500, &[], format!("{authorization} of planted-secret, {}", base64("alice:planted-secret"))),
        }
    })
    .await;
    let entry = format!(r#"{{"auth":"{}"}}"#, base64("alice:planted-secret"));
    let report = report(&server, &format!("{}/team/api:1.0", server.host()), &entry).await;
    let (text, json) = (report.to_string(), serde_json::to_string(&report).unwrap());
    for shown in [&text, &json, &format!("{report:?}")] {
        for secret in ["planted-secret", "planted-token", &base64("alice:planted-secret")] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("Bearer *** of ***, ***"), "{shown}");
        assert!(shown.contains("/token?x=1&service=registry.test&client_id=tagwarden&account=alice"), "{shown}");
    }
    assert!(!report.ok);
    let steps: Vec<_> = report.steps.iter().map(|step| (step.name, step.outcome, step.requests.len())).collect();
    let expected = [
        ("name", Outcome::Ok, 0),
        ("credentials", Outcome::Ok, 0),
        ("probe", Outcome::Ok, 3),
        ("tags", Outcome::Ok, 2),
        ("head", Outcome::Ok, 1),
        ("conditional", Outcome::Ok, 1),
        ("manifest", Outcome::Failed, 1),
    ];
    assert_eq!(steps, expected);
}

#[tokio::test]
async fn a_check_ends_where_nothing_can_be_reached() {
    let server = Scripted::start(|_| manifest()).await;
    let wrong_name = report(&server, "Team/Api", "{}").await;
    assert_eq!((wrong_name.ok, wrong_name.steps.len()), (false, 1));
    let closed = report(&server, &format!("{}/team/api", closed_host().await), "{}").await;
    assert_eq!((closed.ok, closed.steps.last().unwrap().name), (false, "probe"));
    assert!(closed.steps.last().unwrap().advice.as_ref().unwrap().contains("firewall"));
}

#[tokio::test]
async fn a_check_finds_missing_parts() {
    let server = Scripted::start(|seen| match seen.uri.path() {
        "/v2/" => answer(200, &[], "{}"),
        "/v2/team/api/tags/list" => answer(200, &[], r#"{"tags":["1.0"]}"#),
        path if path.contains("/blobs/") => answer(404, &[], ""),
        _ => {
            let body = format!(r#"{{"config":{{"digest":"{}"}},"layers":[{{"digest":"x"}}]}}"#, Digest::of(b"config"));
            answer(
                200,
                &[("content-type", OCI), ("docker-content-digest", &Digest::of(body.as_bytes()).to_string())],
                body,
            )
        }
    })
    .await;
    let report = report(&server, &format!("{}/team/api", server.host()), "{}").await;
    let last = report.steps.last().unwrap();
    assert_eq!((last.name, last.outcome), ("parts", Outcome::Warning));
    assert!(last.found.contains(&Digest::of(b"config").to_string()), "{}", last.found);
    assert!(report.ok, "an incomplete image can be watched");
}

#[tokio::test]
async fn a_token_service_that_is_not_there_is_forgotten() {
    let server = Scripted::start(|seen| match (seen.number, seen.uri.path()) {
        (0, _) => answer(401, &[("www-authenticate", "Bearer realm=\"/token\"")], ""),
        (_, "/token") => answer(404, &[], ""),
        _ => manifest(),
    })
    .await;
    let client = Client::new(server.host(), |_| {});
    for _ in 0..2 {
        let error = client.head().await.unwrap_err();
        assert!(matches!(error, RegistryError::Unintelligible { .. }), "{error:?}");
    }
    client.head().await.unwrap();
}
