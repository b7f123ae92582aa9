//! One image set whose channels are given as arrays, and passes on it.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::WorkflowFile;
use image_io::Pixels;
use image_io::container::Container;
use image_io::table::{Table, Values};
use ndarray::Array2;
use tiff::encoder::{
    TiffEncoder, TiffValue,
    colortype::{ColorType, Gray8, Gray16, Gray32, Gray32Float},
};
use workflow::pass::{JobOutcome, JobRequest, PassReport, PassRequest, PlaneRef, Subject};
use workflow::{Failure, Workflow};

pub struct Site {
    folder: tempfile::TempDir,
    channels: Vec<String>,
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("raw")).unwrap();
        Self {
            folder,
            channels: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds a channel of that name.
    pub fn with(mut self, name: &str, pixels: &Pixels) -> Self {
        let path = self.path("raw").join(format!("{name}.tif"));
        match pixels {
            Pixels::U8(a) => write::<Gray8>(&path, a),
            Pixels::U16(a) => write::<Gray16>(&path, a),
            Pixels::U32(a) => write::<Gray32>(&path, a),
            Pixels::F32(a) => write::<Gray32Float>(&path, a),
            other => panic!("no channel has {} pixels", other.pixel_type().name()),
        }
        self.channels.push(name.to_owned());
        self
    }

    pub fn compiled(&self, jobs: &str) -> Result<Workflow, String> {
        let channels: Vec<String> = self
            .channels
            .iter()
            .map(|name| format!("{name} = \"{name}\"\n"))
            .collect();
        let text = format!(
            "name = \"it\"\nversion = \"1\"\n[channels]\n{}[container]\nscale_factors = [1]\n{jobs}",
            channels.concat()
        );
        let file = WorkflowFile::from_str(&text, self.folder.path()).map_err(|e| e.to_string())?;
        Workflow::compile(&file).map_err(|mistakes| {
            let texts: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            texts.join("\n")
        })
    }

    fn run(&self, jobs: &str) -> PassReport {
        let workflow = Arc::new(self.compiled(jobs).unwrap_or_else(|e| panic!("{e}")));
        let plane = |name: &String| PlaneRef {
            root: self.path("raw"),
            path: format!("{name}.tif").into(),
            plane: 0,
            channel: name.clone(),
            z: None,
        };
        let request = PassRequest {
            pass: 1,
            plate: "plate".to_owned(),
            plate_dir: self.path("results"),
            subject: Subject::ImageSet {
                name: "A01-0000".to_owned(),
                planes: self.channels.iter().map(plane).collect(),
                inputs: Vec::new(),
                input_hash: "hash".to_owned(),
                container: self.path("results").join("set.h5"),
            },
            scratch: self.path("scratch"),
            jobs: workflow
                .jobs
                .iter()
                .map(|job| JobRequest {
                    job: job.id.clone(),
                    key: "key".to_owned(),
                })
                .collect(),
        };
        workflow::pass::run(&workflow, &request, &mut |_| {})
    }

    /// Runs all jobs, which must succeed, and opens the container.
    pub fn results(&self, jobs: &str) -> Container {
        let report = self.run(jobs);
        for (job, outcome) in &report.outcomes {
            assert_eq!(outcome, &JobOutcome::Succeeded, "{job}");
        }
        Container::open(&self.path("results").join("set.h5")).unwrap()
    }

    /// Why the job `it` fails.
    pub fn failure(&self, jobs: &str) -> Failure {
        match &self.run(jobs).outcomes["it"] {
            JobOutcome::Failed { failure } => failure.clone(),
            other => panic!("{other:?}"),
        }
    }
}

fn write<C: ColorType>(path: &Path, plane: &Array2<C::Inner>)
where
    [C::Inner]: TiffValue,
{
    let (height, width) = plane.dim();
    TiffEncoder::new(BufWriter::new(File::create(path).unwrap()))
        .unwrap()
        .write_image::<C>(width as u32, height as u32, plane.as_slice().unwrap())
        .unwrap();
}

/// A column as numbers.
pub fn numbers(table: &Table, column: &str) -> Vec<f64> {
    let column = table
        .column(column)
        .unwrap_or_else(|| panic!("no column {column}"));
    match &column.values {
        Values::Int(values) => values.iter().map(|&v| v as f64).collect(),
        Values::Float(values) => values.clone(),
        Values::Text(values) => panic!("text: {values:?}"),
    }
}
