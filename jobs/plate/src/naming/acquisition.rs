//! Which folder is the acquisition: instruments put z-slices, timepoints and pixels into sub-folders of it.

use std::path::{Path, PathBuf};

/// The acquisition of an image and what its sub-folders say.
pub(super) struct Place {
    pub folder: PathBuf,
    pub z: Option<u32>,
    pub t: Option<u32>,
}

/// Strips `ZStep_n`, `TimePoint_n`, `Images` and the preset's own sub-folder from the end of the image's folder.
pub(super) fn of(relative: &Path, subfolder: Option<&str>) -> Place {
    let mut folder = relative.parent().unwrap_or(Path::new(""));
    let (mut z, mut t) = (None, None);
    while let Some(name) = folder.file_name() {
        let name = name.to_string_lossy().to_lowercase();
        if let Some(number) = number_after(&name, "zstep_") {
            // MetaXpress exports projections as step 0: they are no slice.
            z = z.or((number > 0).then_some(number));
        } else if let Some(number) = number_after(&name, "timepoint_") {
            t = t.or(Some(number));
        } else if name != "images" && subfolder != Some(&name) {
            break;
        }
        folder = folder.parent().unwrap_or(Path::new(""));
    }
    Place {
        folder: folder.to_path_buf(),
        z,
        t,
    }
}

fn number_after(name: &str, prefix: &str) -> Option<u32> {
    let digits = name.strip_prefix(prefix)?;
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_folders_are_stripped_and_read() {
        for (path, folder, z, t) in [
            (
                "p/2023/TimePoint_2/ZStep_3/x.tif",
                "p/2023",
                Some(3),
                Some(2),
            ),
            ("p/ZStep_0/x.tif", "p", None, None),
            ("p/Images/x.tif", "p", None, None),
            ("p/images/TimePoint_1/x.tif", "p", None, Some(1)),
            ("ZStep_1/x.tif", "", Some(1), None),
            ("x.tif", "", None, None),
            ("p/ZStep_x/x.tif", "p/ZStep_x", None, None),
            ("p/ZStep_/x.tif", "p/ZStep_", None, None),
            ("p/data/x.tif", "p/data", None, None),
        ] {
            let place = of(Path::new(path), None);
            assert_eq!(
                (place.folder.as_path(), place.z, place.t),
                (Path::new(folder), z, t),
                "{path}"
            );
        }
        assert_eq!(
            of(Path::new("p/data/x.tif"), Some("data")).folder,
            Path::new("p")
        );
    }
}
