//! Two StarDist networks on one image.

use analysis::star_convex::{Candidates, Grid};
use ndarray::{Ix2, Ix3};

use crate::{labels, models, numpy};

/// `ref_dist.npy` is rounded to float16, which moves corners by up to 0.008 pixels and with them one to three pixels of the label
/// image; points and probabilities do not change. With the corners as they were the label image is exactly StarDist's.
#[test]
fn objects_are_those_of_stardist() {
    for (name, threshold) in [
        ("stardist_dsb2018", 0.602_749_3),
        ("stardist_dsb2018_tiny", 0.515_977_44),
    ] {
        let Some(folder) = models(name) else { return };
        let prob = numpy::read(&folder.join("ref_prob.npy"));
        let dist = numpy::read(&folder.join("ref_dist.npy"));
        let prob = prob.into_dimensionality::<Ix2>().unwrap();
        let dist = dist.into_dimensionality::<Ix3>().unwrap();
        let grid = Grid {
            step: (2, 2),
            cells: prob.dim(),
            image: (256, 256),
            border: 2,
        };
        let mut candidates = Candidates::new(32).unwrap();
        candidates
            .collect(prob.view(), dist.view(), grid, (0, 0), threshold)
            .unwrap();
        let found = candidates.suppress(0.3);

        let file = folder.join("ref_instances.npz");
        let points: Vec<f32> = found.points.iter().flatten().map(|&v| v as f32).collect();
        assert_eq!(
            numpy::read_member(&file, "points")
                .into_raw_vec_and_offset()
                .0,
            points,
            "{name}"
        );
        let probabilities = numpy::read_member(&file, "prob")
            .into_raw_vec_and_offset()
            .0;
        assert_eq!(probabilities, found.probabilities, "{name}");
        let coordinates = numpy::read_member(&file, "coord")
            .into_dimensionality::<Ix3>()
            .unwrap();
        let mut exact = found.clone();
        for object in 0..found.len() {
            let centre = found.points[object].map(|v| v as f32);
            for (ray, corner) in found.polygon(object).iter().enumerate() {
                let of = [0, 1].map(|axis| coordinates[[object, axis, ray]]);
                let off = (corner[0] - of[0]).abs().max((corner[1] - of[1]).abs());
                assert!(off < 0.01, "{name}: object {object}, ray {ray}: {off}");
                exact.distances[[object, ray]] = (of[0] - centre[0]).hypot(of[1] - centre[1]);
            }
        }
        let expected = labels(&folder.join("ref_labels.tif"), 0);
        assert_eq!(exact.label_image((256, 256)), expected, "{name}");
        let painted = found.label_image((256, 256));
        let other = painted
            .iter()
            .zip(&expected)
            .filter(|(a, b)| a != b)
            .count();
        assert!(other <= 3, "{name}: {other} pixels");
    }
}
