//! Watches for a newly built page, compresses it for a release, and refuses to make a release without one.
//!
//! `TAGWARDEN_WITHOUT_PAGE=1` makes a release whose front page says how to build it: for people who want only the API.

use std::io::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    // Cargo runs this for ever again while a watched path is missing, so an empty folder stands in for the page.
    let dist = Path::new("../dist");
    if let Err(error) = std::fs::create_dir_all(dist) {
        println!("cargo::warning=no folder for the page: {error}");
    }
    println!("cargo::rerun-if-changed=../dist");
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-env-changed=TAGWARDEN_WITHOUT_PAGE");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let without = std::env::var("TAGWARDEN_WITHOUT_PAGE").is_ok_and(|value| value == "1");
    if release && !without && !dist.join("index.html").exists() {
        println!(
            "cargo::error=the page is not built: run `make run` or `trunk build --release` first, \
             or set TAGWARDEN_WITHOUT_PAGE=1 to build a server without it"
        );
    }
    let compressed = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("compressed");
    if let Err(error) = compress(dist, &compressed, release) {
        println!("cargo::error=the page cannot be compressed: {error}");
    }
}

/// Writes what is worth it of the page's files in brotli's best quality; only for a release, as it takes seconds.
fn compress(dist: &Path, compressed: &Path, release: bool) -> std::io::Result<()> {
    if compressed.exists() {
        std::fs::remove_dir_all(compressed)?;
    }
    std::fs::create_dir_all(compressed)?;
    if !release {
        return Ok(());
    }
    for entry in std::fs::read_dir(dist)? {
        let entry = entry?;
        let name = entry.file_name();
        // The server changes index.html.
        let worth = [".wasm", ".js", ".css", ".svg"].iter().any(|end| name.to_string_lossy().ends_with(end));
        if worth && entry.file_type()?.is_file() {
            let file = std::fs::File::create(compressed.join(&name))?;
            let mut writer = brotli::CompressorWriter::new(file, 1 << 16, 11, 24);
            writer.write_all(&std::fs::read(entry.path())?)?;
            writer.flush()?;
        }
    }
    Ok(())
}
