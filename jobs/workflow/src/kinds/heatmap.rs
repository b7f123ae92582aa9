//! Pictures of a plate.

use image_io::publish::write_bytes_atomically;
use image_io::table::Table;
use report::{Colors, PlateTables, Range, Scale, Style};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plate_view::{PlateView, check_format, check_tables, folder, format_of};
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::plate_context::PlateIo;
use crate::port::{Holds, Port};

/// Which pictures are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Styles {
    /// A disc a well.
    PerWell,
    /// Wedges, one an image, with their median in the middle.
    PerImage,
    /// One picture of each.
    #[default]
    Both,
}

/// Parameters of `report.heatmap`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct HeatMap {
    /// Columns to draw, by name or with wildcards: `IgG_*ratio_of_q0.5_of_means`.
    columns: Vec<String>,
    /// `per_well`, `per_image` or `both`.
    style: Styles,
    /// Wells of the plate: 96, 384, 1536, … Not set: the smallest plate that has all wells.
    format: Option<u32>,
    /// `[lo, hi]`; BatchLib's four thresholds, for example `[0.9, 1.3, 1.3, 2.0]`: negative to the second, doubtful to the third, positive
    /// to the fourth; or `{ percentiles = [2, 98] }` of what is no outlier.
    range: Range,
    /// `auto`: diverging for columns with `z_score` in their name, else viridis. `viridis`, `diverging`. Thresholds have colours of
    /// their own.
    colors: Colors,
}

pub(super) static HEATMAP: KindInfo = KindInfo {
    name: "report.heatmap",
    version: 1,
    scope: Scope::Plate,
    about: "Heat maps of the plate as SVG and PNG, one disc a well or one wedge an image (BatchLib's plots)",
    inputs: &[Port::many(
        "tables",
        Holds::PlateTables,
        "image and well table to draw: `default`, or `images/…` and `wells/…`",
    )],
    outputs: &[],
    schema: schema_of::<HeatMap>,
    compile: plate_kind::<HeatMap>,
};

impl PlateOperation for HeatMap {
    fn check(&self, inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let mut problems = check_tables(inputs);
        problems.extend(check_format(self.format));
        if self.columns.is_empty() {
            problems.push("`columns` is empty: name the columns to draw".to_owned());
        }
        problems
    }

    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let view = PlateView::read(io)?;
        let tables = view.tables(format_of(self.format));
        let styles: &[Style] = match self.style {
            Styles::PerWell => &[Style::PerWell],
            Styles::PerImage => &[Style::PerImage],
            Styles::Both => &[Style::PerWell, Style::PerImage],
        };
        let of = |style: Style| match style {
            Style::PerWell => tables.wells,
            Style::PerImage => tables.images,
        };
        let shown: Vec<&Table> = styles.iter().filter_map(|s| of(*s)).collect();
        let wanted = report::wanted_columns(&self.columns, &shown);
        for pattern in &wanted.empty {
            tracing::warn!(plate = %io.plate_name(), columns = pattern, "no column fits; nothing is drawn for it");
        }
        let plots = folder(io, "plots")?;
        for column in wanted.columns.iter().chain(&wanted.absent) {
            if wanted.absent.contains(column) {
                tracing::warn!(plate = %io.plate_name(), column, "the tables have no such column; the picture says so");
            }
            for style in styles {
                // A column that only the other table has is no mistake: it has a picture, there.
                let known = of(*style).is_some_and(|t| t.column(column).is_some());
                if known || wanted.absent.contains(column) || styles.len() == 1 {
                    self.draw(&tables, column, *style, &plots)?;
                }
            }
        }
        Ok(())
    }
}

impl HeatMap {
    fn draw(
        &self,
        tables: &PlateTables<'_>,
        column: &str,
        style: Style,
        folder: &std::path::Path,
    ) -> Result<(), Failure> {
        let scale = Scale {
            range: self.range,
            colors: self.colors,
        };
        let map = tables.heat_map(column, style, scale);
        for note in &map.notes {
            tracing::warn!(plate = tables.plate, column, note, "heat map");
        }
        let stem = report::picture_stem(&map);
        let svg = report::heatmap(&map);
        write_bytes_atomically(&folder.join(format!("{stem}.svg")), svg.as_bytes())?;
        let png = report::heatmap_png(&map);
        write_bytes_atomically(&folder.join(format!("{stem}.png")), &png)?;
        Ok(())
    }
}
