//! Every file that is shipped as an example is right.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use config::{DaemonConfig, LoadOptions, WorkflowFile};

fn toml_files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "toml"));
    files.sort();
    assert!(!files.is_empty(), "no examples in {}", folder.display());
    files
}

#[test]
fn daemon_examples_load_without_a_warning() {
    for file in toml_files("examples") {
        let loaded =
            DaemonConfig::load(LoadOptions::new().file(&file)).unwrap_or_else(|e| panic!("{e}"));
        assert!(
            loaded.warnings.is_empty(),
            "{}: {:?}",
            file.display(),
            loaded.warnings
        );
        assert!(
            !loaded.config.roots.is_empty(),
            "{} watches nothing",
            file.display()
        );
    }
}

#[test]
fn workflow_examples_load_without_a_warning_and_have_the_name_of_their_file() {
    for file in toml_files("examples/workflows") {
        let workflow = WorkflowFile::load(&file).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(workflow.validate(), [], "{}", file.display());
        assert_eq!(
            Some(workflow.name.as_str()),
            file.file_stem().and_then(|s| s.to_str())
        );
        assert!(
            !workflow.description.is_empty(),
            "{} says nothing about itself",
            file.display()
        );
    }
}

#[test]
fn workflows_that_an_example_names_by_path_are_there() {
    for file in toml_files("examples") {
        let config = DaemonConfig::load(LoadOptions::new().file(&file))
            .unwrap()
            .config;
        for root in &config.roots {
            if matches!(root.workflow, config::WorkflowRef::Path(_)) {
                assert!(
                    config.find_workflow(&root.workflow).is_some(),
                    "{}: {}",
                    file.display(),
                    root.workflow
                );
            }
        }
    }
}
