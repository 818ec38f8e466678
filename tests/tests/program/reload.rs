//! A configuration that changes under a running server: what changed is taken up, the rest goes on.

use std::fs;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use reqwest::Method;
use tagwarden::demo::registry::DemoRegistry;
use tagwarden_model::tag::MediaType;
use tagwarden_tests::faults::FaultyRegistry;
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::wait;
use tokio::net::TcpListener;

use crate::{Api, PATIENCE};

/// A registry with these repositories, of one release each.
fn registry(repositories: &[&str]) -> DemoRegistry {
    let registry = DemoRegistry::new();
    for repository in repositories {
        registry.push(repository, "1.0.0", format!("{{\"of\":\"{repository}\"}}"), MediaType::OciManifest);
        registry.push(repository, "stable-1", "{}", MediaType::OciManifest);
    }
    registry
}

/// A server that looks at a tag once an hour, so that whatever is asked has another reason.
async fn serve(config: &str) -> (Tagwarden, Api) {
    let server = Tagwarden::start_with(&[("NO_COLOR", "1")], |place| {
        fs::write(place.folder.join("config.json"), "{}").unwrap();
        let docker = place.folder.join("config.json");
        format!(
            "[server]\nlisten = '127.0.0.1:{}'\ndocker_config = '{}'\n[polling]\nhot = '1h'\n{config}",
            place.port,
            docker.display()
        )
    })
    .await;
    let api = Api::of(&server);
    (server, api)
}

async fn until_logged(server: &Tagwarden, words: &str) {
    wait::until(format!("the log says: {words}"), PATIENCE, || async { server.log().contains(words).then_some(()) })
        .await;
}

fn entry(name: &str, host: &str, more: &str) -> String {
    format!("[[registry]]\nname = '{name}'\nhost = '{host}'\n{more}")
}

fn watch(host: &str, path: &str) -> String {
    format!("[[watch]]\nrepository = '{host}/{path}'\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_is_taken_up_and_the_rest_goes_on_undisturbed() {
    let one = FaultyRegistry::start(registry(&["team/api"])).await;
    let other = FaultyRegistry::start(registry(&["team/web", "team/old"])).await;
    let (first, second) = (one.host(), other.host());
    let before =
        [entry("one", &first, ""), entry("other", &second, ""), watch(&first, "team/api"), watch(&second, "team/old")];
    let (server, api) = serve(&before.concat()).await;
    let (of_one, old, web) = (format!("{first}/team/api"), format!("{second}/team/old"), format!("{second}/team/web"));
    api.read(&of_one).await;
    api.read(&old).await;
    let asked = one.calls().len();

    let after = [
        entry("one", &first, ""),
        entry("other", &second, "concurrency = 2\n"),
        watch(&first, "team/api"),
        watch(&second, "team/web"),
        "[[group]]\nname = 'shop'\nrepositories = ['**/web']\n".to_owned(),
    ];
    server.rewrite(|text| text.replace(&before.concat(), &after.concat()));
    server.signal("HUP");
    let found = api.read(&web).await;
    assert_eq!((&found["source"], &found["groups"]), (&"file".into(), &serde_json::json!(["shop"])));
    assert_eq!(api.ask(Method::GET, &format!("repositories/one?name={old}")).await.0, 404, "its line is gone");
    let events = api.get(&format!("events?repository={old}")).await;
    assert_eq!(events["items"].as_array().unwrap().len(), 2, "its history is not");
    let refused = api.ask(Method::DELETE, &format!("repositories?name={web}")).await;
    assert_eq!(refused.0, 409, "{refused:?}");
    let line = fs::read_to_string(server.folder().join("tagwarden.toml")).unwrap();
    let line = line.lines().position(|line| line.contains("team/web")).unwrap() + 1;
    assert!(refused.1["error"]["message"].as_str().unwrap().contains(&format!("line {line} of ")), "{refused:?}");

    let log = server.log();
    assert!(log.contains("polled anew: its configuration changed registry=\"other\""), "{log}");
    assert!(!log.contains("changed registry=\"one\""), "{log}");
    assert_eq!(one.calls().len(), asked, "nobody asked a registry that did not change");

    // A rule concerns all of them, and classes that are there already.
    let class = async || {
        let tags = api.get(&format!("tags?repository={of_one}")).await;
        let tags = tags["items"].as_array().unwrap().clone();
        tags.into_iter().find(|tag| tag["name"] == "stable-1").unwrap()["class"].clone()
    };
    assert_eq!(class().await, "rolling");
    server
        .rewrite(|text| text.replace("hot = '1h'", "hot = '1s'") + "[[policy]]\ntag = 'stable-*'\nclass = 'release'\n");
    server.signal("HUP");
    wait::until("the rule is taken up", PATIENCE, || async { (class().await == "release").then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changed_is_read_without_being_told() {
    let registry = registry(&["team/api"]);
    let serving = registry.serve().await.unwrap();
    let (server, api) = serve("").await;
    assert_eq!(api.get("configuration").await["errors"], serde_json::json!([]));
    server.rewrite(|text| text + "[[wacth]]\nrepository = 'x'\n");
    let name = format!("{}/team/api", serving.host());
    let shown = wait::until("the mistake is shown", PATIENCE, || async {
        Some(api.get("configuration").await).filter(|shown| shown["errors"] != serde_json::json!([]))
    })
    .await;
    assert_eq!(shown["errors"][0]["advice"], "did you mean `watch`?");
    until_logged(&server, "the one read before stays in force").await;
    until_logged(&server, "configuration: `wacth` is no key of this file line=").await;
    let path = server.folder().join("tagwarden.toml");
    assert_eq!(shown["file"], path.to_str().unwrap());

    server.rewrite(|text| text.replace("[[wacth]]\nrepository = 'x'", &format!("[[watch]]\nrepository = '{name}'")));
    api.read(&name).await;
    let now = api.get("configuration").await;
    assert_eq!(now["errors"], serde_json::json!([]));
    assert!(now["loaded_at"].as_str() > shown["loaded_at"].as_str(), "{now} {shown}");

    // A key that only a start takes up says so.
    server.rewrite(|text| {
        text.replacen("listen = '127.0.0.1:", "public_url = 'https://example.org/'\nlisten = '127.0.0.2:", 1)
    });
    for key in ["listen", "public_url"] {
        until_logged(&server, &format!("`{key}` of [server] changed; it is taken up when the server is started again"))
            .await;
    }
    assert!(!server.log().contains("`database` of [server] changed"));
    assert_eq!(api.ask(Method::GET, "summary").await.0, 200, "it goes on where it listens");
}

/// A registry that lets in whoever shows this password.
async fn locked(registry: &DemoRegistry, password: &str) -> (String, tokio::task::JoinHandle<()>) {
    let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("robot:{password}")));
    let check = move |request: Request, next: Next| {
        let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let fits = given == Some(expected.as_str());
        async move {
            let refused = (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"here\"")]);
            let answer: Response = if fits { next.run(request).await } else { refused.into_response() };
            answer
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let router = registry.router().layer(from_fn(check));
    (host, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_is_taken_up_with_its_file() {
    let registry = registry(&["team/api"]);
    let (host, _serving) = locked(&registry, "new").await;
    let (server, api) = serve("").await;
    let file = server.folder().join("password");
    fs::write(&file, "old\n").unwrap();
    let entry = entry("locked", &host, &format!("username = 'robot'\npassword_file = '{}'\n", file.display()));
    server.rewrite(|text| [text, entry, watch(&host, "team/api")].concat());
    server.signal("HUP");
    let name = format!("{host}/team/api");
    api.repository_until(&name, "it is refused", |found| found["state"] == "hidden" || found["state"] == "failing")
        .await;
    // By another length: two versions may be written within the same tick of the file system's clock.
    fs::write(&file, "new").unwrap();
    until_logged(&server, "polled anew: its configuration changed registry=\"locked\"").await;
    api.read(&name).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_a_host_without_an_entry_shows_the_newest_credentials() {
    let registry = registry(&["team/api"]);
    let (host, _serving) = locked(&registry, "new").await;
    let (server, api) = serve("").await;
    let look = async || {
        let body = serde_json::json!({ "name": format!("{host}/team/api") });
        let asked = api.client.post(format!("{}/api/v1/repositories/preview?wait=10", api.url)).json(&body);
        let job: serde_json::Value = asked.send().await.unwrap().json().await.unwrap();
        job["result"]["preview"].clone()
    };
    let found = look().await;
    assert!(found["reason"].as_str().is_some_and(|reason| reason.contains("does not let us in")), "{found}");
    let auth = base64::engine::general_purpose::STANDARD.encode("robot:new");
    let credentials = serde_json::json!({ "auths": { &host: { "auth": auth } } });
    fs::write(server.folder().join("config.json"), credentials.to_string()).unwrap();
    server.signal("HUP");
    wait::until("it is let in", PATIENCE, || async { (look().await["tags"] == 2).then_some(()) }).await;
}
