//! A private PostgreSQL server from the machine's own binaries, and a fresh database for each test.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Command, Output};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::process::{Account, Ending, Process, as_account, free_port};
use crate::wait::{START, until};

/// Names a running server to use instead of a private one, `postgres://postgres@127.0.0.1:5432`. The program
/// `with-postgres` sets it, so that a whole test run shares one server.
pub const VARIABLE: &str = "TAGWARDEN_TEST_POSTGRES";

/// A server of our own; all is gone when it is dropped, or when our process ends.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    // Ended by dropping, and the folder removed by the shell around it.
    _process: Process,
}

/// The address of a new, empty database, on the server of [`VARIABLE`] or else on one that this process shares.
/// It stays until its server ends.
pub async fn database() -> String {
    static SHARED: OnceCell<Postgres> = OnceCell::const_new();
    let server = match std::env::var(VARIABLE) {
        Ok(url) => url,
        Err(_) => SHARED.get_or_init(Postgres::start).await.url(),
    };
    let name = format!("test_{:016x}", rand::random::<u64>());
    let mut connection = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap_or_else(|error| panic!("{server} (from {VARIABLE}, if that is set): {error}"));
    // The name is hex digits of our own making.
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("CREATE DATABASE");
    connection.close().await.expect("the connection closes");
    format!("{server}/{name}")
}

impl Postgres {
    /// Makes a data folder and starts a server on it: half a second. It accepts connections when this returns.
    pub async fn start() -> Self {
        let binaries = binaries();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let account = Account::unless_we_are_ordinary();
        if let Some(account) = account {
            chown(folder.path(), Some(account.uid), Some(account.gid)).expect("the folder is given to the account");
        }
        let data = folder.path().join("data");
        let mut initdb = Command::new(binaries.join("initdb"));
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        initdb.arg(&data).current_dir("/");
        succeed(as_account(account, &initdb));

        let port = free_port();
        // The shell ends the server when it is told to end, and then removes the folder: a destructor that runs also
        // when the test's process is killed.
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(
            r#"folder=$1; shift
            trap 'kill -QUIT $server' TERM INT
            "$@" & server=$!
            wait $server; wait $server
            cd /; rm -rf "$folder""#,
        );
        shell.arg("sh").arg(folder.path()).arg(binaries.join("postgres")).arg("-D").arg(&data);
        for setting in [
            &format!("port={port}"),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=500",
        ] {
            shell.arg("-c").arg(setting);
        }
        shell.current_dir("/");
        let mut process = Process::start_as(account, &shell, Ending::Terminate, &folder.path().join("log"))
            .unwrap_or_else(|error| panic!("PostgreSQL does not start: {error}"));
        // From now on the shell removes it.
        let _: PathBuf = TempDir::keep(folder);

        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        until("PostgreSQL accepts connections", START, || {
            assert!(process.ended().is_none(), "PostgreSQL ended:\n{}", process.output());
            async { PgConnection::connect(&url).await.ok() }
        })
        .await;
        Self { port, _process: process }
    }

    /// `postgres://postgres@127.0.0.1:5432`, without a database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }
}

/// The folder with `initdb` and `postgres`: from PATH, else the newest of Debian's.
fn binaries() -> PathBuf {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&in_path).filter_map(|folder| {
        // A link in PATH may point to the folder where its companions are.
        let initdb = fs::canonicalize(folder.join("initdb")).ok()?;
        Some(initdb.parent()?.to_owned())
    });
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    in_path
        .chain(debian.into_iter().rev())
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .expect("initdb and postgres are in PATH or in /usr/lib/postgresql: run packaging/tools.sh test")
}

fn succeed(mut command: Command) {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}\n{stdout}{stderr}");
}
