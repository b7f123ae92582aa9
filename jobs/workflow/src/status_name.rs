//! Names in BatchLib's status files.

use config::JobConfig;
use serde_json::Value;

use crate::graph::Workflow;
use crate::kind::Compiled;

/// The name of a job: its `status_name`; else the class of BatchLib that it reproduces, with the parameter `identifier`, or the
/// channel of `each`, right behind it as BatchLib writes it (`CellLevelQCserum_IgG`); else its id.
pub(crate) fn of_job(config: &JobConfig, operation: &Compiled, parameters: &Value) -> String {
    let written = config.status_name.clone();
    written.unwrap_or_else(|| match operation.batchlib() {
        Some(class) => {
            let identifier = parameters["identifier"].as_str();
            let identifier = identifier.or(config.each.as_deref()).unwrap_or_default();
            format!("{class}{identifier}")
        }
        None => config.id.clone(),
    })
}

impl Workflow {
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
            jobs.map(|job| job.status_name.clone()).collect(),
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

    #[test]
    fn jobs_of_each_channel_have_the_names_that_batchlib_gives_them() {
        let text = r#"name = "w"
version = "1"
[channels]
TRITC = "serum_IgG"
WF_Cy5 = "serum_IgA"
[[job]]
id = "tophat-{each}"
each = "serum_*"
kind = "filter.white_tophat"
input = "{each}"
output = "{each}_tophat"
[[job]]
id = "smooth-{each}"
status_name = "Smooth.{each}"
each = "serum_*"
kind = "filter.gaussian"
input = "{each}"
output = "{each}_smooth"
"#;
        let mut jobs = names(text).1;
        jobs.sort();
        let expected = [
            "DenoiseByWhiteTophatserum_IgA",
            "DenoiseByWhiteTophatserum_IgG",
            "Smooth.serum_IgA",
            "Smooth.serum_IgG",
        ];
        assert_eq!(jobs, expected);
    }
}
