//! What `wellspring model check` tells: what a file holds, whether it runs, and what a run costs.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::{Array2, Array3, ArrayView2};
use serde::Serialize;

use crate::description::Description;
use crate::engine;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::onnx::{Declared, OnnxFile};
use crate::options::{Choice, Options};
use crate::plan::Plan;
use crate::predict::normalised;
use crate::sidecar;
use crate::tile;

/// What the file itself says; known also where the network cannot run.
#[derive(Debug, Serialize)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Its size with its files of weights.
    pub bytes: u64,
    /// The program that wrote it.
    pub producer: Option<String>,
    /// Version of the operator set by domain; ONNX's own is "".
    pub opsets: BTreeMap<String, i64>,
    /// Number of weights.
    pub parameters: u64,
    /// Inputs that must be given.
    pub inputs: Vec<Declared>,
    /// Outputs.
    pub outputs: Vec<Declared>,
    /// How often each operator is used.
    pub operators: BTreeMap<String, usize>,
    /// Operators that the built-in engine does not have.
    pub not_built_in: Vec<String>,
    /// The sidecar that would be read.
    pub sidecar: Option<PathBuf>,
}

/// What one engine made of a test image.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// The engine.
    pub engine: String,
    /// Threads.
    pub threads: usize,
    /// Height and width of the test image.
    pub size: [usize; 2],
    /// Channels of the test image.
    pub channels: usize,
    /// Time to open the model, in seconds.
    pub load_secs: f64,
    /// Wall-clock seconds a megapixel, from the normalisation to the joined outputs; the second of two runs.
    pub secs_per_megapixel: f64,
    /// Processor seconds a megapixel of the same run.
    pub cpu_secs_per_megapixel: f64,
    /// How far the process's memory grew at its highest, in bytes, where the system tells.
    pub memory_bytes: Option<u64>,
    /// What came out.
    pub outputs: Vec<TrialOutput>,
}

/// What came out of one output.
#[derive(Debug, Serialize)]
pub struct TrialOutput {
    /// Its name.
    pub name: String,
    /// (channel, y, x).
    pub shape: [usize; 3],
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
    /// Mean.
    pub mean: f64,
    /// Values that are no numbers.
    pub not_finite: usize,
}

/// Reads what the file says, without an engine.
///
/// # Errors
/// A file that cannot be read, is too large, damaged or not ONNX.
pub fn file(path: &Path, given: Option<&Path>) -> Result<FileReport> {
    let file = OnnxFile::read(path)?;
    let weights: usize = file.external.iter().map(|(_, b)| b.len()).sum();
    Ok(FileReport {
        path: path.to_owned(),
        bytes: (file.bytes.len() + weights) as u64,
        producer: file.producer.clone(),
        opsets: file.opsets.clone(),
        parameters: file.parameters(),
        inputs: file.inputs(),
        outputs: file.outputs(),
        operators: file.operators(),
        not_built_in: engine::unsupported(&file),
        sidecar: sidecar::find(path, given),
    })
}

/// What file and sidecar say together, without an engine.
///
/// # Errors
/// As [`Model::open`], but for the engine's.
pub fn description(path: &Path, given: Option<&Path>) -> Result<Description> {
    let told = match sidecar::find(path, given) {
        Some(found) => sidecar::Sidecar::read(&found)?,
        None => sidecar::Sidecar::default(),
    };
    Description::new(&OnnxFile::read(path)?, &told)
}

/// Opens the model and predicts a test image twice.
///
/// # Errors
/// Whatever makes the network unusable.
pub fn trial(
    path: &Path,
    given: Option<&Path>,
    choice: Choice,
    threads: NonZeroUsize,
    side: usize,
) -> Result<Trial> {
    let options = Options {
        sidecar: given.map(Path::to_owned),
        engine: choice,
        threads: Some(threads),
    };
    let begin = Instant::now();
    let model = Model::open(path, &options)?;
    let load_secs = begin.elapsed().as_secs_f64();
    let description = model.description();
    let size = description.fixed.unwrap_or([side; 2]);
    let channels = description.input.channels.unwrap_or(1);
    let planes: Vec<Array2<f32>> = (0..channels).map(|c| test_image(size, c)).collect();
    let views: Vec<ArrayView2<'_, f32>> = planes.iter().map(|p| p.view()).collect();
    let plan = Plan::default();
    let run = || -> Result<Vec<tile::Stitched>> {
        let image: Array3<f32> = normalised(&model, &views, &plan)?;
        tile::run(&model, image.view(), &plan)
    };
    let before = memory("VmRSS:");
    // The peak of the test run alone, not of what the process did before.
    let measured = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    drop(run()?);
    let peak = memory("VmHWM:");
    let (begin, cpu) = (Instant::now(), cpu_secs());
    let outputs = run()?;
    let (wall, cpu) = (begin.elapsed().as_secs_f64(), cpu_secs() - cpu);
    let megapixels = (size[0] * size[1]) as f64 / 1e6;
    Ok(Trial {
        engine: model.engine().to_owned(),
        threads: threads.get(),
        size,
        channels,
        load_secs,
        secs_per_megapixel: wall / megapixels,
        cpu_secs_per_megapixel: cpu / megapixels,
        memory_bytes: before
            .zip(peak)
            .filter(|_| measured)
            .map(|(b, p)| p.saturating_sub(b)),
        outputs: outputs.iter().map(described).collect(),
    })
}

/// Blobs on a dark ground with some noise, always the same: something that a network for microscopy can work on.
fn test_image(size: [usize; 2], channel: usize) -> Array2<f32> {
    let mut state = 0x9e37_79b9_u32.wrapping_add(channel as u32);
    Array2::from_shape_fn((size[0], size[1]), |(y, x)| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 24) as f32 / 255.0;
        let (dy, dx) = (
            (y % 40) as f32 - 20.0,
            ((x + 13 * channel) % 40) as f32 - 20.0,
        );
        let blob = (-(dy * dy + dx * dx) / 72.0).exp();
        (100.0 + 900.0 * blob + 40.0 * noise).round()
    })
}

fn described(output: &tile::Stitched) -> TrialOutput {
    let finite = || output.data.iter().copied().filter(|v| v.is_finite());
    let count = finite().count();
    let (channels, height, width) = output.data.dim();
    TrialOutput {
        name: output.name.clone(),
        shape: [channels, height, width],
        min: finite().fold(f32::INFINITY, f32::min),
        max: finite().fold(f32::NEG_INFINITY, f32::max),
        mean: finite().map(f64::from).sum::<f64>() / count.max(1) as f64,
        not_finite: output.data.len() - count,
    }
}

fn memory(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix(field))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// User and system time of this process so far.
fn cpu_secs() -> f64 {
    // Linux counts in ticks of 1/100 s in this file, whatever the kernel's own.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = behind_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Whether an output holds anything but numbers.
///
/// # Errors
/// [`Error::Output`] for the first that does.
pub fn sound(path: &Path, trial: &Trial) -> Result<()> {
    match trial.outputs.iter().find(|o| o.not_finite > 0) {
        None => Ok(()),
        Some(output) => Err(Error::Output {
            path: path.to_owned(),
            message: format!(
                "an output `{}` with {} values that are no numbers",
                output.name, output.not_finite
            ),
        }),
    }
}
