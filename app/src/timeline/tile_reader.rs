//! Reads lanes and tiles. By hand, because the browser turns a column into numbers at once, where serde would ask for each
//! of them.

use js_sys::{Array, Float64Array, JSON, Reflect};
use tagwarden_model::api::{
    Activity, Breach, Gap, Hint, Lane, LaneKind, Pause, Tile, TileDigest, TileLane, TimelineHead, Watched,
};
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Instant;
use tagwarden_model::tag::{Band, Class};
use wasm_bindgen::JsValue;

/// The lanes, or `None` if the answer has none.
pub fn head(text: &str) -> Option<TimelineHead> {
    let head = JSON::parse(text).ok()?;
    let activity = get(&head, "activity");
    Some(TimelineHead {
        repositories: items(&head, "repositories").iter().map(watched).collect::<Option<_>>()?,
        lanes: items(&head, "lanes").iter().map(named).collect::<Option<_>>()?,
        next: words(&head, "next"),
        total: number(&head, "total")? as u64,
        activity: Activity {
            level: number(&activity, "level")? as u8,
            first_ms: number(&activity, "first_ms").map(|first| first as i64),
            bucket: whole(&activity, "bucket"),
            count: whole(&activity, "count").into_iter().map(i64::cast_unsigned).collect(),
        },
    })
}

fn words(value: &JsValue, key: &str) -> Option<String> {
    get(value, key).as_string()
}

fn instant(value: &JsValue, key: &str) -> Option<Instant> {
    words(value, key)?.parse().ok()
}

fn watched(value: &JsValue) -> Option<Watched> {
    let gap = |value: &JsValue| {
        Some(Gap {
            band: Band::from_word(&words(value, "band")?)?,
            from: instant(value, "from")?,
            until: instant(value, "until"),
            reason: words(value, "reason")?,
        })
    };
    let pause = |value: &JsValue| Some(Pause { from: instant(value, "from")?, until: instant(value, "until") });
    let gaps = items(value, "gaps").iter().filter_map(gap).collect();
    Some(Watched {
        repository: words(value, "repository")?,
        since: instant(value, "since")?,
        pauses: items(value, "pauses").iter().filter_map(pause).collect(),
        gaps,
        hints: number(value, "hints")? as u64,
        hints_from: instant(value, "hints_from"),
        hints_to_come: number(value, "hints_to_come")? as u64,
    })
}

fn named(value: &JsValue) -> Option<Lane> {
    let amount = |key| Some(number(value, key)? as u64);
    Some(Lane {
        id: words(value, "id")?,
        repository: words(value, "repository")?,
        kind: LaneKind::from_word(&words(value, "kind")?)?,
        name: words(value, "name")?,
        class: Class::from_word(&words(value, "class")?)?,
        events: amount("events")?,
        baseline: amount("baseline")?,
        flags: amount("flags")?,
        first: instant(value, "first")?,
        last: instant(value, "last")?,
    })
}

/// The tile, or `None` if the answer is none.
pub fn read(text: &str) -> Option<Tile> {
    let tile = JSON::parse(text).ok()?;
    let digest = |value: JsValue| {
        let digest = words(&value, "digest")?.parse().ok()?;
        Some(TileDigest { digest, release: words(&value, "release") })
    };
    Some(Tile {
        level: number(&tile, "level")? as u8,
        number: number(&tile, "number")? as i64,
        seq: number(&tile, "seq")? as i64,
        lanes: items(&tile, "lanes").iter().map(lane).collect(),
        claims: whole(&tile, "claims"),
        digests: items(&tile, "digests").into_iter().map(digest).collect::<Option<_>>()?,
        tags: items(&tile, "tags").iter().filter_map(JsValue::as_string).collect(),
        breaches: items(&tile, "breaches").iter().filter_map(breach).collect(),
        hints: items(&tile, "hints").iter().filter_map(hint).collect(),
    })
}

fn get(value: &JsValue, key: &str) -> JsValue {
    Reflect::get(value, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
}

fn number(value: &JsValue, key: &str) -> Option<f64> {
    get(value, key).as_f64()
}

fn items(value: &JsValue, key: &str) -> Vec<JsValue> {
    Array::from(&get(value, key)).to_vec()
}

fn column(value: &JsValue, key: &str) -> Vec<f64> {
    Float64Array::new(&get(value, key)).to_vec()
}

fn whole(value: &JsValue, key: &str) -> Vec<i64> {
    column(value, key).into_iter().map(|number| number as i64).collect()
}

fn small(value: &JsValue, key: &str) -> Vec<u32> {
    column(value, key).into_iter().map(|number| number as u32).collect()
}

fn places(value: &JsValue, key: &str) -> Vec<i32> {
    column(value, key).into_iter().map(|number| number as i32).collect()
}

fn bytes(value: &JsValue, key: &str) -> Vec<u8> {
    column(value, key).into_iter().map(|number| number as u8).collect()
}

fn lane(value: &JsValue) -> TileLane {
    TileLane {
        entering: number(value, "entering").map(|place| place as u32),
        entering_since_ms: number(value, "entering_since_ms").map(|at| at as i64),
        entering_not_before_ms: number(value, "entering_not_before_ms").map(|at| at as i64),
        first_ms: whole(value, "first_ms"),
        at_ms: whole(value, "at_ms"),
        not_before_ms: whole(value, "not_before_ms"),
        count: small(value, "count"),
        seq: whole(value, "seq"),
        kind: bytes(value, "kind"),
        baseline: small(value, "baseline"),
        tag: places(value, "tag"),
        digest: places(value, "digest"),
    }
}

fn breach(value: &JsValue) -> Option<Breach> {
    let whole = |key| Some(number(value, key)? as i64);
    let place = |key| Some(number(value, key)? as u32);
    Some(Breach {
        lane: place("lane")?,
        at_ms: whole("at_ms")?,
        not_before_ms: whole("not_before_ms")?,
        seq: whole("seq")?,
        kind: EventKind::from_word(&words(value, "kind")?)?,
        tag: place("tag")?,
        old_digest: place("old_digest"),
        new_digest: place("new_digest"),
        restored: get(value, "restored").is_truthy(),
        flag: whole("flag"),
        active: get(value, "active").is_truthy(),
        first_ms: whole("first_ms")?,
    })
}

fn hint(value: &JsValue) -> Option<Hint> {
    let place = |key| Some(number(value, key)? as u32);
    let created_ms = number(value, "created_ms")? as i64;
    Some(Hint { lane: place("lane")?, created_ms, tag: place("tag")?, digest: place("digest")? })
}
