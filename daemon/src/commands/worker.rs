//! `wellspring worker`: the child process that runs passes.

use std::io::{stdin, stdout};
use std::process::ExitCode;

use crate::args::WorkerOptions;

/// Serves passes until stdin closes.
pub fn run(options: WorkerOptions) -> anyhow::Result<ExitCode> {
    crate::logging::worker();
    networks::engine::use_library(options.engine.onnxruntime);
    worker::prefer_as_victim();
    let wait = options.gpu_wait;
    let gpu = options
        .gpu_socket
        .map(|socket| gpu_worker::Remote::new(socket, wait));
    worker::serve(stdin().lock(), stdout(), gpu)?;
    Ok(ExitCode::SUCCESS)
}
