//! Whole commands against a daemon that is made up, over real sockets.

#![allow(clippy::unwrap_used)]

mod daemon;
mod details;
mod errors;
mod lists;
mod progress;
mod requeue;

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use clap::{Parser, Subcommand};

use crate::args::{ClientCommand, ClientOptions};
use crate::commands;
use crate::console::{Console, Mode};
use crate::error::Exit;

/// A program like ours: client commands beside one that has its own `--config`.
#[derive(Debug, Parser)]
#[command(name = "wellspring")]
pub(crate) struct Program {
    #[command(flatten)]
    pub client: ClientOptions,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve {
        #[arg(
            long,
            short,
            env = "WELLSPRING_CONFIG",
            default_value = "/etc/default.toml"
        )]
        config: PathBuf,
    },
    #[command(flatten)]
    Client(ClientCommand),
}

/// A folder that goes away with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("wellspring-cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A stream that is kept.
#[derive(Clone, Default)]
pub(crate) struct Kept(Rc<RefCell<Vec<u8>>>);

impl Kept {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

/// Runs a command as in a pipe.
pub(crate) fn run(server: &str, line: &str) -> Outcome {
    run_in(Mode::default(), server, line)
}

/// Runs a command with this kind of output.
pub(crate) fn run_in(mode: Mode, server: &str, line: &str) -> Outcome {
    let words = ["wellspring", "--server", server]
        .into_iter()
        .chain(line.split(' '));
    let program = Program::try_parse_from(words).unwrap();
    let Command::Client(command) = program.command else {
        panic!("`{line}` is not a client's command");
    };
    let (out, err) = (Kept::default(), Kept::default());
    let mode = Mode {
        json: program.client.json,
        tables: mode.tables && !program.client.plain && !program.client.json,
        ..mode
    };
    let console = Console::new(mode, Box::new(out.clone()), Box::new(err.clone()));
    let exit = commands::run(&program.client, &command, &console);
    Outcome {
        exit,
        out: out.text(),
        err: err.text(),
    }
}
