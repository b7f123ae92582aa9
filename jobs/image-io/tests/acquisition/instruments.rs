//! Files of real instruments: shape, type and sums of the pixels as `tifffile.imread` gives them.

use std::path::{Path, PathBuf};

use image_io::acquisition::ImageFile;

use crate::support::{checksums, shared};

/// Folder, file, (rows, columns), type, checksums.
type Expected = (
    &'static str,
    &'static str,
    (usize, usize),
    &'static str,
    (u64, u64),
);

const FILES: [Expected; 13] = [
    (
        "sbs_plate",
        "Channel1-01-A-01.tif",
        (640, 640),
        "uint8",
        (8_587_250, 278_850_062_283),
    ),
    (
        "sbs_plate",
        "Channel2-12-A-12.tif",
        (640, 640),
        "uint8",
        (4_364_324, 136_901_060_932),
    ),
    (
        "cv8000",
        "CV8000-Minimal-DataSet-2C-3W-4S-FP2-stack_D08_T0001F002L01A01Z04C01.tif",
        (2000, 2000),
        "uint16",
        (0, 0),
    ),
    (
        "cp_human",
        "AS_09125_050116030001_D03f00d0.tif",
        (512, 512),
        "uint8",
        (4_533_639, 149_443_984_307),
    ),
    (
        "cp_human",
        "AS_09125_050116030001_D03f00d1.tif",
        (512, 512),
        "uint8",
        (2_766_334, 91_199_718_148),
    ),
    (
        "cp_human",
        "AS_09125_050116030001_D03f00d2.tif",
        (512, 512),
        "uint8",
        (7_433_905, 247_515_918_701),
    ),
    (
        "nf1_plate",
        "D6_01_1_2_DAPI_001.tif",
        (904, 1224),
        "uint16",
        (6_786_924_876, 222_308_921_169_019),
    ),
    (
        "nf1_plate",
        "B7_01_1_3_DAPI_001_MaskNuclei.tiff",
        (904, 1224),
        "uint8",
        (20_307_945, 675_519_359_895),
    ),
    (
        "imagexpress",
        "Projection-Mix_E07_s1_w1_thumb4BFD4018-E675-475E-B5AB-2E959E6B6DA1.tif",
        (64, 80),
        "uint16",
        (2_320_722, 2_965_066_571),
    ),
    (
        "imagexpress",
        "Projection-Mix_E07_s1_w1E94C24BD-45E4-450A-9919-257C714278F7.tif",
        (512, 512),
        "uint16",
        (117_335_419, 3_470_414_318_107),
    ),
    (
        "imagexpress",
        "Projection-Mix_E08_s2_w4_thumbD2785594-4F49-464F-9F80-1B82E30A560A.tif",
        (64, 80),
        "uint16",
        (5_378_083, 16_337_767_763),
    ),
    (
        "stardist_sample",
        "img2d.tif",
        (512, 512),
        "uint16",
        (8_331_268, 279_956_218_210),
    ),
    (
        "dsb2018",
        "labels/07fb37aafa6626608af90c1e18f6a743f29b6b233d2e427dcd1102df6a916cf5.tif",
        (520, 696),
        "uint16",
        (17_131_796, 550_869_615_958),
    ),
];

#[test]
fn pixels_equal_those_of_tifffile() {
    for (folder, name, shape, pixel_type, sums) in FILES {
        let Some(folder) = shared(folder) else { return };
        let path =
            find(&folder, name).unwrap_or_else(|| panic!("no {name} in {}", folder.display()));
        let planes = ImageFile::open(&path).unwrap().read_all().unwrap();
        assert_eq!(planes.len(), 1, "{name}");
        assert_eq!(
            (planes[0].shape(), planes[0].pixel_type().name()),
            (shape, pixel_type),
            "{name}"
        );
        assert_eq!(checksums(&planes[0]), sums, "{name}");
    }
}

/// All files of the plates are whole and can be read.
#[test]
fn whole_plates_are_read() {
    for (folder, least) in [
        ("sbs_plate", 24),
        ("cv8000", 100),
        ("imagexpress", 30),
        ("nf1_plate", 20),
        ("dsb2018", 30),
    ] {
        let Some(folder) = shared(folder) else { return };
        let mut files = Vec::new();
        collect(&folder, &mut files);
        assert!(
            files.len() >= least,
            "{} holds {} images",
            folder.display(),
            files.len()
        );
        for path in files {
            let read = ImageFile::open(&path).and_then(|file| file.read_all());
            assert!(read.is_ok(), "{}", read.unwrap_err());
        }
    }
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.into_iter().find(|path| path.ends_with(name))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| {
            extension == "tif" || extension == "tiff" || extension == "png"
        }) {
            files.push(path);
        }
    }
}
