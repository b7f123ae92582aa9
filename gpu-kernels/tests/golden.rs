//! Real projects on the device, and what real ilastik made of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;
#[path = "../../jobs/ilastik/tests/reference/mod.rs"]
mod reference;

use std::path::Path;

use gpu_kernels::Local;
use ilastik::{Project, Source};
use reference::{expected, image};

/// ilastik's own rule for results of other machines: fewer than 0.1 % of the values differ by 0.015 or more, none by 0.15.
#[test]
fn probabilities_are_ilastiks_within_its_own_rule() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden/ilastik");
    if !folder.is_dir() {
        eprintln!("skipped: {} is absent", folder.display());
        return;
    }
    let Some(gpu) = common::gpu() else { return };
    let device = Local::new(gpu);
    for (case, picture, axes, result) in [
        ("pc_2d_1ch", "Data_1channel.png", "cyx", "yxc"),
        ("pc_2d_3ch", "Data_3channel.png", "cyx", "yxc"),
        ("old122_2d3c", "2d3c.h5", "yxc", "yxc"),
        ("cells_pc", "2d_cells_apoptotic_1channel.png", "cyx", "yxc"),
        ("pc_3d", "Data_3D.npy", "zyx", "zyxc"),
    ] {
        let folder = folder.join(case);
        let project = Project::open(&folder.join("project.ilp")).unwrap();
        let image = image(&folder.join(picture), axes);
        let begin = std::time::Instant::now();
        let found = project
            .predict_on(&image, Source::Probabilities, Some(&device))
            .unwrap();
        let elapsed = begin.elapsed();
        assert!(found.accelerated, "{case}: {:?}", device.refused());
        let wanted = expected(&folder.join("Probabilities.h5"), result);
        assert_eq!(found.values.dim(), wanted.dim(), "{case}");
        let pairs = || found.values.iter().zip(&wanted);
        let off = |by: f32| pairs().filter(|(a, b)| (**a - **b).abs() >= by).count();
        let largest = pairs().fold(0f32, |most, (a, b)| most.max((a - b).abs()));
        println!(
            "{case}: {} values, {} differ, {} by 0.015 or more, the largest by {largest}; {elapsed:?}",
            found.values.len(),
            pairs().filter(|(a, b)| a != b).count(),
            off(0.015),
        );
        assert!(
            off(0.015) * 1000 < found.values.len() && off(0.15) == 0,
            "{case}"
        );
    }
}
