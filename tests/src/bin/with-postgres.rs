//! Runs a command with one PostgreSQL server for all tests in it: `with-postgres cargo nextest run`.

use std::process::{Command, ExitCode};

use tagwarden_tests::postgres::{Postgres, VARIABLE};

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: with-postgres COMMAND [ARGUMENT…]");
        return ExitCode::from(2);
    };
    let server = Postgres::start().await;
    match Command::new(&program).args(arguments).env(VARIABLE, server.url()).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("with-postgres: {} does not start: {error}", program.display());
            ExitCode::from(127)
        }
    }
}
