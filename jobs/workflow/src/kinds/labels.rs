//! Choice among objects.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

const IN: &[Port] = &[Port::one("labels", Holds::Labels, "the objects")];
const OUT: &[Port] = &[Port::one(
    "labels",
    Holds::Labels,
    "the objects that stay, renumbered from 1 if `relabel`",
)];

/// Parameters of `labels.clear_border`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ClearBorder {
    /// Width of the border in pixels in addition to the outermost row and column.
    buffer: usize,
    /// Number the remaining objects from 1 without gaps.
    relabel: bool,
}

impl Default for ClearBorder {
    fn default() -> Self {
        Self {
            buffer: 0,
            relabel: true,
        }
    }
}

pub(super) static CLEAR_BORDER: KindInfo = KindInfo {
    name: "labels.clear_border",
    version: 1,
    scope: Scope::ImageSet,
    about: "Removes objects that touch the border (skimage.segmentation.clear_border)",
    inputs: IN,
    outputs: OUT,
    schema: schema_of::<ClearBorder>,
    compile: image_kind::<ClearBorder>,
};

impl ImageOperation for ClearBorder {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let labels = io.labels("labels")?;
        let mut kept = analysis::components::clear_border(labels.view(), self.buffer)?;
        if self.relabel {
            kept = analysis::components::relabel_sequential(kept.view()).0;
        }
        io.put("labels", Item::Labels(Arc::new(kept)));
        Ok(())
    }
}

/// Parameters of `labels.filter_size`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FilterSize {
    /// Smallest area that stays, in pixels.
    min: u64,
    /// Largest area that stays, in pixels; absent: no upper limit.
    max: Option<u64>,
    /// Number the remaining objects from 1 without gaps.
    relabel: bool,
}

impl Default for FilterSize {
    fn default() -> Self {
        Self {
            min: 0,
            max: None,
            relabel: true,
        }
    }
}

pub(super) static FILTER_SIZE: KindInfo = KindInfo {
    name: "labels.filter_size",
    version: 1,
    scope: Scope::ImageSet,
    about: "Removes objects smaller than `min` or larger than `max` pixels",
    inputs: IN,
    outputs: OUT,
    schema: schema_of::<FilterSize>,
    compile: image_kind::<FilterSize>,
};

impl ImageOperation for FilterSize {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let labels = io.labels("labels")?;
        let mut kept = analysis::components::keep_areas(
            labels.view(),
            self.min..=self.max.unwrap_or(u64::MAX),
        );
        if self.relabel {
            kept = analysis::components::relabel_sequential(kept.view()).0;
        }
        io.put("labels", Item::Labels(Arc::new(kept)));
        Ok(())
    }
}

/// Parameters of `labels.size_mask`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct SizeMask {
    /// Objects of fewer pixels are marked.
    min: u64,
    /// Objects of more pixels are marked.
    max: u64,
}

impl Default for SizeMask {
    fn default() -> Self {
        Self {
            min: 100,
            max: 25_000,
        }
    }
}

pub(super) static SIZE_MASK: KindInfo = KindInfo {
    name: "labels.size_mask",
    version: 1,
    scope: Scope::ImageSet,
    about: "Marks objects that are too small or too large (BatchLib's WriteCellSizeMasks)",
    inputs: IN,
    outputs: &[Port::one(
        "labels",
        Holds::Labels,
        "1 on objects of the wrong size, else 0",
    )],
    schema: schema_of::<SizeMask>,
    compile: image_kind::<SizeMask>,
};

impl ImageOperation for SizeMask {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let labels = io.labels("labels")?;
        let marked = analysis::labels::size_mask(labels.view(), self.min..=self.max);
        io.put("labels", Item::Labels(Arc::new(marked)));
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("WriteCellSizeMasks")
    }
}
