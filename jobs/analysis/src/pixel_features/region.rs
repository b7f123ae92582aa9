//! Boxes in a volume, and the values in one.

/// A box of voxels, axes (z, y, x).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its first voxel.
    pub start: [usize; 3],
    /// Its lengths.
    pub size: [usize; 3],
}

impl Region {
    /// All of a volume.
    #[must_use]
    pub const fn whole(extent: [usize; 3]) -> Self {
        Self {
            start: [0; 3],
            size: extent,
        }
    }

    /// Number of voxels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.size.iter().product()
    }

    /// Whether it has no voxel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One beyond its last voxel along an axis.
    #[must_use]
    pub const fn end(&self, axis: usize) -> usize {
        self.start[axis] + self.size[axis]
    }

    /// The region with `by` voxels more on both sides of an axis, as far as the volume reaches.
    #[must_use]
    pub fn grown(mut self, axis: usize, by: usize, extent: [usize; 3]) -> Self {
        let end = (self.end(axis) + by).min(extent[axis]);
        self.start[axis] = self.start[axis].saturating_sub(by);
        self.size[axis] = end - self.start[axis];
        self
    }

    /// Where a voxel lies in the region's values.
    pub(crate) fn index_of(&self, voxel: [usize; 3]) -> Option<usize> {
        let mut index = 0;
        for (axis, at) in voxel.into_iter().enumerate() {
            let at = at.checked_sub(self.start[axis])?;
            if at >= self.size[axis] {
                return None;
            }
            index = index * self.size[axis] + at;
        }
        Some(index)
    }

    /// Cuts the region into boxes of at most `size`.
    #[must_use]
    pub fn tiles(self, size: [usize; 3]) -> Vec<Self> {
        let starts = |axis: usize| (self.start[axis]..self.end(axis)).step_by(size[axis].max(1));
        let mut tiles = Vec::new();
        for z in starts(0) {
            for y in starts(1) {
                for x in starts(2) {
                    let start = [z, y, x];
                    let size = std::array::from_fn(|a| size[a].min(self.end(a) - start[a]));
                    tiles.push(Self { start, size });
                }
            }
        }
        tiles
    }
}

/// Values of a region, row after row.
#[derive(Debug)]
pub(crate) struct Block {
    pub region: Region,
    pub values: Vec<f32>,
}

impl Block {
    pub(crate) fn view(&self) -> View<'_> {
        View {
            region: self.region,
            values: &self.values,
        }
    }
}

/// As [`Block`], of somebody else's values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub region: Region,
    pub values: &'a [f32],
}

impl<'a> View<'a> {
    /// The row through absolute (z, y), from the region's first x on.
    #[inline(always)]
    pub(crate) fn row(&self, z: usize, y: usize) -> &'a [f32] {
        let Region { start, size } = self.region;
        let at = ((z - start[0]) * size[1] + (y - start[1])) * size[2];
        &self.values[at..at + size[2]]
    }
}

/// The voxel that stands for `index`, which may be beyond the border: mirrored, the edge not repeated.
///
/// `index` must be less than one length beyond.
#[inline(always)]
pub(crate) fn mirror(index: isize, length: usize) -> usize {
    let last = length.cast_signed() - 1;
    let inside = if index < 0 { -index } else { index };
    (if inside > last {
        2 * last - inside
    } else {
        inside
    })
    .cast_unsigned()
}

/// Buffers to be used again: a tile needs some dozens of them.
#[derive(Default)]
pub(crate) struct Buffers(Vec<Vec<f32>>);

impl Buffers {
    /// A buffer of that length; its values are whatever was left there.
    pub(crate) fn take(&mut self, length: usize) -> Vec<f32> {
        // Few lengths are asked for again and again: one that fits need not be filled.
        let fitting = self.0.iter().rposition(|b| b.len() == length);
        if let Some(index) = fitting {
            return self.0.swap_remove(index);
        }
        let mut buffer = self.0.pop().unwrap_or_default();
        buffer.resize(length, 0.0);
        buffer
    }

    pub(crate) fn give(&mut self, buffer: Vec<f32>) {
        self.0.push(buffer);
    }
}
