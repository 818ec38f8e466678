//! The record copied to a file, and a copy put in the record's place. SQLite only: PostgreSQL brings its own programs.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use url::Url;

use super::db::{Conn, Db, Place, values};
use super::verify::verify;
use super::{StoreError, check_schema, sole, with_causes};

/// SQLite's own copy: one state of the record, however much is written meanwhile, in a file without gaps and without a log.
const COPY: &str = "VACUUM INTO $1";

/// What a whole copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole {
    /// Events, each with the hashes of what it says.
    pub events: u64,
    /// Kept manifests and configs, each with its digest.
    pub contents: u64,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It cannot be done so; what to do instead.
    #[error("{0}")]
    Refused(String),
    /// The copy is not what a server wrote.
    #[error("{} is damaged:\n  {}", path.display(), wrong.join("\n  "))]
    Damaged {
        /// The copy.
        path: PathBuf,
        /// Where and what.
        wrong: Vec<String>,
    },
    /// The file system.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The database.
    #[error("{}", with_causes(.0))]
    Store(#[from] StoreError),
}

type Result<T> = std::result::Result<T, BackupError>;

/// Copies the record of the database `url` to the new file `to`, also while a server uses it, and reads the copy back.
pub async fn backup(url: &str, to: &Path) -> Result<Whole> {
    let from = record(url, |url| format!("pg_dump --format=custom --file={} {url}", quoted(&to.to_string_lossy())))?;
    if !from.exists() {
        return Err(BackupError::Refused(format!("there is no record at {}", from.display())));
    }
    absent(to)?;
    let partial = Partial::create(to)?;
    let db = Db::read_file(from, false).await?;
    let copied = copy(&mut db.read().await?, &partial.path).await;
    db.close().await;
    copied?;
    let found = whole(&partial.path).await;
    // A copy of a damaged record is damaged, too, and may be the best there is.
    partial.become_whole(to)?;
    found.map_err(|error| error.of(to))
}

/// Puts the copy `from` in the place of the record of the database `url`, once it was found to be whole. A record that is
/// there is replaced only if `replace`, and never below a running server.
pub async fn restore(from: &Path, url: &str, replace: bool) -> Result<Whole> {
    let from_words = quoted(&from.to_string_lossy());
    let to = record(url, |url| {
        format!("pg_restore --clean --if-exists --no-owner --single-transaction --dbname={url} {from_words}")
    })?;
    let mut original = File::open(from).map_err(file_error(from))?;
    // A link is followed, so that what it leads to is replaced and locked.
    let to = &to.canonicalize().unwrap_or_else(|_| to.to_owned());
    let _sole = sole::lock(to)?;
    if !replace {
        absent(to)?;
    }
    let partial = Partial::create(to)?;
    own_like_folder(&partial.path).map_err(file_error(&partial.path))?;
    let written = OpenOptions::new().append(true).open(&partial.path);
    written.and_then(|mut file| io::copy(&mut original, &mut file)).map_err(file_error(&partial.path))?;
    let whole = whole(&partial.path).await.map_err(|error| error.of(from))?;
    // The log of the record that goes must be gone before the new one is there: it would be played into it.
    for beside in ["-wal", "-shm", "-journal"].map(|end| with_end(to, end)) {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file_error(&beside)(error)),
            _ => {}
        }
    }
    partial.become_whole(to)?;
    Ok(whole)
}

/// The file of a SQLite database. `instead` is the command for PostgreSQL.
fn record(url: &str, instead: impl Fn(String) -> String) -> Result<&Path> {
    match Place::of(url)? {
        Place::File(path) => Ok(Path::new(path)),
        Place::Memory => Err(BackupError::Refused("a record in memory ends with its server".to_owned())),
        Place::Postgres => {
            let mut url = url.parse::<Url>().map_err(|error| BackupError::Refused(error.to_string()))?;
            // PGPASSWORD and ~/.pgpass are for the password; it is not shown, and not to be seen in a list of processes.
            let _ = url.set_password(None);
            let command = instead(quoted(url.as_str()));
            Err(BackupError::Refused(format!("the record is in PostgreSQL, whose own programs copy it:\n  {command}")))
        }
    }
}

async fn copy(conn: &mut Conn, to: &Path) -> Result<()> {
    let words = to.to_str().ok_or_else(|| BackupError::Refused(format!("{} is not UTF-8", to.display())))?;
    conn.execute(COPY, values![words]).await?;
    Ok(())
}

/// Reads a copy that nobody else uses.
async fn whole(path: &Path) -> Result<Whole> {
    let wrong = |words: String| BackupError::Damaged { path: path.to_owned(), wrong: vec![words] };
    let db = Db::read_file(path, true).await.map_err(|error| wrong(error.to_string()))?;
    let mut conn = db.read().await?;
    let found = match check_schema(&mut conn).await {
        Err(error @ StoreError::Open(_)) => Err(error.into()),
        Err(error) => Err(wrong(format!("it is no record of Tagwarden: {}", with_causes(&error)))),
        Ok(()) => {
            let found = verify(&mut conn).await;
            if found.wrong.is_empty() {
                Ok(Whole { events: found.events, contents: found.contents })
            } else {
                Err(BackupError::Damaged { path: path.to_owned(), wrong: found.wrong })
            }
        }
    };
    drop(conn);
    db.close().await;
    found
}

impl BackupError {
    /// The same of the file that people know.
    fn of(self, path: &Path) -> Self {
        match self {
            Self::Damaged { wrong, .. } => Self::Damaged { path: path.to_owned(), wrong },
            other => other,
        }
    }
}

/// A file that is not whole yet. It goes when it is dropped, unless it became whole.
struct Partial {
    path: PathBuf,
}

impl Partial {
    /// Beside the place it is meant for, for its owner's eyes only.
    fn create(whole: &Path) -> Result<Self> {
        let path = with_end(whole, ".partial");
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(file_error(&path))?;
        Ok(Self { path })
    }

    /// After this the file is there, whatever happens to the machine.
    fn become_whole(self, whole: &Path) -> Result<()> {
        let done = || {
            File::open(&self.path)?.sync_all()?;
            fs::rename(&self.path, whole)?;
            File::open(folder(whole))?.sync_all()
        };
        done().map_err(file_error(whole))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // It became whole, or what is left of it is of no use.
        let _ = fs::remove_file(&self.path);
    }
}

/// Root restores for the account of the server, which is the owner of the folder.
pub(super) fn own_like_folder(path: &Path) -> io::Result<()> {
    let (of_folder, own) = (fs::metadata(folder(path))?, fs::metadata(path)?);
    let is_root = own.uid() == 0 && of_folder.uid() != 0;
    if is_root { chown(path, Some(of_folder.uid()), Some(of_folder.gid())) } else { Ok(()) }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn absent(path: &Path) -> Result<()> {
    let refused = || {
        let words = "is there already; restore replaces a record with --force, backup never does";
        Err(BackupError::Refused(format!("{} {words}", path.display())))
    };
    if path.exists() { refused() } else { Ok(()) }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = OsString::from(path);
    path.push(end);
    path.into()
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> BackupError {
    move |error| BackupError::File { path: path.to_owned(), error }
}

/// For a shell.
fn quoted(words: &str) -> String {
    format!("'{}'", words.replace('\'', "'\\''"))
}
