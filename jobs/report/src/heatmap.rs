//! A plate as a picture: one disc a well, coloured by a value; or cut into wedges, one an image.

mod layout;
mod legend;
mod ramp;
mod reasons;
pub(crate) mod scale;
mod wells;

use std::collections::BTreeMap;

use plate::{PlateFormat, WellName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::drawing;
use scale::Scale;

/// What is known of one well or image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number; infinite ones are drawn in the colour of the end of the scale.
    Number(f64),
    /// Computed, but not a number: there was nothing to compute it from.
    Undefined,
    /// No result at all: the image failed, or has no row in the table.
    Missing,
}

impl Value {
    /// NaN is [`Value::Undefined`].
    #[must_use]
    pub const fn of(value: f64) -> Self {
        if value.is_nan() {
            Self::Undefined
        } else {
            Self::Number(value)
        }
    }

    /// The number, where there is a finite one.
    #[must_use]
    pub fn finite(self) -> Option<f64> {
        match self {
            Self::Number(v) if v.is_finite() => Some(v),
            _ => None,
        }
    }

    /// As people read it.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Number(v) => crate::short(v),
            Self::Undefined => "not a number".to_owned(),
            Self::Missing => "no result".to_owned(),
        }
    }
}

/// What a picture shows of each well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A disc a well, coloured by the well's value.
    PerWell,
    /// Wedges, one an image in site order, clockwise from the top; the well's value in the middle.
    PerImage,
}

impl Style {
    /// As it stands in file names: BatchLib's `per-well` and `per-image`.
    #[must_use]
    pub const fn file_word(self) -> &'static str {
        match self {
            Self::PerWell => "per-well",
            Self::PerImage => "per-image",
        }
    }
}

/// One image of a well.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its name, for example `A01-0001`.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Why it is an outlier, if it is one.
    pub outlier: Option<String>,
    /// Why it has no result, if that is known.
    pub failed: Option<String>,
}

/// One well.
#[derive(Clone, Debug, PartialEq)]
pub struct Well {
    /// Its value.
    pub value: Value,
    /// Why it is an outlier, if it is one.
    pub outlier: Option<String>,
    /// Its images, in site order.
    pub images: Vec<Image>,
}

/// Everything that a picture shows.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Begins the ids in the SVG; unique among the pictures of one page.
    pub id: String,
    /// The plate's name.
    pub plate: String,
    /// What is shown: the column's name.
    pub column: String,
    /// Rows and columns.
    pub format: PlateFormat,
    /// Discs or wedges.
    pub style: Style,
    /// What a well's value is, in words: `wells/default`, `median of its images`.
    pub well_value: String,
    /// The wells that were imaged. All others of the plate are drawn empty.
    pub wells: BTreeMap<WellName, Well>,
    /// Range and colours.
    pub scale: Scale,
    /// What else must be said below the picture, for example that the column does not exist.
    pub notes: Vec<String>,
}

impl HeatMap {
    /// The values that get the first and the last colour.
    #[must_use]
    pub fn range(&self) -> [f64; 2] {
        let ramp = self.scale.ramp(&self.column, &layout::numbers(self));
        let end = |tick: Option<&(f64, f64)>| tick.map_or(0.0, |(value, _)| *value);
        [end(ramp.ticks.first()), end(ramp.ticks.last())]
    }

    /// Whether the colours diverge from the middle of the range.
    #[must_use]
    pub fn is_diverging(&self) -> bool {
        self.scale.is_diverging(&self.column)
    }
}

/// Pixels of a PNG for each unit of the drawing: sharp on paper and on dense screens.
const PNG_SCALE: f64 = 2.0;

/// Draws a heat map as SVG: no scripts, no style sheets, nothing to load.
///
/// Each well is a group with the id `<id>-<well>` and a `<title>` that says its value, why it is an outlier, and the
/// same of its images. The same heat map gives the same text on every machine.
#[must_use]
pub fn heatmap(map: &HeatMap) -> String {
    drawing::svg(&layout::layout(map))
}

/// The name of a picture's files without extension: BatchLib's `<plate>_<column>_per-well`.
#[must_use]
pub fn picture_stem(map: &HeatMap) -> String {
    let safe = crate::export::safe;
    format!(
        "{}_{}_{}",
        safe(&map.plate),
        safe(&map.column),
        map.style.file_word()
    )
}

/// Draws the same heat map as PNG, two pixels for each unit of the SVG, with a font that is built in.
#[must_use]
pub fn heatmap_png(map: &HeatMap) -> Vec<u8> {
    // A drawing always has a title and a legend, so it is never without area.
    drawing::png(&layout::layout(map), PNG_SCALE).unwrap_or_default()
}
