//! Where the tiles lie.

use crate::description::Description;
use crate::plan::Plan;

/// One tile along one axis, in pixels of the padded image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// First pixel that the network sees.
    pub start: usize,
    /// First pixel whose result is kept.
    pub keep_from: usize,
    /// First pixel behind those.
    pub keep_to: usize,
    /// Pixels that it shares with the tile before.
    pub shared_before: usize,
    /// Pixels that it shares with the tile behind.
    pub shared_after: usize,
}

/// The tiles along one axis: all equally long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows1 {
    /// Length of the padded image.
    pub padded: usize,
    /// Length of a tile with its halo.
    pub window: usize,
    /// The tiles.
    pub spans: Vec<Span>,
}

/// The tiles of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Along y.
    pub y: Windows1,
    /// Along x.
    pub x: Windows1,
}

/// An image may be this much longer than a tile before it is cut: halos of a cut cost more than memory.
const SLACK: f64 = 1.25;

impl Windows {
    /// Lays tiles over an image of (height, width).
    #[must_use]
    pub fn new(description: &Description, plan: &Plan, size: [usize; 2]) -> Self {
        let axis = |i: usize| {
            let step = plan.multiple.unwrap_or(description.multiple)[i]
                .max(
                    description
                        .outputs
                        .iter()
                        .map(|o| o.grid[i])
                        .max()
                        .unwrap_or(1),
                )
                .max(1);
            Windows1::new(
                size[i],
                step,
                description.minimum[i],
                description.fixed.map(|f| f[i]),
                plan.tile.or(description.tile).unwrap_or(Plan::TILE),
                plan.halo.unwrap_or(description.halo)[i],
            )
        };
        Self {
            y: axis(0),
            x: axis(1),
        }
    }
}

const fn round_up(value: usize, step: usize) -> usize {
    value.div_ceil(step) * step
}

impl Windows1 {
    fn new(
        length: usize,
        step: usize,
        minimum: usize,
        fixed: Option<usize>,
        tile: usize,
        halo: usize,
    ) -> Self {
        let halo = round_up(halo, step);
        let tile = round_up(tile.max(1), step);
        #[allow(clippy::cast_precision_loss)]
        let whole = fixed.map_or(length as f64 <= tile as f64 * SLACK, |f| length <= f);
        if whole {
            let padded = fixed.unwrap_or_else(|| round_up(length.max(minimum), step));
            return Self {
                padded,
                window: padded,
                spans: vec![Span {
                    start: 0,
                    keep_from: 0,
                    keep_to: padded,
                    shared_before: 0,
                    shared_after: 0,
                }],
            };
        }
        let length = round_up(length.max(minimum), step);
        let (window, halo, count) = match fixed {
            // The halo must leave something of the tile.
            Some(window) => {
                let halo = halo.min((window.saturating_sub(1)) / 4);
                let advance = window - 2 * halo;
                (window, halo, (length - 2 * halo).div_ceil(advance))
            }
            None => {
                let count = length.div_ceil(tile);
                let window = round_up((length + (count - 1) * 2 * halo).div_ceil(count), step);
                (window.max(round_up(minimum, step)).min(length), halo, count)
            }
        };
        let count = count.max(1);
        let last = length - window.min(length);
        // Spread evenly; every start is a multiple of the network's, so that its grid falls on the same pixels.
        let start = |i: usize| {
            if count == 1 {
                0
            } else {
                (last * i / (count - 1))
                    .div_ceil(step)
                    .saturating_mul(step)
                    .min(last)
            }
        };
        let starts: Vec<usize> = (0..count).map(start).collect();
        let shared = |i: usize| (starts[i] + window).saturating_sub(starts[i + 1]);
        // Neighbours meet in the middle of what they share, on the network's grid.
        let meet = |i: usize| {
            let middle = starts[i + 1] + shared(i) / 2;
            (middle / step * step).max(starts[i + 1])
        };
        let spans = (0..count)
            .map(|i| Span {
                start: starts[i],
                keep_from: if i == 0 { 0 } else { meet(i - 1) },
                keep_to: if i + 1 == count { length } else { meet(i) },
                shared_before: if i == 0 { 0 } else { shared(i - 1) },
                shared_after: if i + 1 == count { 0 } else { shared(i) },
            })
            .collect();
        let _ = halo;
        Self {
            padded: length,
            window,
            spans,
        }
    }
}
