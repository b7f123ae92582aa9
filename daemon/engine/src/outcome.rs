//! From how a pass ended to what is recorded of each of its tasks.

use queue::{Failure, FailureClass, Outcome, Pass, TaskReport, TaskRow};
use serde_json::json;
use worker::PassEnd;
use workflow::pass::{JobOutcome, PassReport};

/// One report a task. A worker's death is charged to the job that was running; the others were interrupted.
pub(crate) fn reports(
    pass: &Pass,
    end: PassEnd,
    current: Option<&str>,
    log: &str,
    stopping: bool,
) -> Vec<TaskReport> {
    let log = (!log.is_empty()).then(|| log.to_owned());
    let blame = |outcome: &dyn Fn() -> Outcome, reason: &str| {
        let blamed = |t: &TaskRow| {
            current.map_or_else(
                || pass.tasks.first().is_some_and(|f| f.id == t.id),
                |job| job == t.job,
            )
        };
        let each = |t: &TaskRow| TaskReport {
            log: log.clone(),
            ..TaskReport::new(
                t.id,
                if blamed(t) {
                    outcome()
                } else {
                    Outcome::Interrupted {
                        reason: reason.to_owned(),
                    }
                },
            )
        };
        pass.tasks.iter().map(each).collect()
    };
    let permanent = |code: &str, message: String, remedy: &str| Outcome::Failed {
        failure: Failure::new(FailureClass::Permanent, code, message).with_remedy(remedy),
    };
    match end {
        PassEnd::Done {
            report, peak_rss, ..
        } => pass
            .tasks
            .iter()
            .map(|t| TaskReport {
                log: log.clone(),
                peak_rss: Some(peak_rss),
                ..task_report(t, &report)
            })
            .collect(),
        PassEnd::Refused(reason) => blame(
            &|| {
                permanent(
                    "refused",
                    format!("the worker refused the pass: {reason}"),
                    "restart the daemon, so that it and its workers are of one version",
                )
            },
            "the worker refused the pass",
        ),
        PassEnd::Died(detail) => blame(
            &|| Outcome::Crashed {
                signal: None,
                detail: detail.clone(),
            },
            "the worker died in another job of the pass",
        ),
        PassEnd::TimedOut(limit) => blame(
            &|| {
                permanent(
                    "time-limit",
                    format!("stopped after {} s, the time limit", limit.as_secs()),
                    "raise time_limit_secs of the job or the workers, then requeue",
                )
            },
            "another job of the pass ran into its time limit",
        ),
        PassEnd::OverMemory(used) => blame(
            &|| {
                permanent(
                    "memory-limit",
                    format!("stopped at {} MiB of memory, above the limit", used >> 20),
                    "raise memory_limit of the workers, then requeue",
                )
            },
            "another job of the pass ran into the memory limit",
        ),
        PassEnd::Cancelled if stopping => pass
            .tasks
            .iter()
            .map(|t| {
                TaskReport::new(
                    t.id,
                    Outcome::Interrupted {
                        reason: "the daemon stopped".to_owned(),
                    },
                )
            })
            .collect(),
        PassEnd::Cancelled => pass
            .tasks
            .iter()
            .map(|t| {
                TaskReport::new(
                    t.id,
                    if t.cancel_requested || pass.tasks.len() == 1 {
                        Outcome::Cancelled
                    } else {
                        Outcome::Interrupted {
                            reason: "its pass was cancelled".to_owned(),
                        }
                    },
                )
            })
            .collect(),
    }
}

fn task_report(task: &TaskRow, report: &PassReport) -> TaskReport {
    let outcome = match report.outcomes.get(&task.job) {
        Some(JobOutcome::Succeeded) => Outcome::Succeeded {
            result: json!({ "published_bytes": report.published_bytes, "objects": report.objects }),
        },
        Some(JobOutcome::Failed { failure }) => Outcome::Failed {
            failure: convert(failure),
        },
        Some(JobOutcome::Skipped { .. }) => Outcome::Skipped,
        None => Outcome::Interrupted {
            reason: "the worker did not report on it".to_owned(),
        },
    };
    TaskReport {
        timings: serde_json::to_value(&report.elapsed_ms).ok(),
        ..TaskReport::new(task.id, outcome)
    }
}

fn convert(failure: &workflow::Failure) -> Failure {
    let class = match failure.class {
        workflow::FailureClass::Transient => FailureClass::Transient,
        workflow::FailureClass::Environment => FailureClass::Environment,
        workflow::FailureClass::Permanent => FailureClass::Permanent,
    };
    Failure {
        class,
        code: failure.code.clone(),
        message: failure.message.clone(),
        remedy: failure.remedy.clone(),
        path: failure.path.clone(),
    }
}
