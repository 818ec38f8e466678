//! Being let in: Basic and Bearer authentication (distribution-spec, "Token Authentication").

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, Request, StatusCode, Url};
use serde::Deserialize;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::RepositoryName;
use tagwarden_model::observation::{Moment, Mono};

use super::RegistryError;
use super::challenge::Challenge;
use super::credentials::{Credential, Credentials, Secret, basic};
use super::reach::Reach;
use super::retry::Fault;
use super::scope::{Right, Scopes};
use super::transport::{Reply, To, Transport};
use crate::clock::SharedClock;

/// What one registry has taught us about its authentication, and the tokens it accepts.
pub struct Auth {
    base: Url,
    credentials: Credentials,
    reach: Reach,
    clock: SharedClock,
    learned: Mutex<Learned>,
    tokens: Mutex<HashMap<TokenKey, Arc<tokio::sync::Mutex<Slot>>>>,
}

/// What a request is about, for credentials and scope.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Whose credentials are used.
    pub repository: &'a RepositoryName,
    /// What a token has to allow.
    pub right: Right,
}

/// What a request was sent with.
#[derive(Clone)]
pub struct Grant {
    /// The `Authorization` header.
    pub header: HeaderValue,
    scopes: Scopes,
}

/// So that requests need not be refused first.
#[derive(Default)]
struct Learned {
    scheme: Option<Scheme>,
    /// The scopes that the registry asked for, by repository, where they are not the usual ones.
    scopes: HashMap<String, Scopes>,
    /// Repositories that refused our user name and password: until when they are not shown again, and what was said.
    refusals: HashMap<String, (Mono, String)>,
}

#[derive(Clone)]
enum Scheme {
    Basic,
    Bearer(Service),
}

/// A token service.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Service {
    realm: Url,
    service: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct TokenKey {
    service: Service,
    /// Sorted, so that the order in which a registry names scopes does not matter.
    scopes: Vec<String>,
    /// The key of the credential; `None` for anonymous tokens.
    credential: Option<String>,
}

/// The state of one token. Whoever holds its lock fetches; the others wait for the result (single flight).
#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    Token {
        header: HeaderValue,
        until: Mono,
    },
    /// Counts for those who waited when it happened, and until `until`.
    Failed {
        fault: Fault,
        at: Mono,
        until: Mono,
    },
}

/// Token services' answers are read to here.
const MAX_TOKEN_BODY: usize = 128 * 1024;
/// What a token lives if its service does not say, and at least (distribution-spec, "Token Response Fields").
const SHORTEST_LIFE: Millis = Millis::seconds(60);
/// What a token lives at most, whatever its service says.
const LONGEST_LIFE: Millis = Millis::hours(12);
/// A token is renewed this long before its end.
const EARLY: Millis = Millis::seconds(5);
/// How long refused credentials are not shown again, so that a wrong password does not lock an account.
const REFUSAL_STANDS: Millis = Millis::seconds(30);
/// Repositories and tokens remembered; a registry cannot fill the memory by naming ever new realms.
const MAX_REMEMBERED: usize = 10_000;

impl Auth {
    /// Nothing learned yet. `base` is the registry's URL, which relative realms belong to.
    pub fn new(base: Url, credentials: Credentials, reach: Reach, clock: SharedClock) -> Self {
        Self { base, credentials, reach, clock, learned: Mutex::default(), tokens: Mutex::default() }
    }

    /// What to send a request with, by what is known so far; `None` for nothing.
    pub async fn before(&self, transport: &Transport, subject: Subject<'_>) -> Result<Option<Grant>, Fault> {
        let credential = self.credentials.find(subject.repository).map(|(_, credential)| credential);
        if let Some(Credential::RegistryToken { token }) = credential {
            return Ok(Some(Grant { header: bearer(token)?, scopes: Scopes::default() }));
        }
        let (scheme, scopes) = {
            let learned = self.learned();
            let scopes = learned.scopes.get(&subject.repository.path).filter(|_| subject.right == Right::Pull).cloned();
            (learned.scheme.clone(), scopes.unwrap_or_else(|| usual(subject)))
        };
        match scheme {
            None => Ok(None),
            Some(Scheme::Basic) => match credential {
                Some(Credential::Basic { username, password }) => {
                    let now = self.clock.now().mono;
                    let learned = self.learned();
                    match learned.refusals.get(&subject.repository.path).filter(|(until, _)| now < *until) {
                        Some((_, message)) => Err(refused(message.clone())),
                        None => Ok(Some(basic_grant(username, password)?)),
                    }
                }
                _ => Ok(None),
            },
            Some(Scheme::Bearer(service)) => {
                let header = self.token(transport, subject, &service, &scopes, None).await;
                // A service that is not there was never the registry's, or is not any more: the next request learns anew.
                if let Err(Fault::Again { .. } | Fault::Final(RegistryError::Unintelligible { .. })) = &header {
                    self.learned().scheme = None;
                }
                Ok(Some(Grant { header: header?, scopes }))
            }
        }
    }

    /// What to send a request with that was answered with 401; a fault when nothing better is to be had. `round` counts
    /// the 401s of this request from 1.
    pub async fn after(
        &self,
        transport: &Transport,
        subject: Subject<'_>,
        reply: &Reply,
        sent: Option<&Grant>,
        round: u32,
    ) -> Result<Grant, Fault> {
        let found = self.credentials.find(subject.repository);
        let challenge = Challenge::of(&reply.headers);
        if let Some((key, Credential::RegistryToken { .. })) = found {
            return Err(refused(format!("the registry token {} was refused ({})", under(key), reply.said())));
        }
        match challenge {
            None => Err(refused(format!("{}, without a challenge that can be answered", reply.said()))),
            Some(Challenge::Basic) => {
                let grant = match found {
                    Some((_, Credential::Basic { username, password })) => basic_grant(username, password)?,
                    _ => return Err(refused(self.missing(subject))),
                };
                if let (Some(sent), Some((key, _))) = (sent, found)
                    && sent.header == grant.header
                {
                    let message = format!("user name and password {} are wrong ({})", under(key), reply.said());
                    let until = self.clock.now().mono.after(REFUSAL_STANDS);
                    let mut learned = self.learned();
                    make_room(&mut learned.refusals);
                    learned.refusals.insert(subject.repository.path.clone(), (until, message.clone()));
                    return Err(refused(message));
                }
                if round > 1 {
                    return Err(refused(reply.said()));
                }
                self.learned().scheme = Some(Scheme::Basic);
                Ok(grant)
            }
            Some(Challenge::Bearer { realm, service, scope, error }) => {
                let mut scopes = scope.map_or_else(|| usual(subject), |scope| Scopes::parse(&scope));
                let weak = error.as_deref() == Some("insufficient_scope");
                if weak && let Some(sent) = sent {
                    // The missing scope first: some services look only at the first (go-containerregistry, bearer.go).
                    scopes.add(&sent.scopes);
                }
                let more = sent.is_none_or(|sent| sent.scopes.sorted() != scopes.sorted());
                if round > 1 && !(round == 2 && weak && more) {
                    return Err(refused(self.too_weak(subject, reply)));
                }
                let service = Service { realm: self.realm(&realm)?, service };
                self.learn(subject, &service, &scopes);
                let stale = sent.map(|sent| &sent.header);
                let header = self.token(transport, subject, &service, &scopes, stale).await?;
                Ok(Grant { header, scopes })
            }
        }
    }

    fn learn(&self, subject: Subject<'_>, service: &Service, scopes: &Scopes) {
        let mut learned = self.learned();
        learned.scheme = Some(Scheme::Bearer(service.clone()));
        if subject.right != Right::Pull {
            return;
        }
        let path = &subject.repository.path;
        if scopes.sorted() == usual(subject).sorted() {
            learned.scopes.remove(path);
            return;
        }
        make_room(&mut learned.scopes);
        learned.scopes.insert(path.clone(), scopes.clone());
    }

    /// The URL of a token service, if we may go there.
    fn realm(&self, realm: &str) -> Result<Url, Fault> {
        let url =
            self.base.join(realm).map_err(|error| refused(format!("the token service's URL is wrong: {error}")))?;
        self.reach.check(&url).map_err(refused)?;
        Ok(url)
    }

    /// A token that is valid now and is not `stale`: from the cache, or fetched by one request for all who wait.
    async fn token(
        &self,
        transport: &Transport,
        subject: Subject<'_>,
        service: &Service,
        scopes: &Scopes,
        stale: Option<&HeaderValue>,
    ) -> Result<HeaderValue, Fault> {
        let found = self.credentials.find(subject.repository);
        let key = TokenKey {
            service: service.clone(),
            scopes: scopes.sorted(),
            credential: found.map(|(key, _)| key.to_owned()),
        };
        let waiting_since = self.clock.now().mono;
        let slot = self.slot(key);
        let mut slot = slot.lock().await;
        let asked = self.clock.now();
        match &*slot {
            Slot::Token { header, until } if asked.mono < *until && Some(header) != stale => return Ok(header.clone()),
            Slot::Failed { fault, at, until } if waiting_since < *at || asked.mono < *until => {
                return Err(fault.clone());
            }
            _ => {}
        }
        let fetched = self.fetch(transport, service, scopes, found).await;
        let at = self.clock.now().mono;
        match fetched {
            Ok(token) => {
                let header = bearer(&token.secret)?;
                let until = asked.mono.after(Millis(token.life(asked).0 - EARLY.0));
                transport.mask().add(token.secret);
                *slot = Slot::Token { header: header.clone(), until };
                Ok(header)
            }
            Err(fault) => {
                let final_refusal = matches!(fault, Fault::Final(RegistryError::Refused { .. }));
                let until = if final_refusal { at.after(REFUSAL_STANDS) } else { at };
                *slot = Slot::Failed { fault: fault.clone(), at, until };
                Err(fault)
            }
        }
    }

    fn slot(&self, key: TokenKey) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_REMEMBERED {
            tokens.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        tokens.entry(key).or_default().clone()
    }

    async fn fetch(
        &self,
        transport: &Transport,
        service: &Service,
        scopes: &Scopes,
        found: Option<(&str, &Credential)>,
    ) -> Result<Token, Fault> {
        let request = token_request(service, scopes, found.map(|(_, credential)| credential))?;
        let reply = transport.send(To::TokenService, request, MAX_TOKEN_BODY).await?;
        let host = service.realm.host_str().unwrap_or_default();
        match reply.status {
            StatusCode::OK => {}
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let whom =
                    found.map_or("us without credentials".into(), |(key, _)| format!("the credentials {}", under(key)));
                return Err(refused(format!("the token service {host} refused {whom} ({})", reply.said())));
            }
            _ => {
                let message = format!("the token service {host} answered {}", reply.said());
                return Err(match Fault::of(&reply, self.clock.now().mark.wall) {
                    Some(Fault::Limited { after, .. }) => Fault::Limited { by: To::TokenService, after, message },
                    Some(Fault::Again { after, .. }) => {
                        let error = RegistryError::Server { status: reply.status.as_u16(), message };
                        Fault::Again { error, after }
                    }
                    // A missing token service says nothing about tags: its 404 is no `NotFound`.
                    _ => Fault::Final(RegistryError::Unintelligible { message }),
                });
            }
        }
        Token::parse(&reply.body).ok_or_else(|| {
            let message = format!("the token service {host} sent no token");
            Fault::Final(RegistryError::Unintelligible { message })
        })
    }

    /// Why a registry that wants user name and password gets none.
    fn missing(&self, subject: Subject<'_>) -> String {
        let host = &subject.repository.host;
        match self.credentials.find(subject.repository) {
            Some((key, _)) => {
                format!("{host} wants a user name and a password; the entry {} has only a token", under(key))
            }
            None if self.credentials.needs_helper(subject.repository) => format!(
                "{host} wants a user name and a password; the credentials file leaves them to a helper program, which is not run: put them under `auths`"
            ),
            None => {
                format!("{host} wants a user name and a password; put them into the credentials file under `{host}`")
            }
        }
    }

    /// Why a registry refuses what a token service has just given.
    fn too_weak(&self, subject: Subject<'_>, reply: &Reply) -> String {
        let (name, said) = (subject.repository, reply.said());
        match self.credentials.find(subject.repository) {
            Some((key, _)) => format!("the credentials {} do not allow pulling {name} ({said})", under(key)),
            None => format!("{name} does not exist or needs credentials ({said})"),
        }
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// GET with Basic, or POST with the identity token (distribution-spec, "OAuth2 token authentication").
fn token_request(service: &Service, scopes: &Scopes, credential: Option<&Credential>) -> Result<Request, Fault> {
    if let Some(Credential::IdentityToken { token }) = credential {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token.expose());
        form.append_pair("client_id", "tagwarden").append_pair("scope", &scopes.in_order().join(" "));
        if let Some(service) = &service.service {
            form.append_pair("service", service);
        }
        let mut request = Request::new(Method::POST, service.realm.clone());
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(reqwest::header::CONTENT_TYPE, form_type);
        *request.body_mut() = Some(form.finish().into());
        return Ok(request);
    }
    let mut url = service.realm.clone();
    let mut headers = HeaderMap::new();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = &service.service {
            query.append_pair("service", service);
        }
        for scope in scopes.in_order() {
            query.append_pair("scope", scope);
        }
        query.append_pair("client_id", "tagwarden");
        if let Some(Credential::Basic { username, password }) = credential {
            query.append_pair("account", username);
            headers.insert(AUTHORIZATION, basic_grant(username, password)?.header);
        }
    }
    let mut request = Request::new(Method::GET, url);
    *request.headers_mut() = headers;
    Ok(request)
}

/// A token as its service sent it.
struct Token {
    secret: Secret,
    expires_in: Option<Millis>,
    issued_at: Option<Instant>,
}

#[derive(Deserialize)]
struct TokenBody {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    expires_in: serde_json::Value,
    #[serde(default)]
    issued_at: serde_json::Value,
}

impl Token {
    fn parse(body: &[u8]) -> Option<Self> {
        let body: TokenBody = serde_json::from_slice(body).ok()?;
        let token = [body.token, body.access_token].into_iter().flatten().find(|token| !token.is_empty())?;
        HeaderValue::from_str(&token).ok()?;
        // Some services send the number as text, or with a fraction.
        let seconds = body.expires_in.as_f64().or_else(|| body.expires_in.as_str()?.parse().ok());
        Some(Self {
            secret: Secret::new(token),
            expires_in: seconds.map(|seconds| Millis((seconds * 1000.0) as i64)),
            issued_at: body.issued_at.as_str().and_then(|text| text.parse().ok()),
        })
    }

    /// How long the token is good for, from the moment it was asked for.
    fn life(&self, asked: Moment) -> Millis {
        let life = self.expires_in.unwrap_or(SHORTEST_LIFE).clamp(SHORTEST_LIFE, LONGEST_LIFE);
        // An age that makes no sense comes from clocks that differ; then the token was issued now.
        let age = self.issued_at.map_or(Millis(0), |issued| asked.mark.wall - issued);
        if (0..life.0).contains(&age.0) { Millis(life.0 - age.0) } else { life }
    }
}

/// Forgets everything rather than growing without end; what is forgotten is learned again.
fn make_room<V>(map: &mut HashMap<String, V>) {
    if map.len() >= MAX_REMEMBERED {
        map.clear();
    }
}

fn usual(subject: Subject<'_>) -> Scopes {
    Scopes::of(subject.right, &subject.repository.path)
}

fn refused(message: String) -> Fault {
    Fault::Final(RegistryError::Refused { message })
}

/// Names an entry of the credentials file.
fn under(key: &str) -> String {
    if key.is_empty() { "that are configured".to_owned() } else { format!("under `{key}`") }
}

fn bearer(token: &Secret) -> Result<HeaderValue, Fault> {
    secret_header(&format!("Bearer {}", token.expose()))
}

fn basic_grant(username: &str, password: &Secret) -> Result<Grant, Fault> {
    Ok(Grant { header: secret_header(&format!("Basic {}", basic(username, password)))?, scopes: Scopes::default() })
}

fn secret_header(text: &str) -> Result<HeaderValue, Fault> {
    let mut header = HeaderValue::from_str(text)
        .map_err(|_| refused("the token has characters that no HTTP header may have".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tagwarden_model::tag::Mark;

    fn life(body: &str) -> Option<i64> {
        let asked =
            Moment { mono: Mono(1), mark: Mark { generation: 1, wall: "2026-11-23T12:00:00Z".parse().unwrap() } };
        Token::parse(body.as_bytes()).map(|token| token.life(asked).0 / 1000)
    }

    #[test]
    fn the_life_of_a_token_is_clamped() {
        assert_eq!(life(r#"{"token":"t"}"#), Some(60));
        assert_eq!(life(r#"{"token":"t","expires_in":5}"#), Some(60));
        assert_eq!(life(r#"{"token":"t","expires_in":-1e300}"#), Some(60));
        assert_eq!(life(r#"{"token":"t","expires_in":300}"#), Some(300));
        assert_eq!(life(r#"{"token":"t","expires_in":"300"}"#), Some(300));
        assert_eq!(life(r#"{"token":"t","expires_in":1e18}"#), Some(12 * 3600));
        assert_eq!(life(r#"{"token":"t","expires_in":300,"issued_at":"2026-11-23T11:59:00Z"}"#), Some(240));
        assert_eq!(life(r#"{"token":"t","expires_in":300,"issued_at":"2026-11-23T12:10:00Z"}"#), Some(300), "future");
        assert_eq!(life(r#"{"token":"t","expires_in":300,"issued_at":"2020-01-01T00:00:00Z"}"#), Some(300), "past");
        assert_eq!(life(r#"{"token":"t","expires_in":300,"issued_at":7}"#), Some(300), "nonsense");
    }

    #[test]
    fn either_name_of_the_token_will_do() {
        let token = |body: &str| Token::parse(body.as_bytes()).map(|token| token.secret.expose().to_owned());
        assert_eq!(token(r#"{"token":"","access_token":"b"}"#).as_deref(), Some("b"));
        assert_eq!(token(r#"{"token":"a","access_token":"b"}"#).as_deref(), Some("a"));
        assert_eq!(token(r#"{"token":null}"#), None);
        assert_eq!(token("<html>"), None);
    }
}
