//! BatchLib's tables of objects.

use analysis::measure::{ColumnValues, Features, Measurements};
use image_io::table::{Column, Table, Values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::JobIo;
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// A visible table of what was measured.
pub(super) fn table_of(measured: Measurements) -> Table {
    let column = |(name, values)| Column {
        name,
        values: match values {
            ColumnValues::Int(v) => Values::Int(v),
            ColumnValues::Float(v) => Values::Float(v),
        },
        visible: true,
    };
    Table {
        columns: measured.columns.into_iter().map(column).collect(),
    }
}

/// `measure.properties` has no parameters.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Properties {}

pub(super) static PROPERTIES: KindInfo = KindInfo {
    name: "measure.properties",
    version: 1,
    scope: Scope::ImageSet,
    about: "Centre, bounding box and size of each object (skimage.measure.regionprops; BatchLib's SegmentationProperties)",
    inputs: &[Port::one("labels", Holds::Labels, "the objects")],
    outputs: &[Port::one(
        "table",
        Holds::Table,
        "one row an object, and one for the background",
    )],
    schema: schema_of::<Properties>,
    compile: image_kind::<Properties>,
};

impl ImageOperation for Properties {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let labels = io.labels("labels")?;
        let measured = analysis::measure::properties(labels.view());
        io.put_table("table", table_of(measured));
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("SegmentationProperties")
    }
}

/// Parameters of `measure.instances`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Instances {
    /// For each K a column `topK`: the K-th largest pixel, 0 where an object has fewer.
    top: Vec<usize>,
    /// For each q (0 to 1) a column `quantileQ`.
    quantiles: Vec<f64>,
}

impl Default for Instances {
    fn default() -> Self {
        let Features { top, quantiles } = Features::default();
        Self { top, quantiles }
    }
}

pub(super) static INSTANCES: KindInfo = KindInfo {
    name: "measure.instances",
    version: 1,
    scope: Scope::ImageSet,
    about: "Intensities of each object and of the background, one table a channel (BatchLib's InstanceFeatureExtraction)",
    inputs: &[
        Port::many("images", Holds::Image, "channels to measure"),
        Port::one("labels", Holds::Labels, "the objects"),
        Port::one(
            "ignore",
            Holds::Labels,
            "objects whose pixels do not count, such as nuclei",
        )
        .optional(),
    ],
    outputs: &[Port::many(
        "tables",
        Holds::Table,
        "a table for each channel: one row an object, and one for the background",
    )],
    schema: schema_of::<Instances>,
    compile: image_kind::<Instances>,
};

impl ImageOperation for Instances {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let labels = io.labels("labels")?;
        let ignored = if io.has("ignore") {
            Some(io.labels("ignore")?)
        } else {
            None
        };
        let planes = io
            .names("images")
            .iter()
            .map(|name| io.float_named(name))
            .collect::<Result<Vec<_>, _>>()?;
        let views: Vec<_> = planes.iter().map(|plane| plane.view()).collect();
        let features = Features {
            top: self.top.clone(),
            quantiles: self.quantiles.clone(),
        };
        let ignored = ignored.as_ref().map(|ignored| ignored.view());
        let tables = analysis::measure::instances(labels.view(), ignored, &views, &features)?;
        for (index, measured) in tables.into_iter().enumerate() {
            io.put_nth_table("tables", index, table_of(measured));
        }
        Ok(())
    }

    fn check(&self, _inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.top.contains(&0) {
            wrong.push("each number in `top` must be 1 or more".to_owned());
        }
        if self.quantiles.iter().any(|q| !(0.0..=1.0).contains(q)) {
            wrong.push("each number in `quantiles` must be between 0 and 1".to_owned());
        }
        wrong
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("InstanceFeatureExtraction")
    }
}
