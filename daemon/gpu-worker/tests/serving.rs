//! A worker's side and the process's side together, over a real socket and on software Vulkan.
#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use analysis::accelerator::{Accelerator, GreyFilter, Operand, Plane, PlaneBuf};
use analysis::components::{Connectivity, label};
use analysis::correct::FlatField;
use analysis::distance::edt;
use analysis::forest::{Ensemble, Forest};
use analysis::morphology::{opening, white_tophat};
use analysis::pixel_classification::Classifier;
use gpu_kernels::{Gpu, Options};
use gpu_worker::{Ended, Operation, Remote, Settings, serve};
use ndarray::{Array2, Array4};

/// A process's work in a thread.
struct Server {
    folder: tempfile::TempDir,
    running: Option<JoinHandle<Ended>>,
}

/// The adapter; see gpu-kernels/tests/common.
fn adapter() -> Option<String> {
    let named = std::env::var("WELLSPRING_TEST_GPU").ok();
    let wanted = named.clone().unwrap_or_else(|| "llvmpipe".to_owned());
    match Gpu::open(&wanted, Options::default()) {
        Ok(_) => Some(wanted),
        Err(error) if named.is_none() => {
            eprintln!("skipped: {error} (install mesa-vulkan-drivers)");
            None
        }
        Err(error) => panic!("WELLSPRING_TEST_GPU is set: {error}"),
    }
}

impl Server {
    fn start(wanted: &str, device: Options, idle: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let settings = Settings {
            wanted: wanted.to_owned(),
            cache: None,
            idle,
            device,
        };
        let running = std::thread::spawn(move || serve(&listener, &settings));
        Self {
            folder,
            running: Some(running),
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    fn remote(&self) -> Remote {
        Remote::new(self.socket(), true)
    }

    fn ended(&mut self) -> Ended {
        self.running.take().unwrap().join().unwrap()
    }
}

const LONG: Duration = Duration::from_secs(600);

fn image(seed: u32) -> Array2<u16> {
    let mut state = seed;
    Array2::from_shape_simple_fn((37, 53), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 20) as u16
    })
}

fn operand(plane: &Array2<u16>, id: Option<u64>) -> Operand<'_> {
    Operand {
        plane: Plane::U16(plane.view()),
        id,
    }
}

#[test]
fn operations_give_what_the_processor_gives_and_are_counted() {
    let Some(adapter) = adapter() else { return };
    let server = Server::start(&adapter, Options::default(), LONG);
    let remote = server.remote();
    let plane = image(1);
    let spots = remote
        .grey(
            GreyFilter::WhiteTophat,
            5,
            operand(&plane, Some(1)),
            Some(2),
        )
        .expect("an answer");
    let expected = white_tophat(plane.view(), 5).unwrap();
    assert_eq!(spots, PlaneBuf::U16(expected.clone()));
    // Both are there under their numbers: other values under the number of the second are never looked at.
    let lie = Array2::zeros(plane.dim());
    let opened = remote
        .grey(GreyFilter::Opening, 2, operand(&lie, Some(2)), None)
        .expect("an answer");
    assert_eq!(opened, PlaneBuf::U16(opening(expected.view(), 2).unwrap()));
    let field = FlatField {
        divisor: Array2::from_shape_fn(plane.dim(), |(y, x)| 0.5 + (y + x) as f32 / 99.0),
        offset: 30.5,
    };
    let corrected = remote.flat_field(&field, operand(&lie, Some(1)), None);
    assert_eq!(corrected, Some(field.correct(plane.view()).unwrap()));
    let mask = plane.mapv(|pixel| pixel > 1500);
    assert_eq!(
        remote.distances(mask.view()),
        Some(edt(mask.view()).unwrap())
    );
    for connectivity in [Connectivity::Edges, Connectivity::Corners] {
        let found = remote.label(mask.view(), connectivity);
        assert_eq!(found, Some(label(mask.view(), connectivity)));
    }
    let tally = remote.take_tally();
    assert_eq!(tally.used[&Operation::Label].calls, 2);
    assert_eq!(tally.used[&Operation::GreySmall].calls, 2);
    assert_eq!(tally.used[&Operation::FlatField].calls, 1);
    assert_eq!(tally.used[&Operation::GreySmall].pixels, 2 * 37 * 53);
    assert!(tally.used[&Operation::GreySmall].dispatches >= 2);
    assert!(tally.fallbacks.is_empty(), "{tally:?}");
    // Then the numbers mean nothing any more.
    remote.forget();
    let again = remote.grey(GreyFilter::Opening, 2, operand(&plane, Some(2)), None);
    assert_eq!(
        again,
        Some(PlaneBuf::U16(opening(plane.view(), 2).unwrap()))
    );
}

#[test]
fn a_classifier_is_sent_once_and_its_probabilities_keep_ilastiks_rule() {
    let Some(adapter) = adapter() else { return };
    let server = Server::start(&adapter, Options::default(), LONG);
    let classifier = gpu_kernels::example::classifier();
    let noise = image(7);
    let image = Array4::from_shape_fn((1, 1, 64, 80), |(_, _, y, x)| {
        f32::from(noise[[y % 37, x % 53]]) / 4.0 + (y as f32 / 5.0).sin() * 300.0
    });
    let expected = classifier.probabilities(image.view()).unwrap();
    // Two workers at a time, as in the daemon.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let remote = server.remote();
                for _ in 0..2 {
                    let found = remote
                        .probabilities(&classifier, image.view())
                        .expect("an answer");
                    let off = |by: f32| {
                        let pairs = found.iter().zip(&expected);
                        pairs.filter(|(a, b)| (**a - **b).abs() >= by).count()
                    };
                    assert!(off(0.015) * 1000 < found.len(), "{}", off(0.015));
                    assert_eq!(off(0.15), 0);
                }
                let tally = remote.take_tally();
                assert_eq!(tally.used[&Operation::Probabilities].calls, 2);
            });
        }
    });
    // What ilastik refuses, the device refuses too; the caller then says why.
    let small = Array4::zeros((1, 1, 3, 3));
    let remote = server.remote();
    assert!(remote.probabilities(&classifier, small.view()).is_none());
    assert_eq!(remote.take_tally().fallbacks["unsupported"], 1);
}

/// More classifiers than the process remembers: the one that it has forgotten is sent again.
#[test]
fn a_classifier_that_was_forgotten_is_sent_again() {
    let Some(adapter) = adapter() else { return };
    let server = Server::start(&adapter, Options::default(), LONG);
    let remote = server.remote();
    let whole = gpu_kernels::example::classifier();
    let forest = &whole.forests().forests()[0];
    let image = Array4::from_shape_fn((1, 1, 32, 32), |(_, _, y, x)| (y * x) as f32);
    let of = |trees: usize| {
        let trees = forest.trees()[..trees].to_vec();
        let forest = Forest::new(trees, forest.columns(), forest.classes(), false).unwrap();
        let forests = Ensemble::new(vec![forest]).unwrap();
        Classifier::new(whole.selection().clone(), forests, vec![0, 1], 2).unwrap()
    };
    let classifiers: Vec<Classifier> = (1..=18).map(of).collect();
    for classifier in classifiers.iter().chain(&classifiers[..1]) {
        let found = remote.probabilities(classifier, image.view());
        assert_eq!(found.map(|f| f.dim()), Some((2, 1, 32, 32)));
    }
    let tally = remote.take_tally();
    assert!(tally.fallbacks.is_empty(), "{tally:?}");
    assert_eq!(tally.used[&Operation::Probabilities].calls, 19);
}

#[test]
fn a_device_that_is_too_small_says_so_and_goes_on() {
    let Some(adapter) = adapter() else { return };
    let device = Options {
        memory: 64 << 10,
        ..Options::default()
    };
    let server = Server::start(&adapter, device, LONG);
    let remote = server.remote();
    // One row with what a disk of this size needs around it is more than there is.
    let wide = Array2::<u16>::zeros((200, 4000));
    let answer = remote.grey(GreyFilter::Opening, 90, operand(&wide, Some(1)), Some(2));
    assert!(answer.is_none());
    assert_eq!(remote.take_tally().fallbacks["out_of_memory"], 1);
    let plane = image(3);
    let answer = remote.grey(GreyFilter::Opening, 1, operand(&plane, Some(3)), Some(4));
    assert_eq!(
        answer,
        Some(PlaneBuf::U16(opening(plane.view(), 1).unwrap()))
    );
}

#[test]
fn nobody_asks_and_it_ends() {
    let Some(adapter) = adapter() else { return };
    let plane = image(5);
    let ask = |remote: &Remote| remote.grey(GreyFilter::Erosion, 1, operand(&plane, None), None);
    // Where this test is kept waiting for longer than the process waits, nobody asked: once more, with a longer time.
    let served = [300, 3000, 30_000].into_iter().find_map(|idle| {
        let idle = Duration::from_millis(idle);
        let server = Server::start(&adapter, Options::default(), idle);
        let remote = server.remote();
        ask(&remote).map(|_| (server, remote))
    });
    let (mut server, remote) = served.expect("an answer");
    assert_eq!(server.ended(), Ended::Idle);
    // The next request finds nobody: it is computed here, and that is told.
    assert!(ask(&remote).is_none());
    assert_eq!(remote.take_tally().fallbacks["gone"], 1);
}

/// A worker that need not wait computes by itself until the device is open.
#[test]
fn nobody_waits_for_a_device_to_open() {
    let Some(adapter) = adapter() else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    let remote = Remote::new(socket, false);
    let plane = image(2);
    let ask = || remote.grey(GreyFilter::Dilation, 2, operand(&plane, None), None);
    assert!(ask().is_none() && ask().is_none());
    let settings = Settings {
        wanted: adapter,
        cache: None,
        idle: LONG,
        device: Options::default(),
    };
    std::thread::spawn(move || serve(&listener, &settings));
    let begin = std::time::Instant::now();
    while ask().is_none() {
        assert!(
            begin.elapsed() < Duration::from_secs(300),
            "it never opened"
        );
        std::thread::yield_now();
    }
    let tally = remote.take_tally();
    assert!(tally.fallbacks.is_empty(), "{tally:?}");
    assert_eq!(tally.used[&Operation::GreySmall].calls, 1);
}

#[test]
fn without_a_device_workers_are_told_and_do_not_ask_again() {
    let server = Server::start("no such adapter", Options::default(), LONG);
    let remote = server.remote();
    let plane = image(9);
    for _ in 0..3 {
        assert!(
            remote
                .grey(GreyFilter::Erosion, 1, operand(&plane, None), None)
                .is_none()
        );
    }
    // It was asked for by name: each operation is missed.
    assert_eq!(remote.take_tally().fallbacks["no_adapter"], 3);
    // Where any would do, none is missed.
    let any = Remote::new(server.socket(), false);
    for _ in 0..100 {
        assert!(
            any.grey(GreyFilter::Erosion, 1, operand(&plane, None), None)
                .is_none()
        );
    }
    let tally = any.take_tally();
    assert!(tally.is_empty(), "{tally:?}");
}
