//! What is printed where: data on stdout, messages on stderr.

use std::cell::RefCell;
use std::io::{self, BufRead, IsTerminal, Write};

use comfy_table::Table;
use serde_json::Value;

use crate::args::ClientOptions;
use crate::error::{Error, Exit, Result};
use crate::sheet::{Sheet, Tone};
use crate::words::harmless;

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mode {
    /// As the API's JSON.
    pub json: bool,
    /// As tables and sentences; else as lines with tabs.
    pub tables: bool,
    /// In colours.
    pub colour: bool,
    /// With a line that changes on stderr.
    pub live: bool,
    /// A person can be asked.
    pub asks: bool,
    /// Columns of the terminal.
    pub width: Option<u16>,
}

/// Where everything is printed.
pub(crate) struct Console {
    /// How.
    pub mode: Mode,
    out: RefCell<Box<dyn Write>>,
    err: RefCell<Box<dyn Write>>,
}

impl Console {
    /// The streams of this process.
    pub(crate) fn of_process(options: &ClientOptions) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let people = out.is_terminal() && !options.plain && !options.json;
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let mode = Mode {
            json: options.json,
            tables: people,
            colour: people && !set("NO_COLOR") && !dumb,
            live: people && err.is_terminal() && !dumb,
            asks: io::stdin().is_terminal() && err.is_terminal(),
            width: Table::new().width(),
        };
        Self::new(mode, Box::new(out), Box::new(err))
    }

    /// Any streams.
    pub(crate) fn new(mode: Mode, out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self {
            mode,
            out: RefCell::new(out),
            err: RefCell::new(err),
        }
    }

    /// Prints data as it is.
    pub(crate) fn data(&self, text: &str) -> Result<()> {
        let mut out = self.out.borrow_mut();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Error::reader_gone()),
            Err(error) => Err(Error::new(
                Exit::Failure,
                format!("cannot write to stdout: {error}"),
            )
            .hint("check that the disk that the output goes to is not full")),
        }
    }

    /// Prints a line of data.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Result<()> {
        self.data(&format!("{}\n", harmless(text.as_ref())))
    }

    /// Prints JSON.
    pub(crate) fn json(&self, value: &Value) -> Result<()> {
        self.data(&format!("{value:#}\n"))
    }

    /// Prints rows.
    pub(crate) fn sheet(&self, sheet: &Sheet) -> Result<()> {
        if sheet.is_empty() {
            return Ok(());
        }
        if self.mode.tables {
            self.data(&sheet.table(self.mode.colour, self.mode.width))
        } else {
            self.data(&sheet.lines())
        }
    }

    /// A word in its tone, where there are colours.
    pub(crate) fn toned(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Good => 32,
            Tone::Busy => 33,
            Tone::Bad => 31,
        };
        if self.mode.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Prints a message. Nothing can be done about a stderr that is closed.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        let mut err = self.err.borrow_mut();
        let _ = writeln!(err, "{}", harmless(text.as_ref()));
        let _ = err.flush();
    }

    /// Says what went wrong and what to do about it.
    pub(crate) fn fail(&self, error: &Error) -> Exit {
        if error.exit != Exit::Success {
            self.note(format!("error: {}", error.message));
            if let Some(hint) = &error.hint {
                self.note(format!("hint: {hint}"));
            }
        }
        error.exit
    }

    /// Replaces the line that changes; an empty one removes it.
    pub(crate) fn live(&self, text: &str) {
        let mut err = self.err.borrow_mut();
        let _ = write!(err, "\r\u{1b}[2K{text}");
        let _ = err.flush();
    }

    /// Asks a person; anything but yes is no.
    pub(crate) fn confirms(&self, question: &str) -> bool {
        {
            let mut err = self.err.borrow_mut();
            let _ = write!(err, "{question} [y/N] ");
            let _ = err.flush();
        }
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }
}
