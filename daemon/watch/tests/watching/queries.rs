//! Questions to the watcher, and its end.

use crate::lab::{DEADLINE, Lab, ROOT, until};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use watch::{FileStatus, Listed, WaitingFor};

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
    until("it is seen with all it has", || {
        let files = lab.watcher().settling(ROOT);
        matches!(&files[..], [file] if file.path == Path::new("a") && file.size == 3)
    });
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

/// No event tells of these files, and no scan is due: only the listing that is asked for can find them.
#[test]
fn a_folder_that_was_verified_hides_nothing() {
    let mut lab = Lab::new();
    lab.spec.mode = watch::Mode::Poll;
    lab.spec.poll_interval = Duration::from_secs(3600);
    lab.spec.settle = Duration::from_secs(3600);
    lab.start();
    std::fs::create_dir_all(lab.path("p/deep")).unwrap();
    for n in 0..500 {
        lab.write(&format!("p/deep/{n}"), "END");
    }
    let folder = Path::new("p");
    assert!(
        !lab.watcher().is_pending(ROOT, folder),
        "nothing is known of it yet"
    );
    let verification = lab.watcher().verify(ROOT, folder).unwrap();
    until("it is listed", || verification.listed() == Listed::Done);
    assert_eq!(lab.watcher().settling(ROOT).len(), 500);
    assert!(lab.watcher().is_pending(ROOT, folder));
    assert!(!lab.watcher().is_pending(ROOT, Path::new("q")));
    assert!(lab.watcher().verify(99, folder).is_none());
}

#[test]
fn a_verification_is_lost_with_the_root_and_with_the_watcher() {
    let mut lab = Lab::polling();
    std::fs::rename(&lab.spec.path, lab.outside("away")).unwrap();
    lab.offline();
    let offline = lab.watcher().verify(ROOT, Path::new("p")).unwrap();
    until("it is lost", || offline.listed() == Listed::Lost);
    std::fs::rename(lab.outside("away"), &lab.spec.path).unwrap();
    lab.online();
    lab.write("a", "HANG");
    until("it hangs", || lab.watcher().counters()[&ROOT].probes == 1);
    let pending = lab.watcher().verify(ROOT, Path::new("")).unwrap();
    assert_eq!(pending.listed(), Listed::Pending);
    lab.watcher = None;
    *lab.host.answers.0.lock().unwrap() = true;
    lab.host.answers.1.notify_all();
    until("its thread has ended", || Arc::strong_count(&lab.host) == 1);
    assert_ne!(pending.listed(), Listed::Done);
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
        assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
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
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
    *lab.host.answers.0.lock().unwrap() = true;
    lab.host.answers.1.notify_all();
    until("its thread has ended", || Arc::strong_count(&lab.host) == 1);
    lab.start();
    lab.whole("a");
    assert_eq!(lab.reports_of("a"), 1, "by the second start only");
}
