//! `command`: any other program as a job. It gets the image set as files in a folder of its own, and its outputs are read
//! from there when it has ended.

mod check;
mod end;
mod guard;
mod handover;
mod labels;
mod log;
mod process;
mod program;
mod regions;
mod results;
mod run;
mod stitch;
mod table;
mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::WorkflowFile;
use image_io::exchange::Format;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use guard::guard;
pub use process::guard_with;

use crate::context::JobIo;
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{CompileResult, Compiled, ImageOperation, KindInfo, schema_of};
use crate::port::{Holds, Port};
use results::Found;
use template::Template;

/// Parameters of `command`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Command {
    /// The program, required: a name that is looked for in PATH, a path (relative to the workflow file), or `{files.NAME}`.
    program: Template,
    /// Its arguments, each one template. They are passed as they are: no shell looks at them.
    #[serde(default)]
    args: Vec<Template>,
    /// Files that the result depends on, by a name of yours; relative to the workflow file. `{files.NAME}` is the absolute path.
    #[serde(default)]
    files: BTreeMap<String, PathBuf>,
    /// Small text files that are written before the program starts: name in the working folder, and the template of the content.
    #[serde(default)]
    texts: BTreeMap<String, Template>,
    /// Environment variables, each a template. Others: PATH, LANG, and HOME and TMPDIR, which are the working folder.
    #[serde(default)]
    env: BTreeMap<String, Template>,
    /// Format in which inputs are handed over: `tiff`, `hdf5` (dataset `data`) or `npy`.
    #[serde(default)]
    write: Write,
    /// Order of the axes of `{stack}`: `cyx`, or `yxc` (not for TIFF).
    #[serde(default)]
    stack_axes: StackAxes,
    /// Where each output is found: `{ file, dataset, axes, channel, type, id }`, by the output's name.
    results: BTreeMap<String, Found>,
    /// Exit codes that mean success.
    #[serde(default = "zero")]
    success: Vec<i32>,
    /// Exit codes that mean that trying again later may help.
    #[serde(default)]
    retry: Vec<i32>,
    /// Version of the program, as you count: raise it when the program is updated, so that its results are computed again.
    #[serde(default)]
    version: String,
    /// Height and width of the regions that the image is cut into, one process each; absent: one process an image set.
    #[serde(default)]
    region: Option<[usize; 2]>,
    /// Pixels that a region is handed over with beyond each of its edges.
    #[serde(default)]
    overlap: usize,
    /// Regions that are worked on at a time.
    #[serde(default = "one")]
    parallel: usize,
    /// Keep the working folder of an attempt that failed. For looking into one failure: nobody removes these folders.
    #[serde(default)]
    keep_scratch: bool,
}

/// Format in which inputs are handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Write {
    #[default]
    Tiff,
    Hdf5,
    Npy,
}

impl Write {
    const fn format(self) -> Format {
        match self {
            Self::Tiff => Format::Tiff,
            Self::Hdf5 => Format::Hdf5,
            Self::Npy => Format::Npy,
        }
    }
}

/// Order of the axes of a stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum StackAxes {
    #[default]
    Cyx,
    Yxc,
}

fn zero() -> Vec<i32> {
    vec![0]
}

const fn one() -> usize {
    1
}

pub(super) static COMMAND: KindInfo = KindInfo {
    name: "command",
    version: 1,
    scope: Scope::ImageSet,
    about: "Runs any program (ilastik, CellProfiler, Fiji, a script of yours) on files of the image set and takes its outputs",
    inputs: &[
        Port::many("images", Holds::Image, "images to hand over").optional(),
        Port::many("masks", Holds::Mask, "masks to hand over, as uint8 0 and 1").optional(),
        Port::many(
            "labels",
            Holds::Labels,
            "label images to hand over, as uint16 if the numbers fit, else uint32",
        )
        .optional(),
    ],
    outputs: &[
        Port::many("images", Holds::Image, "images, in the type of the file")
            .unpaired()
            .optional(),
        Port::many("masks", Holds::Mask, "masks: true where the file is not 0")
            .unpaired()
            .optional(),
        Port::many(
            "labels",
            Holds::Labels,
            "label images: whole numbers from 0",
        )
        .unpaired()
        .optional(),
        Port::many(
            "tables",
            Holds::Table,
            "object tables, from CSV files with a header",
        )
        .unpaired()
        .optional(),
    ],
    schema: schema_of::<Command>,
    compile,
};

/// Parameters that shape how a job runs, but not what comes out, are no part of the key.
fn compile(table: &toml::Table) -> CompileResult {
    let command: Command = table
        .clone()
        .try_into()
        .map_err(|e: toml::de::Error| e.message().to_owned())?;
    let mut canonical = serde_json::to_value(&command).map_err(|e| e.to_string())?;
    if let Some(parameters) = canonical.as_object_mut() {
        for key in ["parallel", "keep_scratch"] {
            parameters.remove(key);
        }
    }
    Ok((canonical, Compiled::Image(Box::new(command))))
}

impl ImageOperation for Command {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        run::run(self, io)
    }

    fn files(&self) -> Vec<PathBuf> {
        self.files.values().cloned().collect()
    }

    fn check(&self, inputs: &Bindings, outputs: &Bindings) -> Vec<String> {
        check::check(self, inputs, outputs)
    }

    fn warnings(&self) -> Vec<String> {
        check::warnings(self)
    }
}

impl Command {
    /// Every template, with the key that it is written under.
    fn templates(&self) -> impl Iterator<Item = (String, &Template)> {
        let keyed = |key: &'static str, map: &'_ BTreeMap<String, Template>| {
            let names: Vec<String> = map.keys().map(|name| format!("{key}.{name}")).collect();
            names
        };
        let args = (0..self.args.len()).map(|i| format!("args[{i}]"));
        let results = self
            .results
            .keys()
            .map(|name| format!("results.{name}.file"));
        std::iter::once(("program".to_owned(), &self.program))
            .chain(args.zip(&self.args))
            .chain(
                keyed("texts", &self.texts)
                    .into_iter()
                    .zip(self.texts.values()),
            )
            .chain(keyed("env", &self.env).into_iter().zip(self.env.values()))
            .chain(results.zip(self.results.values().map(|r| &r.file)))
    }
}

/// Makes the paths of `command` jobs absolute: those in `files`, and a program with a `/` in it.
pub(crate) fn resolve_files(source: &mut WorkflowFile) {
    let folders: Vec<[PathBuf; 2]> = source
        .jobs
        .iter()
        .map(|job| ["files", "program"].map(|key| source.dir_of(&job.id, key).to_owned()))
        .collect();
    for (job, [of_files, of_program]) in source.jobs.iter_mut().zip(folders) {
        if job.kind != COMMAND.name {
            continue;
        }
        let resolve = |text: &mut String, folder: &Path| {
            if Path::new(text).is_relative() {
                // The program runs in another folder than the one that the workflow was named from.
                let path = folder.join(&*text);
                let path = std::path::absolute(&path).unwrap_or(path);
                *text = path.to_string_lossy().into_owned();
            }
        };
        if let Some(toml::Value::Table(files)) = job.parameters.get_mut("files") {
            for (_, value) in files.iter_mut() {
                if let toml::Value::String(text) = value {
                    resolve(text, &of_files);
                }
            }
        }
        if let Some(toml::Value::String(text)) = job.parameters.get_mut("program")
            && text.contains('/')
            && !text.starts_with('{')
        {
            resolve(text, &of_program);
        }
    }
}
