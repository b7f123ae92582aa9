//! The ways in which copy programs write files slowly. Each file is taken once, and with all it has.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime};

use black_box::binary::json;
use black_box::daemon::{Daemon, Start};
use black_box::tiny::{NAMING, ONE_JOB, image, name};
use serde_json::Value;

/// Seconds that a file must be left alone in these tests.
const SETTLE: u64 = 2;
const SHORTER: Duration = Duration::from_millis(600);
const LONGER: Duration = Duration::from_millis(3200);

fn pause(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::thread::park_timeout(time);
    }
}

/// Grows in pieces, with a pause that is longer than the settle time.
fn growing(path: &Path, bytes: &[u8]) {
    let mut file = File::create(path).unwrap();
    for (i, piece) in bytes.chunks(bytes.len() / 8 + 1).enumerate() {
        file.write_all(piece).unwrap();
        file.flush().unwrap();
        pause(if i == 4 { LONGER } else { SHORTER });
    }
}

/// Closed and opened again between the pieces, as tools do that append.
fn appended(path: &Path, bytes: &[u8]) {
    for piece in bytes.chunks(bytes.len() / 4 + 1) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.write_all(piece).unwrap();
        drop(file);
        pause(LONGER);
    }
}

/// Has its full size long before its first byte, which comes once it is told what is missing.
fn preallocated(path: &Path, bytes: &[u8], is_told: &Receiver<()>) {
    let file = File::create(path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    // An error: the test has failed, and nobody waits for this file.
    let _ = is_told.recv();
    file.write_all_at(bytes, 0).unwrap();
}

/// Size first, then filled from the start: a reader finds a whole structure with black pixels.
fn like_windows(path: &Path, bytes: &[u8]) {
    let file = File::create(path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    let size = bytes.len() / 8 + 1;
    for (i, piece) in bytes.chunks(size).enumerate() {
        file.write_all_at(piece, (i * size) as u64).unwrap();
        pause(SHORTER);
    }
    // And the times of the original at the end.
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
        .unwrap();
}

/// A temporary name beside the last one, as rsync uses it.
fn like_rsync(path: &Path, bytes: &[u8]) {
    let name = format!(".{}.x7Gh2a", path.file_name().unwrap().to_str().unwrap());
    let aside = path.with_file_name(name);
    growing(&aside, bytes);
    File::options()
        .append(true)
        .open(&aside)
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH)
        .unwrap();
    fs::rename(aside, path).unwrap();
}

/// A temporary name that is not hidden, as download programs use it.
fn like_a_download(path: &Path, bytes: &[u8]) {
    let aside = path.with_extension("tif.part");
    appended(&aside, bytes);
    fs::rename(aside, path).unwrap();
}

/// A hard link to a file that is complete elsewhere.
fn linked(path: &Path, bytes: &[u8]) {
    let aside = path.with_file_name(".original");
    fs::write(&aside, bytes).unwrap();
    pause(SHORTER);
    fs::hard_link(aside, path).unwrap();
}

fn status(daemon: &Daemon) -> Value {
    let text = daemon.try_get("/api/v1/status").unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn each_is_taken_once_and_whole(mode: &str) {
    let lines = format!(
        "{NAMING}\nmode = {mode:?}\npoll_secs = 1\nplate_complete = [\"sentinel:FINISHED\"]"
    );
    let daemon = Daemon::start_with(&Start {
        root_lines: &lines,
        settle_secs: SETTLE,
        ..Start::new(ONE_JOB)
    });
    let folder = daemon.folder("drop").join("plate");
    fs::create_dir(&folder).unwrap();
    let ways: [fn(&Path, &[u8]); 6] = [
        growing,
        appended,
        like_windows,
        like_rsync,
        like_a_download,
        linked,
    ];
    // And one that is preallocated.
    let files: Vec<(PathBuf, Vec<u8>)> = (0..=ways.len())
        .map(|i| (folder.join(name(i)), image(64, i as u64).unwrap()))
        .collect();
    std::thread::scope(|scope| {
        for (way, (path, bytes)) in ways.iter().zip(&files) {
            scope.spawn(move || way(path, bytes));
        }
        // What a preallocated file waits for is told.
        let (zeros, bytes) = &files[ways.len()];
        let (tell, is_told) = channel();
        scope.spawn(move || preallocated(zeros, bytes, &is_told));
        daemon.wait("it is told what is missing", || {
            let explained = json(&daemon.client([
                "--json".as_ref(),
                "files".as_ref(),
                "explain".as_ref(),
                zeros.as_os_str(),
            ]));
            explained["detail"]
                .as_str()
                .is_some_and(|text| text.contains("zeros"))
        });
        tell.send(()).unwrap();
    });
    fs::write(folder.join("FINISHED"), "x").unwrap();
    daemon.wait_for_plates(1, "done");
    assert_eq!(status(&daemon)["tasks"]["succeeded"], files.len());
    assert_eq!(daemon.events("file.recorded").len(), files.len());
    assert_eq!(
        daemon.events("file.superseded").len(),
        0,
        "none was taken before it was whole"
    );
    assert_eq!(daemon.events("task.succeeded").len(), files.len());
    let sets = daemon.get("/api/v1/plates/1/image-sets");
    for set in sets["items"].as_array().unwrap() {
        let file = &set["inputs"]["files"][0];
        let (path, bytes) = files
            .iter()
            .find(|(path, _)| path.ends_with(file["path"].as_str().unwrap()))
            .unwrap();
        let hash = blake3::hash(bytes).to_hex()[..32].to_owned();
        assert_eq!(file["content"], hash, "{}", path.display());
    }
}

#[test]
fn each_way_to_copy_slowly_is_waited_for_natively() {
    each_is_taken_once_and_whole("native");
}

#[test]
fn each_way_to_copy_slowly_is_waited_for_by_polling() {
    each_is_taken_once_and_whole("poll");
}
