//! Draws plates as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::ParsedFile;
use crate::well::row_letters;
use crate::{PlateFormat, WellName};

type Sites = BTreeMap<WellName, BTreeSet<u32>>;

pub(super) fn draw(parsed: &[ParsedFile]) -> String {
    let mut plates: BTreeMap<_, (Sites, usize)> = BTreeMap::new();
    for file in parsed {
        let (sites, images) = plates
            .entry((&file.name.acquisition, &file.name.plate))
            .or_default();
        sites
            .entry(file.name.well)
            .or_default()
            .insert(file.name.site);
        *images += 1;
    }
    let mut text = String::new();
    for ((acquisition, plate), (sites, images)) in plates {
        let Some(format) = PlateFormat::guess(sites.keys().copied()) else {
            continue;
        };
        if !text.is_empty() {
            text.push('\n');
        }
        let folder = acquisition.display().to_string();
        let name = match plate {
            Some(plate) if folder.is_empty() => plate.clone(),
            Some(plate) => format!("{plate} in {folder}"),
            None if folder.is_empty() => "plate".to_owned(),
            None => folder,
        };
        // Writing into a String does not fail.
        let _ = writeln!(
            text,
            "{name} ({format}): {} wells, {images} images",
            sites.len()
        );
        grid(&mut text, format, &sites);
    }
    text
}

fn grid(text: &mut String, format: PlateFormat, sites: &Sites) {
    let most = sites.values().map(BTreeSet::len).max().unwrap_or(0);
    let width = most.to_string().len().max(format.columns.to_string().len()) + 1;
    let _ = write!(text, "   ");
    for column in 1..=format.columns {
        let _ = write!(text, "{column:>width$}");
    }
    text.push('\n');
    for row in 0..format.rows {
        let _ = write!(text, "{:>3}", row_letters(row));
        for column in 1..=format.columns {
            let here = WellName::from_row_column(row, column)
                .ok()
                .and_then(|well| sites.get(&well));
            let _ = match here {
                Some(here) => write!(text, "{:>width$}", here.len()),
                None => write!(text, "{:>width$}", "·"),
            };
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{NamingScheme, Verdict};

    fn parsed(scheme: &NamingScheme, names: &[&str]) -> Vec<ParsedFile> {
        names
            .iter()
            .map(|name| match scheme.parse(name.as_ref()) {
                Verdict::Image(parsed) => ParsedFile {
                    path: name.into(),
                    name: parsed,
                },
                other => panic!("{name}: {other:?}"),
            })
            .collect()
    }

    #[test]
    fn sites_are_drawn_in_their_wells() {
        let scheme = NamingScheme::preset("well-site-channel").unwrap();
        let files = parsed(
            &scheme,
            &[
                "p/A01_1_a.tif",
                "p/A01_2_a.tif",
                "p/A01_2_b.tif",
                "p/B03_1_a.tif",
                "q/C1_1_a.tif",
            ],
        );
        let map = draw(&files);
        assert_eq!(
            map,
            "p (6 wells, 2 × 3): 2 wells, 4 images\n    1 2 3\n  A 2 · ·\n  B · · 1\n\n\
             q (12 wells, 3 × 4): 1 wells, 1 images\n    1 2 3 4\n  A · · · ·\n  B · · · ·\n  C 1 · · ·\n"
        );
        assert_eq!(draw(&[]), "");
    }
}
