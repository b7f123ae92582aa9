//! Draws plates of an antibody screen whose scores are known: discs as cells, some of them infected.

use std::io;
use std::path::Path;

use tiff::encoder::{TiffEncoder, colortype::Gray16};

/// Intensities of one well above the background.
#[derive(Clone, Copy, Debug)]
pub struct Well {
    /// Its name.
    pub name: &'static str,
    /// Sites.
    pub sites: u32,
    /// Serum intensity of infected cells; 0 for a well without cells.
    pub infected: u16,
    /// Serum intensity of control cells.
    pub control: u16,
}

/// Background of every channel.
pub const BACKGROUND: u16 = 500;
/// Cells a site, of which every third is infected.
pub const CELLS: usize = 25;
/// Height and width of an image.
pub const SIDE: usize = 144;
const PITCH: usize = 28;
const RADIUS: usize = 7;

/// The file of a site, in BatchLib's scheme.
#[must_use]
pub fn file(well: &str, site: u32) -> String {
    format!("Well{well}_Point{well}_{site:04}_ChannelDAPI,WF_GFP,TRITC_Seq{site:04}.tiff")
}

/// Bytes of the three pages nuclei, marker, serum of one site.
///
/// # Errors
/// The TIFF cannot be encoded.
pub fn render(well: &Well) -> io::Result<Vec<u8>> {
    let mut pages = vec![vec![BACKGROUND; SIDE * SIDE]; 3];
    for (i, value) in pages.iter_mut().flatten().enumerate() {
        // A little noise, so that the background has a MAD: 499, 500, 501.
        *value += u16::try_from(i * 7 % 3).unwrap_or_default();
        *value -= 1;
    }
    if well.infected > 0 {
        for cell in 0..CELLS {
            let (row, column) = (cell / 5, cell % 5);
            let (cy, cx) = (row * PITCH + PITCH / 2, column * PITCH + PITCH / 2);
            let infected = cell % 3 == 0;
            let levels = [
                4000,
                if infected { 2000 } else { 0 },
                if infected {
                    well.infected
                } else {
                    well.control
                },
            ];
            for y in cy - RADIUS..=cy + RADIUS {
                for x in cx - RADIUS..=cx + RADIUS {
                    if y.abs_diff(cy).pow(2) + x.abs_diff(cx).pow(2) <= RADIUS * RADIUS {
                        for (page, level) in pages.iter_mut().zip(levels) {
                            page[y * SIDE + x] = BACKGROUND + level;
                        }
                    }
                }
            }
        }
    }
    let side = u32::try_from(SIDE).map_err(io::Error::other)?;
    let mut bytes = io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).map_err(io::Error::other)?;
    for page in &pages {
        encoder
            .write_image::<Gray16>(side, side, page)
            .map_err(io::Error::other)?;
    }
    Ok(bytes.into_inner())
}

/// Writes the sites of some wells.
///
/// # Errors
/// A file cannot be written.
pub fn write(wells: &[Well], folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for well in wells {
        for site in 0..well.sites {
            std::fs::write(folder.join(file(well.name, site)), render(well)?)?;
        }
    }
    Ok(())
}
