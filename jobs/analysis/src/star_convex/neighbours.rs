//! Which polygons come near a given one.

use super::polygon::Bounds;

/// Polygons by size class and place: a class holds those up to 2^class pixels wide, in square cells of that size by their
/// smallest corner, so that one huge polygon does not make every search long.
pub(super) struct Neighbours {
    classes: Vec<Class>,
}

struct Class {
    /// Side of a cell is `1 << shift` pixels.
    shift: u32,
    /// Cell of the smallest corner of all.
    first: [i32; 2],
    cells: [usize; 2],
    /// The items of cell `c` are `items[starts[c]..ends[c]]`; what is decided is taken out.
    starts: Vec<u32>,
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Neighbours {
    pub fn of(bounds: &[Bounds]) -> Self {
        let mut members: Vec<Vec<u32>> = Vec::new();
        for (rank, b) in bounds.iter().enumerate() {
            let class = class_of(b) as usize;
            if members.len() <= class {
                members.resize_with(class + 1, Vec::new);
            }
            members[class].push(rank as u32);
        }
        let classes = members
            .into_iter()
            .enumerate()
            .filter(|(_, members)| !members.is_empty())
            .map(|(class, members)| Class::of(class as u32, &members, bounds))
            .collect();
        Self { classes }
    }

    /// Calls `near(rank)` for every polygon whose box meets that of `bounds[of]`, in no particular order. Those for which
    /// `decided(rank)` holds are forgotten.
    pub fn visit(
        &mut self,
        of: &Bounds,
        bounds: &[Bounds],
        decided: impl Fn(u32) -> bool,
        mut near: impl FnMut(u32),
    ) {
        for class in &mut self.classes {
            // A member begins at most 2^shift before the box that it meets.
            let reach = 1 << class.shift;
            let range = |axis: usize| {
                let cell = |v: i32| ((v >> class.shift) - class.first[axis]).max(0) as usize;
                let low = cell(of.low[axis].saturating_sub(reach));
                low..(cell(of.high[axis]) + 1).min(class.cells[axis])
            };
            if (of.high[0] >> class.shift) < class.first[0]
                || (of.high[1] >> class.shift) < class.first[1]
            {
                continue;
            }
            for row in range(1) {
                for cell in range(0).map(|column| row * class.cells[0] + column) {
                    let (start, end) = (class.starts[cell] as usize, class.ends[cell] as usize);
                    let mut kept = start;
                    for at in start..end {
                        let rank = class.items[at];
                        if decided(rank) {
                            continue;
                        }
                        class.items[kept] = rank;
                        kept += 1;
                        let b = &bounds[rank as usize];
                        if (0..2).all(|a| b.low[a] <= of.high[a] && of.low[a] <= b.high[a]) {
                            near(rank);
                        }
                    }
                    class.ends[cell] = kept as u32;
                }
            }
        }
    }
}

/// The smallest class whose cells are at least as wide and high as the polygon.
fn class_of(b: &Bounds) -> u32 {
    let size = (b.high[0] - b.low[0]).max(b.high[1] - b.low[1]).max(1);
    (size as u32).next_power_of_two().trailing_zeros().max(4)
}

impl Class {
    fn of(shift: u32, members: &[u32], bounds: &[Bounds]) -> Self {
        let corner = |rank: u32, axis: usize| bounds[rank as usize].low[axis] >> shift;
        let span = |axis: usize| {
            let all = members.iter().map(|&rank| corner(rank, axis));
            let (low, high) = all.fold((i32::MAX, i32::MIN), |(l, h), v| (l.min(v), h.max(v)));
            (low, (high - low) as usize + 1)
        };
        let ((x, columns), (y, rows)) = (span(0), span(1));
        let cell =
            |rank: u32| (corner(rank, 1) - y) as usize * columns + (corner(rank, 0) - x) as usize;
        let mut ends = vec![0u32; rows * columns];
        for &rank in members {
            ends[cell(rank)] += 1;
        }
        let mut sum = 0;
        let starts: Vec<u32> = ends
            .iter_mut()
            .map(|n| {
                let start = sum;
                sum += *n;
                *n = start;
                start
            })
            .collect();
        let mut items = vec![0; members.len()];
        for &rank in members {
            let end = &mut ends[cell(rank)];
            items[*end as usize] = rank;
            *end += 1;
        }
        Self {
            shift,
            first: [x, y],
            cells: [columns, rows],
            starts,
            ends,
            items,
        }
    }
}
