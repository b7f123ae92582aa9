//! Images of cells that are the same each time.

use analysis::components::{Connectivity, label};
use ndarray::{Array2, Array4};

/// Brighter than this is a cell.
const CELL: u16 = 1500;
/// Pixels from one cell to the next.
const PITCH: usize = 40;

/// Planes of one size (y, x).
pub struct Planes {
    pub raw: Array2<u16>,
    pub float: Array2<f32>,
    pub mask: Array2<bool>,
    /// The components of the mask.
    pub labels: Array2<u32>,
    pub objects: usize,
}

impl Planes {
    pub fn new(side: usize) -> Self {
        let raw = Array2::from_shape_fn((side, side), |(y, x)| pixel(0, y, x));
        let mask = raw.mapv(|value| value > CELL);
        let (labels, objects) = label(mask.view(), Connectivity::Edges);
        Self {
            float: raw.mapv(f32::from),
            raw,
            mask,
            labels,
            objects: objects as usize,
        }
    }

    pub fn size(&self) -> (usize, usize) {
        self.raw.dim()
    }

    pub fn pixels(&self) -> usize {
        self.raw.len()
    }

    /// As (channel, z, y, x).
    pub fn image(&self) -> ndarray::ArrayView4<'_, f32> {
        let plane = self.float.view();
        plane
            .insert_axis(ndarray::Axis(0))
            .insert_axis(ndarray::Axis(0))
    }
}

/// A volume (1, z, y, x).
pub fn volume([depth, height, width]: [usize; 3]) -> Array4<f32> {
    Array4::from_shape_fn((1, depth, height, width), |(_, z, y, x)| {
        f32::from(pixel(z, y, x))
    })
}

/// One cell in each square of a grid, somewhere in it, of any size, and noise.
fn pixel(z: usize, y: usize, x: usize) -> u16 {
    let dice = mixed((y / PITCH) as u64, (x / PITCH) as u64, (z / PITCH) as u64);
    let share = |shift: u32| (dice >> shift & 0xff) as f32 / 255.0;
    let place = |shift| PITCH as f32 * (0.3 + 0.4 * share(shift));
    let away = |at: usize, shift| ((at % PITCH) as f32 - place(shift)).powi(2);
    let depth = if z == 0 { 0.0 } else { away(z, 0) };
    let width = 4.0 + 5.0 * share(24);
    let cell = 4000.0 * (-(away(y, 8) + away(x, 16) + depth) / (2.0 * width * width)).exp();
    let noise = mixed(y as u64, x as u64, 1 << 32 | z as u64) % 100;
    200 + cell as u16 + noise as u16
}

/// Numbers that look random (splitmix64).
fn mixed(a: u64, b: u64, c: u64) -> u64 {
    let mut value = a
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(b.wrapping_mul(0xbf58_476d_1ce4_e5b9))
        .wrapping_add(c.wrapping_mul(0x94d0_49bb_1331_11eb));
    value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
