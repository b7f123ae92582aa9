//! Draws plates: nuclei with cells around them, uneven illumination, camera noise. Every number comes from a seed, so that the
//! truth is known and the same on every machine.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tiff::encoder::{TiffEncoder, colortype::Gray16};

/// What to draw.
#[derive(Clone, Debug)]
pub struct PlateSpec {
    /// Rows of wells, from A.
    pub rows: u8,
    /// Columns of wells, from 1.
    pub columns: u8,
    /// Sites a well.
    pub sites: u32,
    /// Side of an image in pixels.
    pub side: usize,
    /// Nuclei a site, on average.
    pub nuclei: usize,
    /// Well without any cell, as (row, column) from zero.
    pub dead_well: Option<(u8, u8)>,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for PlateSpec {
    fn default() -> Self {
        Self {
            rows: 3,
            columns: 4,
            sites: 2,
            side: 512,
            nuclei: 40,
            dead_well: Some((1, 2)),
            seed: 7,
        }
    }
}

/// One site: its file name and how many cells it shows.
#[derive(Clone, Debug, Serialize)]
pub struct SiteTruth {
    /// File name, in BatchLib's scheme.
    pub file: String,
    /// `A01-0000`.
    pub site: String,
    /// Number of nuclei, and of cells.
    pub cells: usize,
}

/// A 64-bit linear congruential generator (Knuth's MMIX constants): small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `limit`, which must not be 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Uniform in 0..1.
    #[allow(clippy::cast_precision_loss)]
    fn uniform(&mut self) -> f64 {
        self.next() as f64 / (1_u64 << 31) as f64
    }

    /// About normal, mean 0, standard deviation 1 (sum of twelve).
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

struct Nucleus {
    y: f64,
    x: f64,
    radius: f64,
    brightness: f64,
}

/// The sites of a plate with their truth, without drawing them.
#[must_use]
pub fn sites(spec: &PlateSpec) -> Vec<SiteTruth> {
    let mut out = Vec::new();
    for (row, column, site, number) in places(spec) {
        let well = format!("{}{:02}", char::from(b'A' + row), column + 1);
        out.push(SiteTruth {
            file: format!(
                "Well{well}_Point{well}_{site:04}_ChannelDAPI,WF_GFP_Seq{number:04}.tiff"
            ),
            site: format!("{well}-{site:04}"),
            cells: nuclei(spec, row, column, number).len(),
        });
    }
    out
}

/// Bytes of the TIFF of site number `index`: two pages (DAPI, WF_GFP), 16 bit.
///
/// # Errors
/// The TIFF cannot be encoded.
pub fn render(spec: &PlateSpec, index: usize) -> io::Result<Vec<u8>> {
    let (row, column, _, number) = places(spec)
        .nth(index)
        .ok_or_else(|| io::Error::other("no such site"))?;
    let nuclei = nuclei(spec, row, column, number);
    let mut random = Random(spec.seed ^ (0x9E37_79B9 + u64::from(number)));
    let mut bytes = io::Cursor::new(Vec::new());
    {
        let mut encoder = TiffEncoder::new(&mut bytes).map_err(io::Error::other)?;
        for channel in 0..2 {
            let pixels = draw(spec.side, &nuclei, channel == 0, &mut random);
            let side = u32::try_from(spec.side).map_err(io::Error::other)?;
            encoder
                .write_image::<Gray16>(side, side, &pixels)
                .map_err(io::Error::other)?;
        }
    }
    Ok(bytes.into_inner())
}

/// Writes all sites into `folder`, creating it.
///
/// # Errors
/// A file cannot be written.
pub fn write_plate(spec: &PlateSpec, folder: &Path) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let mut paths = Vec::new();
    for (i, site) in sites(spec).iter().enumerate() {
        let path = folder.join(&site.file);
        let mut file = BufWriter::new(File::create(&path)?);
        file.write_all(&render(spec, i)?)?;
        file.flush()?;
        paths.push(path);
    }
    Ok(paths)
}

fn places(spec: &PlateSpec) -> impl Iterator<Item = (u8, u8, u32, u32)> + use<> {
    let (rows, columns, sites) = (spec.rows, spec.columns, spec.sites);
    (0..rows)
        .flat_map(move |r| (0..columns).flat_map(move |c| (0..sites).map(move |s| (r, c, s))))
        .zip(0_u32..)
        .map(|((r, c, s), n)| (r, c, s, n))
}

/// Nuclei on a jittered grid: close, but never touching, so that their number is not a matter of opinion.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation
)]
fn nuclei(spec: &PlateSpec, row: u8, column: u8, number: u32) -> Vec<Nucleus> {
    if spec.dead_well == Some((row, column)) {
        return Vec::new();
    }
    let mut random = Random(spec.seed.wrapping_mul(1_000_003) ^ u64::from(number));
    let pitch = 40.0;
    let cells = (spec.side as f64 / pitch).floor() as usize;
    let chance = (spec.nuclei as f64 / (cells * cells).max(1) as f64).min(1.0);
    let mut out = Vec::new();
    for gy in 0..cells {
        for gx in 0..cells {
            let (a, b, c, d, e) = (
                random.uniform(),
                random.uniform(),
                random.uniform(),
                random.uniform(),
                random.uniform(),
            );
            if a < chance {
                let radius = 7.0 + 4.0 * b;
                let room = pitch / 2.0 - radius - 3.0;
                out.push(Nucleus {
                    y: (gy as f64 + 0.5) * pitch + room * (2.0 * c - 1.0),
                    x: (gx as f64 + 0.5) * pitch + room * (2.0 * d - 1.0),
                    radius,
                    brightness: 0.7 + 0.6 * e,
                });
            }
        }
    }
    out
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation
)]
fn draw(side: usize, nuclei: &[Nucleus], dna: bool, random: &mut Random) -> Vec<u16> {
    let mut signal = vec![0.0_f64; side * side];
    for n in nuclei {
        let (reach, level) = if dna {
            (n.radius, 4000.0 * n.brightness)
        } else {
            (n.radius * 1.8, 1500.0 * n.brightness)
        };
        let (y0, y1) = (
            (n.y - reach - 4.0).max(0.0) as usize,
            ((n.y + reach + 5.0) as usize).min(side),
        );
        let (x0, x1) = (
            (n.x - reach - 4.0).max(0.0) as usize,
            ((n.x + reach + 5.0) as usize).min(side),
        );
        for y in y0..y1 {
            for x in x0..x1 {
                let distance = ((y as f64 - n.y).powi(2) + (x as f64 - n.x).powi(2)).sqrt();
                // A soft edge about three pixels wide, as an objective draws it.
                let value = level / (1.0 + ((distance - reach) / 0.8).exp());
                let pixel = &mut signal[y * side + x];
                *pixel = pixel.max(value);
            }
        }
    }
    let centre = side as f64 / 2.0;
    (0..side * side)
        .map(|i| {
            let (y, x) = ((i / side) as f64 - centre, (i % side) as f64 - centre);
            let vignette = 1.0 - 0.3 * (y * y + x * x) / (2.0 * centre * centre);
            let photons = (signal[i] + 200.0) * vignette;
            (100.0 + photons + photons.sqrt() * 1.5 * random.normal()).clamp(0.0, 65535.0) as u16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_plate() {
        let spec = PlateSpec {
            side: 96,
            ..PlateSpec::default()
        };
        assert_eq!(render(&spec, 3).ok(), render(&spec, 3).ok());
        assert_ne!(render(&spec, 3).ok(), render(&spec, 4).ok());
        assert_eq!(sites(&spec).len(), 24);
        let dead: usize = sites(&spec)
            .iter()
            .filter(|s| s.site.starts_with("B03"))
            .map(|s| s.cells)
            .sum();
        assert_eq!(dead, 0);
    }
}
