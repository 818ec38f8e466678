use super::*;

const INDEX: &str = concat!(
    "<!doctype html><html><head><base data-trunk-public-url href=\"./\"><title>x</title>",
    "<script src=\"./theme-1234567890abcdef.js\"></script>",
    "<script type=\"module\">\nimport init from './app-1234567890abcdef.js';\n</script>",
    "</head><body></body></html>"
);

fn page(base_path: &str) -> Page {
    let files = [
        ("index.html", INDEX),
        ("app-1234567890abcdef.js", "export default 1"),
        ("app-1234567890abcdef_bg.wasm", "\0asm"),
        ("favicon.svg", "<svg/>"),
    ];
    Page::new(files.map(|(name, text)| (name.to_owned(), Cow::Borrowed(text.as_bytes()))), base_path)
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn the_policy_allows_exactly_the_inline_script_that_is_served() {
    let page = page("/");
    let response = page.get("", &HeaderMap::new()).unwrap();
    // printf "\nimport init from './app-1234567890abcdef.js';\n" | openssl dgst -sha256 -binary | base64
    let policy = header(&response, "content-security-policy");
    assert!(
        policy.contains("script-src 'self' 'sha256-vu2I+A/ChEIBmwZfuN7RuSiXkTQ3y9s2xzo18eLrGPU=' 'wasm-unsafe-eval';"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe-inline") && !policy.contains("nonce"));
    let served = std::str::from_utf8(&page.index.bytes).unwrap();
    assert_eq!(inline(served, "script").collect::<Vec<_>>(), ["\nimport init from './app-1234567890abcdef.js';\n"]);
}

#[test]
fn the_index_says_where_it_is_and_which_build_it_is() {
    let page = page("/tagwarden/");
    let html = std::str::from_utf8(&page.index.bytes).unwrap();
    let expected = format!(r#"<head><base href="/tagwarden/"><meta name="tagwarden-build" content="{}">"#, page.build);
    assert!(html.contains(&expected), "{html}");
    assert_eq!(html.matches("<base").count(), 1);
    assert_eq!(page.build.len(), 16);
}

#[test]
fn page_routes_give_the_index_and_unknown_files_nothing() {
    let page = page("/");
    for path in ["", "flags", "flags/7", "repositories", "repository", "digest/sha256:ab", "flags/"] {
        let response = page.get(path, &HeaderMap::new()).unwrap();
        assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8", "{path}");
        assert_eq!(header(&response, "cache-control"), "no-cache", "{path}");
    }
    for path in ["app-0000000000000000.js", "index.html", "flagsx", "digest", "assets/", "../Cargo.toml"] {
        assert!(page.get(path, &HeaderMap::new()).is_none(), "{path}");
    }
}

#[test]
fn only_files_with_a_hash_in_their_name_are_kept_for_ever() {
    let page = page("/");
    for (path, immutable, kind) in [
        ("app-1234567890abcdef.js", true, "text/javascript; charset=utf-8"),
        ("app-1234567890abcdef_bg.wasm", true, "application/wasm"),
        ("favicon.svg", false, "image/svg+xml"),
    ] {
        let response = page.get(path, &HeaderMap::new()).unwrap();
        assert_eq!(header(&response, "cache-control").contains("immutable"), immutable, "{path}");
        assert_eq!(header(&response, "content-type"), kind);
    }
    assert!(!is_hashed("two-words.js") && !is_hashed("deadbeefdeadbeef.js"));
}

#[test]
fn a_file_that_the_browser_holds_is_not_sent_again() {
    let page = page("/");
    let first = page.get("", &HeaderMap::new()).unwrap();
    let etag = first.headers()["etag"].clone();
    let again = page.get("", &HeaderMap::from_iter([(header::IF_NONE_MATCH, etag)])).unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.headers()["content-security-policy"], first.headers()["content-security-policy"]);
    let other = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("W/\"0\", \"1\""))]);
    assert_eq!(page.get("", &other).unwrap().status(), StatusCode::OK);
}

#[test]
fn a_server_without_its_page_says_how_to_build_it() {
    let page = Page::new([], "/");
    let response = page.get("", &HeaderMap::new()).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(std::str::from_utf8(&page.index.bytes).unwrap().contains("make run"));
    assert!(
        std::str::from_utf8(&page.index.bytes).unwrap().contains("<base href=\"/\">"),
        "its link works on every page"
    );
    let policy = header(&response, "content-security-policy");
    assert!(policy.contains("style-src 'self' 'sha256-"), "{policy}");
}

#[test]
fn brotli_is_taken_where_it_is_named_and_not_refused() {
    let takes = |value: &'static str| {
        takes_brotli(&[(header::ACCEPT_ENCODING, HeaderValue::from_static(value))].into_iter().collect())
    };
    for value in ["br", "gzip, deflate, br, zstd", "gzip;q=1.0, BR;q=0.5", "br;q=0.001"] {
        assert!(takes(value), "{value}");
    }
    for value in ["", "gzip", "br;q=0", "br;q=0.000", "brotli"] {
        assert!(!takes(value), "{value}");
    }
}

#[test]
fn a_compressed_file_says_so_and_is_sent_only_where_it_is_taken() {
    let file = File::new(Bytes::from_static(b"long"), "text/css; charset=utf-8", "no-cache", None);
    let file = File { compressed: Some(Bytes::from_static(b"short")), ..file };
    let plain = file.answer(&HeaderMap::new());
    assert_eq!(
        (plain.headers().get(header::CONTENT_ENCODING), &plain.headers()[header::VARY]),
        (None, &HeaderValue::from_static("accept-encoding"))
    );
    let request = [(header::ACCEPT_ENCODING, HeaderValue::from_static("br"))].into_iter().collect();
    let answer = file.answer(&request);
    assert_eq!(answer.headers()[header::CONTENT_ENCODING], "br");
    assert_eq!(answer.headers()[header::ETAG], plain.headers()[header::ETAG]);
}
