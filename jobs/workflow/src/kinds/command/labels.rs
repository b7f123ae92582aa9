//! Label images from other programs: whole numbers, and those of regions put together.

use std::collections::HashMap;
use std::ops::Range;

use image_io::Pixels;
use ndarray::{Array2, s};

use super::regions::Region;

/// The plane as labels. Real numbers are taken where they are whole, because some programs write nothing else.
pub(super) fn whole(pixels: &Pixels) -> Result<Array2<u32>, String> {
    fn each<T: Copy + std::fmt::Display>(
        plane: &Array2<T>,
        convert: impl Fn(T) -> Option<u32>,
    ) -> Result<Array2<u32>, String> {
        let bad = plane.iter().find(|v| convert(**v).is_none());
        match bad {
            Some(value) => Err(format!("it holds {value}, which is no label")),
            None => Ok(plane.mapv(|v| convert(v).unwrap_or(0))),
        }
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let real = |v: f64| {
        let fits = v >= 0.0 && v <= f64::from(u32::MAX) && v.fract() == 0.0;
        fits.then_some(v as u32)
    };
    match pixels {
        Pixels::U32(a) => Ok(a.clone()),
        Pixels::U8(a) => Ok(a.mapv(u32::from)),
        Pixels::U16(a) => Ok(a.mapv(u32::from)),
        Pixels::U64(a) => each(a, |v| v.try_into().ok()),
        Pixels::I8(a) => each(a, |v| v.try_into().ok()),
        Pixels::I16(a) => each(a, |v| v.try_into().ok()),
        Pixels::I32(a) => each(a, |v| v.try_into().ok()),
        Pixels::I64(a) => each(a, |v| v.try_into().ok()),
        Pixels::F32(a) => each(a, |v| real(f64::from(v))),
        Pixels::F64(a) => each(a, real),
    }
}

/// Puts the label images of regions together.
///
/// Each pixel is that of the region whose core it lies in. Two objects of neighbouring regions are one where, in the pixels
/// that both regions were handed, their intersection is more than half of their union; no object has more than one such
/// partner in a region. Objects are numbered from 1 in the order of their first pixel, row by row.
///
/// `planes` are in the order of `regions`, as [`super::regions::cut`] made them with an overlap of at most half a region.
pub(super) fn merge(
    shape: (usize, usize),
    regions: &[Region],
    planes: &[Array2<u32>],
) -> Array2<u32> {
    // Numbers from 0 for all objects of all regions; 0 is the background of all.
    let mut count = 1_usize;
    let dense: Vec<Array2<usize>> = planes
        .iter()
        .map(|plane| {
            let mut numbers: HashMap<u32, usize> = HashMap::new();
            plane.mapv(|label| match label {
                0 => 0,
                label => *numbers.entry(label).or_insert_with(|| {
                    count += 1;
                    count - 1
                }),
            })
        })
        .collect();
    let mut sets = Sets((0..count).collect());
    let by_place: HashMap<(usize, usize), usize> = regions
        .iter()
        .enumerate()
        .map(|(i, region)| (region.at, i))
        .collect();
    for (i, region) in regions.iter().enumerate() {
        let (row, column) = region.at;
        let neighbours = [
            (row, Some(column + 1)),
            (row + 1, column.checked_sub(1)),
            (row + 1, Some(column)),
            (row + 1, Some(column + 1)),
        ];
        for (row, column) in neighbours {
            let Some(&j) = column.and_then(|column| by_place.get(&(row, column))) else {
                continue;
            };
            for (a, b) in partners((region, &dense[i]), (&regions[j], &dense[j])) {
                sets.join(a, b);
            }
        }
    }
    let mut stitched = Array2::<usize>::zeros(shape);
    for (region, plane) in regions.iter().zip(&dense) {
        super::regions::place_array(&mut stitched, plane, region);
    }
    let mut numbers: Vec<u32> = vec![0; count];
    let mut next = 0;
    stitched.mapv(|label| {
        if label == 0 {
            return 0;
        }
        let number = &mut numbers[sets.of(label)];
        if *number == 0 {
            next += 1;
            *number = next;
        }
        *number
    })
}

/// Pairs of objects that are the same one, seen by two regions.
fn partners(
    (a, of_a): (&Region, &Array2<usize>),
    (b, of_b): (&Region, &Array2<usize>),
) -> Vec<(usize, usize)> {
    let rows = shared(&a.rows, &b.rows);
    let columns = shared(&a.columns, &b.columns);
    if rows.is_empty() || columns.is_empty() {
        return Vec::new();
    }
    let part = |plane: &Array2<usize>, region: &Region| {
        let from = |range: &Range<usize>, begin: usize| range.start - begin..range.end - begin;
        plane
            .slice(s![
                from(&rows, region.rows.start),
                from(&columns, region.columns.start)
            ])
            .to_owned()
    };
    let (left, right) = (part(of_a, a), part(of_b, b));
    let (mut both, mut areas) = (HashMap::new(), HashMap::new());
    for (&l, &r) in left.iter().zip(&right) {
        if l != 0 {
            *areas.entry(l).or_insert(0_u64) += 1;
        }
        if r != 0 {
            *areas.entry(r).or_insert(0_u64) += 1;
        }
        if l != 0 && r != 0 {
            *both.entry((l, r)).or_insert(0_u64) += 1;
        }
    }
    both.into_iter()
        .filter(|((l, r), shared)| 2 * shared > areas[l] + areas[r] - shared)
        .map(|(pair, _)| pair)
        .collect()
}

fn shared(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

/// Sets of objects that are one.
struct Sets(Vec<usize>);

impl Sets {
    fn of(&mut self, mut of: usize) -> usize {
        while self.0[of] != of {
            self.0[of] = self.0[self.0[of]];
            of = self.0[of];
        }
        of
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        let (low, high) = (a.min(b), a.max(b));
        self.0[high] = low;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::regions::cut;
    use super::*;

    /// Connected components, numbered in the order of their first pixel, row by row.
    fn components(mask: &Array2<bool>) -> Array2<u32> {
        let mut labels = Array2::zeros(mask.dim());
        let mut next = 0;
        for start in ndarray::indices(mask.dim()) {
            if !mask[start] || labels[start] != 0 {
                continue;
            }
            next += 1;
            let mut open = vec![start];
            while let Some((y, x)) = open.pop() {
                if labels.get((y, x)) != Some(&0) || !mask[(y, x)] {
                    continue;
                }
                labels[(y, x)] = next;
                let around = [
                    (y.wrapping_sub(1), x),
                    (y + 1, x),
                    (y, x.wrapping_sub(1)),
                    (y, x + 1),
                ];
                open.extend(around.into_iter().filter(|p| mask.get(*p).is_some()));
            }
        }
        labels
    }

    /// Discs at pseudo-random places that do not touch.
    fn discs(shape: (usize, usize), radius: usize, seed: u64) -> Array2<bool> {
        let mut state = seed;
        let mut mask = Array2::from_elem(shape, false);
        let mut centres: Vec<(usize, usize)> = Vec::new();
        for _ in 0..400 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let centre = (
                (state >> 20) as usize % shape.0,
                (state >> 44) as usize % shape.1,
            );
            let far = |c: &(usize, usize)| {
                c.0.abs_diff(centre.0).pow(2) + c.1.abs_diff(centre.1).pow(2)
                    > (2 * radius + 2).pow(2)
            };
            if centres.iter().all(far) {
                centres.push(centre);
                for ((y, x), value) in mask.indexed_iter_mut() {
                    *value |=
                        y.abs_diff(centre.0).pow(2) + x.abs_diff(centre.1).pow(2) <= radius.pow(2);
                }
            }
        }
        assert!(centres.len() > 20);
        mask
    }

    #[test]
    fn objects_cut_at_seams_become_one_again() {
        for (seed, size) in [(1, [24, 24]), (2, [17, 40]), (3, [90, 20])] {
            let shape = (97, 110);
            let mask = discs(shape, 4, seed);
            let unsplit = components(&mask);
            let regions = cut(shape, Some(size), 8);
            let planes: Vec<Array2<u32>> = regions
                .iter()
                .map(|r| {
                    let part = mask.slice(s![r.rows.clone(), r.columns.clone()]);
                    // Any numbers will do.
                    components(&part.to_owned()).mapv(|l| l * 1_000_003)
                })
                .collect();
            assert_eq!(merge(shape, &regions, &planes), unsplit, "{size:?}");
        }
    }

    #[test]
    fn neighbours_that_only_touch_stay_two() {
        // Two objects side by side, the border between them on the seam; each region sees both.
        let shape = (6, 20);
        let whole = Array2::from_shape_fn(shape, |(_, x)| match x {
            5..10 => 7,
            10..15 => 3,
            _ => 0,
        });
        let regions = cut(shape, Some([6, 10]), 4);
        let planes: Vec<Array2<u32>> = regions
            .iter()
            .map(|r| {
                whole
                    .slice(s![r.rows.clone(), r.columns.clone()])
                    .to_owned()
            })
            .collect();
        let merged = merge(shape, &regions, &planes);
        let expected = whole.mapv(|label| match label {
            7 => 1,
            3 => 2,
            _ => 0,
        });
        assert_eq!(merged, expected);
    }

    #[test]
    fn only_whole_numbers_are_labels() {
        let ok = ndarray::array![[0.0_f32, 3.0], [70_000.0, 1.0]];
        assert_eq!(
            whole(&Pixels::F32(ok)).unwrap(),
            ndarray::array![[0, 3], [70_000, 1]]
        );
        assert_eq!(
            whole(&Pixels::I64(ndarray::array![[5, 0]])).unwrap(),
            ndarray::array![[5, 0]]
        );
        for (bad, word) in [
            (Pixels::F32(ndarray::array![[0.5]]), "0.5"),
            (Pixels::F64(ndarray::array![[f64::NAN]]), "NaN"),
            (Pixels::F64(ndarray::array![[-1.0]]), "-1"),
            (Pixels::I16(ndarray::array![[-3]]), "-3"),
            (Pixels::U64(ndarray::array![[1 << 33]]), "8589934592"),
        ] {
            let error = whole(&bad).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
