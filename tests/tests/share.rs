//! Shares that go away and come back, under running work; folders for the state that are on a network.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use black_box::daemon::{Daemon, Start};
use black_box::namespace::{bind, in_namespace, mount_tmpfs, unmount};
use black_box::tiny::{NAMING, ONE_JOB, image, name};
use serde_json::Value;

const IMAGES: usize = 40;

fn status(daemon: &Daemon) -> Value {
    let text = daemon.try_get("/api/v1/status").unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn root_is(daemon: &Daemon, state: &str) -> bool {
    status(daemon)["roots"][0]["state"] == state
}

fn succeeded(daemon: &Daemon) -> u64 {
    status(daemon)["tasks"]["succeeded"].as_u64().unwrap_or(0)
}

fn write(folder: &Path, from: usize, to: usize, side: u32) {
    fs::create_dir_all(folder).unwrap();
    for i in from..to {
        fs::write(folder.join(name(i)), image(side, i as u64).unwrap()).unwrap();
    }
}

#[test]
fn a_share_that_goes_while_passes_run_defers_them_and_everything_is_done_once_it_is_back() {
    in_namespace("inside_share");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_share() {
    // Files in the root itself, and in a folder of it: without the share the one lie in a folder that is there.
    for plate in ["plate", ""] {
        for mode in ["native", "poll"] {
            let lines = format!(
                "{NAMING}\nmode = {mode:?}\npoll_secs = 1\nplate_complete = [\"sentinel:FINISHED\"]"
            );
            let mut daemon = Daemon::prepared(&Start {
                root_lines: &lines,
                ..Start::new(ONE_JOB)
            });
            let (root, share) = (daemon.folder("drop"), daemon.folder("share"));
            fs::create_dir(&share).unwrap();
            mount_tmpfs(&share, 256 << 10);
            bind(&share, &root);
            daemon.launch();
            write(&root.join(plate), 0, IMAGES, 400);
            daemon.wait("some images are done, and not all", || {
                succeeded(&daemon) >= 3
            });
            unmount(&root);
            daemon.wait("the root is offline", || root_is(&daemon, "offline"));
            // More comes on the server meanwhile, and the mount point stays empty.
            write(&share.join(plate), IMAGES, IMAGES + 5, 400);
            fs::write(share.join(plate).join("FINISHED"), "x").unwrap();
            daemon.wait("nothing runs any more", || {
                status(&daemon)["tasks"]["running"] == 0
            });
            let tasks = status(&daemon)["tasks"].clone();
            assert_eq!(tasks["failed"], 0, "deferred, not failed: {tasks}");
            bind(&share, &root);
            daemon.wait("the root is online", || root_is(&daemon, "online"));
            daemon.wait_for_plates(1, "done");
            let tasks = daemon.get("/api/v1/tasks?limit=1000");
            let tasks = tasks["items"].as_array().unwrap();
            assert_eq!(tasks.len(), IMAGES + 5);
            for task in tasks {
                assert_eq!(
                    (&task["state"], &task["attempts"]),
                    (&"succeeded".into(), &1.into()),
                    "{mode}: {task}"
                );
            }
            assert_eq!(
                daemon.events("task.succeeded").len(),
                IMAGES + 5,
                "{mode}: once each"
            );
            assert_eq!(daemon.events("file.vanished").len(), 0, "{mode}");
            assert_eq!(daemon.events("file.recorded").len(), IMAGES + 5, "{mode}");
            drop(daemon);
            unmount(&root);
            unmount(&share);
        }
    }
}

#[test]
fn a_daemon_that_starts_without_its_share_waits_for_it() {
    in_namespace("inside_start_without_share");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_start_without_share() {
    let lines = format!("{NAMING}\nplate_complete = [\"quiet:2\"]");
    let mut daemon = Daemon::prepared(&Start {
        root_lines: &lines,
        ..Start::new(ONE_JOB)
    });
    let (root, share) = (daemon.folder("drop"), daemon.folder("share"));
    fs::create_dir(&share).unwrap();
    mount_tmpfs(&share, 64 << 10);
    bind(&share, &root);
    daemon.launch();
    write(&root.join("plate"), 0, 3, 64);
    daemon.wait("three images are done", || succeeded(&daemon) == 3);
    assert!(daemon.terminate(), "{}", daemon.log());
    unmount(&root);
    daemon.launch();
    // Offline it is from the start, before anybody has looked at it.
    daemon.wait("the root is offline, and it is told why", || {
        let detail = status(&daemon)["roots"][0]["detail"].clone();
        let is_why = |text: &str| text.contains("mount the share");
        root_is(&daemon, "offline") && detail.as_str().is_some_and(is_why)
    });
    let ready = daemon.try_get("/readyz");
    assert!(ready.is_none(), "it is not ready: {ready:?}");
    // The quiet period does not go on while nothing can be seen.
    let before = status(&daemon)["plates"].clone();
    let begin = std::time::Instant::now();
    daemon.wait("more than the quiet period has passed", || {
        begin.elapsed() > Duration::from_secs(4)
    });
    if before["arriving"] == 1 {
        assert_eq!(status(&daemon)["plates"], before);
    }
    bind(&share, &root);
    daemon.wait("the root is online", || root_is(&daemon, "online"));
    write(&root.join("plate"), 3, 4, 64);
    daemon.wait("the fourth is done", || succeeded(&daemon) == 4);
    assert_eq!(daemon.events("task.succeeded").len(), 4);
    assert_eq!(daemon.events("file.vanished").len(), 0);
}

#[test]
fn a_share_for_the_results_that_goes_away_is_waited_for() {
    in_namespace("inside_results_share");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_results_share() {
    let lines = format!("{NAMING}\nplate_complete = [\"sentinel:FINISHED\"]");
    let mut daemon = Daemon::prepared(&Start {
        root_lines: &lines,
        ..Start::new(ONE_JOB)
    });
    let (results, share) = (daemon.folder("results"), daemon.folder("share"));
    fs::create_dir(&share).unwrap();
    mount_tmpfs(&share, 256 << 10);
    bind(&share, &results);
    daemon.launch();
    let folder = daemon.folder("drop").join("plate");
    write(&folder, 0, IMAGES, 400);
    daemon.wait("some images are done, and not all", || {
        succeeded(&daemon) >= 3
    });
    unmount(&results);
    daemon.wait("the root is paused", || {
        status(&daemon)["pauses"][0]["holder"] == "output"
    });
    write(&folder, IMAGES, IMAGES + 3, 400);
    fs::write(folder.join("FINISHED"), "x").unwrap();
    daemon.wait("nothing runs any more", || {
        status(&daemon)["tasks"]["running"] == 0
    });
    let ready = daemon.try_get("/readyz");
    assert!(ready.is_none(), "it is not ready: {ready:?}");
    // A pass that was running may have published there; from then on nothing does, also not after a restart.
    let stray = || fs::read_dir(results.join("plate/P")).map_or(0, |files| files.count());
    let before = stray();
    assert!(before <= 2, "at most the running passes: {before}");
    let done = succeeded(&daemon);
    assert!(daemon.terminate(), "{}", daemon.log());
    daemon.launch();
    daemon.wait("the root is paused again", || {
        status(&daemon)["pauses"][0]["holder"] == "output"
    });
    daemon.wait("all files are known", || {
        status(&daemon)["files"]["registered"] == IMAGES + 3
    });
    assert_eq!((succeeded(&daemon), stray()), (done, before));
    bind(&share, &results);
    daemon.wait_for_plates(1, "done");
    let tasks = daemon.get("/api/v1/tasks?limit=1000");
    for task in tasks["items"].as_array().unwrap() {
        assert_eq!(
            (&task["state"], &task["attempts"]),
            (&"succeeded".into(), &1.into()),
            "{task}"
        );
    }
    // What those passes published is made again where it can be seen.
    let published = fs::read_dir(share.join("plate/P")).unwrap().count();
    assert!(published >= IMAGES + 3, "{published}");
}

/// A FUSE file system, which is to us what NFS is; killed when dropped.
struct Fuse(std::process::Child);

impl Fuse {
    /// `None`, with a line that says so, where there is no Python or no FUSE.
    fn mount(folder: &Path) -> Option<Self> {
        use std::io::BufRead;
        let python = std::env::var("WELLSPRING_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = black_box::binary::repository().join("tests/readers/fuse.py");
        let child = std::process::Command::new(python)
            .arg(script)
            .arg(folder)
            .stdout(std::process::Stdio::piped())
            .spawn();
        let mut child = child.ok()?;
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take()?)
            .read_line(&mut line)
            .ok()?;
        if line.trim() == "mounted" {
            return Some(Self(child));
        }
        println!("measured: skipped: no FUSE here");
        let _ = child.wait();
        None
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn file_systems_that_hide_writers_are_polled_and_hold_no_state() {
    in_namespace("inside_network");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_network() {
    let lines = format!("{NAMING}\nplate_complete = [\"manual\"]");
    let prepare = || {
        Daemon::prepared(&Start {
            root_lines: &lines,
            ..Start::new(ONE_JOB)
        })
    };
    let polled = |daemon: &Daemon, file_system: &str| {
        daemon.wait("the root is online", || root_is(daemon, "online"));
        let root = status(daemon)["roots"][0].clone();
        assert_eq!(
            (&root["watched"], &root["file_system"]),
            (&"poll".into(), &file_system.into()),
            "{root}"
        );
        let why = format!(
            "{file_system} does not report the changes of all its writers; the folder is listed every 10s"
        );
        let ready = daemon.try_get("/readyz").unwrap();
        assert!(
            ready.contains("watched: poll") && ready.contains(&why),
            "{ready}"
        );
        assert!(
            daemon.log().contains(&why),
            "the start-up line says so: {}",
            daemon.log()
        );
        assert!(
            daemon
                .try_get("/")
                .unwrap()
                .contains("<td data-label=\"Watched\">poll<")
        );
        let listed = daemon.client(["roots", "list"]);
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.contains("poll") && listed.contains(&why), "{listed}");
        let config = daemon.config();
        let doctor =
            black_box::binary::run(["doctor".as_ref(), "--config".as_ref(), config.as_os_str()]);
        let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(
            doctor.contains("watched: poll") && doctor.contains(&why),
            "{doctor}"
        );
    };
    // An overlay: what is written to its lower layer is not reported.
    let mut daemon = prepare();
    let (root, lower) = (daemon.folder("drop"), daemon.folder("lower"));
    let layers = daemon.folder("layers");
    fs::create_dir(&layers).unwrap();
    mount_tmpfs(&layers, 1 << 10);
    for folder in [&lower, &layers.join("upper"), &layers.join("work")] {
        fs::create_dir(folder).unwrap();
    }
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.display(),
        layers.join("upper").display(),
        layers.join("work").display()
    );
    let mounted = std::process::Command::new("mount")
        .args(["-t", "overlay", "none", "-o", &options])
        .arg(&root)
        .output()
        .unwrap();
    if mounted.status.success() {
        daemon.launch();
        polled(&daemon, "overlay");
    } else {
        println!(
            "measured: skipped: no overlay here: {}",
            String::from_utf8_lossy(&mounted.stderr).trim()
        );
    }
    drop(daemon);
    let mut daemon = prepare();
    let Some(root) = Fuse::mount(&daemon.folder("drop")) else {
        return;
    };
    daemon.launch();
    polled(&daemon, "fuse");
    drop(daemon);
    drop(root);
    // The state folder there is refused, with the remedy.
    let daemon = prepare();
    let Some(_state) = Fuse::mount(&daemon.folder("state")) else {
        return;
    };
    let config = daemon.config();
    let refused =
        black_box::binary::run(["serve".as_ref(), "--config".as_ref(), config.as_os_str()]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(
        text.contains("fuse, a network file system") && text.contains("local disk"),
        "{text}"
    );
    let doctor =
        black_box::binary::run(["doctor".as_ref(), "--config".as_ref(), config.as_os_str()]);
    let doctor_text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert_eq!(doctor.status.code(), Some(1), "{doctor_text}");
    assert!(
        doctor_text.contains("a network file system"),
        "{doctor_text}"
    );
}
