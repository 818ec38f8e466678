//! Watches for a newly built page, and refuses to make a release without one.
//!
//! `TAGWARDEN_WITHOUT_PAGE=1` makes a release whose front page says how to build it: for people who want only the API.

use std::path::Path;

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
}
