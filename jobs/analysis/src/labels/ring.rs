//! Rings around objects, parted where two objects are equally near.

use ndarray::{Array2, ArrayView2, Zip};

use crate::components::{Connectivity, relabel_sequential, sizes};
use crate::distance::edt;
use crate::watershed::watershed;
use crate::{Error, Result};

/// How far a ring reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RingWidth {
    /// Less than this many pixels from the object.
    Pixels(f64),
    /// This many times the square root of the median area of the objects, rounded down to whole pixels.
    Factor(f64),
}

/// The pixels around each object (y, x; 0 = background), with its label: BatchLib's VoronoiRingSegmentation. With `keep`
/// the object itself is included.
///
/// A pixel belongs to a ring if its Euclidean distance to the nearest object is below the width, and to the object from
/// which `skimage.segmentation.watershed` of that distance reaches it first. Without objects nothing is.
///
/// # Errors
/// [`Error::Parameter`] if the width is negative or not a number, or for a plane with a side of more than 46,340 pixels.
pub fn voronoi_ring(
    labels: ArrayView2<'_, u32>,
    width: RingWidth,
    keep: bool,
) -> Result<Array2<u32>> {
    let (RingWidth::Pixels(number) | RingWidth::Factor(number)) = width;
    if !(number >= 0.0 && number.is_finite()) {
        return Err(Error::Parameter {
            name: match width {
                RingWidth::Pixels(_) => "ring_width",
                RingWidth::Factor(_) => "radius_factor",
            },
            value: number.to_string(),
            expected: "0 or more",
        });
    }
    let width = match width {
        RingWidth::Pixels(width) => width,
        RingWidth::Factor(factor) => (factor * median_area(labels).sqrt()).floor(),
    };
    let outside = labels.mapv(|label| label == 0);
    if outside.iter().all(|&outside| outside) {
        return Ok(Array2::zeros(labels.dim()));
    }
    let distance = edt(outside.view())?;
    // Flooding only what is near gives the labels of flooding the whole plane: distances never rise on the way to the
    // nearest object, so what is farther away comes later.
    let near = distance.mapv(|distance| distance < width);
    let mut rings = watershed(
        distance.view(),
        labels,
        Some(near.view()),
        Connectivity::Edges,
    )?;
    Zip::from(&mut rings).and(labels).for_each(|ring, &label| {
        if label != 0 && !keep {
            *ring = 0;
        }
    });
    Ok(rings)
}

/// 0 without objects.
fn median_area(labels: ArrayView2<'_, u32>) -> f64 {
    let mut areas = sizes(relabel_sequential(labels).0.view());
    let areas = &mut areas[1..];
    areas.sort_unstable();
    match areas.len() {
        0 => 0.0,
        n => (areas[(n - 1) / 2] + areas[n / 2]) as f64 / 2.0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::array;

    use super::*;

    #[test]
    fn a_ring_ends_below_its_width_and_half_way_to_the_neighbour() {
        let labels = array![[0, 0, 0, 5, 0, 0, 0, 0, 8, 0]];
        let ring = |width, keep| voronoi_ring(labels.view(), RingWidth::Pixels(width), keep);
        assert_eq!(
            ring(3.0, false).unwrap(),
            array![[0, 5, 5, 0, 5, 5, 8, 8, 0, 8]]
        );
        assert_eq!(
            ring(2.0, true).unwrap(),
            array![[0, 0, 5, 5, 5, 0, 0, 8, 8, 8]]
        );
        // Nothing but the objects is nearer than one pixel.
        assert!(ring(1.0, false).unwrap().iter().all(|&label| label == 0));
        assert_eq!(ring(1.0, true).unwrap(), labels);
        assert!(ring(0.0, true).unwrap().iter().all(|&label| label == 0));
        assert!(
            ring(f64::NAN, true)
                .unwrap_err()
                .to_string()
                .contains("ring_width")
        );
    }

    #[test]
    fn the_factor_counts_in_roots_of_the_median_area() {
        // Areas 1 and 3: the median is 2, and 2 * sqrt(2) is rounded down to 2.
        let labels = array![[
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            4_000_000_000,
            4_000_000_000,
            4_000_000_000
        ]];
        let by_factor = voronoi_ring(labels.view(), RingWidth::Factor(2.0), true).unwrap();
        let by_width = voronoi_ring(labels.view(), RingWidth::Pixels(2.0), true).unwrap();
        assert_eq!(by_factor, by_width);
        assert_eq!(by_factor[[0, 1]], 1);
        let nothing = Array2::zeros((3, 3));
        let ring = voronoi_ring(nothing.view(), RingWidth::Factor(2.0), true).unwrap();
        assert_eq!(ring, nothing);
    }
}
