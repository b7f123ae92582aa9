//! `wellspring render`: the child process that reads containers for the pages.

use std::io::{stdin, stdout};
use std::process::ExitCode;

/// Answers questions until stdin closes.
pub fn run() -> anyhow::Result<ExitCode> {
    crate::logging::worker();
    worker::prefer_as_victim();
    let mut renderer = render::Renderer::default();
    viewer::wire::serve(stdin().lock(), stdout().lock(), |question| {
        renderer.answer(question)
    })?;
    Ok(ExitCode::SUCCESS)
}
