//! The pixels that may be peaks: a maximum of a large square is a maximum of its 3x3 square, and few pixels are that.

use super::{Peak, PeakOptions};
use crate::components::spans::for_each_run;
use crate::watershed::Level;

/// A label and the pixels of it that are not below any of their neighbours of the same label.
pub(super) struct Region<'a, T> {
    image: &'a [T],
    labels: &'a [u32],
    shape: (usize, usize),
    /// Where peaks may be: the image without its excluded border, as (first, end) in y and x.
    inside: [(usize, usize); 2],
    label: u32,
    area: usize,
    /// In raster order.
    candidates: Vec<Peak<T>>,
}

/// All labels (numbered 1, 2, … in `labels`) with their candidates.
pub(super) fn regions<'a, T: Level>(
    image: &'a [T],
    labels: &'a [u32],
    (height, width): (usize, usize),
    options: PeakOptions,
) -> impl Iterator<Item = Region<'a, T>> {
    let count = labels.iter().copied().max().unwrap_or(0) as usize;
    let border = options.exclude_border;
    let inside = [
        (border, height.saturating_sub(border)),
        (border, width.saturating_sub(border)),
    ];
    let mut regions: Vec<Region<'a, T>> = (1..=count as u32)
        .map(|label| Region {
            image,
            labels,
            shape: (height, width),
            inside,
            label,
            area: 0,
            candidates: Vec::new(),
        })
        .collect();
    for y in 0..height {
        let rows = [
            y.checked_sub(1),
            Some(y),
            Some(y + 1).filter(|&y| y < height),
        ];
        let row = |y: Option<usize>| y.map(|y| y * width..(y + 1) * width);
        let [above, here, below] =
            rows.map(|y| row(y).map_or((&[][..], &[][..]), |r| (&image[r.clone()], &labels[r])));
        for_each_run(here.1, |start, end, label| {
            let region = &mut regions[label as usize - 1];
            region.area += end - start;
            for x in start..end {
                let value = here.0[x];
                let below_side =
                    (x > start && here.0[x - 1] > value) || (x + 1 < end && here.0[x + 1] > value);
                let (first, last) = (x.saturating_sub(1), (x + 2).min(width));
                let below_row = |(values, labels): (&[T], &[u32])| {
                    !values.is_empty()
                        && (first..last).any(|i| labels[i] == label && values[i] > value)
                };
                if options.min_distance == 0
                    || !below_side && !below_row(above) && !below_row(below)
                {
                    region.candidates.push(Peak {
                        value,
                        y: y as u32,
                        x: x as u32,
                    });
                }
            }
        });
    }
    regions.into_iter()
}

impl<T: Level> Region<'_, T> {
    /// Appends the peaks of this label in raster order.
    pub fn peaks(self, labelled: bool, options: PeakOptions, threshold: T, out: &mut Vec<Peak<T>>) {
        let [(top, bottom), (left, right)] = self.inside;
        let inside = |p: &Peak<T>| {
            (top..bottom).contains(&(p.y as usize))
                && (left..right).contains(&(p.x as usize))
                && p.value > threshold
        };
        if options.min_distance == 0 || self.image.len() == 1 {
            out.extend(self.candidates.into_iter().filter(inside));
            return;
        }
        let all_local = self.candidates.len() == self.area;
        if all_local
            && self
                .candidates
                .iter()
                .all(|p| self.is_highest(p, options.min_distance))
        {
            if labelled {
                out.extend(
                    self.candidates
                        .iter()
                        .copied()
                        .filter(|p| inside(p) && !self.is_opened(p)),
                );
            }
            return;
        }
        let peak = |p: &Peak<T>| inside(p) && self.is_highest(p, options.min_distance);
        out.extend(self.candidates.iter().copied().filter(peak));
    }

    /// Whether no pixel of the label within `reach` in y and x is higher.
    fn is_highest(&self, peak: &Peak<T>, reach: usize) -> bool {
        let (height, width) = self.shape;
        let (y, x) = (peak.y as usize, peak.x as usize);
        let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(width));
        (y.saturating_sub(reach)..(y + reach + 1).min(height)).all(|y| {
            let row = y * width + left..y * width + right;
            let mut pairs = self.image[row.clone()].iter().zip(&self.labels[row]);
            !pairs.any(|(&value, &label)| label == self.label && value > peak.value)
        })
    }

    /// Whether a 3x3 cross of the label covers the pixel: the binary opening of scipy.
    fn is_opened(&self, peak: &Peak<T>) -> bool {
        const CROSS: [(isize, isize); 5] = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)];
        let has = |y: isize, x: isize| {
            let (height, width) = self.shape;
            (0..height as isize).contains(&y)
                && (0..width as isize).contains(&x)
                && self.labels[y as usize * width + x as usize] == self.label
        };
        CROSS.iter().any(|(dy, dx)| {
            let (y, x) = (peak.y as isize + dy, peak.x as isize + dx);
            CROSS.iter().all(|(dy, dx)| has(y + dy, x + dx))
        })
    }
}
