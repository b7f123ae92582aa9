//! What becomes of files that vanish, that are links, or that have names which are no text; and what is told about them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use black_box::binary::json;
use black_box::daemon::{Daemon, Start};
use black_box::tiny::{NAMING, ONE_JOB, image, name};
use serde_json::Value;

fn start(lines: &str, settle_secs: u64) -> Daemon {
    let root_lines = format!("{NAMING}\nplate_complete = [\"sentinel:FINISHED\"]\n{lines}");
    Daemon::start_with(&Start {
        root_lines: &root_lines,
        settle_secs,
        ..Start::new(ONE_JOB)
    })
}

fn write(folder: &Path, index: usize) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join(name(index));
    fs::write(&path, image(32, index as u64).unwrap()).unwrap();
    path
}

fn explain(daemon: &Daemon, path: &Path) -> Value {
    let arguments = ["watch".as_ref(), "explain".as_ref(), path.as_os_str()];
    json(&daemon.client(std::iter::once(OsStr::new("--json")).chain(arguments)))
}

fn succeeded(daemon: &Daemon) -> u64 {
    let status = daemon.try_get("/api/v1/status").unwrap_or_default();
    let status: Value = serde_json::from_str(&status).unwrap_or_default();
    status["tasks"]["succeeded"].as_u64().unwrap_or(0)
}

#[test]
fn a_vanished_file_is_noted_once_and_comes_back_without_a_rerun() {
    let daemon = start("", 0);
    let folder = daemon.folder("drop").join("plate");
    let paths: Vec<PathBuf> = (0..3).map(|i| write(&folder, i)).collect();
    daemon.wait("three images are done", || succeeded(&daemon) == 3);
    let vanished = || daemon.get("/api/v1/status")["files"]["vanished"].as_u64();
    let away = daemon.folder("state").join("away.tif");
    fs::rename(&paths[1], &away).unwrap();
    daemon.wait("it is noted", || vanished() == Some(1));
    for _ in 0..3 {
        daemon.rescan();
    }
    let list = daemon.client(["files", "list", "--vanished", "--json"]);
    let listed = json(&list)["items"].clone();
    assert_eq!(listed[0]["path"], format!("plate/{}", name(1)), "{listed}");
    assert_eq!(
        (listed.as_array().unwrap().len(), &listed[0]["state"]),
        (1, &"registered".into())
    );
    let told = explain(&daemon, &paths[1]);
    assert_eq!(told["state"], "vanished", "{told}");
    assert!(
        daemon
            .try_get("/")
            .unwrap()
            .contains("1 file is gone; its results stay")
    );
    // It was touched on the way, as by a copy back from an archive.
    let bytes = fs::read(&away).unwrap();
    fs::write(&paths[1], bytes).unwrap();
    daemon.wait("it is back", || vanished() == Some(0));
    // A later arrival: whatever the return was going to cause has happened before that.
    write(&folder, 3);
    daemon.wait("the fourth is done", || succeeded(&daemon) == 4);
    assert_eq!(
        daemon.events("task.succeeded").len(),
        4,
        "nothing ran twice"
    );
    assert_eq!(daemon.events("file.vanished").len(), 1);
    assert_eq!(daemon.events("file.returned").len(), 1);
    assert_eq!(explain(&daemon, &paths[1])["state"], "registered");
    assert_eq!(explain(&daemon, &paths[1])["image_set"], "A02-0001");
}

#[test]
fn a_root_that_goes_away_takes_no_file_with_it() {
    let daemon = start("", 0);
    let folder = daemon.folder("drop").join("plate");
    let path = write(&folder, 0);
    write(&folder, 1);
    daemon.wait("two images are done", || succeeded(&daemon) == 2);
    let away = daemon.folder("away");
    fs::rename(daemon.folder("drop"), &away).unwrap();
    let state = || daemon.get("/api/v1/roots")["items"][0].clone();
    daemon.wait("the root is offline", || state()["state"] == "offline");
    assert_eq!(state()["watched"], Value::Null);
    let told = explain(&daemon, &path);
    assert_eq!(told["state"], "offline", "{told}");
    assert!(
        told["recorded"].as_str().unwrap().contains("registered"),
        "{told}"
    );
    fs::rename(&away, daemon.folder("drop")).unwrap();
    daemon.wait("the root is online", || state()["state"] == "online");
    write(&folder, 2);
    daemon.wait("the third is done", || succeeded(&daemon) == 3);
    assert_eq!(daemon.events("file.vanished"), Vec::<Value>::new());
    assert_eq!(daemon.events("task.succeeded").len(), 3);
}

#[test]
fn explain_names_the_rule_or_what_is_waited_for() {
    let daemon = start("ignore = [\"calibration/\"]", 3600);
    let folder = daemon.folder("drop").join("plate");
    fs::create_dir_all(folder.join("calibration")).unwrap();
    for junk in [
        "Thumbs.db",
        "a.part",
        "calibration/P_A01_s1_DAPI.tif",
        "P_A01_s1_DAPI_thumb.tif",
    ] {
        fs::write(folder.join(junk), "x").unwrap();
    }
    let path = write(&folder, 0);
    daemon.wait("it settles", || {
        explain(&daemon, &path)["state"] == "settling"
    });
    let told = explain(&daemon, &path);
    let text = told["detail"].as_str().unwrap();
    assert!(
        text.contains("waited for") && told["first_seen"].is_string(),
        "{told}"
    );
    for (junk, rule) in [
        ("Thumbs.db", "Thumbs.db"),
        ("a.part", "*.part"),
        (
            "calibration/P_A01_s1_DAPI.tif",
            "\"calibration/\" of the watched folder",
        ),
        ("P_A01_s1_DAPI_thumb.tif", "_thumb"),
    ] {
        let told = explain(&daemon, &folder.join(junk));
        let text = told["detail"].as_str().unwrap();
        assert_eq!(told["state"], "ignored", "{told}");
        assert!(text.contains(rule), "{rule}: {told}");
    }
    assert_eq!(
        explain(&daemon, &folder.join("never.tif"))["state"],
        "missing"
    );
    assert_eq!(explain(&daemon, &folder)["state"], "not_a_file");
    let outside = daemon.client(["watch", "explain", "/etc/passwd"]);
    let text = String::from_utf8_lossy(&outside.stderr).into_owned();
    assert_eq!(outside.status.code(), Some(4), "{text}");
    assert!(text.contains("roots list"), "{text}");
    // The same by the older names of the question.
    for arguments in [["tasks", "explain"], ["files", "explain"]] {
        let output = daemon.client(arguments.iter().map(OsStr::new).chain([path.as_os_str()]));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && text.contains("state: settling"),
            "{text}"
        );
    }
}

#[test]
fn names_that_are_no_text_go_all_the_way() {
    let daemon = start("", 0);
    let odd: &[u8] = b"pl\xffate, \"one\"\n\t'two' <b>&";
    let folder = daemon.folder("drop").join(OsStr::from_bytes(odd));
    let twin = daemon
        .folder("drop")
        .join(OsStr::from_bytes(b"pl\xfeate, \"one\"\n\t'two' <b>&"));
    // A byte that is no UTF-8 in the file's own name too, where the scheme reads the plate.
    let own = OsStr::from_bytes(b"\xc3( ,\n_B07_s1_DAPI.tif");
    write(&folder, 0);
    write(&twin, 0);
    let path = folder.join(own);
    fs::write(&path, image(32, 9).unwrap()).unwrap();
    daemon.wait("three images are done", || succeeded(&daemon) == 3);
    let told = explain(&daemon, &path);
    assert_eq!(
        (&told["state"], &told["image_set"]),
        (&"registered".into(), &"B07-0001".into()),
        "{told}"
    );
    let bytes: Vec<u8> = serde_json::from_value(told["path_bytes"].clone()).unwrap();
    assert_eq!(OsStr::from_bytes(&bytes), path.as_os_str());
    let files = daemon.get("/api/v1/files");
    let encoded: Vec<&str> = files["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["path_encoded"].as_str())
        .collect();
    assert_eq!(encoded.len(), 3, "{files}");
    assert!(
        encoded
            .iter()
            .all(|path| path.starts_with("pl%FFate,") || path.starts_with("pl%FEate")),
        "{encoded:?}"
    );
    // Two folders that look alike as text are two plates, with results of their own.
    let plates = daemon.get("/api/v1/plates");
    assert_eq!(plates["items"].as_array().unwrap().len(), 3, "{plates}");
    let results = |bytes: &[u8]| {
        let folder = daemon.folder("results").join(OsStr::from_bytes(bytes));
        let mut found = Vec::new();
        let mut open = vec![folder];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.push(path);
                }
            }
        }
        found
    };
    assert_eq!(results(odd).len(), 2);
    assert_eq!(results(b"pl\xfeate, \"one\"\n\t'two' <b>&").len(), 1);
    for plate in plates["items"].as_array().unwrap() {
        let page = daemon.try_get(&format!("/plates/{}", plate["id"])).unwrap();
        assert!(!page.contains("<b>&"), "names are escaped");
    }
    assert!(daemon.try_get("/").unwrap().contains("pl"));
    for arguments in [["plates", "list"], ["files", "list"]] {
        let output = daemon.client(arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for container in results(odd) {
        let output = daemon.client([OsStr::new("inspect"), container.as_os_str()]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn links_are_never_followed_not_even_by_a_worker() {
    let daemon = start("", 0);
    let secret = daemon.folder("secret");
    let outside = write(&secret, 0);
    let folder = daemon.folder("drop").join("plate");
    fs::create_dir_all(&folder).unwrap();
    symlink(&outside, folder.join(name(0))).unwrap();
    symlink(&secret, daemon.folder("drop").join("linked")).unwrap();
    write(&folder, 1);
    daemon.wait("the real image is done", || succeeded(&daemon) == 1);
    for link in [
        folder.join(name(0)),
        daemon.folder("drop").join("linked").join(name(0)),
    ] {
        let told = explain(&daemon, &link);
        let text = told["detail"].as_str().unwrap();
        assert!(
            told["state"] == "ignored" && text.contains("symbolic link"),
            "{told}"
        );
    }
    // Registered while it was real, and swapped for a link to the secret folder before a worker reads it.
    daemon.post(
        "/api/v1/queue/pause",
        &serde_json::json!({ "reason": "test" }),
    );
    let later = daemon.folder("drop").join("later");
    write(&later, 0);
    daemon.wait("it is registered", || {
        explain(&daemon, &later.join(name(0)))["state"] == "registered"
    });
    fs::rename(&later, daemon.folder("moved")).unwrap();
    symlink(&secret, &later).unwrap();
    daemon.post("/api/v1/queue/resume", &Value::Null);
    daemon.wait("its task fails", || {
        let failed = daemon.get("/api/v1/tasks?state=failed,retrying");
        failed["items"]
            .as_array()
            .is_some_and(|items| !items.is_empty())
    });
    let tasks = daemon.get("/api/v1/tasks?state=failed,retrying");
    let error = tasks["items"][0]["error"]["message"].as_str().unwrap();
    assert!(error.contains("link") || error.contains("gone"), "{tasks}");
    assert_eq!(succeeded(&daemon), 1);
    let published = fs::read_dir(daemon.folder("results").join("later/P"));
    let is_empty = published.map_or(true, |mut files| files.next().is_none());
    assert!(is_empty, "nothing of it is in the results");
}

#[test]
fn a_file_moved_before_its_work_is_found_under_its_new_name_or_waited_for() {
    let daemon = start("", 0);
    let folder = daemon.folder("drop").join("plate");
    write(&folder, 0);
    daemon.wait("the first is done", || succeeded(&daemon) == 1);
    daemon.post(
        "/api/v1/queue/pause",
        &serde_json::json!({ "reason": "test" }),
    );
    let (renamed, moved) = (write(&folder, 1), write(&folder, 2));
    daemon.wait("both are registered", || {
        daemon.get("/api/v1/status")["tasks"]["ready"] == 2
    });
    fs::rename(&renamed, renamed.with_extension("tiff")).unwrap();
    let away = daemon.folder("away.tif");
    fs::rename(&moved, &away).unwrap();
    daemon.wait("both are noted as gone", || {
        daemon.get("/api/v1/status")["files"]["vanished"] == 2
    });
    daemon.post("/api/v1/queue/resume", &Value::Null);
    daemon.wait("the renamed one is done", || succeeded(&daemon) == 2);
    let failed = || daemon.get("/api/v1/tasks?state=failed")["items"].clone();
    daemon.wait("the moved one has failed", || {
        !failed().as_array().unwrap().is_empty()
    });
    let task = failed()[0].clone();
    assert_eq!(
        (&task["error"]["code"], &task["well"]),
        (&"file-missing".into(), &"A03".into()),
        "{task}"
    );
    fs::rename(&away, &moved).unwrap();
    daemon.wait("it runs by itself once it is back", || {
        succeeded(&daemon) == 3
    });
    assert_eq!(failed(), serde_json::json!([]));
}

#[test]
fn what_was_there_before_is_left_alone_and_a_copy_with_an_old_date_is_not() {
    let lines = format!("{NAMING}\nexisting = \"ignore\"\nplate_complete = [\"manual\"]");
    let mut daemon = Daemon::prepared(&Start {
        root_lines: &lines,
        ..Start::new(ONE_JOB)
    });
    let folder = daemon.folder("drop").join("plate");
    let before = write(&folder, 0);
    // The root is watched from a later moment on, also by the clock of the file system.
    let begin = std::time::Instant::now();
    daemon.launch();
    daemon.wait("it is left alone", || {
        daemon.get("/api/v1/status")["files"]["ignored"] == 1
    });
    let copied = write(&folder, 1);
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = fs::File::options().append(true).open(&copied).unwrap();
    file.set_modified(old).unwrap();
    daemon.wait("the copy is done", || succeeded(&daemon) == 1);
    // Its mode changes, and with that its ctime: it was there all the same.
    let mut rights = fs::metadata(&before).unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(&before, rights).unwrap();
    daemon.rescan();
    write(&folder, 2);
    daemon.wait("the third is done", || succeeded(&daemon) == 2);
    assert_eq!(
        daemon.get("/api/v1/status")["files"]["ignored"],
        1,
        "after {:?}",
        begin.elapsed()
    );
    daemon.wait("the touched one is judged", || {
        explain(&daemon, &before)["state"] == "ignored"
    });
    assert_eq!(daemon.get("/api/v1/status")["tasks"]["succeeded"], 2);
}
