//! The server's API: one function per route, errors that say what a person can do.

use std::future::{Future, ready};
use std::pin::Pin;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tagwarden_model::api::{
    Acknowledge, AddRepository, Check, Close, Configuration, Delivery, DigestUse, ErrorBody, Event, Flag, FlagDetail,
    Found, Group, Job, JoinGroup, KeepView, NewGroup, Notifier, Page, Paste, Pasted, PolicyPreview, PolicyRule,
    PreviewPolicy, ProveTargets, ReadCatalogue, Registry, Repository, Retried, SayDoNotUse, Summary, Tag, Target,
    Transition, View,
};
use tagwarden_model::change::{ChangeRow, SourceCommit};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

use crate::meaning::sentence;
use crate::text::shell as text;
use crate::url::{encode, with_query};

/// How long an answer may take.
pub const PATIENCE_MS: u32 = 20_000;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// The server cannot be reached, or takes too long.
    Unreachable,
    /// The server refused, and says why.
    Refused {
        /// HTTP status.
        status: u16,
        /// What, where and what to do.
        message: String,
        /// The field of the form at fault.
        field: Option<String>,
        /// Found again in the server's log.
        request_id: Option<String>,
    },
    /// The answer is not the API's: a proxy in between, or another version.
    Unintelligible(String),
}

impl ApiError {
    /// What happened, in a sentence.
    pub fn message(&self) -> String {
        match self {
            Self::Unreachable => text::UNREACHABLE.into(),
            Self::Refused { message, .. } => sentence(message),
            Self::Unintelligible(detail) => text::unintelligible(detail),
        }
    }

    /// What happened, and what to do about it.
    pub fn words(&self) -> String {
        [&self.message(), " ", &self.next_step()].concat()
    }

    /// What to do about it.
    pub fn next_step(&self) -> String {
        match self {
            Self::Unreachable => text::UNREACHABLE_STEP.into(),
            Self::Refused { status: 403, .. } => text::FORBIDDEN_STEP.into(),
            Self::Refused { status: 404, .. } => text::NOT_FOUND_STEP.into(),
            Self::Refused { status: 408, .. } => text::TOO_SLOW_STEP.into(),
            Self::Refused { status: 409, .. } => text::CONFLICT_STEP.into(),
            Self::Refused { status: 413, .. } => text::TOO_LARGE_STEP.into(),
            Self::Refused { status: 500.., request_id: Some(id), .. } => text::fault_step(id),
            Self::Refused { .. } => text::REFUSED_STEP.into(),
            Self::Unintelligible(_) => text::UNINTELLIGIBLE_STEP.into(),
        }
    }
}

/// An answer that is awaited. Boxed: every caller's future would hold a copy of what leads to it.
pub type Asked<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// `GET summary`.
pub fn summary() -> Asked<Summary> {
    get("api/v1/summary")
}

/// `GET registries`: as many as one page holds.
pub fn registries() -> Asked<Page<Registry>> {
    get("api/v1/registries?limit=500")
}

/// `GET configuration`.
pub fn configuration() -> Asked<Configuration> {
    get("api/v1/configuration")
}

/// `GET repositories` with a text in their name and of a group, either of which may be empty; the first `pages` pages.
pub fn repositories(find: &str, group: &str, pages: u32) -> Asked<Page<Repository>> {
    let query = [("contains", Some(find)), ("group", Some(group)), ("limit", Some("100"))];
    follow(with_query("api/v1/repositories", &query), pages)
}

/// `POST repositories`.
pub fn add_repository(name: String) -> Asked<Repository> {
    post("api/v1/repositories", &AddRepository { name })
}

/// `DELETE repositories`.
pub fn remove_repository(name: &str) -> Asked<()> {
    delete(&with_query("api/v1/repositories", &[("name", Some(name))]))
}

/// `DELETE repositories/purge`.
pub fn purge(name: &str, confirm: &str) -> Asked<()> {
    delete(&with_query("api/v1/repositories/purge", &[("name", Some(name)), ("confirm", Some(confirm))]))
}

/// `POST repositories/pause` or `repositories/resume`.
pub fn pause(name: String, paused: bool) -> Asked<Repository> {
    let act = if paused { "pause" } else { "resume" };
    post(&format!("api/v1/repositories/{act}"), &AddRepository { name })
}

/// `POST repositories/preview`; waits a little for the end.
pub fn preview(name: String) -> Asked<Job> {
    post("api/v1/repositories/preview?wait=10", &AddRepository { name })
}

/// `POST repositories/bulk`.
pub fn paste(text: String) -> Asked<Pasted> {
    post("api/v1/repositories/bulk", &Paste { text })
}

/// `POST catalogues`; waits a little for the end.
pub fn catalogue(registry: String, pattern: String) -> Asked<Job> {
    post("api/v1/catalogues?wait=10", &ReadCatalogue { registry, pattern })
}

/// `GET groups`: all of them.
pub fn groups() -> Asked<Page<Group>> {
    get("api/v1/groups")
}

/// `POST groups`.
pub fn make_group(name: String) -> Asked<()> {
    unread(send("api/v1/groups", &NewGroup { name }))
}

/// `POST groups/repositories`, or `DELETE` of the same.
pub fn put_into_group(group: &str, repository: &str, member: bool) -> Asked<()> {
    let path = "api/v1/groups/repositories";
    if !member {
        return delete(&with_query(path, &[("group", Some(group)), ("repository", Some(repository))]));
    }
    let join = JoinGroup { group: group.to_owned(), repository: repository.to_owned() };
    unread(send(path, &join))
}

/// `GET repositories/one`.
pub fn repository(name: &str) -> Asked<Repository> {
    get(&with_query("api/v1/repositories/one", &[("name", Some(name))]))
}

/// `GET timeline/lanes`, as `path` says: the text of the answer, which is read apart.
pub fn lanes(path: &str) -> Asked<String> {
    ask("GET", path, None)
}

/// `GET timeline/tile`: the text of the answer, which is read apart.
pub fn tile(level: u8, number: i64, lanes: &str, signal: AbortSignal) -> Asked<String> {
    let path = format!("api/v1/timeline/tile?level={level}&number={number}&lanes={lanes}");
    ask_until("GET", &path, None, &signal)
}

/// `GET tags`, the first `pages` pages.
pub fn tags(repository: &str, class: Option<&str>, pages: u32) -> Asked<Page<Tag>> {
    let query = [("repository", Some(repository)), ("class", class), ("limit", Some("50"))];
    follow(with_query("api/v1/tags", &query), pages)
}

/// `GET tags/one`.
pub fn tag(repository: &str, tag: &str) -> Asked<Tag> {
    get(&with_query("api/v1/tags/one", &[("repository", Some(repository)), ("tag", Some(tag))]))
}

/// `GET targets` of a tag.
pub fn targets(repository: &str, tag: &str) -> Asked<Page<Target>> {
    get(&with_query("api/v1/targets", &[("repository", Some(repository)), ("tag", Some(tag))]))
}

/// `GET events` of a tag, newest first, the first `pages` pages.
pub fn tag_events(repository: &str, tag: &str, pages: u32) -> Asked<Page<Event>> {
    let query = [("repository", Some(repository)), ("tag", Some(tag)), ("limit", Some("200"))];
    follow(with_query("api/v1/events", &query), pages)
}

/// `GET events` of a repository by time, newest first, without what stood before the watch; the first `pages` pages.
pub fn events(repository: &str, pages: u32) -> Asked<Page<Event>> {
    let query = [("repository", Some(repository)), ("baseline", Some("false")), ("limit", Some("25"))];
    follow(with_query("api/v1/events", &query), pages)
}

/// `GET events`: the newest of what happened to releases.
pub fn release_events() -> Asked<Page<Event>> {
    get("api/v1/events?releases=true&limit=100")
}

/// `GET flags` of a repository that are not closed.
pub fn active_flags(repository: &str) -> Asked<Page<Flag>> {
    get(&with_query("api/v1/flags", &[("state", Some("active")), ("repository", Some(repository))]))
}

/// `GET flags` with filters, each of which may be empty.
pub fn flags_of(state: &str, severity: &str, find: &str, group: &str, pages: u32) -> Asked<Page<Flag>> {
    let query = [
        ("state", Some(state)),
        ("severity", Some(severity)),
        ("contains", Some(find)),
        ("group", Some(group)),
        ("limit", Some("100")),
    ];
    follow(with_query("api/v1/flags", &query), pages)
}

/// `GET policies`.
pub fn policies() -> Asked<Page<PolicyRule>> {
    get("api/v1/policies")
}

/// `POST policies/preview`.
pub fn preview_policy(body: &PreviewPolicy) -> Asked<PolicyPreview> {
    post("api/v1/policies/preview", body)
}

/// `GET search`.
pub fn search(words: &str) -> Asked<Found> {
    get(&with_query("api/v1/search", &[("q", Some(words))]))
}

/// `GET views`.
pub fn views() -> Asked<Page<View>> {
    get("api/v1/views")
}

/// `POST views`.
pub fn keep_view(name: String, address: String) -> Asked<View> {
    post("api/v1/views", &KeepView { name, address })
}

/// `DELETE views`.
pub fn forget_view(name: &str) -> Asked<()> {
    delete(&with_query("api/v1/views", &[("name", Some(name))]))
}

/// `POST do-not-use`, or without a reason `DELETE` of the same.
pub fn do_not_use(repository: &str, tag: &str, reason: Option<String>) -> Asked<()> {
    let (path, owned) = ("api/v1/do-not-use", |text: &str| text.to_owned());
    let Some(reason) = reason else {
        return delete(&with_query(path, &[("repository", Some(repository)), ("tag", Some(tag))]));
    };
    unread(send(path, &SayDoNotUse { repository: owned(repository), tag: owned(tag), reason }))
}

/// `GET flags/{id}`.
pub fn flag(id: &str) -> Asked<FlagDetail> {
    detail(ask("GET", &format!("api/v1/flags/{}", encode(id)), None))
}

/// `POST flags/{id}/acknowledge`.
pub fn acknowledge(id: i64, body: &Acknowledge) -> Asked<FlagDetail> {
    detail(send(&format!("api/v1/flags/{id}/acknowledge"), body))
}

/// `POST flags/{id}/close`.
pub fn close(id: i64, body: &Close) -> Asked<FlagDetail> {
    detail(send(&format!("api/v1/flags/{id}/close"), body))
}

/// `GET digests/{digest}`, the first `pages` pages.
pub fn digest(digest: &str, pages: u32) -> Asked<Page<DigestUse>> {
    follow(["api/v1/digests/", &encode(digest), "?limit=100"].concat(), pages)
}

/// What people are shown of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Compared {
    /// It in one sentence, without capital and full stop.
    pub sentence: String,
    /// It as a table.
    pub rows: Vec<ChangeRow>,
    /// What the old one claims to be built from.
    pub old_source: Option<SourceCommit>,
    /// The same of the new one.
    pub new_source: Option<SourceCommit>,
}

/// `GET compare`.
pub fn compare(old: &str, new: &str) -> Asked<Compared> {
    get(&with_query("api/v1/compare", &[("old", Some(old)), ("new", Some(new))]))
}

/// `POST targets/proofs`; waits a little for the end.
pub fn prove(body: &ProveTargets) -> Asked<Job> {
    post("api/v1/targets/proofs?wait=10", body)
}

/// `POST checks`; waits a little for the end.
pub fn check(body: &Check) -> Asked<Job> {
    post("api/v1/checks?wait=10", body)
}

/// `GET notifiers`.
pub fn notifiers() -> Asked<Page<Notifier>> {
    get("api/v1/notifiers")
}

/// `POST notifiers/{name}/test`; waits a little for the end.
pub fn test_notifier(name: &str) -> Asked<Delivery> {
    post(&format!("api/v1/notifiers/{}/test?wait=10", encode(name)), &())
}

/// `POST notifiers/{name}/retry`.
pub fn retry_notifier(name: &str) -> Asked<Retried> {
    post(&format!("api/v1/notifiers/{}/retry", encode(name)), &())
}

/// Follows the cursors of a list.
fn follow<T: DeserializeOwned + 'static>(path: String, pages: u32) -> Asked<Page<T>> {
    Box::pin(async move {
        let mut list = Page { items: Vec::new(), next: None };
        let mut address = path.clone();
        for _ in 0..pages {
            let page: Page<T> = get(&address).await?;
            list.items.extend(page.items);
            list.next = page.next;
            let Some(cursor) = &list.next else { break };
            address = format!("{path}&cursor={}", encode(cursor));
        }
        Ok(list)
    })
}

fn get<T: DeserializeOwned + 'static>(path: &str) -> Asked<T> {
    parsed(ask("GET", path, None))
}

fn delete(path: &str) -> Asked<()> {
    unread(ask("DELETE", path, None))
}

fn post<B: Serialize, T: DeserializeOwned + 'static>(path: &str, body: &B) -> Asked<T> {
    parsed(send(path, body))
}

fn send<B: Serialize>(path: &str, body: &B) -> Asked<String> {
    match serde_json::to_string(body) {
        Ok(body) => ask("POST", path, Some(body)),
        // What it would say is never said, and as long as a page of texts.
        Err(_) => Box::pin(ready(Err(ApiError::Unintelligible(text::NO_JSON.to_owned())))),
    }
}

fn parsed<T: DeserializeOwned + 'static>(text: Asked<String>) -> Asked<T> {
    Box::pin(async move { read(&text.await?).map_err(ApiError::Unintelligible) })
}

/// What an answer has beside the flag.
#[derive(Deserialize)]
struct Story {
    differences: Vec<ChangeRow>,
    revision: Option<String>,
    events: Vec<Event>,
    transitions: Vec<Transition>,
    targets: Vec<Target>,
}

/// Reads flag and story one after the other: reading them as one would take a second copy of all that reads a flag.
fn detail(text: Asked<String>) -> Asked<FlagDetail> {
    Box::pin(async move {
        let text = text.await?;
        let flag = read(&text).map_err(ApiError::Unintelligible)?;
        let Story { differences, revision, events, transitions, targets } =
            read(&text).map_err(ApiError::Unintelligible)?;
        Ok(FlagDetail { flag, differences, revision, events, transitions, targets })
    })
}

fn unread(text: Asked<String>) -> Asked<()> {
    Box::pin(async move { text.await.map(drop) })
}

/// Reads JSON, or says why that cannot be. The browser parses it: `serde_json`'s reader would be a tenth of the page.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_wasm_bindgen::from_value(json(text)?).map_err(words)
}

fn json(text: &str) -> Result<JsValue, String> {
    js_sys::JSON::parse(text).map_err(|_| text::NO_JSON.to_owned())
}

fn words(error: serde_wasm_bindgen::Error) -> String {
    error.to_string()
}

/// Sends a request, and ends it when it takes too long.
fn ask(method: &str, path: &str, body: Option<String>) -> Asked<String> {
    ask_until(method, path, body, &AbortSignal::timeout_with_u32(PATIENCE_MS))
}

fn ask_until(method: &str, path: &str, body: Option<String>, signal: &AbortSignal) -> Asked<String> {
    let sent = fetch(method, path, body, signal);
    Box::pin(async move {
        let answer = sent.ok_or(ApiError::Unreachable)?.await.map_err(|_| ApiError::Unreachable)?;
        let answer: Response = answer.unchecked_into();
        let text = text(&answer).await;
        if answer.ok() { text.ok_or(ApiError::Unreachable) } else { Err(refusal(answer.status(), text)) }
    })
}

/// Begins a request. Nothing when the browser takes its parts for wrong.
fn fetch(method: &str, path: &str, body: Option<String>, signal: &AbortSignal) -> Option<JsFuture> {
    let request = RequestInit::new();
    request.set_method(method);
    request.set_signal(Some(signal));
    if let Some(body) = body {
        let headers = Headers::new().ok()?;
        headers.set("content-type", "application/json").ok()?;
        request.set_headers(&headers);
        request.set_body(&body.into());
    }
    Some(JsFuture::from(web_sys::window()?.fetch_with_str_and_init(path, &request)))
}

async fn text(answer: &Response) -> Option<String> {
    JsFuture::from(answer.text().ok()?).await.ok()?.as_string()
}

fn refusal(status: u16, text: Option<String>) -> ApiError {
    match text.and_then(|text| read::<ErrorBody>(&text).ok()) {
        Some(ErrorBody { error }) => {
            ApiError::Refused { status, message: error.message, field: error.field, request_id: Some(error.request_id) }
        }
        // A proxy's own 502 has no body of ours: that is a server that cannot be reached.
        None if matches!(status, 502..=504) => ApiError::Unreachable,
        None => ApiError::Unintelligible(format!("HTTP {status}")),
    }
}
