//! A plate in words and numbers.

use image_io::table::Table;
use report::summary::{MadeBy, Summary as Written};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::at_level;
use super::plate_view::{PlateView, check_format, check_tables, format_of};
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::plate_context::PlateIo;
use crate::port::{Holds, Port};

/// Parameters of `report.summary`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Summary {
    /// Columns of the well table to show, by name or with wildcards; each gets a heat map.
    columns: Vec<String>,
    /// Wells of the plate: 96, 384, 1536, … Not set: the smallest plate that has all wells.
    format: Option<u32>,
}

pub(super) static SUMMARY: KindInfo = KindInfo {
    name: "report.summary",
    version: 1,
    scope: Scope::Plate,
    about: "What became of the plate, as <plate>_summary.md, .html and .json (BatchLib SlackSummaryWriter)",
    inputs: &[
        Port::many(
            "tables",
            Holds::PlateTables,
            "image and well table: `default`, or `images/…` and `wells/…`",
        ),
        Port::many(
            "backgrounds",
            Holds::PlateTables,
            "backgrounds of the plate: outputs of background.extract and background.reference",
        )
        .optional()
        .unpaired(),
    ],
    outputs: &[],
    schema: schema_of::<Summary>,
    compile: plate_kind::<Summary>,
};

impl PlateOperation for Summary {
    fn check(&self, inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let mut problems = check_tables(inputs);
        problems.extend(check_format(self.format));
        problems
    }

    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let view = PlateView::read(io)?;
        let mut backgrounds: Vec<(String, Table)> = Vec::new();
        for name in io.names("backgrounds") {
            let name = at_level("plate", &name);
            let table = io.plate_table(&name)?;
            backgrounds.push((name, Table::clone(&table)));
        }
        let (workflow, version) = io.workflow();
        let made_by = MadeBy {
            workflow: workflow.to_owned(),
            workflow_version: version.to_owned(),
            program: concat!("wellspring ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let tables = view.tables(format_of(self.format));
        let summary = Written::new(&tables, made_by, &self.columns, &backgrounds);
        for column in &summary.absent_columns {
            tracing::warn!(
                plate = tables.plate,
                column,
                "the well table has no such column"
            );
        }
        summary.write(io.plate_dir())?;
        Ok(())
    }
}
