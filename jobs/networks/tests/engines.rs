//! The engines beside each other, and libraries that are none. One test: a process can load one library.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;
#[path = "common/net.rs"]
mod net;

use std::path::PathBuf;

use common::{difference, shared};
use ndarray::Array2;
use net::Net;
use networks::{Choice, Model, Options, Plan, engine, normalised, tile};

#[test]
fn a_library_is_used_where_it_works_and_told_where_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("u.onnx");
    Net::u_net(1, 2).write(&path);
    // No library, a text, a library of something else: refused with a reason, and the built-in engine takes over.
    let text = folder.path().join("libonnxruntime.so");
    std::fs::write(&text, "no library").unwrap();
    let other = ["/lib/x86_64-linux-gnu/libm.so.6", "/usr/lib/libm.so.6"].map(PathBuf::from);
    let wrong = [folder.path().join("absent.so"), text]
        .into_iter()
        .chain(other.into_iter().filter(|p| p.exists()));
    for library in wrong {
        let error = engine::check_library(&library).unwrap_err();
        println!("{error}");
        assert_eq!(error.code(), "onnxruntime");
        assert!(error.to_string().contains(library.to_str().unwrap()));
        engine::use_library(Some(library));
        let model = Model::open(&path, &Options::default()).unwrap();
        assert_eq!(model.engine(), engine::builtin_name());
        let demanded = Options {
            engine: Choice::OnnxRuntime,
            ..Options::default()
        };
        assert_eq!(
            Model::open(&path, &demanded).err().unwrap().code(),
            "onnxruntime"
        );
    }
    let Some(library) = std::env::var_os("WELLSPRING_WORKERS__ONNXRUNTIME").map(PathBuf::from)
    else {
        println!(
            "skipped: WELLSPRING_WORKERS__ONNXRUNTIME names no onnxruntime library to compare with"
        );
        return;
    };
    println!("onnxruntime {}", engine::check_library(&library).unwrap());
    engine::use_library(Some(library));
    let mut models = vec![path];
    models.extend(shared("models/stardist_dsb2018/model.onnx"));
    models.extend(shared(
        "models/instanseg_fluorescence_nuclei_and_cells.onnx",
    ));
    let plane = Array2::from_shape_fn((96, 112), |(y, x)| ((y * 7 + x * x) % 61) as f32);
    for path in models {
        let open = |engine| {
            let options = Options {
                engine,
                ..Options::default()
            };
            Model::open(&path, &options).unwrap()
        };
        let (ours, theirs) = (open(Choice::BuiltIn), open(Choice::Configured));
        assert!(
            theirs.engine().starts_with("onnxruntime "),
            "{}",
            theirs.engine()
        );
        let plan = Plan {
            multiple: Some([16, 16]),
            ..Plan::default()
        };
        let input = normalised(&ours, &[plane.view()], &plan).unwrap();
        let a = tile::run(&ours, input.view(), &plan).unwrap();
        let b = tile::run(&theirs, input.view(), &plan).unwrap();
        for (a, b) in a.iter().zip(&b) {
            let largest = a.data.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let d = difference(&a.data, &b.data);
            println!(
                "{} {}: differ by {d:e} of {largest}",
                path.display(),
                a.name
            );
            assert!(d < 2e-5 * largest.max(1.0));
        }
    }
}
