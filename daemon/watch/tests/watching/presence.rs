//! Roots that are missing, that come back, and that only look empty.

use crate::lab::{Lab, ROOT};
use std::fs;
use std::path::Path;
use watch::{ActiveMode, FileIdentity, FileStatus, RootState};

#[test]
fn a_root_that_does_not_exist_is_offline_until_it_does() {
    let mut lab = Lab::new();
    fs::remove_dir(&lab.spec.path).unwrap();
    lab.watcher = Some(watch::Watcher::start(vec![lab.spec.clone()], lab.host.clone()).unwrap());
    assert!(lab.offline().contains("does not exist"));
    assert!(matches!(
        lab.watcher().explain(ROOT, Path::new("a")),
        FileStatus::RootOffline { .. }
    ));
    fs::create_dir(&lab.spec.path).unwrap();
    lab.write("a", "END");
    assert_eq!(lab.online().0, ActiveMode::Native);
    lab.whole("a");
}

#[test]
fn a_file_in_place_of_the_root_is_offline() {
    let mut lab = Lab::new();
    fs::remove_dir(&lab.spec.path).unwrap();
    fs::write(&lab.spec.path, "a file").unwrap();
    lab.watcher = Some(watch::Watcher::start(vec![lab.spec.clone()], lab.host.clone()).unwrap());
    assert!(lab.offline().contains("not a folder"));
}

fn goes_and_comes_back(mut lab: Lab) {
    fs::create_dir(lab.path("p")).unwrap();
    lab.write("p/a", "END");
    lab.write("p/b", "END");
    lab.all_whole(["p/a".into(), "p/b".into()]);
    let away = lab.outside("away");
    fs::rename(&lab.spec.path, &away).unwrap();
    lab.offline();
    fs::write(away.join("p/c"), "END").unwrap();
    fs::write(away.join("p/d"), "half").unwrap();
    fs::rename(&away, &lab.spec.path).unwrap();
    lab.online();
    lab.whole("p/c");
    lab.write("p/d", "END");
    lab.whole("p/d");
    lab.everything_is_told("e");
    assert!(!lab.has_vanished_any());
    assert_eq!((lab.reports_of("p/a"), lab.reports_of("p/b")), (1, 1));
}

#[test]
fn a_natively_watched_root_goes_and_comes_back() {
    goes_and_comes_back(Lab::native());
}

#[test]
fn a_polled_root_goes_and_comes_back() {
    goes_and_comes_back(Lab::polling());
}

/// The empty folder is not where the registered files were: as after a boot that did not mount the share.
#[test]
fn a_bare_mount_point_is_offline_until_something_lies_in_it() {
    let mut lab = Lab::new();
    let elsewhere = FileIdentity {
        size: 3,
        mtime_ns: 1,
        ctime_ns: 1,
        inode: 1,
        device: u64::MAX,
    };
    lab.host
        .known
        .lock()
        .unwrap()
        .insert("p/a".into(), elsewhere);
    lab.watcher = Some(watch::Watcher::start(vec![lab.spec.clone()], lab.host.clone()).unwrap());
    assert!(lab.offline().contains("mount the share"));
    lab.write("b", "END");
    lab.online();
    lab.whole("b");
    assert!(!lab.has_vanished_any());
}

#[test]
fn a_local_root_that_is_cleared_stays_online_and_keeps_its_files_in_mind() {
    let mut lab = Lab::native();
    lab.write("a", "END");
    lab.whole("a");
    fs::remove_file(lab.path("a")).unwrap();
    assert!(lab.watcher().rescan(ROOT));
    lab.scanned();
    assert!(matches!(
        lab.watcher().state(ROOT),
        Some(RootState::Online { .. })
    ));
    assert!(!lab.has_vanished_any());
    lab.write("b", "END");
    lab.whole("b");
}

#[test]
fn another_folder_under_the_name_of_the_root_is_noticed() {
    let mut lab = Lab::native();
    lab.write("a", "END");
    lab.whole("a");
    // Swapped in one step, so that the name is never missing.
    let other = lab.outside("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("b"), "END").unwrap();
    rustix::fs::renameat_with(
        rustix::fs::CWD,
        &other,
        rustix::fs::CWD,
        &lab.spec.path,
        rustix::fs::RenameFlags::EXCHANGE,
    )
    .unwrap();
    lab.whole("b");
    lab.write("c", "END");
    lab.whole("c");
}

#[test]
fn the_mode_follows_the_file_system_and_the_reason_is_told() {
    let mut lab = Lab::new();
    lab.spec.mode = watch::Mode::Auto;
    lab.start();
    let kind = watch::fs_kind(&lab.spec.path).unwrap();
    let Some(RootState::Online {
        mode,
        reason,
        file_system,
    }) = lab.watcher().state(ROOT)
    else {
        panic!("offline")
    };
    let expected = if kind.needs_polling() {
        ActiveMode::Poll
    } else {
        ActiveMode::Native
    };
    assert_eq!((mode, &file_system), (expected, &kind.name));
    assert!(reason.contains(&kind.name), "{reason}");
}
