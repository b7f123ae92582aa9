//! Image, well and plate tables.

use std::collections::{BTreeMap, BTreeSet};

use image_io::table::{Column, Table, Values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{KindInfo, PlateOperation, plate_kind, schema_of};
use crate::plate_context::PlateIo;
use crate::port::{Holds, Port};

/// Parameters of `summarise.objects`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Objects {}

pub(super) static OBJECTS: KindInfo = KindInfo {
    name: "summarise.objects",
    version: 1,
    scope: Scope::Plate,
    about: "Image, well and plate tables: number of objects, and mean and median over objects of each numeric column",
    inputs: &[Port::many("tables", Holds::Table, "object tables")],
    outputs: &[Port::one(
        "tables",
        Holds::PlateTables,
        "name of the tables: images/<name>, wells/<name>, plate/<name> in <plate>_table.hdf5; PlateViewer shows `default`",
    )],
    schema: schema_of::<Objects>,
    compile: plate_kind::<Objects>,
};

/// Pooled values of the objects of one site, well or plate: by column name, in first-seen order.
#[derive(Default)]
struct Pool {
    counts: Vec<f64>,
    values: Vec<Vec<f64>>,
    images: i64,
    failed: i64,
}

impl PlateOperation for Objects {
    fn run(&self, io: &mut PlateIo<'_>) -> Result<(), Failure> {
        let names = io.names("tables");
        let mut columns: Vec<String> = Vec::new();
        let mut sites = Vec::new();
        let mut wells: BTreeMap<plate::WellName, Pool> = BTreeMap::new();
        let mut whole = Pool::default();
        for member in io.members() {
            let mut pool = Pool {
                images: 1,
                failed: i64::from(io.failed(member).is_some()),
                counts: vec![f64::NAN; names.len()],
                values: Vec::new(),
            };
            if io.failed(member).is_none() {
                for (i, name) in names.iter().enumerate() {
                    let table = io.object_table(member, name)?;
                    let prefix = if names.len() > 1 {
                        format!("{name}_")
                    } else {
                        String::new()
                    };
                    pool.read(i, &prefix, &table, &mut columns);
                }
            }
            wells.entry(member.well).or_default().add(&pool);
            whole.add(&pool);
            sites.push((member.name.clone(), io.failed(member).is_some(), pool));
        }
        let output = io.output("tables").unwrap_or("default").to_owned();
        let (key, failed) = (
            text("site_name", sites.iter().map(|s| s.0.clone())),
            ints("is_outlier", sites.iter().map(|s| i64::from(s.1))),
        );
        let images = summary(
            vec![key, failed],
            sites.iter().map(|s| &s.2),
            &names,
            &columns,
        );
        let keys = vec![
            text("well_name", wells.keys().map(ToString::to_string)),
            ints("n_images", wells.values().map(|p| p.images)),
            ints("n_failed_images", wells.values().map(|p| p.failed)),
            ints(
                "is_outlier",
                wells.values().map(|p| i64::from(p.failed == p.images)),
            ),
        ];
        let well_table = summary(keys, wells.values(), &names, &columns);
        let plate_name = io.plate_name();
        let keys = vec![
            text("plate_name", [plate_name]),
            ints("n_images", [whole.images]),
            ints("n_failed_images", [whole.failed]),
        ];
        let plate_table = summary(keys, [&whole], &names, &columns);
        io.put_table(&format!("images/{output}"), images);
        io.put_table(&format!("wells/{output}"), well_table);
        io.put_table(&format!("plate/{output}"), plate_table);
        Ok(())
    }
}

impl Pool {
    #[allow(clippy::cast_precision_loss)]
    fn read(&mut self, index: usize, prefix: &str, table: &Table, columns: &mut Vec<String>) {
        let skip: BTreeSet<&str> = [
            "label_id",
            "bbox_min_y",
            "bbox_min_x",
            "bbox_max_y",
            "bbox_max_x",
            "centroid_y",
            "centroid_x",
        ]
        .into();
        let rows = table.columns.first().map_or(0, |c| match &c.values {
            Values::Int(v) => v.len(),
            Values::Float(v) => v.len(),
            Values::Text(v) => v.len(),
        });
        self.counts[index] = rows as f64;
        for column in table
            .columns
            .iter()
            .filter(|c| !skip.contains(c.name.as_str()))
        {
            let numbers: Vec<f64> = match &column.values {
                Values::Int(v) => v.iter().map(|&x| x as f64).collect(),
                Values::Float(v) => v.clone(),
                Values::Text(_) => continue,
            };
            let name = format!("{prefix}{}", column.name);
            let at = columns.iter().position(|c| *c == name).unwrap_or_else(|| {
                columns.push(name);
                columns.len() - 1
            });
            if self.values.len() <= at {
                self.values.resize(at + 1, Vec::new());
            }
            self.values[at].extend(numbers.into_iter().filter(|v| !v.is_nan()));
        }
    }

    fn add(&mut self, other: &Self) {
        self.images += other.images;
        self.failed += other.failed;
        if self.counts.is_empty() {
            self.counts = vec![f64::NAN; other.counts.len()];
        }
        for (sum, n) in self.counts.iter_mut().zip(&other.counts) {
            // A failed image adds nothing; a sum of failed images only stays unknown.
            if !n.is_nan() {
                *sum = if sum.is_nan() { *n } else { *sum + n };
            }
        }
        if self.values.len() < other.values.len() {
            self.values.resize(other.values.len(), Vec::new());
        }
        for (all, some) in self.values.iter_mut().zip(&other.values) {
            all.extend_from_slice(some);
        }
    }
}

/// Key columns, then counts, then `<column>_mean` and `<column>_median`.
fn summary<'a>(
    mut keys: Vec<Column>,
    pools: impl IntoIterator<Item = &'a Pool>,
    tables: &[String],
    columns: &[String],
) -> Table {
    let pools: Vec<&Pool> = pools.into_iter().collect();
    for (i, table) in tables.iter().enumerate() {
        let name = if tables.len() == 1 {
            "n_objects".to_owned()
        } else {
            format!("n_{table}")
        };
        keys.push(floats(
            &name,
            pools
                .iter()
                .map(|p| p.counts.get(i).copied().unwrap_or(f64::NAN)),
        ));
    }
    for (i, column) in columns.iter().enumerate() {
        let values = |p: &&Pool| p.values.get(i).cloned().unwrap_or_default();
        keys.push(floats(
            &format!("{column}_mean"),
            pools.iter().map(|p| mean(&values(p))),
        ));
        keys.push(floats(
            &format!("{column}_median"),
            pools.iter().map(|p| median(values(p))),
        ));
    }
    Table { columns: keys }
}

#[allow(clippy::cast_precision_loss)]
fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        f64::NAN
    } else {
        values.iter().sum::<f64>() / values.len() as f64
    }
}

/// Median of numbers without NaN; the mean of the two middle ones where their count is even, as NumPy's.
fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 {
        values[half]
    } else {
        f64::midpoint(values[half - 1], values[half])
    }
}

fn text(name: &str, values: impl IntoIterator<Item = String>) -> Column {
    Column {
        name: name.to_owned(),
        values: Values::Text(values.into_iter().collect()),
        visible: true,
    }
}

fn ints(name: &str, values: impl IntoIterator<Item = i64>) -> Column {
    Column {
        name: name.to_owned(),
        values: Values::Int(values.into_iter().collect()),
        visible: true,
    }
}

fn floats(name: &str, values: impl IntoIterator<Item = f64>) -> Column {
    Column {
        name: name.to_owned(),
        values: Values::Float(values.into_iter().collect()),
        visible: true,
    }
}
