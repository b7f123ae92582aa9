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
    daemon.wait("the root is offline", || root_is(&daemon, "offline"));
    let ready = daemon.try_get("/readyz");
    assert!(ready.is_none(), "it is not ready: {ready:?}");
    let detail = status(&daemon)["roots"][0]["detail"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(detail.contains("mount the share"), "{detail}");
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
