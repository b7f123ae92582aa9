//! OME's `DimensionOrder`: how a running number becomes channel, z-slice and timepoint.

/// The order in which positions run through channel, z and time.
pub(super) struct Order {
    /// Which of (c, z, t) varies fastest, second, last.
    axes: [usize; 3],
    sizes: [usize; 3],
}

impl Order {
    pub(super) fn parse(name: &str, sizes: [usize; 3]) -> Option<Self> {
        let axes: Vec<usize> = name
            .strip_prefix("XY")?
            .chars()
            .filter_map(|axis| "CZT".find(axis))
            .collect();
        let axes: [usize; 3] = axes.try_into().ok()?;
        (0..3)
            .all(|axis| axes.contains(&axis))
            .then_some(Self { axes, sizes })
    }

    pub(super) const fn count(&self) -> usize {
        self.sizes[0] * self.sizes[1] * self.sizes[2]
    }

    pub(super) fn position(&self, at: [usize; 3]) -> Option<usize> {
        let [a, b, c] = self.axes;
        let inside = (0..3).all(|axis| at[axis] < self.sizes[axis]);
        inside.then(|| (at[c] * self.sizes[b] + at[b]) * self.sizes[a] + at[a])
    }

    pub(super) const fn coordinates(&self, position: usize) -> [usize; 3] {
        let [a, b, c] = self.axes;
        let mut at = [0; 3];
        at[a] = position % self.sizes[a];
        at[b] = position / self.sizes[a] % self.sizes[b];
        at[c] = position / self.sizes[a] / self.sizes[b];
        at
    }
}
