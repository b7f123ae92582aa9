//! Heat maps of plate tables as pictures.

use image_io::table::Table;
use plate::PlateFormat;
use report::{HeatMap, PlateTables, Range, Scale, Site, Style, heatmap, heatmap_png};
use serde_json::{Value, json};
use viewer::{Answer, HeatMapForm, HeatMapSite, Refusal, TableFormat};

use crate::error::{missing, unsuitable};

/// The lower and upper percentile of a robust range.
const ROBUST: [f64; 2] = [1.0, 99.0];

/// Draws a column of the image or well table `name`.
pub fn heat_map(
    table: &Table,
    (plate, name, column): (&str, &str, &str),
    format: Option<(u16, u16)>,
    sites: &[HeatMapSite],
    range: Option<(f64, f64)>,
    form: HeatMapForm,
) -> Result<Answer, Refusal> {
    if table.column(column).is_none() {
        return Err(missing(
            format!("the table `{name}` has no column `{column}`"),
            "see its columns: ask for the table",
        ));
    }
    if range.is_some_and(|(low, high)| low >= high) {
        return Err(unsuitable(
            "the ends of the colours are no range",
            "give `low` and `high`, `low` the smaller one, or neither",
        ));
    }
    let sites: Vec<Site> = sites
        .iter()
        .filter_map(|site| {
            Some(Site {
                name: site.name.clone(),
                well: site.well.parse().ok()?,
                failed: site.failed.clone(),
            })
        })
        .collect();
    let per_well = table.column("well_name").is_some() && table.column("site_name").is_none();
    let tables = PlateTables {
        plate,
        sites: &sites,
        images: (!per_well).then_some(table),
        wells: per_well.then_some(table),
        wells_name: name,
        format: format.map(|(rows, columns)| PlateFormat { rows, columns }),
    };
    let style = if per_well {
        Style::PerWell
    } else {
        Style::PerImage
    };
    let scale = Scale {
        range: match range {
            Some((low, high)) => Range::Fixed([low, high]),
            None => Range::Percentiles(ROBUST),
        },
        ..Scale::default()
    };
    let map = tables.heat_map(column, style, scale);
    let (kind, bytes) = match form {
        HeatMapForm::Json => (
            TableFormat::Json.media_type(),
            values(&map, name).to_string().into_bytes(),
        ),
        HeatMapForm::Svg => ("image/svg+xml", heatmap(&map).into_bytes()),
        HeatMapForm::Png => ("image/png", heatmap_png(&map)),
    };
    Ok(Answer {
        kind: kind.to_owned(),
        bytes,
        meta: Value::Null,
    })
}

/// What is drawn, as numbers: a value that is not a number, or not there, is null.
fn values(map: &HeatMap, table: &str) -> Value {
    let wells: Vec<Value> = map
        .wells
        .iter()
        .map(|(name, well)| {
            json!({
                "well": name.to_string(),
                "value": well.value.finite(),
                "is_missing": well.value == report::Value::Missing,
                "images": well.images.iter().filter(|i| i.value.finite().is_some() && i.outlier.is_none()).count(),
                "outlier": well.outlier,
            })
        })
        .collect();
    json!({
        "table": table,
        "column": map.column,
        "values_are": map.well_value,
        "range": map.range(),
        "colors": if map.is_diverging() { "diverging" } else { "viridis" },
        "notes": map.notes,
        "wells": wells,
    })
}
