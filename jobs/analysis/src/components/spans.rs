//! Horizontal spans of equal pixels, and their union into components: what is done per span is not done per pixel.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2};

use super::Connectivity;

/// Pixels `start..end` of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: u32,
    pub end: u32,
}

/// The spans of a plane in raster order.
#[derive(Clone, Debug)]
pub(crate) struct Spans {
    /// The spans of row `y` are `spans[rows[y]..rows[y + 1]]`.
    rows: Vec<u32>,
    spans: Vec<Span>,
}

impl Spans {
    /// The maximal spans of `true`.
    pub fn of_mask(mask: ArrayView2<'_, bool>) -> Self {
        let (height, width) = mask.dim();
        let mask = mask.as_standard_layout();
        let bytes: &[u8] = bytemuck::cast_slice(mask.as_slice().expect("standard layout"));
        let mut rows = Vec::with_capacity(height + 1);
        let mut spans = Vec::new();
        rows.push(0);
        for y in 0..height {
            append_row(&bytes[y * width..(y + 1) * width], &mut spans);
            rows.push(spans.len() as u32);
        }
        Self { rows, spans }
    }

    /// One span a row: the whole plane.
    pub fn of_plane(height: usize, width: usize) -> Self {
        let n = if width == 0 { 0 } else { height };
        Self {
            rows: (0..=height).map(|y| y.min(n) as u32).collect(),
            spans: vec![
                Span {
                    start: 0,
                    end: width as u32
                };
                n
            ],
        }
    }

    /// The maximal spans of one non-zero label, and the label of each.
    pub fn of_labels(labels: ArrayView2<'_, u32>) -> (Self, Vec<u32>) {
        let (height, width) = labels.dim();
        let labels = labels.as_standard_layout();
        let data = labels.as_slice().expect("standard layout");
        let mut rows = Vec::with_capacity(height + 1);
        let (mut spans, mut values) = (Vec::new(), Vec::new());
        let mut scratch = Vec::new();
        rows.push(0);
        for y in 0..height {
            let row = &data[y * width..(y + 1) * width];
            for_each_run(row, &mut scratch, |start, end, value| {
                spans.push(Span {
                    start: start as u32,
                    end: end as u32,
                });
                values.push(value);
            });
            rows.push(spans.len() as u32);
        }
        (Self { rows, spans }, values)
    }

    pub fn height(&self) -> usize {
        self.rows.len() - 1
    }

    /// The indices of the spans of a row.
    pub fn row(&self, y: usize) -> std::ops::Range<usize> {
        self.rows[y] as usize..self.rows[y + 1] as usize
    }

    /// The number of spans.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn get(&self, index: usize) -> Span {
        self.spans[index]
    }

    /// The component (from 1, in raster order of the first pixel) of each span, and the number of components.
    pub fn components(&self, connectivity: Connectivity) -> (Vec<u32>, u32) {
        self.components_where(connectivity, |_, _| true)
    }

    /// As [`Self::components`], joining only touching spans for which `same` holds.
    pub fn components_where(
        &self,
        connectivity: Connectivity,
        same: impl Fn(usize, usize) -> bool,
    ) -> (Vec<u32>, u32) {
        let reach = u32::from(connectivity == Connectivity::Corners);
        let mut parent: Vec<u32> = (0..self.spans.len() as u32).collect();
        for y in 1..self.height() {
            let (mut above, above_end) = (self.rows[y - 1] as usize, self.rows[y] as usize);
            for here in self.row(y) {
                let span = self.spans[here];
                while above < above_end && self.spans[above].end + reach <= span.start {
                    above += 1;
                }
                let mut touching = above;
                while touching < above_end && self.spans[touching].start < span.end + reach {
                    if same(touching, here) {
                        join(&mut parent, touching as u32, here as u32);
                    }
                    touching += 1;
                }
            }
        }
        // A root is the smallest index of its set, so it is met before its members.
        let mut count = 0;
        for i in 0..parent.len() {
            let p = parent[i] as usize;
            parent[i] = if p == i {
                count += 1;
                count
            } else {
                parent[p]
            };
        }
        (parent, count)
    }

    /// Writes `value(span)` into the pixels of every span for which it is not 0.
    pub fn fill(&self, plane: &mut Array2<u32>, value: impl Fn(usize) -> u32) {
        let width = plane.ncols();
        let data = plane
            .as_slice_mut()
            .expect("a new array is in standard layout");
        for y in 0..self.height() {
            let row = &mut data[y * width..(y + 1) * width];
            for index in self.row(y) {
                let v = value(index);
                if v != 0 {
                    let span = self.spans[index];
                    row[span.start as usize..span.end as usize].fill(v);
                }
            }
        }
    }
}

fn root(parent: &mut [u32], mut i: u32) -> u32 {
    while parent[i as usize] != i {
        let grandparent = parent[parent[i as usize] as usize];
        parent[i as usize] = grandparent;
        i = grandparent;
    }
    i
}

fn join(parent: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parent, a), root(parent, b));
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    parent[high as usize] = low;
}

/// Appends the spans of ones in a row of zeros and ones, eight pixels at a time.
fn append_row(row: &[u8], spans: &mut Vec<Span>) {
    let mut start = u32::MAX; // of the open span
    let mut last = 0u64; // the previous pixel
    let mut toggle = |at: u32| {
        if start == u32::MAX {
            start = at;
        } else {
            spans.push(Span { start, end: at });
            start = u32::MAX;
        }
    };
    let (chunks, rest) = row.as_chunks::<8>();
    let mut x = 0;
    for chunk in chunks {
        let pixels = u64::from_le_bytes(*chunk);
        let mut changes = pixels ^ (pixels << 8 | last);
        last = pixels >> 56;
        while changes != 0 {
            toggle(x + changes.trailing_zeros() / 8);
            changes &= changes - 1;
        }
        x += 8;
    }
    for &pixel in rest {
        if u64::from(pixel) != last {
            toggle(x);
            last = u64::from(pixel);
        }
        x += 1;
    }
    if last != 0 {
        toggle(x);
    }
}

/// Calls `found(start, end, label)` for each maximal run of one non-zero label in a row. `scratch` is working memory.
#[inline]
pub(crate) fn for_each_run(
    row: &[u32],
    scratch: &mut Vec<u8>,
    mut found: impl FnMut(usize, usize, u32),
) {
    let Some(&first) = row.first() else { return };
    scratch.clear();
    scratch.resize(row.len(), 0);
    mark_changes(row, scratch);
    let (mut start, mut label) = (0, first);
    for_each_set(scratch, |x| {
        if label != 0 {
            found(start, x, label);
        }
        (start, label) = (x, row[x]);
    });
    if label != 0 {
        found(start, row.len(), label);
    }
}

/// Marks with 1 the pixels that differ from the one before them.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn mark_changes(row: &[u32], marks: &mut [u8]) {
    for ((mark, &value), &before) in marks[1..].iter_mut().zip(&row[1..]).zip(row) {
        *mark = u8::from(value != before);
    }
}

/// Calls `found` with the places of the ones in zeros and ones, eight at a time.
#[inline]
pub(crate) fn for_each_set(marks: &[u8], mut found: impl FnMut(usize)) {
    let (chunks, rest) = marks.as_chunks::<8>();
    for (i, chunk) in chunks.iter().enumerate() {
        let mut set = u64::from_le_bytes(*chunk);
        while set != 0 {
            found(8 * i + set.trailing_zeros() as usize / 8);
            set &= set - 1;
        }
    }
    for (i, &mark) in rest.iter().enumerate() {
        if mark != 0 {
            found(8 * chunks.len() + i);
        }
    }
}
