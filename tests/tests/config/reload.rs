//! A configuration that changes while the server runs. Time stands still but for the looks at the files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tagwarden::reload::{InForce, reload};
use tagwarden_model::instant::Millis;
use tagwarden_tests::step_clock::{START, StepClock};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Written;

/// Somebody who reads a configuration again and again.
struct Reader {
    clock: Arc<StepClock>,
    in_force: watch::Receiver<Arc<InForce>>,
    folder: tempfile::TempDir,
    _stop: DropGuard,
}

impl Reader {
    fn start(written: Written) -> Self {
        let (clock, stop) = (Arc::new(StepClock::new()), CancellationToken::new());
        let (sender, in_force) = watch::channel(Arc::new(InForce::new(written.load().unwrap(), START)));
        tokio::spawn(reload(written.sources, sender, clock.clone(), stop.clone()));
        Self { clock, in_force, folder: written.folder, _stop: stop.drop_guard() }
    }

    /// Lets it look at the files once.
    async fn look(&self) {
        // It waits for nothing but the clock, so that a few turns are enough for all that it does.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.clock.step(Millis::seconds(3));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// What is watched, and how many mistakes a newer version has.
    fn now(&self) -> (Vec<String>, usize) {
        let in_force = self.in_force.borrow().clone();
        let watches = in_force.config.watches.iter().map(|watched| watched.name.path.clone()).collect();
        (watches, in_force.error.as_ref().map_or(0, |error| error.mistakes.len()))
    }
}

fn watch_of(names: &[&str]) -> String {
    names.iter().map(|name| format!("[[watch]]\nrepository = \"ghcr.io/{name}\"\n")).collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn a_change_counts_when_it_stood_for_one_look() {
    let reader = Reader::start(Written::new(&watch_of(&["a/b", "a/c"])));
    reader.look().await;
    // Half written, as by an editor.
    reader.write("tagwarden.toml", "");
    reader.look().await;
    assert_eq!(reader.now().0, ["a/b", "a/c"]);
    reader.write("tagwarden.toml", &watch_of(&["a/d"]));
    reader.look().await;
    assert_eq!(reader.now().0, ["a/b", "a/c"], "it changed since the last look");
    reader.look().await;
    assert_eq!(reader.now(), (vec!["a/d".to_owned()], 0));
    assert_eq!(reader.in_force.borrow().loaded_at, START + Millis::seconds(12));
}

#[tokio::test]
async fn a_version_with_mistakes_leaves_the_one_before_in_force() {
    let mut reader = Reader::start(Written::new(&watch_of(&["a/b"])));
    reader.write("tagwarden.toml", "[[watch]]\nrepositry = 1\nx = 2\n");
    reader.look().await;
    reader.look().await;
    assert_eq!(reader.now(), (vec!["a/b".to_owned()], 2));
    assert_eq!(reader.in_force.borrow().loaded_at, START);
    reader.in_force.mark_unchanged();
    reader.look().await;
    reader.look().await;
    assert!(!reader.in_force.has_changed().unwrap(), "it is not read again before it changes");
    fs::remove_file(reader.folder.path().join("tagwarden.toml")).unwrap();
    reader.look().await;
    reader.look().await;
    assert_eq!(reader.now(), (vec!["a/b".to_owned()], 1), "a file that is gone is a mistake");
    reader.write("tagwarden.toml", &watch_of(&["a/c"]));
    reader.look().await;
    reader.look().await;
    assert_eq!(reader.now(), (vec!["a/c".to_owned()], 0));
}

#[tokio::test]
async fn files_that_it_names_belong_to_it() {
    let written = Written::new("").file("password", "hunter2");
    let entry = |folder: &Path| {
        let file = folder.join("password");
        format!("[[registry]]\nhost = \"ghcr.io\"\nusername = \"robot\"\npassword_file = {file:?}\n")
    };
    let text = entry(written.folder.path());
    let reader = Reader::start(written.file("tagwarden.toml", &text));
    let password = || super::sources::credentials(&reader.in_force.borrow().config, 0).unwrap().1;
    assert_eq!(password(), "hunter2");
    reader.write("password", "hunter22");
    reader.look().await;
    reader.look().await;
    assert_eq!(password(), "hunter22");
    // One that was missing is waited for.
    reader.write("tagwarden.toml", &format!("{text}ca_file = \"{}\"\n", reader.folder.path().join("ca").display()));
    reader.look().await;
    reader.look().await;
    assert_eq!(reader.now().1, 1);
    reader.write("ca", "no certificate");
    reader.look().await;
    reader.look().await;
    let message = reader.in_force.borrow().error.as_ref().unwrap().mistakes[0].message.clone();
    assert!(message.contains("no certificates"), "{message}");
}
