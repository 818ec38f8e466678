//! `tagwarden check`: walks through everything Tagwarden does with a registry, for a person who debugs credentials.

use std::fmt;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};
use tagwarden_model::digest::Digest;
use tagwarden_model::name::{Reference, RepositoryName, TagName};

use crate::clock::SharedClock;
use crate::registry::client::{HttpRegistry, RegistrySettings};
use crate::registry::transport::{Exchange, Recorder};
use crate::registry::{Answer, By, Head, Manifest, Registry, RegistryError};

/// What was done and what came of it, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// What was asked about.
    pub reference: String,
    /// Whether Tagwarden can watch it.
    pub ok: bool,
    /// In the order in which they were taken; those after a failure that decides everything are missing.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was tried.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What was concluded.
    pub found: String,
    /// What to do, where something should be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The requests that were sent for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<SentRequest>,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should.
    Ok,
    /// Tagwarden can work with it, but not as well as with others.
    Warning,
    /// Tagwarden cannot watch this.
    Failed,
}

/// One request of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentRequest {
    /// `HEAD`, `GET`, `POST`.
    pub method: String,
    /// Where it went.
    pub url: String,
    /// Where redirects led.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirected_to: Option<String>,
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// Whether it was sent with an `Authorization` header.
    pub authorized: bool,
    /// What the answer asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub challenges: Vec<String>,
    /// What went wrong, if nothing was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The check found that Tagwarden cannot watch the reference; the report says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the check failed; see the step marked with `failed`")]
pub struct CheckFailed;

/// Checks a reference and prints the report to standard output, as JSON if asked for.
///
/// `settings` gives the settings of the registry at a host, and says where its credentials come from.
pub async fn run(
    reference: &str,
    json: bool,
    settings: impl FnOnce(&str) -> (RegistrySettings, String),
    clock: SharedClock,
) -> Result<(), CheckFailed> {
    let report = check(reference, settings, clock).await;
    if json {
        println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        print!("{report}");
    }
    if report.ok { Ok(()) } else { Err(CheckFailed) }
}

/// Checks a reference; see [`run`].
pub async fn check(
    reference: &str,
    settings: impl FnOnce(&str) -> (RegistrySettings, String),
    clock: SharedClock,
) -> CheckReport {
    let mut steps = Steps { recorder: Recorder::default(), taken: Vec::new() };
    // An error ends the walk early; what it has to say stands in the last step.
    let _ = walk(reference, settings, clock, &mut steps).await;
    let ok = steps.taken.iter().all(|step| step.outcome != Outcome::Failed);
    CheckReport { reference: reference.chars().take(400).collect(), ok, steps: steps.taken }
}

/// A step failed so that no further one makes sense.
struct Stop;

async fn walk(
    reference: &str,
    settings: impl FnOnce(&str) -> (RegistrySettings, String),
    clock: SharedClock,
    steps: &mut Steps,
) -> Result<(), Stop> {
    let Reference { repository, tag, digest } = match reference.parse::<Reference>() {
        Ok(reference) => reference,
        Err(error) => return steps.fail("name", error.to_string(), "write the name as you would for docker pull"),
    };
    let (mut settings, source) = settings(&repository.host);
    // A person waits, and wants to see the first failure.
    settings.retry.delays.clear();
    let base = settings.base().map_or_else(|error| error.to_string(), |url| url.to_string());
    steps.ok("name", format!("{reference} is {repository}, asked for at {base}"));
    credentials(&settings, &source, &repository, steps);
    let registry = match HttpRegistry::recorded(settings, clock, Some(steps.recorder.clone())) {
        Ok(registry) => registry,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            return steps.fail("settings", format!("{error}{cause}"), "correct the registry's entry");
        }
    };
    let probed = registry.probe(&repository).await;
    let probe = probed.result.map(|()| "a registry answers and lets us in".to_owned());
    // Some registries refuse the probe and allow everything else, so that only a missing connection ends the walk.
    let unreachable = matches!(probe, Err(RegistryError::Unreachable { .. }));
    steps.take("probe", probe, Outcome::Warning);
    if unreachable {
        steps.escalate();
        return Err(Stop);
    }
    let listed = registry.list_tags(&repository).await;
    let tags = listed.result.as_ref().ok().cloned().unwrap_or_default();
    steps.take("tags", listed.result.map(|tags| list(&tags)), Outcome::Failed);
    let Some(name) = tag.or_else(|| tags.iter().find(|tag| tag.as_str() == "latest").or(tags.first()).cloned()) else {
        if let Some(digest) = digest {
            read(&registry, &repository, By::Digest(&digest), steps).await;
        }
        return Ok(());
    };
    let head = registry.head(&repository, &name, None).await;
    let claim = match &head.result {
        Ok(Head::Present { claim, .. }) => claim.clone(),
        _ => None,
    };
    head_step(&name, head, steps);
    if let Some(known) = &claim {
        let again = registry.head(&repository, &name, Some(known)).await;
        steps.take("conditional", again.result.map(|head| conditional(&head)), Outcome::Warning);
    }
    let manifest = read(&registry, &repository, digest.as_ref().map_or(By::Tag(&name), By::Digest), steps).await;
    if let (Some(manifest), Some(claim), None) = (&manifest, &claim, &digest)
        && !claim.matches(&manifest.bytes)
    {
        let found = format!("HEAD names {claim}, the bytes have {}", manifest.digest);
        let advice = "either the tag moved just now, or the registry's header cannot be trusted; check again";
        steps.push("hash", Outcome::Warning, found, Some(advice.to_owned()));
    }
    if let Some(manifest) = manifest {
        children(&registry, &repository, &manifest, steps).await;
    }
    Ok(())
}

fn credentials(settings: &RegistrySettings, source: &str, repository: &RepositoryName, steps: &mut Steps) {
    match settings.credentials.find(repository) {
        Some(("", _)) => steps.ok("credentials", format!("those of {source}")),
        Some((key, _)) => steps.ok("credentials", format!("those under `{key}` of {source}")),
        None if settings.credentials.needs_helper(repository) => {
            let found = format!("none: {source} leaves {} to a credential helper", repository.host);
            let advice = "helpers are not run; put the credentials under `auths`";
            steps.push("credentials", Outcome::Warning, found, Some(advice.to_owned()));
        }
        None => steps.ok("credentials", format!("none in {source}; asking anonymously")),
    }
}

fn list(tags: &[TagName]) -> String {
    let some: Vec<_> = tags.iter().take(5).map(TagName::as_str).collect();
    match tags.len() {
        0 => "the list has no tags".to_owned(),
        count if count > some.len() => format!("{count} tags: {}, …", some.join(", ")),
        count => format!("{count} tags: {}", some.join(", ")),
    }
}

fn head_step(tag: &TagName, head: Answer<Head>, steps: &mut Steps) {
    match head.result {
        Ok(Head::Present { claim: None, media_type }) => {
            let advice = "nothing: Tagwarden will read the manifest at each check instead, which some registries count";
            let found = format!("{tag} is there ({media_type}), without a digest header");
            steps.push("head", Outcome::Warning, found, Some(advice.to_owned()));
        }
        Ok(Head::Present { claim: Some(claim), media_type }) => {
            steps.ok("head", format!("{tag} is {claim} ({media_type})"));
        }
        Ok(Head::NotModified) => steps.ok("head", "unchanged".to_owned()),
        Ok(Head::Unsupported) => {
            let advice = "nothing: Tagwarden will read the manifest at each check instead, which some registries count";
            let found = "the registry does not answer HEAD (405)".to_owned();
            steps.push("head", Outcome::Warning, found, Some(advice.to_owned()));
        }
        Err(error) => steps.take("head", Err(error), Outcome::Failed),
    }
}

fn conditional(head: &Head) -> String {
    match head {
        Head::NotModified => "the registry answers conditional requests".to_owned(),
        Head::Unsupported => "the registry does not answer HEAD".to_owned(),
        Head::Present { .. } => "the registry answers conditional requests in full, which does no harm".to_owned(),
    }
}

async fn read(registry: &HttpRegistry, repository: &RepositoryName, by: By<'_>, steps: &mut Steps) -> Option<Manifest> {
    let answer = registry.manifest(repository, by).await;
    let manifest = answer.result.as_ref().ok().cloned();
    let found = answer.result.map(|manifest| {
        let Manifest { bytes, digest, claim, media_type } = manifest;
        let header = match &claim {
            Some(claim) if claim.matches(&bytes) => "as its header says",
            Some(_) => "which is NOT what its header says",
            None => "without a digest header",
        };
        format!("{} bytes of {media_type} hash to {digest}, {header}", bytes.len())
    });
    steps.take("manifest", found, Outcome::Failed);
    manifest
}

/// What of an index or a manifest matters here.
#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    manifests: Vec<Part>,
    #[serde(default)]
    layers: Vec<Part>,
    config: Option<Part>,
}

#[derive(Deserialize)]
struct Part {
    digest: String,
}

/// Asks for what the manifest refers to: at most 20 parts.
async fn children(registry: &HttpRegistry, repository: &RepositoryName, manifest: &Manifest, steps: &mut Steps) {
    const MOST: usize = 20;
    let Ok(parts) = serde_json::from_slice::<Parts>(&manifest.bytes) else {
        let advice = "pull the image with another tool; if that works, report this as an error of Tagwarden";
        let _ = steps.fail("parts", "the manifest does not say what it consists of".to_owned(), advice);
        return;
    };
    let index = manifest.media_type.is_index();
    let all: Vec<_> = if index { parts.manifests } else { parts.config.into_iter().chain(parts.layers).collect() };
    let mut missing = Vec::new();
    for part in all.iter().take(MOST) {
        let Ok(digest) = part.digest.parse::<Digest>() else {
            missing.push("a part whose digest is none".to_owned());
            continue;
        };
        let there = if index {
            registry.has_manifest(repository, &digest).await
        } else {
            registry.has_blob(repository, &digest).await
        };
        match there.result {
            Ok(true) => {}
            Ok(false) => missing.push(digest.to_string()),
            Err(error) => return steps.take("parts", Err(error), Outcome::Warning),
        }
    }
    let kind = if index { "manifests of platforms" } else { "config and layers" };
    if missing.is_empty() {
        let asked = all.len().min(MOST);
        return steps.ok("parts", format!("{asked} of {} {kind} asked for, all there", all.len()));
    }
    let found = format!("missing: {}", missing.join(", "));
    let advice = "the image cannot be pulled; push it again";
    steps.push("parts", Outcome::Warning, found, Some(advice.to_owned()));
}

struct Steps {
    recorder: Recorder,
    taken: Vec<Step>,
}

impl Steps {
    /// Adds a step with all requests since the last one.
    fn push(&mut self, name: &'static str, outcome: Outcome, found: String, advice: Option<String>) {
        let sent = std::mem::take(&mut *self.recorder.lock().unwrap_or_else(PoisonError::into_inner));
        let requests = sent.into_iter().map(SentRequest::from).collect();
        self.taken.push(Step { name, outcome, found, advice, requests });
    }

    fn ok(&mut self, name: &'static str, found: String) {
        self.push(name, Outcome::Ok, found, None);
    }

    fn fail(&mut self, name: &'static str, found: String, advice: &str) -> Result<(), Stop> {
        self.push(name, Outcome::Failed, found, Some(advice.to_owned()));
        Err(Stop)
    }

    fn take(&mut self, name: &'static str, result: Result<String, RegistryError>, if_not: Outcome) {
        match result {
            Ok(found) => self.ok(name, found),
            Err(error) => self.push(name, if_not, error.to_string(), Some(advice(&error).to_owned())),
        }
    }

    /// The last step decides after all.
    fn escalate(&mut self) {
        if let Some(step) = self.taken.last_mut() {
            step.outcome = Outcome::Failed;
        }
    }
}

/// What a person can do about an error.
fn advice(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::NotFound { .. } => {
            "check the name; many registries also answer so when credentials are missing or too weak"
        }
        RegistryError::Refused { .. } => {
            "log in with docker login and point Tagwarden to that config.json, or ask for the right to pull"
        }
        RegistryError::RateLimited { .. } | RegistryError::Spent { .. } => {
            "wait; with credentials most registries allow more"
        }
        // rustls refuses what `openssl req -x509` makes by default.
        RegistryError::Unreachable { message } if message.contains("CaUsedAsEndEntity") => {
            "the registry's certificate is a certificate authority's own; make one with basicConstraints=CA:FALSE"
        }
        RegistryError::Unreachable { message } if message.contains("certificate") => {
            "name the registry's certificate authority with `ca_file`"
        }
        RegistryError::Unreachable { message } if message.contains("InvalidContentType") => {
            "the registry has no TLS; set `plain_http`"
        }
        RegistryError::Unintelligible { message } if message.contains("HTTP request to an HTTPS server") => {
            "the registry has TLS; set `url` to https://… with its host"
        }
        RegistryError::Unreachable { .. } => "check host, port, proxy and firewall",
        RegistryError::Server { .. } => "look into the registry's own log",
        RegistryError::Unintelligible { .. } => {
            "check that the host is a registry and that no sign-in page is in between"
        }
    }
}

impl From<Exchange> for SentRequest {
    fn from(exchange: Exchange) -> Self {
        Self {
            method: exchange.method.to_string(),
            url: exchange.url,
            redirected_to: exchange.redirected_to,
            status: exchange.status,
            took_ms: exchange.took.0,
            authorized: exchange.authorized,
            challenges: exchange.challenges,
            error: exchange.error,
        }
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let mark = match step.outcome {
                Outcome::Ok => "ok",
                Outcome::Warning => "warning",
                Outcome::Failed => "failed",
            };
            writeln!(f, "{mark:<8} {:<12} {}", step.name, step.found)?;
            for request in &step.requests {
                let status = request.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
                let with = if request.authorized { ", with credentials" } else { "" };
                let SentRequest { method, url, took_ms, .. } = request;
                writeln!(f, "{:21} {method} {url}: {status}, {took_ms} ms{with}", "")?;
                for line in &request.challenges {
                    writeln!(f, "{:23} asks for {line}", "")?;
                }
                if let Some(to) = &request.redirected_to {
                    writeln!(f, "{:23} redirected to {to}", "")?;
                }
            }
            if let Some(advice) = &step.advice {
                writeln!(f, "{:21} -> {advice}", "")?;
            }
        }
        writeln!(f, "{}", if self.ok { "Tagwarden can watch this." } else { "Tagwarden cannot watch this." })
    }
}
