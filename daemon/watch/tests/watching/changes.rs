//! Files that the host knows: changed, touched, removed, renamed; and the time when the daemon was down.

use crate::lab::{Lab, ROOT, until, write};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

#[test]
fn new_content_under_an_old_name_is_a_change() {
    let mut lab = Lab::native();
    lab.write("a", "old END");
    let first = lab.whole("a");
    lab.write("a", "newer END");
    let (second, previous) = lab.changed("a");
    assert_eq!(
        (previous, second.size, second.inode),
        (first, 9, first.inode)
    );
    // Of the same size, by a rename, with the old mtime: all that an rsync -t leaves to tell is inode and ctime.
    let old_time = fs::metadata(lab.path("a")).unwrap().modified().unwrap();
    write(&lab.outside("b"), "other END");
    File::options()
        .append(true)
        .open(lab.outside("b"))
        .unwrap()
        .set_modified(old_time)
        .unwrap();
    fs::rename(lab.outside("b"), lab.path("a")).unwrap();
    let (third, previous) = lab.changed("a");
    assert_eq!(
        (previous, third.size, third.mtime_ns),
        (second, 9, second.mtime_ns)
    );
    lab.everything_is_told("last");
    assert_eq!(lab.reports_of("a"), 3);
}

#[test]
fn touch_and_chmod_are_reported_as_changes_of_the_same_size_for_the_host_to_hash() {
    let mut lab = Lab::native();
    lab.write("a", "END");
    let first = lab.whole("a");
    // The clock of the file system may be a coarse one, on which no time has passed since.
    until("the change has a time of its own", || {
        fs::set_permissions(lab.path("a"), Permissions::from_mode(0o600)).unwrap();
        let now = watch::FileIdentity::of(&fs::metadata(lab.path("a")).unwrap());
        now.ctime_ns > first.ctime_ns
    });
    let (second, _) = lab.changed("a");
    assert_eq!(
        (second.size, second.mtime_ns, second.inode),
        (first.size, first.mtime_ns, first.inode)
    );
    assert!(second.ctime_ns > first.ctime_ns);
    File::options()
        .append(true)
        .open(lab.path("a"))
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH)
        .unwrap();
    let (third, previous) = lab.changed("a");
    assert_eq!((previous, third.mtime_ns), (second, 0));
}

#[test]
fn a_removed_file_vanishes_alone() {
    let mut lab = Lab::native();
    for name in ["a", "b", "c"] {
        lab.write(name, "END");
    }
    lab.all_whole(["a", "b", "c"].map(String::from));
    fs::remove_file(lab.path("b")).unwrap();
    lab.vanished("b");
    lab.everything_is_told("d");
    assert_eq!(
        lab.seen
            .iter()
            .filter(|event| matches!(event, watch::Event::Vanished { .. }))
            .count(),
        1
    );
    assert_eq!(lab.watcher().counters()[&ROOT].vanished, 1);
}

#[test]
fn a_removed_plate_vanishes_and_a_renamed_one_moves() {
    let mut lab = Lab::native();
    for name in ["p/1", "p/w/2", "q/3"] {
        fs::create_dir_all(lab.path(name).parent().unwrap()).unwrap();
        lab.write(name, "END");
    }
    lab.all_whole(["p/1", "p/w/2", "q/3"].map(String::from));
    fs::rename(lab.path("p"), lab.path("r")).unwrap();
    lab.all_whole(["r/1".into(), "r/w/2".into()]);
    lab.vanished("p/1");
    // Its watches moved along.
    lab.write("r/w/4", "END");
    lab.whole("r/w/4");
    fs::remove_dir_all(lab.path("r")).unwrap();
    lab.vanished("r/1");
    lab.everything_is_told("last");
    let left: Vec<_> = lab.host.known.lock().unwrap().keys().cloned().collect();
    assert_eq!(
        left,
        [std::path::Path::new("last"), std::path::Path::new("q/3")]
    );
}

#[test]
fn nothing_vanishes_while_no_registered_file_is_in_sight() {
    let mut lab = Lab::native();
    fs::create_dir(lab.path("p")).unwrap();
    lab.write("p/a", "END");
    lab.write("p/b", "END");
    lab.all_whole(["p/a".into(), "p/b".into()]);
    fs::write(lab.path("note"), "this is not a plate").unwrap();
    // In one step: whoever looks in between would still see one of them.
    fs::rename(lab.path("p"), lab.outside("p")).unwrap();
    assert_eq!(lab.scanned_anew(), 1);
    assert!(!lab.has_vanished_any());
    // As soon as one is, the others are gone for certain.
    lab.write("c", "END");
    lab.whole("c");
    lab.scanned_anew();
    assert_eq!(lab.host.known.lock().unwrap().len(), 1);
}

#[test]
fn a_restart_reports_what_came_and_what_went_and_nothing_else() {
    let mut lab = Lab::native();
    for name in ["kept", "replaced", "removed"] {
        lab.write(name, "END");
    }
    lab.all_whole(["kept", "replaced", "removed"].map(String::from));
    lab.watcher().stop();
    lab.watcher = None;
    lab.seen.clear();
    fs::remove_file(lab.path("removed")).unwrap();
    lab.write("replaced", "by this END");
    lab.write("came", "END");
    lab.start();
    lab.all_whole(["came".into()]);
    if lab.reports_of("replaced") == 0 {
        lab.changed("replaced");
    }
    if !lab.has_vanished_any() {
        lab.vanished("removed");
    }
    lab.everything_is_told("last");
    let reports = ["kept", "replaced", "removed", "came"].map(|name| lab.reports_of(name));
    assert_eq!(reports, [0, 1, 0, 1]);
}

#[test]
fn a_report_that_the_host_lost_is_repeated_by_a_scan() {
    let mut lab = Lab::new();
    lab.spec.redeliver_after = Duration::ZERO;
    lab.host.registers.store(false, Ordering::Relaxed);
    lab.start();
    lab.write("a", "END");
    let first = lab.whole("a");
    lab.host.registers.store(true, Ordering::Relaxed);
    assert!(lab.watcher().rescan(ROOT));
    assert_eq!(lab.whole("a"), first);
    lab.everything_is_told("b");
    assert_eq!(lab.reports_of("a"), 2, "registered now, so no third time");
}

#[test]
fn a_report_that_the_host_could_not_take_is_repeated_on_request() {
    let mut lab = Lab::native();
    lab.host.registers.store(false, Ordering::Relaxed);
    lab.write("a", "END");
    lab.whole("a");
    lab.host.registers.store(true, Ordering::Relaxed);
    lab.watcher().redeliver(ROOT);
    lab.whole("a");
    lab.everything_is_told("last");
    assert_eq!(lab.reports_of("a"), 2);
}

#[test]
fn a_report_is_not_repeated_while_the_host_is_at_it() {
    let mut lab = Lab::new();
    lab.host.registers.store(false, Ordering::Relaxed);
    lab.start();
    lab.write("a", "END");
    lab.whole("a");
    for sentinel in ["b", "c", "d"] {
        lab.everything_is_told(sentinel);
    }
    assert_eq!(lab.reports_of("a"), 1);
    assert_eq!(
        lab.watcher().explain(ROOT, "a".as_ref()),
        watch::FileStatus::Reported
    );
}
