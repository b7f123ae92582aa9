//! The spans of a label image, each with the row of the table that it belongs to.

use ndarray::ArrayView2;

use crate::components::spans::{Span, Spans};

/// Labels up to this are looked up in a table, whatever the number of objects.
const DENSE: u32 = 1 << 20;

pub(super) struct Objects {
    /// Ascending.
    pub labels: Vec<u32>,
    spans: Spans,
    /// The index into `labels` of each span.
    rows: Vec<u32>,
}

impl Objects {
    pub fn find(labels: ArrayView2<'_, u32>) -> Self {
        let (spans, mut values) = Spans::of_labels(labels);
        let max = values.iter().copied().max().unwrap_or(0);
        let mut labels = Vec::new();
        if max <= DENSE {
            let mut row_of = vec![0u32; max as usize + 1];
            values.iter().for_each(|&label| row_of[label as usize] = 1);
            for label in (1..=max)
                .filter(|&l| row_of[l as usize] == 1)
                .collect::<Vec<_>>()
            {
                row_of[label as usize] = labels.len() as u32;
                labels.push(label);
            }
            values
                .iter_mut()
                .for_each(|label| *label = row_of[*label as usize]);
        } else {
            labels.clone_from(&values);
            labels.sort_unstable();
            labels.dedup();
            values
                .iter_mut()
                .for_each(|label| *label = labels.binary_search(label).unwrap_or_default() as u32);
        }
        Self {
            labels,
            spans,
            rows: values,
        }
    }

    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// All spans in raster order: y, the pixels, the row of the table.
    pub fn spans(&self) -> impl Iterator<Item = (usize, Span, usize)> {
        (0..self.spans.height())
            .flat_map(|y| self.spans_of_line(y).map(move |(span, row)| (y, span, row)))
    }

    /// The spans of one line of the image.
    pub fn spans_of_line(&self, y: usize) -> impl Iterator<Item = (Span, usize)> {
        self.spans
            .row(y)
            .map(|i| (self.spans.get(i), self.rows[i] as usize))
    }

    /// Parts minus holes of each object: each span is one piece, and each contact (by an edge or a corner) of two spans
    /// of an object in consecutive lines joins two pieces or closes a ring.
    pub fn euler_numbers(&self) -> Vec<i64> {
        let mut out = vec![0; self.count()];
        self.rows.iter().for_each(|&row| out[row as usize] += 1);
        for y in 1..self.spans.height() {
            let above = self.spans.row(y - 1);
            let mut first = above.start;
            for here in self.spans.row(y) {
                let span = self.spans.get(here);
                while first < above.end && self.spans.get(first).end < span.start {
                    first += 1;
                }
                let touching =
                    (first..above.end).take_while(|&i| self.spans.get(i).start <= span.end);
                let same = touching
                    .filter(|&i| self.rows[i] == self.rows[here])
                    .count();
                out[self.rows[here] as usize] -= same as i64;
            }
        }
        out
    }
}
