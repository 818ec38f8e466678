//! Two manifests, field by field.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{Config, Manifest, Part};
use super::rows::Rows;
use super::{ChangeLevel, Field, Layers};
use crate::digest::Digest;

/// Fields of a config that builders leave behind and no runtime heeds: top-level ones, then Docker's that describe the
/// container of the build. All others that are not read by name change what runs, or may.
const BUILD: &[&str] = &[
    "author",
    "container",
    "container_config",
    "docker_version",
    "id",
    "moby.buildkit.buildinfo.v1",
    "moby.buildkit.cache.v0",
    "parent",
    "config.AttachStderr",
    "config.AttachStdin",
    "config.AttachStdout",
    "config.Domainname",
    "config.Hostname",
    "config.Image",
    "config.OpenStdin",
    "config.StdinOnce",
    "config.Tty",
];

/// How two manifests with different digests differ.
#[derive(Debug)]
pub(super) struct Compared {
    pub rows: Rows,
    pub problem: Option<String>,
    pub layers: Layers,
}

impl Compared {
    /// The worst of all.
    pub fn level(&self) -> ChangeLevel {
        if self.problem.is_some() { ChangeLevel::NotComparable } else { self.rows.level() }
    }
}

/// Compares what two manifests say. That they differ is known: what nothing else explains is a difference in writing.
pub(super) fn compare(old: &Manifest, new: &Manifest) -> Compared {
    let mut rows = Rows::default();
    let mut problem = None;
    let other_config = old.config.digest != new.config.digest;
    let layers = match (&old.image, &new.image) {
        (Some(Ok(before)), Some(Ok(after))) => {
            configs(&mut rows, before, after);
            let (layers, differing) = of_images((old, before), (new, after));
            match differing {
                Ok(Some(field)) => rows.bare(field),
                Ok(None) => {}
                Err(why) => problem = Some(why.to_owned()),
            }
            layers
        }
        (Some(before), Some(after)) => {
            let other_layers = digests(old) != digests(new);
            // The same config describes the same layers: only whether others hold the same stays unknown.
            if other_config || other_layers {
                let which = [("old", before), ("new", after)];
                let unread = which.iter().find_map(|(side, config)| Some((side, config.as_ref().err()?)));
                problem = unread.map(|(side, unread)| format!("the {side} config {unread}"));
            }
            if other_config && other_layers {
                rows.bare(Field::Layers);
            }
            count(old, new, digests(old), digests(new))
        }
        (None, None) => {
            if other_config {
                rows.bare(Field::Config);
            }
            if digests(old) != digests(new) {
                rows.bare(Field::Layers);
            }
            count(old, new, digests(old), digests(new))
        }
        _ => {
            rows.value(Field::Kind, kind(old), kind(new));
            count(old, new, digests(old), digests(new))
        }
    };
    headers(&mut rows, old, new);
    if rows.differences.is_empty() && problem.is_none() {
        rows.bare(Field::Bytes);
    }
    rows.differences.sort_by_key(|row| row.field);
    Compared { rows, problem, layers }
}

/// What it is.
pub(super) fn kind(manifest: &Manifest) -> &'static str {
    if manifest.image.is_some() { "image" } else { "artifact" }
}

/// What a manifest says besides its config and its layers.
fn headers(rows: &mut Rows, old: &Manifest, new: &Manifest) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    rows.value(Field::ArtifactType, &text(&old.artifact_type), &text(&new.artifact_type));
    let subject = |manifest: &Manifest| manifest.subject.as_ref().map(ToString::to_string).unwrap_or_default();
    rows.value(Field::Subject, &subject(old), &subject(new));
    annotations(rows, &old.annotations, &new.annotations);
    let same_layers = digests(old) == digests(new);
    let layers = || old.layers.iter().zip(&new.layers).filter(|_| same_layers);
    if layers().any(|(old, new)| old.annotations != new.annotations) || old.config.annotations != new.config.annotations
    {
        rows.bare(Field::Annotations);
    }
    rows.value(Field::MediaType, &text(&old.media_type), &text(&new.media_type));
    if layers().any(|(old, new)| old.media_type != new.media_type) || old.config.media_type != new.config.media_type {
        rows.bare(Field::MediaType);
    }
}

/// Says which annotations differ.
pub(super) fn annotations(rows: &mut Rows, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) {
    rows.named(Field::Annotations, &texts(old), &texts(new), |value| Some(*value));
}

fn texts(map: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn configs(rows: &mut Rows, old: &Config, new: &Config) {
    if old.platform != new.platform {
        rows.value(Field::Platform, &old.platform.to_string(), &new.platform.to_string());
    }
    line(rows, Field::Entrypoint, &old.entrypoint, &new.entrypoint);
    line(rows, Field::Command, &old.command, &new.command);
    environment(rows, old, new);
    rows.value(Field::User, &old.user, &new.user);
    rows.value(Field::WorkingDirectory, &old.working_directory, &new.working_directory);
    set(rows, Field::Ports, &old.ports, &new.ports);
    set(rows, Field::Volumes, &old.volumes, &new.volumes);
    rows.named(Field::Labels, &texts(&old.labels), &texts(&new.labels), |value| Some(*value));
    let created = |config: &Config| config.created.clone().unwrap_or_default();
    rows.value(Field::Created, &created(old), &created(new));
    if old.history != new.history {
        let steps = |config: &Config| match config.history.steps {
            0 => String::new(),
            1 => "1 step".to_owned(),
            many => format!("{many} steps"),
        };
        if old.history.steps == new.history.steps {
            rows.bare(Field::History);
        } else {
            rows.value(Field::History, &steps(old), &steps(new));
        }
    }
    settings(rows, old, new);
}

fn environment(rows: &mut Rows, old: &Config, new: &Config) {
    let listed = rows.differences.len();
    rows.named(Field::Environment, &variables(old), &variables(new), |_| None);
    // In another order, or one of the two wrote `NAME` where the other wrote `NAME=`.
    if listed == rows.differences.len() && old.environment != new.environment {
        rows.bare(Field::Environment);
    }
}

fn variables(config: &Config) -> BTreeMap<&str, Vec<&str>> {
    let mut variables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for variable in &config.environment {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        variables.entry(name).or_default().push(value);
    }
    variables
}

fn settings(rows: &mut Rows, old: &Config, new: &Config) {
    for (field, is_build) in [(Field::Settings, false), (Field::Build, true)] {
        // What they hold is unknown and may be a secret.
        rows.named(field, &other_fields(old, is_build), &other_fields(new, is_build), |_| None);
    }
}

fn other_fields(config: &Config, is_build: bool) -> BTreeMap<&str, &Digest> {
    let settings = config.settings.iter().map(|(name, value)| (name.as_str(), value));
    settings.filter(|(name, _)| BUILD.contains(name) == is_build).collect()
}

/// A list of words as one line in which two different lists never look alike.
fn line(rows: &mut Rows, field: Field, old: &[String], new: &[String]) {
    let text = |words: &[String]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    rows.value(field, &text(old), &text(new));
}

fn quoted(word: &str) -> String {
    let plain =
        !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\'));
    if plain { word.to_owned() } else { format!("{word:?}") }
}

fn set(rows: &mut Rows, field: Field, old: &BTreeSet<String>, new: &BTreeSet<String>) {
    let text = |words: &BTreeSet<String>| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    rows.value(field, &text(old), &text(new));
}

fn digests(manifest: &Manifest) -> Vec<&Digest> {
    manifest.layers.iter().map(|layer| &layer.digest).collect()
}

/// Compares layers by what they unpack to. Other bytes that unpack to the same are compressed anew; that the config vouches
/// for each of them is checked.
fn of_images(
    (old, before): (&Manifest, &Config),
    (new, after): (&Manifest, &Config),
) -> (Layers, Result<Option<Field>, &'static str>) {
    let vouched = |manifest: &Manifest, config: &Config| manifest.layers.len() == config.diff_ids.len();
    let vouched = vouched(old, before) && vouched(new, after);
    let same_bytes = digests(old) == digests(new);
    let differing = if before.diff_ids != after.diff_ids {
        Ok(Some(Field::Layers))
    } else if same_bytes {
        Ok(None)
    } else if vouched {
        Ok(Some(Field::Compression))
    } else {
        Err("its layers differ, and its config does not say of each what it holds")
    };
    let layers = if vouched || before.diff_ids != after.diff_ids {
        count(old, new, before.diff_ids.iter().collect(), after.diff_ids.iter().collect())
    } else {
        count(old, new, digests(old), digests(new))
    };
    (layers, differing)
}

fn count(old: &Manifest, new: &Manifest, before: Vec<&Digest>, after: Vec<&Digest>) -> Layers {
    let (old_count, new_count) = (before.len() as u64, after.len() as u64);
    let mut left: BTreeMap<&Digest, u64> = BTreeMap::new();
    for digest in before {
        *left.entry(digest).or_default() += 1;
    }
    let mut kept = 0;
    for digest in after {
        if let Some(count) = left.get_mut(digest).filter(|count| **count > 0) {
            *count -= 1;
            kept += 1;
        }
    }
    let size = |layers: &[Part]| layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
    Layers { old: old_count, new: new_count, kept, old_size: size(&old.layers), new_size: size(&new.layers) }
}
