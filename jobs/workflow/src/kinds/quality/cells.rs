//! Cells that are too small or too large.

use std::collections::BTreeMap;

use image_io::table::{Column, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::JobIo;
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::kinds::cells::{labels, numbers};
use crate::port::{Holds, Port};

/// Parameters of `qc.cells`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Cells {
    /// Cells of fewer pixels are outliers.
    min_cell_size: Option<u64>,
    /// Cells of more pixels are outliers.
    max_cell_size: Option<u64>,
    /// Cells whose nucleus, the object of the same number, has fewer pixels are outliers; needs input `nuclei`.
    min_nucleus_size: Option<u64>,
    /// Cells whose nucleus has more pixels are outliers; needs input `nuclei`.
    max_nucleus_size: Option<u64>,
    /// Judge the background (label 0) like a cell, as BatchLib does: it then counts among `n_outlier_cells` where it is large.
    judge_background: bool,
}

impl Default for Cells {
    fn default() -> Self {
        Self {
            min_cell_size: Some(250),
            max_cell_size: Some(12_500),
            min_nucleus_size: None,
            max_nucleus_size: None,
            judge_background: false,
        }
    }
}

pub(in super::super) static CELLS: KindInfo = KindInfo {
    name: "qc.cells",
    version: 1,
    scope: Scope::ImageSet,
    about: "Marks cells that are too small or too large, themselves or by their nucleus (BatchLib CellLevelQC)",
    inputs: &[
        Port::one(
            "table",
            Holds::Table,
            "object table with `sizes` (measure.instances) or `area`",
        ),
        Port::one(
            "nuclei",
            Holds::Labels,
            "the nuclei, numbered as their cells: the seeds of the cells",
        )
        .optional(),
    ],
    outputs: &[Port::one(
        "table",
        Holds::Table,
        "label_id, is_outlier, outlier_type (none, too_small, too_large; with limits for nuclei `cell:…,nucleus:…`)",
    )],
    schema: schema_of::<Cells>,
    compile: image_kind::<Cells>,
};

impl Cells {
    fn judges_nuclei(&self) -> bool {
        self.min_nucleus_size.is_some() || self.max_nucleus_size.is_some()
    }
}

/// The verdict on one size.
fn judge(size: f64, min: Option<u64>, max: Option<u64>) -> &'static str {
    #[allow(clippy::cast_precision_loss)]
    if min.is_some_and(|min| size < min as f64) {
        "too_small"
    } else if max.is_some_and(|max| size > max as f64) {
        "too_large"
    } else {
        "none"
    }
}

impl ImageOperation for Cells {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let name = io.names("table").remove(0);
        let table = io.table("table")?;
        let labels = labels(&table, &name)?;
        let column = if table.column("sizes").is_some() {
            "sizes"
        } else {
            "area"
        };
        let sizes = numbers(&table, &name, column)?;
        let nuclei = if self.judges_nuclei() {
            Some(pixels_of_nuclei(io)?)
        } else {
            None
        };
        let mut types = Vec::with_capacity(labels.len());
        let mut outliers = Vec::with_capacity(labels.len());
        for (label, size) in labels.iter().zip(sizes) {
            let background = *label == 0 && !self.judge_background;
            let cell = if background {
                "none"
            } else {
                judge(size, self.min_cell_size, self.max_cell_size)
            };
            let (kind, outlier) = match &nuclei {
                None => (cell.to_owned(), cell != "none"),
                Some(nuclei) => {
                    let nucleus = if background {
                        "none"
                    } else {
                        let size = nuclei.get(label).copied().unwrap_or(0.0);
                        judge(size, self.min_nucleus_size, self.max_nucleus_size)
                    };
                    (
                        format!("cell:{cell},nucleus:{nucleus}"),
                        cell != "none" || nucleus != "none",
                    )
                }
            };
            types.push(kind);
            outliers.push(i64::from(outlier));
        }
        io.put_table(
            "table",
            Table {
                columns: vec![
                    Column::int("label_id", labels),
                    Column::int("is_outlier", outliers),
                    Column::text("outlier_type", types),
                ],
            },
        );
        Ok(())
    }

    fn check(&self, inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        if self.judges_nuclei() && !inputs.contains_key("nuclei") {
            vec!["min_nucleus_size and max_nucleus_size need input `nuclei`".to_owned()]
        } else {
            Vec::new()
        }
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("CellLevelQC")
    }
}

/// Number of pixels of each nucleus, by its label.
fn pixels_of_nuclei(io: &mut JobIo<'_>) -> Result<BTreeMap<i64, f64>, Failure> {
    let mut counts: BTreeMap<i64, f64> = BTreeMap::new();
    for label in io.labels("nuclei")?.iter() {
        *counts.entry(i64::from(*label)).or_default() += 1.0;
    }
    Ok(counts)
}
