//! The client's half of the command line: what it asks of the daemon over HTTP, and how it prints the answers.
//!
//! Data goes to stdout, messages to stderr. On a terminal lists are tables; elsewhere, and with `--plain`, they are lines
//! of values separated by tabs; with `--json` they are what the API answers. Exit codes: 0 success, 1 failure, 2 wrong usage,
//! 3 the daemon cannot be reached, 4 not found, 5 conflict.

mod address;
mod args;
mod commands;
mod console;
mod error;
mod http;
mod listing;
mod poll;
mod resolve;
mod sheet;
mod wire;
mod words;

#[cfg(test)]
mod tests;

pub use args::{
    ClientCommand, ClientOptions, CursorArgs, PlateState, PlatesCommand, RequeueArgs, RootsCommand,
    TaskState, TasksCommand, WatchArgs,
};

use std::process::ExitCode;

use console::Console;

/// Runs a client command, and says what went wrong on stderr.
#[must_use]
pub fn run(options: &ClientOptions, command: &ClientCommand) -> ExitCode {
    let console = Console::of_process(options);
    commands::run(options, command, &console).into()
}
