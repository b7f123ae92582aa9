//! MetaXpress `.HTD`: lines of `"Key", value[, value...]`.
//!
//! `XWells`, `YWells` and `WellsSelectionN` give the wells, `XSites`, `YSites` and `SiteSelectionN` the sites, `NWavelengths`
//! and `WaveNameN` the channels, `ZSteps` and `TimePoints` the rest. Sites are numbered through the selected ones only,
//! row by row, as in the file names.

use std::collections::HashMap;
use std::path::Path;

use super::{ExpectedPlane, Manifest, ManifestChannel, ManifestKind, bad, believable, text};
use crate::{Result, WellName};

struct Htd<'a> {
    path: &'a Path,
    values: HashMap<&'a str, &'a str>,
}

impl Htd<'_> {
    /// A number, `default` where the key is absent.
    fn number(&self, key: &str, default: u32) -> Result<u32> {
        match self.values.get(key) {
            None => Ok(default),
            Some(value) => value
                .parse()
                .map_err(|_| bad(self.path, format!("{key} is `{value}`, not a number"))),
        }
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.values
            .get(key)
            .map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }

    /// The 0 based positions that are selected in row `row` (1 based) of a selection table.
    fn selected(&self, key: &str, row: u32, columns: u32) -> Vec<u32> {
        let Some(values) = self.values.get(format!("{key}{row}").as_str()) else {
            return Vec::new();
        };
        let flags = values
            .split(',')
            .map(|flag| flag.trim().eq_ignore_ascii_case("true"));
        (0..columns)
            .zip(flags)
            .filter_map(|(column, selected)| selected.then_some(column))
            .collect()
    }

    fn wells(&self) -> Result<(u16, u16, Vec<WellName>)> {
        let (columns, rows) = (self.number("XWells", 0)?, self.number("YWells", 0)?);
        let (Ok(rows @ 1..=702), Ok(columns @ 1..=999)) =
            (u16::try_from(rows), u16::try_from(columns))
        else {
            return Err(bad(
                self.path,
                format!("a plate with XWells {columns} and YWells {rows}"),
            ));
        };
        let mut wells = Vec::new();
        for row in 0..rows {
            for column in self.selected("WellsSelection", u32::from(row) + 1, u32::from(columns)) {
                wells.push(WellName::from_row_column(row, column as u16 + 1)?);
            }
        }
        Ok((rows, columns, wells))
    }

    fn sites(&self) -> Result<u32> {
        let (columns, rows) = (self.number("XSites", 1)?, self.number("YSites", 1)?);
        // Single-site plates say Sites FALSE, or have one site and no selection.
        if !self.flag("Sites", true) || columns.saturating_mul(rows) <= 1 {
            return Ok(1);
        }
        if columns > 1000 || rows > 1000 {
            return Err(bad(
                self.path,
                format!("{columns} × {rows} sites in a well"),
            ));
        }
        Ok((1..=rows)
            .map(|row| self.selected("SiteSelection", row, columns).len() as u32)
            .sum())
    }

    fn channels(&self) -> Result<Vec<ManifestChannel>> {
        // Waves FALSE: one channel, and no _w in the names; the preset reads such names as w1.
        let count = if self.flag("Waves", true) {
            self.number("NWavelengths", 1)?
        } else {
            1
        };
        if count == 0 || count > 1000 {
            return Err(bad(self.path, format!("NWavelengths is {count}")));
        }
        let name = |n: u32| {
            self.values
                .get(format!("WaveName{n}").as_str())
                .map(|name| name.trim_matches('"').to_owned())
        };
        Ok((1..=count)
            .map(|n| ManifestChannel {
                id: format!("w{n}"),
                name: name(n).filter(|n| !n.is_empty()),
                pixel_size_um: None,
            })
            .collect())
    }
}

pub(super) fn read(path: &Path) -> Result<Manifest> {
    let content = text::read(path, text::HTD_LIMIT)?;
    let values = content
        .lines()
        .filter_map(|line| {
            let (key, value) = line.trim().strip_prefix('"')?.split_once("\",")?;
            Some((key.trim(), value.trim()))
        })
        .collect();
    let htd = Htd { path, values };
    let (rows, columns, wells) = htd.wells()?;
    let (sites, channels) = (htd.sites()?, htd.channels()?);
    let zs = slices(&htd)?;
    let timepoints = htd.number("TimePoints", 1)?.max(1);
    // One timepoint: older versions have no TimePoint_1 folder, newer ones have it.
    let ts: Vec<Option<u32>> = match timepoints {
        1 => vec![None],
        2..=1_000_000 => (1..=timepoints).map(Some).collect(),
        _ => return Err(bad(path, format!("TimePoints is {timepoints}"))),
    };
    let planes = [
        wells.len(),
        sites as usize,
        channels.len(),
        zs.len(),
        ts.len(),
    ]
    .into_iter()
    .fold(1u64, |product, n| product.saturating_mul(n as u64));
    believable(path, planes, channels.len())?;
    let mut expected = Vec::with_capacity(planes as usize);
    for &t in &ts {
        for &well in &wells {
            for site in 1..=sites {
                for channel in &channels {
                    for &z in &zs {
                        expected.push(ExpectedPlane {
                            well,
                            site,
                            channel: channel.id.clone(),
                            z,
                            t,
                            file_name: None,
                        });
                    }
                }
            }
        }
    }
    Ok(Manifest {
        plate_name: path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned()),
        rows: Some(rows),
        columns: Some(columns),
        expected,
        channels,
        ..Manifest::new(ManifestKind::ImageXpress, path)
    })
}

/// The slices of each image. With `ZProjection` some wavelengths may have a projection in place of their slices, and the
/// file does not say which: then any plane of the site and channel will do.
fn slices(htd: &Htd<'_>) -> Result<Vec<Option<u32>>> {
    let steps = htd.number("ZSteps", 1)?;
    if steps > 100_000 {
        return Err(bad(htd.path, format!("ZSteps is {steps}")));
    }
    if steps <= 1 || !htd.flag("ZSeries", true) || htd.flag("ZProjection", false) {
        return Ok(vec![None]);
    }
    Ok((1..=steps).map(Some).collect())
}
