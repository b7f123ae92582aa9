//! Predictions in files, under ilastik's names and in its types.
#![allow(clippy::unwrap_used, missing_docs)]

mod draft;

use draft::{Draft, project};
use ilastik::{
    DataType, ExportSettings, Image, InputName, Prediction, Project, Source, output_path, write,
};
use image_io::PixelType;
use image_io::container::{Attribute, Tree};
use image_io::exchange::{Axes, read_array};
use ndarray::Array5;

fn prediction() -> Prediction {
    let (_folder, path) = project(&Draft::default());
    let values = Array5::from_shape_fn((1, 1, 1, 20, 22), |(_, _, _, _, x)| x as f32 * 10.0);
    let image = Image::from_working(values, PixelType::U8);
    Project::open(&path)
        .unwrap()
        .predict(&image, Source::Probabilities)
        .unwrap()
}

fn axes(letters: &str) -> Axes {
    letters.parse().unwrap()
}

fn settings(format: &str) -> ExportSettings {
    ExportSettings {
        format: Some(format.to_owned()),
        ..ExportSettings::default()
    }
}

#[test]
fn every_format_holds_the_same_values() {
    let folder = tempfile::tempdir().unwrap();
    let prediction = prediction();
    for (format, ending) in [
        ("hdf5", "h5"),
        ("compressed hdf5", "h5"),
        ("numpy", "npy"),
        ("tif", "tif"),
        ("multipage tiff", "tiff"),
    ] {
        let settings = settings(format);
        let path = folder.path().join(format!("a.{ending}"));
        write(prediction.clone(), &settings, &axes("yx"), &path).unwrap();
        let found = read_array(&path, None).unwrap();
        let tiff = ending.starts_with("tif");
        // The pages of a TIFF are its channels.
        assert_eq!(
            found.values.shape,
            if tiff { [2, 20, 22] } else { [20, 22, 2] }
        );
        assert_eq!(found.values.pixel_type, PixelType::F32);
        let values = found.values.to_f32();
        for (y, x, c) in [(0, 0, 0), (7, 3, 1), (19, 21, 1), (4, 15, 0)] {
            let index = if tiff {
                (c * 20 + y) * 22 + x
            } else {
                (y * 22 + x) * 2 + c
            };
            assert_eq!(
                values[index],
                prediction.values[[0, c, 0, y, x]],
                "{format}"
            );
        }
    }
    let tree = Tree::open(&folder.path().join("a.h5")).unwrap();
    let attribute = |name| tree.attribute("exported_data", name).unwrap().unwrap();
    let tags = attribute("axistags");
    assert_eq!(
        Axes::of_axistags(tags.as_text().unwrap())
            .unwrap()
            .letters(),
        "yxc"
    );
    assert_eq!(attribute("drange"), Attribute::Floats(vec![0.0, 1.0]));
}

#[test]
fn types_ranges_axes_and_regions_are_ilastiks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let mut prediction = prediction();
    prediction.values[[0, 0, 0, 2, 3]] = 0.5;
    prediction.values[[0, 0, 0, 2, 4]] = 0.01;
    let settings = ExportSettings {
        format: Some("hdf5".to_owned()),
        data_type: Some(DataType::U8),
        input_range: Some((0.0, 1.0)),
        output_range: Some((0.0, 255.0)),
        axes: Some("cyx".to_owned()),
        internal_path: Some("/volume/data".to_owned()),
        region_start: Some(vec![Some(0), Some(2), Some(3)]),
        region_stop: Some(vec![Some(1), Some(4), None]),
        ..ExportSettings::default()
    };
    write(prediction.clone(), &settings, &axes("yx"), &path).unwrap();
    let found = read_array(&path, Some("volume/data")).unwrap();
    assert_eq!(
        (found.values.shape.as_slice(), found.values.pixel_type),
        (&[1, 2, 19][..], PixelType::U8)
    );
    // Halves go to the even number.
    assert_eq!(found.values.bytes[..3], [128, 3, 255]);
    let plain = ExportSettings {
        data_type: Some(DataType::U8),
        axes: Some("yxc".into()),
        ..ExportSettings::default()
    };
    write(prediction.clone(), &plain, &axes("yx"), &path).unwrap();
    let bytes = read_array(&path, None).unwrap().values.bytes;
    assert_eq!(
        bytes[(2 * 22 + 3) * 2],
        0,
        "without ranges values are cut off"
    );
    for (wrong, words) in [
        (
            ExportSettings {
                axes: Some("yx".into()),
                ..ExportSettings::default()
            },
            "leaves out the axis `c`",
        ),
        (
            ExportSettings {
                region_start: Some(vec![Some(0)]),
                ..ExportSettings::default()
            },
            "has 1 axes",
        ),
        (
            ExportSettings {
                region_stop: Some(vec![None, Some(99), None]),
                ..ExportSettings::default()
            },
            "passes",
        ),
        (
            ExportSettings {
                format: Some("dvid".into()),
                ..ExportSettings::default()
            },
            "not written here",
        ),
    ] {
        let error = write(prediction.clone(), &wrong, &axes("yx"), &path).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn names_are_ilastiks() {
    let name = |input: &str, format: &str, template: Option<&str>| {
        let settings = ExportSettings {
            filename: template.map(str::to_owned),
            ..settings(format)
        };
        let found = output_path(
            &settings,
            &InputName::parse(input),
            Source::SimpleSegmentation,
        );
        found.map(|path| path.display().to_string())
    };
    assert_eq!(
        name("in/a.tif", "hdf5", None).unwrap(),
        "in/a_Simple Segmentation.h5"
    );
    assert_eq!(
        name("in/x.h5/volume/data", "numpy", None).unwrap(),
        "in/x-volume-data_Simple Segmentation.npy"
    );
    assert_eq!(
        name("a.tif", "tiff", Some("out/{nickname}.png")).unwrap(),
        "out/a.tiff"
    );
    assert_eq!(
        name("a.tif", "hdf5", Some("out/s1.5_{nickname}")).unwrap(),
        "out/s1.5_a.h5"
    );
    assert!(
        name("a.tif", "hdf5", Some("{oops}"))
            .unwrap_err()
            .contains("`{oops}`")
    );
    assert!(name("a.tif", "n5", None).unwrap_err().contains("n5"));
}

#[test]
fn a_mask_clears_what_is_outside() {
    let mut mask = Array5::<f32>::zeros((1, 1, 1, 20, 22));
    mask[[0, 0, 0, 5, 20]] = 3.0;
    let masked = prediction().masked(&mask).unwrap();
    assert_eq!(masked.values.sum(), 1.0);
    assert_eq!(masked.values[[0, 1, 0, 5, 20]], 1.0);
    assert!(
        prediction()
            .masked(&Array5::zeros((1, 1, 1, 2, 2)))
            .is_err()
    );
}
