//! What the kinds of reports read: the image and well tables of a plate, and which images failed.

use std::sync::Arc;

use image_io::table::Table;
use report::{PlateTables, Site};

use super::cells::at_level;
use crate::error::Failure;
use crate::graph::Bindings;
use crate::plate_context::PlateIo;

/// The tables that are bound to the port `tables`.
pub(super) struct PlateView {
    plate: String,
    sites: Vec<Site>,
    images: Option<Arc<Table>>,
    wells: Option<(String, Arc<Table>)>,
}

impl PlateView {
    pub fn read(io: &PlateIo<'_>) -> Result<Self, Failure> {
        let names = io.names("tables");
        let find = |level: &str| -> Result<Option<(String, Arc<Table>)>, Failure> {
            let full = names.iter().map(|n| at_level(level, n));
            let mut full = full.filter(|n| n.starts_with(&format!("{level}/")));
            match full.find(|n| io.has_plate_table(n)) {
                Some(name) => Ok(Some((name.clone(), io.plate_table(&name)?))),
                None => Ok(None),
            }
        };
        let (images, wells) = (find("images")?, find("wells")?);
        if images.is_none() && wells.is_none() {
            return Err(Failure::permanent(
                "missing-data",
                format!(
                    "plate `{}` has neither an image table nor a well table named {}",
                    io.plate_name(),
                    names.join(", ")
                ),
                "correct the input `tables` in the workflow, then requeue",
            ));
        }
        let site = |member: &crate::PlateMember| Site {
            name: member.name.clone(),
            well: member.well,
            failed: io.failed(member).map(str::to_owned),
        };
        Ok(Self {
            plate: io.plate_name(),
            sites: io.members().iter().map(site).collect(),
            images: images.map(|(_, table)| table),
            wells,
        })
    }

    pub fn tables(&self, format: Option<plate::PlateFormat>) -> PlateTables<'_> {
        PlateTables {
            plate: &self.plate,
            sites: &self.sites,
            images: self.images.as_deref(),
            wells: self.wells.as_ref().map(|(_, table)| table.as_ref()),
            wells_name: self
                .wells
                .as_ref()
                .map_or("no well table", |(name, _)| name),
            format,
        }
    }
}

/// One image table and one well table can be shown.
pub(super) fn check_tables(inputs: &Bindings) -> Vec<String> {
    let names = inputs.get("tables").cloned().unwrap_or_default();
    let mut problems = Vec::new();
    for level in ["images", "wells"] {
        let of_level: Vec<String> = names
            .iter()
            .map(|n| at_level(level, n))
            .filter(|n| n.starts_with(&format!("{level}/")))
            .collect();
        if of_level.len() > 1 {
            problems.push(format!(
                "input `tables` names more than one of {level}: {}; make a job for each",
                of_level.join(", ")
            ));
        }
    }
    problems
}

/// A plate format by its number of wells.
pub(super) fn format_of(wells: Option<u32>) -> Option<plate::PlateFormat> {
    let standard = plate::PlateFormat::STANDARD;
    standard.into_iter().find(|f| Some(f.wells()) == wells)
}

/// What is wrong with a number of wells.
pub(super) fn check_format(wells: Option<u32>) -> Option<String> {
    let known = plate::PlateFormat::STANDARD.map(|f| f.wells().to_string());
    (wells.is_some() && format_of(wells).is_none()).then(|| {
        format!(
            "`format` must be one of {}; without it the smallest plate that has all wells is taken",
            known.join(", ")
        )
    })
}

impl From<report::Error> for Failure {
    fn from(error: report::Error) -> Self {
        let remedy = error.remedy();
        match error {
            report::Error::File(error) => error.into(),
            error => Self {
                class: Self::from_class(error.class()),
                ..Self::permanent("report", error.to_string(), remedy)
            },
        }
    }
}

/// A folder for results below the plate's.
pub(super) fn folder(io: &PlateIo<'_>, name: &str) -> Result<std::path::PathBuf, Failure> {
    let path = io.plate_dir().join(name);
    std::fs::create_dir_all(&path).map_err(|source| image_io::Error::Io {
        path: path.clone(),
        action: "create",
        source,
    })?;
    Ok(path)
}
