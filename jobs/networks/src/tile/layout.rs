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
pub struct Row {
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
    pub y: Row,
    /// Along x.
    pub x: Row,
}

/// What decides over the tiles along one axis.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// Every start is a multiple of this, so that the network's grid falls on the same pixels in all tiles.
    step: usize,
    minimum: usize,
    /// The only length that the network takes.
    fixed: Option<usize>,
    tile: usize,
    halo: usize,
}

impl Windows {
    /// Lays tiles over an image of (height, width).
    #[must_use]
    pub fn new(description: &Description, plan: &Plan, size: [usize; 2]) -> Self {
        let axis = |i: usize| {
            // Tiles begin on every output's grid. A network of a fixed size is never padded to a multiple.
            let grid = description.outputs.iter().map(|o| o.grid[i]);
            let grid = grid.fold(1, common_multiple);
            let step = match description.fixed {
                Some(_) => grid,
                None => common_multiple(grid, plan.multiple.unwrap_or(description.multiple)[i]),
            };
            Row::new(
                size[i],
                Rule {
                    step,
                    minimum: description.minimum[i],
                    fixed: description.fixed.map(|f| f[i]),
                    tile: plan.tile.or(description.tile).unwrap_or(Plan::TILE),
                    halo: plan.halo.unwrap_or(description.halo)[i],
                },
            )
        };
        Self {
            y: axis(0),
            x: axis(1),
        }
    }
}

/// The least number that both divide; 0 counts as 1.
#[must_use]
pub fn common_multiple(a: usize, b: usize) -> usize {
    let (a, b) = (a.max(1), b.max(1));
    let (mut high, mut low) = (a.max(b), a.min(b));
    while low != 0 {
        (high, low) = (low, high % low);
    }
    a / high * b
}

impl Row {
    fn new(length: usize, rule: Rule) -> Self {
        let step = rule.step;
        let up = |n: usize| n.div_ceil(step) * step;
        let halo = up(rule.halo);
        let (padded, window, count) = match rule.fixed {
            Some(window) if length <= window => (window, window, 1),
            Some(window) => {
                // The halo must leave at least half of the tile.
                let halo = halo.min(window / 4 / step * step);
                let padded = window + up(length - window);
                let advance = (window - 2 * halo) / step * step;
                let more = (padded - window).div_ceil(advance.max(step));
                (padded, window, 1 + more)
            }
            None => {
                let padded = up(length.max(rule.minimum));
                let tile = up(rule.tile.max(rule.minimum).max(1));
                // A little too long for one tile is run whole: halos cost more than memory.
                if padded <= tile + tile / 4 {
                    (padded, padded, 1)
                } else {
                    let count = padded.div_ceil(tile);
                    let window = up((padded + (count - 1) * 2 * halo).div_ceil(count));
                    if window >= padded {
                        (padded, padded, 1)
                    } else {
                        // Rounding made tiles longer: fewer may do.
                        let count = 1 + (padded - window).div_ceil(window - 2 * halo);
                        (padded, window, count)
                    }
                }
            }
        };
        Self {
            padded,
            window,
            spans: spread(padded, window, count, step),
        }
    }
}

/// Spreads `count` windows evenly. Neighbours meet in the middle of what they share.
fn spread(padded: usize, window: usize, count: usize, step: usize) -> Vec<Span> {
    let last = padded - window;
    let start = |i: usize| match count {
        1 => 0,
        _ => (last * i).div_ceil((count - 1) * step) * step,
    };
    let shared = |i: usize| (start(i) + window).saturating_sub(start(i + 1));
    let meet = |i: usize| start(i + 1) + shared(i) / 2 / step * step;
    (0..count)
        .map(|i| Span {
            start: start(i),
            keep_from: if i == 0 { 0 } else { meet(i - 1) },
            keep_to: if i + 1 == count { padded } else { meet(i) },
            shared_before: if i == 0 { 0 } else { shared(i - 1) },
            shared_after: if i + 1 == count { 0 } else { shared(i) },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Tiles cover the image without gaps or overlaps, on the grid, inside the padded image, with their halo.
        #[test]
        fn tiles_partition_the_image(
            length in 1usize..3000, power in 0u32..6, minimum in 1usize..300,
            fixed in proptest::option::of(1usize..20), tile in 1usize..900, halo in 0usize..200,
        ) {
            let step = 1usize << power;
            let fixed = fixed.map(|f| f * 4 * step);
            let rule = Rule { step, minimum, fixed, tile, halo };
            let row = Row::new(length, rule);
            let least = if fixed.is_some() { length } else { length.max(minimum) };
            prop_assert!(row.padded >= least);
            prop_assert_eq!(row.window % step, 0);
            if let Some(fixed) = fixed {
                prop_assert_eq!(row.window, fixed);
            }
            let mut at = 0;
            for span in &row.spans {
                prop_assert_eq!(span.start % step, 0);
                prop_assert_eq!(span.keep_from, at);
                prop_assert!(span.keep_to > span.keep_from || row.spans.len() == 1);
                prop_assert!(span.start + row.window <= row.padded);
                at = span.keep_to;
                if fixed.is_none() {
                    prop_assert!(span.start == 0 || span.keep_from - span.start >= halo);
                    let end = span.start + row.window;
                    prop_assert!(end == row.padded || end - span.keep_to >= halo);
                }
            }
            prop_assert_eq!(at, row.padded);
        }
    }

    #[test]
    fn tiny_tiles_are_no_more_than_needed() {
        let rule = Rule {
            step: 4,
            minimum: 1,
            fixed: None,
            tile: 1,
            halo: 1,
        };
        let row = Row::new(225, rule);
        assert_eq!((row.padded, row.window), (228, 12));
        assert!(row.spans.iter().all(|s| s.keep_from < s.keep_to));
    }

    #[test]
    fn a_camera_image_becomes_four_tiles() {
        let rule = Rule {
            step: 16,
            minimum: 1,
            fixed: None,
            tile: 1024,
            halo: 90,
        };
        let row = Row::new(2048, rule);
        assert_eq!((row.padded, row.window, row.spans.len()), (2048, 1120, 2));
        assert_eq!(Row::new(1280, rule).spans.len(), 1);
    }
}
