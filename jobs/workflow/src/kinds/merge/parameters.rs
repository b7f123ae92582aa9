//! The parameters that the scores of a plate depend on, read from the jobs that the scores come from.

use image_io::table::{Column, Table};
use serde_json::Value;

use crate::graph::Job;
use crate::plate_context::PlateIo;

/// Job kind, parameter, and the column's name, which is BatchLib's.
const REPORTED: [(&str, &str, &str); 17] = [
    ("filter.opening", "radius", "marker_denoise_radius"),
    (
        "classify.infected",
        "threshold",
        "infected_detection_threshold",
    ),
    (
        "labels.erode",
        "radius",
        "infected_detection_erosion_radius",
    ),
    (
        "classify.infected",
        "split_statistic",
        "infected_detection_quantile",
    ),
    (
        "classify.infected",
        "scale_with_mad",
        "scale_infected_detection_with_mad",
    ),
    ("qc.cells", "max_cell_size", "qc_cells_max_cell_size"),
    ("qc.cells", "min_cell_size", "qc_cells_min_cell_size"),
    ("qc.cells", "min_nucleus_size", "qc_cells_min_nucleus_size"),
    ("qc.cells", "max_nucleus_size", "qc_cells_max_nucleus_size"),
    ("qc.images", "max_cells", "qc_images_max_number_cells"),
    ("qc.images", "min_cells", "qc_images_min_number_cells"),
    (
        "qc.wells",
        "min_control_cells",
        "qc_wells_min_number_control_cells",
    ),
    (
        "qc.wells",
        "min_infected_cells",
        "qc_wells_min_number_infected_cells",
    ),
    ("qc.wells", "check_ratios", "qc_wells_check_ratios"),
    (
        "qc.wells",
        "min_infected_intensity",
        "qc_wells_min_infected_intensity",
    ),
    (
        "qc.wells",
        "min_infected_mads",
        "qc_wells_min_infected_mads",
    ),
    ("analyse.cell_level", "score_name", "score_name"),
];

/// Zero where a workflow does without the job: BatchLib's way to say "not done".
const NOT_DONE: [&str; 2] = ["filter.opening", "labels.erode"];

/// One row. Where jobs of one kind have different values (one for each serum channel), the later ones get columns of their own,
/// `<column>.<job>`.
pub(super) fn table(io: &PlateIo<'_>) -> Table {
    let jobs = io.upstream_jobs();
    let mut columns = vec![Column::text("plate_name", vec![io.plate_name()])];
    for (kind, parameter, name) in REPORTED {
        let mut first: Option<&Value> = None;
        for job in jobs.iter().filter(|job| job.kind.name == kind) {
            let value = job.parameters.get(parameter).unwrap_or(&Value::Null);
            match first {
                None => columns.push(column(name, value)),
                Some(known) if known != value => {
                    columns.push(column(&format!("{name}.{}", job.id), value));
                }
                Some(_) => {}
            }
            first = first.or(Some(value));
        }
        if first.is_none() && NOT_DONE.contains(&kind) {
            columns.push(Column::int(name, vec![0]));
        }
    }
    let ignores =
        |job: &&Job| job.kind.name == "measure.instances" && job.inputs.contains_key("ignore");
    let ignores = jobs.iter().copied().any(|job| ignores(&job));
    columns.insert(
        2.min(columns.len()),
        Column::text("ignore_nuclei", vec![python(ignores)]),
    );
    for job in jobs
        .iter()
        .filter(|job| job.kind.name == "analyse.cell_level")
    {
        for channel in ["serum", "marker"] {
            let name = |port: &str| job.inputs.get(port).and_then(|n| n.first());
            let background = name(&format!("{channel}_background"));
            let (Some(features), Some(background)) = (name(channel), background) else {
                continue;
            };
            let column = format!("background_{}", super::super::cells::channel_of(features));
            if !columns.iter().any(|c| c.name == column) {
                let background = super::at_level("plate", background);
                columns.push(Column::text(column, vec![background]));
            }
        }
    }
    Table { columns }
}

/// Truth values as BatchLib writes them.
fn python(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}

fn column(name: &str, value: &Value) -> Column {
    match value {
        Value::Number(n) => match n.as_i64() {
            Some(n) => Column::int(name, vec![n]),
            None => Column::float(name, vec![n.as_f64().unwrap_or(f64::NAN)]),
        },
        Value::Null => Column::float(name, vec![f64::NAN]),
        Value::Bool(b) => Column::text(name, vec![python(*b)]),
        Value::String(s) => {
            let quantile = s.strip_prefix("quantile").and_then(|q| q.parse().ok());
            match quantile {
                Some(q) => Column::float(name, vec![q]),
                None => Column::text(name, vec![s.clone()]),
            }
        }
        other => Column::text(name, vec![other.to_string()]),
    }
}
