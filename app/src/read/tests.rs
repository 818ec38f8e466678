use std::fmt::Debug;

use tagwarden_model::api::{Change, ErrorBody, Job, Page, Repository, Summary};

use super::*;

/// It is read as `serde_json` reads it.
fn agrees<T: DeserializeOwned + PartialEq + Debug>(text: &str) {
    let theirs: T = serde_json::from_str(text).unwrap();
    assert_eq!(read::<T>(text), Ok(theirs), "{text}");
}

const REPOSITORY: &str = r#"{
    "name": "r/api", "registry": "r", "state": "failing", "state_reason": "\"503\"", "state_since": "2026-11-23T12:00:00Z",
    "watched_since": "2026-11-23T11:00:00.250Z", "source": "person", "groups": ["shop", "a,b}]"], "tags": 9, "releases": 0,
    "open_flags": 1, "last_pass": null, "freshness": [{ "band": "hot", "tags": 2, "promised_ms": 60000,
    "proof_promised_ms": 1, "late_since": "2026-11-23T12:00:00Z" }, { "band": "cold", "tags": 18446744073709551615,
    "promised_ms": 1, "proof_promised_ms": 1, "late_reason": "why" }], "progress": { "read": 1, "found": 2 }, "unread": null }"#;

const FLAG: &str = r#""id":7,"kind":"breach","state":"open","severity":"critical","comparing":false,"flapping":true,
    "repository":"r/api","tag":"1.0","promise":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "current":null,"not_after":"2026-11-23T12:00:00Z","opened":"2026-11-23T12:00:00Z","changed":"2026-11-23T12:00:00Z",
    "version":-3"#;

#[test]
fn what_the_page_reads_is_read_as_serde_json_reads_it() {
    agrees::<Repository>(REPOSITORY);
    agrees::<Page<Repository>>(&format!(r#"{{"items":[{REPOSITORY},{REPOSITORY}],"next":"c"}}"#));
    agrees::<Page<Repository>>(r#" { "items" : [ ] } "#);
    agrees::<Change>(r#"{"id":5,"kind":"job","ref":-2,"repository":"r/api"}"#);
    agrees::<ErrorBody>(r#"{"error":{"code":"invalid","message":"no","field":"name","request_id":"1"}}"#);
    agrees::<Summary>(
        r#"{"repositories":1,"registries":1,"releases":1,"published_30_days":1,"needs_attention":1,"needs_review":1,
        "late":1,"promised_ms":1,"read_only":true,"demo_percent":99}"#,
    );
    for result in [
        r#"{"preview":{"found":true,"reason":null,"watched":false,"tags":1,
            "classes":[{"class":"release","tags":1,"examples":["1.0"]}],"proposals":[]}}"#,
        r#"{"catalogue":{"found":false,"reason":"no","read":0,"items":[{"name":"r/a","watched":true}],"truncated":false}}"#,
        "null",
    ] {
        agrees::<Job>(&format!(
            r#"{{"id":1,"kind":"preview","state":"done","repository":"r","done":1,"total":1,"error":null,"result":{result},
            "created":"2026-11-23T12:00:00Z","finished":null}}"#
        ));
    }
}

#[test]
fn a_flag_is_read_with_its_story() {
    let text = format!(
        r#"{{{FLAG},"differences":[{{"what":"user","before":null,"after":"0","critical":true}}],"revision":null,"events":[],
        "transitions":[{{"at":"2026-11-23T12:00:00Z","from":null,"to":"open","actor":"x"}}],"targets":[]}}"#
    );
    assert_eq!(read_flag(&text), Ok(serde_json::from_str(&text).unwrap()));
}

#[test]
fn every_text_survives() {
    for text in ["", "\"\\/\u{8}\u{c}\n\r\t\0\u{7f}", "é 🦀 \u{202e}\u{2028}\u{ffff}", "\\u0041"] {
        agrees::<String>(&serde_json::to_string(text).unwrap());
    }
    agrees::<Vec<String>>(r#"["\u0041\u00e9\ud83e\udd80", "\/\u2028", ""]"#);
}

#[test]
fn fields_of_a_newer_server_are_passed_over() {
    for other in [r#""}""#, "-1.5e9", "[[{}],[\"]\",{\"a\":[1,2]}]]", "{}", "null", r#""\\\"""#] {
        agrees::<Change>(&format!(r#"{{"other":{other},"id":5,"kind":"job","x":{other},"ref":1,"y":{other}}}"#));
    }
}

#[test]
fn what_cannot_be_read_is_named_by_its_field() {
    let of = |text: &str| read::<Change>(text).map_err(|ReadError(field)| field);
    assert_eq!(of(r#"{"id":5,"kind":"job"}"#), Err("ref"));
    assert_eq!(of(r#"{"id":5,"kind":"new","ref":1}"#), Err("kind"));
    assert_eq!(of(r#"{"id":"5","kind":"job","ref":1}"#), Err("id"));
    assert_eq!(of(r#"{"id":99999999999999999999,"kind":"job","ref":1}"#), Err("id"));
    let error = read::<Page<Repository>>(&format!(r#"{{"items":[{}]}}"#, REPOSITORY.replace("hot", "none")));
    assert_eq!(error, Err(ReadError("band")));
}

#[test]
fn no_text_makes_the_reader_panic_or_go_on_for_ever() {
    let whole = format!(r#"{{"items":[{REPOSITORY}],"other":{{"a":["\u00e9é"]}}}}"#);
    for (at, _) in whole.char_indices() {
        assert!(read::<Page<Repository>>(&whole[..at]).is_err(), "{}", &whole[..at]);
        for inserted in ["\"", "\\", "\\ud800", "}", "]", "{", "é", "1", ","] {
            let _ = read::<Page<Repository>>(&format!("{}{inserted}{}", &whole[..at], &whole[at..]));
        }
    }
    assert!(read::<Vec<String>>("<html>").is_err());
    assert!(read::<Vec<String>>("[] 1").is_err());
    assert!(read::<String>(r#""\ud800""#).is_err());
}
