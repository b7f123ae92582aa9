//! Turns a claimed pass into what its worker needs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::ContainerFormat;
use queue::{Failure, FailureClass, Pass, SubjectKind, SubjectState};
use worker::PassLimits;
use workflow::pass::{InputState, JobRequest, PassRequest, Subject};
use workflow::{PlateMember, container_file};

use crate::facility::{Prepared, RootSettings};
use crate::image_set::ImageSet;
use crate::intake::Intake;
use crate::links::link_on_the_way;
use crate::records;

/// A claimed pass, ready to be sent.
pub(crate) struct ReadyPass {
    pub prepared: Arc<Prepared>,
    pub request: PassRequest,
    pub container: Option<PathBuf>,
    pub limits: PassLimits,
}

/// Why a claimed pass is not run.
pub(crate) enum NotReady {
    /// Its tasks fail.
    Failed(Failure),
    /// Its tasks go back to the queue: the plate was planned anew just now.
    PlannedAnew,
}

impl From<Failure> for NotReady {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Limits of a job that does not set its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DefaultLimits {
    pub time: Duration,
    pub memory: Option<u64>,
}

/// Makes a claimed pass ready.
///
/// # Errors
/// Why it cannot be run.
pub(crate) fn prepare(
    intake: &Intake,
    pass: &Pass,
    defaults: DefaultLimits,
) -> Result<ReadyPass, NotReady> {
    let settings = intake
        .root(pass.plate.root)
        .ok_or_else(|| gone(pass, "the root"))?;
    if let Some(reason) = settings.guard.as_ref().and_then(|guard| guard.trouble()) {
        return Err(output_offline(reason).into());
    }
    if let Some(link) = link_on_the_way(&settings.output, &pass.plate.output) {
        let message = format!(
            "`{}` is a symbolic link; results are not written through it",
            link.display()
        );
        return Err(Failure::new(FailureClass::Permanent, "output-is-link", message)
            .with_remedy("replace the link by a folder, or name its target as `output` of the root, then requeue")
            .into());
    }
    let prepared = intake
        .facility()
        .workflow_for(&settings, &pass.plate.directory)
        .map_err(|reason| {
            Failure::new(FailureClass::Permanent, "bad-channel-mapping", reason)
                .with_remedy("correct channel_mapping.json in the plate's folder, then requeue")
        })?;
    // A result must be what its key says: with another mapping or model the keys are others.
    if intake
        .not_planned_with(pass.plate.id, &pass.plate.name, &prepared)
        .is_some()
    {
        intake
            .plan_plate(pass.plate.id)
            .map_err(|error| Failure::new(FailureClass::Transient, "queue", error.to_string()))?;
        return Err(NotReady::PlannedAnew);
    }
    let jobs: Vec<JobRequest> = pass
        .tasks
        .iter()
        .map(|t| JobRequest {
            job: t.job.clone(),
            key: t.key.clone().unwrap_or_default(),
        })
        .collect();
    if let Some(unknown) = jobs
        .iter()
        .find(|j| prepared.workflow.position(&j.job).is_none())
    {
        return Err(gone(pass, &format!("job `{}`", unknown.job)).into());
    }
    let format = prepared.workflow.format;
    let (subject, container) = if pass.subject.kind == SubjectKind::Plate {
        let members = members(intake, pass, &settings, format)?;
        (
            Subject::Plate { members },
            workflow::plate_table_file(&pass.plate.output),
        )
    } else {
        image_set(intake, pass, &settings, format)?
    };
    Ok(ReadyPass {
        limits: limits(pass, &prepared, defaults),
        prepared,
        request: PassRequest {
            pass: pass.id.0,
            plate: pass.plate.name.clone(),
            plate_dir: pass.plate.output.clone(),
            subject,
            scratch: PathBuf::new(),
            jobs,
        },
        container: Some(container),
    })
}

/// The results have no place to go.
pub(crate) fn output_offline(reason: String) -> Failure {
    Failure::new(FailureClass::Environment, "output-offline", reason)
        .with_remedy("mount the share; work resumes by itself")
}

fn gone(pass: &Pass, what: &str) -> Failure {
    Failure::new(
        FailureClass::Permanent,
        "not-configured",
        format!(
            "{what} of plate `{}` is no longer configured",
            pass.plate.name
        ),
    )
    .with_remedy("put the root back into the configuration, or cancel the tasks")
}

fn limits(pass: &Pass, prepared: &Prepared, defaults: DefaultLimits) -> PassLimits {
    let jobs = || {
        pass.tasks
            .iter()
            .filter_map(|t| prepared.workflow.position(&t.job))
            .map(|i| &prepared.workflow.jobs[i])
    };
    PassLimits {
        time: defaults.time,
        times: jobs()
            .filter_map(|j| Some((j.id.clone(), Duration::from_secs(j.limits.time_secs?))))
            .collect(),
        // The jobs of a pass share one process: the largest of their limits holds.
        memory: jobs()
            .filter_map(|j| j.limits.memory_bytes.or(defaults.memory))
            .max(),
    }
}

fn image_set(
    intake: &Intake,
    pass: &Pass,
    settings: &RootSettings,
    format: ContainerFormat,
) -> Result<(Subject, PathBuf), Failure> {
    let set: ImageSet = serde_json::from_value(pass.subject.inputs.clone()).map_err(|e| {
        Failure::new(
            FailureClass::Permanent,
            "bad-record",
            format!(
                "the planes of `{}` cannot be read from the queue: {e}",
                pass.subject.name
            ),
        )
        .with_remedy("rescan the root")
    })?;
    let inputs = input_states(intake, settings, &set)?;
    let container = container_file(&pass.plate.output.join(&set.container), format);
    let subject = Subject::ImageSet {
        name: pass.subject.name.clone(),
        planes: set.planes(&settings.path),
        inputs,
        input_hash: pass.subject.input_hash.clone().unwrap_or_default(),
        container: container.clone(),
    };
    Ok((subject, container))
}

/// The files of an image set as they were registered.
fn input_states(
    intake: &Intake,
    settings: &RootSettings,
    set: &ImageSet,
) -> Result<Vec<InputState>, Failure> {
    let mut inputs = Vec::with_capacity(set.files.len());
    for file in &set.files {
        let row = intake
            .store()
            .find_file(settings.id, &file.path)
            .map_err(|e| Failure::new(FailureClass::Transient, "queue", e.to_string()))?;
        if let Some(row) = row {
            inputs.push(InputState {
                root: settings.path.clone(),
                path: file.path.clone(),
                size: row.size,
                mtime_ns: row.mtime_ns,
                ctime_ns: row.ctime_ns,
            });
        }
    }
    Ok(inputs)
}

/// The image sets of a plate as its jobs see them, in well and site order.
fn members(
    intake: &Intake,
    pass: &Pass,
    settings: &RootSettings,
    format: ContainerFormat,
) -> Result<Vec<PlateMember>, Failure> {
    let failed = |e: queue::Error| Failure::new(FailureClass::Transient, "queue", e.to_string());
    let troubles = records::failures_by_subject(intake.store(), pass.plate.id).map_err(failed)?;
    let mut members = Vec::new();
    for row in records::image_sets(intake.store(), pass.plate.id).map_err(failed)? {
        let Some(well) = row.well.as_deref().and_then(|w| w.parse().ok()) else {
            continue;
        };
        let set: ImageSet = serde_json::from_value(row.inputs.clone()).unwrap_or_default();
        let missing = (row.state != SubjectState::Complete)
            .then(|| format!("incomplete: missing {}", row.missing));
        members.push(PlateMember {
            name: row.name.clone(),
            well,
            site: row.site.and_then(|s| u32::try_from(s).ok()).unwrap_or(0),
            timepoint: row.timepoint.and_then(|t| u32::try_from(t).ok()),
            container: row
                .container
                .clone()
                .unwrap_or_else(|| container_file(&pass.plate.output.join(&set.container), format)),
            planes: if missing.is_none() {
                set.planes(&settings.path)
            } else {
                Vec::new()
            },
            inputs: if missing.is_none() {
                input_states(intake, settings, &set)?
            } else {
                Vec::new()
            },
            missing,
            failures: troubles.get(&row.id).cloned().unwrap_or_default(),
        });
    }
    members.sort_by_key(|m| (m.well, m.site, m.timepoint));
    Ok(members)
}
