//! Questions to the watcher, and its end.

use crate::lab::{Lab, ROOT, until};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use watch::{FileStatus, WaitingFor};

#[test]
fn explain_tells_where_a_file_stands() {
    let mut lab = Lab::new();
    lab.spec.settle = Duration::from_secs(3600);
    lab.start();
    let explain = |lab: &Lab, path: &str| lab.watcher().explain(ROOT, Path::new(path));
    lab.write("a", "END");
    until("it settles", || {
        matches!(
            explain(&lab, "a"),
            FileStatus::Settling {
                waiting_for: WaitingFor::Quiet,
                ..
            }
        )
    });
    let [file] = &lab.watcher().settling(ROOT)[..] else {
        panic!("one file settles")
    };
    assert_eq!((file.path.as_path(), file.size), (Path::new("a"), 3));
    assert_eq!(lab.watcher().counters()[&ROOT].settling, 1);
    assert_eq!(explain(&lab, "no"), FileStatus::Missing);
    assert_eq!(explain(&lab, "a/b"), FileStatus::Missing);
    for path in ["../root/a", "/etc/passwd", "", "a/../../x", "."] {
        assert_eq!(explain(&lab, path), FileStatus::OutsideRoot, "{path}");
    }
    assert_eq!(
        lab.watcher().explain(99, Path::new("a")),
        FileStatus::UnknownRoot
    );
    std::fs::create_dir(lab.path("p")).unwrap();
    assert_eq!(explain(&lab, "p"), FileStatus::NotAFile);
    assert!(!lab.watcher().rescan(99));
}

#[test]
fn explain_tells_what_is_known() {
    let mut lab = Lab::native();
    lab.write("a", "END");
    let identity = lab.whole("a");
    assert_eq!(
        lab.watcher().explain(ROOT, Path::new("a")),
        FileStatus::Known { identity }
    );
}

#[test]
fn stopping_is_quick_and_final() {
    for mut lab in [Lab::native(), Lab::polling()] {
        for name in 0..50 {
            lab.write(&name.to_string(), "half");
        }
        until("files settle", || lab.watcher().settling(ROOT).len() == 50);
        let start = Instant::now();
        lab.watcher().stop();
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{:?}",
            start.elapsed()
        );
        lab.watcher().stop();
        lab.write("late", "END");
        lab.watcher = None;
        assert_eq!(lab.reports_of("late"), 0);
    }
}

#[test]
fn a_thread_that_hangs_does_not_hold_up_the_end_and_reports_nothing_after_it() {
    let mut lab = Lab::native();
    lab.write("a", "HANG");
    until("it hangs", || lab.watcher().counters()[&ROOT].probes == 1);
    let start = Instant::now();
    lab.watcher = None;
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    *lab.host.answers.0.lock().unwrap() = true;
    lab.host.answers.1.notify_all();
    until("its thread has ended", || Arc::strong_count(&lab.host) == 1);
    lab.start();
    lab.whole("a");
    assert_eq!(lab.reports_of("a"), 1, "by the second start only");
}
