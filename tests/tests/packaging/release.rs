//! The release's sums and signature.

use std::fs;
use std::process::Command;

use crate::{packaging, run};

#[test]
fn a_signed_release_is_checked_with_the_public_key() {
    let folder = tempfile::tempdir().unwrap();
    let (files, secret, public) =
        (folder.path().join("files"), folder.path().join("throwaway.key"), folder.path().join("throwaway.pub"));
    fs::create_dir(&files).unwrap();
    fs::write(files.join("tagwarden.tar.gz"), "a program").unwrap();
    fs::write(files.join("with space.json"), "{}").unwrap();
    let (made, said) = run(Command::new("minisign").args(["-G", "-W", "-p"]).arg(&public).arg("-s").arg(&secret));
    assert!(made, "{said}");
    let sign = |key: Option<&str>| {
        let mut command = Command::new(packaging("release.sh"));
        command.arg("sign").arg(&files).env_remove("MINISIGN_KEY").envs(key.map(|key| ("MINISIGN_KEY", key)));
        run(&mut command)
    };
    let verify = || {
        let mut sums = Command::new("sha256sum");
        let mut signature = Command::new("minisign");
        signature.args(["-V", "-m", "SHA256SUMS", "-p"]).arg(&public).current_dir(&files);
        run(sums.args(["--check", "--strict", "SHA256SUMS"]).current_dir(&files)).0 && run(&mut signature).0
    };

    let (signed, said) = sign(None);
    assert!(signed && said.contains("is not signed"), "{said}");
    assert_eq!(fs::read_to_string(files.join("SHA256SUMS")).unwrap().lines().count(), 2);
    assert!(!verify(), "nothing was signed");

    let (signed, said) = sign(secret.to_str());
    assert!(signed, "{said}");
    assert!(verify());
    fs::write(files.join("tagwarden.tar.gz"), "another program").unwrap();
    assert!(!verify(), "the program was changed");
    // And the sums with it.
    assert!(sign(None).0);
    assert!(!verify(), "the sums were changed");
}
