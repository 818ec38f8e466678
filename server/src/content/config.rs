//! Configs of images.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use sha2::{Digest as _, Sha256};
use tagwarden_model::change::{Config, History};
use tagwarden_model::digest::Digest;

use super::json::{self, ContentError, Feed, List, Map, Object, Strict};
use super::manifest::Runs;

/// Reads the config of an image.
pub(super) fn parse(bytes: &[u8]) -> Result<Config, ContentError> {
    Ok(json::parse::<Strict<Whole>>(bytes)?.0)
}

/// The whole config.
#[derive(Default)]
struct Whole(Config, Runs);

impl Object for Whole {
    type Value = Config;

    const KEYS: &'static [&'static str] =
        &["os", "architecture", "variant", "os.version", "os.features", "created", "config", "rootfs", "history"];

    fn known<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "created" => self.0.created = map.next_value()?,
            "config" => self.run(json::object::<Run, A>(map)?.unwrap_or_default()),
            "rootfs" => {
                let rootfs = json::object::<RootFs, A>(map)?.unwrap_or_default();
                self.0.diff_ids = rootfs.diff_ids;
                self.settings("rootfs", rootfs.others);
            }
            "history" => self.0.history = map.next_value::<Steps>()?.0,
            _ => self.1.known(key, map)?,
        }
        Ok(())
    }

    fn other<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        json::add_hashed(&mut self.0.settings, key, map)
    }

    fn value(self) -> Result<Config, &'static str> {
        Ok(Config { platform: self.1.value()?, ..self.0 })
    }
}

impl Whole {
    fn run(&mut self, run: Run) {
        self.settings("config", run.others);
        let Run { entrypoint, command, environment, user, working_directory, ports, volumes, labels, .. } = run;
        let read = std::mem::take(&mut self.0);
        self.0 = Config { entrypoint, command, environment, user, working_directory, ports, volumes, labels, ..read };
    }

    fn settings(&mut self, inside: &str, others: BTreeMap<String, Digest>) {
        self.0.settings.extend(others.into_iter().map(|(name, value)| (format!("{inside}.{name}"), value)));
    }
}

/// `config`: what is run and how (OCI image-spec, "Image Configuration", `config`).
#[derive(Default)]
struct Run {
    entrypoint: Vec<String>,
    command: Vec<String>,
    environment: Vec<String>,
    user: String,
    working_directory: String,
    ports: BTreeSet<String>,
    volumes: BTreeSet<String>,
    labels: BTreeMap<String, String>,
    others: BTreeMap<String, Digest>,
}

impl Object for Run {
    type Value = Self;

    const KEYS: &'static [&'static str] =
        &["Entrypoint", "Cmd", "Env", "User", "WorkingDir", "ExposedPorts", "Volumes", "Labels"];

    fn known<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "Entrypoint" => self.entrypoint = map.next_value::<List<String>>()?.0,
            "Cmd" => self.command = map.next_value::<List<String>>()?.0,
            "Env" => self.environment = map.next_value::<List<String>>()?.0,
            "User" => self.user = json::text(map)?,
            "WorkingDir" => self.working_directory = json::text(map)?,
            "ExposedPorts" => self.ports = json::names(map)?,
            "Volumes" => self.volumes = json::names(map)?,
            _ => self.labels = map.next_value::<Map<String>>()?.0,
        }
        Ok(())
    }

    fn other<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        json::add_hashed(&mut self.others, key, map)
    }

    fn value(self) -> Result<Self, &'static str> {
        Ok(self)
    }
}

/// `rootfs`: what the layers unpack to.
#[derive(Default)]
struct RootFs {
    diff_ids: Vec<Digest>,
    others: BTreeMap<String, Digest>,
}

impl Object for RootFs {
    type Value = Self;

    const KEYS: &'static [&'static str] = &["diff_ids"];

    fn known<'de, A: MapAccess<'de>>(&mut self, _key: &str, map: &mut A) -> Result<(), A::Error> {
        self.diff_ids = map.next_value::<List<Digest>>()?.0;
        Ok(())
    }

    fn other<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        json::add_hashed(&mut self.others, key, map)
    }

    fn value(self) -> Result<Self, &'static str> {
        Ok(self)
    }
}

/// `history`: counted and hashed.
struct Steps(History);

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StepsVisitor)
    }
}

struct StepsVisitor;

impl<'de> Visitor<'de> for StepsVisitor {
    type Value = Steps;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Steps, E> {
        Ok(Steps(History::default()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Steps, A::Error> {
        let (mut steps, mut hash) = (0, Sha256::new());
        while list.next_element_seed(Feed(&mut hash))?.is_some() {
            steps += 1;
        }
        let hash = (steps > 0).then(|| Digest::Sha256(hash.finalize().into()));
        Ok(Steps(History { steps, hash }))
    }
}
