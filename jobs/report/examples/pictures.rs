//! Draws pictures of made-up plates, to look at: `cargo run -p report --example pictures -- FOLDER`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use image_io::table::{Column, Table};
use plate::{PlateFormat, WellName};
use report::{Colors, PlateTables, Range, Scale, Site, Style, heatmap, heatmap_png};

/// A plate with `sites` images a well; every so many wells something is odd.
fn draw(folder: &Path, name: &str, format: PlateFormat, sites: u32, some: usize, scale: Scale) {
    let wells: Vec<WellName> = (0..format.rows)
        .flat_map(|r| (1..=format.columns).map(move |c| WellName::from_row_column(r, c).unwrap()))
        .take(some)
        .collect();
    let mut list = Vec::new();
    let (mut names, mut values, mut is, mut why) = (vec![], vec![], vec![], vec![]);
    let mut state = 7_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    let (mut well_values, mut well_is, mut well_why) = (vec![], vec![], vec![]);
    for (i, well) in wells.iter().enumerate() {
        let base = 0.8 + 1.4 * f64::from(well.row()) / f64::from(format.rows) * random() * 1.5;
        for s in 0..sites {
            let site = format!("{well}-{s:04}");
            let odd = i as u32 * sites + s;
            let failed = (odd % 41 == 5).then(|| "the file is damaged".to_owned());
            if failed.is_none() {
                names.push(site.clone());
                values.push(if odd % 29 == 3 {
                    f64::NAN
                } else {
                    base + 0.2 * random()
                });
                is.push(i64::from(odd % 23 == 7));
                why.push(match odd % 23 {
                    7 if odd.is_multiple_of(2) => "manual: -1; heuristic: too few cells".to_owned(),
                    7 => "manual: 1; heuristic: none".to_owned(),
                    _ => "manual: -1; heuristic: none".to_owned(),
                });
            }
            list.push(Site {
                name: site,
                well: *well,
                failed,
            });
        }
        well_values.push(if i % 31 == 9 { f64::NAN } else { base });
        well_is.push(i64::from(i % 17 == 4 || i % 31 == 9));
        well_why.push(
            if i % 2 == 0 {
                "too few control cells"
            } else {
                "too few control cells;too low infected cell intensity"
            }
            .to_owned(),
        );
    }
    let images = Table {
        columns: vec![
            Column::text("site_name", names),
            Column::float(
                "IgG_robust_z_score_means",
                values.iter().map(|v| v * 4.0 - 6.0).collect(),
            ),
            Column::float("IgG_ratio_of_q0.5_of_means", values),
            Column::int("IgG_is_outlier", is),
            Column::text("IgG_outlier_type", why),
        ],
    };
    let wells = Table {
        columns: vec![
            Column::text("well_name", wells.iter().map(ToString::to_string).collect()),
            Column::float(
                "IgG_robust_z_score_means",
                well_values.iter().map(|v| v * 4.0 - 6.0).collect(),
            ),
            Column::float("IgG_ratio_of_q0.5_of_means", well_values),
            Column::int("IgG_is_outlier", well_is),
            Column::text("IgG_outlier_type", well_why),
        ],
    };
    let tables = PlateTables {
        plate: name,
        sites: &list,
        images: Some(&images),
        wells: Some(&wells),
        wells_name: "wells/default",
        format: Some(format),
    };
    for column in [
        "IgG_ratio_of_q0.5_of_means",
        "IgG_robust_z_score_means",
        "no_such_column",
    ] {
        for style in [Style::PerWell, Style::PerImage] {
            let map = tables.heat_map(column, style, scale);
            let stem = format!("{name}_{column}_{}", style.file_word());
            std::fs::write(folder.join(format!("{stem}.svg")), heatmap(&map)).unwrap();
            std::fs::write(folder.join(format!("{stem}.png")), heatmap_png(&map)).unwrap();
        }
    }
}

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    let [_, twelve, _, _, p96, p384, p1536, _] = PlateFormat::STANDARD;
    let plain = Scale::default();
    draw(folder, "p96", p96, 2, 96, plain);
    let thresholds = Scale {
        range: Range::Thresholds([0.9, 1.3, 1.3, 2.0]),
        colors: Colors::Auto,
    };
    draw(folder, "p96nine", p96, 9, 80, thresholds);
    draw(folder, "p384", p384, 4, 384, plain);
    draw(folder, "p1536", p1536, 4, 1536, plain);
    draw(folder, "one", p1536, 1, 1, plain);
    draw(folder, "p12", twelve, 3, 12, plain);
}
