//! Vendor manifests: what an instrument says it will write, or has written, into an acquisition.
//!
//! | instrument | file | what it tells |
//! |---|---|---|
//! | ImageXpress / MetaXpress | `*.HTD` | wells, sites, wavelengths, z-steps and timepoints: the exact number of images |
//! | Yokogawa CV7000 / CV8000 | `MeasurementData.mlf` (with `*.wpi`, `*.mrf`, `*.mes`) | one record for each image |
//! | Operetta / Opera Phenix | `Index.idx.xml`, `Index.ref.xml`, `Index.xml` | one element for each image |
//! | IN Cell | `*.xdce` | one element for each image |
//! | ScanR | `experiment_descriptor.xml` | wells, positions, channels, slices |
//!
//! When a vendor writes its manifest (at the start, as it goes, or at the end) is not documented. So a manifest is read
//! again whenever it changed, one that can not be read is [`crate::ErrorClass::Transient`], and
//! [`Manifest::finished`] says whether the vendor marks the end.
//!
//! Wells, sites, channels, slices and timepoints are the ones that the vendor's naming preset reads from the file names:
//! where a manifest lists file names, they are parsed with that preset.

mod find;
mod htd;
mod incell;
mod operetta;
mod scanr;
mod text;
mod yokogawa;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::complete::ManifestFacts;
use crate::naming::ParsedName;
use crate::{Error, NamingScheme, Result, Verdict, WellName};

pub use find::find;

/// Which instrument wrote a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManifestKind {
    /// Molecular Devices `.HTD`.
    ImageXpress,
    /// Yokogawa `MeasurementData.mlf`.
    Yokogawa,
    /// PerkinElmer / Revvity Harmony `Index*.xml`.
    Operetta,
    /// Olympus / Evident `experiment_descriptor.xml`.
    ScanR,
    /// GE / Cytiva `.xdce`.
    InCell,
}

impl ManifestKind {
    /// The naming preset of the same instrument.
    #[must_use]
    pub fn preset(self) -> &'static str {
        match self {
            Self::ImageXpress => "imagexpress",
            Self::Yokogawa => "yokogawa",
            Self::Operetta => "operetta",
            Self::ScanR => "scanr",
            Self::InCell => "incell",
        }
    }

    /// The kind of manifest that a file with this name is, if it is one. Case does not matter.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        match &*name {
            _ if crate::junk_rule(Path::new(&name)).is_some() => None,
            "index.idx.xml" | "index.ref.xml" | "index.xml" => Some(Self::Operetta),
            "experiment_descriptor.xml" => Some(Self::ScanR),
            _ if name.ends_with(".htd") => Some(Self::ImageXpress),
            _ if name.ends_with(".mlf") => Some(Self::Yokogawa),
            _ if name.ends_with(".xdce") => Some(Self::InCell),
            _ => None,
        }
    }
}

/// One plane that the manifest announces.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExpectedPlane {
    /// The well.
    pub well: WellName,
    /// The site.
    pub site: u32,
    /// The channel, as the naming preset reads it.
    pub channel: String,
    /// The z-slice; `None` where the manifest does not say (any slice will do).
    pub z: Option<u32>,
    /// The timepoint; `None` where the manifest does not say (any timepoint will do).
    pub t: Option<u32>,
    /// The file's name, where the manifest lists it.
    pub file_name: Option<String>,
}

/// One channel of a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestChannel {
    /// The channel, as the naming preset reads it.
    pub id: String,
    /// The vendor's or the user's name of it.
    pub name: Option<String>,
    /// Width of a pixel in micrometres.
    pub pixel_size_um: Option<f64>,
}

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The instrument.
    pub kind: ManifestKind,
    /// The file that was read.
    #[serde(with = "crate::portable")]
    pub path: PathBuf,
    /// The plate's name.
    pub plate_name: Option<String>,
    /// Rows of the plate.
    pub rows: Option<u16>,
    /// Columns of the plate.
    pub columns: Option<u16>,
    /// The planes that have come or will come. Empty where the manifest does not predict them.
    pub expected: Vec<ExpectedPlane>,
    /// The channels, in the manifest's order.
    pub channels: Vec<ManifestChannel>,
    /// Whether the vendor marks the acquisition as ended; `None` where its manifest has no such mark.
    pub finished: Option<bool>,
}

impl Manifest {
    fn new(kind: ManifestKind, path: &Path) -> Self {
        Self {
            kind,
            path: path.to_path_buf(),
            plate_name: None,
            rows: None,
            columns: None,
            expected: Vec::new(),
            channels: Vec::new(),
            finished: None,
        }
    }

    /// The announced planes that are not among the `seen` images, in the manifest's order.
    pub fn missing<'s>(
        &self,
        seen: impl IntoIterator<Item = &'s ParsedName>,
    ) -> Vec<&ExpectedPlane> {
        // A manifest that does not say the slice or the timepoint is content with any: look such planes up without it.
        let any = (
            self.expected.iter().any(|plane| plane.z.is_none()),
            self.expected.iter().any(|plane| plane.t.is_none()),
        );
        let mut keys = HashSet::new();
        for name in seen {
            for plane in name.planes() {
                for z in [Some(plane.z), any.0.then_some(None)].into_iter().flatten() {
                    for t in [Some(plane.t), any.1.then_some(None)].into_iter().flatten() {
                        keys.insert((plane.well, plane.site, plane.channel, z, t));
                    }
                }
            }
        }
        let is_missing = |plane: &&ExpectedPlane| {
            !keys.contains(&(plane.well, plane.site, &*plane.channel, plane.z, plane.t))
        };
        self.expected.iter().filter(is_missing).collect()
    }

    /// What [`crate::decide`] needs to know of this manifest.
    pub fn facts<'s>(&self, seen: impl IntoIterator<Item = &'s ParsedName>) -> ManifestFacts {
        ManifestFacts {
            expected: self.expected.len() as u64,
            missing: self.missing(seen).len() as u64,
            finished: self.finished,
        }
    }
}

/// Reads a manifest; the name says which kind it is.
///
/// Bounded: at most 256 MiB of XML, no DTD and no external entities.
///
/// # Errors
/// [`Error::Io`], [`Error::TooLarge`], [`Error::NotAManifest`], and [`Error::BadManifest`] for one that can not be
/// understood, for example because it is still being written.
pub fn read(path: &Path) -> Result<Manifest> {
    match ManifestKind::of_name(path).ok_or_else(|| Error::NotAManifest {
        path: path.to_path_buf(),
    })? {
        ManifestKind::ImageXpress => htd::read(path),
        ManifestKind::Yokogawa => yokogawa::read(path),
        ManifestKind::Operetta => operetta::read(path),
        ManifestKind::ScanR => scanr::read(path),
        ManifestKind::InCell => incell::read(path),
    }
}

/// The plane that a listed file is, read from its name with the vendor's own preset.
///
/// `None` when the name is not in the vendor's scheme (people do rename files).
fn plane_of_file(scheme: &NamingScheme, listed: &str) -> Option<ExpectedPlane> {
    let file_name = base_name(listed);
    let Verdict::Image(name) = scheme.parse(Path::new(file_name)) else {
        return None;
    };
    Some(ExpectedPlane {
        well: name.well,
        site: name.site,
        channel: name.channels.into_iter().next()?,
        z: name.z,
        t: name.t,
        file_name: Some(file_name.to_owned()),
    })
}

/// The last component: instruments list files as `Images/x.tif`, `Images\x.tif` or as an URL.
fn base_name(listed: &str) -> &str {
    listed.trim().rsplit(['/', '\\']).next().unwrap_or_default()
}

/// The largest number of planes that is believed: a plate of 384 wells with 9 sites, 5 channels and 200 slices. Each takes
/// about 150 bytes of the daemon's memory, and a line of text can announce any number of them.
const MOST_PLANES: u64 = 4_000_000;

/// No instrument has so many channels. Each image's channel is looked up among all others.
const MOST_CHANNELS: usize = 100;

/// Refuses a manifest that announces more than can be true.
fn believable(path: &Path, planes: u64, channels: usize) -> Result<()> {
    if planes > MOST_PLANES {
        return Err(bad(
            path,
            format!("it announces {planes} images; more than {MOST_PLANES} are not believed"),
        ));
    }
    if channels > MOST_CHANNELS {
        return Err(bad(
            path,
            format!("it has more than {MOST_CHANNELS} channels"),
        ));
    }
    Ok(())
}

fn bad(path: &Path, why: impl Into<String>) -> Error {
    Error::BadManifest {
        path: path.to_path_buf(),
        why: why.into(),
    }
}
