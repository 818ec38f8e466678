//! The systemd unit, by systemd's own judgement.

use std::fs;
use std::process::Command;

use tagwarden_tests::tagwarden_process::binary;

use crate::{packaging, read, run};

#[tokio::test]
async fn systemd_understands_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("tagwarden.service");
    // The program need not be installed here.
    let text = read("systemd/tagwarden.service");
    assert!(text.contains("\nExecReload=/bin/kill -HUP $MAINPID\n"), "a reload reads the configuration again");
    let text = text.replace("/usr/bin/tagwarden serve", &format!("{} serve", binary().await.display()));
    fs::write(&unit, text).unwrap();
    let (fine, said) =
        run(Command::new("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).arg(&unit));
    assert!(fine, "{said}");
}

#[test]
fn systemd_finds_little_that_the_service_could_do() {
    // Tenths of the exposure from 0 to 10; what is left is the network, which it needs.
    let threshold = ["security", "--offline=true", "--no-pager", "--threshold=15"];
    let unit = packaging("systemd/tagwarden.service");
    let (fine, said) = run(Command::new("systemd-analyze").args(threshold).arg(unit));
    assert!(fine, "{said}");
}
