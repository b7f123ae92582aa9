//! `wellspring`: the daemon, its workers and its command line in one binary. Wiring only.

mod args;
mod commands;
mod logging;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => output::fail(&error),
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let json = arguments.client.json;
    match arguments.command {
        Command::Serve(serve) => commands::serve::run(serve),
        Command::Worker(options) => commands::worker::run(options),
        Command::Gpu(options) => commands::gpu::run(&options),
        Command::Render => commands::render::run(),
        Command::Guard => Ok(workflow::guard()),
        Command::Run(options) => commands::run::run(&options, json),
        Command::Doctor(options) => commands::doctor::run(&options, json),
        Command::Inspect(options) => commands::inspect::run(&options, json),
        Command::Export(command) => commands::export::run(&command, json),
        Command::Ilastik(command) => commands::ilastik::run(&command, json),
        Command::Names(command) => commands::names::run(&command, json),
        Command::Workflow(command) => commands::workflow::run(&command, json),
        Command::Model(command) => commands::model::run(&command, json),
        Command::Notify(command) => commands::notify::run(&command, json),
        Command::Config(command) => commands::config::run(&command, json),
        Command::Completions { shell } => commands::manual::completions(shell),
        Command::Man { dir } => commands::manual::man(dir.as_deref()),
        Command::Client(command) => Ok(cli::run(&arguments.client, &command)),
    }
}
