//! Every combination of layout that the builder writes is read back exactly.

use image_io::acquisition::{ImageFile, probe};
use image_io::{PixelType, Pixels, with_pixels};
use proptest::prelude::*;

use crate::builder::Layout;
use crate::support::write;

/// (bits, sample format) and the type that is read.
const TYPES: [(usize, u16, PixelType); 15] = [
    (8, 1, PixelType::U8),
    (16, 1, PixelType::U16),
    (32, 1, PixelType::U32),
    (64, 1, PixelType::U64),
    (8, 2, PixelType::I8),
    (16, 2, PixelType::I16),
    (32, 2, PixelType::I32),
    (64, 2, PixelType::I64),
    (32, 3, PixelType::F32),
    (64, 3, PixelType::F64),
    (1, 1, PixelType::U8),
    (4, 1, PixelType::U8),
    (10, 1, PixelType::U16),
    (12, 1, PixelType::U16),
    (24, 1, PixelType::U32),
];

pub fn layout() -> impl Strategy<Value = Layout> {
    let shape = (1..40_usize, 1..40_usize, 1..4_usize, 0..TYPES.len());
    let file = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        proptest::bool::weighted(0.1),
        any::<bool>(),
    );
    let coding = (
        prop_oneof![Just(1_u16), Just(5), Just(8), Just(32_773)],
        1..4_u16,
    );
    let chunk = (1..45_usize, proptest::option::of(1..45_usize));
    (shape, file, coding, chunk, any::<u64>()).prop_map(
        |(shape, file, (compression, predictor), chunk, seed)| {
            let (height, width, samples, kind) = shape;
            let (big_endian, bigtiff, planar, reversed_bits, scattered) = file;
            let (bits, format, _) = TYPES[kind];
            let predictor = if predictor == 3 && format != 3 {
                2
            } else {
                predictor
            };
            let mask = if bits == 64 {
                u64::MAX
            } else {
                (1 << bits) - 1
            };
            // Noise of few bits, so that the dictionaries of the codecs have something to do.
            let mut state = seed;
            let mut noise = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) & (state >> 50)
            };
            let values = (0..height * width * samples)
                .map(|_| noise() & mask)
                .collect();
            Layout {
                height,
                width,
                samples,
                bits,
                format,
                values,
                big_endian,
                bigtiff,
                planar,
                reversed_bits,
                compression,
                predictor,
                chunk,
                scattered,
                tags: Vec::new(),
            }
        },
    )
}

fn assert_reads(layout: &Layout) {
    let folder = tempfile::tempdir().unwrap();
    let path = write(
        &folder,
        "a.tif",
        &Layout::file(std::slice::from_ref(layout)),
    );
    let file = ImageFile::open(&path).unwrap();
    let expected_type = TYPES
        .iter()
        .find(|(bits, format, _)| (*bits, *format) == (layout.bits, layout.format))
        .unwrap()
        .2;
    assert_eq!(file.info().planes.len(), layout.samples);
    let all = file.read_all().unwrap();
    for (sample, plane) in all.iter().enumerate() {
        assert_eq!(*plane, file.read(sample).unwrap());
        assert_eq!(
            (plane.shape(), plane.pixel_type()),
            ((layout.height, layout.width), expected_type)
        );
        let info = &file.info().planes[sample];
        assert_eq!(
            (info.height, info.width, info.pixel_type),
            (layout.height, layout.width, expected_type)
        );
        assert_eq!(info.sample, (layout.samples > 1).then_some(sample as u16));
        let expected: Vec<u64> = layout
            .values
            .iter()
            .skip(sample)
            .step_by(layout.samples)
            .copied()
            .collect();
        assert_eq!(patterns(plane), expected, "sample {sample}");
    }
}

/// Values as bit patterns.
fn patterns(plane: &Pixels) -> Vec<u64> {
    with_pixels!(plane, values => values.iter().map(|value| {
        let bytes = value.to_le_bytes();
        bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
    }).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(layout in layout()) {
        assert_reads(&layout);
    }

    /// A copy that has not ended: the last chunk ends the file, so no shorter file may pass for whole.
    #[test]
    fn no_prefix_passes_for_the_file(layout in layout(), cut in 0.0..1.0) {
        let layout = Layout { scattered: false, ..layout };
        let bytes = Layout::file(std::slice::from_ref(&layout));
        let length = (bytes.len() as f64 * cut) as usize;
        let folder = tempfile::tempdir().unwrap();
        let path = write(&folder, "a.tif", &bytes[..length]);
        prop_assert!(probe(&path).is_err(), "{length} of {} bytes", bytes.len());
    }
}

/// Larger than one decoding job, so that jobs meet: strips, tiles and codecs together.
#[test]
fn large_pages_are_read_in_several_jobs() {
    for (compression, predictor, chunk) in [
        (1, 1, (7, None)),
        (5, 2, (13, None)),
        (8, 2, (64, Some(48))),
        (32_773, 1, (1, None)),
        (1, 1, (100, Some(2000))),
    ] {
        let (height, width) = (1100, 900);
        let values = (0..height * width)
            .map(|i: usize| (i / 7 * 31 % 65_521) as u64)
            .collect();
        assert_reads(&Layout {
            height,
            width,
            bits: 16,
            values,
            compression,
            predictor,
            chunk,
            big_endian: true,
            ..Layout::default()
        });
    }
}
