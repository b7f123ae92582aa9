//! Cutting a large image into regions, and putting what is made of them together.

use std::ops::Range;

use image_io::Pixels;
use ndarray::{Array2, s};

/// One part of an image. The cores of all regions tile the image; what is handed over reaches beyond the core on each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub count: usize,
    /// Row and column among the regions.
    pub at: (usize, usize),
    /// Rows that are handed over.
    pub rows: Range<usize>,
    /// Columns that are handed over.
    pub columns: Range<usize>,
    /// Rows of the core.
    pub core_rows: Range<usize>,
    /// Columns of the core.
    pub core_columns: Range<usize>,
}

impl Region {
    /// Height and width of what is handed over.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows.len(), self.columns.len())
    }

    /// The core within what is handed over.
    pub fn core(&self) -> (Range<usize>, Range<usize>) {
        (
            shift(&self.core_rows, self.rows.start),
            shift(&self.core_columns, self.columns.start),
        )
    }

    /// For messages.
    pub fn describe(&self) -> String {
        format!(
            "region {} of {} (rows {} to {}, columns {} to {})",
            self.number,
            self.count,
            self.rows.start,
            self.rows.end,
            self.columns.start,
            self.columns.end
        )
    }
}

fn shift(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start - by..range.end - by
}

/// Cuts an image of this (height, width) into cores of `size`, the last of a row or column smaller; without `size` it stays
/// whole.
pub(super) fn cut(shape: (usize, usize), size: Option<[usize; 2]>, overlap: usize) -> Vec<Region> {
    let [height, width] = size.unwrap_or([shape.0.max(1), shape.1.max(1)]);
    let along = |length: usize, step: usize| -> Vec<(Range<usize>, Range<usize>)> {
        let begins = (0..length.max(1)).step_by(step);
        begins
            .map(|begin| {
                let core = begin..(begin + step).min(length);
                let with_overlap =
                    core.start.saturating_sub(overlap)..(core.end + overlap).min(length);
                (core, with_overlap)
            })
            .collect()
    };
    let (rows, columns) = (along(shape.0, height), along(shape.1, width));
    let count = rows.len() * columns.len();
    let mut regions = Vec::with_capacity(count);
    for (i, (core_rows, rows)) in rows.iter().enumerate() {
        for (j, (core_columns, columns)) in columns.iter().enumerate() {
            regions.push(Region {
                number: regions.len() + 1,
                count,
                at: (i, j),
                rows: rows.clone(),
                columns: columns.clone(),
                core_rows: core_rows.clone(),
                core_columns: core_columns.clone(),
            });
        }
    }
    regions
}

/// Puts the core of a region into the whole plane. An error names the types where they differ.
pub(super) fn place(whole: &mut Pixels, part: &Pixels, region: &Region) -> Result<(), String> {
    macro_rules! copy {
        ($($variant:ident),*) => {
            match (whole, part) {
                $((Pixels::$variant(whole), Pixels::$variant(part)) => {
                    place_array(whole, part, region);
                    Ok(())
                })*
                (whole, part) => Err(format!(
                    "it is {} here, but {} in another region",
                    part.pixel_type().name(),
                    whole.pixel_type().name()
                )),
            }
        };
    }
    copy!(U8, U16, U32, U64, I8, I16, I32, I64, F32, F64)
}

/// The same for arrays of one type.
pub(super) fn place_array<T: Clone>(whole: &mut Array2<T>, part: &Array2<T>, region: &Region) {
    let (rows, columns) = region.core();
    whole
        .slice_mut(s![region.core_rows.clone(), region.core_columns.clone()])
        .assign(&part.slice(s![rows, columns]));
}

/// A plane of zeros of the type of `like`.
pub(super) fn empty(like: &Pixels, shape: (usize, usize)) -> Pixels {
    match like {
        Pixels::U8(_) => Pixels::U8(Array2::default(shape)),
        Pixels::U16(_) => Pixels::U16(Array2::default(shape)),
        Pixels::U32(_) => Pixels::U32(Array2::default(shape)),
        Pixels::U64(_) => Pixels::U64(Array2::default(shape)),
        Pixels::I8(_) => Pixels::I8(Array2::default(shape)),
        Pixels::I16(_) => Pixels::I16(Array2::default(shape)),
        Pixels::I32(_) => Pixels::I32(Array2::default(shape)),
        Pixels::I64(_) => Pixels::I64(Array2::default(shape)),
        Pixels::F32(_) => Pixels::F32(Array2::default(shape)),
        Pixels::F64(_) => Pixels::F64(Array2::default(shape)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cores_tile_the_image_and_parts_put_together_are_the_image() {
        for (shape, size, overlap) in [
            ((10, 13), Some([4, 5]), 2),
            ((10, 13), Some([4, 5]), 0),
            ((8, 8), Some([8, 8]), 3),
            ((1, 1), Some([100, 100]), 20),
            ((5, 7), None, 9),
        ] {
            let image = Pixels::U16(Array2::from_shape_fn(shape, |(y, x)| (y * 100 + x) as u16));
            let regions = cut(shape, size, overlap);
            let mut whole = empty(&image, shape);
            let mut area = 0;
            for region in &regions {
                let part = image.crop(region.rows.clone(), region.columns.clone());
                assert_eq!(part.shape(), region.shape());
                place(&mut whole, &part, region).unwrap();
                area += region.core_rows.len() * region.core_columns.len();
            }
            assert_eq!(whole, image);
            assert_eq!(area, shape.0 * shape.1);
        }
        let regions = cut((10, 13), Some([4, 5]), 2);
        assert_eq!(regions.len(), 9);
        assert_eq!(regions[4].rows, 2..10);
        assert_eq!(regions[4].columns, 3..12);
        assert_eq!(
            regions[4].describe(),
            "region 5 of 9 (rows 2 to 10, columns 3 to 12)"
        );
        let mut whole = Pixels::U8(Array2::default((10, 13)));
        let part = Pixels::F32(Array2::default(regions[0].shape()));
        let error = place(&mut whole, &part, &regions[0]).unwrap_err();
        assert_eq!(error, "it is float32 here, but uint8 in another region");
    }
}
