//! `wellspring worker`: the child process that runs passes.

use std::io::{stdin, stdout};
use std::process::ExitCode;

use crate::args::EngineOptions;

/// Serves passes until stdin closes.
pub fn run(options: EngineOptions) -> anyhow::Result<ExitCode> {
    crate::logging::worker();
    networks::engine::use_library(options.onnxruntime);
    worker::prefer_as_victim();
    worker::serve(stdin().lock(), stdout())?;
    Ok(ExitCode::SUCCESS)
}
