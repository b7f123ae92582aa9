//! Everything that a new job kind needs, and a way to try it on arrays: `docs/guide/add-a-job.md` walks through one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use config::WorkflowFile;
use image_io::table::Table;
use ndarray::Array2;

pub use crate::context::{Item, JobIo};
pub use crate::error::{Failure, FailureClass};
pub use crate::graph::{Bindings, Scope};
pub use crate::kind::{
    CompileResult, ImageOperation, KindInfo, PlateOperation, image_kind, plate_kind, schema_of,
};
pub use crate::plate_context::{PlateIo, PlateMember};
pub use crate::port::{Holds, Port};

use crate::context::{ImageContext, Setting};
use crate::graph::{Job, Limits, Workflow};
use crate::kind::Compiled;

/// Runs a kind of scope image set on arrays, without files and without a workflow.
pub struct Trial {
    kind: &'static KindInfo,
    parameters: toml::Table,
    items: BTreeMap<String, Item>,
    inputs: Bindings,
}

/// What a kind put out, by port: a port that takes several names gives `port`, `port1`, `port2`, …
#[derive(Debug, Default)]
pub struct Outcome {
    /// Images, masks and label images.
    pub items: BTreeMap<String, Item>,
    /// Object tables.
    pub tables: BTreeMap<String, Arc<Table>>,
}

impl Trial {
    /// A trial of a kind with its default parameters.
    #[must_use]
    pub fn of(kind: &'static KindInfo) -> Self {
        Self {
            kind,
            parameters: toml::Table::new(),
            items: BTreeMap::new(),
            inputs: Bindings::new(),
        }
    }

    /// Sets a parameter, as in a workflow file.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<toml::Value>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// Binds an array to an input port; once more for a port that takes several.
    #[must_use]
    pub fn given(mut self, port: &'static str, item: Item) -> Self {
        let names = self.inputs.entry(port).or_default();
        let name = format!("{port} {}", names.len());
        names.push(name.clone());
        self.items.insert(name, item);
        self
    }

    /// Runs the kind.
    ///
    /// # Errors
    /// The parameters do not fit the kind, or what the kind itself says.
    pub fn run(self) -> Result<Outcome, Failure> {
        let (parameters, operation) = (self.kind.compile)(&self.parameters).map_err(|message| {
            Failure::permanent("bad-parameter", message, "correct the parameters")
        })?;
        let several = self.inputs.values().map(Vec::len).max().unwrap_or(1);
        let outputs: Bindings = self
            .kind
            .outputs
            .iter()
            .map(|port| {
                let count = if port.many { several } else { 1 };
                let names = (0..count).map(|n| match n {
                    0 => port.name.to_owned(),
                    _ => format!("{}{n}", port.name),
                });
                (port.name, names.collect())
            })
            .collect();
        let job = Job {
            id: "trial".to_owned(),
            status_name: "trial".to_owned(),
            kind: self.kind,
            parameters,
            operation,
            inputs: self.inputs,
            outputs,
            upstream: Vec::new(),
            keep: true,
            limits: Limits::default(),
        };
        let empty = Workflow::compile(&WorkflowFile::default())
            .map_err(|_| Failure::permanent("internal", "no empty workflow", "report this"))?;
        let mut context = ImageContext::new(
            Arc::new(empty),
            Vec::new(),
            PathBuf::new(),
            None,
            Setting::default(),
        );
        context.given = self.items;
        let Compiled::Image(operation) = &job.operation else {
            return Err(Failure::permanent(
                "bad-parameter",
                format!("`{}` works on plates", self.kind.name),
                "try it with `wellspring run`",
            ));
        };
        operation.run(&mut JobIo {
            context: &mut context,
            job: &job,
            index: 0,
        })?;
        Ok(Outcome {
            items: context.items,
            tables: context.tables,
        })
    }
}

impl Outcome {
    /// A plane of numbers as float32, (y, x), whatever it holds; `None` where the port put nothing.
    #[must_use]
    pub fn plane(&self, port: &str) -> Option<Array2<f32>> {
        #[allow(clippy::cast_precision_loss)]
        Some(match self.items.get(port)? {
            Item::Image(pixels) => pixels.to_f32(),
            Item::Mask(mask) => mask.mapv(|v| f32::from(u8::from(v))),
            Item::Labels(labels) => labels.mapv(|v| v as f32),
        })
    }
}
