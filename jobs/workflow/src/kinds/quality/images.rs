//! Images with too few or too many cells, and those that a person marked.

use std::collections::BTreeMap;

use image_io::table::{Column, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tagged;
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::kinds::cells::{at_level, labels};
use crate::plate_context::PlateIo;
use crate::port::{Holds, Port};

/// Parameters of `qc.images`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Images {
    /// Images with fewer cells are outliers.
    min_cells: Option<u64>,
    /// Images with more cells are outliers.
    max_cells: Option<u64>,
    /// CSV file with images that a person judged: columns `filename` and `label` (1 outlier, 0 good, -1 not judged). `{plate}` in
    /// its name stands for the plate; a plate without a file has no judged images. Relative to the workflow file.
    manual_outliers: Option<String>,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            min_cells: Some(10),
            max_cells: Some(1000),
            manual_outliers: None,
        }
    }
}

pub(in super::super) static IMAGES: KindInfo = KindInfo {
    name: "qc.images",
    version: 1,
    scope: Scope::Plate,
    about: "Marks images with too few or too many cells, and those that a person marked (BatchLib ImageLevelQC)",
    inputs: &[Port::one(
        "table",
        Holds::Table,
        "object table with one row a cell",
    )],
    outputs: &[Port::one(
        "table",
        Holds::PlateTables,
        "images/<name>: image_name, site_name, is_outlier, outlier_type (`manual: <1|0|-1>; heuristic: <none|too few cells|too many cells>`)",
    )],
    schema: schema_of::<Images>,
    compile: plate_kind::<Images>,
};

impl PlateOperation for Images {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let tags = match &self.manual_outliers {
            Some(template) => tagged::read(&tagged::file_of(template, &io.plate_name()))?,
            None => BTreeMap::new(),
        };
        let name = io.names("table").remove(0);
        let (mut images, mut sites, mut outliers, mut types) = (vec![], vec![], vec![], vec![]);
        for member in io.members() {
            let image = member.image_name();
            let manual = tags.get(&image).copied().unwrap_or(-1);
            let heuristic = match io.failed(member) {
                Some(_) => "not processed",
                None => self.judge(labels(&io.object_table(member, &name)?, &name)?),
            };
            images.push(image);
            sites.push(member.name.clone());
            outliers.push(i64::from(manual == 1 || heuristic != "none"));
            types.push(format!("manual: {manual}; heuristic: {heuristic}"));
        }
        let output = at_level("images", io.output("table").unwrap_or("outliers"));
        io.put_table(
            &output,
            Table {
                columns: vec![
                    Column::text("image_name", images).hidden(),
                    Column::text("site_name", sites),
                    Column::int("is_outlier", outliers),
                    Column::text("outlier_type", types),
                ],
            },
        );
        Ok(())
    }

    fn outside(&self, plate: &str) -> BTreeMap<String, String> {
        let Some(template) = &self.manual_outliers else {
            return BTreeMap::new();
        };
        let path = tagged::file_of(template, plate);
        // A file that cannot be read is told when the job runs.
        let tags = tagged::read(&path).map_or_else(|e| e.message, |tags| format!("{tags:?}"));
        BTreeMap::from([("manual_outliers".to_owned(), tags)])
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("ImageLevelQC")
    }
}

impl Images {
    fn judge(&self, labels: Vec<i64>) -> &'static str {
        let cells = labels.into_iter().filter(|l| *l != 0).count() as u64;
        if self.min_cells.is_some_and(|min| cells < min) {
            "too few cells"
        } else if self.max_cells.is_some_and(|max| cells > max) {
            "too many cells"
        } else {
            "none"
        }
    }
}
