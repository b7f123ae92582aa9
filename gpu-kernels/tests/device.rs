//! An open device: memory, kernels, and what happens when it goes away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::time::Duration;

use gpu_kernels::{Error, Gpu, Kernel, Options};

const DOUBLE: Kernel = Kernel {
    name: "double",
    source: &["
        @group(0) @binding(0) var<uniform> count: vec4<u32>;
        @group(0) @binding(1) var<storage, read_write> values: array<u32>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x < count.x { values[id.x] = 2u * values[id.x]; }
        }"],
    entry: "main",
};

fn doubled(gpu: &Gpu, values: &[u32]) -> gpu_kernels::Result<Vec<u32>> {
    let buffer = gpu.upload(values)?;
    let count = values.len() as u32;
    let mut batch = gpu.batch();
    batch.dispatch(
        DOUBLE,
        &[],
        &[count, 0, 0, 0],
        &[&buffer],
        [count.div_ceil(64), 1, 1],
    )?;
    batch.submit()?;
    gpu.download(&buffer, values.len())
}

#[test]
fn a_kernel_runs() {
    let Some(gpu) = common::gpu() else { return };
    let values: Vec<u32> = (0..1000).collect();
    let expected: Vec<u32> = values.iter().map(|v| 2 * v).collect();
    assert_eq!(doubled(&gpu, &values).unwrap(), expected);
    assert_eq!(gpu.dispatches(), 1);
}

#[test]
fn threads_use_one_device() {
    let Some(gpu) = common::gpu() else { return };
    std::thread::scope(|scope| {
        for seed in 0..4u32 {
            let gpu = gpu.clone();
            scope.spawn(move || {
                for round in 0..20u32 {
                    let values: Vec<u32> = (0..500 + 97 * round).map(|i| i ^ seed).collect();
                    let expected: Vec<u32> = values.iter().map(|v| 2 * v).collect();
                    assert_eq!(doubled(&gpu, &values).unwrap(), expected);
                }
            });
        }
    });
}

#[test]
fn odd_bytes_come_back() {
    let Some(gpu) = common::gpu() else { return };
    for length in [0usize, 1, 3, 4, 5, 255] {
        let values: Vec<u8> = (0..length).map(|i| i as u8 + 1).collect();
        let buffer = gpu.upload(&values).unwrap();
        assert_eq!(gpu.download::<u8>(&buffer, length).unwrap(), values);
    }
}

#[test]
fn memory_has_a_budget_and_is_given_back() {
    let options = Options {
        memory: 1 << 20,
        ..Options::default()
    };
    let Some(gpu) = common::open(options) else {
        return;
    };
    let half = gpu.scratch(600 << 10).unwrap();
    let error = gpu.scratch(600 << 10).err().expect("no room");
    assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
    drop(half);
    // Of another size: the free one must make room.
    let other = gpu.scratch(700 << 10).unwrap();
    drop(other);
    assert_eq!(doubled(&gpu, &[1, 2, 3]).unwrap(), [2, 4, 6]);
}

#[test]
fn a_binding_has_a_largest_size() {
    let options = Options {
        largest_binding: 4096,
        ..Options::default()
    };
    let Some(gpu) = common::open(options) else {
        return;
    };
    assert!(matches!(
        gpu.words(1025).err(),
        Some(Error::OutOfMemory { .. })
    ));
    assert!(gpu.words(1024).is_ok());
}

#[test]
fn a_kernel_that_the_driver_refuses_is_an_error() {
    let Some(gpu) = common::gpu() else { return };
    let wrong = Kernel {
        name: "wrong",
        source: &["not a kernel"],
        entry: "main",
    };
    let buffer = gpu.words(1).unwrap();
    let refused = gpu
        .batch()
        .dispatch(wrong, &[], &[0u32; 4], &[&buffer], [1; 3]);
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    assert_eq!(doubled(&gpu, &[5]).unwrap(), [10]);
}

#[test]
fn a_lost_device_says_so_and_another_one_can_be_opened() {
    let Some(gpu) = common::gpu() else { return };
    let buffer = gpu.upload(&[1u32, 2]).unwrap();
    gpu.destroy();
    assert!(matches!(
        gpu.download::<u32>(&buffer, 2),
        Err(Error::Lost(_))
    ));
    assert!(matches!(doubled(&gpu, &[1]), Err(Error::Lost(_))));
    let again = common::gpu().expect("another one");
    assert_eq!(doubled(&again, &[4]).unwrap(), [8]);
}

#[test]
fn a_kernel_that_does_not_end_in_time_is_an_error() {
    const SLOW: Kernel = Kernel {
        name: "slow",
        source: &["
            @group(0) @binding(0) var<uniform> count: vec4<u32>;
            @group(0) @binding(1) var<storage, read_write> values: array<u32>;
            @compute @workgroup_size(64)
            fn main(@builtin(global_invocation_id) id: vec3<u32>) {
                var value = values[id.x];
                for (var i = 0u; i < count.x; i++) { value = value * 1664525u + 1013904223u; }
                values[id.x] = value;
            }"],
        entry: "main",
    };
    let options = Options {
        time_limit: Duration::from_millis(1),
        ..Options::default()
    };
    let Some(gpu) = common::open(options) else {
        return;
    };
    let buffer = gpu.words(1 << 14).unwrap();
    let mut batch = gpu.batch();
    batch
        .dispatch(SLOW, &[], &[1u32 << 16, 0, 0, 0], &[&buffer], [256, 1, 1])
        .unwrap();
    let ended = batch.finish();
    assert!(matches!(ended, Err(Error::TimedOut(_))), "{ended:?}");
    assert!(matches!(gpu.alive(), Err(Error::TimedOut(_))));
}

#[test]
fn without_the_adapter_that_is_wanted_there_is_no_device() {
    let error = Gpu::open("no such adapter", Options::default()).expect_err("there is none");
    assert_eq!(error.code(), "no_adapter");
    assert!(error.to_string().contains("no such adapter"), "{error}");
}

#[test]
fn compiled_kernels_are_kept_on_disk() {
    let folder = std::env::temp_dir().join(format!("wellspring-kernels-{}", std::process::id()));
    let options = || Options {
        cache: Some(folder.clone()),
        ..Options::default()
    };
    let Some(gpu) = common::open(options()) else {
        return;
    };
    assert_eq!(doubled(&gpu, &[1]).unwrap(), [2]);
    gpu.save_kernels();
    let files: Vec<_> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    let again = common::open(options()).expect("another one");
    assert_eq!(doubled(&again, &[3]).unwrap(), [6]);
    // What lies there may be damaged: the driver must go on without it.
    for file in &files {
        std::fs::write(file.path(), b"damaged").unwrap();
    }
    let damaged = common::open(options()).expect("another one");
    assert_eq!(doubled(&damaged, &[3]).unwrap(), [6]);
    std::fs::remove_dir_all(&folder).ok();
    // Debian 12's llvmpipe offers a cache; a driver without one leaves no file.
    eprintln!("{} files", files.len());
}
