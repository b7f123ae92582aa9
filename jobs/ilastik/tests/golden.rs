//! Real projects and what real ilastik made of them.
#![allow(clippy::unwrap_used, missing_docs)]

mod reference;

use std::path::{Path, PathBuf};

use ilastik::{Image, Project, Source};
use image_io::PixelType;
use image_io::exchange::Axes;
use ndarray::{Array5, Axis};
use reference::{dataset, expected, image};

fn golden() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/ilastik");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is absent", folder.display());
    None
}

/// Whether results must be ilastik's bit for bit on this machine.
fn exact() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

fn compare(name: &str, got: &Array5<f32>, wanted: &Array5<f32>, exact: bool) {
    assert_eq!(got.dim(), wanted.dim(), "{name}");
    let count = got.len() as f64;
    let differing = got
        .iter()
        .zip(wanted)
        .filter(|(a, b)| a.to_bits() != b.to_bits())
        .count();
    let off = |by: f32| {
        got.iter()
            .zip(wanted)
            .filter(|(a, b)| (*a - *b).abs() >= by)
            .count()
    };
    println!(
        "{name}: {} values, {differing} differ in a bit, {} by 1e-6, {} by 0.015, {} by 0.15",
        got.len(),
        off(1e-6),
        off(0.015),
        off(0.15)
    );
    if exact {
        assert_eq!(differing, 0, "{name}");
    }
    // ilastik's own rule for results of other machines.
    assert!(off(0.015) as f64 / count < 1e-3 && off(0.15) == 0, "{name}");
}

#[test]
fn features_are_ilastiks() {
    let Some(folder) = golden() else { return };
    let whole = |project: &str, picture: &str, axes: &str| {
        let project = Project::open(&folder.join(project)).unwrap();
        project
            .features(&image(&folder.join(picture), axes))
            .unwrap()
    };
    let (wanted, _) = dataset(
        &folder.join("features/features.h5"),
        "pc_2d_1ch_features_yxF",
    );
    let wanted = Image::new(wanted, "yxc".parse::<Axes>().unwrap(), PixelType::F32).unwrap();
    let got = whole(
        "pc_2d_1ch/project.ilp",
        "pc_2d_1ch/Data_1channel.png",
        "cyx",
    );
    check_features("pc_2d_1ch", &got, &wanted.values);
    let (wanted, _) = dataset(
        &folder.join("features/features.h5"),
        "cells_pc_features_rows400-528_cols500-756",
    );
    let wanted = Image::new(wanted, "yxc".parse::<Axes>().unwrap(), PixelType::F32).unwrap();
    let got = whole(
        "cells_pc/project.ilp",
        "cells_pc/2d_cells_apoptotic_1channel.png",
        "cyx",
    );
    let got = got
        .slice(ndarray::s![.., .., .., 400..528, 500..756])
        .to_owned();
    check_features("cells_pc", &got, &wanted.values);
    let (wanted, _) = dataset(&folder.join("features/features.h5"), "pc_3d_features_zyxF");
    let wanted = Image::new(wanted, "zyxc".parse::<Axes>().unwrap(), PixelType::F32).unwrap();
    let got = whole("pc_3d/project.ilp", "pc_3d/Data_3D.npy", "zyx");
    check_features("pc_3d", &got, &wanted.values);
}

fn check_features(name: &str, got: &Array5<f32>, wanted: &Array5<f32>) {
    assert_eq!(got.dim(), wanted.dim());
    for column in 0..got.dim().1 {
        let (g, w) = (
            got.index_axis(Axis(1), column),
            wanted.index_axis(Axis(1), column),
        );
        let differing = g
            .iter()
            .zip(&w)
            .filter(|(a, b)| a.to_bits() != b.to_bits())
            .count();
        let range = w.iter().fold(0f32, |m, v| m.max(v.abs()));
        let worst = g
            .iter()
            .zip(&w)
            .fold(0f32, |m, (a, b)| m.max((a - b).abs()));
        if differing > 0 {
            println!(
                "{name} column {column}: {differing} of {} values differ, by up to {worst}",
                g.len()
            );
        }
        assert!(
            worst <= 2e-4 * range,
            "{name} column {column}: {worst} of {range}"
        );
        assert!(!exact() || differing == 0, "{name} column {column}");
    }
}

#[test]
fn probabilities_are_ilastiks() {
    let Some(folder) = golden() else { return };
    for (case, picture, axes, result) in [
        ("pc_2d_1ch", "Data_1channel.png", "cyx", "yxc"),
        ("pc_2d_3ch", "Data_3channel.png", "cyx", "yxc"),
        ("cells_pc", "2d_cells_apoptotic_1channel.png", "cyx", "yxc"),
        ("old122_2d3c", "2d3c.h5", "yxc", "yxc"),
        ("old122_5t2d1c", "5t2d1c.h5", "tyxc", "tyxc"),
        ("old122_5t2d2c", "5t2d2c.h5", "tyxc", "tyxc"),
        ("pc_3d", "Data_3D.npy", "zyx", "zyxc"),
    ] {
        let folder = folder.join(case);
        let project = Project::open(&folder.join("project.ilp")).unwrap();
        let start = std::time::Instant::now();
        let got = project
            .probabilities(&image(&folder.join(picture), axes))
            .unwrap();
        println!("{case}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
        let wanted = expected(&folder.join("Probabilities.h5"), result);
        compare(case, got.last().unwrap(), &wanted, exact());
    }
}

#[test]
fn segmentation_and_uncertainty_are_ilastiks() {
    let Some(folder) = golden() else { return };
    for (case, picture, axes, result) in [
        ("pc_2d_1ch", "Data_1channel.png", "cyx", "yxc"),
        ("pc_2d_3ch", "Data_3channel.png", "cyx", "yxc"),
        ("cells_pc", "2d_cells_apoptotic_1channel.png", "cyx", "yxc"),
        ("pc_3d", "Data_3D.npy", "zyx", "zyxc"),
    ] {
        let folder = folder.join(case);
        let project = Project::open(&folder.join("project.ilp")).unwrap();
        let image = image(&folder.join(picture), axes);
        let wanted = expected(&folder.join("Simple_Segmentation.h5"), result);
        let got = project.predict(&image, Source::SimpleSegmentation).unwrap();
        assert_eq!(got.data_type.name(), "uint8");
        // Where two labels tie, ilastik's own answer depends on the order in which its threads end.
        let probabilities = project
            .predict(&image, Source::Probabilities)
            .unwrap()
            .values;
        let mut ties = 0;
        for (index, (g, w)) in got
            .values
            .indexed_iter()
            .zip(&wanted)
            .filter(|((_, g), w)| g != w)
            .map(|((i, g), w)| (i, (g, w)))
        {
            let p = |label: f32| {
                probabilities[[index.0, label as usize - 1, index.2, index.3, index.4]]
            };
            assert!((p(*g) - p(*w)).abs() < 1e-6, "{case} {index:?}");
            ties += 1;
        }
        println!("{case}: {ties} of {} pixels differ in a tie", wanted.len());
        let uncertainty = folder.join("Uncertainty.h5");
        if uncertainty.exists() {
            let got = project.predict(&image, Source::Uncertainty).unwrap().values;
            compare(case, &got, &expected(&uncertainty, result), exact());
        }
    }
}

#[test]
fn autocontext_is_ilastiks() {
    let Some(folder) = golden() else { return };
    let folder = folder.join("ac_2d");
    let project = Project::open(&folder.join("project.ilp")).unwrap();
    let got = project
        .probabilities(&image(&folder.join("Data_1channel.png"), "cyx"))
        .unwrap();
    assert_eq!(got.len(), 2);
    for (stage, got) in got.iter().enumerate() {
        let wanted = expected(&folder.join(format!("prob_stage{}.h5", stage + 1)), "yxc");
        compare(&format!("stage {}", stage + 1), got, &wanted, exact());
    }
}

/// Made by the ilastik team on other machines with other versions: only their own rule can hold.
#[test]
fn results_of_other_machines_are_within_ilastiks_rule() {
    let Some(folder) = golden() else { return };
    for (case, picture, axes, stage, shipped, result) in [
        (
            "pc_2d_1ch",
            "Data_1channel.png",
            "cyx",
            0,
            "res-Data_1channel_pc1xyc.h5",
            "yxc",
        ),
        (
            "pc_2d_3ch",
            "Data_3channel.png",
            "cyx",
            0,
            "res-Data_3channel_pc3c.h5",
            "yxc",
        ),
        (
            "pc_3d",
            "Data_3D.npy",
            "zyx",
            0,
            "res-Data_3D_pc3d.h5",
            "zyxc",
        ),
        (
            "ac_2d",
            "Data_1channel.png",
            "cyx",
            0,
            "res-Data_1channel_ac2ds1.h5",
            "yxc",
        ),
        (
            "ac_2d",
            "Data_1channel.png",
            "cyx",
            1,
            "res-Data_1channel_ac2ds2.h5",
            "yxc",
        ),
    ] {
        let project = Project::open(&folder.join(case).join("project.ilp")).unwrap();
        let got = project
            .probabilities(&image(&folder.join(case).join(picture), axes))
            .unwrap();
        let wanted = expected(&folder.join("shipped_gold").join(shipped), result);
        compare(shipped, &got[stage], &wanted, false);
    }
}
