//! The API's description.

use std::collections::BTreeSet;
use tagwarden_tests::api_server::{Server, request};

use axum::body::Body;
use axum::http::Method;

#[tokio::test]
async fn the_description_is_kept() {
    let server = Server::start().await;
    let document = server.read("/api/v1/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    insta::assert_json_snapshot!("openapi", document);
}

#[tokio::test]
async fn every_described_operation_is_served_and_documents_its_errors() {
    let server = Server::start().await;
    let document = server.read("/api/v1/openapi.json").await;
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.insert(operation["operationId"].as_str().unwrap());
            // A parameter that no route has: answered before anything is done.
            let path = format!("{}?no_such_parameter=1", path.replace(['{', '}'], ""));
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let sent = request(method.clone(), &path).header("content-type", "application/json");
            let status = server.send(sent.body(Body::empty()).unwrap()).await.status.as_u16();
            assert!(status != 404 && status != 405, "{method} {path}: {status}");
            if path.starts_with("/api/") {
                assert_eq!(status, 400, "{method} {path}");
                assert!(
                    operation["responses"][status.to_string()].is_object(),
                    "{method} {path} does not document {status}"
                );
            }
            let mut names: Vec<_> =
                operation["parameters"].as_array().into_iter().flatten().map(|p| p["name"].as_str()).collect();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "{method} {path} documents a parameter twice");
        }
    }
    assert_eq!(operations.len(), 46, "operations with a name of their own: {operations:?}");
}
