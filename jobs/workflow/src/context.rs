//! The arrays of one image set while a pass works on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use analysis::accelerator::Accelerator;
use image_io::acquisition::ImageFile;
use image_io::container::Container;
use image_io::table::Table;
use image_io::{Pixels, with_pixels};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::graph::{Job, Workflow};
use crate::plate_context::PlateImages;

/// One plane of an acquisition: where it lies and what it shows. Links below `root` are not followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaneRef {
    /// The watched folder.
    #[serde(with = "plate::portable")]
    pub root: PathBuf,
    /// The file, from there.
    #[serde(with = "plate::portable")]
    pub path: PathBuf,
    /// Index among the file's planes.
    pub plane: usize,
    /// Microscope channel.
    pub channel: String,
    /// z-slice, as the instrument counts.
    pub z: Option<u32>,
}

/// A value that jobs hand to each other.
#[derive(Clone, Debug)]
pub enum Item {
    /// Intensities.
    Image(Arc<Pixels>),
    /// True and false.
    Mask(Arc<Array2<bool>>),
    /// Objects; 0 is background.
    Labels(Arc<Array2<u32>>),
}

/// How an image is first shown in a viewer, and how its scale levels are made.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The channel role whose colour and microscope channel the image takes over; it stays hidden.
    pub like: Option<String>,
    /// Take samples for the scale levels instead of means: for images of one value an object.
    pub nearest: bool,
}

/// Names and places of one pass on an image set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setting {
    /// The plate's name.
    pub plate: String,
    /// The image set's name, `A01-0001` or `A01-0001-T0003`.
    pub set: String,
    /// The name of its container without the extension.
    pub image: String,
    /// Where jobs may make folders for temporary files.
    pub scratch: PathBuf,
}

/// All that is known of one image set during a pass.
pub(crate) struct ImageContext {
    pub workflow: Arc<Workflow>,
    pub setting: Setting,
    pub planes: Vec<PlaneRef>,
    pub plate_dir: PathBuf,
    /// The container as the last pass left it.
    pub stored: Option<Container>,
    pub items: BTreeMap<String, Item>,
    /// Inputs that come from no file: those of a trial.
    pub given: BTreeMap<String, Item>,
    pub tables: BTreeMap<String, Arc<Table>>,
    /// How images are first shown, where a job says so.
    pub looks: BTreeMap<String, Look>,
    /// Images that stay in the container as they are.
    pub left: BTreeSet<String>,
    /// Attributes of the container that jobs set.
    pub attributes: BTreeMap<String, String>,
    pub raw: BTreeMap<String, Arc<Pixels>>,
    /// What jobs tell of how they ran, by job.
    pub notes: BTreeMap<String, BTreeMap<&'static str, String>>,
    /// What may run whole operations instead of this processor.
    pub accelerator: Option<Arc<dyn Accelerator>>,
    /// Planes that the accelerator knows by a number. They are held, so that no other plane can take one's place in memory.
    pub known: Vec<(Arc<Pixels>, u64)>,
    floats: BTreeMap<String, Arc<Array2<f32>>>,
    /// By path below the root: all planes of a pass are of one root.
    files: BTreeMap<PathBuf, ImageFile>,
}

impl ImageContext {
    pub(crate) fn new(
        workflow: Arc<Workflow>,
        planes: Vec<PlaneRef>,
        plate_dir: PathBuf,
        stored: Option<Container>,
        setting: Setting,
    ) -> Self {
        Self {
            workflow,
            setting,
            planes,
            plate_dir,
            stored,
            items: BTreeMap::new(),
            given: BTreeMap::new(),
            tables: BTreeMap::new(),
            looks: BTreeMap::new(),
            left: BTreeSet::new(),
            attributes: BTreeMap::new(),
            raw: BTreeMap::new(),
            notes: BTreeMap::new(),
            accelerator: None,
            known: Vec::new(),
            floats: BTreeMap::new(),
            files: BTreeMap::new(),
        }
    }

    /// The raw plane of a role, read once; several z-slices are projected as the workflow says.
    pub(crate) fn raw(&mut self, role: &str) -> Result<Arc<Pixels>, Failure> {
        if let Some(pixels) = self.raw.get(role) {
            return Ok(Arc::clone(pixels));
        }
        let planes: Vec<PlaneRef> = self.planes_of(role)?.into_iter().cloned().collect();
        let mut slices = Vec::with_capacity(planes.len());
        for plane in &planes {
            slices.push(read_plane(&mut self.files, plane)?);
        }
        faults::point(faults::Point::WorkerRead);
        let pixels = Arc::new(crate::pass::project(slices, self.workflow.projection)?);
        self.raw.insert(role.to_owned(), Arc::clone(&pixels));
        Ok(pixels)
    }

    /// The planes of a role in the acquisition, at least one.
    fn planes_of(&self, role: &str) -> Result<Vec<&PlaneRef>, Failure> {
        let channel = if self.workflow.channels.is_empty() {
            Some(role)
        } else {
            self.workflow.channel_of(role)
        };
        let planes = slices_of(&self.planes, channel);
        if planes.is_empty() {
            let known: Vec<&str> = self.planes.iter().map(|p| p.channel.as_str()).collect();
            return Err(Failure::permanent(
                "missing-channel",
                format!(
                    "the image set has no channel `{}` for `{role}`; it has {}",
                    channel.unwrap_or(role),
                    known.join(", ")
                ),
                "correct [channels] in the workflow or channel_mapping.json in the plate's folder",
            ));
        }
        Ok(planes)
    }

    /// The role behind `name`: `nuclei_raw` is `nuclei` where a job replaces that.
    fn role_behind<'n>(&self, name: &'n str) -> &'n str {
        match name.strip_suffix("_raw") {
            Some(role)
                if self.workflow.channel_of(name).is_none()
                    && self.workflow.channel_of(role).is_some() =>
            {
                role
            }
            _ => name,
        }
    }

    /// A value by name: of an earlier job of this pass, of the container, or a raw channel.
    pub(crate) fn item(&mut self, name: &str) -> Result<Item, Failure> {
        if let Some(item) = self.items.get(name) {
            return Ok(item.clone());
        }
        if let Some(stored) = &self.stored
            && self.workflow.producer(name, usize::MAX).is_some()
            && stored.has_image(name)
        {
            let pixels = stored.read_image(name, 0)?;
            let item = match pixels {
                Pixels::U32(labels) => Item::Labels(Arc::new(labels)),
                other => Item::Image(Arc::new(other)),
            };
            self.items.insert(name.to_owned(), item.clone());
            return Ok(item);
        }
        self.raw(name).map(Item::Image)
    }

    /// The raw channel behind `name`, for a job that replaces it: `nuclei` and `nuclei_raw` are the same plane.
    fn raw_alias(&mut self, name: &str) -> Result<Arc<Pixels>, Failure> {
        self.raw(self.role_behind(name))
    }
}

/// The planes of a channel. Where an instrument wrote a projection beside the slices (a plane without z), the projection is meant.
pub(crate) fn slices_of<'p>(planes: &'p [PlaneRef], channel: Option<&str>) -> Vec<&'p PlaneRef> {
    let all = || {
        planes
            .iter()
            .filter(|p| Some(p.channel.as_str()) == channel)
    };
    let projections: Vec<_> = all().filter(|p| p.z.is_none()).collect();
    if projections.is_empty() {
        all().collect()
    } else {
        projections
    }
}

fn read_plane(
    files: &mut BTreeMap<PathBuf, ImageFile>,
    plane: &PlaneRef,
) -> Result<Pixels, Failure> {
    if !files.contains_key(&plane.path) {
        let file = ImageFile::open_below(&plane.root, &plane.path)?;
        files.insert(plane.path.clone(), file);
    }
    let file = files
        .get_mut(&plane.path)
        .ok_or_else(|| Failure::permanent("internal", "an open file was lost", "report this"))?;
    Ok(file.read(plane.plane)?)
}

/// What a job sees of the image set: its own ports only.
pub struct JobIo<'a> {
    pub(crate) context: &'a mut ImageContext,
    pub(crate) job: &'a Job,
    pub(crate) index: usize,
}

impl JobIo<'_> {
    /// Names bound to an input port; empty where an optional port is not bound.
    #[must_use]
    pub fn names(&self, port: &str) -> Vec<String> {
        self.job.inputs.get(port).cloned().unwrap_or_default()
    }

    fn name(&self, port: &str) -> Result<String, Failure> {
        self.names(port).into_iter().next().ok_or_else(|| {
            Failure::permanent(
                "unbound-input",
                format!("input `{port}` of job `{}` is not bound", self.job.id),
                "name it in the workflow",
            )
        })
    }

    /// Whether an optional port is bound.
    #[must_use]
    pub fn has(&self, port: &str) -> bool {
        self.job.inputs.contains_key(port)
    }

    fn get(&mut self, name: &str) -> Result<Item, Failure> {
        if let Some(item) = self.context.given.get(name) {
            return Ok(item.clone());
        }
        // A job that puts out the name that it reads means the raw channel.
        if self.job.outputs.values().flatten().any(|o| o == name)
            || self.context.workflow.producer(name, self.index).is_none()
        {
            return self.context.raw_alias(name).map(Item::Image);
        }
        self.context.item(name)
    }

    /// A plane of intensities, (y, x), in the type of its source; labels and masks come as their numbers.
    ///
    /// # Errors
    /// The file cannot be read, or the image set has no such channel.
    pub fn image(&mut self, port: &str) -> Result<Arc<Pixels>, Failure> {
        let name = self.name(port)?;
        self.image_named(&name)
    }

    /// As [`Self::image`], for one name of a port that takes several.
    ///
    /// # Errors
    /// See [`Self::image`].
    pub fn image_named(&mut self, name: &str) -> Result<Arc<Pixels>, Failure> {
        Ok(match self.get(name)? {
            Item::Image(pixels) => pixels,
            Item::Mask(mask) => Arc::new(Pixels::U8(mask.mapv(u8::from))),
            Item::Labels(labels) => Arc::new(Pixels::U32(Array2::clone(&labels))),
        })
    }

    /// A plane of intensities as float32, converted once for all jobs of the pass.
    ///
    /// # Errors
    /// See [`Self::image`].
    pub fn float(&mut self, port: &str) -> Result<Arc<Array2<f32>>, Failure> {
        let name = self.name(port)?;
        self.float_named(&name)
    }

    /// As [`Self::float`], for one name of a port that takes several.
    ///
    /// # Errors
    /// See [`Self::image`].
    pub fn float_named(&mut self, name: &str) -> Result<Arc<Array2<f32>>, Failure> {
        let replaced = self.job.outputs.values().flatten().any(|o| o == name);
        if !replaced && let Some(plane) = self.context.floats.get(name) {
            return Ok(Arc::clone(plane));
        }
        let plane = Arc::new(self.image_named(name)?.to_f32());
        if !replaced {
            self.context
                .floats
                .insert(name.to_owned(), Arc::clone(&plane));
        }
        Ok(plane)
    }

    /// A mask; an image or label image counts as true where it is not zero.
    ///
    /// # Errors
    /// See [`Self::image`].
    pub fn mask(&mut self, port: &str) -> Result<Arc<Array2<bool>>, Failure> {
        let name = self.name(port)?;
        Ok(match self.get(&name)? {
            Item::Mask(mask) => mask,
            Item::Labels(labels) => Arc::new(labels.mapv(|v| v != 0)),
            #[allow(clippy::float_cmp)]
            Item::Image(pixels) => {
                Arc::new(with_pixels!(&*pixels, a => a.mapv(|v| v != zero_like(v))))
            }
        })
    }

    /// A label image.
    ///
    /// # Errors
    /// See [`Self::image`]; also where the named plane holds no whole numbers.
    pub fn labels(&mut self, port: &str) -> Result<Arc<Array2<u32>>, Failure> {
        let name = self.name(port)?;
        Ok(match self.get(&name)? {
            Item::Labels(labels) => labels,
            Item::Mask(mask) => Arc::new(mask.mapv(u32::from)),
            Item::Image(pixels) => Arc::new(pixels.to_labels().ok_or_else(|| {
                Failure::permanent(
                    "not-labels",
                    format!(
                        "`{name}` holds {} values that are no labels",
                        pixels.pixel_type().name()
                    ),
                    "name a label image",
                )
            })?),
        })
    }

    /// Planes of the whole plate by channel role (an illumination function), cached between passes.
    ///
    /// # Errors
    /// The plate's file cannot be read.
    pub fn plate_images(&mut self, port: &str) -> Result<Arc<PlateImages>, Failure> {
        let name = self.name(port)?;
        PlateImages::load(&crate::plate_file(&self.context.plate_dir, &name))
    }

    /// An object table of an earlier job.
    ///
    /// # Errors
    /// No earlier job made it, or the container cannot be read.
    pub fn table(&mut self, port: &str) -> Result<Arc<Table>, Failure> {
        let name = self.name(port)?;
        self.table_named(&name)
    }

    /// As [`Self::table`], for one name of a port that takes several.
    ///
    /// # Errors
    /// See [`Self::table`].
    pub fn table_named(&mut self, name: &str) -> Result<Arc<Table>, Failure> {
        if let Some(table) = self.context.tables.get(name) {
            return Ok(Arc::clone(table));
        }
        let Some(stored) = &self.context.stored else {
            return Err(Failure::permanent(
                "missing-table",
                format!("there is no table `{name}`"),
                "requeue the job that makes it",
            ));
        };
        let table = Arc::new(stored.read_table(name)?);
        self.context
            .tables
            .insert(name.to_owned(), Arc::clone(&table));
        Ok(table)
    }

    /// A table of the whole plate by its full name, for example `plate/backgrounds`; cached between passes.
    ///
    /// # Errors
    /// The plate table cannot be read, or has no such table.
    pub fn plate_table(&self, name: &str) -> Result<Arc<Table>, Failure> {
        crate::plate_context::load_table(&crate::plate_table_file(&self.context.plate_dir), name)
    }

    /// Whether an earlier pass or another program left an image of that name in the container.
    #[must_use]
    pub fn stored_image(&self, name: &str) -> Option<&Container> {
        self.context.stored.as_ref().filter(|s| s.has_image(name))
    }

    /// Leaves an image in the container as it is, instead of writing anew what the job put out under its name.
    pub fn leave_stored(&mut self, name: &str) {
        self.context.left.insert(name.to_owned());
    }

    /// Says how an output is first shown, instead of as an image or label image is by default.
    pub fn set_look(&mut self, name: &str, look: Look) {
        self.context.looks.insert(name.to_owned(), look);
    }

    /// Sets an attribute of the container.
    pub fn set_attribute(&mut self, name: &str, value: impl Into<String>) {
        self.context
            .attributes
            .insert(name.to_owned(), value.into());
    }

    /// The name of the image set's container without its extension: BatchLib's image name.
    #[must_use]
    pub fn image_name(&self) -> &str {
        &self.context.setting.image
    }

    /// Puts the output of a port that holds one value.
    pub fn put(&mut self, port: &str, item: Item) {
        if let Some(name) = self.job.outputs.get(port).and_then(|n| n.first()) {
            self.context.floats.remove(name);
            self.context.items.insert(name.clone(), item);
        }
    }

    /// Puts output number `index` of a port that holds several.
    pub fn put_nth(&mut self, port: &str, index: usize, item: Item) {
        if let Some(name) = self.job.outputs.get(port).and_then(|n| n.get(index)) {
            self.context.floats.remove(name);
            self.context.items.insert(name.clone(), item);
        }
    }

    /// Puts an object table.
    pub fn put_table(&mut self, port: &str, table: Table) {
        self.put_nth_table(port, 0, table);
    }

    /// Puts object table number `index` of a port that holds several.
    pub fn put_nth_table(&mut self, port: &str, index: usize, table: Table) {
        if let Some(name) = self.job.outputs.get(port).and_then(|n| n.get(index)) {
            self.context.tables.insert(name.clone(), Arc::new(table));
        }
    }

    /// The job's id in the workflow.
    #[must_use]
    pub fn job_id(&self) -> &str {
        &self.job.id
    }

    /// Names bound to an output port; empty where an optional port is not bound.
    #[must_use]
    pub fn output_names(&self, port: &str) -> Vec<String> {
        self.job.outputs.get(port).cloned().unwrap_or_default()
    }

    /// Tells something of how the job ran for its provenance, such as the program that computed it.
    pub fn note(&mut self, key: &'static str, value: impl Into<String>) {
        let notes = self.context.notes.entry(self.job.id.clone()).or_default();
        notes.insert(key, value.into());
    }

    /// The plate's name.
    #[must_use]
    pub fn plate_name(&self) -> &str {
        &self.context.setting.plate
    }

    /// The image set's name: `A01-0001`, or `A01-0001-T0003` at a timepoint.
    #[must_use]
    pub fn set_name(&self) -> &str {
        &self.context.setting.set
    }

    /// The well's name: what the image set's name begins with.
    #[must_use]
    pub fn well_name(&self) -> &str {
        let set = self.set_name();
        set.split('-').next().unwrap_or(set)
    }

    /// A folder in which the job may make others for temporary files, with [`image_io::publish::Scratch`].
    #[must_use]
    pub fn scratch(&self) -> &std::path::Path {
        if self.context.setting.scratch.as_os_str().is_empty() {
            &self.context.plate_dir
        } else {
            &self.context.setting.scratch
        }
    }

    /// The acquisition file that a raw channel is in. No part of the path below the watched folder is a link.
    ///
    /// # Errors
    /// The image set has no such channel, it is made by a job, it lies in several files, or the file cannot be opened.
    pub fn original(&self, name: &str) -> Result<PathBuf, Failure> {
        let replaces = self.job.outputs.values().flatten().any(|o| o == name);
        if !replaces && self.context.workflow.producer(name, self.index).is_some() {
            return Err(Failure::permanent(
                "no-original",
                format!("`{name}` is made by a job: there is no acquisition file of it"),
                "write `{input.…}` instead of `{original.…}` in the workflow",
            ));
        }
        let planes = self.context.planes_of(self.context.role_behind(name))?;
        let first = planes[0];
        if planes.iter().any(|p| p.path != first.path) {
            return Err(Failure::permanent(
                "several-originals",
                format!("`{name}` lies in several acquisition files, one a z-slice"),
                "write `{input.…}` instead of `{original.…}` in the workflow, and choose a projection in [z]",
            ));
        }
        let path = first.root.join(&first.path);
        image_io::acquisition::open_below(&first.root, &first.path).map_err(|source| {
            image_io::Error::Io {
                path: path.clone(),
                action: "open",
                source,
            }
        })?;
        Ok(path)
    }

    /// The microscope channel that a name shows, where it is a raw or a replaced channel.
    #[must_use]
    pub fn channel_of(&self, name: &str) -> Option<String> {
        self.context.workflow.channel_of(name).map(str::to_owned)
    }
}

/// Zero of the type of its argument.
fn zero_like<T: Default>(_: T) -> T {
    T::default()
}
