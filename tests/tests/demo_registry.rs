//! The registry in memory answers as the real one does, and skopeo takes it for one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, ETAG, HeaderMap, IF_NONE_MATCH, LINK, LOCATION};
use reqwest::{Client, Method, RequestBuilder};
use tagwarden::demo::registry::{Counts, DemoRegistry};
use tagwarden_model::digest::Digest;
use tagwarden_model::tag::MediaType;
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::http_client;
use tagwarden_tests::images::{Image, delete_digest};
use tagwarden_tests::skopeo;

const REPOSITORY: &str = "team/api";

/// The header that a client must send.
fn accept_all() -> String {
    MediaType::ALL.iter().map(|media_type| media_type.word()).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn skopeo_pushes_reads_moves_and_deletes() {
    let registry = DemoRegistry::new();
    let serving = registry.serve().await.unwrap();
    let host = serving.host();
    for (tag, image) in [("1.0.0", Image::single(1)), ("2.0.0", Image::index(2)), ("3.0.0", Image::docker(3))] {
        let pushed = skopeo::push(&image, &host, REPOSITORY, tag).await;
        assert_eq!(skopeo::digest(&host, REPOSITORY, tag).await.as_ref(), Ok(&pushed), "{tag}");
        assert_eq!(registry.tags(REPOSITORY)[tag], pushed);
    }
    assert_eq!(skopeo::list_tags(&host, REPOSITORY).await.unwrap(), ["1.0.0", "2.0.0", "3.0.0"]);
    skopeo::move_tag(&host, REPOSITORY, "2.0.0", "1.0.0").await;
    skopeo::delete(&host, REPOSITORY, "1.0.0").await;
    assert_eq!(skopeo::list_tags(&host, REPOSITORY).await.unwrap(), ["3.0.0"]);
}

/// The same requests to both: status, headers and bodies must be equal.
#[tokio::test]
async fn it_answers_as_docker_registry_does() {
    let real = DockerRegistry::start().await;
    let demo = DemoRegistry::new();
    let serving = demo.serve().await.unwrap();
    let client = http_client();
    let mut twins = Twins { client: client.clone(), real: real.url(), demo: serving.url(), differences: Vec::new() };

    twins.equal("an empty registry", Method::GET, "tags/list", |request| request).await;
    for url in [&twins.real, &twins.demo] {
        Image::single(1).put(&client, url, REPOSITORY, "1.0.0").await;
        Image::index(2).put(&client, url, REPOSITORY, "2.0.0").await;
    }
    for query in ["", "?n=1", "?n=1&last=a"] {
        twins.equal("the catalogue", Method::GET, &format!("../../_catalog{query}"), |request| request).await;
    }
    let (single, index) = (Image::single(1), Image::index(2));
    let (digest, other) = (single.digest.to_string(), index.digest.to_string());
    let nowhere = Digest::of(b"nowhere").to_string();
    let blob = Digest::of(&single.blobs[0]).to_string();
    let all = accept_all();

    for method in [Method::GET, Method::HEAD] {
        for reference in ["1.0.0", "2.0.0", &digest, &other, "nope", &nowhere] {
            let path = format!("manifests/{reference}");
            twins.equal("all types", method.clone(), &path, |request| request.header(ACCEPT, &all)).await;
            twins.equal("no Accept", method.clone(), &path, |request| request).await;
            twins.equal("any type", method.clone(), &path, |request| request.header(ACCEPT, "*/*")).await;
            for known in [digest.clone(), format!("\"{digest}\""), format!("W/\"{digest}\""), "\"x\"".to_owned()] {
                let conditional = |request: RequestBuilder| request.header(ACCEPT, &all).header(IF_NONE_MATCH, &known);
                twins.equal(&format!("If-None-Match: {known}"), method.clone(), &path, conditional).await;
            }
        }
        for path in [format!("blobs/{blob}"), format!("blobs/{nowhere}")] {
            twins.equal("a blob", method.clone(), &path, |request| request).await;
        }
    }
    twins.equal("a tag is not deleted alone", Method::DELETE, "manifests/1.0.0", |request| request).await;
    twins.equal("not there", Method::DELETE, &format!("manifests/{nowhere}"), |request| request).await;
    let put = |body: &'static str, media_type: &'static str| {
        move |request: RequestBuilder| request.header(CONTENT_TYPE, media_type).body(body)
    };
    let oci = MediaType::OciManifest.word();
    twins.equal("another media type", Method::PUT, "manifests/x", put("{}", "text/plain")).await;
    let list = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    twins.equal("two media types", Method::PUT, "manifests/x", put(list, oci)).await;
    let unknown = Image::single(9).manifest;
    let missing = move |request: RequestBuilder| request.header(CONTENT_TYPE, oci).body(unknown.clone());
    twins.equal("blobs are missing", Method::PUT, "manifests/x", missing).await;
    let bytes = single.manifest.clone();
    let same = move |request: RequestBuilder| request.header(CONTENT_TYPE, oci).body(bytes.clone());
    twins.equal("pushed again", Method::PUT, "manifests/1.0.1", same.clone()).await;
    twins.equal("another digest", Method::PUT, &format!("manifests/{nowhere}"), same).await;
    twins.equal("a deletion", Method::DELETE, &format!("manifests/{digest}"), |request| request).await;
    for path in ["manifests/1.0.0", "manifests/1.0.1", "tags/list"] {
        twins.equal("after the deletion", Method::GET, path, |request| request.header(ACCEPT, &all)).await;
    }
    twins.equal("the last one", Method::DELETE, &format!("manifests/{other}"), |request| request).await;
    twins.equal("an empty repository", Method::GET, "tags/list", |request| request).await;
    assert!(twins.differences.is_empty(), "real and demo differ:\n{}", twins.differences.join("\n"));
}

struct Twins {
    client: Client,
    real: String,
    demo: String,
    differences: Vec<String>,
}

impl Twins {
    async fn equal(&mut self, what: &str, method: Method, path: &str, with: impl Fn(RequestBuilder) -> RequestBuilder) {
        let mut answers = Vec::new();
        for url in [&self.real, &self.demo] {
            let request = with(self.client.request(method.clone(), format!("{url}/v2/{REPOSITORY}/{path}")));
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status(), told(response.headers(), url));
            assert!(response.headers().contains_key(DATE), "{url}: {what}");
            answers.push((status, headers, response.text().await.unwrap()));
        }
        if answers[0] != answers[1] {
            self.differences.push(format!("{method} {path}, {what}\n  real {:?}\n  demo {:?}", answers[0], answers[1]));
        }
    }
}

/// The headers that clients read, with the registry's own address left out.
fn told(headers: &HeaderMap, url: &str) -> Vec<(String, String)> {
    ["content-type", "content-length", "docker-content-digest", "docker-distribution-api-version"]
        .into_iter()
        .chain([ETAG.as_str(), LOCATION.as_str(), LINK.as_str()])
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().unwrap();
            Some((name.to_owned(), value.replace(url, "")))
        })
        .collect()
}

#[tokio::test]
async fn pages_follow_by_link() {
    let demo = DemoRegistry::new();
    let serving = demo.serve().await.unwrap();
    for minor in 0..5 {
        demo.push(REPOSITORY, &format!("1.{minor}.0"), format!("{{\"n\":{minor}}}"), MediaType::OciManifest);
    }
    demo.set_page_size(2);
    let client = http_client();
    let mut path = format!("/v2/{REPOSITORY}/tags/list");
    let mut pages = Vec::new();
    loop {
        let response = client.get(format!("{}{path}", serving.url())).send().await.unwrap();
        let next = response.headers().get(LINK).map(|link| link.to_str().unwrap().to_owned());
        let body: serde_json::Value = response.json().await.unwrap();
        pages.push(body["tags"].as_array().unwrap().len());
        match next {
            Some(link) => path = link.split(['<', '>']).nth(1).unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(pages, [2, 2, 1]);
    assert_eq!(demo.counts(), Counts { tag_lists: 3, ..Counts::default() });
}

#[tokio::test]
async fn it_counts_what_was_asked() {
    let demo = DemoRegistry::new();
    let serving = demo.serve().await.unwrap();
    let client = http_client();
    let image = Image::single(1);
    image.put(&client, &serving.url(), REPOSITORY, "1.0.0").await;
    let manifest = format!("{}/v2/{REPOSITORY}/manifests/1.0.0", serving.url());
    client.head(&manifest).header(ACCEPT, accept_all()).send().await.unwrap();
    client.get(&manifest).header(IF_NONE_MATCH, image.digest.to_string()).send().await.unwrap();
    delete_digest(&client, &serving.url(), REPOSITORY, &image.digest).await;
    let counts = demo.counts();
    // Two blobs of two requests each, the manifest, the deletion.
    assert_eq!(counts, Counts { manifest_heads: 1, manifest_gets: 1, not_modified: 1, writes: 6, ..Counts::default() });
}
