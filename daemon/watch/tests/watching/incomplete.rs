//! Files that are not whole, for a while or for good.

use crate::lab::{Lab, ROOT, until, write};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};
use watch::{FileStatus, WaitingFor};

fn impatient() -> Lab {
    let mut lab = Lab::new();
    lab.spec.give_up = Duration::from_millis(1500);
    lab.start();
    lab
}

fn waiting_for(lab: &Lab, name: &str) -> Option<WaitingFor> {
    match lab.watcher().explain(ROOT, Path::new(name)) {
        FileStatus::Settling { waiting_for, .. } => Some(waiting_for),
        _ => None,
    }
}

#[test]
fn an_empty_file_waits_for_content() {
    let mut lab = Lab::native();
    File::create(lab.path("a")).unwrap();
    until("it waits for content", || {
        waiting_for(&lab, "a") == Some(WaitingFor::Content)
    });
    assert_eq!(
        lab.watcher().counters()[&ROOT].probes,
        0,
        "there is nothing to probe"
    );
    lab.write("a", "END");
    lab.whole("a");
}

#[test]
fn an_empty_file_is_given_up_and_taken_up_again_when_it_gets_content() {
    let mut lab = impatient();
    File::create(lab.path("a")).unwrap();
    assert!(lab.unreadable("a").contains("empty"));
    assert!(matches!(
        lab.watcher().explain(ROOT, Path::new("a")),
        FileStatus::Unreadable { .. }
    ));
    lab.write("a", "END");
    lab.whole("a");
    assert!(lab.watcher().unreadable(ROOT).is_empty());
}

#[test]
fn a_truncated_file_is_given_up_once_and_looked_at_again_on_request() {
    let mut lab = impatient();
    // Moved in: never empty.
    write(&lab.outside("a"), "half");
    std::fs::rename(lab.outside("a"), lab.path("a")).unwrap();
    let reason = lab.unreadable("a");
    assert!(
        reason.contains("the end is missing") && reason.contains("1.5s"),
        "{reason}"
    );
    assert_eq!(lab.watcher().unreadable(ROOT), [("a".into(), reason)]);
    assert!(lab.watcher().settling(ROOT).is_empty());
    assert!(lab.watcher().rescan(ROOT));
    lab.unreadable("a");
    assert_eq!(lab.watcher().counters()[&ROOT].unreadable, 2);
}

#[test]
fn a_growing_file_is_never_given_up() {
    use std::io::Write;
    // A writer that was kept waiting for too long did not write: once more.
    for _ in 0..5 {
        let mut lab = impatient();
        let mut file = File::create(lab.path("a")).unwrap();
        let start = Instant::now();
        let (mut last, mut longest) = (start, Duration::ZERO);
        while start.elapsed() < lab.spec.give_up * 3 {
            let before = std::mem::replace(&mut last, Instant::now());
            file.write_all(b"more ").unwrap();
            longest = longest.max(before.elapsed());
            until("100 ms passed", || {
                last.elapsed() > Duration::from_millis(100)
            });
        }
        file.write_all(b"END").unwrap();
        drop(file);
        if longest.max(last.elapsed()) >= lab.spec.give_up {
            continue;
        }
        lab.whole("a");
        return assert_eq!(lab.watcher().counters()[&ROOT].unreadable, 0);
    }
    panic!("this machine stands still too often");
}

#[test]
fn a_file_that_cannot_be_a_picture_is_told_at_once() {
    let mut lab = Lab::native();
    lab.write("a", "BROKEN");
    assert_eq!(lab.unreadable("a"), "no such format");
    lab.write("b", "END");
    lab.whole("b");
    assert_eq!(lab.watcher().counters()[&ROOT].probes, 2, "each once");
    assert!(lab.watcher().rescan(ROOT));
    lab.unreadable("a");
    assert_eq!(
        lab.watcher().counters()[&ROOT].probes,
        3,
        "and once more on request"
    );
}

#[test]
fn a_file_that_crashes_the_probe_costs_itself_only() {
    let mut lab = Lab::native();
    lab.write("a", "CRASH");
    assert!(lab.unreadable("a").contains("crashed"));
    lab.write("b", "END");
    lab.whole("b");
}
