//! New files, in all the ways in which they come.

use crate::lab::{Lab, until, write};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use watch::{Event, FileStatus, WaitingFor};

#[test]
fn a_closed_file_is_reported_once_with_its_identity() {
    let mut lab = Lab::native();
    lab.write("a", "data END");
    let identity = lab.whole("a");
    let metadata = fs::metadata(lab.path("a")).unwrap();
    assert_eq!(
        (identity.size, identity.inode, identity.device),
        (8, metadata.ino(), metadata.dev())
    );
    lab.everything_is_told("b");
    assert_eq!(lab.reports_of("a"), 1);
}

#[test]
fn a_file_that_is_copied_slowly_waits_for_its_end() {
    let mut lab = Lab::native();
    let mut file = File::create(lab.path("slow")).unwrap();
    file.write_all(b"the first half").unwrap();
    // Its quiet time passes while it is open and incomplete.
    until("the half file is probed", || {
        let status = lab.watcher().explain(crate::lab::ROOT, Path::new("slow"));
        matches!(
            status,
            FileStatus::Settling {
                waiting_for: WaitingFor::Rest(_),
                ..
            }
        )
    });
    lab.everything_is_told("other");
    assert_eq!(lab.reports_of("slow"), 0);
    file.write_all(b"the other half END").unwrap();
    drop(file);
    assert_eq!(lab.whole("slow").size, 32);
}

#[test]
fn a_file_that_is_closed_and_continued_is_reported_when_it_stays_the_same() {
    let mut lab = Lab::new();
    lab.spec.settle = Duration::from_millis(1500);
    lab.start();
    // A writer that was kept waiting for as long as the file must be quiet proves nothing: once more, with another file.
    for name in ["a", "b", "c", "d", "e"] {
        let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
        // Each piece ends like a whole file: only the settle time tells.
        for piece in 0..8 {
            let before = std::mem::replace(&mut last, Instant::now());
            let mut file = File::options()
                .append(true)
                .create(true)
                .open(lab.path(name))
                .unwrap();
            write!(file, "piece {piece} END").unwrap();
            drop(file);
            longest = longest.max(before.elapsed());
            until("300 ms passed", || {
                last.elapsed() > Duration::from_millis(300)
            });
        }
        if longest >= lab.spec.settle {
            continue;
        }
        let identity = lab.whole(name);
        assert!(last.elapsed() >= lab.spec.settle, "{:?}", last.elapsed());
        return assert_eq!((identity.size, lab.reports_of(name)), (8 * 11, 1));
    }
    panic!("this machine stands still too often");
}

#[test]
fn a_file_renamed_into_place_is_reported_under_its_last_name_only() {
    let mut lab = Lab::native();
    lab.write(".a.part", "END");
    fs::rename(lab.path(".a.part"), lab.path("a")).unwrap();
    lab.write("x", "not all");
    fs::rename(lab.path("x"), lab.path("y")).unwrap();
    write(&lab.outside("b"), "END");
    fs::rename(lab.outside("b"), lab.path("b")).unwrap();
    lab.all_whole(["a".into(), "b".into()]);
    lab.everything_is_told("c");
    assert_eq!((lab.reports_of("a"), lab.reports_of("b")), (1, 1));
    assert_eq!(
        lab.watcher().explain(crate::lab::ROOT, Path::new("x")),
        FileStatus::Missing
    );
    let waiting: Vec<_> = lab
        .watcher()
        .settling(crate::lab::ROOT)
        .into_iter()
        .map(|file| file.path)
        .collect();
    assert_eq!(waiting, [Path::new("y")]);
}

#[test]
fn folders_and_files_made_at_once_are_all_found() {
    let mut lab = Lab::native();
    let mut names = Vec::new();
    for plate in 0..20 {
        let folder = format!("plate{plate}/well/site");
        fs::create_dir_all(lab.path(&folder)).unwrap();
        for file in 0..5 {
            names.push(format!("{folder}/{file}"));
            lab.write(names.last().unwrap(), "END");
        }
    }
    lab.all_whole(names.clone());
    lab.everything_is_told("last");
    for name in names {
        assert_eq!(lab.reports_of(&name), 1, "{name}");
    }
}

#[test]
fn a_tree_that_is_moved_in_is_found_and_watched() {
    let mut lab = Lab::native();
    let tree = lab.outside("tree");
    fs::create_dir_all(tree.join("p/q")).unwrap();
    for name in ["1", "p/2", "p/q/3"] {
        write(&tree.join(name), "END");
    }
    fs::rename(&tree, lab.path("tree")).unwrap();
    lab.all_whole(["tree/1", "tree/p/2", "tree/p/q/3"].map(String::from));
    lab.write("tree/p/q/4", "END");
    lab.whole("tree/p/q/4");
}

#[test]
fn a_folder_that_is_replaced_is_watched_again() {
    let mut lab = Lab::native();
    fs::create_dir(lab.path("p")).unwrap();
    lab.write("p/1", "END");
    lab.whole("p/1");
    for round in 2..6 {
        fs::remove_dir_all(lab.path("p")).unwrap();
        fs::create_dir(lab.path("p")).unwrap();
        let name = format!("p/{round}");
        lab.write(&name, "END");
        lab.whole(&name);
    }
}

#[test]
fn files_that_were_there_before_the_start_are_reported_at_once_if_they_are_old() {
    // A machine that stands still for as long as a file must be quiet proves nothing: once more, with a longer time.
    for settle in [3, 9, 27, 81].map(Duration::from_secs) {
        let mut lab = Lab::new();
        lab.spec.settle = settle;
        lab.write("old", "END");
        fs::create_dir(lab.path("p")).unwrap();
        lab.write("p/old", "END");
        let written = Instant::now();
        until("the files are old", || {
            written.elapsed() > settle + Duration::from_millis(200)
        });
        let begin = Instant::now();
        lab.write("new", "END");
        // As copying tools do: the content is new, its mtime is not.
        File::options()
            .append(true)
            .open(lab.path("new"))
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        let start = Instant::now();
        lab.start();
        lab.all_whole(["old".into(), "p/old".into()]);
        // An old file need not wait.
        if begin.elapsed() >= settle {
            continue;
        }
        assert_eq!(lab.reports_of("new"), 0);
        lab.whole("new");
        return assert!(
            start.elapsed() >= settle,
            "a new one must: {:?}",
            start.elapsed()
        );
    }
    panic!("an old file had to wait");
}

#[test]
fn names_are_bytes() {
    let mut lab = Lab::native();
    let names: [&[u8]; 5] = [
        b"not utf-8 \xff\xfe",
        b"new\nline",
        b" spaces , commas ",
        b"\xc3\xa9",
        b"e\xcc\x81",
    ];
    for name in names {
        let name = OsStr::from_bytes(name);
        fs::create_dir(lab.spec.path.join(name)).unwrap();
        write(&lab.spec.path.join(name).join(name), "END");
        lab.whole(Path::new(name).join(name));
    }
}

#[test]
fn a_hard_link_is_a_file_of_its_own() {
    let mut lab = Lab::native();
    write(&lab.outside("one"), "END");
    fs::hard_link(lab.outside("one"), lab.path("a")).unwrap();
    // Two that appear at once: each further link changes the times of those that are there.
    let pair = lab.outside("pair");
    fs::create_dir(&pair).unwrap();
    write(&pair.join("b"), "END");
    fs::hard_link(pair.join("b"), pair.join("c")).unwrap();
    fs::rename(&pair, lab.path("pair")).unwrap();
    lab.all_whole(["a", "pair/b", "pair/c"].map(String::from));
    let inode = |name: &str| lab.host.known.lock().unwrap()[Path::new(name)].inode;
    assert_eq!(inode("pair/b"), inode("pair/c"));
    lab.everything_is_told("d");
    let reports = ["a", "pair/b", "pair/c"].map(|name| lab.reports_of(name));
    assert_eq!(reports, [1; 3]);
}

#[test]
fn polling_finds_what_comes_changes_and_goes() {
    let mut lab = Lab::polling();
    fs::create_dir_all(lab.path("p/q")).unwrap();
    lab.write("p/q/1", "END");
    lab.write("p/q/2", "END");
    lab.write("p/half", "EN");
    lab.all_whole(["p/q/1".into(), "p/q/2".into()]);
    assert_eq!(lab.reports_of("p/half"), 0);
    lab.write("p/half", "END");
    lab.whole("p/half");
    lab.write("p/q/1", "longer END");
    assert_eq!(lab.changed("p/q/1").0.size, 10);
    fs::remove_file(lab.path("p/q/2")).unwrap();
    lab.vanished("p/q/2");
    lab.everything_is_told("last");
    assert_eq!((lab.reports_of("p/q/2"), lab.reports_of("p/half")), (1, 1));
    assert!(
        !lab.seen
            .iter()
            .any(|event| matches!(event, Event::Unreadable { .. } | Event::Overflow { .. }))
    );
}
