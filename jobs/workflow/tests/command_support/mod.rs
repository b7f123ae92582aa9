//! One image set of two channels, and passes on it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;

use config::WorkflowFile;
use image_io::Pixels;
use image_io::container::Container;
use ndarray::Array2;
use tiff::encoder::{TiffEncoder, colortype::Gray16};
use workflow::pass::{JobOutcome, JobRequest, PassReport, PassRequest, PlaneRef, Subject};
use workflow::{Compiled, Failure, Workflow};

const HEADER: &str = "name = \"it\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\nGFP = \"marker\"\n[container]\nscale_factors = [1]\n";

/// 40 x 60 pixels, different for each channel.
pub fn image(channel: u16) -> Array2<u16> {
    Array2::from_shape_fn((40, 60), |(y, x)| (y * 7 + x * 3) as u16 + 1000 * channel)
}

/// An acquisition with one image set, and folders for results and temporary files.
pub struct Lab {
    pub folder: tempfile::TempDir,
    pub plate: String,
    pub target: PathBuf,
    first: PathBuf,
}

impl Lab {
    pub fn new() -> Self {
        Self::with("a.tif".as_ref(), "plate-1")
    }

    /// With this name of the first channel's file, and of the plate.
    pub fn with(first: &OsStr, plate: &str) -> Self {
        let guard = PathBuf::from(env!("CARGO_BIN_EXE_command-guard"));
        workflow::guard_with(guard, Vec::new());
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("drop")).unwrap();
        for (channel, name) in [(0, first), (1, "b.tif".as_ref())] {
            let file = File::create(folder.path().join("drop").join(name)).unwrap();
            let plane = image(channel);
            TiffEncoder::new(BufWriter::new(file))
                .unwrap()
                .write_image::<Gray16>(60, 40, plane.as_slice().unwrap())
                .unwrap();
        }
        Self {
            target: folder.path().join("results").join("set.h5"),
            plate: plate.to_owned(),
            first: first.into(),
            folder,
        }
    }

    fn compiled(&self, jobs: &str) -> Result<Workflow, String> {
        let mut file = WorkflowFile::from_str(&format!("{HEADER}{jobs}"), self.folder.path())
            .map_err(|e| e.to_string())?;
        workflow::resolve_files(&mut file);
        Workflow::compile(&file).map_err(|mistakes| {
            let texts: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            texts.join("\n")
        })
    }

    pub fn mistakes(&self, jobs: &str) -> String {
        self.compiled(jobs).err().expect("a mistake is found")
    }

    pub fn warnings(&self, jobs: &str) -> Vec<String> {
        let warnings = self.compiled(jobs).unwrap().warnings();
        warnings.into_iter().map(|w| w.message).collect()
    }

    pub fn files(&self, jobs: &str) -> Vec<PathBuf> {
        match &self.compiled(jobs).unwrap().jobs[0].operation {
            Compiled::Image(operation) => operation.files(),
            Compiled::Plate(_) => Vec::new(),
        }
    }

    pub fn parameters(&self, jobs: &str) -> String {
        self.compiled(jobs).unwrap().jobs[0].parameters.to_string()
    }

    /// Runs all jobs with two threads.
    pub fn run(&self, jobs: &str) -> PassReport {
        let workflow = Arc::new(self.compiled(jobs).unwrap_or_else(|e| panic!("{e}")));
        let plane = |path: PathBuf, channel: &str| PlaneRef {
            root: self.folder.path().join("drop"),
            path,
            plane: 0,
            channel: channel.to_owned(),
            z: None,
        };
        let request = PassRequest {
            pass: 1,
            plate: self.plate.clone(),
            plate_dir: self.folder.path().join("results"),
            subject: Subject::ImageSet {
                name: "B07-0003".to_owned(),
                planes: vec![
                    plane(self.first.clone(), "DAPI"),
                    plane("b.tif".into(), "GFP"),
                ],
                inputs: Vec::new(),
                input_hash: "hash".to_owned(),
                container: self.target.clone(),
            },
            scratch: self.scratch_folder(),
            jobs: workflow
                .jobs
                .iter()
                .map(|job| JobRequest {
                    job: job.id.clone(),
                    key: "key".to_owned(),
                })
                .collect(),
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .unwrap();
        pool.install(|| workflow::pass::run(&workflow, &request, &mut |_| {}))
    }

    /// Why the job `it` fails.
    pub fn failure(&self, jobs: &str) -> Failure {
        match &self.run(jobs).outcomes["it"] {
            JobOutcome::Failed { failure } => failure.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub fn container(&self) -> Container {
        Container::open(&self.target).unwrap()
    }

    pub fn image(&self, name: &str) -> Pixels {
        self.container().read_image(name, 0).unwrap()
    }

    pub fn scratch_folder(&self) -> PathBuf {
        self.folder.path().join("scratch")
    }

    /// What is left there.
    pub fn scratch(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.scratch_folder());
        let names = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned());
        names.collect()
    }
}
