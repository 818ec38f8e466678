//! Each program that the other tests start really starts, does its work and ends.

use std::net::TcpStream;
use std::process::Command;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use sqlx::{Connection, PgConnection};
use tagwarden_tests::browser::Browser;
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::http_client;
use tagwarden_tests::images::{Image, delete_digest};
use tagwarden_tests::postgres::{self, Postgres};
use tagwarden_tests::process::{Ending, Process};
use tagwarden_tests::skopeo;
use tagwarden_tests::tagwarden_process;
use tagwarden_tests::wait::{START, until};

const REPOSITORY: &str = "team/api";

#[tokio::test]
async fn skopeo_and_docker_registry_keep_what_was_pushed() {
    let registry = DockerRegistry::start().await;
    let host = registry.host();
    for (tag, image) in [("1.0.0", Image::single(1)), ("2.0.0", Image::index(2)), ("3.0.0", Image::docker(3))] {
        let pushed = skopeo::push(&image, &host, REPOSITORY, tag).await;
        assert_eq!(skopeo::digest(&host, REPOSITORY, tag).await, Ok(pushed), "{tag}");
    }
    skopeo::move_tag(&host, REPOSITORY, "2.0.0", "1.0.0").await;
    assert_eq!(skopeo::digest(&host, REPOSITORY, "1.0.0").await, Ok(Image::index(2).digest));
    // By digest, so both tags go.
    skopeo::delete(&host, REPOSITORY, "2.0.0").await;
    assert_eq!(skopeo::list_tags(&host, REPOSITORY).await, Ok(vec!["3.0.0".to_owned()]));
}

#[tokio::test]
async fn images_put_by_http_are_those_that_skopeo_pushes() {
    let registry = DockerRegistry::start().await;
    let client = http_client();
    for image in [Image::single(1), Image::docker(1), Image::index(1), Image::labelled(1, &[("a", "b")])] {
        image.put(&client, &registry.url(), REPOSITORY, "put").await;
        assert_eq!(skopeo::digest(&registry.host(), REPOSITORY, "put").await.as_ref(), Ok(&image.digest));
        delete_digest(&client, &registry.url(), REPOSITORY, &image.digest).await;
        skopeo::digest(&registry.host(), REPOSITORY, "put").await.expect_err("it was deleted");
    }
}

#[tokio::test]
async fn a_stopped_docker_registry_refuses_and_comes_back_with_its_data() {
    let mut registry = DockerRegistry::start().await;
    let (host, image) = (registry.host(), Image::single(1));
    image.put(&http_client(), &registry.url(), REPOSITORY, "1.0.0").await;
    registry.stop();
    TcpStream::connect(&host).expect_err("nobody listens");
    registry.restart().await;
    assert_eq!(registry.host(), host);
    assert_eq!(skopeo::digest(&host, REPOSITORY, "1.0.0").await, Ok(image.digest));
}

#[tokio::test]
async fn each_postgres_database_is_new() {
    for _ in 0..2 {
        let mut connection = PgConnection::connect(&postgres::database().await).await.unwrap();
        sqlx::query("CREATE TABLE tag (name TEXT)").execute(&mut connection).await.unwrap();
        let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await.unwrap();
        assert!(version.split('.').next().unwrap().parse::<u32>().unwrap() >= 13, "{version}");
    }
}

#[tokio::test]
async fn a_dropped_postgres_is_gone() {
    let server = Postgres::start().await;
    let url = format!("{}/postgres", server.url());
    PgConnection::connect(&url).await.unwrap();
    drop(server);
    PgConnection::connect(&url).await.unwrap_err();
}

#[tokio::test]
async fn postgres_ends_with_the_process_that_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-postgres"));
    command.args(["sh", "-c", &format!("echo \"$$ ${}\"; exec tail -f /dev/null", postgres::VARIABLE)]);
    let mut process = Process::start(&command, Ending::Kill, &folder.path().join("log")).unwrap();
    let line = until("its output", START, || {
        let output = process.output();
        async move { output.strip_suffix('\n').map(str::to_owned) }
    })
    .await;
    let (tail, server) = line.split_once(' ').unwrap();
    let url = format!("{server}/postgres");
    PgConnection::connect(&url).await.unwrap();
    process.kill();
    until("PostgreSQL is gone", START, || async { PgConnection::connect(&url).await.is_err().then_some(()) }).await;
    assert!(Command::new("kill").arg(tail).status().unwrap().success());
}

#[tokio::test]
async fn the_built_server_is_found() {
    let binary = tagwarden_process::binary().await;
    assert!(binary.is_file(), "{}", binary.display());
}

#[tokio::test]
async fn a_killed_process_is_gone_and_its_output_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = Command::new("sh");
    command.args(["-c", "echo here; exec tail -f /dev/null"]);
    let mut process = Process::start(&command, Ending::Kill, &log).unwrap();
    let id = process.id();
    assert_eq!(process.ended(), None);
    until("its output", START, || {
        let output = process.output();
        async move { output.starts_with("here\n").then_some(()) }
    })
    .await;
    process.kill();
    assert!(process.ended().is_some());
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
}

#[tokio::test]
async fn the_browser_shows_a_page_and_reports_its_errors() {
    const PAGE: &str = "<!doctype html><title>Hello</title><link rel=icon href=data:,><p id=size></p>
        <button onclick=\"navigator.clipboard.writeText('copied')\">copy</button>
        <script>document.getElementById('size').textContent = `${innerWidth} to ${innerHeight}`</script>";
    let page = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/broken", get(|| async { Html("<link rel=icon href=data:,><script>undefinedFunction()</script>") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, page).into_future());

    let browser = Browser::start().await;
    for (name, width, height) in tagwarden_tests::browser::WINDOWS {
        browser.resize(width, height).await;
        browser.open(&url).await;
        browser.shows(&format!("{width} to {height}")).await;
        let picture = browser.screenshot(&format!("starter-{name}")).await;
        assert!(std::fs::metadata(picture).unwrap().len() > 1000);
    }
    assert_eq!(browser.driver.title().await.unwrap(), "Hello");

    browser.allow_clipboard().await;
    browser.shown("button").await.click().await.unwrap();
    assert_eq!(browser.clipboard().await, "copied");
    browser.assert_no_errors(&[]).await;

    browser.open(&format!("{url}/broken")).await;
    let errors = browser.console().await;
    assert!(
        errors.iter().any(|entry| entry.level == "SEVERE" && entry.message.contains("undefinedFunction")),
        "{errors:?}"
    );
    browser.close().await;
}
