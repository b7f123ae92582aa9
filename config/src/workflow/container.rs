//! How results are stored, and what happens with z-slices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::field_order;

/// How results are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct Container {
    /// Scale levels of the pyramid of every image, each as a factor of the full resolution. The first is 1, and each
    /// is a multiple of the one before.
    pub scale_factors: Vec<u32>,
    /// File format of the containers.
    pub format: ContainerFormat,
    /// Whether the raw channels are stored beside the results, so that a viewer shows both from one file.
    pub raw: bool,
}

impl Default for Container {
    fn default() -> Self {
        Self {
            scale_factors: vec![1, 2, 4, 8, 16],
            format: ContainerFormat::H5,
            raw: true,
        }
    }
}

/// File format of the containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ContainerFormat {
    /// One HDF5 file for an image set, with BatchLib's multiscale layout.
    #[default]
    H5,
    /// One N5 folder for an image set, with the same layout, for programs that read blocks in parallel or over a network.
    N5,
}

impl ContainerFormat {
    /// The extension of a container's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::H5 => "h5",
            Self::N5 => "n5",
        }
    }
}

/// What is done with several z-slices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = field_order::<Self>)]
pub struct ZSlices {
    /// How the z-slices of a channel become the one plane that the jobs see.
    pub projection: Projection,
}

/// How several z-slices become one plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Projection {
    /// There must be one slice only.
    #[default]
    None,
    /// The brightest value of each pixel.
    Max,
    /// The mean of each pixel.
    Mean,
    /// The slice in the middle.
    Middle,
}

impl Projection {
    /// The word used in files and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Middle => "middle",
        }
    }
}
