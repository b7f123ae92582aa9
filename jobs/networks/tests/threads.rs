//! The engine keeps to the threads of the pool that it is called from. One test: processor time is that of the whole process.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "common/net.rs"]
mod net;

use std::time::Instant;

use ndarray::Array2;
use net::Net;
use networks::{Model, Options, Plan, predict};

/// User and system time of this process.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[test]
fn one_thread_is_one_thread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("u.onnx");
    Net::u_net(1, 1).write(&path);
    let model = Model::open(&path, &Options::default()).unwrap();
    let plane = Array2::from_elem((768, 768), 0.5);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    pool.install(|| predict(&model, &[plane.view()], &Plan::default()))
        .unwrap();
    let (begin, cpu) = (Instant::now(), cpu_secs());
    while begin.elapsed().as_secs_f64() < 1.0 {
        pool.install(|| predict(&model, &[plane.view()], &Plan::default()))
            .unwrap();
    }
    let busy = (cpu_secs() - cpu) / begin.elapsed().as_secs_f64();
    println!("{busy:.2} cores busy");
    assert!(busy < 1.2, "{busy:.2} cores busy");
}
