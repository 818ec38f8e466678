//! The demo tells its year through the ordinary server.

use std::time::Duration;

use serde_json::Value;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_tests::demo_run::Demo;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_is_told_and_every_incident_is_found() {
    let demo = Demo::start().await;
    tokio::time::timeout(Duration::from_mins(4), demo.until_told()).await.unwrap();

    let flags = demo.all("flags?").await;
    let of = |repository: &str, tag: &str| {
        let name = format!("registry.acme.example/{repository}");
        let found = flags.iter().filter(|flag| flag["repository"] == name && flag["tag"] == tag);
        found.cloned().collect::<Vec<_>>()
    };
    let [main] = of("acme/payments-api", "2.3.0").try_into().unwrap();
    assert_eq!((&main["state"], &main["flapping"]), (&"open".into(), &false.into()));
    // What each incident did to the bytes is told from the contents.
    let told = |repository: &str| {
        let found =
            flags.iter().find(|flag| flag["repository"].as_str().is_some_and(|name| name.ends_with(repository)));
        let flag = found.unwrap();
        (flag["severity"].as_str().unwrap(), flag["difference"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(told("/payments-api").0, "critical");
    assert!(
        told("/payments-api").1.starts_with("entrypoint, environment and 3 of 11 layers differ on both platforms"),
        "{:?}",
        told("/payments-api")
    );
    assert_eq!(told("/python"), ("warning", "creation time and history differ on both platforms".to_owned()));
    assert_eq!(told("/gateway"), ("info", "only attestations differ".to_owned()));
    assert_eq!(told("/ledger"), ("warning", "linux/arm64 was removed".to_owned()));
    assert_eq!(told("/search").0, "warning");
    assert_eq!(told("/notifier"), ("warning", String::new()));
    let detail = demo.get(&format!("flags/{}", main["id"])).await;
    let rows = detail["differences"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["what"] == "entrypoint" && row["critical"] == true), "{rows:#?}");
    let pair = format!("compare?old={}&new={}", main["promise"].as_str().unwrap(), main["current"].as_str().unwrap());
    let compared = demo.get(&pair).await;
    assert_eq!((&compared["level"], &compared["rows"]), (&"content".into(), &detail["differences"]));
    let [before, after] = ["old_source", "new_source"].map(|side| {
        let revision = compared[side]["revision"].as_str().unwrap();
        let address = format!("https://git.acme.example/acme/payments-api/commit/{revision}");
        assert_eq!(compared[side]["url"], address);
        revision
    });
    assert_ne!(before, after);
    // What no flag is about is compared as the record has it.
    let promise = main["promise"].as_str().unwrap();
    let alone = demo.get(&format!("compare?old={promise}&new={promise}")).await;
    assert_eq!((&alone["level"], &alone["new_source"]), (&"same".into(), &compared["old_source"]));
    let other = flags.iter().find_map(|flag| flag["promise"].as_str().filter(|digest| *digest != promise)).unwrap();
    let other = demo.get(&format!("compare?old={promise}&new={other}")).await;
    assert_eq!(other["level"], "content", "{other:#}");
    let states = |wanted: &str| flags.iter().filter(|flag| flag["state"] == wanted).count();
    // One moved and put back, one compressed anew, three deleted together.
    assert_eq!((states("closed"), states("acknowledged"), states("open"), states("restored")), (5, 1, 4, 0));
    let groups: Vec<_> = flags.iter().filter(|flag| !flag["group_id"].is_null() && flag["state"] == "closed").collect();
    assert_eq!(groups.len(), 3);
    assert!(groups.iter().all(|flag| flag["group_id"] == groups[0]["group_id"]));

    let events = demo.all("events?order=seq&baseline=false").await;
    assert!(events.len() > 500, "{} events", events.len());
    assert!(events.iter().all(|event| event["verified"] == true));
    // The server looked seconds before and after each, although a year passed.
    let width = |event: &Value| {
        let at = |name: &str| event[name].as_str()?.parse::<Instant>().ok();
        Some(at("not_after")? - at("not_before")?)
    };
    let wide: Vec<_> =
        events.iter().filter(|event| width(event).is_none_or(|width| width > Millis::minutes(1))).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    demo.stop().await;
}
