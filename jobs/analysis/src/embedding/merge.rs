//! Which seeds are of the same object.

use std::collections::HashMap;

use super::window::Window;

/// The pixels of one seed as horizontal spans in raster order.
pub(super) struct Mask {
    /// (y, first x, x after the last).
    spans: Vec<(u32, u32, u32)>,
    area: u64,
}

impl Mask {
    pub fn of(window: &Window) -> Self {
        let width = window.columns.len();
        let (mut spans, mut area) = (Vec::new(), 0);
        for (y, row) in window
            .rows
            .clone()
            .zip(window.probabilities.chunks_exact(width))
        {
            let mut x = 0;
            while x < width {
                let end = x + row[x..].iter().take_while(|&&p| p > 0.0).count();
                if end > x {
                    let column = |x: usize| (window.columns.start + x) as u32;
                    spans.push((y as u32, column(x), column(end)));
                    area += (end - x) as u64;
                }
                x = end + 1;
            }
        }
        Self { spans, area }
    }

    fn shared(&self, other: &Self) -> u64 {
        let (mut i, mut j, mut sum) = (0, 0, 0);
        while let (Some(a), Some(b)) = (self.spans.get(i), other.spans.get(j)) {
            if a.0 == b.0 {
                sum += u64::from(a.2.min(b.2).saturating_sub(a.1.max(b.1)));
            }
            if (a.0, a.2) <= (b.0, b.2) {
                i += 1;
            } else {
                j += 1;
            }
        }
        sum
    }
}

/// Side of the squares by which masks that may touch are found.
const SQUARE: u32 = 32;

/// The object of each mask: masks that share more than `threshold` of the smaller one, directly or by way of others, are one
/// object. It is called by the number (from 1) of its last mask, as InstanSeg does.
pub(super) fn same_objects(masks: &[Mask], threshold: f32) -> Vec<u32> {
    let mut last: Vec<u32> = (0..masks.len() as u32).collect();
    let mut squares: HashMap<(u32, u32), Vec<u32>> = HashMap::new();
    let mut near = Vec::new();
    for (index, mask) in masks.iter().enumerate() {
        near.clear();
        for place in mask.squares() {
            let members = squares.entry(place).or_default();
            near.extend_from_slice(members);
            members.push(index as u32);
        }
        near.sort_unstable();
        near.dedup();
        for &other in &near {
            let smaller = mask.area.min(masks[other as usize].area);
            if mask.shared(&masks[other as usize]) as f32 / smaller as f32 > threshold {
                join(&mut last, other, index as u32);
            }
        }
    }
    (0..masks.len() as u32)
        .map(|mask| root(&mut last, mask) + 1)
        .collect()
}

impl Mask {
    /// The squares in which this mask lies.
    fn squares(&self) -> impl Iterator<Item = (u32, u32)> + use<> {
        let mut found: Vec<(u32, u32)> = self
            .spans
            .iter()
            .flat_map(|&(y, start, end)| {
                (start / SQUARE..=(end - 1) / SQUARE).map(move |x| (y / SQUARE, x))
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter()
    }
}

fn root(last: &mut [u32], mut mask: u32) -> u32 {
    while last[mask as usize] != mask {
        let next = last[last[mask as usize] as usize];
        last[mask as usize] = next;
        mask = next;
    }
    mask
}

fn join(last: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(last, a), root(last, b));
    last[a.min(b) as usize] = a.max(b);
}
