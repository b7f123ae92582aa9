//! Measurements of objects.

use analysis::measure::{Intensity, Selection, Shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::JobIo;
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `measure.objects`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Objects {
    /// Shape columns: area, bbox, centroid, eccentricity, axis_major_length, axis_minor_length, orientation, perimeter, extent,
    /// equivalent_diameter, area_convex, solidity, feret_diameter_max, euler_number. Absent: area to axis_minor_length, and perimeter.
    shapes: Option<Vec<Known<Shape>>>,
    /// Columns of each channel: mean, max, min, std, sum, median, quantile_<q>, centroid_weighted. Absent: mean, max, min.
    intensities: Option<Vec<Known<Intensity>>>,
}

/// A measurement by its name.
#[derive(Clone, Copy, Debug)]
struct Known<T>(T);

impl<T: std::fmt::Display> Serialize for Known<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: std::str::FromStr<Err: std::fmt::Display>> Deserialize<'de> for Known<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl<T> JsonSchema for Known<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "measurement".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

pub(super) static OBJECTS: KindInfo = KindInfo {
    name: "measure.objects",
    version: 1,
    scope: Scope::ImageSet,
    about: "Shape of each object and its intensities in each channel (skimage.measure.regionprops_table)",
    inputs: &[
        Port::one("labels", Holds::Labels, "the objects"),
        Port::many("images", Holds::Image, "channels to measure").optional(),
    ],
    outputs: &[Port::one("table", Holds::Table, "one row an object")],
    schema: schema_of::<Objects>,
    compile: image_kind::<Objects>,
};

impl ImageOperation for Objects {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let labels = io.labels("labels")?;
        let names = io.names("images");
        let planes = names
            .iter()
            .map(|name| io.float_named(name))
            .collect::<Result<Vec<_>, _>>()?;
        let channels: Vec<_> = names
            .iter()
            .map(String::as_str)
            .zip(planes.iter().map(|p| p.view()))
            .collect();
        let mut selection = Selection::default();
        if let Some(shapes) = &self.shapes {
            selection.shapes = shapes.iter().map(|s| s.0).collect();
        }
        if let Some(intensities) = &self.intensities {
            selection.intensities = intensities.iter().map(|i| i.0).collect();
        }
        let measured = analysis::measure::objects(labels.view(), &channels, &selection)?;
        io.put_table("table", super::features::table_of(measured));
        Ok(())
    }
}
