//! A plate's results in a folder: the plate table and the containers beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use image_io::container::Container;
use image_io::table::Table;
use plate::WellName;

use super::objects::{ObjectSite, ObjectTables};
use crate::columns::text;
use crate::{Error, Result};

/// Names of object tables, and the containers that cannot be read, each with the reason.
pub type ObjectTableNames = (BTreeSet<String>, Vec<(PathBuf, String)>);

/// Results of one plate, ours or BatchLib's.
#[derive(Debug)]
pub struct PlateFolder {
    folder: PathBuf,
    plate: String,
    containers: Vec<PathBuf>,
    sites: Vec<ObjectSite>,
}

impl PlateFolder {
    /// Opens a folder. The plate's name is the folder's.
    ///
    /// # Errors
    /// [`Error::NoPlate`] if there is neither a plate table nor a container; [`Error::File`].
    pub fn open(folder: &Path) -> Result<Self> {
        let io = |source| {
            Error::File(image_io::Error::Io {
                path: folder.to_owned(),
                action: "open",
                source,
            })
        };
        // `.` has no name of its own.
        let folder = folder.canonicalize().map_err(io)?;
        let plate = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut containers: BTreeMap<OsString, (SystemTime, PathBuf)> = BTreeMap::new();
        for entry in std::fs::read_dir(&folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let Some((stem, modified)) = container(&path) else {
                continue;
            };
            // A workflow that changed its format leaves the old container beside the new one.
            match containers.get(&stem) {
                Some((known, _)) if *known > modified => {}
                _ => drop(containers.insert(stem, (modified, path))),
            }
        }
        let containers: Vec<PathBuf> = containers.into_values().map(|(_, p)| p).collect();
        let mut found = Self {
            folder,
            plate,
            containers,
            sites: Vec::new(),
        };
        if found.containers.is_empty() && !found.plate_table_file().exists() {
            return Err(Error::NoPlate {
                path: found.folder,
                reason: "there is no plate table and no container (*.h5, *.n5)".to_owned(),
            });
        }
        found.sites = found.site_names();
        Ok(found)
    }

    /// The plate's name.
    #[must_use]
    pub fn plate(&self) -> &str {
        &self.plate
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Names of the image, well and plate tables; none where there is no plate table.
    ///
    /// # Errors
    /// The plate table cannot be read.
    pub fn plate_tables(&self) -> Result<Vec<String>> {
        let path = self.plate_table_file();
        if !path.exists() {
            return Ok(Vec::new());
        }
        Ok(Container::open(&path)?.tables()?)
    }

    /// The image sets' containers, by name; of one that is there in both formats the newer.
    #[must_use]
    pub fn containers(&self) -> &[PathBuf] {
        &self.containers
    }

    /// An image, well or plate table.
    ///
    /// # Errors
    /// It does not exist or cannot be read.
    pub fn plate_table(&self, name: &str) -> Result<Table> {
        Ok(Container::open(&self.plate_table_file())?.read_table(name)?)
    }

    /// Names of all object tables that some container has.
    ///
    /// # Errors
    /// Failures that may pass.
    pub fn object_tables(&self) -> Result<ObjectTableNames> {
        let mut names = BTreeSet::new();
        let mut unreadable = Vec::new();
        for path in &self.containers {
            match Container::open(path).and_then(|c| c.tables()) {
                Ok(tables) => names.extend(tables),
                Err(error) if error.class() == image_io::ErrorClass::Permanent => {
                    unreadable.push((path.clone(), error.to_string()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok((names, unreadable))
    }

    fn plate_table_file(&self) -> PathBuf {
        self.folder.join(format!("{}_table.hdf5", self.plate))
    }

    /// Site names of the containers: by the image table, which knows them whatever the naming scheme was, else from the names.
    fn site_names(&self) -> Vec<ObjectSite> {
        let images = self.plate_table("images/default").ok();
        let listed = |stem: &str| -> Option<String> {
            let table = images.as_ref()?;
            let names = &table.column("image_name")?.values;
            let row = (0..table.rows()).find(|r| text(names, *r).as_deref() == Some(stem))?;
            text(&table.column("site_name")?.values, row)
        };
        let stem_of = |path: &PathBuf| -> String {
            let stem = path.file_stem().unwrap_or_default();
            stem.to_string_lossy().into_owned()
        };
        // A single timepoint is not part of the name.
        let times = |path| timepoint_of_stem(&stem_of(path));
        let first = self.containers.first().and_then(times);
        let timepoints = self.containers.iter().any(|path| times(path) != first);
        let site = |path: &PathBuf| {
            let stem = stem_of(path);
            if let Some(name) = listed(&stem).or_else(|| site_of_stem(&stem, timepoints)) {
                let well = name.split('-').next().unwrap_or_default();
                let well = well
                    .parse::<WellName>()
                    .map_or(String::new(), |w| w.to_string());
                return ObjectSite { well, site: name };
            }
            ObjectSite {
                well: String::new(),
                site: stem,
            }
        };
        self.containers.iter().map(site).collect()
    }
}

/// The stem of a container's name and when it was written; `None` for whatever is no container.
fn container(path: &Path) -> Option<(OsString, SystemTime)> {
    let stem = path.file_stem()?;
    let meta = std::fs::metadata(path).ok()?;
    let is_container = match path.extension()?.to_str()? {
        "h5" => meta.is_file(),
        "n5" => meta.is_dir(),
        _ => false,
    };
    if !is_container || stem.to_string_lossy().starts_with('.') {
        return None;
    }
    let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Some((stem.to_owned(), modified))
}

/// `Well<W>_Point<W>_<NNNN>…`, as BatchLib's images and our containers are called; ours end in `_T<NNNN>`.
fn site_of_stem(stem: &str, timepoints: bool) -> Option<String> {
    let mut parts = stem.split('_');
    let well: WellName = parts.next()?.strip_prefix("Well")?.parse().ok()?;
    parts.next()?.strip_prefix("Point")?;
    let site = parts.next()?;
    site.parse::<u32>().ok()?;
    let timepoint = timepoint_of_stem(stem).filter(|_| timepoints);
    Some(timepoint.map_or_else(
        || format!("{well}-{site}"),
        |t| format!("{well}-{site}-T{t:04}"),
    ))
}

fn timepoint_of_stem(stem: &str) -> Option<u32> {
    stem.rsplit('_').next()?.strip_prefix('T')?.parse().ok()
}

impl ObjectTables for PlateFolder {
    fn sites(&self) -> &[ObjectSite] {
        &self.sites
    }

    fn read(&self, site: usize, table: &str) -> Result<Option<Table>> {
        read_table(&self.containers[site], table)
    }
}

/// A table of a container; `None` where it has no such table.
///
/// # Errors
/// [`Error::File`]: the container cannot be read.
pub fn read_table(container: &Path, table: &str) -> Result<Option<Table>> {
    match Container::open(container)?.read_table(table) {
        Ok(table) => Ok(Some(table)),
        Err(image_io::Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
