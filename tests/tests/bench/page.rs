use std::collections::BTreeSet;

use reqwest::Url;
use tagwarden_tests::http_client;

use super::busy::Busy;

/// Kilobytes.
const MOST: f64 = 350.0;

/// What a browser fetches for the first look at the page, without the data: the document and all files that it names.
#[tokio::test]
#[ignore = "a measurement: make bench"]
async fn first_load_of_the_page() {
    let busy = Busy::start("127.0.0.1:1", &[], 1, "1h").await;
    let home = Url::parse(&format!("{}/", busy.tagwarden.url())).unwrap();
    let plain = http_client().get(home.clone()).send().await.unwrap().text().await.unwrap();
    assert!(plain.contains("modulepreload"), "this server was built without the page");
    let named = |attribute| plain.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
    let files = named(" href=\"").chain(named(" src=\"")).map(|file| home.join(file).unwrap());
    let mut total = 0.0;
    for url in files.chain([home.clone()]).collect::<BTreeSet<_>>() {
        let answer = http_client().get(url.clone()).header("accept-encoding", "br").send().await.unwrap();
        assert!(answer.status().is_success(), "{url}: {}", answer.status());
        let coding = answer.headers().get("content-encoding").map_or("as it is", |coding| coding.to_str().unwrap());
        let line = format!("{} ({coding})", url.path());
        let size = answer.bytes().await.unwrap().len() as f64 / 1e3;
        println!("  {size:6.1} kB  {line}");
        total += size;
    }
    println!("first load of the page: {total:.1} kB (at most {MOST:.0})");
    assert!(total <= MOST, "the first load takes {total:.1} kB");
}
