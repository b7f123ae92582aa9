//! What does not exist for us: junk, ignored names, depth, links that lead out.

use crate::lab::{Lab, ROOT, until, write};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use watch::{Error, FileStatus, Watcher};

fn rule(lab: &Lab, path: &str) -> String {
    match lab.watcher().explain(ROOT, Path::new(path)) {
        FileStatus::Ignored { rule } => rule,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn junk_and_ignored_names_are_neither_reported_nor_entered() {
    let mut lab = Lab::new();
    lab.spec.ignore = ["*.tmp", "thumbs/", "/raw/*.log"].map(String::from).into();
    for folder in ["p/thumbs/deep", "raw/raw", ".hidden/deep"] {
        fs::create_dir_all(lab.path(folder)).unwrap();
    }
    let ignored = [
        "p/a.tmp",
        "p/thumbs/a",
        "p/thumbs/deep/a",
        "raw/a.log",
        ".hidden/a",
        ".hidden/deep/a",
        "p/.a",
    ];
    let taken = ["p/a", "raw/raw/a.log", "p/a.tmp2"];
    for name in ignored.iter().chain(&taken) {
        lab.write(name, "END");
    }
    lab.start();
    lab.all_whole(taken.map(String::from));
    // By event as well as by scan.
    for name in ignored {
        lab.write(name, "again END");
    }
    lab.everything_is_told("last");
    for name in ignored {
        assert_eq!(lab.reports_of(name), 0, "{name}");
    }
    assert!(rule(&lab, "p/a.tmp").contains("*.tmp"));
    assert!(rule(&lab, "p/thumbs/deep/a").contains("thumbs/"));
    assert!(rule(&lab, "raw/a.log").contains("/raw/*.log"));
    assert_eq!(rule(&lab, ".hidden/deep/a"), "hidden");
    assert_eq!(
        lab.watcher().counters()[&ROOT].folders,
        4,
        "root, p, raw, raw/raw"
    );
}

#[test]
fn files_below_the_depth_limit_do_not_count() {
    let mut lab = Lab::new();
    lab.spec.max_depth = 2;
    lab.start();
    fs::create_dir_all(lab.path("1/2/3")).unwrap();
    lab.write("1/2/deep", "END");
    lab.write("1/a", "END");
    lab.whole("1/a");
    lab.everything_is_told("last");
    assert_eq!(lab.reports_of("1/2/deep"), 0);
    assert!(rule(&lab, "1/2/deep").contains("max_depth"));
}

#[test]
fn links_are_not_followed() {
    let mut lab = Lab::native();
    let outside = lab.outside("outside");
    fs::create_dir(&outside).unwrap();
    write(&outside.join("a"), "END");
    lab.write("inside", "END");
    symlink(&outside, lab.path("folder")).unwrap();
    symlink(outside.join("a"), lab.path("file")).unwrap();
    symlink(lab.path("inside"), lab.path("link")).unwrap();
    symlink(".", lab.path("loop")).unwrap();
    lab.everything_is_told("last");
    assert_eq!(
        ["folder/a", "file", "link", "loop/inside"].map(|name| lab.reports_of(name)),
        [0; 4]
    );
    assert!(
        rule(&lab, "folder/a").contains("symbolic link"),
        "nothing is told about what lies behind"
    );
}

#[test]
fn a_folder_swapped_for_a_link_does_not_lead_out() {
    let mut lab = Lab::native();
    fs::create_dir(lab.path("p")).unwrap();
    lab.write("p/a", "half");
    until("it waits for its end", || {
        lab.watcher().counters()[&ROOT].probes > 0
    });
    let outside = lab.outside("outside");
    fs::create_dir(&outside).unwrap();
    write(&outside.join("a"), "END");
    fs::rename(lab.path("p"), lab.outside("p")).unwrap();
    symlink(&outside, lab.path("p")).unwrap();
    until("it is waited for no more", || {
        lab.watcher().settling(ROOT).is_empty()
    });
    lab.everything_is_told("last");
    assert_eq!(lab.reports_of("p/a"), 0);
}

#[test]
fn where_links_count_they_still_never_lead_out() {
    let mut lab = Lab::new();
    lab.spec.follow_symlinks = true;
    let outside = lab.outside("outside");
    write(&outside, "END");
    lab.write("inside", "END");
    symlink(&outside, lab.path("out")).unwrap();
    symlink("inside", lab.path("in")).unwrap();
    symlink(".", lab.path("loop")).unwrap();
    lab.start();
    lab.all_whole(["inside".into(), "in".into()]);
    symlink("inside", lab.path("in2")).unwrap();
    lab.whole("in2");
    lab.everything_is_told("last");
    assert_eq!(
        ["out", "loop/inside"].map(|name| lab.reports_of(name)),
        [0; 2]
    );
}

#[test]
fn pipes_and_sockets_are_left_alone() {
    let mut lab = Lab::native();
    // Opening a pipe without a writer would hang for ever.
    let pipe = std::process::Command::new("mkfifo")
        .arg(lab.path("pipe"))
        .status()
        .unwrap();
    assert!(pipe.success());
    let _socket = std::os::unix::net::UnixListener::bind(lab.path("socket")).unwrap();
    lab.everything_is_told("last");
    assert_eq!(
        lab.watcher().explain(ROOT, Path::new("pipe")),
        FileStatus::NotAFile
    );
    assert_eq!(lab.watcher().settling(ROOT), []);
}

#[test]
fn a_bad_pattern_and_a_double_id_are_refused() {
    let mut lab = Lab::new();
    lab.spec.ignore = vec!["a[".into()];
    let error = Watcher::start(vec![lab.spec.clone()], lab.host.clone())
        .err()
        .unwrap();
    assert!(
        matches!(&error, Error::Glob { pattern, .. } if pattern == "a["),
        "{error}"
    );
    lab.spec.ignore.clear();
    let error = Watcher::start(vec![lab.spec.clone(), lab.spec.clone()], lab.host.clone())
        .err()
        .unwrap();
    assert!(matches!(error, Error::DuplicateRoot(ROOT)), "{error}");
}
