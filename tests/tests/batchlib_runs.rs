//! The run semantics of BatchLib: what its `.status` files say in 15 situations, and what ours say there.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use black_box::binary::{json, run, shared};
use black_box::tiny::{image, name};
use serde_json::{Value, json};

const HEAD: &str = "name = \"means\"\nversion = \"1\"\nstatus_name = \"W\"\n[channels]\nDAPI = \"nuclei\"\n[container]\nscale_factors = [1]\n";

/// Copies its input, unless a mark says that it should fail, leave nothing, or kill its worker.
const SCRIPT: &str = r#"
if test -e "$2/fail-$3"; then echo "error: boom in $3" >&2; exit 1; fi
if test -e "$2/skip-$3"; then exit 0; fi
if test -e "$2/die-$3"; then kill -KILL "$(cut -d" " -f4 "/proc/$PPID/stat")"; sleep 100; fi
cp "$1" out.tif
"#;

fn job(id: &str, status_name: &str, marks: &Path) -> String {
    format!(
        "[[job]]\nid = \"{id}\"\nstatus_name = \"{status_name}\"\nkind = \"command\"\ninput = \"nuclei\"\noutput = \"{id}\"\nprogram = \"sh\"\nargs = [\"-c\", '''{SCRIPT}''', \"sh\", \"{{input.nuclei}}\", {:?}, \"{{well}}\"]\n[job.results]\n{id} = {{ file = \"out.tif\" }}\n",
        marks.display().to_string()
    )
}

/// A plate of some images, and room for everything else.
struct Lab {
    folder: tempfile::TempDir,
}

/// How one call ended.
struct Ended {
    code: i32,
    summary: Value,
    messages: String,
}

impl Lab {
    fn new(images: usize, jobs: &[(&str, &str)]) -> Self {
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for folder in ["plate", "marks"] {
            fs::create_dir(lab.path(folder)).unwrap();
        }
        for i in 0..images {
            lab.put(i);
        }
        let marks = lab.path("marks");
        let jobs: Vec<String> = jobs.iter().map(|(id, n)| job(id, n, &marks)).collect();
        fs::write(lab.path("w.toml"), format!("{HEAD}{}", jobs.concat())).unwrap();
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn put(&self, index: usize) {
        fs::write(self.image(index), image(32, index as u64).unwrap()).unwrap();
    }

    fn image(&self, index: usize) -> PathBuf {
        self.path("plate").join(name(index))
    }

    fn damage(&self, index: usize) {
        let bytes = fs::read(self.image(index)).unwrap();
        fs::write(self.image(index), &bytes[..bytes.len() / 2]).unwrap();
    }

    /// The job fails for an image (`fail`), leaves nothing (`skip`), or kills its worker (`die`).
    fn mark(&self, what: &str, index: usize) {
        fs::write(self.path("marks").join(mark(what, index)), "").unwrap();
    }

    fn unmark(&self, what: &str, index: usize) {
        fs::remove_file(self.path("marks").join(mark(what, index))).unwrap();
    }

    fn run(&self, more: &[&str]) -> Ended {
        let mut arguments = vec!["run".to_owned(), "--json".to_owned()];
        arguments.extend(["w.toml", "plate"].map(|n| self.path(n).display().to_string()));
        arguments.extend(["-o".to_owned(), self.path("results").display().to_string()]);
        arguments.extend(["--naming", "well-site-channel", "--status-files"].map(str::to_owned));
        arguments.extend(more.iter().map(|s| (*s).to_owned()));
        let output = run(&arguments);
        Ended {
            code: output.status.code().unwrap(),
            summary: json(&output),
            messages: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn plate(&self) -> PathBuf {
        self.path("results/P")
    }

    fn text(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.plate().join("batchlib").join(file)).ok()
    }

    fn status(&self, file: &str) -> Value {
        let text = self.text(file);
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    /// Numbers of the images that have this output.
    fn with_output(&self, output: &str, images: usize) -> Vec<usize> {
        let has = |index: &usize| {
            let container = self.container(*index);
            let look = || json(&run(["inspect", "--json", container.to_str().unwrap()]));
            container.exists() && look().to_string().contains(&format!("\"{output}"))
        };
        (0..images).filter(has).collect()
    }

    fn container(&self, index: usize) -> PathBuf {
        let stem = format!("Well{}_", &name(index)[2..5]);
        let in_plate = fs::read_dir(self.plate())
            .unwrap()
            .map(|e| e.unwrap().path());
        let mut found = in_plate.filter(|p| {
            let name = p.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(&stem) && name.ends_with(".h5")
        });
        found.next().unwrap_or_else(|| self.plate().join("none.h5"))
    }
}

fn mark(what: &str, index: usize) -> String {
    let well = name(index)[2..5].to_owned();
    format!("{what}-{well}")
}

/// What BatchLib left, by case and call, where the shared data is there.
fn batchlib(case: &str, call: &str) -> Option<Value> {
    let file = shared("golden/batchlib/status-cases.json")?;
    let cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let found = cases
        .into_iter()
        .find(|c| c["case"] == case && c["call"].as_str().unwrap().starts_with(call));
    Some(found.unwrap_or_else(|| panic!("no case {case}, {call}")))
}

/// Where we do as BatchLib does: how the call ends, the state, the lists and what was made.
const SAME: &[&str] = &[];

/// Compares one call with BatchLib's; `differs` names what is different on purpose, and is: the guide tells why.
fn compare(lab: &Lab, (case, call): (&str, &str), ended: &Ended, images: usize, differs: &[&str]) {
    let Some(theirs) = batchlib(case, call) else {
        return;
    };
    let mean = &theirs["status_files"]["Mean.status"];
    let ours = lab.status("Mean.status");
    let length = |status: &Value, list: &str| status[list].as_array().map_or(0, Vec::len);
    let numbers: Vec<usize> = theirs["files_with_output"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f.as_str().unwrap()[1..2].parse().unwrap())
        .collect();
    let facts = [
        ("exit", (ended.code == 0) == theirs["exception"].is_null()),
        ("state", ours["state"] == mean["state"]),
        (
            "invalid_inputs",
            length(&ours, "invalid_inputs") == length(mean, "invalid_inputs"),
        ),
        (
            "failed_outputs",
            length(&ours, "failed_outputs") == length(mean, "failed_outputs"),
        ),
        ("outputs", lab.with_output("mean", images) == numbers),
    ];
    let found: Vec<&str> = facts.iter().filter(|f| !f.1).map(|f| f.0).collect();
    assert_eq!(
        found, differs,
        "{case}, {call}: ours {ours} ({}), BatchLib {theirs}\n{}",
        ended.code, ended.messages
    );
}

const MEAN: &[(&str, &str)] = &[("mean", "Mean")];

#[test]
fn all_well_and_nothing_left_to_do() {
    let lab = Lab::new(3, MEAN);
    let first = lab.run(&[]);
    compare(&lab, ("ok", "Mean"), &first, 3, SAME);
    assert_eq!(
        lab.text("Mean.status").unwrap(),
        "{\n  \"state\": \"processed\"\n}"
    );
    assert_eq!(
        lab.text("W.status").unwrap(),
        "{\n  \"Mean\": \"processed\"\n}"
    );
    let written = |file: &str| {
        let path = lab.plate().join("batchlib").join(file);
        fs::metadata(path).unwrap().modified().unwrap()
    };
    let before = ["Mean.status", "W.status", "W.log"].map(written);
    let again = lab.run(&[]);
    compare(&lab, ("ok", "again"), &again, 3, SAME);
    assert_eq!(
        before,
        ["Mean.status", "W.status", "W.log"].map(written),
        "nothing was told twice"
    );
    assert!(lab.text("W.log.1").is_none());
    // `skip_processed`: what has a result is always skipped, image by image, so that a new one is not passed over.
    lab.put(3);
    let more = lab.run(&["--dry-run"]);
    let planned = more.summary["planned"].as_array().unwrap().clone();
    assert_eq!(
        (planned.len(), &planned[0]["subject"]),
        (1, &json!("A04-0001")),
        "{planned:?}"
    );
}

#[test]
fn an_empty_folder_is_no_failure() {
    let lab = Lab::new(0, MEAN);
    let ended = lab.run(&[]);
    assert_eq!(ended.code, 0, "{}", ended.messages);
    assert_eq!(ended.summary["plates"], json!([]));
    if let Some(theirs) = batchlib("empty folder pattern", "Mean") {
        assert_eq!(theirs["exception"], Value::Null);
        assert_eq!(theirs["status_files"], json!({}));
    }
    assert!(!lab.path("results/P").exists());
}

#[test]
fn an_invalid_input_is_listed_and_the_others_are_computed() {
    let lab = Lab::new(3, MEAN);
    lab.damage(1);
    let bad = lab.image(1).display().to_string();
    let expected = json!({ "invalid_inputs": [bad], "state": "invalid_inputs" });
    for call in ["strict", "strict, second call"] {
        let ended = lab.run(&[]);
        // BatchLib computes nothing as long as one image is bad.
        compare(&lab, ("invalid input", call), &ended, 3, &["outputs"]);
        assert_eq!(lab.status("Mean.status"), expected);
        assert_eq!(ended.summary["failed"][0]["blame"], "input");
        assert_eq!(lab.with_output("mean", 3), [0, 2]);
        assert!(lab.text("W.log").unwrap().contains(&format!(
            "ERROR Workflow.BatchJob - Mean: A02-0001: it is given up: `{bad}`"
        )));
    }
    lab.put(1);
    let repaired = lab.run(&[]);
    // BatchLib never clears its lists.
    compare(
        &lab,
        ("invalid input", "after"),
        &repaired,
        3,
        &["invalid_inputs"],
    );
    assert_eq!(lab.status("Mean.status"), json!({ "state": "processed" }));
}

#[test]
fn an_ignored_invalid_input_is_left_out_and_not_tried_again() {
    let lab = Lab::new(3, MEAN);
    lab.damage(1);
    let ended = lab.run(&["--ignore-invalid-inputs"]);
    // BatchLib hands the file to the job all the same, and then misses its output.
    let differs = ["exit", "state", "failed_outputs"];
    compare(
        &lab,
        ("invalid input ignored", "ignore"),
        &ended,
        3,
        &differs,
    );
    assert_eq!(ended.code, 0, "{}", ended.messages);
    assert_eq!(lab.status("Mean.status")["state"], "invalid_inputs");
    let dry = lab.run(&["--ignore-invalid-inputs", "--dry-run"]);
    assert_eq!((dry.code, &dry.summary["planned"]), (0, &json!([])));
    let strict = lab.run(&["--dry-run"]);
    assert_eq!(strict.summary["planned"].as_array().unwrap().len(), 1);
    // Repaired it is another image, and computed without being asked.
    lab.put(1);
    let repaired = lab.run(&["--ignore-invalid-inputs"]);
    assert_eq!(
        (repaired.code, lab.with_output("mean", 3)),
        (0, vec![0, 1, 2])
    );
}

#[test]
fn a_failed_output_is_listed_and_tried_again() {
    let lab = Lab::new(3, MEAN);
    lab.mark("skip", 2);
    for call in ["skip", "second call"] {
        let ended = lab.run(&[]);
        compare(&lab, ("failed output", call), &ended, 3, SAME);
        assert_eq!(ended.summary["failed"][0]["blame"], "output");
        let listed = lab.status("Mean.status")["failed_outputs"][0].clone();
        let listed = PathBuf::from(listed.as_str().unwrap());
        assert_eq!(listed.parent().unwrap(), lab.plate());
        assert!(
            listed
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("WellA03_")
        );
    }
    lab.unmark("skip", 2);
    let cured = lab.run(&[]);
    compare(
        &lab,
        ("failed output", "third call"),
        &cured,
        3,
        &["failed_outputs"],
    );
    assert_eq!(lab.status("Mean.status"), json!({ "state": "processed" }));
}

#[test]
fn an_ignored_failed_output_stays_failed_until_it_is_not_ignored() {
    let lab = Lab::new(3, MEAN);
    lab.mark("skip", 2);
    let ended = lab.run(&["--ignore-failed-outputs"]);
    // BatchLib says `processed` here, and forgets it where a file of that name exists.
    let call = ("failed output ignored", "ignore_failed_outputs");
    compare(&lab, call, &ended, 3, &["state"]);
    assert_eq!(lab.status("Mean.status")["state"], "failed_outputs");
    lab.unmark("skip", 2);
    let ignored = lab.run(&["--ignore-failed-outputs"]);
    assert_eq!((ignored.code, lab.with_output("mean", 3)), (0, vec![0, 1]));
    let next = lab.run(&[]);
    let call = ("failed output ignored", "next call");
    compare(&lab, call, &next, 3, &["failed_outputs"]);
}

#[test]
fn an_exception_of_one_image_is_a_failed_output_of_that_image() {
    let lab = Lab::new(3, MEAN);
    lab.mark("fail", 1);
    let ended = lab.run(&[]);
    // BatchLib writes no status file then, so that an older one may speak of success.
    let differs = ["state", "failed_outputs"];
    compare(&lab, ("exception in run", "boom"), &ended, 3, &differs);
    let error = ended.summary["failed"][0]["error"]["message"]
        .as_str()
        .unwrap();
    assert!(error.contains("boom in A02"), "{error}");
}

#[test]
fn the_status_of_a_workflow_has_its_jobs_in_their_order() {
    let lab = Lab::new(2, &[("mean", "Mean"), ("mean-b", "MeanB")]);
    let ended = lab.run(&[]);
    compare(&lab, ("workflow ok", "run_workflow"), &ended, 2, SAME);
    if let Some(theirs) = batchlib("workflow ok", "run_workflow") {
        assert_eq!(lab.status("W.status"), theirs["status_files"]["W.status"]);
    }
    assert_eq!(
        lab.text("W.status").unwrap(),
        "{\n  \"Mean\": \"processed\",\n  \"MeanB\": \"processed\"\n}"
    );
}

#[test]
fn a_job_whose_worker_dies_is_errored() {
    let lab = Lab::new(2, &[("mean", "Mean"), ("mean-b", "MeanB")]);
    let text = fs::read_to_string(lab.path("w.toml")).unwrap();
    let marks = lab.path("marks").display().to_string();
    // Only the second job looks for marks in this folder.
    let (first, second) = text.split_once("id = \"mean-b\"").unwrap();
    let apart = second.replace(&marks, &format!("{marks}/b"));
    fs::write(lab.path("w.toml"), format!("{first}id = \"mean-b\"{apart}")).unwrap();
    fs::create_dir(lab.path("marks/b")).unwrap();
    lab.mark("b/die", 0);
    let ended = lab.run(&[]);
    compare(&lab, ("workflow errored", "second job"), &ended, 2, SAME);
    if let Some(theirs) = batchlib("workflow errored", "second job") {
        assert_eq!(lab.status("W.status"), theirs["status_files"]["W.status"]);
    }
    assert_eq!(ended.summary["failed"][0]["blame"], "stopped");
    let status = lab.status("MeanB.status");
    assert_eq!(
        status["state"], "errored",
        "an older file must not say that all is well"
    );
    let log = lab.text("W.log").unwrap();
    assert_eq!(
        log.matches(" WARNING Workflow.BatchJob - MeanB: A01-0001: it is tried again: ")
            .count(),
        2,
        "{log}"
    );
    assert_eq!(
        log.matches(" ERROR Workflow.BatchJob - MeanB: A01-0001: it is quarantined: ")
            .count(),
        1,
        "{log}"
    );
    assert!(log.contains("[worker-"), "{log}");
}

/// The first event that a log tells of, from its first line.
fn told_from(log: &str) -> u64 {
    let line = log.lines().next().unwrap();
    let (_, rest) = line.split_once(", told from event ").unwrap();
    rest.strip_suffix(" on").unwrap().parse().unwrap()
}

#[test]
fn each_run_has_a_log_in_batchlibs_form() {
    let lab = Lab::new(2, MEAN);
    for run in 0..3 {
        assert_eq!(lab.run(if run > 0 { &["--force"] } else { &[] }).code, 0);
    }
    let logs = ["W.log", "W.log.1", "W.log.2"].map(|name| lab.text(name).unwrap());
    assert!(lab.text("W.log.3").is_none());
    // Two runs of one second that take equally long are two runs all the same.
    let begins: Vec<u64> = logs.iter().map(|log| told_from(log)).collect();
    assert!(begins[0] > begins[1] && begins[1] > begins[2], "{begins:?}");
    assert_eq!(begins[2], 1);
    for log in &logs {
        assert!(log.ends_with('\n'));
        for line in log.lines() {
            // `%(asctime)s [%(threadName)s] %(levelname)s %(name)s - %(message)s`
            let (date, rest) = line.split_at(19);
            let form: String = date
                .chars()
                .map(|c| if c.is_ascii_digit() { '0' } else { c })
                .collect();
            assert_eq!(form, "0000-00-00 00:00:00", "{line}");
            let rest = rest.strip_prefix(" [").unwrap();
            let (_, rest) = rest.split_once("] ").unwrap();
            let mut words = rest.splitn(3, ' ');
            assert!(
                ["INFO", "WARNING", "ERROR"].contains(&words.next().unwrap()),
                "{line}"
            );
            assert!(
                ["Workflow", "Workflow.BatchJob"].contains(&words.next().unwrap()),
                "{line}"
            );
            assert!(words.next().unwrap().starts_with("- "), "{line}");
        }
        assert!(
            log.contains("Mean: call run method with 2 inputs."),
            "{log}"
        );
        assert!(log.contains("Mean: runtime: "), "{log}");
    }
    assert!(
        logs[2].contains("called on the folder"),
        "the first run: {}",
        logs[2]
    );
    assert!(
        logs[0].contains("Mean: 2 inputs are processed again (requeued)"),
        "{}",
        logs[0]
    );
}
