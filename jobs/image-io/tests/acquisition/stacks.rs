//! Several images in one file: pages, ImageJ and MetaMorph stacks, OME-TIFF.

use image_io::acquisition::{ImageFile, probe};
use image_io::{Error, Pixels};

use crate::builder::Layout;
use crate::support::{shared, write};

fn page(value: u64) -> Layout {
    Layout {
        height: 3,
        width: 5,
        bits: 16,
        values: (0..15).map(|i| value + i).collect(),
        chunk: (2, None),
        ..Layout::default()
    }
}

fn first_values(file: &ImageFile) -> Vec<u16> {
    let first = |plane| match plane {
        Pixels::U16(plane) => plane[[0, 0]],
        other => panic!("{:?}", other.pixel_type()),
    };
    file.read_all().unwrap().into_iter().map(first).collect()
}

#[test]
fn pages_come_in_file_order_with_their_samples() {
    let folder = tempfile::tempdir().unwrap();
    let rgb = Layout {
        height: 2,
        width: 2,
        samples: 3,
        values: (0..12).collect(),
        chunk: (2, None),
        ..Layout::default()
    };
    let path = write(
        &folder,
        "a.tif",
        &Layout::file(&[page(100), rgb, page(200)]),
    );
    let info = probe(&path).unwrap();
    let places: Vec<_> = info
        .planes
        .iter()
        .map(|plane| (plane.file_page, plane.sample))
        .collect();
    assert_eq!(
        places,
        [
            (0, None),
            (1, Some(0)),
            (1, Some(1)),
            (1, Some(2)),
            (2, None)
        ]
    );
    assert_eq!(info.file_bytes, std::fs::metadata(&path).unwrap().len());
}

/// ImageJ writes stacks above 4 GiB, and MetaMorph all stacks, with a single directory.
#[test]
fn stacks_with_one_directory_give_all_their_images() {
    let folder = tempfile::tempdir().unwrap();
    let imagej = b"ImageJ=1.53t\nimages=3\nslices=3\nunit=micron\n\0".to_vec();
    for tag in [(270, imagej), (33_629, vec![0; 3])] {
        let mut bytes = Layout::file(&[Layout {
            tags: vec![tag.clone()],
            ..page(100)
        }]);
        for value in [200_u16, 300] {
            bytes.extend((0..15).flat_map(|i| (value + i).to_le_bytes()));
        }
        let file = ImageFile::open(&write(&folder, "a.tif", &bytes)).unwrap();
        assert_eq!(first_values(&file), [100, 200, 300]);
        assert!(file.info().planes.iter().all(|plane| plane.file_page == 0));
        let slice = file
            .info()
            .ome
            .as_ref()
            .and_then(|planes| planes.index(0, 2, 0));
        assert_eq!(slice, (tag.0 == 270).then_some(2));

        // Cut short: MetaMorph's count is certain; ImageJ's text may be left over from a larger stack.
        bytes.pop();
        let cut = ImageFile::open(&write(&folder, "b.tif", &bytes));
        match tag.0 {
            270 => assert_eq!(first_values(&cut.unwrap()), [100]),
            _ => assert!(matches!(cut, Err(Error::Damaged { .. }))),
        }
    }
}

#[test]
fn imagej_hyperstack_of_tifffile() {
    let Some(folder) = shared("odd_tiff/generated") else {
        return;
    };
    let info = probe(&folder.join("imagej_hyperstack_z4c2.tif")).unwrap();
    let planes = info.ome.unwrap();
    assert_eq!(
        (
            planes.size_c,
            planes.size_z,
            planes.size_t,
            info.planes.len()
        ),
        (2, 4, 1, 8)
    );
    assert_eq!(planes.index(1, 3, 0), Some(7));
    let info = probe(&folder.join("ome_zcyx.ome.tif")).unwrap();
    let planes = info.ome.unwrap();
    assert_eq!((planes.size_c, planes.size_z, planes.size_t), (2, 4, 1));
    // tifffile wrote axes ZCYX: the channel is fastest.
    assert_eq!(
        (planes.index(1, 0, 0), planes.index(0, 1, 0)),
        (Some(1), Some(2))
    );
}

/// The artificial sets of OME: sums of all pages in file order as tifffile reads them, and where each plane belongs.
#[test]
fn ome_tiff_planes_are_placed() {
    let Some(folder) = shared("ome_tiff") else {
        return;
    };
    let sets: [(&str, [usize; 3], &[i64]); 5] = [
        (
            "multi-channel-time-series.ome.tiff",
            [3, 1, 7],
            &[
                3461693, 3461472, 3461360, 3461438, 3461217, 3461105, 3461307, 3461086, 3460974,
                3461312, 3461091, 3460979, 3461243, 3461022, 3460910, 3461051, 3460830, 3460718,
                3461514, 3461293, 3461181,
            ],
        ),
        (
            "multi-channel-z-series.ome.tiff",
            [3, 5, 1],
            &[
                3460118, 3459897, 3459785, 3459788, 3459730, 3459863, 3459642, 3459530, 3459533,
                3459475, 3459732, 3459511, 3459399, 3459402, 3459344,
            ],
        ),
        (
            "multi-channel.ome.tiff",
            [3, 1, 1],
            &[3480851, 3480630, 3480518],
        ),
        (
            "time-series.ome.tif",
            [1, 1, 7],
            &[
                3484207, 3483986, 3483874, 3483877, 3483819, 3483652, 3484056,
            ],
        ),
        (
            "z-series.ome.tiff",
            [1, 5, 1],
            &[3486270, 3486049, 3485937, 3485940, 3485882],
        ),
    ];
    for (name, [size_c, size_z, size_t], sums) in sets {
        let file = ImageFile::open(&folder.join(name)).unwrap();
        let planes = file.info().ome.clone().unwrap();
        assert_eq!(
            (planes.size_c, planes.size_z, planes.size_t),
            (size_c, size_z, size_t),
            "{name}"
        );
        let sum = |plane: &Pixels| match plane {
            Pixels::I8(values) => values.iter().map(|value| i64::from(*value)).sum::<i64>(),
            other => panic!("{:?}", other.pixel_type()),
        };
        assert_eq!(
            file.read_all().unwrap().iter().map(sum).collect::<Vec<_>>(),
            sums,
            "{name}"
        );
        // tifffile gives these sets the axes TCZYX or CZYX: z fastest, then the channel, then time.
        for t in 0..size_t {
            for c in 0..size_c {
                for z in 0..size_z {
                    assert_eq!(
                        planes.index(c, z, t),
                        Some((t * size_c + c) * size_z + z),
                        "{name} c={c} z={z} t={t}"
                    );
                }
            }
        }
    }
}
