//! Images through jobs, as a worker runs them.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::WorkflowFile;
use image_io::Pixels;
use image_io::container::Container;
use ndarray::Array2;
use workflow::pass::{JobOutcome, JobRequest, PassRequest, PlaneRef, Subject};
use workflow::{Workflow, resolve_files};

/// A folder of the shared data, or `None` (and a line that says so) where it is absent.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(path);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: ../shared/{path} is absent");
    None
}

/// A workflow whose channels are `DAPI` and, where an image has two planes, `GFP`; relative files are in `folder`.
pub fn compile(jobs: &str, folder: &Path) -> Arc<Workflow> {
    let text = format!(
        "name = \"test\"\nversion = \"1\"\n[container]\nscale_factors = [1]\nraw = false\n{jobs}"
    );
    let mut source = WorkflowFile::from_str(&text, folder).unwrap();
    resolve_files(&mut source);
    match Workflow::compile(&source) {
        Ok(workflow) => Arc::new(workflow),
        Err(errors) => panic!("{errors:?}"),
    }
}

/// Runs all jobs on one file, each of its planes a channel, and gives what is stored, by name.
pub fn run(workflow: &Arc<Workflow>, image: &Path) -> Result<BTreeMap<String, Pixels>, String> {
    let folder = tempfile::tempdir().unwrap();
    let container = folder.path().join("A01-0001.h5");
    let planes = image_io::acquisition::ImageFile::open(image)
        .unwrap()
        .info()
        .planes
        .len();
    let plane = |index: usize| PlaneRef {
        root: image.parent().unwrap().to_owned(),
        path: image.file_name().unwrap().into(),
        plane: index,
        channel: ["DAPI", "GFP"][index].to_owned(),
        z: None,
    };
    let job = |job: &workflow::Job| JobRequest {
        job: job.id.clone(),
        key: "0".repeat(32),
    };
    let request = PassRequest {
        scratch: PathBuf::new(),
        pass: 1,
        plate: "plate".to_owned(),
        plate_dir: folder.path().to_owned(),
        subject: Subject::ImageSet {
            name: "A01-0001".to_owned(),
            planes: (0..planes).map(plane).collect(),
            inputs: Vec::new(),
            input_hash: "0".repeat(32),
            container: container.clone(),
        },
        jobs: workflow.jobs.iter().map(job).collect(),
    };
    let report = workflow::pass::run(workflow, &request, &mut |_| {});
    for (job, outcome) in &report.outcomes {
        if let JobOutcome::Failed { failure } = outcome {
            return Err(format!(
                "{job}: {} {}; {}",
                failure.code, failure.message, failure.remedy
            ));
        }
    }
    let stored = Container::open(&container).unwrap();
    let read = |name: String| {
        let pixels = stored.read_image(&name, 0).unwrap();
        (name, pixels)
    };
    Ok(stored.images().unwrap().into_iter().map(read).collect())
}

/// A stored label image.
pub fn labels(stored: &BTreeMap<String, Pixels>, name: &str) -> Array2<u32> {
    match &stored[name] {
        Pixels::U32(labels) => labels.clone(),
        other => panic!("{name} holds {:?}", other.pixel_type()),
    }
}

/// A label image from a TIFF file.
pub fn reference(path: &Path, plane: usize) -> Array2<u32> {
    match image_io::acquisition::read_plane(path, plane).unwrap() {
        Pixels::U8(labels) => labels.mapv(u32::from),
        Pixels::U16(labels) => labels.mapv(u32::from),
        other => panic!("{} holds {:?}", path.display(), other.pixel_type()),
    }
}
