//! All tables of a plate's folder.

use std::path::{Path, PathBuf};

use super::{FileNames, Options, PlateFolder, write_objects, write_table};
use crate::{Error, ErrorClass, Result};

/// What the export of a plate came to.
#[derive(Debug, Default)]
pub struct Exported {
    /// The published files.
    pub files: Vec<PathBuf>,
    /// Image sets that are missing in an object table: table, image, reason.
    pub left_out: Vec<(String, String, String)>,
    /// What could not be written, with the reason; everything else was.
    pub refused: Vec<Error>,
}

/// Writes the tables of a plate into `output`, which must exist. `tables` are names or wildcards of full names
/// (`images/default`, `cell_segmentation/*`); none means all.
///
/// # Errors
/// [`Error::NoTable`] for a name that fits nothing, before anything is written; failures that may pass, for example a full
/// disk.
pub fn export_folder(
    plate: &PlateFolder,
    output: &Path,
    tables: &[String],
    options: &Options,
) -> Result<Exported> {
    let of_plate = plate.plate_tables()?;
    let (of_objects, unreadable) = plate.object_tables()?;
    let mut exported = Exported::default();
    for (path, reason) in unreadable {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        exported
            .left_out
            .push(("all".to_owned(), name.into_owned(), reason));
    }
    let fits = |name: &str, pattern: &String| crate::matches(pattern, name);
    let all = || of_plate.iter().chain(&of_objects);
    if let Some(unknown) = tables.iter().find(|p| !all().any(|n| fits(n, p))) {
        return Err(Error::NoTable {
            plate: plate.plate().to_owned(),
            table: unknown.clone(),
        });
    }
    let wanted = |name: &&String| tables.is_empty() || tables.iter().any(|p| fits(name, p));
    let mut names = FileNames::new(plate.plate());
    let refuse = |error: Error, refused: &mut Vec<Error>| match error.class() {
        ErrorClass::Permanent => {
            refused.push(error);
            Ok(())
        }
        _ => Err(error),
    };
    for table in of_plate.iter().filter(wanted) {
        let stem = names.plate_table(table);
        let written = plate
            .plate_table(table)
            .and_then(|t| write_table(output, &stem, &t, options));
        match written {
            Ok(files) => exported.files.extend(files),
            Err(error) => refuse(error, &mut exported.refused)?,
        }
    }
    for table in of_objects.iter().filter(wanted) {
        let stem = names.object_table(table);
        match write_objects(output, &stem, plate.plate(), table, plate, options) {
            Ok(written) => {
                exported.files.extend(written.files);
                let of_table = |(image, reason)| (table.clone(), image, reason);
                exported
                    .left_out
                    .extend(written.left_out.into_iter().map(of_table));
            }
            Err(error) => refuse(error, &mut exported.refused)?,
        }
    }
    Ok(exported)
}
