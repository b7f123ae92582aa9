//! One file a group of commands.

mod files;
mod pause;
mod plates;
mod plates_wait;
mod requeue;
mod roots;
mod status;
mod task_show;
mod tasks;
mod watch;

use crate::args::{ClientCommand, ClientOptions, WatchCommand};
use crate::console::Console;
use crate::error::{Error, Exit, Result};
use crate::http::Client;

/// Runs a command, and says what went wrong.
pub(crate) fn run(options: &ClientOptions, command: &ClientCommand, console: &Console) -> Exit {
    let ended = match command {
        ClientCommand::Status => status::run(options, console),
        ClientCommand::Plates(command) => plates::run(options, command, console),
        ClientCommand::Roots(command) => roots::run(options, command, console),
        ClientCommand::Tasks(command) => tasks::run(options, command, console),
        ClientCommand::Files(command) => files::run(options, command, console),
        ClientCommand::Watch(args) => match &args.command {
            Some(WatchCommand::Explain { path }) => {
                Client::new(options).and_then(|client| files::explain(&client, path, console))
            }
            None => watch::run(options, args, console),
        },
        ClientCommand::Pause { reason, wait } => {
            pause::pause(options, reason.as_deref(), *wait, console)
        }
        ClientCommand::Resume => pause::resume(options, console),
    };
    ended.unwrap_or_else(|error| console.fail(&error))
}

/// Does something for each of the things that were named. One that cannot be done does not keep the others from being
/// done; an unreachable daemon does.
fn for_each<T>(
    things: &[T],
    console: &Console,
    mut act: impl FnMut(&T) -> Result<()>,
) -> Result<Exit> {
    let mut exit = Exit::Success;
    for thing in things {
        match act(thing) {
            Ok(()) => {}
            Err(error) if matches!(error.exit, Exit::Unreachable | Exit::Success) => {
                return Err(error);
            }
            Err(error) => {
                console.fail(&error);
                if exit == Exit::Success {
                    exit = error.exit;
                }
            }
        }
    }
    Ok(exit)
}
