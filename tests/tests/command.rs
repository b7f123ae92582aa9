//! The job kind `command` in the real daemon: what becomes of a program when its worker, the daemon or a limit ends it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::Command;

use black_box::binary::{python, run, wellspring};
use black_box::daemon::{Daemon, Start};
use black_box::namespace::{in_namespace, mount_tmpfs};
use black_box::tiny::{NAMING, image, name};
use serde_json::Value;

const HEAD: &str = "name = \"other\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\n[container]\nscale_factors = [1]\n";

/// A workflow with one shell script, which gets its input as `$1` and the folder of marks as `$2`.
fn workflow(script: &str, keys: &str, marks: &Path) -> String {
    let job = job("it", script, keys, marks);
    format!("{HEAD}{job}")
}

fn job(id: &str, script: &str, keys: &str, marks: &Path) -> String {
    assert!(!script.contains(['{', '}']) && !script.contains("'''"));
    format!(
        "[[job]]\nid = \"{id}\"\nkind = \"command\"\ninput = \"nuclei\"\noutput = \"{id}_out\"\nprogram = \"sh\"\nargs = [\"-c\", '''{script}''', \"sh\", \"{{input.nuclei}}\", {:?}]\n{keys}\n[job.results]\n{id}_out = {{ file = \"out.tif\" }}\n",
        marks.display().to_string()
    )
}

fn drop_image(daemon: &Daemon, side: u32) {
    let folder = daemon.folder("drop").join("plate");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name(0)), image(side, 7).unwrap()).unwrap();
}

fn tasks(daemon: &Daemon) -> Vec<Value> {
    let page = daemon.try_get("/api/v1/tasks").unwrap_or_default();
    let page: Value = serde_json::from_str(&page).unwrap_or_default();
    page["items"].as_array().cloned().unwrap_or_default()
}

/// Waits until the task of a job is in a state.
fn wait_for(daemon: &Daemon, job: &str, state: &str) -> Value {
    let mut found = None;
    daemon.wait(&format!("{job} is {state}"), || {
        let mut all = tasks(daemon).into_iter();
        found = all.find(|t| t["job"] == job && t["state"] == state);
        found.is_some()
    });
    found.unwrap()
}

fn working_folders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".command."))
        .collect()
}

fn pid(marks: &Path, name: &str) -> u32 {
    let text = fs::read_to_string(marks.join(name)).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie has ended; somebody has not asked yet.
    !stat.is_empty() && !stat.contains(") Z ")
}

fn parent(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    after_name
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

fn kill(pid: u32) {
    let status = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// First never ends, with a child, and one that hides in a session of its own; once `go` is there it copies its input.
const STUBBORN: &str = r#"
if test -e "$2/go"; then cp "$1" out.tif; exit; fi
trap '' TERM INT HUP
sleep 1000 & echo $! > "$2/child"
setsid sh -c 'echo $$ > "$1/hidden.new"; mv "$1/hidden.new" "$1/hidden"; exec sleep 1000' sh "$2" &
echo $$ > "$2/main.new"; mv "$2/main.new" "$2/main"
wait; wait
"#;

fn wait_until_it_runs(daemon: &Daemon, marks: &Path) -> [u32; 3] {
    daemon.wait("the program runs", || {
        ["main", "hidden"].iter().all(|m| marks.join(m).exists())
    });
    let pids = ["main", "child", "hidden"].map(|m| pid(marks, m));
    assert!(pids.iter().all(|p| is_alive(*p)), "{pids:?}");
    pids
}

fn forget(marks: &Path) {
    for mark in ["main", "child", "hidden"] {
        fs::remove_file(marks.join(mark)).unwrap();
    }
}

#[test]
fn a_program_goes_with_its_worker_with_the_guard_and_with_the_daemon() {
    let marks = tempfile::tempdir().unwrap();
    let marks = marks.path();
    let text = workflow(STUBBORN, "", marks);
    let scratch = marks.join("scratch");
    let worker_lines = format!("scratch = {:?}", scratch.display().to_string());
    let mut daemon = Daemon::start_with(&Start {
        root_lines: NAMING,
        worker_lines: &worker_lines,
        ..Start::new(&text)
    });
    drop_image(&daemon, 32);
    let gone = |daemon: &Daemon, pids: [u32; 3]| {
        daemon.wait("all that it started is gone", || {
            !pids.iter().any(|p| is_alive(*p))
        });
    };
    // The worker.
    let pids = wait_until_it_runs(&daemon, marks);
    assert_eq!(working_folders(&scratch).len(), 1);
    let worker = parent(parent(pids[0]));
    forget(marks);
    kill(worker);
    gone(&daemon, pids);
    // The guard: its worker lives on, and says what happened.
    let pids = wait_until_it_runs(&daemon, marks);
    let guard = parent(pids[0]);
    forget(marks);
    kill(guard);
    daemon.wait("the program goes with its guard", || !is_alive(pids[0]));
    let it = &tasks(&daemon)[0];
    assert_eq!(it["crashes"], 1, "{it}");
    // What it left behind is in the worker's group, or hides; nothing watches over it any more.
    for pid in &pids[1..] {
        if is_alive(*pid) {
            kill(*pid);
        }
    }
    // The daemon, and with it the worker.
    let again = daemon.post(
        "/api/v1/tasks/requeue",
        &serde_json::json!({ "filter": { "state": ["retrying", "failed"] }, "dry_run": false }),
    );
    assert!(again.0 < 300, "{again:?}");
    let pids = wait_until_it_runs(&daemon, marks);
    daemon.kill();
    gone(&daemon, pids);
    assert_eq!(working_folders(&scratch).len(), 1, "nobody could clean up");
    fs::write(marks.join("go"), "").unwrap();
    daemon.launch();
    wait_for(&daemon, "it", "succeeded");
    daemon.wait("its working folder is removed", || {
        working_folders(&scratch).is_empty()
    });
    assert!(working_folders(&daemon.folder("state")).is_empty());
}

#[test]
fn limits_hold_for_programs_and_their_log_keeps_both_ends() {
    let marks = tempfile::tempdir().unwrap();
    let marks = marks.path();
    let loud = "echo the beginning; head -c 20000000 /dev/zero | tr '\\0' 'x' | fold -w 100; echo; echo 'ValueError: the end'; exit 1";
    let big = "(head -c 600000000 /dev/zero; sleep 1000) | tail -n 1 > out.tif";
    let text = [
        HEAD.to_owned(),
        job("slow", STUBBORN, "time_limit_secs = 1", marks),
        job("loud", loud, "", marks),
        job("big", big, "", marks),
    ]
    .concat();
    let daemon = Daemon::start_with(&Start {
        root_lines: NAMING,
        worker_lines: "memory_limit = \"400 MiB\"",
        ..Start::new(&text)
    });
    drop_image(&daemon, 32);
    let slow = wait_for(&daemon, "slow", "failed");
    assert_eq!(slow["error"]["code"], "time-limit", "{slow}");
    for mark in ["main", "child", "hidden"] {
        daemon.wait("nothing of it is left", || !is_alive(pid(marks, mark)));
    }
    let loud = wait_for(&daemon, "loud", "failed");
    assert_eq!(loud["error"]["code"], "program-failed", "{loud}");
    assert_eq!(
        loud["error"]["message"],
        "`sh` ended with exit code 1: ValueError: the end"
    );
    let big = wait_for(&daemon, "big", "failed");
    assert_eq!(big["error"]["code"], "memory-limit", "{big}");
    let log = daemon
        .try_get(&format!("/api/v1/tasks/{}/log", loud["id"]))
        .unwrap();
    assert!(log.contains("the beginning"), "{}", &log[..2000]);
    assert!(log.contains("bytes are left out") && log.contains("ValueError: the end"));
    assert!(log.len() < 100_000, "{}", log.len());
    daemon.wait("the working folders are removed", || {
        working_folders(&daemon.folder("state")).is_empty()
    });
}

#[test]
fn a_missing_program_is_told_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let text = workflow("true", "", folder.path()).replace("\"sh\"\nargs", "\"run_ilastik\"\nargs");
    let file = folder.path().join("other.toml");
    fs::write(&file, &text).unwrap();
    let daemon = Daemon::prepared(&Start::new(&text));
    let checked = run(["workflow".as_ref(), "check".as_ref(), file.as_os_str()]);
    assert!(checked.status.success());
    let warning = String::from_utf8_lossy(&checked.stderr);
    assert!(
        warning.contains("warning:") && warning.contains("`run_ilastik` is in no folder of PATH"),
        "{warning}"
    );
    let config = daemon.config();
    let doctor = run(["doctor".as_ref(), "--config".as_ref(), config.as_os_str()]);
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(
        !doctor.status.success() && said.contains("`run_ilastik` is in no folder of PATH"),
        "{said}"
    );
}

#[test]
fn a_full_scratch_disk_costs_no_attempt() {
    in_namespace("inside_full_scratch");
}

#[test]
#[ignore = "runs inside a namespace in which it may mount"]
fn inside_full_scratch() {
    let marks = tempfile::tempdir().unwrap();
    let marks = marks.path();
    let scratch = marks.join("scratch");
    fs::create_dir(&scratch).unwrap();
    mount_tmpfs(&scratch, 600);
    // Room for the input, 128 KiB, but not for what the program writes beside it.
    fs::write(scratch.join("ballast"), vec![1; 200 << 10]).unwrap();
    let text = workflow("cp \"$1\" out.tif && cat \"$1\" \"$1\" > more", "", marks);
    let worker_lines = format!("scratch = {:?}", scratch.display().to_string());
    let daemon = Daemon::start_with(&Start {
        root_lines: NAMING,
        worker_lines: &worker_lines,
        ..Start::new(&text)
    });
    drop_image(&daemon, 256);
    let it = wait_for(&daemon, "it", "retrying");
    assert_eq!(
        (&it["error"]["class"], &it["error"]["code"], &it["attempts"]),
        (&"environment".into(), &"scratch-full".into(), &0.into()),
        "{it}"
    );
    // Not even for the input.
    fs::write(scratch.join("more-ballast"), vec![1; 300 << 10]).unwrap();
    let again = serde_json::json!({ "filter": { "state": ["retrying"] }, "dry_run": false });
    daemon.post("/api/v1/tasks/requeue", &again);
    daemon.wait("the input does not fit", || {
        let it = &tasks(&daemon)[0];
        it["state"] == "retrying" && it["error"]["code"] == "file-access"
    });
    assert_eq!(tasks(&daemon)[0]["error"]["class"], "environment");
    fs::remove_file(scratch.join("ballast")).unwrap();
    fs::remove_file(scratch.join("more-ballast")).unwrap();
    daemon.post("/api/v1/tasks/requeue", &again);
    wait_for(&daemon, "it", "succeeded");
    assert!(working_folders(&scratch).is_empty());
}

/// Reads and writes as ilastik does (HDF5 with `axistags`), and as scripts do (npy).
const LIKE_ILASTIK: &str = r#"import json, sys
import h5py
import numpy as np
options = dict(a.lstrip("-").split("=", 1) for a in sys.argv[1:] if "=" in a)
assert "--readonly" in sys.argv and open(options["project"]).read() == "trained"
path, dataset = options["raw_data"].rsplit("/", 1)
with h5py.File(path, "r") as f:
    raw = f[dataset][()]
assert raw.dtype == np.uint16 and raw.ndim == 3 and raw.shape[0] == 1, (raw.dtype, raw.shape)
p = (raw[0] / 65535).astype(np.float32)
with h5py.File(options["output_filename_format"], "w") as f:
    d = f.create_dataset("exported_data", data=np.stack([p, 1 - p], -1), chunks=(16, 16, 1), compression="gzip")
    d.attrs["axistags"] = json.dumps({"axes": [{"key": k, "typeFlags": 2} for k in "yxc"]})
np.save("labels.npy", np.asfortranarray((raw[0] > 1000).astype(">i4")))
"#;

const LIKE_HEADLESS_ILASTIK: &str = r#"
[[job]]
id = "probabilities"
kind = "command"
input = { images = ["nuclei"] }
output = { images = ["cell", "background"], labels = "objects" }
program = "{files.script}"
args = ["--headless", "--readonly", "--project={files.project}", "--raw_data={stack}/data", "--output_filename_format={dir}/result.h5"]
write = "hdf5"
files = { project = "project.ilp", script = "like_ilastik.py" }
[job.results]
cell = { file = "result.h5", dataset = "exported_data", channel = 0, type = "float32" }
background = { file = "result.h5", dataset = "exported_data", channel = 1 }
objects = { file = "labels.npy" }
"#;

const COMPARE: &str = r#"import glob, sys, h5py, numpy as np
for path in glob.glob(sys.argv[1] + "/**/*.h5", recursive=True):
    with h5py.File(path) as f:
        raw = f["nuclei/s0"][()]
        p = (raw / 65535).astype(np.float32)
        assert np.array_equal(f["cell/s0"][()], p) and np.array_equal(f["background/s0"][()], 1 - p)
        assert np.array_equal(f["objects/s0"][()], raw > 1000) and f["objects/s0"].dtype == np.uint32
        print("equal")
"#;

#[test]
fn programs_of_others_read_what_is_handed_over_and_write_what_is_taken() {
    let Some(python) = python() else { return };
    let lab = tempfile::tempdir().unwrap();
    let at = |name: &str| lab.path().join(name);
    let executable = Command::new(&python)
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    let script = format!(
        "#!{}{LIKE_ILASTIK}",
        String::from_utf8(executable.stdout).unwrap()
    );
    fs::write(at("like_ilastik.py"), &script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(at("like_ilastik.py"), mode).unwrap();
    fs::write(at("project.ilp"), "trained").unwrap();
    fs::write(at("other.toml"), format!("{HEAD}{LIKE_HEADLESS_ILASTIK}")).unwrap();
    fs::create_dir(at("images")).unwrap();
    for i in 0..2 {
        fs::write(at("images").join(name(i)), image(40, i as u64).unwrap()).unwrap();
    }
    let work = |more: &[&str]| {
        let output = Command::new(wellspring())
            .args(["run", "other.toml", "images", "--output", "results"])
            .args(["--naming", "well-site-channel"])
            .args(more)
            .current_dir(lab.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        String::from_utf8_lossy(&output.stdout).into_owned() + &said
    };
    work(&[]);
    let results = at("results");
    let compared = Command::new(&python)
        .args(["-c", COMPARE])
        .arg(&results)
        .output();
    let compared = compared.unwrap();
    assert_eq!(
        String::from_utf8_lossy(&compared.stdout),
        "equal\nequal\n",
        "{}",
        String::from_utf8_lossy(&compared.stderr)
    );
    assert!(working_folders(&results.join(".wellspring")).is_empty());
    // Another script of the same name is another program.
    let planned = || work(&["--dry-run"]);
    assert!(!planned().contains("changed:"), "{}", planned());
    fs::write(at("like_ilastik.py"), format!("{script}# changed\n")).unwrap();
    let changed = planned();
    assert!(
        changed.contains("changed: files.") && changed.contains("like_ilastik.py"),
        "{changed}"
    );
}

/// Says what it does, and then waits for `go`. The log begins with the script itself, which must not say the same.
const TALKING: &str = r#"
echo step-$((20+1)) >&2
until test -e "$2/go"; do sleep 0.05; done
echo step-$((40+2)) >&2
cp "$1" out.tif
"#;

#[test]
fn the_log_can_be_read_while_the_program_runs() {
    let marks = tempfile::tempdir().unwrap();
    let daemon = Daemon::start_with(&Start {
        root_lines: NAMING,
        ..Start::new(&workflow(TALKING, "", marks.path()))
    });
    drop_image(&daemon, 32);
    let id = wait_for(&daemon, "it", "running")["id"].clone();
    let path = format!("/api/v1/tasks/{id}/log");
    let log = || daemon.try_get(&path).unwrap_or_default();
    daemon.wait("its first words are there", || log().contains("step-21"));
    assert!(!log().contains("step-42"));
    let page = daemon.try_get(&format!("/tasks/{id}")).unwrap();
    assert!(
        page.contains("data-log=") && page.contains("step-21"),
        "{page}"
    );
    let workflows = daemon.try_get("/api/v1/workflows/other").unwrap();
    let workflows: Value = serde_json::from_str(&workflows).unwrap();
    let job = &workflows["configured"][0]["jobs"][0];
    assert_eq!(
        (&job["id"], &job["kind"]),
        (&"it".into(), &"command".into()),
        "{workflows}"
    );

    fs::write(marks.path().join("go"), "").unwrap();
    wait_for(&daemon, "it", "succeeded");
    // What was read while it ran is what is kept.
    let kept = log();
    assert!(
        kept.contains("step-21") && kept.contains("step-42"),
        "{kept}"
    );
}
