//! Where a GPU computes: the same results, and nothing is lost when it goes away. Software Vulkan is the GPU here, which is only used
//! when it is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use black_box::binary::{shared, wellspring};
use black_box::crash::Plans;
use black_box::daemon::{Daemon, Start};
use black_box::synthetic::{PlateSpec, write_plate};
use faults::{Action, Plan, Point};
use image_io::container::Container;

/// Two operations on one plane after the other, and one on another plane.
const WORKFLOW: &str = r#"
name = "spots"
version = "1"
[channels]
DAPI = "nuclei"
WF_GFP = "cells"
[[job]]
id = "spots"
kind = "filter.white_tophat"
input = "nuclei"
output = "spots"
radius = 6
[[job]]
id = "clean"
kind = "filter.opening"
input = "spots"
output = "clean"
radius = 1
[[job]]
id = "open"
kind = "filter.opening"
input = "cells"
output = "opened"
radius = 9
"#;

/// The adapter of the tests; see gpu-kernels/tests/common.
fn adapter() -> Option<String> {
    let named = std::env::var("WELLSPRING_TEST_GPU").ok();
    let wanted = named.clone().unwrap_or_else(|| "llvmpipe".to_owned());
    let output = Command::new(wellspring()).arg("doctor").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
    if text.contains(&wanted.to_lowercase()) {
        return Some(wanted);
    }
    assert!(
        named.is_none(),
        "WELLSPRING_TEST_GPU is set, and there is no `{wanted}`:\n{text}"
    );
    eprintln!("skipped: no software Vulkan here (install mesa-vulkan-drivers)");
    None
}

fn plate() -> PlateSpec {
    PlateSpec {
        rows: 2,
        columns: 3,
        sites: 1,
        side: 96,
        nuclei: 5,
        dead_well: None,
        seed: 11,
    }
}

/// A daemon with a plate that is done, and the values of each of its images.
struct Bench {
    daemon: Daemon,
    plans: Plans,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn start(gpu: &str, workflow: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plans = Plans::new(folder.path().join("plans"));
        let mut all: Vec<(String, OsString)> = environment
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.into()))
            .collect();
        all.push((faults::VARIABLE.to_owned(), plans.folder().into()));
        let daemon = Daemon::start_with(&Start {
            worker_lines: &format!("gpu = {gpu:?}"),
            root_lines: "plate_complete = [\"quiet:1\"]",
            environment: all,
            ..Start::new(workflow)
        });
        Self {
            daemon,
            plans,
            _folder: folder,
        }
    }

    fn plant(&self, point: Point, action: Action) {
        let plan = Plan {
            action,
            after: 0,
            role: None,
        };
        self.plans.plant(point, plan);
    }

    fn plate(&self, name: &str) {
        self.daemon
            .move_in(name, |aside| drop(write_plate(&plate(), aside).unwrap()));
    }

    fn done(&self, plates: usize) {
        self.daemon.wait_for_plates(plates, "done");
        let tasks = self.daemon.get("/api/v1/tasks?limit=1000");
        for task in tasks["items"].as_array().unwrap() {
            assert_eq!(task["attempts"], 1, "{task}");
        }
    }

    /// A number of `/metrics`; 0 for one that is not there.
    fn metric(&self, name: &str) -> u64 {
        let text = self.daemon.try_get("/metrics").unwrap();
        let line = text.lines().find_map(|l| l.strip_prefix(name));
        line.map_or(0, |value| value.trim().parse::<f64>().unwrap() as u64)
    }

    fn used(&self) -> u64 {
        self.metric("wellspring_gpu_calls_total{operation=\"grey_small\"}")
    }

    fn fallbacks(&self, reason: &str) -> u64 {
        self.metric(&format!(
            "wellspring_gpu_fallbacks_total{{reason=\"{reason}\"}}"
        ))
    }

    fn values(&self, plate: &str) -> BTreeMap<String, image_io::Pixels> {
        values(&self.daemon.folder("results").join(plate))
    }
}

/// All made images of a plate, by file and name.
fn values(plate: &Path) -> BTreeMap<String, image_io::Pixels> {
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(plate).unwrap().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".h5") {
            continue;
        }
        let container = Container::open(&file.path()).unwrap();
        for image in ["spots", "clean", "opened"] {
            let pixels = container.read_image(image, 0).unwrap();
            found.insert(format!("{name} {image}"), pixels);
        }
    }
    assert_eq!(found.len(), 18, "{:?}", found.keys());
    found
}

/// What the processor alone makes of the plate.
fn expected() -> BTreeMap<String, image_io::Pixels> {
    let folder = tempfile::tempdir().unwrap();
    let workflow = folder.path().join("spots.toml");
    std::fs::write(&workflow, WORKFLOW).unwrap();
    let images = folder.path().join("images/plate-1");
    write_plate(&plate(), &images).unwrap();
    let out = folder.path().join("out");
    let run = Command::new(wellspring())
        .args(["run", "--gpu=off", "--output"])
        .arg(&out)
        .args([&workflow, &folder.path().join("images")])
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    values(&out.join("plate-1"))
}

#[test]
fn a_named_gpu_computes_the_same() {
    let Some(adapter) = adapter() else { return };
    let bench = Bench::start(&adapter, WORKFLOW, &[]);
    // Nobody has asked, so nothing is held.
    assert_eq!(bench.metric("wellspring_gpu_process_starts_total"), 0);
    bench.plate("plate-1");
    bench.done(1);
    assert_eq!(bench.values("plate-1"), expected());
    assert_eq!(bench.used(), 18, "{}", bench.daemon.log());
    assert_eq!(bench.metric("wellspring_gpu_process_starts_total"), 1);
    assert_eq!(bench.metric("wellspring_gpu_process_failures_total"), 0);
    let dispatches = bench.metric("wellspring_gpu_dispatches_total{operation=\"grey_small\"}");
    assert!(dispatches >= 18, "{dispatches}");
    let first = std::fs::read_dir(bench.daemon.folder("results/plate-1")).unwrap();
    let container = first
        .flatten()
        .find(|f| f.file_name().to_string_lossy().ends_with(".h5"))
        .unwrap();
    let container = Container::open(&container.path()).unwrap();
    let note = container
        .attribute("/", "wellspring_job_clean")
        .unwrap()
        .unwrap();
    let note: serde_json::Value = serde_json::from_str(note.as_text().unwrap()).unwrap();
    let device = note["device"].as_str().unwrap_or_default().to_lowercase();
    assert!(device.contains(&adapter.to_lowercase()), "{note}");
}

/// The device is lost under a request: this one is computed by the worker, later ones by a new process.
#[test]
fn a_device_that_is_lost_costs_nothing_and_comes_back() {
    let Some(adapter) = adapter() else { return };
    let bench = Bench::start(&adapter, WORKFLOW, &[]);
    bench.plant(Point::GpuRequest, Action::Eio);
    bench.plate("plate-1");
    bench.done(1);
    assert_eq!(bench.values("plate-1"), expected());
    assert!(bench.fallbacks("lost") >= 1, "{}", bench.daemon.log());
    bench.daemon.wait("the loss is known", || {
        bench.metric("wellspring_gpu_process_failures_total") == 1
    });
    // Workers try again after some seconds.
    let before = bench.used();
    for number in 2.. {
        bench.plate(&format!("plate-{number}"));
        bench.done(number);
        if bench.used() > before {
            break;
        }
        assert!(
            number < 60,
            "the GPU never came back\n{}",
            bench.daemon.log()
        );
    }
    assert!(bench.metric("wellspring_gpu_process_starts_total") >= 2);
}

/// A process that is killed in the middle of a request looks to the worker like one that had ended, or like a failure.
#[test]
fn a_process_that_dies_costs_nothing() {
    let Some(adapter) = adapter() else { return };
    let bench = Bench::start(&adapter, WORKFLOW, &[]);
    bench.plant(Point::GpuRequest, Action::Kill);
    bench.plate("plate-1");
    bench.done(1);
    assert_eq!(bench.values("plate-1"), expected());
    bench.daemon.wait("the death is known", || {
        bench.metric("wellspring_gpu_process_failures_total") == 1
    });
}

#[test]
fn a_full_device_is_no_lost_device() {
    let Some(adapter) = adapter() else { return };
    let bench = Bench::start(&adapter, WORKFLOW, &[]);
    bench.plant(Point::GpuRequest, Action::Enospc);
    bench.plate("plate-1");
    bench.done(1);
    assert_eq!(bench.values("plate-1"), expected());
    assert_eq!(bench.fallbacks("out_of_memory"), 1);
    assert_eq!(bench.used(), 17);
    assert_eq!(bench.metric("wellspring_gpu_process_failures_total"), 0);
}

/// Without an adapter, with a driver that refuses, and where only software is offered, nobody waits for a GPU.
#[test]
fn without_a_gpu_everything_runs_all_the_same() {
    let Some(adapter) = adapter() else { return };
    let software = Bench::start("auto", WORKFLOW, &[]);
    let none = Bench::start(&adapter, WORKFLOW, &[("VK_DRIVER_FILES", "/nonexistent")]);
    let refusing = Bench::start(&adapter, WORKFLOW, &[]);
    refusing.plant(Point::GpuOpening, Action::Eio);
    let expected = expected();
    // What a GPU that was asked for by name should have done is counted; that there is no other one is not.
    for (bench, reason) in [
        (&software, ""),
        (&none, "no_adapter"),
        (&refusing, "refused"),
    ] {
        bench.plate("plate-1");
        if reason == "refused" {
            // A worker that comes late may find that the process has ended, and so ask another one.
            bench
                .daemon
                .wait("the process has refused", || !bench.plans.hits().is_empty());
            bench.plant(Point::GpuOpening, Action::Eio);
        }
        bench.done(1);
        assert_eq!(bench.values("plate-1"), expected);
        assert_eq!(bench.used(), 0, "{}", bench.daemon.log());
        assert_eq!(bench.metric("wellspring_gpu_process_failures_total"), 0);
        let counted = bench.fallbacks(reason);
        assert_eq!(counted, if reason.is_empty() { 0 } else { 18 });
        // Nobody waited for it.
        bench.daemon.wait("it is told", || {
            bench.daemon.log().contains("no GPU computes")
        });
    }
}

/// Workers that have nothing to ask start nothing.
#[test]
fn without_work_for_it_no_gpu_is_held() {
    let Some(adapter) = adapter() else { return };
    let workflow = r#"
name = "plain"
version = "1"
[channels]
DAPI = "nuclei"
WF_GFP = "cells"
[[job]]
id = "smooth"
kind = "filter.gaussian"
input = "nuclei"
output = "smooth"
sigma = 1.0
"#;
    let bench = Bench::start(&adapter, workflow, &[]);
    bench.plate("plate-1");
    bench.done(1);
    assert_eq!(bench.metric("wellspring_gpu_process_starts_total"), 0);
}

/// A folder that is run once uses the same.
#[test]
fn a_run_without_a_daemon_uses_it_too() {
    let Some(adapter) = adapter() else { return };
    let folder = tempfile::tempdir().unwrap();
    let workflow = folder.path().join("spots.toml");
    std::fs::write(&workflow, WORKFLOW).unwrap();
    write_plate(&plate(), &folder.path().join("images/plate-1")).unwrap();
    let out = folder.path().join("out");
    let run = Command::new(wellspring())
        .args(["run", "--output"])
        .arg(&out)
        .arg(format!("--gpu={adapter}"))
        .args([&workflow, &folder.path().join("images")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");
    assert!(told.contains("18 operations on"), "{told}");
    assert_eq!(values(&out.join("plate-1")), expected());
    let left: Vec<_> = std::fs::read_dir(out.join(".wellspring"))
        .unwrap()
        .flatten()
        .map(|f| f.file_name())
        .filter(|n| n.to_string_lossy().ends_with(".sock"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Files from the command line: the device is opened by the command itself.
#[test]
fn ilastik_projects_are_predicted_on_it() {
    let Some(adapter) = adapter() else { return };
    let Some(golden) = shared("golden/ilastik/pc_2d_1ch") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let predict = |gpu: &str, name: &str| {
        let image = folder.path().join(format!("{name}.png"));
        std::fs::copy(golden.join("Data_1channel.png"), &image).unwrap();
        let run = Command::new(wellspring())
            .args(["ilastik", "predict", "--output_format=numpy"])
            .arg(format!("--gpu={gpu}"))
            .arg("--project")
            .arg(golden.join("project.ilp"))
            .arg(&image)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success(), "{told}");
        assert!(!told.contains("predicted on the CPU"), "{told}");
        let result = folder.path().join(format!("{name}_Probabilities.npy"));
        let bytes = std::fs::read(result).unwrap();
        let values = bytes[bytes.len() - 128 * 128 * 2 * 4..].chunks_exact(4);
        let values = values.map(|v| f32::from_le_bytes(v.try_into().unwrap()));
        values.collect::<Vec<f32>>()
    };
    let (here, there) = (predict("off", "here"), predict(&adapter, "there"));
    // ilastik's own rule for results of different machines.
    let off = |by: f32| {
        let pairs = here.iter().zip(&there);
        pairs.filter(|(a, b)| (**a - **b).abs() >= by).count()
    };
    assert!(
        off(0.015) * 1000 < here.len() && off(0.15) == 0,
        "{} {}",
        off(0.015),
        off(0.15)
    );
    let none = Command::new(wellspring())
        .args(["ilastik", "predict", "--gpu=no such adapter", "--project"])
        .arg(golden.join("project.ilp"))
        .arg(golden.join("Data_1channel.png"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&none.stderr);
    assert!(
        !none.status.success() && told.contains("no such adapter"),
        "{told}"
    );
}
