//! The server's API: one function per route, errors that say what a person can do.

use std::future::Future;
use std::pin::Pin;

use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tagwarden_model::api::{
    Acknowledge, AddRepository, Check, Close, Configuration, Delivery, DigestUse, ErrorBody, Event, Flag, FlagDetail,
    Found, Group, Job, JoinGroup, KeepView, NewGroup, Notifier, Page, Paste, Pasted, PolicyPreview, PolicyRule,
    PreviewPolicy, ProveTargets, ReadCatalogue, Registry, Repository, Retried, SayDoNotUse, Summary, Tag, Target, View,
};
use web_sys::AbortSignal;

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
    /// What happened.
    pub fn message(&self) -> String {
        match self {
            Self::Unreachable => "The server cannot be reached.".into(),
            Self::Refused { message, .. } => message.clone(),
            Self::Unintelligible(detail) => format!("The answer could not be read ({detail})."),
        }
    }

    /// What to do about it.
    pub fn next_step(&self) -> String {
        match self {
            Self::Unreachable => "Check that Tagwarden runs and that you are online, then try again.".into(),
            Self::Refused { status: 404, .. } => "It may have been removed, or the address is mistyped.".into(),
            Self::Refused { status: 409, .. } => "Somebody else was faster. Look at the new state, then decide.".into(),
            Self::Refused { status: 500.., request_id: Some(id), .. } => {
                format!("Try again. If it stays, look for request {id} in the server's log.")
            }
            Self::Refused { .. } => "Correct it and try again.".into(),
            Self::Unintelligible(_) => "Reload the page. A proxy in between may also have answered.".into(),
        }
    }
}

type Answer<T> = Result<T, ApiError>;

/// `GET summary`.
pub async fn summary() -> Answer<Summary> {
    get("api/v1/summary").await
}

/// `GET registries`: as many as one page holds.
pub async fn registries() -> Answer<Page<Registry>> {
    get("api/v1/registries?limit=500").await
}

/// `GET configuration`.
pub async fn configuration() -> Answer<Configuration> {
    get("api/v1/configuration").await
}

/// `GET repositories`.
pub async fn repositories() -> Answer<Page<Repository>> {
    get("api/v1/repositories").await
}

/// `POST repositories`.
pub async fn add_repository(name: String) -> Answer<Repository> {
    post("api/v1/repositories", &AddRepository { name }).await
}

/// `DELETE repositories`.
pub async fn remove_repository(name: &str) -> Answer<()> {
    delete(&with_query("api/v1/repositories", &[("name", Some(name))])).await
}

/// `DELETE repositories/purge`.
pub async fn purge(name: &str, confirm: &str) -> Answer<()> {
    delete(&with_query("api/v1/repositories/purge", &[("name", Some(name)), ("confirm", Some(confirm))])).await
}

/// `POST repositories/pause` or `repositories/resume`.
pub async fn pause(name: String, paused: bool) -> Answer<Repository> {
    let act = if paused { "pause" } else { "resume" };
    post(&format!("api/v1/repositories/{act}"), &AddRepository { name }).await
}

/// `POST repositories/preview`; waits a little for the end.
pub async fn preview(name: String) -> Answer<Job> {
    post("api/v1/repositories/preview?wait=10", &AddRepository { name }).await
}

/// `POST repositories/bulk`.
pub async fn paste(text: String) -> Answer<Pasted> {
    post("api/v1/repositories/bulk", &Paste { text }).await
}

/// `POST catalogues`; waits a little for the end.
pub async fn catalogue(registry: String, pattern: String) -> Answer<Job> {
    post("api/v1/catalogues?wait=10", &ReadCatalogue { registry, pattern }).await
}

/// `GET groups`: as many as one page holds.
pub async fn groups() -> Answer<Page<Group>> {
    get("api/v1/groups").await
}

/// `POST groups`.
pub async fn make_group(name: String) -> Answer<()> {
    send("api/v1/groups", &NewGroup { name }).await.map(drop)
}

/// `POST groups/repositories`, or `DELETE` of the same.
pub async fn put_into_group(group: &str, repository: &str, member: bool) -> Answer<()> {
    let path = "api/v1/groups/repositories";
    if !member {
        return delete(&with_query(path, &[("group", Some(group)), ("repository", Some(repository))])).await;
    }
    let join = JoinGroup { group: group.to_owned(), repository: repository.to_owned() };
    send(path, &join).await.map(drop)
}

/// `GET repositories/one`.
pub async fn repository(name: &str) -> Answer<Repository> {
    get(&with_query("api/v1/repositories/one", &[("name", Some(name))])).await
}

/// `GET timeline/lanes`, as `path` says: the text of the answer, which is read apart.
pub async fn lanes(path: &str) -> Answer<String> {
    ask(Request::get(path), None, patience()).await
}

/// `GET timeline/tile`: the text of the answer, which is read apart.
pub async fn tile(level: u8, number: i64, lanes: &str, signal: AbortSignal) -> Answer<String> {
    let path = format!("api/v1/timeline/tile?level={level}&number={number}&lanes={lanes}");
    ask(Request::get(&path), None, signal).await
}

/// `GET tags`, the first `pages` pages.
pub async fn tags(repository: &str, class: Option<&str>, pages: u32) -> Answer<Page<Tag>> {
    let query = [("repository", Some(repository)), ("class", class), ("limit", Some("50"))];
    follow(&with_query("api/v1/tags", &query), pages).await
}

/// `GET tags/one`.
pub async fn tag(repository: &str, tag: &str) -> Answer<Tag> {
    get(&with_query("api/v1/tags/one", &[("repository", Some(repository)), ("tag", Some(tag))])).await
}

/// `GET targets` of a tag.
pub async fn targets(repository: &str, tag: &str) -> Answer<Page<Target>> {
    get(&with_query("api/v1/targets", &[("repository", Some(repository)), ("tag", Some(tag))])).await
}

/// `GET events` of a tag, newest first.
pub async fn tag_events(repository: &str, tag: &str) -> Answer<Page<Event>> {
    let query = [("repository", Some(repository)), ("tag", Some(tag)), ("order", Some("at")), ("limit", Some("200"))];
    get(&with_query("api/v1/events", &query)).await
}

/// `GET events` by time, newest first, the first `pages` pages.
pub async fn events(repository: Option<&str>, baseline: bool, limit: &str, pages: u32) -> Answer<Page<Event>> {
    let baseline = if baseline { "true" } else { "false" };
    let query =
        [("repository", repository), ("baseline", Some(baseline)), ("order", Some("at")), ("limit", Some(limit))];
    follow(&with_query("api/v1/events", &query), pages).await
}

/// `GET flags`, the first `pages` pages.
pub async fn flags(state: &str, repository: Option<&str>, pages: u32) -> Answer<Page<Flag>> {
    let query = [("state", Some(state)), ("repository", repository), ("limit", Some("50"))];
    follow(&with_query("api/v1/flags", &query), pages).await
}

/// `GET flags` with filters, each of which may be empty.
pub async fn flags_of(state: &str, severity: &str, find: &str, group: &str, pages: u32) -> Answer<Page<Flag>> {
    let query = [
        ("state", Some(state)),
        ("severity", Some(severity)),
        ("contains", Some(find)),
        ("group", Some(group)),
        ("limit", Some("100")),
    ];
    follow(&with_query("api/v1/flags", &query), pages).await
}

/// `GET policies`.
pub async fn policies() -> Answer<Page<PolicyRule>> {
    get("api/v1/policies").await
}

/// `POST policies/preview`.
pub async fn preview_policy(body: &PreviewPolicy) -> Answer<PolicyPreview> {
    post("api/v1/policies/preview", body).await
}

/// `GET search`.
pub async fn search(words: &str) -> Answer<Found> {
    get(&with_query("api/v1/search", &[("q", Some(words))])).await
}

/// `GET views`.
pub async fn views() -> Answer<Page<View>> {
    get("api/v1/views").await
}

/// `POST views`.
pub async fn keep_view(name: String, address: String) -> Answer<View> {
    post("api/v1/views", &KeepView { name, address }).await
}

/// `DELETE views`.
pub async fn forget_view(name: &str) -> Answer<()> {
    delete(&with_query("api/v1/views", &[("name", Some(name))])).await
}

/// `POST do-not-use`, or without a reason `DELETE` of the same.
pub async fn do_not_use(repository: &str, tag: &str, reason: Option<String>) -> Answer<()> {
    let (path, owned) = ("api/v1/do-not-use", |text: &str| text.to_owned());
    match reason {
        Some(reason) => {
            let said = SayDoNotUse { repository: owned(repository), tag: owned(tag), reason };
            send(path, &said).await.map(drop)
        }
        None => delete(&with_query(path, &[("repository", Some(repository)), ("tag", Some(tag))])).await,
    }
}

/// `GET flags/{id}`.
pub async fn flag(id: &str) -> Answer<FlagDetail> {
    get(&format!("api/v1/flags/{}", encode(id))).await
}

/// `POST flags/{id}/acknowledge`.
pub async fn acknowledge(id: i64, body: &Acknowledge) -> Answer<FlagDetail> {
    post(&format!("api/v1/flags/{id}/acknowledge"), body).await
}

/// `POST flags/{id}/close`.
pub async fn close(id: i64, body: &Close) -> Answer<FlagDetail> {
    post(&format!("api/v1/flags/{id}/close"), body).await
}

/// `GET digests/{digest}`.
pub async fn digest(digest: &str) -> Answer<Page<DigestUse>> {
    get(&format!("api/v1/digests/{}", encode(digest))).await
}

/// `POST targets/proofs`; waits a little for the end.
pub async fn prove(body: &ProveTargets) -> Answer<Job> {
    post("api/v1/targets/proofs?wait=10", body).await
}

/// `POST checks`; waits a little for the end.
pub async fn check(body: &Check) -> Answer<Job> {
    post("api/v1/checks?wait=10", body).await
}

/// `GET notifiers`.
pub async fn notifiers() -> Answer<Page<Notifier>> {
    get("api/v1/notifiers").await
}

/// `POST notifiers/{name}/test`; waits a little for the end.
pub async fn test_notifier(name: &str) -> Answer<Delivery> {
    post(&format!("api/v1/notifiers/{}/test?wait=10", encode(name)), &()).await
}

/// `POST notifiers/{name}/retry`.
pub async fn retry_notifier(name: &str) -> Answer<Retried> {
    post(&format!("api/v1/notifiers/{}/retry", encode(name)), &()).await
}

/// Follows the cursors of a list.
async fn follow<T: DeserializeOwned>(path: &str, pages: u32) -> Answer<Page<T>> {
    let mut list: Page<T> = get(path).await?;
    for _ in 1..pages {
        let Some(cursor) = list.next.take() else { break };
        let page: Page<T> = get(&format!("{path}&cursor={}", encode(&cursor))).await?;
        list.items.extend(page.items);
        list.next = page.next;
    }
    Ok(list)
}

async fn get<T: DeserializeOwned>(path: &str) -> Answer<T> {
    parse(&ask(Request::get(path), None, patience()).await?)
}

async fn delete(path: &str) -> Answer<()> {
    ask(Request::delete(path), None, patience()).await.map(drop)
}

async fn post<B: Serialize, T: DeserializeOwned>(path: &str, body: &B) -> Answer<T> {
    parse(&send(path, body).await?)
}

async fn send<B: Serialize>(path: &str, body: &B) -> Answer<String> {
    let body = serde_json::to_string(body).map_err(|error| ApiError::Unintelligible(error.to_string()))?;
    ask(Request::post(path), Some(body), patience()).await
}

fn parse<T: DeserializeOwned>(text: &str) -> Answer<T> {
    read(text).map_err(ApiError::Unintelligible)
}

/// Reads JSON, or says why that cannot be. The browser parses it: `serde_json`'s reader would be a tenth of the page.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value = js_sys::JSON::parse(text).map_err(|_| "no JSON".to_owned())?;
    serde_wasm_bindgen::from_value(value).map_err(|error| error.to_string())
}

/// Ends a request that takes too long.
fn patience() -> AbortSignal {
    AbortSignal::timeout_with_u32(PATIENCE_MS)
}

/// Sends a request. Once for all types, and boxed: every caller's future would hold a copy of it.
fn ask(
    request: RequestBuilder,
    body: Option<String>,
    signal: AbortSignal,
) -> Pin<Box<dyn Future<Output = Answer<String>>>> {
    Box::pin(async move {
        let request = request.abort_signal(Some(&signal));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body),
            None => request.build(),
        };
        let request = request.map_err(|error| ApiError::Unintelligible(error.to_string()))?;
        let answer = request.send().await.map_err(|_| ApiError::Unreachable)?;
        if !answer.ok() {
            return Err(refusal(answer).await);
        }
        answer.text().await.map_err(|_| ApiError::Unreachable)
    })
}

async fn refusal(answer: Response) -> ApiError {
    let status = answer.status();
    let body = answer.text().await.ok().and_then(|text| read::<ErrorBody>(&text).ok());
    match body {
        Some(ErrorBody { error }) => {
            ApiError::Refused { status, message: error.message, field: error.field, request_id: Some(error.request_id) }
        }
        // A proxy's own 502 has no body of ours: that is a server that cannot be reached.
        None if matches!(status, 502..=504) => ApiError::Unreachable,
        None => ApiError::Unintelligible(format!("HTTP {status}")),
    }
}
