//! What a plate job sees: the plate's image sets, their tables, and a place for plate-wide results.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use image_io::Pixels;
use image_io::acquisition::ImageFile;
use image_io::container::{Container, ContainerWriter, ImageOptions};
use image_io::table::Table;
use ndarray::Array2;
use plate::WellName;
use serde::{Deserialize, Serialize};

use crate::context::PlaneRef;
use crate::error::Failure;
use crate::graph::{Job, Workflow};
use crate::pass::InputState;
use crate::recent::Recent;

/// One image set as a plate job sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlateMember {
    /// `A01-0001`, BatchLib's site name.
    pub name: String,
    /// The well.
    pub well: WellName,
    /// The site number, as the instrument counts.
    pub site: u32,
    /// The timepoint, where there are several.
    pub timepoint: Option<u32>,
    /// Its container.
    #[serde(with = "plate::portable")]
    pub container: PathBuf,
    /// Its planes in the acquisition.
    pub planes: Vec<PlaneRef>,
    /// Their files as they were registered.
    pub inputs: Vec<InputState>,
    /// Why nothing can be computed for it, where that is so.
    pub missing: Option<String>,
    /// Its jobs that failed, each with the reason.
    pub failures: BTreeMap<String, String>,
}

impl PlateMember {
    /// The name of its container without the extension: BatchLib's image name.
    #[must_use]
    pub fn image_name(&self) -> String {
        let stem = self.container.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }
}

/// What a plate job works with.
pub struct PlateIo<'a> {
    pub(crate) workflow: &'a Workflow,
    pub(crate) job: &'a Job,
    pub(crate) members: &'a [PlateMember],
    pub(crate) plate: &'a str,
    pub(crate) plate_dir: &'a Path,
    pub(crate) tables: &'a mut BTreeMap<String, Arc<Table>>,
    /// The container that was read last.
    pub(crate) opened: RefCell<Option<(PathBuf, Container)>>,
}

impl PlateIo<'_> {
    /// The plate's image sets, in well and site order; failed ones included.
    #[must_use]
    pub fn members(&self) -> &[PlateMember] {
        self.members
    }

    /// Why an image set has no result that this job could read, where it has none: it is incomplete, or a job that this one
    /// depends on failed. Failures of other jobs do not count.
    #[must_use]
    pub fn failed<'m>(&self, member: &'m PlateMember) -> Option<&'m str> {
        if let Some(missing) = &member.missing {
            return Some(missing);
        }
        if member.failures.is_empty() {
            return None;
        }
        let reasons = self.upstream_jobs().into_iter();
        let mut reasons = reasons.filter_map(|job| member.failures.get(&job.id));
        reasons.next().map(String::as_str)
    }

    /// The jobs that this one depends on, directly or through others, in the order in which they run.
    #[must_use]
    pub fn upstream_jobs(&self) -> Vec<&Job> {
        let mut open = self.job.upstream.clone();
        let mut seen = BTreeSet::new();
        while let Some(index) = open.pop() {
            if seen.insert(index) {
                open.extend(&self.workflow.jobs[index].upstream);
            }
        }
        seen.into_iter().map(|i| &self.workflow.jobs[i]).collect()
    }

    /// The plate's name.
    #[must_use]
    pub fn plate_name(&self) -> String {
        self.plate.to_owned()
    }

    /// Names bound to an input port.
    #[must_use]
    pub fn names(&self, port: &str) -> Vec<String> {
        self.job.inputs.get(port).cloned().unwrap_or_default()
    }

    /// Name bound to an output port.
    #[must_use]
    pub fn output(&self, port: &str) -> Option<&str> {
        self.job
            .outputs
            .get(port)
            .and_then(|n| n.first())
            .map(String::as_str)
    }

    /// The first raw plane of a role in one image set; `None` where the set has no such channel.
    ///
    /// # Errors
    /// The file cannot be read, or is no longer what was registered.
    pub fn raw(&self, member: &PlateMember, role: &str) -> Result<Option<Pixels>, Failure> {
        let channel = if self.workflow.channels.is_empty() {
            Some(role)
        } else {
            self.workflow.channel_of(role)
        };
        let planes = crate::context::slices_of(&member.planes, channel);
        if planes.is_empty() {
            return Ok(None);
        }
        let read = |plane: &&PlaneRef| -> Result<Pixels, Failure> {
            Ok(ImageFile::open_below(&plane.root, &plane.path)?.read(plane.plane)?)
        };
        let slices: Result<Vec<_>, _> = planes.iter().map(read).collect();
        // Before anything is made of an error: a file that is being written again is not damaged for good.
        for input in &member.inputs {
            if planes.iter().any(|p| p.path == input.path) {
                input.check()?;
            }
        }
        crate::pass::project(slices?, self.workflow.projection).map(Some)
    }

    /// The folder that the plate's results are kept in.
    #[must_use]
    pub fn plate_dir(&self) -> &Path {
        self.plate_dir
    }

    /// The workflow's name and version.
    #[must_use]
    pub fn workflow(&self) -> (&str, &str) {
        (&self.workflow.name, &self.workflow.version)
    }

    /// A table of the whole plate by its full name, for example `images/outliers`: of a job of this pass, or as an earlier pass
    /// left it.
    ///
    /// # Errors
    /// The plate table cannot be read, or has no such table.
    pub fn plate_table(&self, name: &str) -> Result<Arc<Table>, Failure> {
        if let Some(table) = self.tables.get(name) {
            return Ok(Arc::clone(table));
        }
        load_table(&crate::plate_table_file(self.plate_dir), name)
    }

    /// Whether the plate table has a table of that name.
    #[must_use]
    pub fn has_plate_table(&self, name: &str) -> bool {
        self.tables.contains_key(name)
            || Container::open(&crate::plate_table_file(self.plate_dir))
                .is_ok_and(|c| c.has_table(name))
    }

    /// Opens the container of one image set.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn container(&self, member: &PlateMember) -> Result<Container, Failure> {
        Ok(Container::open(&member.container)?)
    }

    /// An object table of one image set.
    ///
    /// # Errors
    /// The container cannot be read.
    pub fn object_table(&self, member: &PlateMember, name: &str) -> Result<Table, Failure> {
        // Jobs read several tables of one image set after each other.
        let mut opened = self.opened.borrow_mut();
        if opened.as_ref().is_none_or(|(p, _)| *p != member.container) {
            *opened = None;
            *opened = Some((
                member.container.clone(),
                Container::open(&member.container)?,
            ));
        }
        match opened.as_ref() {
            Some((_, container)) => Ok(container.read_table(name)?),
            None => Err(Failure::permanent(
                "internal",
                "an open container was lost",
                "report this",
            )),
        }
    }

    /// Publishes planes of the whole plate as `<plate>_<name>.hdf5`, one image a channel role.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put_images(
        &mut self,
        name: &str,
        images: BTreeMap<String, Array2<f32>>,
    ) -> Result<(), Failure> {
        let mut writer = ContainerWriter::create(&crate::plate_file(self.plate_dir, name), None)?;
        for (role, plane) in images {
            let options = ImageOptions {
                scale_factors: vec![1],
                ..ImageOptions::default()
            };
            writer.add_image(&role, &Pixels::F32(plane), &options)?;
        }
        writer.commit()?;
        faults::point(faults::Point::PlateImages);
        Ok(())
    }

    /// Adds a table to the plate table, for example `images/default`.
    pub fn put_table(&mut self, name: &str, table: Table) {
        self.tables.insert(name.to_owned(), Arc::new(table));
    }
}

/// A table of the plate table file.
pub(crate) fn load_table(path: &Path, name: &str) -> Result<Arc<Table>, Failure> {
    static RECENT: OnceLock<Recent<Table>> = OnceLock::new();
    RECENT
        .get_or_init(Recent::default)
        .get(path, name, || Ok(Container::open(path)?.read_table(name)?))
}

/// Planes of the whole plate, by channel role.
pub struct PlateImages(BTreeMap<String, Arc<Array2<f32>>>);

impl PlateImages {
    /// The plane of a channel role.
    #[must_use]
    pub fn get(&self, role: &str) -> Option<&Arc<Array2<f32>>> {
        self.0.get(role)
    }

    /// Reads a file that [`PlateIo::put_images`] wrote; the last few stay in memory, because every image set of the plate reads
    /// the same one.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, Failure> {
        static RECENT: OnceLock<Recent<PlateImages>> = OnceLock::new();
        RECENT.get_or_init(Recent::default).get(path, "", || {
            let container = Container::open(path)?;
            let mut planes = BTreeMap::new();
            for name in container.images()? {
                let plane = container.read_image(&name, 0)?.to_f32();
                planes.insert(name, Arc::new(plane));
            }
            Ok(Self(planes))
        })
    }
}
