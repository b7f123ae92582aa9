//! Images that show what the analysis made of each cell.

use std::collections::BTreeMap;
use std::sync::Arc;

use image_io::Pixels;
use ndarray::{Array2, Zip};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::{at_level, by_label, channel_of, known, labels, numbers, single, texts};
use crate::context::{Item, JobIo, Look};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `analyse.summary_images`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct SummaryImages {
    /// Read the tables row by row as BatchLib does: where there is a row for the background, each cell gets the mean of the row before
    /// its own; where there is none, the first cell counts neither as infected nor as outlier.
    batchlib_rows: bool,
}

pub(super) static SUMMARY_IMAGES: KindInfo = KindInfo {
    name: "analyse.summary_images",
    version: 1,
    scope: Scope::ImageSet,
    about: "Infected cells, outlier cells, edges and mean serum intensity as images, and scores as attributes of the container (BatchLib CellLevelAnalysis, write_summary_images)",
    inputs: &[
        Port::one("labels", Holds::Labels, "the cells"),
        Port::one(
            "serum",
            Holds::Table,
            "features of the cells in the serum channel",
        ),
        Port::one(
            "classification",
            Holds::Table,
            "which cells are infected (classify.infected)",
        ),
        Port::one(
            "serum_background",
            Holds::PlateTables,
            "plate table with the background of the serum channel",
        ),
        Port::one("cell_outliers", Holds::Table, "outlier cells (qc.cells)").optional(),
        Port::many(
            "image_scores",
            Holds::PlateTables,
            "image tables of analyse.cell_level: their scores become the attribute ImageInformation, which PlateViewer shows",
        )
        .optional(),
        Port::many(
            "well_scores",
            Holds::PlateTables,
            "well tables of analyse.cell_level, for the attribute WellInformation",
        )
        .optional(),
    ],
    outputs: &[
        Port::one(
            "infected",
            Holds::Labels,
            "1 infected, 2 edges, 3 outlier cells",
        ),
        Port::one("outliers", Holds::Labels, "1 outlier cells, 2 edges").optional(),
        Port::one("edges", Holds::Mask, "edges of cells").optional(),
        Port::one(
            "means",
            Holds::Image,
            "mean serum intensity above the background in each cell, float32",
        )
        .optional(),
    ],
    schema: schema_of::<SummaryImages>,
    compile: image_kind::<SummaryImages>,
};

impl ImageOperation for SummaryImages {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let cells = io.labels("labels")?;
        let edges = analysis::labels::edges(cells.view());
        let marked = |io: &mut JobIo<'_>, port: &str, column: &str| -> Result<_, Failure> {
            let Some(name) = io.names(port).into_iter().next() else {
                return Ok(BTreeMap::new());
            };
            by_label(&*io.table_named(&name)?, &name, column)
        };
        let infected = marked(io, "classification", "is_infected")?;
        let outliers = marked(io, "cell_outliers", "is_outlier")?;
        let is = |of: &BTreeMap<i64, f64>, label: u32| {
            label != 0 && of.get(&i64::from(label)).is_some_and(|v| *v > 0.5)
        };
        let mut infected_mask = Array2::<u32>::zeros(cells.dim());
        let mut outlier_mask = Array2::<u32>::zeros(cells.dim());
        // By label, not by pixel: a look into a map is dear.
        let most = cells.iter().copied().max().unwrap_or(0) as usize;
        let of_label = |label: usize| {
            let label = label as u32;
            let outlier = is(&outliers, label);
            match (outlier, is(&infected, label)) {
                (true, _) => (3, 1),
                (false, true) => (1, 0),
                (false, false) => (0, 0),
            }
        };
        let mut values: Vec<(u32, u32)> = (0..=most).map(of_label).collect();
        if self.batchlib_rows
            && let Some(first) = infected.keys().next().filter(|label| **label != 0)
            && let Some(value) = usize::try_from(*first).ok().and_then(|l| values.get_mut(l))
        {
            *value = (0, 0);
        }
        Zip::from(&mut infected_mask)
            .and(&mut outlier_mask)
            .and(&*cells)
            .and(&edges)
            .for_each(|infected, outlier, label, edge| {
                (*infected, *outlier) = if *edge {
                    (2, 2)
                } else {
                    values[*label as usize]
                };
            });
        io.put("infected", Item::Labels(Arc::new(infected_mask)));
        io.put("outliers", Item::Labels(Arc::new(outlier_mask)));
        io.put("edges", Item::Mask(Arc::new(edges)));
        if let Some(output) = io.output_names("means").into_iter().next() {
            let means = self.means(io, &cells, most)?;
            io.put("means", Item::Image(Arc::new(Pixels::F32(means))));
            io.set_look(
                &output,
                Look {
                    like: None,
                    nearest: true,
                },
            );
        }
        let (site, well) = (io.set_name().to_owned(), io.well_name().to_owned());
        for (attribute, port, level, key, row) in [
            (
                "ImageInformation",
                "image_scores",
                "images",
                "site_name",
                site,
            ),
            ("WellInformation", "well_scores", "wells", "well_name", well),
        ] {
            // BatchLib puts the newest in front.
            let tables = io.names(port).into_iter().rev();
            let all: Vec<String> = tables
                .map(|name| score_of(io, &at_level(level, &name), key, &row))
                .collect::<Result<_, _>>()?;
            if !all.is_empty() {
                io.set_attribute(attribute, all.join("; "));
            }
        }
        Ok(())
    }
}

impl SummaryImages {
    #[allow(clippy::cast_possible_truncation)]
    fn means(
        &self,
        io: &mut JobIo<'_>,
        cells: &Array2<u32>,
        most: usize,
    ) -> Result<Array2<f32>, Failure> {
        let name = io.names("serum").remove(0);
        let plate = at_level("plate", &io.names("serum_background").remove(0));
        let column = format!("{}_median", channel_of(&name));
        let background = known(
            single(&io.plate_table(&plate)?, &plate, &column)?,
            &plate,
            &column,
        )?;
        let table = io.table("serum")?;
        let mut means = numbers(&table, &name, "means")?;
        let mut labels = labels(&table, &name)?;
        if self.batchlib_rows && labels.first() == Some(&0) {
            labels.remove(0);
            means.pop();
        }
        let mut of_label = vec![0.0f32; most + 1];
        for (label, mean) in labels.into_iter().zip(means) {
            let at = usize::try_from(label).ok().filter(|l| *l > 0);
            if let Some(value) = at.and_then(|l| of_label.get_mut(l)) {
                *value = (mean - background) as f32;
            }
        }
        Ok(cells.mapv(|label| of_label[label as usize]))
    }
}

/// The score of one row, as text.
fn score_of(io: &JobIo<'_>, table: &str, key: &str, row: &str) -> Result<String, Failure> {
    let scores = io.plate_table(table)?;
    let keys = texts(&scores, table, key)?;
    let values = numbers(&scores, table, "score")?;
    let value = keys.iter().position(|k| k == row).map(|at| values[at]);
    Ok(image_io::table::float_text(value.unwrap_or(f64::NAN)))
}
