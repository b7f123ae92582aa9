//! Nuclei with ground truth (50 images, 1,563 nuclei) against what the original programs reach on them.

use crate::common::shared;
use crate::methods::{
    CLASSICAL, STARDIST, images, instanseg, measure, measure_instanseg, median_diameter,
};
use crate::precision::Precision;

/// Equal to the original's average precision at half of the union.
fn as_good(name: &str, found: &Precision, original: f64) {
    println!("{name}: {} (original at 0.5: {original})", found.summary());
    assert!(
        (found.at(0) - original).abs() <= 0.005,
        "{name}: {}",
        found.summary()
    );
}

#[test]
fn classical_and_stardist_are_as_good_as_the_originals() {
    let (Some(folder), Some(models)) = (shared("data/dsb2018/test"), shared("models")) else {
        return;
    };
    let images = images(&folder);
    assert_eq!(images.len(), 50);
    as_good(
        "Otsu and watershed",
        &measure(&images, CLASSICAL, &folder),
        0.732,
    );
    for (name, original) in [
        ("stardist_dsb2018_tiny", 0.734),
        ("stardist_dsb2018", 0.796),
    ] {
        as_good(
            name,
            &measure(&images, STARDIST, &models.join(name)),
            original,
        );
    }
}

/// On images of large nuclei, which InstanSeg misses at their own magnification. Its network takes as long as all others
/// together: `bench/run.sh … nuclei` runs it on all 50 images.
#[test]
fn instanseg_finds_large_nuclei_once_rescaled() {
    let (Some(folder), Some(models)) = (shared("data/dsb2018/test"), shared("models")) else {
        return;
    };
    let images: Vec<_> = images(&folder)
        .into_iter()
        .filter(|(_, truth)| median_diameter(truth) > 40.0)
        .collect();
    assert!(images.len() >= 3);
    let rescaled = measure_instanseg(&images, &models);
    let auto = measure(&images, &instanseg("\"auto\""), &models);
    let alone = measure(&images[..1], &instanseg("1.0"), &models);
    println!(
        "InstanSeg on {} images of large nuclei: as they are {}, rescaled {}, auto {}",
        images.len(),
        alone.summary(),
        rescaled.summary(),
        auto.summary()
    );
    assert!(rescaled.at(0) > 0.6 && auto.at(0) > 0.6 && alone.at(0) < 0.2);
}
