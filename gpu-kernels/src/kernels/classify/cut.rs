//! How an image is cut into regions that fit on the device.

use analysis::pixel_features::Region;

use crate::gpu::Gpu;
use crate::kernels::features::Need;

/// Regions are not made smaller than that beforehand.
const LEAST: usize = 64;

/// Kernels count values with 32 bits.
const MOST_BYTES: u64 = 1 << 33;

/// Cuts an image into regions whose `need` the device can hold, by halving the longest axis.
pub(super) fn regions(gpu: &Gpu, extent: [usize; 3], need: impl Fn(Region) -> Need) -> Vec<Region> {
    let fits = |size: [usize; 3]| {
        // One in the middle needs most.
        let need = need(Region {
            start: [0, 1, 2].map(|axis| (extent[axis] - size[axis]) / 2),
            size,
        });
        let (largest, total) = (4 * need.largest as u64, 4 * need.total as u64);
        // Buffers are rounded up by an eighth. Those of a region are free again for the next one when it was submitted.
        largest <= gpu.largest_binding().min(MOST_BYTES) && total + total / 8 <= gpu.memory()
    };
    let mut size = extent;
    while !fits(size) && size.iter().product::<usize>() > LEAST {
        let longest = longest(size);
        size[longest] = size[longest].div_ceil(2);
    }
    Region::whole(extent).tiles(size)
}

fn longest(size: [usize; 3]) -> usize {
    (0..3).max_by_key(|&axis| size[axis]).unwrap_or(0)
}

/// Two halves of a region; none of a single voxel.
pub(super) fn halves(region: Region) -> Option<[Region; 2]> {
    let mut size = region.size;
    let longest = longest(size);
    size[longest] = size[longest].div_ceil(2);
    region.tiles(size).try_into().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_whole() {
        let region = Region {
            start: [1, 2, 3],
            size: [2, 7, 5],
        };
        let [a, b] = halves(region).unwrap();
        assert_eq!(a.len() + b.len(), region.len());
        assert_eq!((a.end(1), b.end(1)), (b.start[1], region.end(1)));
        let one = Region {
            size: [1; 3],
            ..region
        };
        assert!(halves(one).is_none());
    }
}
