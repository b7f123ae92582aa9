//! Tests that mount: run again inside a namespace of their own, where mounts disturb nobody.

use std::path::Path;
use std::process::Command;

/// Runs an ignored test of this test program in its own user and mount namespace, and prints what it measured. Where the
/// machine forbids that, a line says so.
///
/// # Panics
/// The test fails, or there is none of that name.
pub fn in_namespace(test: &str) {
    let allowed = Command::new("unshare")
        .args(["-rm", "true"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !allowed {
        println!("skipped: user and mount namespaces are not allowed here");
        return;
    }
    let Ok(this) = std::env::current_exe() else {
        panic!("this test program has no name")
    };
    let output = Command::new("unshare")
        .arg("-rm")
        .arg(this)
        .args(["--exact", "--ignored", "--nocapture", test])
        .output();
    let Ok(output) = output else {
        panic!("unshare cannot be run")
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("1 passed"), "the test did not run: {text}");
    for line in text.lines().filter(|line| line.starts_with("measured:")) {
        println!("{line}");
    }
}

/// Mounts a tmpfs of so many KiB.
///
/// # Panics
/// It cannot be mounted.
pub fn mount_tmpfs(folder: &Path, kib: u64) {
    let size = format!("size={kib}k");
    command("mount", &["-t", "tmpfs", "-o", &size, "none"], &[folder]);
}

/// Mounts a folder at another place too.
///
/// # Panics
/// It cannot be mounted.
pub fn bind(from: &Path, to: &Path) {
    command("mount", &["--bind"], &[from, to]);
}

/// Takes a mount away, also while it is in use, as a server that goes away does.
///
/// # Panics
/// It is none.
pub fn unmount(folder: &Path) {
    command("umount", &["-l"], &[folder]);
}

fn command(program: &str, options: &[&str], paths: &[&Path]) {
    let output = Command::new(program).args(options).args(paths).output();
    match output {
        Ok(output) => assert!(
            output.status.success(),
            "{program} {options:?} {paths:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => panic!("{program} cannot be run: {error}"),
    }
}
