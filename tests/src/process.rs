//! A program that a test started and that ends with it.

use std::ffi::OsStr;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::{fs, io, thread};

use rand::Rng;

/// A running program. Dropping it ends it; when the test's process dies without dropping, the kernel does.
#[derive(Debug)]
pub struct Process {
    child: Child,
    ending: Ending,
    log: PathBuf,
}

/// How a program is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// SIGKILL: it gets no chance to tidy up.
    Kill,
    /// SIGTERM: it tidies up itself, and is waited for.
    Terminate,
}

impl Ending {
    fn signal(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Terminate => "TERM",
        }
    }
}

impl Process {
    /// Starts `command` with its output going to the file `log`.
    pub fn start(command: &Command, ending: Ending, log: &Path) -> io::Result<Self> {
        Self::start_as(None, command, ending, log)
    }

    /// The same, as another account.
    pub fn start_as(account: Option<Account>, command: &Command, ending: Ending, log: &Path) -> io::Result<Self> {
        let output = File::create(log)?;
        // In this order: changing the account would undo the binding.
        let mut command = as_account(account, &bound_to_us(command, ending));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let (answer, started) = channel();
        KEEPER
            .lock()
            .expect("the keeper does not panic")
            .send((command, answer))
            .map_err(|_| io::Error::other("the keeper thread is gone"))?;
        let child = started.recv().map_err(io::Error::other)??;
        Ok(Self { child, ending, log: log.to_owned() })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What it has written so far, to both outputs.
    pub fn output(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// `kill -9`: as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits until it has ended.
    pub fn terminate(&mut self) -> ExitStatus {
        if self.ended().is_none() {
            let _ = Command::new("kill").arg(self.id().to_string()).status();
        }
        self.child.wait().expect("a child of ours can be waited for")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        match self.ending {
            Ending::Kill => self.kill(),
            Ending::Terminate => {
                self.terminate();
            }
        }
    }
}

/// A port of 127.0.0.1 that nobody has, below the range from which the kernel takes ports for outgoing connections:
/// a server that was stopped gets it again.
pub fn free_port() -> u16 {
    (0..1000)
        .map(|_| rand::rng().random_range(15_000..32_000))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one free port among a thousand")
}

type Order = (Command, Sender<io::Result<Child>>);

/// The thread that starts all programs. "Parent death" means the death of the thread that forked, and a test's own
/// thread ends before its process does.
static KEEPER: LazyLock<Mutex<Sender<Order>>> = LazyLock::new(|| {
    let (sender, orders) = channel::<Order>();
    thread::spawn(move || {
        for (mut command, answer) in orders {
            let _ = answer.send(command.spawn());
        }
    });
    Mutex::new(sender)
});

/// An account of this machine, for programs that refuse to be root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Its user id.
    pub uid: u32,
    /// Its main group's id.
    pub gid: u32,
}

impl Account {
    /// `postgres` or `nobody` when we are root; `None` when we are not, as then our own account will do.
    pub fn unless_we_are_ordinary() -> Option<Self> {
        if id(&["-u"]) != Some(0) {
            return None;
        }
        ["postgres", "nobody"].iter().find_map(|name| Some(Self { uid: id(&["-u", name])?, gid: id(&["-g", name])? }))
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The same command, as `account`.
pub fn as_account(account: Option<Account>, command: &Command) -> Command {
    match account {
        Some(Account { uid, gid }) => {
            let (uid, gid) = (format!("--reuid={uid}"), format!("--regid={gid}"));
            behind(&["setpriv", &uid, &gid, "--clear-groups", "--"], command)
        }
        None => behind(&[], command),
    }
}

/// The same command, ended by the kernel when our process ends. Where there is no setpriv, the command as it is.
fn bound_to_us(command: &Command, ending: Ending) -> Command {
    if Path::new("/usr/bin/setpriv").exists() {
        behind(&["setpriv", "--pdeathsig", ending.signal(), "--"], command)
    } else {
        behind(&[], command)
    }
}

/// `command` as arguments of another, with its environment and folder.
fn behind(words: &[&str], command: &Command) -> Command {
    let mut line = words.iter().map(OsStr::new).chain([command.get_program()]).chain(command.get_args());
    let mut whole = Command::new(line.next().expect("a command has a program"));
    whole.args(line);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => whole.env(name, value),
            None => whole.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        whole.current_dir(folder);
    }
    whole
}
