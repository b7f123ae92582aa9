//! File names of exported tables: BatchLib's where BatchLib has one.

use std::collections::BTreeSet;

/// Gives each table of a plate a file name of its own, without extension.
#[derive(Debug)]
pub struct FileNames {
    plate: String,
    taken: BTreeSet<String>,
}

/// The part after `<plate>_` of an image, well or plate table: `images/default` is `image_table`, `images/outliers` is
/// `image_table_outliers`.
fn plate_table_name(table: &str) -> String {
    let (group, name) = table.split_once('/').unwrap_or(("", table));
    let what = match group {
        "images" => "image_table".to_owned(),
        "wells" => "well_table".to_owned(),
        "plate" => "plate_table".to_owned(),
        "" => return format!("table_{}", safe(name)),
        other => format!("{}_table", safe(other)),
    };
    if name == "default" {
        what
    } else {
        format!("{what}_{}", safe(name))
    }
}

impl FileNames {
    /// Names of a plate's files.
    #[must_use]
    pub fn new(plate: &str) -> Self {
        Self {
            plate: safe(plate),
            taken: BTreeSet::new(),
        }
    }

    /// The name of an image, well or plate table.
    pub fn plate_table(&mut self, table: &str) -> String {
        let name = plate_table_name(table);
        self.take([name])
    }

    /// The name of an object table. BatchLib names the tables of its `cell_segmentation` after the channel, and misspells one;
    /// all others keep their whole name.
    pub fn object_table(&mut self, table: &str) -> String {
        let whole = format!("cell_table_{}", safe(table));
        if let Some(channel) = table.strip_prefix("cell_segmentation/") {
            return self.take([format!("cell_table_{}", safe(channel)), whole]);
        }
        if table.starts_with("cell_classification/cell_segmentation/") {
            return self.take(["cell_infected_clasification_table".to_owned(), whole]);
        }
        self.take([whole])
    }

    /// The first name that is free, with a number if none is.
    fn take(&mut self, names: impl IntoIterator<Item = String>) -> String {
        let mut names: Vec<String> = names.into_iter().collect();
        let last = names.last().cloned().unwrap_or_default();
        let mut number = 2;
        loop {
            let found = names
                .iter()
                // Some file systems do not tell upper and lower case apart.
                .find(|n| !self.taken.contains(&n.to_lowercase()))
                .cloned();
            if let Some(name) = found {
                self.taken.insert(name.to_lowercase());
                return format!("{}_{name}", self.plate);
            }
            names = vec![format!("{last}_{number}")];
            number += 1;
        }
    }
}

/// A name as part of a file name: no separators of paths, no control characters.
pub(crate) fn safe(name: &str) -> String {
    let safe = |c: char| {
        if c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') {
            '_'
        } else {
            c
        }
    };
    name.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batchlibs_names() {
        let mut names = FileNames::new("p");
        assert_eq!(names.plate_table("images/default"), "p_image_table");
        assert_eq!(names.plate_table("wells/default"), "p_well_table");
        assert_eq!(
            names.plate_table("images/outliers"),
            "p_image_table_outliers"
        );
        assert_eq!(
            names.object_table("cell_segmentation/serum_IgG"),
            "p_cell_table_serum_IgG"
        );
        let classes = "cell_classification/cell_segmentation/marker_tophat";
        assert_eq!(
            names.object_table(classes),
            "p_cell_infected_clasification_table"
        );
        assert_eq!(
            names.object_table("cell_classification/cell_segmentation/other"),
            "p_cell_table_cell_classification_cell_segmentation_other"
        );
        assert_eq!(
            names.object_table("nucleus_segmentation/properties"),
            "p_cell_table_nucleus_segmentation_properties"
        );
        assert_eq!(names.object_table("cells"), "p_cell_table_cells");
        assert_eq!(names.object_table("Cells"), "p_cell_table_Cells_2");
    }

    #[test]
    fn no_name_leaves_the_folder() {
        let mut names = FileNames::new("../a/b");
        let name = names.object_table("../../etc/x");
        assert!(!name.contains('/'), "{name}");
    }
}
