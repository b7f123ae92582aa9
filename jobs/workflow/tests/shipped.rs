//! The workflows that are shipped can be run: kinds, ports, parameters and edges fit.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use workflow::Workflow;

#[test]
fn every_shipped_workflow_compiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/examples/workflows");
    let mut names = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let file = config::WorkflowFile::load(&path).unwrap();
        if let Err(mistakes) = Workflow::compile(&file) {
            panic!("{}: {mistakes:?}", path.display());
        }
        names.push(file.name);
    }
    for name in [
        "cell-analysis",
        "instance-analysis-1",
        "instance-analysis-2",
        "mean-and-sum",
        "pixel-analysis-1",
    ] {
        assert!(names.iter().any(|n| n == name), "{name} of {names:?}");
    }
}

#[test]
fn a_table_of_an_output_can_be_named_by_itself() {
    let text = r#"
name = "t"
version = "1"
[[job]]
id = "cells"
kind = "given.images"
output = { labels = ["cells"] }
[[job]]
id = "background"
kind = "background.extract"
input = { images = ["serum"], labels = "cells" }
output = "backgrounds"
[[job]]
id = "subtract"
kind = "background.subtract"
input = { images = ["serum"], background = "plate/backgrounds" }
output = "{}_less"
"#;
    let file = config::WorkflowFile::from_str(text, Path::new("/")).unwrap();
    let Ok(workflow) = Workflow::compile(&file) else {
        panic!("it does not compile");
    };
    let of = |id: &str| workflow.position(id).unwrap();
    let upstream = &workflow.jobs[of("subtract")].upstream;
    assert!(upstream.contains(&of("background")), "{upstream:?}");
}
