//! PNG of every colour type and depth, written with the `png` crate.

use image_io::acquisition::{Format, ImageFile, probe};
use image_io::{Error, Pixels};
use ndarray::Array2;
use png::{BitDepth, ColorType};

use crate::support::{checksums, shared, write};

fn png(colour: ColorType, depth: BitDepth, (height, width): (u32, u32), data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if colour == ColorType::Indexed {
        encoder.set_palette((0..48).collect::<Vec<u8>>());
        encoder.set_trns(vec![0; 3]);
    }
    encoder
        .write_header()
        .unwrap()
        .write_image_data(data)
        .unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Vec<Pixels> {
    let folder = tempfile::tempdir().unwrap();
    let file = ImageFile::open(&write(&folder, "a.png", bytes)).unwrap();
    assert_eq!(file.info().format, Format::Png);
    let all = file.read_all().unwrap();
    assert_eq!(all.len(), file.info().planes.len());
    for (i, (plane, info)) in all.iter().zip(&file.info().planes).enumerate() {
        assert_eq!(
            (plane.shape(), plane.pixel_type()),
            ((info.height, info.width), info.pixel_type)
        );
        assert_eq!(*plane, file.read(i).unwrap());
    }
    all
}

#[test]
fn depths_and_colour_types() {
    let bytes =
        |shape, values: &[u8]| Pixels::U8(Array2::from_shape_vec(shape, values.to_vec()).unwrap());
    // Five columns, so that rows end within a byte.
    for colour in [ColorType::Grayscale, ColorType::Indexed] {
        assert_eq!(
            read(&png(
                colour,
                BitDepth::One,
                (2, 5),
                &[0b1010_1000, 0b0100_0000]
            )),
            [bytes((2, 5), &[1, 0, 1, 0, 1, 0, 1, 0, 0, 0])]
        );
        assert_eq!(
            read(&png(
                colour,
                BitDepth::Two,
                (1, 5),
                &[0b0001_1011, 0b1100_0000]
            )),
            [bytes((1, 5), &[0, 1, 2, 3, 3])]
        );
        assert_eq!(
            read(&png(colour, BitDepth::Four, (1, 3), &[0x3f, 0x70])),
            [bytes((1, 3), &[3, 15, 7])]
        );
        assert_eq!(
            read(&png(colour, BitDepth::Eight, (2, 2), &[0, 1, 2, 15])),
            [bytes((2, 2), &[0, 1, 2, 15])]
        );
    }
    let expected = Pixels::U16(Array2::from_shape_vec((1, 2), vec![0x0102, 0xfffe]).unwrap());
    assert_eq!(
        read(&png(
            ColorType::Grayscale,
            BitDepth::Sixteen,
            (1, 2),
            &[1, 2, 0xff, 0xfe]
        )),
        [expected]
    );
    for (colour, samples) in [
        (ColorType::GrayscaleAlpha, 2_u8),
        (ColorType::Rgb, 3),
        (ColorType::Rgba, 4),
    ] {
        let data: Vec<u8> = (0..6 * samples).collect();
        let planes = read(&png(colour, BitDepth::Eight, (2, 3), &data));
        for (sample, plane) in (0..samples).zip(&planes) {
            assert_eq!(
                *plane,
                bytes(
                    (2, 3),
                    &[0, 1, 2, 3, 4, 5].map(|pixel| pixel * samples + sample)
                )
            );
        }
        let wide = read(&png(
            colour,
            BitDepth::Sixteen,
            (2, 3),
            &[data.clone(), data].concat(),
        ));
        assert!(
            wide.len() == usize::from(samples)
                && matches!(&wide[0], Pixels::U16(plane) if plane[[0, 0]] == 1)
        );
    }
}

#[test]
fn no_part_of_a_file_passes_for_it() {
    let whole = png(
        ColorType::Grayscale,
        BitDepth::Eight,
        (20, 20),
        &(0..400).map(|i| (i * i % 251) as u8).collect::<Vec<_>>(),
    );
    let folder = tempfile::tempdir().unwrap();
    for length in 1..whole.len() {
        let error = probe(&write(&folder, "a.png", &whole[..length])).unwrap_err();
        assert!(
            matches!(error, Error::Damaged { .. } | Error::Unsupported { .. }),
            "{length}: {error}"
        );
    }
    // A flipped bit in the image data.
    let mut flipped = whole.clone();
    flipped[60] ^= 4;
    assert!(
        ImageFile::open(&write(&folder, "a.png", &flipped))
            .unwrap()
            .read(0)
            .is_err()
    );
    // A header that promises far more than the data hold.
    let mut bomb = whole;
    bomb[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
    assert!(matches!(
        probe(&write(&folder, "a.png", &bomb)),
        Err(Error::Damaged { .. })
    ));
    bomb[16..24].copy_from_slice(&[0x7f; 8]);
    assert!(matches!(
        probe(&write(&folder, "a.png", &bomb)),
        Err(Error::Limit { .. })
    ));
}

/// Sums of imageio's pixels.
#[test]
fn electron_micrographs() {
    let Some(folder) = shared("em_isbi2012") else {
        return;
    };
    for (name, sums) in [
        ("image/0.png", (35_971_420, 1_182_660_312_503)),
        ("label/0.png", (52_186_260, 1_697_422_096_965)),
        ("image/29.png", (34_950_447, 1_136_151_391_827)),
    ] {
        let planes = ImageFile::open(&folder.join(name))
            .unwrap()
            .read_all()
            .unwrap();
        assert_eq!(
            (planes.len(), planes[0].shape(), checksums(&planes[0])),
            (1, (512, 512), sums),
            "{name}"
        );
    }
}
