//! How the built server reaches registries: TLS with an authority of one's own, proxies, and what the entries of a host share.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tagwarden_tests::certificates::Authority;
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::images::Image;
use tagwarden_tests::proxy::Proxy;
use tagwarden_tests::scripted::{Scripted, answer};
use tagwarden_tests::tagwarden_process::{Tagwarden, binary};
use tagwarden_tests::wait::{START, until};
use tagwarden_tests::{http_client, skopeo};

const REPOSITORY: &str = "team/api";

/// `tagwarden check`, with a `[[registry]]` entry and these variables: its report.
async fn check(host: &str, entry: &str, variables: &[(&str, &str)]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(folder.path(), &format!("[[registry]]\nhost = '{host}'\n{entry}\n"));
    let mut command = tokio::process::Command::new(binary().await);
    command.args(["check", "--json", "--config"]).arg(config).arg(format!("{host}/{REPOSITORY}:1.0.0"));
    command.current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = command.envs(variables.iter().copied()).output().await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Writes a configuration without credentials.
fn configuration(folder: &Path, more: &str) -> std::path::PathBuf {
    let docker = folder.join("config.json");
    std::fs::write(&docker, "{}").unwrap();
    let path = folder.join("check.toml");
    std::fs::write(&path, format!("[server]\ndocker_config = '{}'\n{more}", docker.display())).unwrap();
    path
}

/// What the last step of a report found, and what it advises.
fn last_step(report: &Value) -> (&str, &str) {
    let step = report["steps"].as_array().unwrap().last().unwrap();
    (step["found"].as_str().unwrap(), step["advice"].as_str().unwrap_or_default())
}

/// A registry with TLS that has the tag `1.0.0`.
async fn with_tls(authority: &Authority) -> DockerRegistry {
    let registry = DockerRegistry::start_with_tls(authority).await;
    skopeo::push(&Image::single(1), &registry.host(), REPOSITORY, "1.0.0").await;
    registry
}

#[tokio::test]
async fn a_certificate_of_ones_own_authority_is_accepted_with_ca_file_and_refused_without() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let registry = with_tls(&authority).await;
    let host = registry.host();
    // A loopback host is spoken to without TLS unless its URL says otherwise.
    let url = format!("url = 'https://{host}'\n");
    let entry = |ca: &Authority| format!("{url}ca_file = '{}'", ca.ca_file().display());
    let report = check(&host, &entry(&authority), &[]).await;
    assert_eq!(report["ok"], true, "{report:#}");
    for entry in [url.clone(), entry(&stranger)] {
        let report = check(&host, &entry, &[]).await;
        let (found, advice) = last_step(&report);
        assert!(found.contains(&format!("no connection to {host}")) && found.contains("certificate"), "{report:#}");
        assert!(advice.contains("`ca_file`"), "{report:#}");
        assert_eq!(report["ok"], false, "{report:#}");
    }
    // TLS is not left out because it does not work.
    let report = check(&host, "", &[]).await;
    assert_eq!((report["ok"].as_bool(), last_step(&report).1.contains("https://")), (Some(false), true), "{report:#}");
}

#[tokio::test]
async fn https_goes_through_the_proxy_of_the_environment_as_a_tunnel() {
    let (authority, proxy) = (Authority::new(), Proxy::start().await);
    let registry = with_tls(&authority).await;
    // An address of this machine that is no loopback address: for those no proxy is asked.
    let host = format!("0.0.0.0:{}", registry.port());
    let entry = format!("url = 'https://{host}'\nca_file = '{}'", authority.ca_file().display());
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let report = check(&host, &entry, &[(variable, proxy.url())]).await;
        assert_eq!(report["ok"], true, "{report:#}");
        let lines = proxy.lines();
        assert!(!lines.is_empty() && lines.iter().all(|line| *line == format!("CONNECT {host}")), "{lines:?}");
    }
    let others: [&[(&str, &str)]; 4] = [
        &[],
        &[("HTTP_PROXY", proxy.url())],
        &[("HTTPS_PROXY", proxy.url()), ("NO_PROXY", "0.0.0.0")],
        &[("HTTPS_PROXY", proxy.url()), ("no_proxy", "registry.test, 0.0.0.0/8")],
    ];
    for variables in others {
        let report = check(&host, &entry, variables).await;
        assert_eq!((report["ok"].as_bool(), proxy.lines()), (Some(true), Vec::new()), "{variables:?}: {report:#}");
    }
    // The tunnel does not make a certificate trusted.
    let report = check(&host, &format!("url = 'https://{host}'"), &[("HTTPS_PROXY", proxy.url())]).await;
    assert!(last_step(&report).1.contains("`ca_file`"), "{report:#}");
}

#[tokio::test]
async fn http_goes_through_the_proxy_of_the_environment_unless_it_is_loopback() {
    let (registry, proxy) = (DockerRegistry::start().await, Proxy::start().await);
    Image::single(1).put(&http_client(), &registry.url(), REPOSITORY, "1.0.0").await;
    let host = format!("0.0.0.0:{}", registry.port());
    let report = check(&host, "plain_http = true", &[("HTTP_PROXY", proxy.url())]).await;
    assert_eq!(report["ok"], true, "{report:#}");
    let lines = proxy.lines();
    let sent: usize =
        report["steps"].as_array().unwrap().iter().filter_map(|step| step["requests"].as_array()).map(Vec::len).sum();
    assert_eq!(lines.len(), sent, "{lines:?}");
    assert_eq!(lines[0], format!("GET http://{host}/v2/"));
    assert!(lines.contains(&format!("HEAD http://{host}/v2/{REPOSITORY}/manifests/1.0.0")), "{lines:?}");

    let none: [(&str, &[(&str, &str)]); 3] = [
        (&host, &[("HTTPS_PROXY", proxy.url())]),
        (&host, &[("HTTP_PROXY", proxy.url()), ("NO_PROXY", "0.0.0.0")]),
        (&registry.host(), &[("HTTP_PROXY", proxy.url()), ("ALL_PROXY", proxy.url())]),
    ];
    for (host, variables) in none {
        let report = check(host, "plain_http = true", variables).await;
        assert_eq!((report["ok"].as_bool(), proxy.lines()), (Some(true), Vec::new()), "{variables:?}: {report:#}");
    }
}

#[tokio::test]
async fn a_pause_that_a_host_asks_of_one_entry_is_kept_by_its_others() {
    let registry = Scripted::start(|seen| {
        let limited = seen.uri.path().starts_with("/v2/one/");
        if limited { answer(429, &[("retry-after", "600")], "") } else { answer(200, &[], r#"{"tags":[]}"#) }
    })
    .await;
    let host = registry.host();
    let tagwarden = Tagwarden::start(|place| {
        let config = configuration(
            place.folder,
            &format!(
                "listen = '127.0.0.1:{}'\ndatabase = 'record.db'\n[polling]\nhot = '2s'\npass_limit = '2s'\n\
                 [[registry]]\nname = 'one'\nhost = '{host}'\nrepositories = ['one/**']\n\
                 [[registry]]\nname = 'two'\nhost = '{host}'\nrepositories = ['two/**']\n\
                 [[watch]]\nrepository = '{host}/one/api'\n",
                place.port
            ),
        );
        std::fs::read_to_string(config).unwrap()
    })
    .await;
    let client = http_client();
    let limited = async |repository: &str| {
        let url = format!("{}/api/v1/repositories/one?name={host}/{repository}", tagwarden.url());
        until(format!("{repository} waits"), START, || async {
            let found: Value = client.get(&url).send().await.unwrap().json().await.unwrap();
            found["state_reason"].as_str().is_some_and(|reason| reason.contains("rate limited")).then_some(())
        })
        .await;
    };
    limited("one/api").await;
    let add = client.post(format!("{}/api/v1/repositories", tagwarden.url()));
    let added = add.json(&json!({ "name": format!("{host}/two/api") })).send().await.unwrap();
    assert_eq!(added.status(), 201, "{}", added.text().await.unwrap());
    limited("two/api").await;
    let lines = registry.lines();
    assert!(lines.iter().all(|line| line.contains("/v2/one/")), "{lines:?}");
}
