//! `tagwarden`: the command line.

use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use tagwarden::clock::SystemClock;
use tagwarden::config::{self, Checked, CheckedRegistry, ServerConfig, Sources};
use tagwarden::http::check_listen;
use tagwarden::registry::client::RegistrySettings;
use tagwarden::serve::{serve, serve_read_only};
use tagwarden::store::backup::{self, Whole};
use tagwarden::store::watch::RegistryEntry;
use tagwarden::watch::entry_for;
use tagwarden_model::name::Reference;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Watches container registries and flags release tags that were reassigned or removed.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Read from the working folder where no file is named.
const FILE: &str = "tagwarden.toml";

#[derive(Subcommand)]
enum Command {
    /// Watch registries and serve the dashboard.
    Serve(Serve),
    /// Show the dashboard with a story that happens in registries in memory; nothing is kept.
    Demo(Demo),
    /// Show every step that Tagwarden takes with a registry, to find out why it cannot read a reference.
    Check(Check),
    /// Copy the record to a new file, also while a server uses it, and read the copy back.
    Backup(Backup),
    /// Put a backup in the record's place, if every event and every kept byte in it is what was recorded.
    Restore(Restore),
    /// Ask the server of this machine whether it answers; for service managers, by the exit code.
    Healthcheck(Healthcheck),
    /// Print the completions for a shell.
    Completions(Completions),
    /// Print the manual page, of all of it or of one command.
    Man(Man),
    /// Check a configuration file, and the variables that go before it.
    CheckConfig {
        /// The file.
        #[arg(value_name = "FILE", default_value = FILE)]
        file: PathBuf,
    },
    /// Print the JSON Schema of the configuration file, for editors.
    ConfigSchema,
}

#[derive(Args)]
struct ConfigFile {
    /// The configuration file; `tagwarden.toml` in the working folder is read if it is there.
    #[arg(long, value_name = "FILE", env = "TAGWARDEN_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

#[derive(Args)]
struct Listen {
    /// Address and port to listen on, instead of the configured one and of `TAGWARDEN_SERVER_LISTEN`.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

#[derive(Args)]
struct Database {
    /// Where the record is kept, instead of the configured place and of `TAGWARDEN_SERVER_DATABASE`: a path, `sqlite:///path` or
    /// `postgres://…`.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[derive(Args)]
struct Record {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    database: Database,
}

impl Record {
    fn url(self) -> Result<String, String> {
        let config =
            with_options(self.config, None, self.database.database).load().map_err(|error| error.to_string())?;
        Ok(config.server.database.expose().to_owned())
    }
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    listen: Listen,
    #[command(flatten)]
    database: Database,
    /// Let everybody who reaches the address read and decide everything.
    #[arg(long)]
    no_auth: bool,
    /// Only show the record, such as a restored backup: nothing is polled, and nothing can be decided or changed.
    #[arg(long)]
    read_only: bool,
}

#[derive(Args)]
struct Demo {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Let everybody who reaches the address look and decide.
    #[arg(long)]
    no_auth: bool,
}

#[derive(Args)]
struct Check {
    /// What `docker pull` would take.
    reference: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
struct Backup {
    /// The file to write; it must not be there yet.
    file: PathBuf,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
struct Restore {
    /// The backup.
    file: PathBuf,
    /// Replace the record that is there. It is gone then.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    record: Record,
}

#[derive(Args)]
struct Healthcheck {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    listen: Listen,
}

#[derive(Args)]
struct Completions {
    /// The shell.
    shell: Shell,
}

#[derive(Args)]
struct Man {
    /// The command; without it the page of all.
    command: Option<String>,
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // Checks wait far more than they compute: on fewer threads they hand less to each other, which leaves a registry on the same
    // machine a twentieth more of it. The demo is its own registries, and waits for nobody.
    let threads = if matches!(command, Command::Demo(_)) { cores } else { (cores / 2).max(1) };
    match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime.block_on(start(command)),
        Err(error) => {
            eprintln!("error: this machine gives no threads: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(command: Command) -> ExitCode {
    let filter = EnvFilter::try_from_env("TAGWARDEN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx::pool=error,rustls_platform_verifier=off"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    let done = match command {
        Command::Serve(options) => run(options).await,
        Command::Demo(options) => demo(options).await,
        Command::Check(options) => check(options).await,
        Command::Backup(options) => back_up(options).await,
        Command::Restore(options) => restore(options).await,
        Command::Healthcheck(options) => healthcheck(options).await,
        Command::Completions(Completions { shell }) => print(|out| {
            clap_complete::generate(shell, &mut Cli::command(), "tagwarden", out);
            Ok(())
        }),
        Command::Man(Man { command }) => manual(command.as_deref()),
        Command::CheckConfig { file } => check_config(file),
        Command::ConfigSchema => {
            println!("{:#}", config::schema());
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("tagwarden: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The file that was named, or the one in the working folder if it is there, with the variables that go before it.
fn sources(file: Option<PathBuf>) -> Sources {
    let file = file.or_else(|| Some(PathBuf::from(FILE)).filter(|path| path.exists()));
    Sources { options: Vec::new(), variables: config::variables(), file }
}

/// The same, with what the command line says.
fn with_options(config: ConfigFile, listen: Option<SocketAddr>, database: Option<String>) -> Sources {
    let mut sources = sources(config.config);
    let listen = listen.map(|address| ("--listen", "listen", address.to_string()));
    let database = database.map(|database| ("--database", "database", database));
    sources.options = listen.into_iter().chain(database).collect();
    sources
}

async fn run(options: Serve) -> Result<(), String> {
    let sources = with_options(options.config, options.listen.listen, options.database.database);
    let config = sources.load().map_err(|error| error.to_string())?;
    let listener = listen(config.server.listen, options.no_auth).await?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    let served = if options.read_only {
        serve_read_only(config, options.no_auth, listener, stop).await
    } else {
        serve(config, Some(sources), options.no_auth, listener, None, stop).await
    };
    served.map_err(|error| error.to_string())
}

async fn demo(options: Demo) -> Result<(), String> {
    let listener = listen(options.listen, options.no_auth).await?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    tagwarden::demo::run(options.no_auth, listener, stop).await.map_err(|error| error.to_string())
}

async fn listen(address: SocketAddr, no_auth: bool) -> Result<TcpListener, String> {
    check_listen(&address, no_auth)?;
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; is another server there? --listen takes another address")
    })
}

/// Ctrl-C, and the signal by which service managers stop a program.
async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
    stop.cancel();
}

async fn check(options: Check) -> Result<(), String> {
    let Checked { registries, credentials, .. } =
        sources(options.config.config).load().map_err(|error| error.to_string())?;
    let name = options.reference.parse::<Reference>().map(|reference| reference.repository).ok();
    let entries: Vec<RegistryEntry> = registries.iter().map(CheckedRegistry::entry).collect();
    let serving = name.and_then(|name| entry_for(&entries, &name).map(|entry| entry.name.clone()));
    let settings = |host: &str| {
        let entry = registries.into_iter().find(|entry| serving.as_ref() == Some(&entry.name));
        entry.map_or_else(
            || {
                let mut settings = RegistrySettings::new(host);
                settings.credentials = credentials;
                (settings, "docker's config.json".to_owned())
            },
            |entry| (entry.settings, format!("registry entry {}", entry.name)),
        )
    };
    let clock = Arc::new(SystemClock::new(0));
    tagwarden::check::run(&options.reference, options.json, settings, clock).await.map_err(|error| error.to_string())
}

async fn back_up(options: Backup) -> Result<(), String> {
    let whole = backup::backup(&options.record.url()?, &options.file).await.map_err(|error| error.to_string())?;
    print(|out| writeln!(out, "{} holds {}", options.file.display(), counted(whole)))
}

async fn restore(options: Restore) -> Result<(), String> {
    let database = options.record.url()?;
    let whole = backup::restore(&options.file, &database, options.force).await.map_err(|error| error.to_string())?;
    print(|out| writeln!(out, "{database} holds {}", counted(whole)))
}

fn counted(Whole { events, contents }: Whole) -> String {
    format!("{events} events and {contents} manifests and configs, each of them as it was recorded")
}

/// Asks over loopback where the server listens on every address.
async fn healthcheck(options: Healthcheck) -> Result<(), String> {
    let config = with_options(options.config, options.listen.listen, None).load().map_err(|error| error.to_string())?;
    let ServerConfig { listen: mut address, base_path, .. } = config.server;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let url = format!("http://{address}{base_path}healthz");
    let _ = rustls::crypto::ring::default_provider().install_default();
    // No roots: nothing here is encrypted, and reading them takes longer than the question.
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(5)).build();
    let asked = async { client?.get(&url).send().await?.error_for_status() };
    asked.await.map(drop).map_err(|error| tagwarden::store::with_causes(&error))
}

fn manual(command: Option<&str>) -> Result<(), String> {
    let mut all = Cli::command().disable_help_subcommand(true);
    all.build();
    let page = match command {
        None => Some(&all),
        Some(name) => all.find_subcommand(name),
    };
    let page = page.cloned().ok_or("there is no such command; `tagwarden --help` lists them")?;
    let source = concat!("tagwarden ", env!("CARGO_PKG_VERSION"));
    print(|out| clap_mangen::Man::new(page).source(source).render(out))
}

/// To the standard output, whose reader may have enough before the end.
fn print(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<(), String> {
    let mut text = Vec::new();
    let written = write(&mut text).and_then(|()| std::io::stdout().write_all(&text));
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn check_config(file: PathBuf) -> Result<(), String> {
    let Checked { registries, watches, policy, .. } = sources(Some(file)).load().map_err(|error| error.to_string())?;
    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    println!(
        "{}, {}, {}",
        count(registries.len(), "registry", "registries"),
        count(watches.len(), "repository", "repositories"),
        count(policy.rules().len(), "rule", "rules")
    );
    Ok(())
}
