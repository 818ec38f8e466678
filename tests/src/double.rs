//! A registry behind the port, without sockets: it answers as a test scripts it, on the fake clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tagwarden::clock::Clock as _;
use tagwarden::registry::allowance::Allowance;
use tagwarden::registry::{Answer, By, Head, Manifest, Registry, RegistryError};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::observation::Moment;
use tagwarden_model::tag::MediaType;
use tokio::sync::watch;

use crate::fake_clock::FakeClock;

/// The double. What it knows is changed by [`Double::push`] and [`Double::remove`], how it answers by [`Double::script`].
pub struct Double {
    clock: Arc<FakeClock>,
    state: Mutex<State>,
    /// What [`Play::Hang`] waits for.
    told: watch::Sender<bool>,
}

/// A request as a script sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it was sent.
    pub sent: Moment,
    /// Path of the repository.
    pub repository: String,
    /// What is asked for.
    pub ask: Ask,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The tags.
    Listing,
    /// HEAD of a tag.
    Head(TagName),
    /// GET of a tag.
    Get(TagName),
    /// GET of a manifest by digest.
    Manifest(Digest),
    /// GET of a config by digest.
    Blob(Digest),
    /// Another thing by digest.
    Other,
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Play {
    /// Truly.
    Truth,
    /// By this error.
    Fail(RegistryError),
    /// A listing with these tags only.
    Names(Vec<TagName>),
    /// The truth, under this digest header.
    Claim(Digest),
    /// These bytes and their digest instead of the tag's.
    Instead(Image),
    /// By nothing until [`Double::tell`], then truly.
    Hang,
}

/// A manifest with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The manifest.
    pub bytes: Arc<[u8]>,
    /// Of the manifest.
    pub digest: Digest,
}

struct State {
    content: BTreeMap<String, BTreeMap<TagName, Image>>,
    /// Everything that was ever pushed and is not collected.
    kept: Vec<Image>,
    script: Box<dyn FnMut(&Call) -> Play + Send>,
    latency: Millis,
    allowance: Option<Allowance>,
    calls: Option<Vec<Call>>,
    checks: u64,
    flying: usize,
    most_flying: usize,
}

impl Image {
    /// The image of a text: two texts never have the same.
    pub fn of(text: &str) -> Self {
        let bytes: Arc<[u8]> =
            serde_json::json!({ "schemaVersion": 2, "config": text }).to_string().into_bytes().into();
        Self { digest: Digest::of(&bytes), bytes }
    }
}

impl Double {
    /// An empty registry that answers truly and at once.
    pub fn new(clock: Arc<FakeClock>) -> Self {
        let state = State {
            content: BTreeMap::new(),
            kept: Vec::new(),
            script: Box::new(|_| Play::Truth),
            latency: Millis(0),
            allowance: None,
            calls: None,
            checks: 0,
            flying: 0,
            most_flying: 0,
        };
        Self { clock, state: Mutex::new(state), told: watch::Sender::new(false) }
    }

    /// Lets `tag` name an image.
    pub fn push(&self, repository: &str, tag: &TagName, image: Image) {
        let mut state = self.state();
        state.kept.push(image.clone());
        state.content.entry(repository.to_owned()).or_default().insert(tag.clone(), image);
    }

    /// Keeps a manifest that no tag names, or a config; gives its digest.
    pub fn keep(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.state().kept.push(Image { bytes: bytes.into(), digest: digest.clone() });
        digest
    }

    /// Removes a tag.
    pub fn remove(&self, repository: &str, tag: &TagName) {
        if let Some(tags) = self.state().content.get_mut(repository) {
            tags.remove(tag);
        }
    }

    /// Forgets the manifests that no tag names any more, as a registry's collector does.
    pub fn collect(&self) {
        let mut state = self.state();
        let named: Vec<Image> = state.content.values().flat_map(|tags| tags.values().cloned()).collect();
        state.kept = named;
    }

    /// How requests are answered from now on.
    pub fn script(&self, script: impl FnMut(&Call) -> Play + Send + 'static) {
        self.state().script = Box::new(script);
    }

    /// How long an answer takes from now on.
    pub fn take(&self, latency: Millis) {
        self.state().latency = latency;
    }

    /// What it says from now on that it allows.
    pub fn allow(&self, allowance: Allowance) {
        self.state().allowance = Some(allowance);
    }

    /// Answers what hangs.
    pub fn tell(&self) {
        self.told.send_replace(true);
    }

    /// Keeps requests from now on, and gives those kept so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.replace(Vec::new()).unwrap_or_default()
    }

    /// HEADs and GETs of tags so far.
    pub fn checks(&self) -> u64 {
        self.state().checks
    }

    /// Requests that were under way at once, at most.
    pub fn most_flying(&self) -> usize {
        self.state().most_flying
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer<T>(
        &self,
        repository: &RepositoryName,
        ask: Ask,
        serve: impl FnOnce(Option<&BTreeMap<TagName, Image>>, Play) -> Result<T, RegistryError>,
    ) -> Answer<T> {
        let mut worker = self.clock.worker();
        let flight = Flight::new(self);
        let sent = self.clock.now();
        let (play, latency) = {
            let mut state = self.state();
            let call = Call { sent, repository: repository.path.clone(), ask };
            state.checks += u64::from(matches!(call.ask, Ask::Head(_) | Ask::Get(_)));
            let play = (state.script)(&call);
            state.calls.iter_mut().for_each(|calls| calls.push(call.clone()));
            (play, state.latency)
        };
        if matches!(play, Play::Hang) {
            // Time goes on while nobody answers.
            drop(worker);
            let _ = self.told.subscribe().wait_for(|told| *told).await;
            worker = self.clock.worker();
        }
        if latency > Millis(0) {
            self.clock.sleep_until(sent.mono.after(latency)).await;
        } else {
            tokio::task::yield_now().await;
        }
        let result = match play {
            Play::Fail(error) => Err(error),
            play => serve(self.state().content.get(&repository.path), play),
        };
        let received = self.clock.now();
        let date = Some(Instant(received.mark.wall.0.div_euclid(1000) * 1000));
        drop((flight, worker));
        Answer { sent, received, date, result }
    }
}

fn missing(code: Option<&str>) -> RegistryError {
    RegistryError::NotFound { code: code.map(str::to_owned) }
}

/// What a tag names, by the script, and the digest header that comes with it.
fn named(tags: Option<&BTreeMap<TagName, Image>>, tag: &TagName, play: Play) -> Result<(Image, Digest), RegistryError> {
    let image = match &play {
        Play::Instead(image) => image.clone(),
        _ => tags.and_then(|tags| tags.get(tag)).cloned().ok_or_else(|| missing(Some("MANIFEST_UNKNOWN")))?,
    };
    let claim = if let Play::Claim(claim) = play { claim } else { image.digest.clone() };
    Ok((image, claim))
}

impl Registry for Double {
    fn allowance(&self) -> Option<Allowance> {
        self.state().allowance
    }

    async fn list_tags(&self, repository: &RepositoryName) -> Answer<Vec<TagName>> {
        let serve = |tags: Option<&BTreeMap<TagName, Image>>, play| match play {
            Play::Names(names) => Ok(names),
            _ => Ok(tags.ok_or_else(|| missing(Some("NAME_UNKNOWN")))?.keys().cloned().collect()),
        };
        self.answer(repository, Ask::Listing, serve).await
    }

    async fn head(&self, repository: &RepositoryName, tag: &TagName, known: Option<&Digest>) -> Answer<Head> {
        let serve = |tags: Option<&BTreeMap<TagName, Image>>, play| {
            // HEAD has no body to say more.
            let (_, claim) = named(tags, tag, play).map_err(|_| missing(None))?;
            if known == Some(&claim) {
                return Ok(Head::NotModified);
            }
            Ok(Head::Present { claim: Some(claim), media_type: MediaType::OciManifest })
        };
        self.answer(repository, Ask::Head(tag.clone()), serve).await
    }

    async fn manifest(&self, repository: &RepositoryName, by: By<'_>) -> Answer<Manifest> {
        let manifest = |image: Image, claim| {
            let (bytes, digest) = (image.bytes.to_vec(), image.digest);
            Manifest { bytes, digest, claim: Some(claim), media_type: MediaType::OciManifest }
        };
        let tag = match by {
            By::Tag(tag) => tag,
            By::Digest(digest) => {
                let kept = self.state().kept.iter().find(|image| image.digest == *digest).cloned();
                let serve = |_: Option<&BTreeMap<TagName, Image>>, _| {
                    kept.map(|image| manifest(image, digest.clone())).ok_or_else(|| missing(Some("MANIFEST_UNKNOWN")))
                };
                return self.answer(repository, Ask::Manifest(digest.clone()), serve).await;
            }
        };
        let serve = |tags: Option<&BTreeMap<TagName, Image>>, play| {
            let (image, claim) = named(tags, tag, play)?;
            Ok(manifest(image, claim))
        };
        self.answer(repository, Ask::Get(tag.clone()), serve).await
    }

    async fn blob(&self, repository: &RepositoryName, digest: &Digest) -> Answer<Vec<u8>> {
        let kept = self.state().kept.iter().find(|kept| kept.digest == *digest).map(|kept| kept.bytes.to_vec());
        let serve = |_: Option<&BTreeMap<TagName, Image>>, _| kept.ok_or_else(|| missing(Some("BLOB_UNKNOWN")));
        self.answer(repository, Ask::Blob(digest.clone()), serve).await
    }

    async fn has_blob(&self, repository: &RepositoryName, _: &Digest) -> Answer<bool> {
        self.answer(repository, Ask::Other, |_, _| Ok(false)).await
    }

    async fn has_manifest(&self, repository: &RepositoryName, _: &Digest) -> Answer<bool> {
        self.answer(repository, Ask::Other, |_, _| Ok(false)).await
    }
}

/// A request under way, also one that is dropped.
struct Flight<'a>(&'a Double);

impl<'a> Flight<'a> {
    fn new(double: &'a Double) -> Self {
        let mut state = double.state();
        state.flying += 1;
        state.most_flying = state.most_flying.max(state.flying);
        drop(state);
        Self(double)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.state().flying -= 1;
    }
}
