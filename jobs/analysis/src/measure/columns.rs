//! What can be measured, and the table that holds it.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A table with one row for each object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measurements {
    /// The label of each row, ascending.
    pub labels: Vec<u32>,
    /// Name and values of each column.
    pub columns: Vec<(String, ColumnValues)>,
}

impl Measurements {
    /// The values of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnValues> {
        self.columns
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, values)| values)
    }
}

/// The values of a column, one for each object.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnValues {
    /// Counts, labels and pixel positions.
    Int(Vec<i64>),
    /// Everything else.
    Float(Vec<f64>),
}

impl ColumnValues {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Float(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A value as a number.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<f64> {
        match self {
            Self::Int(values) => values.get(row).map(|&v| v as f64),
            Self::Float(values) => values.get(row).copied(),
        }
    }
}

/// A measure of an object's shape. Lengths are in pixels. The name (`Display`, `FromStr`) is the name of the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// `area`: pixels.
    Area,
    /// `bbox_min_y`, `bbox_min_x`, `bbox_max_y`, `bbox_max_x`: the maxima are one past the last pixel. Name: `bbox`.
    Bbox,
    /// `centroid_y`, `centroid_x`. Name: `centroid`.
    Centroid,
    /// `eccentricity` of the ellipse with the same second moments: 0 is a circle.
    Eccentricity,
    /// `axis_major_length` of that ellipse.
    AxisMajorLength,
    /// `axis_minor_length` of that ellipse.
    AxisMinorLength,
    /// `orientation`: the angle from the y axis to the major axis, -pi/2 to pi/2, counter-clockwise. Where both axes are
    /// equally long, it is -pi/4 (scikit-image: that, or whatever rounding leaves).
    Orientation,
    /// `perimeter`: the length of the line through the centres of the border pixels (4-neighbourhood).
    Perimeter,
    /// `extent`: area / area of the bounding box.
    Extent,
    /// `equivalent_diameter`: of the disk of the same area (`equivalent_diameter_area` of scikit-image).
    EquivalentDiameter,
    /// `area_convex`: pixels of the convex hull image.
    AreaConvex,
    /// `solidity`: area / `area_convex`.
    Solidity,
    /// `feret_diameter_max`: the largest distance between two points of the outline of the convex hull image.
    FeretDiameterMax,
    /// `euler_number`: parts (8-connected) minus holes.
    EulerNumber,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Area,
        Self::Bbox,
        Self::Centroid,
        Self::Eccentricity,
        Self::AxisMajorLength,
        Self::AxisMinorLength,
        Self::Orientation,
        Self::Perimeter,
        Self::Extent,
        Self::EquivalentDiameter,
        Self::AreaConvex,
        Self::Solidity,
        Self::FeretDiameterMax,
        Self::EulerNumber,
    ];

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Area => "area",
            Self::Bbox => "bbox",
            Self::Centroid => "centroid",
            Self::Eccentricity => "eccentricity",
            Self::AxisMajorLength => "axis_major_length",
            Self::AxisMinorLength => "axis_minor_length",
            Self::Orientation => "orientation",
            Self::Perimeter => "perimeter",
            Self::Extent => "extent",
            Self::EquivalentDiameter => "equivalent_diameter",
            Self::AreaConvex => "area_convex",
            Self::Solidity => "solidity",
            Self::FeretDiameterMax => "feret_diameter_max",
            Self::EulerNumber => "euler_number",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Shape {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|shape| shape.name() == name)
            .ok_or_else(|| Error::Parameter {
                name: "shape",
                value: name.to_owned(),
                expected: "a measure of shape such as area, bbox, centroid or perimeter",
            })
    }
}

/// A measure of an object's pixels in one channel. The column is `<channel>_<name>`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Intensity {
    /// `mean`.
    Mean,
    /// `max`.
    Max,
    /// `min`.
    Min,
    /// `std`: the standard deviation (of the population, as `numpy.std`).
    Std,
    /// `sum`: the integrated intensity.
    Sum,
    /// `median`.
    Median,
    /// `quantile_<q>`, q in 0 to 1, interpolated linearly as `numpy.quantile` does.
    Quantile(f64),
    /// `centroid_weighted_y`, `centroid_weighted_x`: of the pixels weighted with their intensity. Name:
    /// `centroid_weighted`.
    CentroidWeighted,
}

impl fmt::Display for Intensity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => f.write_str("mean"),
            Self::Max => f.write_str("max"),
            Self::Min => f.write_str("min"),
            Self::Std => f.write_str("std"),
            Self::Sum => f.write_str("sum"),
            Self::Median => f.write_str("median"),
            Self::Quantile(q) => write!(f, "quantile_{q}"),
            Self::CentroidWeighted => f.write_str("centroid_weighted"),
        }
    }
}

impl FromStr for Intensity {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let simple = [
            Self::Mean,
            Self::Max,
            Self::Min,
            Self::Std,
            Self::Sum,
            Self::Median,
            Self::CentroidWeighted,
        ];
        if let Some(found) = simple.into_iter().find(|i| i.to_string() == name) {
            return Ok(found);
        }
        let q = name
            .strip_prefix("quantile_")
            .and_then(|q| q.parse().ok())
            .filter(|q| (0.0..=1.0).contains(q));
        q.map(Self::Quantile).ok_or_else(|| Error::Parameter {
            name: "intensity",
            value: name.to_owned(),
            expected: "mean, max, min, std, sum, median, centroid_weighted or quantile_<0 to 1>",
        })
    }
}

/// What [`super::objects`] measures, in the order of the columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Of the labels.
    pub shapes: Vec<Shape>,
    /// Of each channel.
    pub intensities: Vec<Intensity>,
}

impl Default for Selection {
    /// Area, bounding box, centroid, ellipse, perimeter; mean, maximum and minimum of each channel.
    fn default() -> Self {
        use Shape::{
            Area, AxisMajorLength, AxisMinorLength, Bbox, Centroid, Eccentricity, Perimeter,
        };
        Self {
            shapes: vec![
                Area,
                Bbox,
                Centroid,
                Eccentricity,
                AxisMajorLength,
                AxisMinorLength,
                Perimeter,
            ],
            intensities: vec![Intensity::Mean, Intensity::Max, Intensity::Min],
        }
    }
}
