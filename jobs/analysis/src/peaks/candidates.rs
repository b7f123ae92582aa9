//! The pixels that may be peaks: a maximum of a large square is a maximum of its 3x3 square, and few pixels are that.

use super::{Peak, PeakOptions};
use crate::components::spans::{Spans, for_each_set};
use crate::watershed::Level;

/// An image with the label of each pixel.
pub(super) struct Search<'a, T> {
    pub image: &'a [T],
    pub labels: &'a [u32],
    /// (height, width).
    pub shape: (usize, usize),
    pub options: PeakOptions,
    /// Peaks are above this.
    pub threshold: T,
}

/// A label's size, and its pixels that are not below any of their neighbours of the same label, in raster order.
#[derive(Clone)]
pub(super) struct Region<T> {
    label: u32,
    area: usize,
    candidates: Vec<Peak<T>>,
}

impl<T: Level> Search<'_, T> {
    /// All labels from 1 to the largest. `spans` and `values` are those of the labels.
    pub fn regions(&self, spans: &Spans, values: &[u32]) -> Vec<Region<T>> {
        let count = values.iter().copied().max().unwrap_or(0);
        let empty = |label| Region {
            label,
            area: 0,
            candidates: Vec::new(),
        };
        let mut regions: Vec<Region<T>> = (1..=count).map(empty).collect();
        let (height, width) = self.shape;
        let mut ridge = Vec::new();
        for y in 0..height {
            let row = |y: usize| y * width..(y + 1) * width;
            let others = [y.checked_sub(1), Some(y + 1).filter(|&y| y < height)];
            let others = others.map(|y| y.map(|y| (&self.image[row(y)], &self.labels[row(y)])));
            for index in spans.row(y) {
                let (start, end) = (
                    spans.get(index).start as usize,
                    spans.get(index).end as usize,
                );
                let label = values[index];
                let line = &self.image[y * width + start..y * width + end];
                let region = &mut regions[label as usize - 1];
                region.area += line.len();
                mark_ridge(line, &mut ridge);
                if self.options.min_distance == 0 {
                    ridge.fill(1);
                }
                for_each_set(&ridge, |i| {
                    let (value, x) = (line[i], start + i);
                    let near = x.saturating_sub(1)..(x + 2).min(width);
                    let is_above = |(image, labels): (&[T], &[u32])| {
                        let mut pairs = image[near.clone()].iter().zip(&labels[near.clone()]);
                        pairs.any(|(&v, &l)| v > value && l == label)
                    };
                    if self.options.min_distance == 0 || !others.into_iter().flatten().any(is_above)
                    {
                        region.candidates.push(Peak {
                            value,
                            y: y as u32,
                            x: x as u32,
                        });
                    }
                });
            }
        }
        regions
    }

    /// Appends the peaks of a label in raster order.
    pub fn peaks(&self, region: &Region<T>, by_label: bool, out: &mut Vec<Peak<T>>) {
        let (height, width) = self.shape;
        let (border, reach) = (self.options.exclude_border, self.options.min_distance);
        let inside =
            |at: u32, size: usize| (border..size.saturating_sub(border)).contains(&(at as usize));
        let accepted =
            |p: &Peak<T>| p.value > self.threshold && inside(p.y, height) && inside(p.x, width);
        let candidates = region.candidates.iter().copied();
        if reach == 0 || self.image.len() == 1 {
            out.extend(candidates.filter(accepted));
            return;
        }
        let is_highest = |p: &Peak<T>| self.is_highest(p, region.label, reach);
        if region.candidates.len() == region.area && region.candidates.iter().all(is_highest) {
            if by_label {
                let is_thin = |p: &Peak<T>| !self.is_opened(p, region.label);
                out.extend(candidates.filter(|p| accepted(p) && is_thin(p)));
            }
            return;
        }
        out.extend(candidates.filter(|p| accepted(p) && is_highest(p)));
    }

    /// Whether no pixel of the label within `reach` in y and x is higher.
    fn is_highest(&self, peak: &Peak<T>, label: u32, reach: usize) -> bool {
        let (height, width) = self.shape;
        let (y, x) = (peak.y as usize, peak.x as usize);
        let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(width));
        (y.saturating_sub(reach)..(y + reach + 1).min(height)).all(|y| {
            let row = y * width + left..y * width + right;
            let mut pairs = self.image[row.clone()].iter().zip(&self.labels[row]);
            !pairs.any(|(&v, &l)| v > peak.value && l == label)
        })
    }

    /// Whether a 3x3 cross of the label covers the pixel: the binary opening of scipy.
    fn is_opened(&self, peak: &Peak<T>, label: u32) -> bool {
        const CROSS: [(isize, isize); 5] = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)];
        let (height, width) = self.shape;
        let has = |y: isize, x: isize| {
            (0..height as isize).contains(&y)
                && (0..width as isize).contains(&x)
                && self.labels[y as usize * width + x as usize] == label
        };
        CROSS.iter().any(|(dy, dx)| {
            let (y, x) = (peak.y as isize + dy, peak.x as isize + dx);
            CROSS.iter().all(|(dy, dx)| has(y + dy, x + dx))
        })
    }
}

/// Marks the values that are not below the one before and the one after.
fn mark_ridge<T: PartialOrd + Copy>(line: &[T], marks: &mut Vec<u8>) {
    marks.clear();
    marks.resize(line.len(), 1);
    if line.len() > 1 {
        let last = line.len() - 1;
        let around = line
            .iter()
            .zip(&line[1..])
            .zip(line.get(2..).unwrap_or(&[]));
        for (mark, ((before, value), after)) in marks[1..].iter_mut().zip(around) {
            *mark = u8::from(before <= value) & u8::from(after <= value);
        }
        marks[0] = u8::from(line[1] <= line[0]);
        marks[last] = u8::from(line[last - 1] <= line[last]);
    }
}
