//! The arrays of one image set while a pass works on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

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

/// All that is known of one image set during a pass.
pub(crate) struct ImageContext {
    pub workflow: Arc<Workflow>,
    pub planes: Vec<PlaneRef>,
    pub plate_dir: PathBuf,
    /// The container as the last pass left it.
    pub stored: Option<Container>,
    pub items: BTreeMap<String, Item>,
    pub tables: BTreeMap<String, Table>,
    pub raw: BTreeMap<String, Arc<Pixels>>,
    /// What jobs tell of how they ran, by job.
    pub notes: BTreeMap<String, BTreeMap<&'static str, String>>,
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
    ) -> Self {
        Self {
            workflow,
            planes,
            plate_dir,
            stored,
            items: BTreeMap::new(),
            tables: BTreeMap::new(),
            raw: BTreeMap::new(),
            notes: BTreeMap::new(),
            floats: BTreeMap::new(),
            files: BTreeMap::new(),
        }
    }

    /// The raw plane of a role, read once; several z-slices are projected as the workflow says.
    pub(crate) fn raw(&mut self, role: &str) -> Result<Arc<Pixels>, Failure> {
        if let Some(pixels) = self.raw.get(role) {
            return Ok(Arc::clone(pixels));
        }
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
        let mut slices = Vec::with_capacity(planes.len());
        for plane in planes {
            slices.push(read_plane(&mut self.files, plane)?);
        }
        faults::point(faults::Point::WorkerRead);
        let pixels = Arc::new(crate::pass::project(slices, self.workflow.projection)?);
        self.raw.insert(role.to_owned(), Arc::clone(&pixels));
        Ok(pixels)
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
        match name.strip_suffix("_raw") {
            Some(role)
                if self.workflow.channel_of(name).is_none()
                    && self.workflow.channel_of(role).is_some() =>
            {
                self.raw(role)
            }
            _ => self.raw(name),
        }
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
            Item::Image(pixels) => Arc::new(match &*pixels {
                Pixels::U8(a) => a.mapv(u32::from),
                Pixels::U16(a) => a.mapv(u32::from),
                Pixels::U32(a) => a.clone(),
                other => {
                    return Err(Failure::permanent(
                        "not-labels",
                        format!(
                            "`{name}` holds {} values, not labels",
                            other.pixel_type().name()
                        ),
                        "name a label image",
                    ));
                }
            }),
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
        if let Some(name) = self.job.outputs.get(port).and_then(|n| n.first()) {
            self.context.tables.insert(name.clone(), table);
        }
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
