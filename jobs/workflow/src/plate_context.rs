//! What a plate job sees: the plate's image sets, their tables, and a place for plate-wide results.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;

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
    /// Why it has no result, where it has none.
    pub failed: Option<String>,
}

/// What a plate job works with.
pub struct PlateIo<'a> {
    pub(crate) workflow: &'a Workflow,
    pub(crate) job: &'a Job,
    pub(crate) members: &'a [PlateMember],
    pub(crate) plate: &'a str,
    pub(crate) plate_dir: &'a Path,
    pub(crate) tables: &'a mut BTreeMap<String, Table>,
}

impl PlateIo<'_> {
    /// The plate's image sets, in well and site order; failed ones included.
    #[must_use]
    pub fn members(&self) -> &[PlateMember] {
        self.members
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

    /// An object table of one image set.
    ///
    /// # Errors
    /// The container cannot be read.
    pub fn object_table(&self, member: &PlateMember, name: &str) -> Result<Table, Failure> {
        Ok(Container::open(&member.container)?.read_table(name)?)
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
        self.tables.insert(name.to_owned(), table);
    }
}

/// Planes of the whole plate, by channel role.
pub struct PlateImages(BTreeMap<String, Arc<Array2<f32>>>);

type Cached = (SystemTime, u64, Arc<PlateImages>);

impl PlateImages {
    /// The plane of a channel role.
    #[must_use]
    pub fn get(&self, role: &str) -> Option<&Arc<Array2<f32>>> {
        self.0.get(role)
    }

    /// Reads a file that [`PlateIo::put_images`] wrote; the last few stay in memory, because every image set of the plate reads
    /// the same one.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, Failure> {
        static CACHE: OnceLock<Mutex<HashMap<PathBuf, Cached>>> = OnceLock::new();
        let cache = CACHE.get_or_init(Mutex::default);
        let meta = std::fs::metadata(path).map_err(|source| image_io::Error::Io {
            path: path.to_owned(),
            action: "open",
            source,
        })?;
        let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let mut cache = cache
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((at, size, images)) = cache.get(path)
            && *at == modified
            && *size == meta.len()
        {
            return Ok(Arc::clone(images));
        }
        let container = Container::open(path)?;
        let mut planes = BTreeMap::new();
        for name in container.images()? {
            let plane = container.read_image(&name, 0)?.to_f32();
            planes.insert(name, Arc::new(plane));
        }
        let images = Arc::new(Self(planes));
        if cache.len() >= 4 {
            cache.clear();
        }
        cache.insert(path.to_owned(), (modified, meta.len(), Arc::clone(&images)));
        Ok(images)
    }
}
