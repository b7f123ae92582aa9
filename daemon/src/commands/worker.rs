//! `wellspring worker`: the child process that runs passes.

use std::io::{stdin, stdout};
use std::process::ExitCode;

/// Serves passes until stdin closes.
pub fn run() -> anyhow::Result<ExitCode> {
    crate::logging::worker();
    worker::prefer_as_victim();
    worker::serve(stdin().lock(), stdout())?;
    Ok(ExitCode::SUCCESS)
}
