//! The release's documents, sums and signature.

use std::fs;
use std::path::Path;
use std::process::Command;

use tagwarden_tests::tagwarden_process::binary;

use crate::{packaging, root, run};

/// The files beside it that a Markdown text links to or shows.
fn linked(text: &str) -> Vec<&str> {
    let after = |mark: &'static str, end: char| {
        text.split(mark).skip(1).map(move |rest| rest.split(end).next().unwrap_or_default())
    };
    let all = after("](", ')').chain(after("src=\"", '"')).chain(after("srcset=\"", '"')).chain(after("href=\"", '"'));
    all.filter(|link| !link.contains("://")).map(|link| link.split('#').next().unwrap_or_default()).collect()
}

#[test]
fn what_the_documents_link_to_is_in_the_repository_and_in_the_release() {
    let released = tempfile::tempdir().unwrap();
    let (copied, said) = run(Command::new(packaging("release.sh")).arg("documents").arg(released.path()));
    assert!(copied, "{said}");
    for folder in [root(), released.path()] {
        for (document, least) in
            [("README.md", 8), ("ARCHITECTURE.md", 0), ("CHANGELOG.md", 0), ("packaging/UPGRADING.md", 1)]
        {
            let document = folder.join(document);
            let text = fs::read_to_string(&document).unwrap();
            let links = linked(&text);
            assert!(links.len() >= least, "{}: {links:?}", document.display());
            let there = |link: &str| document.parent().unwrap_or(Path::new("")).join(link).exists();
            let missing: Vec<_> = links.into_iter().filter(|link| !there(link)).collect();
            assert!(missing.is_empty(), "{}: {missing:?}", document.display());
        }
    }
}

#[tokio::test]
async fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let program = binary().await;
    let describe = ["describe".as_ref(), program.as_os_str(), folder.path().as_os_str()];
    let (written, said) = run(Command::new(packaging("release.sh")).args(describe));
    assert!(written, "{said}");
    let (_, help) = run(Command::new(program).arg("help"));
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<_> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"check-config"), "{help}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let page = folder.path().join(format!("man/tagwarden-{command}.1"));
        assert!(fs::read_to_string(&page).unwrap().contains(".TH"), "{}", page.display());
    }
}

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
