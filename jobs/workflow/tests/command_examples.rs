//! What the guide and the examples say about `command` is right.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

use config::WorkflowFile;
use workflow::Workflow;

const HEADER: &str =
    "name = \"guide\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\nGFP = \"marker\"\n";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn compile(mut file: WorkflowFile) -> Workflow {
    workflow::resolve_files(&mut file);
    Workflow::compile(&file).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

#[test]
fn workflows_of_the_guide_compile() {
    let guide = std::fs::read_to_string(repository().join("docs/guide/commands.md")).unwrap();
    let blocks: Vec<&str> = guide
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(blocks.len() >= 8, "{}", blocks.len());
    for block in blocks {
        let file = WorkflowFile::from_str(&format!("{HEADER}{block}"), Path::new("/lab")).unwrap();
        assert_eq!(compile(file).jobs[0].kind.name, "command", "{block}");
    }
}

#[test]
fn examples_compile_and_tell_what_is_missing() {
    for name in ["ilastik", "cellprofiler", "fiji"] {
        let path = repository().join(format!("config/examples/workflows/{name}-headless.toml"));
        let workflow = compile(WorkflowFile::load(&path).unwrap());
        assert_eq!(workflow.jobs[0].kind.name, "command");
        // Nobody has the files of the examples.
        let missing = match name {
            "fiji" => 0,
            _ => 1,
        };
        assert!(workflow.warnings().len() >= missing, "{name}");
    }
}
