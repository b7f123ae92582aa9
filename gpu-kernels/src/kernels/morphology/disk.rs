//! The disk as the kernels take it.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use crate::error::{Error, Result};
use crate::gpu::{Buffer, Gpu};

/// The largest radius in pixels: beyond it a device would be busy for so long that the CPU may as well do it.
pub const MOST_RADIUS: usize = 2048;

/// `skimage.morphology.disk(radius)` on a device, for planes of one size.
#[derive(Clone)]
pub struct Disk {
    /// Rows and columns of the planes.
    pub(super) size: (usize, usize),
    /// Columns that tables have to the left of the plane.
    pub(super) left: usize,
    pub(super) rows: Buffer,
    pub(super) levels: Vec<Level>,
}

/// The rows of the disk that are joined from windows of one width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Columns of the window, a power of 2.
    pub window: usize,
    pub rows: Range<usize>,
}

/// A row of the upper half of the disk, and its mirror image.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable, PartialEq, Eq)]
struct Row {
    away: u32,
    half_width: u32,
}

impl Disk {
    /// The disk for planes of so many (rows, columns).
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a radius of more than [`MOST_RADIUS`]; those of the device.
    pub fn new(gpu: &Gpu, radius: usize, size: (usize, usize)) -> Result<Self> {
        if radius > MOST_RADIUS {
            return Err(Error::Unsupported("a disk of more than 2048 pixels radius"));
        }
        let (rows, levels) = layout(radius, size);
        Ok(Self {
            size,
            left: radius.min(size.1.saturating_sub(1)),
            rows: gpu.upload(&rows)?,
            levels,
        })
    }
}

/// The rows of the disk, the narrow ones first, and which of them each window is for. What would reach beyond a plane of this size
/// from anywhere is left out.
fn layout(radius: usize, (height, width): (usize, usize)) -> (Vec<Row>, Vec<Level>) {
    let mut rows = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    for away in (0..=radius.min(height.saturating_sub(1))).rev() {
        let half_width = (radius * radius - away * away).isqrt();
        let half_width = half_width.min(width.saturating_sub(1));
        // Two windows of the largest power of 2 that fits cover the row.
        let window = 1 << (2 * half_width + 1).ilog2();
        let at = rows.len();
        match levels.last_mut() {
            Some(level) if level.window == window => level.rows.end = at + 1,
            _ => levels.push(Level {
                window,
                rows: at..at + 1,
            }),
        }
        rows.push(Row {
            away: away as u32,
            half_width: half_width as u32,
        });
    }
    (rows, levels)
}

#[cfg(test)]
mod tests {
    use super::{Level, layout};

    #[test]
    fn rows_are_those_of_scikit_image() {
        // disk(2) has rows of half width 0, 1, 2, 1, 0.
        let (rows, levels) = layout(2, (100, 100));
        let rows: Vec<_> = rows.iter().map(|row| (row.away, row.half_width)).collect();
        assert_eq!(rows, [(2, 0), (1, 1), (0, 2)]);
        let level = |window, rows| Level { window, rows };
        assert_eq!(levels, [level(1, 0..1), level(2, 1..2), level(4, 2..3)]);
        // np.sum(disk(20))
        let area: u32 = layout(20, (100, 100))
            .0
            .iter()
            .map(|row| (2 * row.half_width + 1) * if row.away == 0 { 1 } else { 2 })
            .sum();
        assert_eq!(area, 1257);
    }

    #[test]
    fn a_small_plane_needs_a_part_of_the_disk() {
        let (rows, _) = layout(100, (3, 5));
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.half_width == 4));
    }
}
