//! An opened model, and the models that this process keeps open.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ndarray::{Array4, ArrayD, ArrayView4};

use crate::axes::Axis;
use crate::description::Description;
use crate::engine::{self, Engine};
use crate::error::{Error, Result};
use crate::onnx::OnnxFile;
use crate::options::Options;
use crate::sidecar::{self, Sidecar};

/// How many models a process keeps open; the one that was used longest ago goes first.
const KEPT: usize = 4;

/// One output of a network.
#[derive(Clone, Debug)]
pub struct NamedOutput {
    /// Its name.
    pub name: String,
    /// Its values, in the model's own layout.
    pub data: ArrayD<f32>,
}

/// A network, loaded and ready to run.
pub struct Model {
    path: PathBuf,
    files: Vec<PathBuf>,
    description: Description,
    engine: Box<dyn Engine>,
    threads: Option<usize>,
}

/// What must be the same for an open model to be used again.
#[derive(Clone, PartialEq)]
struct Identity {
    options: Options,
    threads: usize,
    library: Option<PathBuf>,
    /// Path, size and time of change of the model, its sidecar and its files of weights.
    files: Vec<(PathBuf, u64, Option<SystemTime>)>,
}

static OPEN: Mutex<Vec<(Identity, Arc<Model>)>> = Mutex::new(Vec::new());

fn stamp(path: &Path) -> (PathBuf, u64, Option<SystemTime>) {
    let metadata = std::fs::metadata(path).ok();
    (
        path.to_owned(),
        metadata.as_ref().map_or(u64::MAX, std::fs::Metadata::len),
        metadata.and_then(|m| m.modified().ok()),
    )
}

impl Model {
    /// Opens an ONNX file with its sidecar, or gives the model that this process opened before, if none of its files
    /// changed since (by size and time of change).
    ///
    /// # Errors
    /// A file that cannot be read, is too large, damaged or not ONNX; operators that the engine lacks; a network that is not
    /// 2-D with one float32 input; mistakes in the sidecar.
    pub fn open(path: &Path, options: &Options) -> Result<Arc<Self>> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let now = |files: &[(PathBuf, u64, Option<SystemTime>)]| Identity {
            options: options.clone(),
            threads: options.threads(),
            library: engine::library(),
            files: files.iter().map(|(path, _, _)| stamp(path)).collect(),
        };
        let same = open.iter().position(|(identity, model)| {
            model.path == path
                && *identity == now(&identity.files)
                && model.description.sidecar == sidecar::find(path, options.sidecar.as_deref())
        });
        if let Some(at) = same {
            let entry = open.remove(at);
            let model = Arc::clone(&entry.1);
            open.push(entry);
            return Ok(model);
        }
        let found = sidecar::find(path, options.sidecar.as_deref());
        // The stamps are taken before the files are read: what changes meanwhile is read again next time.
        let mut stamps = vec![stamp(path)];
        stamps.extend(found.as_deref().map(stamp));
        let companions = found.as_deref().map(sidecar::companions);
        stamps.extend(companions.iter().flatten().map(|path| stamp(path)));
        let file = OnnxFile::read(path)?;
        for (name, _) in &file.external {
            stamps.push(stamp(&path.with_file_name(name)));
        }
        let model = Arc::new(Self::load(&file, found.as_deref(), options)?);
        open.retain(|(_, other)| other.path != path || other.description.sidecar != found);
        if open.len() >= KEPT {
            open.remove(0);
        }
        let identity = now(&stamps);
        if identity.files == stamps {
            open.push((identity, Arc::clone(&model)));
        }
        Ok(model)
    }

    fn load(file: &OnnxFile, sidecar: Option<&Path>, options: &Options) -> Result<Self> {
        let told = match sidecar {
            Some(path) => Sidecar::read(path)?,
            None => Sidecar::default(),
        };
        let description = Description::new(file, &told)?;
        let outputs: Vec<&str> = description
            .outputs
            .iter()
            .map(|o| o.name.as_str())
            .collect();
        let engine = engine::load(file, &description.input.name, &outputs, options)?;
        let mut files = vec![file.path.clone()];
        files.extend(sidecar.map(Path::to_owned));
        let companions = sidecar.map(sidecar::companions).unwrap_or_default();
        files.extend(companions.into_iter().filter(|path| path.is_file()));
        files.extend(
            file.external
                .iter()
                .map(|(name, _)| file.path.with_file_name(name)),
        );
        Ok(Self {
            path: file.path.clone(),
            files,
            description,
            engine,
            threads: options.threads.map(std::num::NonZeroUsize::get),
        })
    }

    /// The ONNX file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files that were read: the model, its sidecar, its weights.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// What it takes and gives.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Name and version of the engine that runs it.
    #[must_use]
    pub fn engine(&self) -> &str {
        self.engine.name()
    }

    /// Runs the network once on a whole tensor in the model's own layout, with as many threads as the rayon pool has from
    /// which it is called. Neither normalises nor pads nor activates.
    ///
    /// # Errors
    /// A tensor of another shape than the network takes; the engine's refusal; outputs of another number of axes or
    /// channels than the file promises.
    pub fn run(&self, input: ArrayD<f32>) -> Result<Vec<NamedOutput>> {
        self.check_input(input.shape())?;
        let threads = self.threads.unwrap_or_else(rayon::current_num_threads);
        let outputs = self
            .engine
            .run(input, threads)
            .map_err(|message| Error::Engine {
                path: self.path.clone(),
                engine: self.engine.name().to_owned(),
                what: "run",
                message,
            })?;
        self.description
            .outputs
            .iter()
            .zip(outputs)
            .map(|(promised, data)| {
                let fits = data.ndim() == promised.axes.len()
                    && promised
                        .shape
                        .iter()
                        .zip(data.shape())
                        .all(|(p, s)| p.is_none_or(|p| p == *s));
                if fits {
                    Ok(NamedOutput {
                        name: promised.name.clone(),
                        data,
                    })
                } else {
                    Err(self.odd_output(&promised.name, data.shape(), &shape_text(&promised.shape)))
                }
            })
            .collect()
    }

    /// Runs (batch, channel, y, x) and gives each output as (batch, channel, y, x).
    pub(crate) fn run_standard(&self, input: ArrayView4<'_, f32>) -> Result<Vec<Array4<f32>>> {
        let (batch, channels, height, width) = input.dim();
        let arranged = self
            .description
            .input
            .axes
            .arrange(input)
            .ok_or_else(|| Error::Input {
                path: self.path.clone(),
                message: format!(
                    "takes `{}`, not {channels} channels in a batch of {batch}",
                    self.description.input.axes
                ),
            })?;
        self.run(arranged)?
            .into_iter()
            .zip(&self.description.outputs)
            .map(|(output, promised)| {
                let shape = output.data.shape().to_vec();
                let wanted = [height / promised.grid[0], width / promised.grid[1]];
                promised
                    .axes
                    .standard(output.data)
                    .filter(|t| t.dim().0 == batch && [t.dim().2, t.dim().3] == wanted)
                    .ok_or_else(|| {
                        let promise = format!(
                            "{} x {} pixels for an input of {height} x {width} on a grid of {} x {}",
                            wanted[0], wanted[1], promised.grid[0], promised.grid[1]
                        );
                        self.odd_output(&promised.name, &shape, &promise)
                    })
            })
            .collect()
    }

    fn odd_output(&self, name: &str, shape: &[usize], promised: &str) -> Error {
        Error::Output {
            path: self.path.clone(),
            message: format!("an output `{name}` of the shape {shape:?}, not {promised}"),
        }
    }

    fn check_input(&self, shape: &[usize]) -> Result<()> {
        let input = &self.description.input;
        let wrong = |message: String| {
            Err(Error::Input {
                path: self.path.clone(),
                message,
            })
        };
        if shape.len() != input.axes.len() {
            return wrong(format!("takes `{}`, not {} axes", input.axes, shape.len()));
        }
        if let (Some(wanted), Some(at)) = (input.channels, input.axes.position(Axis::Channel))
            && shape[at] != wanted
        {
            return wrong(format!("takes {wanted} channels, not {}", shape[at]));
        }
        let fits = input
            .shape
            .iter()
            .zip(shape)
            .all(|(p, s)| p.is_none_or(|p| p == *s));
        if !fits || shape.contains(&0) {
            return wrong(format!("takes {}, not {shape:?}", shape_text(&input.shape)));
        }
        Ok(())
    }
}

/// `[?, 1, ?, ?]`.
fn shape_text(shape: &[Option<usize>]) -> String {
    let sizes: Vec<String> = shape
        .iter()
        .map(|s| s.map_or_else(|| "?".to_owned(), |s| s.to_string()))
        .collect();
    format!("[{}]", sizes.join(", "))
}
