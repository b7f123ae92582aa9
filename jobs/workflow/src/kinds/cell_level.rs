//! The scores of a screen: image and well tables of how infected cells differ from control cells.

use std::collections::BTreeMap;

use analysis::cell_scores::{self, Population};
use analysis::statistics;
use image_io::table::{Column, Table, Values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cells::{at_level, channel_of, known, single};
use super::cells_of_image::{Cell, CellsOfImage};
use super::quality::verdicts;
use crate::error::{Failure, did_you_mean};
use crate::graph::{Bindings, Scope};
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::plate_context::{PlateIo, PlateMember};
use crate::port::{Holds, Port};

/// Parameters of `analyse.cell_level`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct CellLevel {
    /// Column that becomes `score`, except for outliers.
    score_name: String,
    /// Compute p-values: Welch's t-test beside comparisons of means, the rank-sum test beside those of medians. BatchLib's are always
    /// NaN; `false` reproduces that.
    p_values: bool,
}

impl Default for CellLevel {
    fn default() -> Self {
        Self {
            score_name: "serum_ratio_of_q0.5_of_means".to_owned(),
            p_values: true,
        }
    }
}

pub(super) static CELL_LEVEL: KindInfo = KindInfo {
    name: "analyse.cell_level",
    version: 1,
    scope: Scope::Plate,
    about: "Scores of each image and well: how infected cells differ from control cells in the serum and marker channels (BatchLib CellLevelAnalysis)",
    inputs: &[
        Port::one(
            "serum",
            Holds::Table,
            "features of the cells in the serum channel",
        ),
        Port::one(
            "marker",
            Holds::Table,
            "features of the cells in the marker channel",
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
        Port::one(
            "marker_background",
            Holds::PlateTables,
            "plate table with the background of the marker channel",
        ),
        Port::one("cell_outliers", Holds::Table, "outlier cells (qc.cells)").optional(),
        Port::one(
            "image_outliers",
            Holds::PlateTables,
            "outlier images (qc.images)",
        )
        .optional(),
        Port::one(
            "well_outliers",
            Holds::PlateTables,
            "outlier wells (qc.wells)",
        )
        .optional(),
    ],
    outputs: &[
        Port::one(
            "images",
            Holds::PlateTables,
            "one row an image; BatchLib calls it images/<serum channel>",
        ),
        Port::one("wells", Holds::PlateTables, "one row a well"),
    ],
    schema: schema_of::<CellLevel>,
    compile: plate_kind::<CellLevel>,
};

/// The cells of an image or of a well, outliers left out.
#[derive(Default)]
struct Pool {
    serum: Vec<Cell>,
    marker: Vec<Cell>,
    outlier_cells: usize,
}

/// What is known of a well while its images are read.
#[derive(Default)]
struct Well {
    pool: Pool,
    good_images: usize,
    outlier_images: usize,
}

/// One row: its cells, and the verdict of quality control.
struct Row {
    keys: Vec<Cellular>,
    /// `None` where nothing could be computed.
    scores: Option<Vec<(String, f64)>>,
    outlier: bool,
}

/// A cell of a table, before the columns are known to be whole.
enum Cellular {
    Text(String),
    Int(i64),
    Float(f64),
}

impl PlateOperation for CellLevel {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let inputs = Inputs::new(io)?;
        let image_verdicts = outliers_of(io, "image_outliers", "images", "site_name")?;
        let well_verdicts = outliers_of(io, "well_outliers", "wells", "well_name")?;
        let mut wells: BTreeMap<plate::WellName, Well> = BTreeMap::new();
        let mut images = Vec::new();
        for member in io.members() {
            let well = wells.entry(member.well).or_default();
            let verdict = image_verdicts.get(&member.name).cloned();
            let pool = match io.failed(member) {
                None => Some(inputs.cells(io, member)?),
                Some(_) => None,
            };
            let (outlier, reason) = match (&pool, verdict) {
                (_, Some(verdict)) => verdict,
                (Some(_), None) => (false, "none".to_owned()),
                (None, None) => (true, "not processed".to_owned()),
            };
            let keys = vec![
                Cellular::Text(member.image_name()),
                Cellular::Text(member.name.clone()),
                Cellular::Int(i64::from(outlier)),
                Cellular::Text(reason),
                #[allow(clippy::cast_precision_loss)]
                Cellular::Float(
                    pool.as_ref()
                        .map_or(f64::NAN, |pool| pool.outlier_cells as f64),
                ),
            ];
            images.push(Row {
                keys,
                scores: pool.as_ref().map(|pool| self.scores(pool)),
                outlier,
            });
            match pool {
                Some(pool) if !outlier => {
                    well.good_images += 1;
                    well.pool.add(pool);
                }
                _ => well.outlier_images += 1,
            }
        }
        let rows = wells
            .into_iter()
            .map(|(name, well)| self.well_row(&name.to_string(), &well, &well_verdicts))
            .collect();
        let output =
            |io: &PlateIo<'_>, port: &str| at_level(port, io.output(port).unwrap_or("scores"));
        let keys = [
            "image_name",
            "site_name",
            "is_outlier",
            "outlier_type",
            "n_outlier_cells",
        ];
        let mut table = self.table(&keys, images);
        table.columns[0].visible = false;
        io.put_table(&output(io, "images"), table);
        let keys = [
            "well_name",
            "n_outlier_images",
            "n_outlier_cells",
            "is_outlier",
            "outlier_type",
        ];
        io.put_table(&output(io, "wells"), self.table(&keys, rows));
        Ok(())
    }

    fn check(&self, _inputs: &Bindings, _outputs: &Bindings) -> Vec<String> {
        let names = self.scores(&Pool::default());
        if names.iter().any(|(name, _)| *name == self.score_name) {
            Vec::new()
        } else {
            let known = names.iter().map(|(name, _)| name.as_str());
            let meant = did_you_mean(&self.score_name, known);
            vec![format!("there is no score `{}`{meant}", self.score_name)]
        }
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("CellLevelAnalysis")
    }
}

/// The verdicts of a quality table, if one is bound.
fn outliers_of(
    io: &PlateIo<'_>,
    port: &str,
    level: &str,
    key: &str,
) -> Result<BTreeMap<String, (bool, String)>, Failure> {
    match io.names(port).first() {
        Some(name) => {
            let name = at_level(level, name);
            verdicts(&*io.plate_table(&name)?, &name, key)
        }
        None => Ok(BTreeMap::new()),
    }
}

/// Names of the object tables, and the backgrounds.
struct Inputs {
    serum: String,
    marker: String,
    classification: String,
    cell_outliers: Option<String>,
    serum_background: f64,
    marker_background: f64,
}

impl Inputs {
    fn new(io: &PlateIo<'_>) -> Result<Self, Failure> {
        let name = |port: &str| io.names(port).into_iter().next();
        let table = |port: &str| name(port).unwrap_or_default();
        let background = |port: &str, features: &str| {
            let name = at_level("plate", &table(port));
            let column = format!("{}_median", channel_of(features));
            let value = single(&io.plate_table(&name)?, &name, &column)?;
            known(value, &name, &column)
        };
        let (serum, marker) = (table("serum"), table("marker"));
        Ok(Self {
            serum_background: background("serum_background", &serum)?,
            marker_background: background("marker_background", &marker)?,
            serum,
            marker,
            classification: table("classification"),
            cell_outliers: name("cell_outliers"),
        })
    }

    fn cells(&self, io: &PlateIo<'_>, member: &PlateMember) -> Result<Pool, Failure> {
        let outliers = self.cell_outliers.as_deref();
        let cells = CellsOfImage::read(io, member, &self.classification, outliers)?;
        let inliers = |features: &str, background: f64| -> Result<Vec<Cell>, Failure> {
            let mut all = cells.features(io, member, features, background)?;
            all.retain(|cell| !cell.outlier);
            Ok(all)
        };
        Ok(Pool {
            serum: inliers(&self.serum, self.serum_background)?,
            marker: inliers(&self.marker, self.marker_background)?,
            outlier_cells: cells.outliers(),
        })
    }
}

impl Pool {
    fn add(&mut self, mut other: Self) {
        self.serum.append(&mut other.serum);
        self.marker.append(&mut other.marker);
        self.outlier_cells += other.outlier_cells;
    }
}

/// The cells of one kind as samples.
fn population(cells: &[Cell], is: impl Fn(&Cell) -> bool) -> Population {
    let chosen: Vec<&Cell> = cells.iter().filter(|c| is(c)).collect();
    Population::new(
        chosen.iter().map(|c| c.sum).collect(),
        chosen.iter().map(|c| c.mean).collect(),
        chosen.iter().map(|c| c.size).collect(),
    )
}

impl CellLevel {
    /// All columns of a row but its keys; `score` comes later, because outliers have none.
    fn scores(&self, pool: &Pool) -> Vec<(String, f64)> {
        let tests = self.p_values.then_some(cell_scores::Tests {
            of_means: |a, b| statistics::welch_t_test(a, b).p_value,
            of_medians: |a, b| statistics::rank_sum(a, b).p_value,
        });
        let (is_infected, is_control) = (|c: &Cell| c.infected, |c: &Cell| c.control);
        let mut out = Vec::with_capacity(160);
        for (channel, cells) in [("serum", &pool.serum), ("marker", &pool.marker)] {
            out.extend(cell_scores::columns(
                channel,
                &population(cells, is_infected),
                &population(cells, is_control),
                tests,
            ));
        }
        let infected = population(&pool.serum, is_infected);
        let control = population(&pool.serum, is_control);
        #[allow(clippy::cast_precision_loss)]
        let (i, c) = (infected.len() as f64, control.len() as f64);
        // 0 / 0 is NaN: an image without cells has no fraction.
        out.extend(
            [
                ("n_infected", i),
                ("n_control", c),
                ("n_cells", i + c),
                ("fraction_infected", i / (i + c)),
                ("cell_size_median_infected", infected.median_size()),
                ("cell_size_mean_infected", infected.mean_size()),
                ("cell_size_median_control", control.median_size()),
                ("cell_size_mean_control", control.mean_size()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        out
    }

    #[allow(clippy::cast_precision_loss)]
    fn well_row(
        &self,
        name: &str,
        well: &Well,
        verdicts: &BTreeMap<String, (bool, String)>,
    ) -> Row {
        let (counts, outlier, reason, scores) = if well.good_images == 0 {
            let unknown = (f64::NAN, f64::NAN);
            (unknown, true, "all images are outliers".to_owned(), None)
        } else {
            let (outlier, reason) = verdicts
                .get(name)
                .cloned()
                .unwrap_or((false, "none".to_owned()));
            let counts = (well.outlier_images as f64, well.pool.outlier_cells as f64);
            (counts, outlier, reason, Some(self.scores(&well.pool)))
        };
        Row {
            keys: vec![
                Cellular::Text(name.to_owned()),
                Cellular::Float(counts.0),
                Cellular::Float(counts.1),
                Cellular::Int(i64::from(outlier)),
                Cellular::Text(reason),
            ],
            scores,
            outlier,
        }
    }

    fn table(&self, keys: &[&str], rows: Vec<Row>) -> Table {
        let names: Vec<String> = self
            .scores(&Pool::default())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let values = |at: usize| -> Vec<f64> {
            rows.iter()
                .map(|row| row.scores.as_ref().map_or(f64::NAN, |s| s[at].1))
                .collect()
        };
        let mut scores: Vec<Column> = Vec::with_capacity(names.len() + 1);
        for (at, name) in names.iter().enumerate() {
            if name == "n_infected" {
                let score = names.iter().position(|n| *n == self.score_name);
                let of_row = |row: &Row| match (&row.scores, score) {
                    (Some(scores), Some(at)) if !row.outlier => scores[at].1,
                    _ => f64::NAN,
                };
                scores.push(Column::float("score", rows.iter().map(of_row).collect()));
            }
            let all = values(at);
            let column = if name.starts_with("n_") && all.iter().all(|v| !v.is_nan()) {
                #[allow(clippy::cast_possible_truncation)]
                Column::int(name.clone(), all.into_iter().map(|v| v as i64).collect())
            } else {
                Column::float(name.clone(), all)
            };
            scores.push(column);
        }
        let mut columns: Vec<Column> = Vec::new();
        let mut cells: Vec<_> = rows.into_iter().map(|row| row.keys.into_iter()).collect();
        for key in keys {
            let column = cells.iter_mut().filter_map(Iterator::next).collect();
            columns.push(key_column(key, column));
        }
        columns.extend(scores);
        Table { columns }
    }
}

/// A column of the type of its cells; counts are whole numbers where all are known.
fn key_column(name: &str, cells: Vec<Cellular>) -> Column {
    let mut values = Values::Int(Vec::new());
    for cell in cells {
        match (cell, &mut values) {
            (Cellular::Int(v), Values::Int(all)) => all.push(v),
            (Cellular::Float(v), Values::Float(all)) => all.push(v),
            (Cellular::Text(v), Values::Text(all)) => all.push(v),
            (Cellular::Float(v), other) => *other = Values::Float(vec![v]),
            (Cellular::Text(v), other) => *other = Values::Text(vec![v]),
            (Cellular::Int(_), _) => {}
        }
    }
    Column {
        name: name.to_owned(),
        values,
        visible: true,
    }
}
