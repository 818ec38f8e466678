//! `tagwarden`: the command line.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use tagwarden::clock::SystemClock;
use tagwarden::config::{self, Checked, CheckedRegistry, Sources};
use tagwarden::http::check_listen;
use tagwarden::registry::client::RegistrySettings;
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
struct Serve {
    /// The configuration file; `tagwarden.toml` in the working folder is read if it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on, instead of the configured one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the record is kept, instead of the configured place: a path, `sqlite:///path` or `postgres://…`.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Let everybody who reaches the address read and decide everything.
    #[arg(long)]
    no_auth: bool,
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
    /// The configuration file whose registry entries and credentials are used.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("TAGWARDEN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx::pool=error,rustls_platform_verifier=off"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    let done = match Cli::parse().command {
        Command::Serve(options) => serve(options).await,
        Command::Demo(options) => demo(options).await,
        Command::Check(options) => check(options).await,
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

async fn serve(options: Serve) -> Result<(), String> {
    let mut sources = sources(options.config);
    let listen_option = options.listen.map(|address| ("--listen", "listen", address.to_string()));
    let database_option = options.database.map(|database| ("--database", "database", database));
    sources.options = listen_option.into_iter().chain(database_option).collect();
    let config = sources.load().map_err(|error| error.to_string())?;
    let listener = listen(config.server.listen, options.no_auth).await?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    tagwarden::serve::serve(config, Some(sources), options.no_auth, listener, None, stop)
        .await
        .map_err(|error| error.to_string())
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
    let Checked { registries, credentials, .. } = sources(options.config).load().map_err(|error| error.to_string())?;
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
