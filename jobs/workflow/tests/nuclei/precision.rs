//! Average precision of label images, as `stardist.matching` counts: objects are matched one to one where they share at least a
//! part `t` of their union; AP = hits / (hits + false + missed), over all images together.

use std::collections::BTreeMap;

use ndarray::Array2;

/// The overlaps at which matches are counted.
pub const OVERLAPS: [f64; 9] = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9];

/// Counts over several images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Precision {
    /// Matches at each overlap.
    hits: [usize; OVERLAPS.len()],
    /// Objects in the truth.
    truth: usize,
    /// Objects that were found.
    found: usize,
}

impl Precision {
    /// Adds an image.
    pub fn add(&mut self, truth: &Array2<u32>, found: &Array2<u32>) {
        let mut shared: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        for pair in truth.iter().copied().zip(found.iter().copied()) {
            *shared.entry(pair).or_default() += 1;
        }
        let (mut truths, mut founds) = (BTreeMap::new(), BTreeMap::new());
        for (&(t, f), &n) in &shared {
            *truths.entry(t).or_insert(0) += n;
            *founds.entry(f).or_insert(0) += n;
        }
        let objects = |areas: &BTreeMap<u32, usize>| areas.keys().filter(|&&l| l != 0).count();
        self.truth += objects(&truths);
        self.found += objects(&founds);
        for (hits, overlap) in self.hits.iter_mut().zip(OVERLAPS) {
            let mut edges: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (&(t, f), &n) in &shared {
                let union = truths[&t] + founds[&f] - n;
                if t != 0 && f != 0 && n as f64 / union as f64 >= overlap {
                    edges.entry(t).or_default().push(f);
                }
            }
            *hits += pairs(&edges);
        }
    }

    /// Average precision at `OVERLAPS[at]`.
    pub fn at(&self, at: usize) -> f64 {
        let hits = self.hits[at];
        hits as f64 / (self.truth + self.found - hits).max(1) as f64
    }

    /// The mean over all overlaps.
    pub fn mean(&self) -> f64 {
        (0..OVERLAPS.len()).map(|i| self.at(i)).sum::<f64>() / OVERLAPS.len() as f64
    }

    /// `0.796 / 0.606 / 0.544`: at 0.5, at 0.7, mean.
    pub fn summary(&self) -> String {
        format!("{:.4} / {:.4} / {:.4}", self.at(0), self.at(4), self.mean())
    }
}

/// The largest number of one-to-one pairs: with half of the union shared there is hardly ever a choice, but there can be.
fn pairs(edges: &BTreeMap<u32, Vec<u32>>) -> usize {
    fn place(
        of: u32,
        edges: &BTreeMap<u32, Vec<u32>>,
        tried: &mut Vec<u32>,
        taken: &mut BTreeMap<u32, u32>,
    ) -> bool {
        for &to in &edges[&of] {
            if tried.contains(&to) {
                continue;
            }
            tried.push(to);
            let free = match taken.get(&to).copied() {
                None => true,
                Some(other) => place(other, edges, tried, taken),
            };
            if free {
                taken.insert(to, of);
                return true;
            }
        }
        false
    }
    let mut taken = BTreeMap::new();
    edges
        .keys()
        .filter(|&&of| place(of, edges, &mut Vec::new(), &mut taken))
        .count()
}
