//! A job kind: its name, its ports, its parameters, and the code behind it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::JobIo;
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::plate_context::PlateIo;
use crate::port::Port;

/// A job on one image set. The value is the job's parameters.
pub trait ImageOperation: Send + Sync {
    /// Reads its inputs from `io`, computes, and puts its outputs there.
    ///
    /// # Errors
    /// Why this image set cannot be processed; later jobs that need the outputs are then skipped.
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure>;

    /// Files whose content the result depends on (models, correctors); their hashes enter the task key.
    fn files(&self) -> Vec<std::path::PathBuf> {
        Vec::new()
    }

    /// What is wrong with the parameters, given the names that are bound to the ports. Looks at nothing outside the workflow.
    fn check(&self, _inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        Vec::new()
    }

    /// What is missing on this machine, and so will make the job fail here.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// The class of BatchLib that it reproduces, for example `SeededWatershed`: its name in BatchLib's status files.
    fn batchlib(&self) -> Option<&'static str> {
        None
    }
}

/// A job on one plate. The value is the job's parameters.
pub trait PlateOperation: Send + Sync {
    /// Reads the plate's image sets or their tables from `io`, computes, and puts its outputs there.
    ///
    /// # Errors
    /// Why this plate cannot be processed.
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure>;

    /// Files whose content the result depends on, whatever the plate; their hashes enter the task key.
    fn files(&self) -> Vec<std::path::PathBuf> {
        Vec::new()
    }

    /// What the job reads of this plate from outside it (a plate's line in a list, its file in a folder), as text by name. It
    /// enters the task key, so that a change concerns this plate only. Called in the daemon whenever a plate is planned.
    fn outside(&self, _plate: &str) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// What is wrong with the parameters, given the names that are bound to the ports. Looks at nothing outside the workflow.
    fn check(&self, _inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        Vec::new()
    }

    /// What is missing on this machine, and so will make the job fail here.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// The class of BatchLib that it reproduces, for example `SeededWatershed`: its name in BatchLib's status files.
    fn batchlib(&self) -> Option<&'static str> {
        None
    }
}

/// A job's checked parameters, ready to run.
pub enum Compiled {
    /// Runs on image sets.
    Image(Box<dyn ImageOperation>),
    /// Runs on plates.
    Plate(Box<dyn PlateOperation>),
}

impl Compiled {
    /// Files whose content the result depends on.
    #[must_use]
    pub fn files(&self) -> Vec<std::path::PathBuf> {
        match self {
            Self::Image(operation) => operation.files(),
            Self::Plate(operation) => operation.files(),
        }
    }

    /// What the job reads of a plate from outside it; see [`PlateOperation::outside`].
    #[must_use]
    pub fn outside(&self, plate: &str) -> BTreeMap<String, String> {
        match self {
            Self::Image(_) => BTreeMap::new(),
            Self::Plate(operation) => operation.outside(plate),
        }
    }

    /// What is wrong with the parameters.
    #[must_use]
    pub fn check(&self, inputs: &Bindings, outputs: &Bindings) -> Vec<String> {
        match self {
            Self::Image(operation) => operation.check(inputs, outputs),
            Self::Plate(operation) => operation.check(inputs, outputs),
        }
    }

    /// What is missing on this machine.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        match self {
            Self::Image(operation) => operation.warnings(),
            Self::Plate(operation) => operation.warnings(),
        }
    }

    /// The class of BatchLib that the job reproduces.
    #[must_use]
    pub fn batchlib(&self) -> Option<&'static str> {
        match self {
            Self::Image(operation) => operation.batchlib(),
            Self::Plate(operation) => operation.batchlib(),
        }
    }
}

/// Parameters as they are hashed into a task key, with the code that they drive.
pub type CompileResult = Result<(serde_json::Value, Compiled), String>;

/// Everything that the product knows of a job kind; a kind is registered by one such value in [`crate::kinds::ALL`].
pub struct KindInfo {
    /// The name in workflow files, for example `segment.watershed`.
    pub name: &'static str,
    /// Raised whenever the kind's results change; part of every task key.
    pub version: u32,
    /// Whether it runs on image sets or on plates.
    pub scope: Scope,
    /// What it does, in one line, with the function that it reproduces.
    pub about: &'static str,
    /// Its inputs; the first is the one that a bare `input = "…"` names.
    pub inputs: &'static [Port],
    /// Its outputs; the first is the one that a bare `output = "…"` names.
    pub outputs: &'static [Port],
    /// JSON schema of its parameters.
    pub schema: fn() -> serde_json::Value,
    /// Checks parameters.
    pub compile: fn(&toml::Table) -> CompileResult,
}

fn parse<P: DeserializeOwned + Serialize>(
    table: &toml::Table,
) -> Result<(serde_json::Value, P), String> {
    let parameters: P = table
        .clone()
        .try_into()
        .map_err(|e: toml::de::Error| e.message().to_owned())?;
    let canonical = serde_json::to_value(&parameters).map_err(|e| e.to_string())?;
    Ok((canonical, parameters))
}

/// JSON schema of a parameter type.
#[must_use]
pub fn schema_of<P: JsonSchema>() -> serde_json::Value {
    schemars::schema_for!(P).to_value()
}

/// Compiles the parameters of an image-set job kind.
///
/// # Errors
/// The parameters are not those of the kind.
pub fn image_kind<P: ImageOperation + DeserializeOwned + Serialize + 'static>(
    table: &toml::Table,
) -> CompileResult {
    parse::<P>(table).map(|(canonical, p)| (canonical, Compiled::Image(Box::new(p))))
}

/// Compiles the parameters of a plate job kind.
///
/// # Errors
/// The parameters are not those of the kind.
pub fn plate_kind<P: PlateOperation + DeserializeOwned + Serialize + 'static>(
    table: &toml::Table,
) -> CompileResult {
    parse::<P>(table).map(|(canonical, p)| (canonical, Compiled::Plate(Box::new(p))))
}
