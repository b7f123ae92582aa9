//! Names in BatchLib's status files.

use crate::graph::{Job, Workflow};

impl Workflow {
    /// Name of a job in BatchLib's status files: its `status_name`; else the class of BatchLib that it reproduces, with the
    /// parameter `identifier` right behind it as BatchLib writes it (`CellLevelQCserum_IgG`); else its id.
    #[must_use]
    pub fn status_name_of(&self, job: &Job) -> String {
        let written = self.source.job(&job.id).and_then(|j| j.status_name.clone());
        written.unwrap_or_else(|| match job.operation.batchlib() {
            Some(class) => {
                let identifier = job.parameters["identifier"].as_str().unwrap_or_default();
                format!("{class}{identifier}")
            }
            None => job.id.clone(),
        })
    }

    /// Name of the workflow in BatchLib's status and log files.
    #[must_use]
    pub fn status_name(&self) -> &str {
        self.source.status_name.as_deref().unwrap_or(&self.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    fn names(text: &str) -> (String, Vec<String>) {
        let file = config::WorkflowFile::from_str(text, Path::new("/")).unwrap();
        let Ok(workflow) = Workflow::compile(&file) else {
            panic!("the workflow does not compile")
        };
        let jobs = workflow.jobs.iter();
        (
            workflow.status_name().to_owned(),
            jobs.map(|job| workflow.status_name_of(job)).collect(),
        )
    }

    const JOBS: &str = r#"
[channels]
DAPI = "nuclei"
[[job]]
id = "raw"
kind = "preprocess.channels"
input = ["nuclei"]
[[job]]
id = "smooth"
kind = "filter.gaussian"
input = "nuclei"
output = "smoothed"
"#;

    #[test]
    fn a_job_has_the_name_of_the_class_that_it_reproduces_or_its_own() {
        let (workflow, jobs) = names(&format!("name = \"w\"\nversion = \"1\"\n{JOBS}"));
        assert_eq!(workflow, "w");
        assert_eq!(jobs, ["Preprocess", "smooth"]);
    }

    #[test]
    fn a_written_name_wins() {
        let (workflow, jobs) = names(&format!(
            "name = \"w\"\nversion = \"1\"\nstatus_name = \"CellAnalysisWorkflow\"\n{JOBS}status_name = \"DenoiseByGaussian\"\n"
        ));
        assert_eq!(workflow, "CellAnalysisWorkflow");
        assert_eq!(jobs, ["Preprocess", "DenoiseByGaussian"]);
    }
}
