//! Measures how fast containers are written and read; prints one JSON object.
//!
//! `cargo run --release -p image-io --example pyramid_bench [threads ...]`, by default 1 thread and all.
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

use std::path::Path;
use std::time::Instant;

use image_io::Pixels;
use image_io::container::{
    Container, ContainerWriter, ImageOptions, VisibleType, contrast_limits, measure, pyramid_levels,
};
use image_io::table::{Column, Table};
use ndarray::Array2;
use serde_json::{Value, json};

const SIDE: usize = 2048;
const REPEATS: usize = 15;

/// A small generator: the measurement must not depend on another crate.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }

    /// About normal: the sum of twelve.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}

/// Round nuclei with labels from 1, on a background: an object number and a brightness for each pixel.
fn nuclei(side: usize) -> (Array2<u32>, Array2<f32>) {
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let (mut labels, mut light) = (
        Array2::zeros((side, side)),
        Array2::from_elem((side, side), 40.0),
    );
    for label in 1..=(side * side / 6000) as u32 {
        let (cy, cx) = (
            random.uniform() * side as f32,
            random.uniform() * side as f32,
        );
        let (radius, brightness) = (
            12.0 + 12.0 * random.uniform(),
            200.0 + 1300.0 * random.uniform(),
        );
        let range = |c: f32| (c - radius).max(0.0) as usize..((c + radius) as usize).min(side);
        for y in range(cy) {
            for x in range(cx) {
                let d = (y as f32 - cy).hypot(x as f32 - cx) / radius;
                if d < 1.0 {
                    labels[[y, x]] = label;
                    light[[y, x]] = 40.0 + brightness * (1.0 - d * d).sqrt();
                }
            }
        }
    }
    (labels, light)
}

/// The four kinds of plane that containers hold: camera image, shading-corrected image, labels, mask.
fn planes(side: usize) -> Vec<(&'static str, Pixels)> {
    let (labels, light) = nuclei(side);
    let mut random = Random(0xDEAD_BEEF_1234_5678);
    let raw = light.mapv(|l| {
        (l * 2.2 + 100.0 + random.normal() * (l * 4.8 + 9.0).sqrt()).clamp(0.0, 65535.0) as u16
    });
    let half = side as f32 / 2.0;
    let corrected = Array2::from_shape_fn(raw.dim(), |(y, x)| {
        let shading = 1.0
            - 0.4 * ((y as f32 - half).powi(2) + (x as f32 - half).powi(2)) / (half * half * 2.0);
        (f32::from(raw[[y, x]]) - 100.0) / shading + 100.0
    });
    let mask = labels.mapv(|l| u8::from(l > 0));
    vec![
        ("u16", Pixels::U16(raw)),
        ("f32", Pixels::F32(corrected)),
        ("labels_u32", Pixels::U32(labels)),
        ("mask_u8", Pixels::U8(mask)),
    ]
}

fn best_ms(mut f: impl FnMut()) -> f64 {
    (0..REPEATS)
        .map(|_| {
            let t = Instant::now();
            f();
            t.elapsed().as_secs_f64() * 1e3
        })
        .fold(f64::MAX, f64::min)
}

fn write_one(target: &Path, pixels: &Pixels, options: &ImageOptions) -> u64 {
    let mut writer = ContainerWriter::create(target, None).unwrap();
    writer.add_image("image", pixels, options).unwrap();
    writer.commit().unwrap().bytes
}

fn measure_plane(target: &Path, pixels: &Pixels) -> Value {
    let (h, w) = pixels.shape();
    let raw = (h * w * pixels.pixel_type().size()) as f64;
    let full_only = ImageOptions {
        scale_factors: vec![1],
        ..ImageOptions::default()
    };
    let pyramid = ImageOptions::default();
    let bytes = write_one(target, pixels, &full_only);
    let s0 = best_ms(|| {
        write_one(target, pixels, &full_only);
    });
    let mut bytes_pyramid = 0;
    let all = best_ms(|| bytes_pyramid = write_one(target, pixels, &pyramid));
    let no_publish = best_ms(|| {
        let mut writer = ContainerWriter::create(target, None).unwrap();
        writer.add_image("image", pixels, &pyramid).unwrap();
    });
    let levels = best_ms(|| {
        drop(pyramid_levels(pixels, &pyramid.scale_factors, false));
    });
    let contrast = best_ms(|| {
        let _ = contrast_limits(pixels);
    });
    let read = best_ms(|| {
        Container::open(target)
            .unwrap()
            .read_image("image", 0)
            .unwrap();
    });
    json!({
        "write_s0_ms": s0, "write_pyramid_ms": all, "write_pyramid_unpublished_ms": no_publish, "levels_only_ms": levels,
        "contrast_only_ms": contrast, "read_s0_ms": read, "bytes_pyramid": bytes_pyramid, "ratio_s0": raw / bytes as f64, "write_pyramid_ms_per_mpx": all / (h * w) as f64 * 1e6,
    })
}

/// What a container costs beyond its pixels: three tiny images and two tables.
fn measure_small(folder: &Path) -> Value {
    let images: Vec<_> = planes(64).into_iter().take(3).collect();
    let column = |i: usize| {
        Column::float(
            format!("column{i}"),
            (0..50).map(|r| r as f64 * 1.37 + i as f64).collect(),
        )
    };
    let table = Table {
        columns: (0..8).map(column).collect(),
    };
    let target = folder.join("small.h5");
    let mut bytes = 0;
    let write = |images: &[(&str, Pixels)], tables: usize| {
        let mut writer = ContainerWriter::create(&target, None).unwrap();
        for (name, pixels) in images {
            writer
                .add_image(name, pixels, &ImageOptions::default())
                .unwrap();
        }
        for i in 0..tables {
            writer
                .add_table(&format!("cells/{i}"), &table, VisibleType::U8)
                .unwrap();
        }
        writer
    };
    let images_only = best_ms(|| drop(write(&images, 0)));
    let tables_only = best_ms(|| drop(write(&[], 2)));
    let unpublished = best_ms(|| drop(write(&images, 2)));
    let published = best_ms(|| bytes = write(&images, 2).commit().unwrap().bytes);
    let read = best_ms(|| {
        let container = Container::open(&target).unwrap();
        for (name, _) in &images {
            container.read_image(name, 0).unwrap();
        }
        container.read_table("cells/1").unwrap();
    });
    json!({ "images_ms": images_only, "tables_ms": tables_only, "unpublished_ms": unpublished, "published_ms": published, "read_ms": read, "bytes": bytes })
}

/// The compressor alone, on the shuffled planes of one chunk after another, against libdeflate.
fn measure_compressor(pixels: &Pixels) -> Value {
    let chunks = shuffled_chunks(pixels);
    let mpx = SIDE as f64 * SIDE as f64 / 1e6;
    let raw: usize = chunks.iter().map(Vec::len).sum();
    let (mut encoder, mut out, mut bytes) = (measure::Encoder::default(), Vec::new(), 0);
    let own = best_ms(|| {
        bytes = 0;
        for chunk in &chunks {
            out.clear();
            encoder.compress(chunk, 256 * 256, 256, &mut out);
            bytes += out.len();
        }
    });
    let mut result = json!({ "own_ms_per_mpx": own / mpx, "own_ratio": raw as f64 / bytes as f64 });
    for level in [1, 4, 6] {
        let mut compressor =
            libdeflater::Compressor::new(libdeflater::CompressionLvl::new(level).unwrap());
        let mut out = vec![0; 1 << 20];
        let ms = best_ms(|| {
            bytes = chunks
                .iter()
                .map(|c| compressor.zlib_compress(c, &mut out).unwrap())
                .sum();
        });
        result[format!("libdeflate{level}_ms_per_mpx")] = json!(ms / mpx);
        result[format!("libdeflate{level}_ratio")] = json!(raw as f64 / bytes as f64);
    }
    result
}

/// The blocks of an N5 folder, which knows no shuffle, with libdeflate.
fn measure_interleaved(pixels: &Pixels) -> Value {
    let size = pixels.pixel_type().size();
    let mut blocks = shuffled_chunks(pixels);
    for block in &mut blocks {
        let n = block.len() / size;
        *block = (0..n)
            .flat_map(|i| (0..size).rev().map(move |k| k * n + i))
            .map(|at| block[at])
            .collect();
    }
    let raw: usize = blocks.iter().map(Vec::len).sum();
    let mpx = SIDE as f64 * SIDE as f64 / 1e6;
    let mut result = json!({});
    for level in [1, 2, 3, 4, 6] {
        let level_of = libdeflater::CompressionLvl::new(level).unwrap();
        let mut compressor = libdeflater::Compressor::new(level_of);
        let (mut out, mut bytes) = (vec![0; 1 << 20], 0);
        let ms = best_ms(|| {
            let each = blocks.iter().map(|c| compressor.gzip_compress(c, &mut out));
            bytes = each.map(Result::unwrap).sum();
        });
        result[format!("gzip{level}_ms_per_mpx")] = json!(ms / mpx);
        result[format!("gzip{level}_ratio")] = json!(raw as f64 / bytes as f64);
    }
    result
}

fn shuffled_chunks(pixels: &Pixels) -> Vec<Vec<u8>> {
    let size = pixels.pixel_type().size();
    let (h, w) = pixels.shape();
    let bytes: Vec<u8> =
        image_io::with_pixels!(pixels, a => bytemuck::cast_slice(a.as_slice().unwrap()).to_vec());
    let mut chunks = Vec::new();
    for y in (0..h).step_by(256) {
        for x in (0..w).step_by(256) {
            let mut chunk = Vec::with_capacity(256 * 256 * size);
            for k in 0..size {
                for r in 0..256 {
                    chunk.extend((0..256).map(|c| bytes[((y + r) * w + x + c) * size + k]));
                }
            }
            chunks.push(chunk);
        }
    }
    chunks
}

fn main() {
    let mut threads: Vec<usize> = std::env::args()
        .skip(1)
        .map(|a| a.parse().unwrap())
        .collect();
    if threads.is_empty() {
        threads = vec![
            1,
            std::thread::available_parallelism().map_or(1, Into::into),
        ];
    }
    let folder = tempfile::tempdir().unwrap();
    let planes = planes(SIDE);
    let mut result = json!({ "side": SIDE, "repeats": REPEATS });
    for (name, pixels) in &planes {
        result["compressor_1_thread"][*name] = measure_compressor(pixels);
        result["n5_compressor_1_thread"][*name] = measure_interleaved(pixels);
    }
    for n in threads {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap();
        pool.install(|| {
            let key = format!("threads_{n}");
            for (name, pixels) in &planes {
                let target = folder.path().join("bench.h5");
                result[&key][*name] = measure_plane(&target, pixels);
                result[&key]["n5"][*name] = measure_plane(&target.with_extension("n5"), pixels);
            }
            result[&key]["small_container"] = measure_small(folder.path());
        });
    }
    println!("{}", serde_json::to_string_pretty(&result).unwrap());
}
