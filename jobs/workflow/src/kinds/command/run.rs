//! One job on one image set: a process, or one for each region.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use faults::{Point, write_point};
use image_io::publish::Scratch;

use super::end::judge;
use super::guard::Order;
use super::handover::{Inputs, input_file, inputs_folder, stack_file};
use super::process::Stop;
use super::regions::{Region, cut};
use super::results::Output;
use super::stitch::stitch;
use super::template::Name;
use super::{Command, process, program};
use crate::context::JobIo;
use crate::error::Failure;
use crate::port::Holds;

/// All that the runs of a job share.
struct Job<'a> {
    command: &'a Command,
    inputs: Inputs,
    /// Name and kind of each output, in the order of the ports.
    outputs: Vec<(String, Holds)>,
    words: BTreeMap<&'static str, String>,
    /// Where working folders are made.
    scratch: PathBuf,
    id: String,
}

/// Outputs of one run, in the order of [`Job::outputs`].
type Outputs = Vec<Output>;

pub(super) fn run(command: &Command, io: &mut JobIo<'_>) -> Result<(), Failure> {
    let kinds = [
        ("images", Holds::Image),
        ("masks", Holds::Mask),
        ("labels", Holds::Labels),
        ("tables", Holds::Table),
    ];
    let outputs: Vec<(String, Holds)> = kinds
        .iter()
        .flat_map(|(port, holds)| io.output_names(port).into_iter().map(|n| (n, *holds)))
        .collect();
    let inputs = Inputs::gather(command, io)?;
    let (shape, size) = match inputs.shape {
        Some(shape) => (shape, command.region),
        None => ((1, 1), None),
    };
    let all = cut(shape, size, command.overlap);
    let at_a_time = command.parallel.clamp(1, all.len());
    let mut words = words(io.set_name());
    words.insert("plate", io.plate_name().to_owned());
    words.insert(
        "threads",
        (rayon::current_num_threads() / at_a_time)
            .max(1)
            .to_string(),
    );
    let job = Job {
        command,
        inputs,
        outputs,
        words,
        scratch: io.scratch().to_owned(),
        id: io.job_id().to_owned(),
    };
    let made = job.run_all(&all, at_a_time)?;
    let whole = stitch(&job.outputs, shape, &all, made)?;
    let mut whole = whole.into_iter();
    for (port, _) in kinds {
        // Outputs come in the order of the ports and of the names in each.
        for (number, _) in io.output_names(port).iter().enumerate() {
            match whole.next().map(Output::into_item) {
                Some(Ok(item)) => io.put_nth(port, number, item),
                Some(Err(table)) => io.put_nth_table(port, number, table),
                None => {}
            }
        }
    }
    Ok(())
}

/// `A01-0003-T0002` in its parts.
fn words(set: &str) -> BTreeMap<&'static str, String> {
    let mut parts = set.split('-');
    let number = |text: Option<&str>| {
        let digits = text.map(|t| t.trim_start_matches('T').trim_start_matches('0'));
        match digits {
            Some("") => "0".to_owned(),
            Some(digits) => digits.to_owned(),
            None => "1".to_owned(),
        }
    };
    BTreeMap::from([
        ("set", set.to_owned()),
        ("well", parts.next().unwrap_or_default().to_owned()),
        ("site", number(parts.next())),
        ("timepoint", number(parts.next())),
    ])
}

impl Job<'_> {
    /// Runs the program on every region, some at a time. The first failure ends the others.
    fn run_all(&self, all: &[Region], at_a_time: usize) -> Result<Vec<Outputs>, Failure> {
        let (stop, next) = (Stop::default(), AtomicUsize::new(0));
        let made: Mutex<Vec<Option<Outputs>>> = Mutex::new(vec![None; all.len()]);
        let failed: Mutex<Option<Failure>> = Mutex::new(None);
        let work = || {
            while !stop.is_stopped()
                && let Some(region) = all.get(next.fetch_add(1, Ordering::Relaxed))
            {
                match self.run_one(region, &stop) {
                    Ok(outputs) => {
                        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
                        made[region.number - 1] = Some(outputs);
                    }
                    Err(failure) => {
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.get_or_insert(failure);
                        stop.stop();
                    }
                }
            }
        };
        if at_a_time == 1 {
            work();
        } else {
            std::thread::scope(|scope| {
                for _ in 0..at_a_time {
                    scope.spawn(work);
                }
            });
        }
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(failure) => Err(failure),
            None => Ok(made
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .into_iter()
                .flatten()
                .collect()),
        }
    }

    fn run_one(&self, region: &Region, stop: &Stop) -> Result<Outputs, Failure> {
        let scratch = Scratch::create(&self.scratch, "command")?;
        let result = self.attempt(scratch.path(), region, stop);
        result.map_err(|mut failure| {
            if region.count > 1 {
                failure.message = format!("{}: {}", region.describe(), failure.message);
            }
            if self.command.keep_scratch && !stop.is_stopped() {
                match scratch.keep(&format!("kept-{}", self.id)) {
                    Ok(path) => {
                        failure.message = format!(
                            "{}; its files are kept in `{}`",
                            failure.message,
                            path.display()
                        );
                    }
                    Err(error) => tracing::warn!(%error, "the working folder cannot be kept"),
                }
            }
            failure
        })
    }

    fn attempt(&self, folder: &Path, region: &Region, stop: &Stop) -> Result<Outputs, Failure> {
        let command = self.command;
        self.inputs.write(command, folder, Some(region))?;
        let fill = |name: &Name| self.value(name, folder, region);
        for (name, text) in &command.texts {
            let path = folder.join(name);
            std::fs::write(&path, text.fill(fill)?.as_encoded_bytes()).map_err(|source| {
                image_io::Error::Io {
                    path: path.clone(),
                    action: "write",
                    source,
                }
            })?;
        }
        let order = self.order(folder, fill)?;
        say(&order, region);
        let ended = process::run(&order, stop)?;
        write_point(Point::ProgramEnded).map_err(|source| image_io::Error::Io {
            path: folder.to_owned(),
            action: "read",
            source,
        })?;
        judge(command, &order, &ended, &self.scratch)?;
        let shape = self.inputs.shape.map(|_| region.shape());
        let mut outputs = Vec::with_capacity(self.outputs.len());
        for (name, holds) in &self.outputs {
            if let Some(found) = command.results.get(name) {
                let file = found.file.fill(fill)?;
                outputs.push(found.take((name, *holds), (folder, &file), shape)?);
            }
        }
        Ok(outputs)
    }

    /// What to start, with everything filled in.
    fn order(
        &self,
        folder: &Path,
        fill: impl Fn(&Name) -> Result<OsString, Failure>,
    ) -> Result<Order, Failure> {
        let mut variables = BTreeMap::from([
            ("PATH".to_owned(), OsString::from(program::PATH)),
            ("HOME".to_owned(), folder.into()),
            ("TMPDIR".to_owned(), folder.into()),
            ("LANG".to_owned(), "C.UTF-8".into()),
        ]);
        for (name, value) in &self.command.env {
            variables.insert(name.clone(), value.fill(&fill)?);
        }
        let search = variables.get("PATH").cloned().unwrap_or_default();
        let name = self.command.program.fill(&fill)?;
        let program = program::find(&name, &search)
            .map_err(|missing| program::failure(&name, &search, &missing))?;
        let arguments = self
            .command
            .args
            .iter()
            .map(|argument| argument.fill(&fill).map(PathBuf::from))
            .collect::<Result<_, _>>()?;
        let (variables, values) = variables
            .into_iter()
            .map(|(name, value)| (name, PathBuf::from(value)))
            .unzip();
        Ok(Order {
            program,
            arguments,
            variables,
            values,
            directory: folder.to_owned(),
            group: rustix::process::getpgrp().as_raw_nonzero().get(),
        })
    }

    fn value(&self, name: &Name, folder: &Path, region: &Region) -> Result<OsString, Failure> {
        let number = |n: usize| OsString::from(n.to_string());
        Ok(match name {
            Name::Dir => folder.into(),
            Name::Inputs => inputs_folder(folder).into(),
            Name::Stack => stack_file(self.command, folder).into(),
            Name::Input(of) => input_file(self.command, folder, of).into(),
            Name::Original(of) => self
                .inputs
                .originals
                .get(of)
                .map_or_else(OsString::new, |path| path.as_os_str().to_owned()),
            Name::File(of) => self
                .command
                .files
                .get(of)
                .map_or_else(OsString::new, |path| path.as_os_str().to_owned()),
            Name::Word("region") => number(region.number),
            Name::Word("y0") => number(region.rows.start),
            Name::Word("y1") => number(region.rows.end),
            Name::Word("x0") => number(region.columns.start),
            Name::Word("x1") => number(region.columns.end),
            Name::Word("height") => number(region.rows.len()),
            Name::Word("width") => number(region.columns.len()),
            Name::Word(word) => self.words.get(word).map_or_else(OsString::new, Into::into),
        })
    }
}

/// The command line in the log, each argument in quotes where it needs them.
fn say(order: &Order, region: &Region) {
    let quoted = |text: &OsStr| {
        let text = text.display().to_string();
        let plain = !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || "-_./=:,+@%".contains(c));
        if plain { text } else { format!("{text:?}") }
    };
    let line: Vec<String> = std::iter::once(&order.program)
        .chain(&order.arguments)
        .map(|part| quoted(part.as_os_str()))
        .collect();
    let place = if region.count > 1 {
        format!("{}: ", region.describe())
    } else {
        String::new()
    };
    let _ = writeln!(std::io::stderr(), "{place}{}", line.join(" "));
}
