//! What needs its own kernel limits or mounts: run again inside a user namespace, where both are ours to set.

use crate::lab::{Lab, ROOT};
use std::fs;
use std::process::Command;
use watch::{ActiveMode, Mode, RootState};

/// Runs an ignored test of this binary in a namespace, after some shell. False where the machine forbids namespaces.
fn in_namespace(flags: &str, shell: &str, test: &str) -> bool {
    if !Command::new("unshare")
        .args([flags, "true"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        eprintln!("skipped: user namespaces are not allowed here");
        return false;
    }
    let script = format!("set -e; {shell}; exec \"$0\" --exact --ignored --nocapture \"$1\"");
    let this = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .args([flags, "sh", "-c", &script])
        .arg(this)
        .arg(test)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("1 passed"), "the test did not run: {text}");
    true
}

#[test]
fn without_watches_the_root_is_polled_and_the_remedy_is_told() {
    let limit = "echo 4 > /proc/sys/user/max_inotify_watches";
    in_namespace("-Ur", limit, "kernel::inside_four_watches");
}

#[test]
#[ignore = "runs inside a namespace with four inotify watches"]
fn inside_four_watches() {
    let mut lab = Lab::new();
    lab.spec.mode = Mode::Native;
    lab.spec.poll_interval = std::time::Duration::from_millis(50);
    for folder in 0..10 {
        fs::create_dir(lab.path(&folder.to_string())).unwrap();
    }
    lab.start();
    let Some(RootState::Online { mode, reason, .. }) = lab.watcher().state(ROOT) else {
        panic!("offline")
    };
    assert_eq!(mode, ActiveMode::Poll, "{reason}");
    assert!(
        reason.contains("sysctl fs.inotify.max_user_watches="),
        "{reason}"
    );
    for folder in 0..10 {
        let name = format!("{folder}/a");
        lab.write(&name, "END");
        lab.whole(&name);
    }
}

#[test]
fn without_instances_the_root_is_polled_and_the_remedy_is_told() {
    let limit = "echo 0 > /proc/sys/user/max_inotify_instances";
    in_namespace("-Ur", limit, "kernel::inside_no_instances");
}

#[test]
#[ignore = "runs inside a namespace without inotify instances"]
fn inside_no_instances() {
    let mut lab = Lab::new();
    lab.spec.poll_interval = std::time::Duration::from_millis(50);
    lab.start();
    let Some(RootState::Online { mode, reason, .. }) = lab.watcher().state(ROOT) else {
        panic!("offline")
    };
    assert_eq!(mode, ActiveMode::Poll, "{reason}");
    assert!(
        reason.contains("sysctl fs.inotify.max_user_instances="),
        "{reason}"
    );
    lab.write("a", "END");
    lab.whole("a");
}

#[test]
fn an_unmounted_root_is_offline_and_loses_nothing() {
    in_namespace("-Urm", "true", "kernel::inside_own_mounts");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_own_mounts() {
    for mode in [Mode::Native, Mode::Poll] {
        let mut lab = Lab::new();
        lab.spec.mode = mode;
        lab.spec.poll_interval = std::time::Duration::from_millis(50);
        // The share keeps its content while it is not mounted at the root.
        let share = lab.outside("share");
        fs::create_dir(&share).unwrap();
        run("mount", &["-t", "tmpfs", "none", share.to_str().unwrap()]);
        let root = lab.spec.path.to_str().unwrap().to_owned();
        let mount = || run("mount", &["--bind", share.to_str().unwrap(), &root]);
        mount();
        lab.start();
        lab.write("a", "END");
        lab.write("b", "END");
        lab.all_whole(["a".into(), "b".into()]);
        run("umount", &["-l", &root]);
        assert!(lab.offline().contains("mount the share"));
        fs::write(share.join("c"), "END").unwrap();
        mount();
        lab.online();
        lab.whole("c");
        lab.everything_is_told("d");
        assert!(!lab.has_vanished_any());
        assert_eq!((lab.reports_of("a"), lab.reports_of("b")), (1, 1));
        lab.watcher = None;
        run("umount", &["-l", &root]);
        run("umount", &["-l", share.to_str().unwrap()]);
    }
}

#[test]
fn files_of_a_share_mounted_below_the_root_do_not_vanish_with_it() {
    in_namespace("-Urm", "true", "kernel::inside_nested_mounts");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_nested_mounts() {
    let mut lab = Lab::native();
    let folder = lab.path("p");
    fs::create_dir(&folder).unwrap();
    run("mount", &["-t", "tmpfs", "none", folder.to_str().unwrap()]);
    for name in ["p/a", "b", "c"] {
        lab.write(name, "END");
    }
    assert!(lab.watcher().rescan(ROOT));
    lab.all_whole(["p/a", "b", "c"].map(String::from));
    run("umount", &["-l", folder.to_str().unwrap()]);
    fs::remove_file(lab.path("c")).unwrap();
    lab.vanished("c");
    lab.everything_is_told("last");
    assert!(
        lab.host
            .known
            .lock()
            .unwrap()
            .contains_key(std::path::Path::new("p/a"))
    );
    // A folder that is gone altogether was removed by somebody.
    fs::remove_dir(&folder).unwrap();
    lab.vanished("p/a");
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
