//! No secret is printed, logged or answered, whatever goes wrong. Every planted value holds the word `planted`, except where
//! it is sent in another form; then that form is looked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sqlx::Executor as _;
use tagwarden_tests::postgres;
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::wait;
use tokio::net::TcpListener;

use crate::{Api, PATIENCE, printed, run};

/// Fails when a text holds a planted value, plain or as it is sent.
fn assert_clean(what: &str, text: &str) {
    let sent = ["env", "file", "key", "docker"].map(|name| STANDARD.encode(format!("robot:planted-{name}")));
    for secret in sent.iter().map(String::as_str).chain(["planted"]) {
        if let Some(at) = text.find(secret) {
            let around: String = text.chars().skip(text[..at].chars().count().saturating_sub(300)).take(600).collect();
            panic!("{what} tells a secret: …{around}…");
        }
    }
}

/// A registry that tells whoever asks all that they sent, and sends them to signed addresses and to a careless token service.
async fn careless() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let (at, signed) = (host.clone(), format!("http://{host}/signed?X-Signature=planted-signature&se=planted-token"));
    let answer = move |uri: Uri, headers: HeaderMap, request: Request<Body>| {
        let (at, signed) = (at.clone(), signed.clone());
        async move { echo(&at, &signed, &uri, &headers, request).await }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(answer))).await });
    host
}

async fn echo(at: &str, signed: &str, uri: &Uri, headers: &HeaderMap, request: Request<Body>) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let plain = given.strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    let plain = String::from_utf8_lossy(&plain).into_owned();
    let said = format!("you sent {given}, which is {plain}, to {uri} with {}", String::from_utf8_lossy(&body));
    let error = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": said, "detail": said }] }).to_string();
    let path = uri.path();
    if path.starts_with("/token") && path.ends_with("/bad") {
        return (StatusCode::INTERNAL_SERVER_ERROR, error).into_response();
    }
    if path.starts_with("/token") {
        return json!({ "token": "planted-access-token", "expires_in": 300 }).to_string().into_response();
    }
    if path == "/signed" {
        return (StatusCode::FORBIDDEN, [("x-echo", said)], error).into_response();
    }
    if path.contains("/redirected/") && !given.is_empty() {
        return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, signed)]).into_response();
    }
    let challenge = match path {
        path if path.contains("/tokens/") => {
            format!("Bearer realm=\"http://{at}/token/good\",service=\"{given}\",scope=\"{plain}\"")
        }
        path if path.contains("/badtokens/") => format!("Bearer realm=\"http://{at}/token/bad\",service=\"x\""),
        _ => format!("Basic realm=\"{given} {plain}\""),
    };
    let headers = [(header::WWW_AUTHENTICATE, challenge), (header::WARNING, said)];
    (StatusCode::UNAUTHORIZED, headers, error).into_response()
}

const REPOSITORIES: [&str; 4] = ["refused/a", "redirected/a", "tokens/a", "badtokens/a"];

/// Credentials from each place, for four entries of one careless registry each.
fn configuration(folder: &Path, port: u16, database: &str, hosts: &[String]) -> String {
    let [file, key, env, docker] = hosts else { panic!() };
    fs::write(folder.join("secret"), "planted-key\n").unwrap();
    fs::write(folder.join("database"), database).unwrap();
    fs::write(folder.join("hook"), format!("http://{key}/hook/planted-hook?token=planted-query\n")).unwrap();
    let auth = STANDARD.encode("robot:planted-docker");
    let auths =
        json!({ "auths": { docker: { "auth": auth }, "elsewhere.example": { "identitytoken": "planted-identity" } } });
    fs::write(folder.join("config.json"), auths.to_string()).unwrap();
    let watches: String = (hosts.iter())
        .flat_map(|host| REPOSITORIES.map(|path| format!("[[watch]]\nrepository = '{host}/{path}'\n")))
        .collect();
    format!(
        "[server]\nlisten = '127.0.0.1:{port}'\ndatabase_file = '{0}/database'\ndocker_config = '{0}/config.json'\n\
         [polling]\nhot = '1s'\n\
         [[registry]]\nname = 'file'\nhost = '{file}'\nusername = 'robot'\npassword = 'planted-file'\n\
         [[registry]]\nname = 'key'\nhost = '{key}'\nusername = 'robot'\npassword_file = '{0}/secret'\n\
         [[registry]]\nname = 'env'\nhost = '{env}'\nusername = 'robot'\n\
         [[notifier]]\nname = 'signed'\nkind = 'webhook'\nurl = 'http://{file}/hook/planted-hook'\nsecret = 'planted-signing'\n\
         allow_private = true\n\
         [[notifier]]\nname = 'channel'\nkind = 'slack'\nurl_file = '{0}/hook'\nallow_private = true\n\
         [[notifier]]\nname = 'refused'\nkind = 'slack'\nurl_file = '{0}/hook'\n\
         [[notifier]]\nname = 'mail'\nkind = 'smtp'\nhost = '127.0.0.1'\nport = 1\nallow_private = true\n\
         username = 'robot'\npassword = 'planted-mail'\nfrom = 'a@example.org'\nto = ['b@example.org']\n\
         {watches}",
        folder.display()
    )
}

/// Every GET of the API, with parameters that fit, and some that do not.
async fn every_page(api: &Api) -> Vec<(String, u16, String)> {
    let document = api.get("openapi.json").await;
    let repository = api.get("repositories").await["items"][0]["name"].as_str().unwrap_or("x").to_owned();
    let mut pages: Vec<String> = vec!["/".into(), "/metrics".into(), "/nowhere".into(), "/api/v1/nowhere".into()];
    for (path, operations) in document["paths"].as_object().unwrap() {
        if operations.get("get").is_some() && !path.ends_with("/live") {
            let path = path.replace("{digest}", &format!("sha256:{}", "0".repeat(64))).replace("{id}", "1");
            let parameters = operations["get"]["parameters"].as_array();
            let names: BTreeSet<_> = parameters.into_iter().flatten().filter_map(|p| p["name"].as_str()).collect();
            let query = if names.contains("repository") {
                format!("?repository={repository}")
            } else if names.contains("name") {
                format!("?name={repository}")
            } else {
                String::new()
            };
            pages.push(format!("{path}{query}"));
        }
    }
    let mut answers = Vec::new();
    for page in pages {
        let answer = api.client.get(format!("{}{page}", api.url)).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        answers.push((page, status, [headers, answer.text().await.unwrap()].concat()));
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_tells_no_secret() {
    // PostgreSQL lets everybody in here, with any password.
    let database = postgres::database().await;
    let with_password = database.replacen("postgres@", "postgres:planted-database@", 1);
    assert_ne!(database, with_password);
    let hosts = [careless().await, careless().await, careless().await, careless().await];
    let variables = [("TAGWARDEN_REGISTRY_ENV_PASSWORD", "planted-env"), ("NO_COLOR", "1"), ("TAGWARDEN_LOG", "trace")];
    let server =
        Tagwarden::start_with(&variables, |place| configuration(place.folder, place.port, &with_password, &hosts))
            .await;
    let api = Api::of(&server);

    // Every registry was asked, and has said what it was sent.
    let all = wait::until("every repository failed", PATIENCE, || async {
        let all = api.get("repositories?limit=100").await["items"].as_array().cloned().unwrap_or_default();
        (all.len() == 16 && all.iter().all(|one| !one["state_reason"].is_null())).then_some(all)
    })
    .await;
    assert_clean("the list of repositories", &json!(all).to_string());
    let name = |host: &String, path: &str| format!("{host}/{path}");
    for host in &hosts {
        for path in REPOSITORIES {
            let check = json!({ "repository": name(host, path), "tags": ["1.0.0"] });
            let proof = json!({ "repository": name(host, path), "digests": [format!("sha256:{}", "0".repeat(64))] });
            for (act, body) in [("checks", check), ("targets/proofs", proof)] {
                let answer =
                    api.client.post(format!("{}/api/v1/{act}?wait=1", api.url)).json(&body).send().await.unwrap();
                assert_clean(act, &answer.text().await.unwrap());
            }
        }
    }
    for notifier in ["signed", "channel", "refused", "mail"] {
        let path = format!("notifiers/{notifier}/test?wait=10");
        let answer = api.client.post(format!("{}/api/v1/{path}", api.url)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert!(text.contains("failed"), "{text}");
        assert_clean(notifier, &text);
    }
    for (page, status, text) in every_page(&api).await {
        assert!(status < 500, "{page}: {status}");
        assert_clean(&page, &text);
    }

    // A new version with mistakes beside secrets.
    server.rewrite(|text| {
        text.replace(
            "password = 'planted-file'",
            "pasword = 'planted-file'\nurl = 'http://robot:planted-url@127.0.0.1/'",
        )
    });
    server.signal("HUP");
    let shown = wait::until("the mistakes are shown", PATIENCE, || async {
        Some(api.get("configuration").await)
            .filter(|shown| shown["errors"].as_array().is_some_and(|all| !all.is_empty()))
    })
    .await;
    assert_clean("the configuration", &shown.to_string());

    // A database that fails, so that handlers do.
    let pool = sqlx::PgPool::connect(&database).await.unwrap();
    pool.execute("ALTER TABLE flags RENAME TO planted_elsewhere").await.unwrap();
    let answers = every_page(&api).await;
    assert!(answers.iter().any(|(_, status, _)| *status == 500), "no handler failed");
    for (page, _, text) in answers {
        assert_clean(&page, &text);
    }
    let log = server.log();
    assert!(log.contains("a request failed") && log.contains("TRACE"), "{log}");
    // The name of the table is not the secret.
    assert_clean("the log", &log.replace("planted_elsewhere", ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_and_a_start_that_fails_tell_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = [careless().await, careless().await, careless().await, careless().await];
    // Nobody listens on the port 1.
    let database = "postgres://robot:planted-database@127.0.0.1:1/planted";
    let text = configuration(folder.path(), 0, database, &hosts);
    fs::write(folder.path().join("tagwarden.toml"), &text).unwrap();
    let env = ("TAGWARDEN_REGISTRY_ENV_PASSWORD", "planted-env");
    let clean = |output: &std::process::Output| {
        let (out, error) = printed(output);
        assert_clean("standard output", &out);
        assert_clean("standard error", &error);
        [out, error].concat()
    };
    for host in &hosts {
        for path in REPOSITORIES {
            for more in [&[][..], &["--json"]] {
                let reference = format!("{host}/{path}:1.0.0");
                let arguments = [&["check", "--config", "tagwarden.toml", &reference], more].concat();
                let output = run(folder.path(), &arguments, &[env, ("TAGWARDEN_LOG", "trace")]).await;
                assert!(!output.status.success());
                assert!(clean(&output).contains("401") || path == "redirected/a");
            }
        }
    }
    let output = run(folder.path(), &["serve"], &[env]).await;
    assert!(clean(&output).contains("the database cannot be"), "{output:?}");
    for database in [
        "postgres://robot:planted@127.0.0.1:port/planted",
        "postgres:robot:planted@127.0.0.1/planted",
        "mysql://robot:planted@127.0.0.1/planted",
        "postgres://robot:planted@[::1/planted",
    ] {
        let output =
            run(folder.path(), &["serve", "--listen", "127.0.0.1:0"], &[env, ("TAGWARDEN_SERVER_DATABASE", database)])
                .await;
        assert!(!output.status.success());
        clean(&output);
    }
    for (name, value) in [
        ("TAGWARDEN_REGISTRY_ENVV_PASSWORD", "planted"),
        ("TAGWARDEN_SERVER_LISTEN", "robot:planted@127.0.0.1"),
        ("TAGWARDEN_SERVER_PUBLIC_URL", "https://robot:planted@example.org/"),
        ("TAGWARDEN_SERVER_PUBLIC_URL", "//robot:planted@example.org/"),
        ("TAGWARDEN_SERVER_PASSWORD", "planted"),
    ] {
        let output = run(folder.path(), &["check-config"], &[env, (name, value)]).await;
        assert!(clean(&output).contains(name), "{output:?}");
    }
    // Docker's file, cut in the middle of a password.
    fs::write(folder.path().join("config.json"), "{\"auths\":{\"ghcr.io\":{\"auth\":\"planted").unwrap();
    let output = run(folder.path(), &["check-config"], &[env]).await;
    assert!(clean(&output).contains("wrong JSON"), "{output:?}");
}

/// What a secret looks like must be found, or the tests above find nothing.
#[test]
#[should_panic(expected = "tells a secret")]
fn a_planted_secret_is_found() {
    assert_clean("this", &Value::from(format!("Basic {}", STANDARD.encode("robot:planted-env"))).to_string());
}
