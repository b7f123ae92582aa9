//! `wellspring model`: what a neural network's file holds, and whether it runs here.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use networks::report::{self, FileReport, Trial};
use networks::{Choice, Declared, Description, engine};

use crate::args::{EngineOptions, ModelCheckOptions, ModelCommand};
use crate::output;

/// Runs a subcommand.
pub fn run(command: &ModelCommand, json: bool) -> anyhow::Result<ExitCode> {
    crate::logging::command();
    match command {
        ModelCommand::Check(options) => check(options, json),
        ModelCommand::Engines { engine } => engines(engine, json),
    }
}

/// Exit code 1 where a library is named that cannot be used.
fn engines(options: &EngineOptions, json: bool) -> anyhow::Result<ExitCode> {
    let library = match &options.onnxruntime {
        Some(path) => Some((path, engine::check_library(path)?)),
        None => None,
    };
    if json {
        let library = library.map(
            |(path, version)| serde_json::json!({ "path": path.display().to_string(), "version": version }),
        );
        output::json(
            &serde_json::json!({ "built_in": engine::builtin_name(), "onnxruntime": library }),
        )?;
    } else {
        output::line(format!("{}, built in", engine::builtin_name()));
        if let Some((path, version)) = library {
            output::line(format!("onnxruntime {version}, `{}`", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Exit code 1 where the network cannot be used: by no engine, or by the one that was asked for.
fn check(options: &ModelCheckOptions, json: bool) -> anyhow::Result<ExitCode> {
    let sidecar = options.sidecar.as_deref();
    let file = report::file(&options.file, sidecar)?;
    if !json {
        output::print(&file_text(&file));
    }
    let described = report::description(&options.file, sidecar);
    if let (Ok(description), false) = (&described, json) {
        output::print(&description_text(description));
    }
    let choice = match &options.engine.onnxruntime {
        Some(library) => {
            engine::use_library(Some(library.clone()));
            Choice::OnnxRuntime
        }
        None => Choice::BuiltIn,
    };
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let trial = described.and_then(|description| {
        let trial = report::trial(
            &options.file,
            sidecar,
            choice,
            options.threads.unwrap_or(cores),
            options.size as usize,
        )?;
        report::sound(&options.file, &trial)?;
        Ok((description, trial))
    });
    match trial {
        Ok((description, trial)) => {
            if json {
                output::json(
                    &serde_json::json!({ "usable": true, "file": file, "description": description, "trial": trial }),
                )?;
            } else {
                output::print(&trial_text(&trial));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if json => {
            output::json(&serde_json::json!({
                "usable": false, "file": file,
                "error": { "code": error.code(), "message": error.to_string(), "remedy": error.remedy() },
            }))?;
            Ok(ExitCode::from(1))
        }
        Err(error) => Err(error.into()),
    }
}

fn shape(declared: &Declared) -> String {
    let sizes: Vec<String> = declared
        .shape
        .iter()
        .zip(&declared.symbols)
        .map(|(size, symbol)| match (size, symbol) {
            (Some(size), _) => size.to_string(),
            (None, Some(symbol)) if !symbol.starts_with("unk__") => symbol.clone(),
            (None, _) => "?".to_owned(),
        })
        .collect();
    format!(
        "{} [{}] {}",
        declared.name,
        sizes.join(", "),
        declared.element
    )
}

fn file_text(file: &FileReport) -> String {
    let mut lines = vec![format!(
        "{}  {} bytes, {} weights{}",
        file.path.display(),
        file.bytes,
        file.parameters,
        file.producer
            .as_ref()
            .map_or_else(String::new, |p| format!(", written by {p}"))
    )];
    let opsets: Vec<String> = file
        .opsets
        .iter()
        .map(|(domain, version)| match domain.as_str() {
            "" => format!("onnx {version}"),
            other => format!("{other} {version}"),
        })
        .collect();
    lines.push(format!("opset      {}", opsets.join(", ")));
    lines.extend(
        file.inputs
            .iter()
            .map(|i| format!("input      {}", shape(i))),
    );
    lines.extend(
        file.outputs
            .iter()
            .map(|o| format!("output     {}", shape(o))),
    );
    let used: Vec<String> = file
        .operators
        .iter()
        .map(|(name, n)| format!("{name} {n}"))
        .collect();
    lines.push(format!("operators  {}", used.join(", ")));
    if !file.not_built_in.is_empty() {
        lines.push(format!(
            "not in {}: {}",
            engine::builtin_name(),
            file.not_built_in.join(", ")
        ));
    }
    lines.push(match &file.sidecar {
        Some(path) => format!("sidecar    {}", path.display()),
        None => "sidecar    none".to_owned(),
    });
    lines.join("\n") + "\n"
}

fn description_text(description: &Description) -> String {
    let [my, mx] = description.multiple;
    let [hy, hx] = description.halo;
    let mut lines = Vec::new();
    let steps =
        |steps: &[networks::normalise::Step]| serde_json::to_string(steps).unwrap_or_default();
    let channels = |tensor: &networks::Tensor| {
        let names = if tensor.channel_names.is_empty() {
            String::new()
        } else {
            format!(" ({})", tensor.channel_names.join(", "))
        };
        tensor.channels.map_or_else(
            || "any number of channels".to_owned(),
            |n| format!("{n} channels"),
        ) + &names
    };
    let input = &description.input;
    lines.push(format!(
        "takes      {}, {}, multiples of {my} x {mx} pixels",
        input.axes,
        channels(input)
    ));
    if !description.normalisation.is_empty() {
        lines.push(format!("normalise  {}", steps(&description.normalisation)));
    }
    for output in &description.outputs {
        let [gy, gx] = output.grid;
        lines.push(format!(
            "gives      {}: {}, {}, one value for {gy} x {gx} pixels",
            output.name,
            output.axes,
            channels(output)
        ));
        if !output.activation.is_empty() {
            lines.push(format!("activation {}", steps(&output.activation)));
        }
    }
    let looks = match description.reach {
        _ if description.sees_whole_image => {
            "looks at the whole image: tiles change its results".to_owned()
        }
        Some(reach) => format!("looks {reach} pixels far"),
        None => "how far it looks is not known".to_owned(),
    };
    lines.push(format!("tiles      halo of {hy} x {hx} pixels; {looks}"));
    if let Some(star) = &description.star_convex {
        let told = |threshold: Option<f64>| {
            threshold.map_or_else(|| "the job says".to_owned(), |t| t.to_string())
        };
        lines.push(format!(
            "star       {} rays, probability above {}, overlap up to {}",
            star.n_rays,
            told(star.prob_thresh),
            told(star.nms_thresh)
        ));
    }
    lines.join("\n") + "\n"
}

fn trial_text(trial: &Trial) -> String {
    let [height, width] = trial.size;
    let memory = trial
        .memory_bytes
        .map_or_else(String::new, |b| format!(", {} MiB of memory", b >> 20));
    let mut lines = vec![
        format!(
            "engine     {}, {} threads, loaded in {:.2} s",
            trial.engine, trial.threads, trial.load_secs
        ),
        format!(
            "test       {} channels of {height} x {width}: {:.2} s a megapixel, {:.2} CPU s{memory}",
            trial.channels, trial.secs_per_megapixel, trial.cpu_secs_per_megapixel
        ),
    ];
    for output in &trial.outputs {
        let [channels, height, width] = output.shape;
        lines.push(format!(
            "result     {} {channels} x {height} x {width}, {:.4} to {:.4}, mean {:.4}",
            output.name, output.min, output.max, output.mean
        ));
    }
    lines.join("\n") + "\n"
}
