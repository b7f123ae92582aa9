//! `wellspring ilastik`: projects of ilastik, shown and run on single files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use analysis::accelerator::Accelerator;
use anyhow::{Context, anyhow, bail};
use ilastik::{DataType, ExportSettings, Image, InputName, Project, Source, WorkflowKind};
use image_io::exchange::{Axes, read_array};
use ndarray::{ArrayD, IxDyn};
use serde_json::json;

use crate::args::{IlastikCommand, IlastikPredict};
use crate::output;

/// Runs a command on projects.
pub fn run(command: &IlastikCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        IlastikCommand::Info { project } => info(&Project::open(project)?, json),
        IlastikCommand::Predict(options) => predict(options, json),
    }
}

/// Prints what a project holds; the exit code is 1 if it cannot run.
fn info(project: &Project, json: bool) -> anyhow::Result<ExitCode> {
    let usable = project.check();
    let code = ExitCode::from(u8::from(usable.is_err()));
    let workflow = match &project.workflow {
        WorkflowKind::PixelClassification => "Pixel Classification",
        WorkflowKind::Autocontext => "Autocontext (two stages)",
        WorkflowKind::Other(name) => name,
    };
    let trained_on = project.training.axes.as_ref().map(Axes::to_string);
    let export = &project.export;
    if json {
        let stages = project.stages.iter().map(|stage| {
            json!({
                "labels": stage.labels,
                "features": stage.features.as_ref().map(|table| {
                    let rows = table.features.iter().zip(&table.ticked);
                    rows.map(|(feature, ticked)| {
                        let sigmas = table.scales.iter().zip(ticked).filter(|(_, t)| **t);
                        json!({ "feature": feature.id(), "sigmas": sigmas.map(|((s, _), _)| s).collect::<Vec<_>>() })
                    }).collect::<Vec<_>>()
                }),
                "columns": stage.forests.as_ref().map(|f| f.columns()),
                "trees": stage.forests.as_ref().map(|f| f.trees()),
            })
        });
        output::json(&json!({
            "project": project.path().display().to_string(),
            "ilastik": project.version,
            "workflow": workflow,
            "usable": usable.is_ok(),
            "problem": usable.as_ref().err().map(ToString::to_string),
            "remedy": usable.as_ref().err().map(|e| e.remedy()),
            "trained_on": {
                "axes": trained_on,
                "shape": project.training.shape,
                "channels": project.training.channels(),
            },
            "stages": stages.collect::<Vec<_>>(),
            "export": {
                "format": export.format,
                "filename": export.filename,
                "internal_path": export.internal_path,
                "dtype": export.data_type.map(DataType::name),
            },
        }))?;
        return Ok(code);
    }
    let mut text = format!(
        "{}\n  workflow   {workflow}, saved by ilastik {}\n",
        project.path().display(),
        project.version
    );
    let shape = project.training.shape.as_ref();
    let shape = shape.map_or_else(|| "not stored".to_owned(), |s| format!("{s:?}"));
    text.push_str(&format!(
        "  trained on axes {}, shape {shape}\n",
        trained_on.as_deref().unwrap_or("not stored")
    ));
    for (index, stage) in project.stages.iter().enumerate() {
        text.push_str(&format!(
            "  stage {}    labels: {}\n",
            index + 1,
            stage.labels.join(", ")
        ));
        if let Some(table) = &stage.features {
            for (feature, ticked) in table.features.iter().zip(&table.ticked) {
                let chosen = table.scales.iter().zip(ticked).filter(|(_, t)| **t);
                let sigmas: Vec<String> = chosen
                    .map(|((sigma, in_2d), _)| match in_2d {
                        Some(false) => format!("{sigma} (3-D)"),
                        _ => sigma.to_string(),
                    })
                    .collect();
                if !sigmas.is_empty() {
                    text.push_str(&format!(
                        "             {:<30} sigma {}\n",
                        feature.id(),
                        sigmas.join(", ")
                    ));
                }
            }
        }
        match &stage.forests {
            Some(forests) => text.push_str(&format!(
                "             {} trees over {} columns\n",
                forests.trees(),
                forests.columns()
            )),
            None => text.push_str("             not trained\n"),
        }
    }
    text.push_str(&format!(
        "  exports    {} to {}{}\n",
        export.format.as_deref().unwrap_or("compressed hdf5"),
        export
            .filename
            .as_deref()
            .unwrap_or("{dataset_dir}/{nickname}_{result_type}"),
        export
            .data_type
            .map_or_else(String::new, |t| format!(" as {}", t.name())),
    ));
    match usable {
        Ok(()) => text.push_str("  can run\n"),
        Err(error) => text.push_str(&format!(
            "  cannot run: {error}\n  hint: {}\n",
            error.remedy()
        )),
    }
    output::print(&text);
    Ok(code)
}

fn predict(options: &IlastikPredict, json: bool) -> anyhow::Result<ExitCode> {
    let words = |text: String| anyhow!(text);
    let source = Source::parse(&options.export_source).map_err(words)?;
    let project = Project::open(&options.project)?;
    project.check()?;
    let settings = settings(options, &project)?;
    let inputs: Vec<&String> = options.raw_data.iter().chain(&options.files).collect();
    if inputs.is_empty() {
        bail!("no images are given; name them after the options or with --raw_data");
    }
    if !options.prediction_mask.is_empty() && options.prediction_mask.len() != inputs.len() {
        bail!(
            "there are {} masks for {} images; give one mask an image",
            options.prediction_mask.len(),
            inputs.len()
        );
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.unwrap_or(0))
        .build()?;
    let targets = targets(options, &settings, source, &inputs)?;
    let gpu = Device::open(&options.gpu)?;
    let mut failed = false;
    let mut results = Vec::new();
    for (index, (input, target)) in inputs.into_iter().zip(&targets).enumerate() {
        let mask = options.prediction_mask.get(index);
        let written = pool.install(|| {
            one(
                options,
                (&project, &gpu),
                &settings,
                source,
                input,
                mask,
                target,
            )
        });
        match written {
            Ok(()) => {
                let path = target.display().to_string();
                if !json {
                    output::line(&path);
                }
                results.push(json!({ "input": input, "output": path }));
            }
            Err(error) => {
                failed = true;
                if !json {
                    output::fail(&error);
                }
                let remedy = output::remedy(&error);
                results.push(
                    json!({ "input": input, "error": format!("{error:#}"), "remedy": remedy }),
                );
            }
        }
    }
    if json {
        output::json(&results)?;
    }
    gpu.tell();
    Ok(ExitCode::from(u8::from(failed)))
}

/// What predicts beside this processor.
struct Device {
    #[cfg(feature = "gpu")]
    local: Option<gpu_kernels::Local>,
}

impl Device {
    /// What was asked for must be there; `auto` takes what there is.
    #[cfg(feature = "gpu")]
    fn open(wanted: &config::Gpu) -> anyhow::Result<Self> {
        let local = match wanted {
            config::Gpu::Off => None,
            config::Gpu::Auto => gpu_kernels::Local::open("auto")
                .inspect_err(|error| output::note(format!("predicted on the CPU: {error}")))
                .ok(),
            config::Gpu::Named(name) => Some(gpu_kernels::Local::open(name).with_context(
                || "the GPU cannot be used; `wellspring doctor` lists what there is",
            )?),
        };
        Ok(Self { local })
    }

    #[cfg(feature = "gpu")]
    fn accelerator(&self) -> Option<&dyn Accelerator> {
        let local = self.local.as_ref()?;
        Some(local as &dyn Accelerator)
    }

    /// Says what the processor did because the GPU could not.
    #[cfg(feature = "gpu")]
    fn tell(&self) {
        let Some(local) = &self.local else { return };
        for reason in local.refused() {
            output::note(format!("predicted on the CPU: {reason}"));
        }
    }

    #[cfg(not(feature = "gpu"))]
    fn open(wanted: &config::Gpu) -> anyhow::Result<Self> {
        match wanted {
            config::Gpu::Named(name) => {
                bail!("this program was built without GPU kernels; `{name}` cannot be used")
            }
            _ => Ok(Self {}),
        }
    }

    #[cfg(not(feature = "gpu"))]
    #[allow(clippy::unused_self)]
    fn accelerator(&self) -> Option<&dyn Accelerator> {
        None
    }

    #[cfg(not(feature = "gpu"))]
    #[allow(clippy::unused_self)]
    fn tell(&self) {}
}

/// Where each result goes. A result never replaces what it is made of, nor another result of the same call.
fn targets(
    options: &IlastikPredict,
    settings: &ExportSettings,
    source: Source,
    inputs: &[&String],
) -> anyhow::Result<Vec<PathBuf>> {
    let masks = options.prediction_mask.iter();
    let read = inputs.iter().copied().chain(masks);
    let mut taken: Vec<PathBuf> = read.map(|input| InputName::parse(input).file).collect();
    taken.push(options.project.clone());
    let mut taken: Vec<PathBuf> = taken.iter().map(|path| real(path)).collect();
    let mut targets = Vec::with_capacity(inputs.len());
    for input in inputs {
        let name = InputName::parse(input);
        let target = ilastik::output_path(settings, &name, source).map_err(|e| anyhow!(e))?;
        let place = real(&target);
        if taken.contains(&place) {
            bail!(
                "the result of `{input}` would replace `{}`, which is an input or another result; give each result a name of its own with --output_filename_format, for example {{dataset_dir}}/{{nickname}}_{{result_type}}",
                target.display()
            );
        }
        taken.push(place);
        targets.push(target);
    }
    Ok(targets)
}

/// A path without links and dots, also of a file that is not there yet.
fn real(path: &Path) -> PathBuf {
    let whole = path.canonicalize().ok();
    let parent = || {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    whole.or_else(parent).unwrap_or_else(|| path.to_owned())
}

/// Predicts one file.
fn one(
    options: &IlastikPredict,
    (project, gpu): (&Project, &Device),
    settings: &ExportSettings,
    source: Source,
    input: &str,
    mask: Option<&String>,
    target: &Path,
) -> anyhow::Result<()> {
    let name = InputName::parse(input);
    let image = read(&name, options, Some(project)).with_context(|| format!("`{input}`"))?;
    let mut prediction = project
        .predict_on(&image, source, gpu.accelerator())
        .with_context(|| format!("`{input}`"))?;
    if let Some(mask) = mask {
        let mask = read(&InputName::parse(mask), options, None)?;
        prediction = prediction
            .masked(&mask.values)
            .map_err(|e| anyhow!("`{input}`: {e}"))?;
    }
    ilastik::write(prediction, settings, &image.axes, target).with_context(|| format!("`{input}`"))
}

/// Reads an image. Its axes are those that were given, that the file names, of the training image (if there are as many), or usual.
fn read(
    name: &InputName,
    options: &IlastikPredict,
    trained: Option<&Project>,
) -> anyhow::Result<Image> {
    let array = read_array(&name.file, name.dataset.as_deref())?;
    let shape = &array.values.shape;
    let given: Option<Axes> = match &options.input_axes {
        Some(axes) => Some(axes.parse().map_err(|e: String| anyhow!(e))?),
        None => None,
    };
    let training = trained
        .filter(|_| !options.ignore_training_axistags)
        .and_then(|p| p.training.axes.clone())
        .filter(|axes| axes.letters().len() == shape.len());
    let axes = given
        .or(array.axes)
        .or(training)
        .or_else(|| Axes::assumed(shape))
        .ok_or_else(|| anyhow!("an array of {} axes is no image", shape.len()))?;
    let values = ArrayD::from_shape_vec(IxDyn(shape), array.values.to_f32())?;
    Image::new(values, axes, array.values.pixel_type)
        .map_err(|e| anyhow!("{e}; name its axes with --input_axes"))
}

/// The project's settings, with what the command line says instead.
fn settings(options: &IlastikPredict, project: &Project) -> anyhow::Result<ExportSettings> {
    let mut settings = project.export.clone();
    let replace = |to: &mut Option<String>, from: &Option<String>| {
        if from.is_some() {
            to.clone_from(from);
        }
    };
    replace(&mut settings.format, &options.output_format);
    replace(&mut settings.filename, &options.output_filename_format);
    replace(&mut settings.internal_path, &options.output_internal_path);
    replace(&mut settings.axes, &options.output_axis_order);
    if let Some(name) = &options.export_dtype {
        settings.data_type = Some(DataType::parse(name).map_err(|e| anyhow!(e))?);
    }
    let ranges = (&options.pipeline_result_drange, &options.export_drange);
    match ranges {
        (Some(from), Some(to)) => {
            settings.input_range = Some(pair(from)?);
            settings.output_range = Some(pair(to)?);
        }
        (None, None) => {}
        _ => bail!("--pipeline_result_drange and --export_drange must be given together"),
    }
    if let Some(region) = &options.cutout_subregion {
        let lists: Vec<&str> = region
            .trim_matches(|c: char| "[] ".contains(c))
            .split("),")
            .collect();
        let [start, stop] = lists[..] else {
            bail!("--cutout_subregion `{region}` is not \"[(start, …), (stop, …)]\"");
        };
        settings.region_start = Some(bounds(start)?);
        settings.region_stop = Some(bounds(stop)?);
    }
    Ok(settings)
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.trim_matches(|c: char| "()[] ".contains(c));
    inner.split(',').map(str::trim).filter(|t| !t.is_empty())
}

/// `(0.0,1.0)`.
fn pair(text: &str) -> anyhow::Result<(f64, f64)> {
    let numbers: Vec<f64> = items(text)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .with_context(|| format!("`{text}` is not a range such as (0,255)"))?;
    match numbers[..] {
        [low, high] if low < high => Ok((low, high)),
        _ => bail!("`{text}` is not a range such as (0,255)"),
    }
}

/// `(0,100,None)`; a whole axis is `None`.
fn bounds(text: &str) -> anyhow::Result<Vec<Option<i64>>> {
    items(text)
        .map(|item| match item {
            "None" => Ok(None),
            number => Ok(Some(number.parse::<u32>().map(i64::from).with_context(
                || format!("`{number}` in --cutout_subregion is no whole number"),
            )?)),
        })
        .collect()
}
