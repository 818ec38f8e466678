//! The image: the rules that a linter would know, and its root file system started as a container engine would.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;

use tagwarden_tests::http_client;
use tagwarden_tests::process::{Ending, Process, free_port};
use tagwarden_tests::tagwarden_process::binary;
use tagwarden_tests::wait::{START, until};

use crate::{packaging, read, run};

/// The instructions of packaging/Containerfile, in their order.
pub struct Containerfile(Vec<(String, String)>);

impl Containerfile {
    pub fn read() -> Self {
        let text = read("Containerfile");
        let lines = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        let lines = lines.replace("\\\n", " ");
        let instructions = lines.lines().filter(|line| !line.trim().is_empty()).map(|line| {
            let (word, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{line:?}"));
            (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
        });
        Self(instructions.collect())
    }

    fn all<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == word).map(|(_, rest)| rest.as_str())
    }

    /// What follows the one instruction of this kind.
    pub fn one(&self, word: &str) -> String {
        let found: Vec<_> = self.all(word).collect();
        assert_eq!(found.len(), 1, "{word}: {found:?}");
        found[0].to_owned()
    }

    /// A command in the form that needs no shell.
    fn command(&self, word: &str) -> Vec<String> {
        let json = self.one(word);
        serde_json::from_str(&json)
            .unwrap_or_else(|error| panic!("{word} {json}: {error}; there is no shell in the image"))
    }

    pub fn healthcheck(&self) -> Vec<String> {
        let (_, command) =
            self.one("HEALTHCHECK").split_once("CMD ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        serde_json::from_str(&command).unwrap()
    }

    fn environment(&self) -> Vec<(String, String)> {
        let pairs = self.one("ENV");
        pairs.split(' ').map(|pair| pair.split_once('=').unwrap()).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    }
}

#[test]
fn the_containerfile_keeps_the_rules() {
    let file = Containerfile::read();
    assert_eq!(file.0[0], ("FROM".to_owned(), "scratch".to_owned()), "nothing that must be kept up to date");
    let known =
        ["FROM", "LABEL", "COPY", "USER", "WORKDIR", "VOLUME", "ENV", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"];
    for (word, _) in &file.0 {
        assert!(known.contains(&word.as_str()), "{word}: no ADD, no RUN, no secret in ARG or ENV");
    }
    let user = file.one("USER");
    let (uid, gid) = user.split_once(':').unwrap();
    assert!(uid.parse::<u32>().unwrap() >= 1000 && uid == gid, "{user}: numbers, so that runAsNonRoot can be checked");
    let state = file.one("VOLUME");
    assert_eq!(file.one("WORKDIR"), state);
    let owned = format!("--chown={user} rootfs{state}/ {state}/");
    assert_eq!(file.all("COPY").collect::<Vec<_>>(), ["rootfs/ /", &owned], "a new volume takes the folder's owner");
    for name in ["title", "description", "licenses"] {
        assert!(file.one("LABEL").contains(&format!("org.opencontainers.image.{name}=\"")), "{name}");
    }
    // A program that ends in time to be seen as failed.
    assert!(file.one("HEALTHCHECK").contains("--timeout=6s"), "the question itself is given 5 s");
    assert_eq!(file.healthcheck()[0], file.command("ENTRYPOINT")[0]);
}

/// The root file system in a folder, as the image has it.
struct RootFs {
    folder: tempfile::TempDir,
    file: Containerfile,
    port: u16,
}

impl RootFs {
    async fn build() -> Self {
        let (_, id) = run(Command::new("id").arg("-u"));
        assert_eq!(
            id.trim(),
            "0",
            "chroot needs root: sudo env \"PATH=$PATH\" cargo test --locked --no-default-features -p tagwarden-tests --test packaging"
        );
        let rootfs = Self { folder: tempfile::tempdir().unwrap(), file: Containerfile::read(), port: free_port() };
        let mut script = Command::new(packaging("rootfs.sh"));
        let (built, said) = run(script.arg(rootfs.path("/")).arg(binary().await));
        assert!(built, "{said}");
        // What `COPY --chown` does.
        chown(rootfs.path("/var/lib/tagwarden"), Some(65532), Some(65532)).unwrap();
        // A registry entry makes it build a client, which needs the certificates.
        fs::create_dir(rootfs.path("/etc/tagwarden")).unwrap();
        let config = "[[registry]]\nhost = '127.0.0.1:1'\n";
        fs::write(rootfs.path("/etc/tagwarden/tagwarden.toml"), config).unwrap();
        rootfs
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join("root").join(path.trim_start_matches('/'))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A command of the image, with its user, its environment and no way to get more rights.
    fn command(&self, words: &[String]) -> Command {
        // `timeout` stays root's and so ends with this test; the kernel forgets that of a process that changes its account.
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", "120", "setpriv", "--no-new-privs", "--", "chroot", "--groups="]);
        command.arg(format!("--userspec={}", self.file.one("USER"))).arg(self.path("/")).args(words);
        command.envs(self.file.environment());
        command.env("TAGWARDEN_CONFIG", "/etc/tagwarden/tagwarden.toml");
        // chroot leads to `/` and not to the working folder, where the record is.
        command.env("TAGWARDEN_SERVER_DATABASE", format!("{}/tagwarden.db", self.file.one("WORKDIR")));
        // As configured, but where no other test is and nobody else comes.
        command.env("TAGWARDEN_SERVER_LISTEN", format!("127.0.0.1:{}", self.port));
        command
    }

    fn serve(&self) -> Process {
        let words = [self.file.command("ENTRYPOINT"), self.file.command("CMD")].concat();
        Process::start(&self.command(&words), Ending::Terminate, &self.folder.path().join("log")).unwrap()
    }

    /// What the image's account could write to, besides its own folder.
    fn writable(&self) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let about = fs::symlink_metadata(&path).unwrap();
                if about.uid() != 0 || about.gid() != 0 || (about.mode() & 0o022 != 0 && !about.is_symlink()) {
                    found.push(path.display().to_string());
                } else if about.is_dir() {
                    walk(&path, found);
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.path("/"), &mut found);
        found
    }
}

#[tokio::test]
async fn the_root_file_system_serves_as_an_ordinary_account() {
    let rootfs = RootFs::build().await;
    let state = rootfs.path(&rootfs.file.one("VOLUME"));
    assert_eq!(rootfs.writable(), [state.to_str().unwrap()], "as read-only as a read-only file system");
    let mut server = rootfs.serve();
    let get = async |path: &str| http_client().get(format!("{}/{path}", rootfs.url())).send().await.ok();
    until("the image serves", START, || {
        assert!(server.ended().is_none(), "{}", server.output());
        async { get("healthz").await.filter(|answer| answer.status() == 200) }
    })
    .await;
    let page = get("").await.unwrap().text().await.unwrap();
    assert!(page.contains("tagwarden-app-"), "the page is not built: make page");
    assert!(state.join("tagwarden.db").exists());
    assert_eq!(fs::metadata(state.join("tagwarden.db")).unwrap().uid(), 65532);

    let (well, said) = run(&mut rootfs.command(&rootfs.file.healthcheck()));
    assert!(well, "{said}");
    let backup = ["/usr/bin/tagwarden", "backup", "/var/lib/tagwarden/copy.db"].map(str::to_owned);
    let (done, said) = run(&mut rootfs.command(&backup));
    assert!(done, "{said}");
    assert!(server.terminate().success(), "{}", server.output());
    let (well, said) = run(&mut rootfs.command(&rootfs.file.healthcheck()));
    assert!(!well && said.contains("healthz"), "{said}");
    assert_eq!(rootfs.writable(), [state.to_str().unwrap()]);
}

/// Why the image has certificates at all.
#[tokio::test]
async fn without_certificates_no_registry_can_be_asked() {
    let rootfs = RootFs::build().await;
    fs::remove_file(rootfs.path("/etc/ssl/certs/ca-certificates.crt")).unwrap();
    let mut server = rootfs.serve();
    let status = until("it gives up", START, || {
        let ended = server.ended();
        async move { ended }
    })
    .await;
    assert!(!status.success() && server.output().contains("No CA certificates"), "{}", server.output());
}
