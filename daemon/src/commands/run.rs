//! `wellspring run`: a workflow over one folder, without a daemon.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use engine::{Blame, FailedTask, RunProgress, RunSummary, run_once};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::args::RunOptions;
use crate::commands::names;
use crate::output;

/// Runs the workflow. Exit code 1 where a task failed, an input could not be read or an image set is incomplete.
pub fn run(options: &RunOptions, json: bool) -> anyhow::Result<ExitCode> {
    crate::logging::command();
    let naming = names::choose(&options.folder, options.naming.as_deref())?;
    if options.naming.is_none() {
        output::note(format!(
            "reading file names as `{}` (choose with --naming)",
            naming.text()
        ));
    }
    let workflow = config::WorkflowFile::load(&options.workflow)?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = options.workers.unwrap_or(cores).max(1);
    let request = engine::RunOptions {
        workflow,
        folder: options.folder.clone(),
        output: options.output.clone(),
        naming,
        workers,
        threads: options.threads.unwrap_or((cores / workers).max(1)),
        force: options.force,
        force_jobs: options.force_job.clone(),
        keep_invalid: options.ignore_invalid_inputs,
        keep_failed: options.ignore_failed_outputs,
        status_files: options.status_files,
        dry_run: options.dry_run,
        program: std::env::current_exe().context("cannot find this program's own file")?,
        arguments: worker_arguments(options)?,
        time_limit: Duration::from_secs(options.time_limit),
        gpu: options.gpu.clone(),
    };
    let begin = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let summary = runtime.block_on(async {
        let interrupted = CancellationToken::new();
        let on_signal = interrupted.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                on_signal.cancel();
            }
        });
        let mut shown = Progress::new(json);
        let summary = run_once(request, interrupted.clone(), |p| shown.show(p)).await;
        shown.finish();
        if interrupted.is_cancelled() {
            output::note("interrupted; the next run goes on from here");
        }
        summary
    })?;
    report(&summary, options, begin.elapsed(), json)?;
    Ok(if is_good(&summary, options) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// What a GPU did, if one did something.
fn gpu(tally: &gpu_worker::Tally) {
    let calls: u64 = tally.used.values().map(|used| used.calls).sum();
    if let Some(adapter) = tally.adapter.as_ref().filter(|_| calls > 0) {
        output::note(format!("{calls} operations on {adapter}"));
    }
    for (reason, n) in &tally.fallbacks {
        output::note(format!(
            "{n} operations on the CPU that the GPU should have done ({reason})"
        ));
    }
}

/// Whether everything succeeded that is not ignored.
fn is_good(summary: &RunSummary, options: &RunOptions) -> bool {
    let of_inputs = |f: &&FailedTask| f.blame == Blame::Input;
    let invalid = summary.failed.iter().filter(of_inputs).count();
    let all_inputs_good =
        invalid == 0 && summary.invalid.is_empty() && summary.incomplete.is_empty();
    let all_outputs_good = summary.failed.len() == invalid;
    let unfinished = summary.tasks.pending() > 0 && !options.dry_run;
    (all_inputs_good || options.ignore_invalid_inputs)
        && (all_outputs_good || options.ignore_failed_outputs)
        && summary.status_files.iter().all(|(_, files)| files.is_ok())
        && !unfinished
}

/// A library that was asked for on the command line must work.
fn worker_arguments(options: &RunOptions) -> anyhow::Result<Vec<String>> {
    let mut arguments = vec!["worker".to_owned()];
    if let Some(library) = &options.engine.onnxruntime {
        networks::engine::check_library(library)?;
        arguments.push(format!("--onnxruntime={}", library.display()));
    }
    Ok(arguments)
}

/// A bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    last: Option<Instant>,
    quiet: bool,
}

impl Progress {
    fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template(
                "{bar:30} {pos}/{len} tasks, {elapsed} (about {eta} left)  {wide_msg}",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style)
        });
        Self {
            bar,
            last: None,
            quiet,
        }
    }

    fn show(&mut self, progress: &RunProgress) {
        let tasks = &progress.tasks;
        let ended = tasks.succeeded + tasks.failed + tasks.quarantined + tasks.cancelled;
        if let Some(bar) = &self.bar {
            bar.set_length(tasks.total());
            bar.set_position(ended);
            bar.set_message(progress.running.join("  "));
        } else if !self.quiet
            && self
                .last
                .is_none_or(|at| at.elapsed() > Duration::from_secs(5))
        {
            self.last = Some(Instant::now());
            output::note(format!(
                "{ended} of {} tasks ended, {} failed",
                tasks.total(),
                tasks.failed + tasks.quarantined
            ));
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn report(
    summary: &RunSummary,
    options: &RunOptions,
    elapsed: Duration,
    as_json: bool,
) -> anyhow::Result<()> {
    if as_json {
        let planned: Vec<_> = summary.planned.iter().map(|(t, why)| json!({ "plate": t.plate_name, "subject": t.subject_name, "job": t.job, "reason": why })).collect();
        return output::json(&json!({
            "tasks": summary.tasks, "failed": summary.failed, "invalid_inputs": summary.invalid, "incomplete": summary.incomplete,
            "planned": if options.dry_run { Some(planned) } else { None }, "plates": summary.plates.iter().map(|(n, p)| json!({ "name": n, "output": p })).collect::<Vec<_>>(),
            "status_files": summary.status_files.iter().filter_map(|(n, f)| Some(json!({ "plate": n, "folder": f.as_ref().ok()?.folder, "names": f.as_ref().ok()?.names }))).collect::<Vec<_>>(),
            "gpu": summary.gpu,
            "elapsed_secs": elapsed.as_secs_f64(),
        }));
    }
    for (task, why) in &summary.planned {
        output::line(format!(
            "would run  {}  {}  {}  ({why})",
            task.plate_name, task.subject_name, task.job
        ));
    }
    for file in &summary.invalid {
        output::note(format!(
            "invalid input: {}: {}",
            file.path.display(),
            file.reason.as_deref().unwrap_or("cannot be read")
        ));
    }
    for (set, missing) in &summary.incomplete {
        output::note(format!("incomplete: {set}: missing {missing}"));
    }
    failures(&summary.failed);
    advise(summary, options);
    gpu(&summary.gpu);
    let tasks = &summary.tasks;
    if options.dry_run {
        output::line(format!(
            "{} tasks would run, {} have a result",
            summary.planned.len(),
            tasks.succeeded
        ));
    } else {
        output::line(format!(
            "{} of {} tasks succeeded, {} failed, in {:.1} s",
            tasks.succeeded,
            tasks.total(),
            tasks.failed + tasks.quarantined,
            elapsed.as_secs_f64()
        ));
        for (name, folder) in &summary.plates {
            output::line(format!("{name}: {}", folder.display()));
        }
        for (name, files) in &summary.status_files {
            match files {
                Ok(files) => output::line(format!("{name}: {}", files.folder.display())),
                Err(error) => output::note(format!("error: {name}: {error}")),
            }
        }
    }
    Ok(())
}

/// Failed tasks with their reasons; several jobs of an image set that failed for one reason are one line.
fn failures(failed: &[FailedTask]) {
    let mut last = None;
    for FailedTask { task, blame } in failed {
        let (message, remedy) = task
            .error
            .as_ref()
            .map_or(("", ""), |e| (e.message.as_str(), e.remedy.as_str()));
        if last.replace((task.subject, message)) == Some((task.subject, message)) {
            continue;
        }
        let what = match blame {
            Blame::Input => "invalid input",
            Blame::Output | Blame::Stopped => "failed",
        };
        output::note(format!(
            "{what}: {} {} {}: {message}",
            task.plate_name, task.subject_name, task.job
        ));
        if !remedy.is_empty() {
            output::note(format!("hint: {remedy}"));
        }
    }
}

/// What can be done about the exit code.
fn advise(summary: &RunSummary, options: &RunOptions) {
    if options.dry_run {
        return;
    }
    let inputs = summary.failed.iter().any(|f| f.blame == Blame::Input)
        || !summary.invalid.is_empty()
        || !summary.incomplete.is_empty();
    let outputs = summary.failed.iter().any(|f| f.blame != Blame::Input);
    if inputs && !options.ignore_invalid_inputs {
        output::note(
            "hint: the rest was computed; --ignore-invalid-inputs leaves these images out for good",
        );
    }
    if outputs && !options.ignore_failed_outputs {
        output::note(
            "hint: failed tasks are tried again by the next run; --ignore-failed-outputs leaves them as they are",
        );
    }
}
