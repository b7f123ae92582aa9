//! The naming schemes that we know, as data.
//!
//! Each is written from real names of the instrument (or from its reader's own documentation of them); the first names
//! that a preset must read are its `example` and those in `tests/`.

use super::pattern::nearest;
use crate::{Error, Result};

/// A naming scheme that we know.
#[derive(Debug)]
#[non_exhaustive]
pub struct PresetInfo {
    /// What people write in a configuration.
    pub name: &'static str,
    /// What it is, in one line.
    pub description: &'static str,
    /// A name that it reads.
    pub example: &'static str,
    pub(super) pattern: &'static str,
    /// The channel where the name carries none.
    pub(super) default_channel: Option<&'static str>,
    /// A folder (lower case) between the acquisition and its images.
    pub(super) subfolder: Option<&'static str>,
    /// Starts of names that are no images of a well, with the rule's text.
    ignored: &'static [(&'static str, &'static str)],
}

/// `.tif` or `.tiff` in either case, or a `.png`.
macro_rules! image {
    () => {
        r"\.(?i:tiff?|png)$"
    };
}

/// MetaXpress glues a GUID to the last field.
macro_rules! guid {
    () => {
        "(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?"
    };
}

const NONE: PresetInfo = PresetInfo {
    name: "",
    description: "",
    example: "",
    pattern: "",
    default_channel: None,
    subfolder: None,
    ignored: &[],
};

// Specific ones first: of two that read a folder equally well, the first is the better guess.
static PRESETS: [PresetInfo; 11] = [
    PresetInfo {
        name: "batchlib",
        description: "BatchLib / Nikon NIS: multi-page files, one page per channel; the folder is the plate",
        example: "WellC01_PointC01_0000_ChannelDAPI,WF_GFP,TRITC_Seq0216.tiff",
        // BatchLib strips the letters of `Point` and `Channel` one by one, which eats row P and the C of Cy5.
        pattern: concat!(
            "^Well(?<wellagain>[A-Za-z]{1,2}[0-9]+)_Point(?<well>[A-Za-z]{1,2}[0-9]+)_(?<site>[0-9]+)",
            "_Channel(?<channels>.+)_Seq[0-9]+",
            image!()
        ),
        ..NONE
    },
    PresetInfo {
        name: "imagexpress",
        description: "Molecular Devices ImageXpress / MetaXpress, single or multi site, with or without GUID, ZStep and TimePoint folders",
        example: "Projection-Mix_E07_s1_w1E94C24BD-45E4-450A-9919-257C714278F7.tif",
        // Single-channel plates have no _w, single-site plates no _s; the GUID follows whatever is last.
        pattern: concat!(
            "^(?<plate>.+)_(?<well>[A-Z]{1,2}[0-9]{1,3})(?:_s(?<site>[0-9]+))?(?:_(?<channel>w[0-9]+))?",
            "(?:_z(?<z>[0-9]+))?(?:_t(?<t>[0-9]+))?",
            guid!(),
            image!()
        ),
        default_channel: Some("w1"),
        ..NONE
    },
    PresetInfo {
        name: "yokogawa",
        description: "Yokogawa CellVoyager CV7000 / CV8000",
        example: "CV8000-Plate_D08_T0001F002L01A01Z04C01.tif",
        pattern: concat!(
            "^(?<plate>.+)_(?<well>[A-Z]{1,2}[0-9]{2,3})_T(?<t>[0-9]{4,})F(?<site>[0-9]{3,})L[0-9]+A[0-9]+",
            "Z(?<z>[0-9]{2,})(?<channel>C[0-9]{2,})",
            image!()
        ),
        ignored: &[
            ("DC_", "DC_* (Yokogawa dark current correction)"),
            ("SC_", "SC_* (Yokogawa shading correction)"),
        ],
        ..NONE
    },
    PresetInfo {
        name: "operetta",
        description: "PerkinElmer / Revvity Operetta and Opera Phenix (Harmony)",
        example: "r01c01f01p01-ch1sk1fk1fl1.tiff",
        pattern: concat!(
            "^r(?<row>[0-9]{2,})c(?<col>[0-9]{2,})f(?<site>[0-9]{2,})p(?<z>[0-9]{2,})-(?<channel>ch[0-9]+)",
            "(?:sk(?<t>[0-9]+))?(?:fk[0-9]+)?(?:fl[0-9]+)?",
            image!()
        ),
        ..NONE
    },
    PresetInfo {
        name: "scanr",
        description: "Olympus / Evident ScanR; wells are numbered (scanr:24 for a plate with 24 columns) or named in front",
        example: "A1--W00001--P00001--Z00000--T00000--DAPI.tif",
        pattern: concat!(
            "^(?<label>.*?)--W(?<wellnumber>[0-9]{5})--P(?<site>[0-9]{5})--Z(?<z>[0-9]{5})--T(?<t>[0-9]{5})--(?<channel>.+?)",
            image!()
        ),
        subfolder: Some("data"),
        ..NONE
    },
    PresetInfo {
        name: "almf",
        description: "EMBL ALMF screening: plate--treatment--treatment--W0001--...; wells are numbered (almf:24 for 24 columns)",
        example: "Plate_01--s449--PLK1--W0081--P001--T00000--Z000--C01.ome.tif",
        pattern: concat!(
            r"^(?<plate>.*?)(?:--.*)?--W(?<wellnumber>[0-9]{4})--P(?<site>[0-9]{3})--T(?<t>[0-9]{4,5})--Z(?<z>[0-9]{3})",
            r"--(?<channel>.+?)(?:\.ome)?",
            image!()
        ),
        ..NONE
    },
    PresetInfo {
        name: "incell",
        description: "GE / Cytiva IN Cell Analyzer",
        example: "A - 01(fld 01 wv DAPI - DAPI).tif",
        pattern: concat!(
            r"^(?:(?<plate>.+)_)?(?<row>[A-Z]{1,2}) - (?<col>[0-9]{1,3})\((?:fld (?<site>[0-9]+) )?wv (?<channel>.+?)",
            r"(?: z (?<z>[0-9]+))?(?: ?- time (?<t>[0-9]+)(?: - [0-9]+ ms)?)?\)",
            image!()
        ),
        ..NONE
    },
    PresetInfo {
        name: "cellprofiler-sbs",
        description: "CellProfiler's example plates: channel, number, row, column",
        example: "Channel1-01-A-01.tif",
        pattern: concat!(
            "^(?<channel>Channel[0-9]+)-[0-9]+-(?<row>[A-Z]{1,2})-(?<col>[0-9]{1,3})",
            image!()
        ),
        ..NONE
    },
    PresetInfo {
        name: "cellomics",
        description: "Thermo Cellomics ArrayScan exports",
        example: "AS_09125_050116030001_D03f00d0.tif",
        pattern: concat!(
            "^(?<plate>.+)_(?<well>[A-Z]{1,2}[0-9]{2,3})f(?<site>[0-9]{2,})(?<channel>d[0-9]+)",
            image!()
        ),
        ..NONE
    },
    PresetInfo {
        name: "cytation",
        description: "BioTek / Agilent Cytation (Gen5): well, read step, channel number, site, channel, timepoint",
        example: "D7_01_1_1_DAPI_001.tif",
        pattern: concat!(
            "^(?<well>[A-Z]{1,2}[0-9]{1,3})_[0-9]+_[0-9]+_(?<site>[0-9]+)_(?<channel>.+)_(?<t>[0-9]{3,})",
            image!()
        ),
        ..NONE
    },
    PresetInfo {
        name: "well-site-channel",
        description: "Plain names: [plate_]well_site_channel[_z1][_t1]; the site may have an s or f in front",
        example: "Plate1_B07_s2_DAPI.tif",
        pattern: concat!(
            "^(?:(?<plate>.+)_)?(?<well>[A-Za-z]{1,2}[0-9]{1,3})_(?i:s|f|site|field)?(?<site>[0-9]+)",
            "_(?<channel>[A-Za-z][A-Za-z0-9_-]*?)(?:_z(?<z>[0-9]+))?(?:_t(?<t>[0-9]+))?",
            image!()
        ),
        ..NONE
    },
];

/// The naming schemes that [`super::NamingScheme::preset`] knows.
#[must_use]
pub fn presets() -> &'static [PresetInfo] {
    &PRESETS
}

impl PresetInfo {
    /// Whether the instrument numbers its wells, so that the number of plate columns matters.
    #[must_use]
    pub fn numbers_wells(&self) -> bool {
        self.pattern.contains("<wellnumber>")
    }

    pub(super) fn ignore_rule(&self, name: &str) -> Option<&'static str> {
        self.ignored
            .iter()
            .find(|(start, _)| name.starts_with(start))
            .map(|(_, rule)| *rule)
    }
}

pub(super) fn find(name: &str) -> Result<&'static PresetInfo> {
    PRESETS
        .iter()
        .find(|preset| preset.name.eq_ignore_ascii_case(name.trim()))
        .ok_or_else(|| {
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            Error::UnknownPreset {
                name: name.to_owned(),
                suggestion: nearest(name, names.iter().copied()).map(str::to_owned),
                known: names.join(", "),
            }
        })
}
