//! A compiled workflow: jobs in an order in which they can run, parameters checked, names bound to edges.

mod expand;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use config::{JobConfig, Names, WorkflowFile};
use serde::{Deserialize, Serialize};

use crate::error::{WorkflowError, did_you_mean};
use crate::kind::{Compiled, KindInfo};
use crate::kinds;
use crate::port::{Holds, Port};
use crate::status_name;

/// What one task of a job works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All channels of one site at one timepoint.
    ImageSet,
    /// A whole plate, once it is complete.
    Plate,
}

impl Scope {
    /// The word used in files and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImageSet => "image_set",
            Self::Plate => "plate",
        }
    }
}

/// Names bound to ports, in the order written.
pub type Bindings = BTreeMap<&'static str, Vec<String>>;

/// One job of a compiled workflow.
pub struct Job {
    /// Unique in the workflow.
    pub id: String,
    /// The kind's description.
    pub kind: &'static KindInfo,
    /// Parameters with defaults filled in, keys sorted.
    pub parameters: serde_json::Value,
    /// The code with its parameters.
    pub operation: Compiled,
    /// Input names by port.
    pub inputs: Bindings,
    /// Output names by port.
    pub outputs: Bindings,
    /// Positions of the jobs that must come before.
    pub upstream: Vec<usize>,
    /// Whether the outputs are stored, or only handed to later jobs.
    pub keep: bool,
    /// Limits of one attempt.
    pub limits: Limits,
    /// Its name in BatchLib's status files.
    pub status_name: String,
}

/// Limits of one attempt of a job; `None` means the daemon's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall-clock seconds.
    pub time_secs: Option<u64>,
    /// Resident size in bytes.
    pub memory_bytes: Option<u64>,
    /// Attempts before a transient failure becomes final.
    pub max_attempts: Option<u32>,
    /// Name of a limit in `[workers.limits]`: how many passes with such a job may run at a time.
    pub name: Option<String>,
}

/// A workflow that is known to be runnable.
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// Its version, as its author counts.
    pub version: String,
    /// Microscope channel to role; `None` drops the channel. Empty: every channel keeps its own name.
    pub channels: BTreeMap<String, Option<String>>,
    /// The jobs, each after all that it depends on.
    pub jobs: Vec<Job>,
    /// Pyramid factors of every stored image.
    pub scale_factors: Vec<u32>,
    /// Whether the raw channels are stored too.
    pub keep_raw: bool,
    /// File format of the image sets' containers.
    pub format: config::ContainerFormat,
    /// How several z-slices become one plane.
    pub projection: config::Projection,
    /// The file that it was compiled from.
    pub source: WorkflowFile,
}

impl Workflow {
    /// Compiles a workflow file.
    ///
    /// # Errors
    /// All mistakes found, not just the first.
    pub fn compile(source: &WorkflowFile) -> Result<Self, Vec<WorkflowError>> {
        let mut errors = Vec::new();
        let channels: BTreeMap<String, Option<String>> = source
            .channels
            .iter()
            .map(|(k, v)| (k.clone(), v.role().map(str::to_owned)))
            .collect();
        let roles: BTreeSet<String> = channels.values().flatten().cloned().collect();
        let configs = expand::expand(source.jobs.iter().filter(|j| j.enabled), &roles)?;
        let mut drafts = Vec::new();
        for config in &configs {
            match draft(config) {
                Ok(job) => drafts.push((config, job)),
                Err(messages) => errors.extend(messages.into_iter().map(|message| WorkflowError {
                    job: config.id.clone(),
                    message,
                })),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let jobs = connect(drafts, &roles).map_err(|e| vec![e])?;
        Ok(Self {
            name: source.name.clone(),
            version: source.version.clone(),
            channels,
            jobs,
            scale_factors: source.container.scale_factors.clone(),
            keep_raw: source.container.raw,
            format: source.container.format,
            projection: source.z.projection,
            source: source.clone(),
        })
    }

    /// What is missing on this machine, and so will make jobs fail here: programs and files that they name.
    #[must_use]
    pub fn warnings(&self) -> Vec<WorkflowError> {
        self.jobs
            .iter()
            .flat_map(|job| {
                job.operation
                    .warnings()
                    .into_iter()
                    .map(|message| WorkflowError {
                        job: job.id.clone(),
                        message,
                    })
            })
            .collect()
    }

    /// Position of a job.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        self.jobs.iter().position(|j| j.id == id)
    }

    /// The job that makes `name` for the job at `consumer` (not itself), if any.
    #[must_use]
    pub fn producer(&self, name: &str, consumer: usize) -> Option<usize> {
        self.jobs
            .iter()
            .enumerate()
            .find(|(i, j)| *i != consumer && j.outputs.values().flatten().any(|o| o == name))
            .map(|(i, _)| i)
    }

    /// The microscope channel of a role; a channel keeps its own name where the workflow maps none.
    #[must_use]
    pub fn channel_of(&self, role: &str) -> Option<&str> {
        self.channels
            .iter()
            .find(|(_, r)| r.as_deref() == Some(role))
            .map(|(c, _)| c.as_str())
    }

    /// The role of a microscope channel: `None` where the workflow drops it.
    #[must_use]
    pub fn role_of<'a>(&'a self, channel: &'a str) -> Option<&'a str> {
        if self.channels.is_empty() {
            Some(channel)
        } else {
            self.channels.get(channel).and_then(Option::as_deref)
        }
    }

    /// Channels that an image set needs before it can run; empty means: whatever has arrived when the plate is complete.
    #[must_use]
    pub fn required_channels(&self) -> Vec<&str> {
        self.channels
            .iter()
            .filter(|(_, role)| role.is_some())
            .map(|(c, _)| c.as_str())
            .collect()
    }
}

/// A job whose names are bound but not yet connected.
fn draft(config: &JobConfig) -> Result<Job, Vec<String>> {
    let Some(kind) = kinds::ALL.iter().find(|k| k.name == config.kind) else {
        return Err(vec![format!(
            "unknown kind `{}`{}; `wellspring workflow kinds` lists them",
            config.kind,
            did_you_mean(&config.kind, kinds::ALL.iter().map(|k| k.name))
        )]);
    };
    let mut errors = Vec::new();
    if let Some(scope) = &config.scope
        && scope.as_str() != kind.scope.as_str()
    {
        errors.push(format!(
            "kind `{}` has scope `{}`, not `{}`",
            kind.name,
            kind.scope.as_str(),
            scope.as_str()
        ));
    }
    let inputs = bind(config.input.as_ref(), kind.inputs, "input").unwrap_or_else(|e| {
        errors.extend(e);
        Bindings::new()
    });
    let mut outputs = bind(config.output.as_ref(), kind.outputs, "output").unwrap_or_else(|e| {
        errors.extend(e);
        Bindings::new()
    });
    expand_templates(&mut outputs, &inputs, kind, &mut errors);
    let (parameters, operation) = match (kind.compile)(&config.parameters) {
        Ok(compiled) => compiled,
        Err(message) => {
            errors.push(format!("{message}{}", suggest_parameter(&message, kind)));
            return Err(errors);
        }
    };
    errors.extend(operation.check(&inputs, &outputs));
    if errors.is_empty() {
        let limits = Limits {
            time_secs: config.time_limit_secs,
            memory_bytes: config.memory_limit.map(|l| l.bytes()),
            max_attempts: config.max_attempts,
            name: config.limit.clone(),
        };
        Ok(Job {
            status_name: status_name::of_job(config, &operation, &parameters),
            id: config.id.clone(),
            kind,
            parameters,
            operation,
            inputs,
            outputs,
            upstream: Vec::new(),
            keep: config.keep,
            limits,
        })
    } else {
        Err(errors)
    }
}

/// Binds the names written under `input` or `output` to a kind's ports.
fn bind(
    names: Option<&Names>,
    ports: &'static [Port],
    what: &str,
) -> Result<Bindings, Vec<String>> {
    let mut bound = Bindings::new();
    let mut errors = Vec::new();
    match names {
        None => {}
        Some(Names::One(name)) => match ports.first() {
            Some(port) => drop(bound.insert(port.name, vec![name.clone()])),
            None => errors.push(format!("takes no {what}")),
        },
        Some(Names::Many(list)) => match ports.first() {
            Some(port) => drop(bound.insert(port.name, list.clone())),
            None => errors.push(format!("takes no {what}")),
        },
        Some(Names::Ports(table)) => {
            for (key, list) in table {
                match ports.iter().find(|p| p.name == key) {
                    Some(port) => drop(bound.insert(port.name, list.to_vec())),
                    None => errors.push(format!(
                        "has no {what} `{key}`{}",
                        did_you_mean(key, ports.iter().map(|p| p.name))
                    )),
                }
            }
        }
    }
    for port in ports {
        match bound.get(port.name) {
            None if !port.optional => {
                errors.push(format!("needs {what} `{}`: {}", port.name, port.about));
            }
            Some(list) if !port.many && list.len() != 1 => errors.push(format!(
                "{what} `{}` takes one name, not {}",
                port.name,
                list.len()
            )),
            Some(list) if list.is_empty() => {
                errors.push(format!("{what} `{}` is an empty list", port.name));
            }
            _ => {}
        }
    }
    if errors.is_empty() {
        Ok(bound)
    } else {
        Err(errors)
    }
}

/// `output = "{}_corrected"` names one output for each name of the first input.
fn expand_templates(
    outputs: &mut Bindings,
    inputs: &Bindings,
    kind: &KindInfo,
    errors: &mut Vec<String>,
) {
    let Some(first) = kind.inputs.first().and_then(|p| inputs.get(p.name)) else {
        return;
    };
    for port in kind.outputs.iter().filter(|p| p.many) {
        if let Some(names) = outputs.get_mut(port.name) {
            if let [template] = names.as_slice()
                && template.contains("{}")
            {
                *names = first
                    .iter()
                    .map(|name| template.replace("{}", name))
                    .collect();
            }
            if names.len() != first.len() && !port.unpaired {
                errors.push(format!("output `{}` has {} names for {} inputs; write one name with `{{}}` in it, or as many as inputs", port.name, names.len(), first.len()));
            }
        }
    }
}

/// Parameters that name files.
const FILE_PARAMETERS: [&str; 7] = [
    "model",
    "sidecar",
    "project",
    "classifier",
    "corrector",
    "file",
    "manual_outliers",
];

/// Makes the file names among the parameters absolute: they are relative to the file in which they are written. To be done
/// where the workflow was read, because a worker runs elsewhere.
pub fn resolve_files(source: &mut WorkflowFile) {
    let folders: Vec<_> = source
        .jobs
        .iter()
        .map(|job| FILE_PARAMETERS.map(|key| source.dir_of(&job.id, key).to_owned()))
        .collect();
    for (job, folders) in source.jobs.iter_mut().zip(folders) {
        for (key, folder) in FILE_PARAMETERS.into_iter().zip(folders) {
            if let Some(toml::Value::String(text)) = job.parameters.get_mut(key)
                && Path::new(text).is_relative()
            {
                *text = folder.join(&*text).to_string_lossy().into_owned();
            }
        }
    }
    kinds::command::resolve_files(source);
}

fn suggest_parameter(message: &str, kind: &KindInfo) -> String {
    let Some(word) = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next())
    else {
        return String::new();
    };
    let schema = (kind.schema)();
    let known: Vec<String> = schema["properties"]
        .as_object()
        .map(|p| p.keys().cloned().collect())
        .unwrap_or_default();
    did_you_mean(word, known.iter().map(String::as_str))
}

/// Finds the edges and sorts the jobs; the order of the file is kept where edges allow it.
fn connect(
    drafts: Vec<(&JobConfig, Job)>,
    roles: &BTreeSet<String>,
) -> Result<Vec<Job>, WorkflowError> {
    let (configs, jobs): (Vec<&JobConfig>, Vec<Job>) = drafts.into_iter().unzip();
    let mut producer: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, job) in jobs.iter().enumerate() {
        for name in job.outputs.values().flatten() {
            let holds = job
                .kind
                .outputs
                .iter()
                .find(|p| job.outputs.get(p.name).is_some_and(|n| n.contains(name)))
                .map(|p| p.holds);
            if roles.contains(name) && holds != Some(Holds::Image) {
                return Err(WorkflowError {
                    job: job.id.clone(),
                    message: format!(
                        "output `{name}` has the name of a channel, but is no image; choose another name"
                    ),
                });
            }
            if let Some(other) = producer.insert(name, i).filter(|o| *o != i) {
                return Err(WorkflowError {
                    job: job.id.clone(),
                    message: format!(
                        "output `{name}` is also an output of job `{}`",
                        jobs[other].id
                    ),
                });
            }
        }
    }
    let mut edges: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); jobs.len()];
    for (i, job) in jobs.iter().enumerate() {
        for (port, names) in &job.inputs {
            for name in names {
                // A plate job reads images from the acquisition: the raw channel is meant, even where a job replaces it.
                let from_acquisition = job.kind.scope == Scope::Plate
                    && job
                        .kind
                        .inputs
                        .iter()
                        .any(|p| p.name == *port && p.holds == Holds::Image && !p.stored);
                let made = producer.get(name.as_str()).or_else(|| {
                    let bare = plate_tables_of(name)?;
                    producer
                        .get(bare)
                        .filter(|&&p| makes_plate_tables(&jobs[p], bare))
                });
                match made.filter(|_| !from_acquisition) {
                    Some(&p) if p != i => {
                        check_type(&jobs[p], job, port, name)?;
                        edges[i].insert(p);
                    }
                    Some(_) if roles.contains(name) || roles.is_empty() => {}
                    Some(_) => {
                        return Err(WorkflowError {
                            job: job.id.clone(),
                            message: format!("reads its own output `{name}`"),
                        });
                    }
                    None if is_raw(name, roles) => {}
                    None => {
                        let known = producer
                            .keys()
                            .copied()
                            .chain(roles.iter().map(String::as_str));
                        return Err(WorkflowError {
                            job: job.id.clone(),
                            message: format!(
                                "input `{name}` is neither a channel nor an output of a job{}",
                                did_you_mean(name, known)
                            ),
                        });
                    }
                }
            }
        }
        for id in &configs[i].after {
            match jobs.iter().position(|j| j.id == *id) {
                Some(p) if p != i => drop(edges[i].insert(p)),
                _ => {
                    return Err(WorkflowError {
                        job: job.id.clone(),
                        message: format!(
                            "`after` names no other enabled job: `{id}`{}",
                            did_you_mean(id, jobs.iter().map(|j| j.id.as_str()))
                        ),
                    });
                }
            }
        }
    }
    sort(jobs, &edges)
}

/// The output that holds a plate table: `backgrounds` of `plate/backgrounds`.
fn plate_tables_of(table: &str) -> Option<&str> {
    let (level, name) = table.split_once('/')?;
    ["images", "wells", "plate"]
        .contains(&level)
        .then_some(name)
}

fn makes_plate_tables(job: &Job, name: &str) -> bool {
    let ports = job.kind.outputs.iter();
    let mut ports = ports.filter(|p| p.holds == Holds::PlateTables);
    ports.any(|p| {
        job.outputs
            .get(p.name)
            .is_some_and(|names| names.iter().any(|n| n == name))
    })
}

/// Whether a name is a raw channel: a role, or `<role>_raw` where a job replaces the role.
fn is_raw(name: &str, roles: &BTreeSet<String>) -> bool {
    roles.is_empty()
        || roles.contains(name)
        || name.strip_suffix("_raw").is_some_and(|r| roles.contains(r))
}

fn check_type(from: &Job, to: &Job, port: &str, name: &str) -> Result<(), WorkflowError> {
    let given = from
        .kind
        .outputs
        .iter()
        .find(|p| {
            from.outputs
                .get(p.name)
                .is_some_and(|n| n.iter().any(|o| o == name))
        })
        .map(|p| p.holds);
    let wanted = to
        .kind
        .inputs
        .iter()
        .find(|p| p.name == port)
        .map(|p| p.holds);
    let fits = match (given, wanted) {
        (Some(g), Some(w)) => g == w || matches!((g, w), (Holds::Labels, Holds::Mask)),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let word = |h: Option<Holds>| {
        h.map_or_else(String::new, |h| {
            serde_json::to_value(h)
                .ok()
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default()
        })
    };
    Err(WorkflowError {
        job: to.id.clone(),
        message: format!(
            "input `{port}` takes {}, but `{name}` of job `{}` is {}",
            word(wanted),
            from.id,
            word(given)
        ),
    })
}

fn sort(jobs: Vec<Job>, edges: &[BTreeSet<usize>]) -> Result<Vec<Job>, WorkflowError> {
    let mut order: Vec<usize> = Vec::with_capacity(jobs.len());
    while order.len() < jobs.len() {
        match (0..jobs.len())
            .find(|i| !order.contains(i) && edges[*i].iter().all(|u| order.contains(u)))
        {
            Some(i) => order.push(i),
            None => {
                let stuck: Vec<&str> = (0..jobs.len())
                    .filter(|i| !order.contains(i))
                    .map(|i| jobs[i].id.as_str())
                    .collect();
                return Err(WorkflowError {
                    job: stuck[0].to_owned(),
                    message: format!("jobs wait for each other in a circle: {}", stuck.join(", ")),
                });
            }
        }
    }
    let mut slots: Vec<Option<Job>> = jobs.into_iter().map(Some).collect();
    Ok(order
        .iter()
        .filter_map(|&old| {
            let mut job = slots[old].take()?;
            job.upstream = edges[old]
                .iter()
                .filter_map(|u| order.iter().position(|o| o == u))
                .collect();
            job.upstream.sort_unstable();
            Some(job)
        })
        .collect())
}
