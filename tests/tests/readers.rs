//! Other people's programs open our files.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;
use std::process::Command;

use black_box::binary::{python, repository, run, shared};
use black_box::daemon::example_workflow;

/// Runs a workflow over a folder of the shared data.
fn results_of(workflow: &Path, input: &Path, output: &Path, more: &[&str]) {
    let mut arguments = vec![
        "run".to_owned(),
        workflow.display().to_string(),
        input.display().to_string(),
        "-o".to_owned(),
        output.display().to_string(),
    ];
    arguments.extend(more.iter().map(|s| (*s).to_owned()));
    let done = run(&arguments);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// h5py reads every container, level by level, and the raw pixels are those of the TIFF files.
#[test]
fn h5py_reads_the_same_pixels() {
    let (Some(python), Some(plate)) = (python(), shared("data/sbs_plate")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    results_of(
        &example_workflow("illumination-nuclei.toml"),
        &plate,
        folder.path(),
        &[],
    );
    let script = repository().join("tests/readers/sbs.py");
    let output = Command::new(python)
        .arg(script)
        .arg(&plate)
        .arg(folder.path().join("sbs_plate"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The parts of BatchLib's golden plates that exist so far: channels with and without corrector, pixel by pixel, attribute by
/// attribute. What is not made yet is reported as missing; anything else is an error.
#[test]
fn batchlibs_golden_plates_are_equal() {
    let (Some(python), Some(golden)) = (python(), shared("golden")) else {
        return;
    };
    if !Command::new(&python)
        .args(["-c", "import pandas"])
        .output()
        .is_ok_and(|o| o.status.success())
    {
        println!("skipped: {python} has no pandas, which compare.py needs");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let corrected = folder.path().join("corrected.toml");
    let correctors = golden.join("batchlib/misc/barrel_correctors/golden");
    std::fs::write(
        &corrected,
        format!(
            "name = \"corrected\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\nWF_GFP = \"serum_IgG\"\nTRITC = \"marker\"\nWF_Cy5 = \"serum_IgA\"\n[[job]]\nid = \"preprocess\"\nkind = \"correct.flat_field\"\ninput = [\"nuclei\", \"serum_IgG\", \"marker\", \"serum_IgA\"]\noutput = \"{{}}\"\ncorrector = {:?}\n",
            correctors.display().to_string()
        ),
    )
    .unwrap();
    for (workflow, plate, run) in [
        (example_workflow("channels.toml"), "goldA", "plain"),
        (corrected, "goldAcorr", "corrected"),
    ] {
        let out = folder.path().join(run);
        results_of(
            &workflow,
            &golden.join("batchlib/input").join(plate),
            &out,
            &[],
        );
        let output = Command::new(&python)
            .arg(golden.join("compare.py"))
            .arg(golden.join("batchlib/runs").join(run).join(plate))
            .arg(out.join(plate))
            .args(["--only", "layout,dtype,pixels,pyramid,attr,viewer"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.contains("TOTAL"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let wrong: Vec<&str> = text
            .lines()
            .filter(|l| l.starts_with("ERROR") && !l.contains("missing"))
            .collect();
        assert!(wrong.is_empty(), "{plate}:\n{}", wrong.join("\n"));
        assert!(!text.contains("nuclei: image missing"), "{text}");
    }
}

/// Real vendor folders run whole, with their own names and z-slices.
#[test]
fn vendor_folders_run() {
    let folder = tempfile::tempdir().unwrap();
    let workflow = |name: &str, channels: &str| {
        let path = folder.path().join(format!("{name}.toml"));
        let text = format!(
            "name = \"{name}\"\nversion = \"1\"\n[z]\nprojection = \"max\"\n[channels]\n{channels}\n[[job]]\nid = \"smooth\"\nkind = \"filter.gaussian\"\ninput = \"nuclei\"\noutput = \"smooth\"\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    };
    for (data, preset, channels, containers) in [
        (
            "data/cv8000",
            "yokogawa",
            "C01 = \"nuclei\"\nC02 = false",
            12,
        ),
        (
            "data/imagexpress",
            "imagexpress",
            "w1 = \"nuclei\"\nw2 = \"marker\"\nw3 = false",
            4,
        ),
        (
            "data/cp_human",
            "cellomics",
            "d0 = \"nuclei\"\nd1 = \"marker\"\nd2 = \"cells\"",
            1,
        ),
    ] {
        let Some(input) = shared(data) else { continue };
        let out = folder.path().join(preset);
        results_of(
            &workflow(preset, channels),
            &input,
            &out,
            &["--naming", preset],
        );
        let mut open = vec![out];
        let mut found = 0;
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                match entry.file_type().unwrap().is_dir() {
                    true => open.push(entry.path()),
                    false => {
                        found += usize::from(entry.path().extension().is_some_and(|e| e == "h5"));
                    }
                }
            }
        }
        assert_eq!(found, containers, "{data}");
    }
}
