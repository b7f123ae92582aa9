//! The worker's side: reads passes from stdin, runs them, answers on stdout.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{BufRead, Write};
use std::sync::Arc;

use analysis::accelerator::Accelerator;
use faults::Point;
use gpu_worker::Remote;
use workflow::Workflow;

use crate::protocol::{FromWorker, ToWorker};

/// Serves passes until stdin closes, which is how the daemon says goodbye and also what its death looks like. `gpu` is asked where it
/// is faster.
///
/// # Errors
/// stdout cannot be written to: the daemon is gone.
pub fn serve(
    input: impl BufRead,
    mut output: impl Write + Send,
    gpu: Option<Remote>,
) -> std::io::Result<()> {
    let gpu = gpu.map(Arc::new);
    let accelerator = gpu.clone().map(|gpu| gpu as Arc<dyn Accelerator>);
    let mut workflows: HashMap<String, Arc<Workflow>> = HashMap::new();
    let mut pools: HashMap<usize, rayon::ThreadPool> = HashMap::new();
    send(
        &mut output,
        &FromWorker::Ready {
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    )?;
    for line in input.lines() {
        let message: ToWorker = match serde_json::from_str(&line?) {
            Ok(message) => message,
            Err(error) => {
                send(
                    &mut output,
                    &FromWorker::Refused {
                        reason: format!("not a message of this version: {error}"),
                    },
                )?;
                continue;
            }
        };
        match message {
            ToWorker::Workflow { id, file } => match Workflow::compile(&file) {
                Ok(workflow) => drop(workflows.insert(id, Arc::new(workflow))),
                Err(errors) => {
                    let reason = errors
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("; ");
                    send(&mut output, &FromWorker::Refused { reason })?;
                }
            },
            ToWorker::Pass {
                workflow,
                threads,
                request,
            } => {
                let Some(workflow) = workflows.get(&workflow) else {
                    send(
                        &mut output,
                        &FromWorker::Refused {
                            reason: format!("unknown workflow `{workflow}`"),
                        },
                    )?;
                    continue;
                };
                let pool = match pools.entry(threads) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => entry.insert(
                        rayon::ThreadPoolBuilder::new()
                            .num_threads(threads)
                            .build()
                            .map_err(std::io::Error::other)?,
                    ),
                };
                forget_peak();
                faults::point(Point::WorkerReceived);
                let mut failed = None;
                let mut started = |job: &str| {
                    let told = send(
                        &mut output,
                        &FromWorker::Started {
                            job: job.to_owned(),
                        },
                    );
                    failed = failed.take().or(told.err());
                };
                let report = pool.install(|| {
                    workflow::pass::run_on(workflow, &request, &mut started, accelerator.as_ref())
                });
                if let Some(error) = failed {
                    return Err(error);
                }
                faults::point(Point::WorkerDone);
                send(
                    &mut output,
                    &FromWorker::Done {
                        report: Box::new(report),
                        peak_rss: peak_rss(),
                        gpu: gpu.as_ref().map(|gpu| gpu.take_tally()).unwrap_or_default(),
                    },
                )?;
                faults::point(Point::WorkerReported);
            }
        }
    }
    Ok(())
}

/// Makes this process the one that the kernel ends first when memory runs out: a worker costs one attempt of one image set,
/// the daemon would cost them all.
pub fn prefer_as_victim() {
    // Without `/proc` the kernel decides by size, which mostly means a worker too.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
}

fn send(output: &mut impl Write, message: &FromWorker) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(message).map_err(std::io::Error::other)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

/// Starts the measurement of the largest resident size anew, so that it speaks of one pass.
fn forget_peak() {
    // Where the kernel does not offer it, the peak is that of all passes so far: too careful, not wrong.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Largest resident size of this process so far, from `VmHWM` (kB).
fn peak_rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|kb| kb.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}
