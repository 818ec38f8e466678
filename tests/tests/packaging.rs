//! What operators are handed: the image, its manifests, the service, the signed release.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "packaging/image.rs"]
mod image;
#[path = "packaging/manifests.rs"]
mod manifests;
#[path = "packaging/release.rs"]
mod release;
#[path = "packaging/service.rs"]
mod service;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn packaging(name: &str) -> PathBuf {
    root().join("packaging").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(packaging(name)).unwrap_or_else(|error| panic!("packaging/{name}: {error}"))
}

/// The version that is released next.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs a program; gives whether it succeeded and all that it said.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{} does not start ({error}): run packaging/tools.sh test", command.get_program().display())
    });
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}
