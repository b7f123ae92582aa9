//! Outliers that a person marked: BatchLib's files of tagged images.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::kinds::side_file;

/// The file of one plate: `{plate}` in the name stands for the plate's name.
pub(super) fn file_of(template: &str, plate: &str) -> PathBuf {
    PathBuf::from(template.replace("{plate}", plate))
}

/// Labels by file name without its extension: 1 outlier, 0 seen and good, -1 skipped. A plate without a file has none.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, i64>, Failure> {
    let Some(text) = side_file::read(path)? else {
        return Ok(BTreeMap::new());
    };
    let bad = |what: String| {
        side_file::refuse(
            path,
            &what,
            "write a CSV file with the columns filename and label (1 outlier, 0 good, -1 not judged)",
        )
    };
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let header = reader.headers().map_err(|e| bad(e.to_string()))?.clone();
    let at = |name: &str| header.iter().position(|h| h.trim() == name);
    let (Some(file), Some(label)) = (at("filename"), at("label")) else {
        return Err(bad(format!(
            "there are no columns `filename` and `label` but {}",
            header.iter().collect::<Vec<_>>().join(", ")
        )));
    };
    let mut tags = BTreeMap::new();
    for (line, record) in reader.records().enumerate() {
        let record = record.map_err(|e| bad(e.to_string()))?;
        let name = record.get(file).unwrap_or_default();
        let value = record.get(label).unwrap_or_default().trim();
        let number: i64 = match value.parse::<f64>() {
            Ok(1.0) => 1,
            Ok(0.0) => 0,
            Ok(-1.0) => -1,
            _ => {
                return Err(bad(format!(
                    "line {}: label `{value}` is none of 1, 0, -1",
                    line + 2
                )));
            }
        };
        let stem = Path::new(name).file_stem().unwrap_or_default();
        tags.insert(stem.to_string_lossy().into_owned(), number);
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_are_read_by_the_name_of_the_image() {
        let folder = tempfile::tempdir().unwrap();
        let path = file_of(
            &folder.path().join("{plate}_tags.csv").to_string_lossy(),
            "p1",
        );
        assert!(path.ends_with("p1_tags.csv"));
        assert!(read(&path).unwrap().is_empty(), "a plate without a file");
        std::fs::write(
            &path,
            "filename,label\n\"WellA01,x.tiff\",1\nb.tiff,0\nc.h5,-1.0\n",
        )
        .unwrap();
        let tags = read(&path).unwrap();
        assert_eq!(tags["WellA01,x"], 1);
        assert_eq!(tags["b"], 0);
        assert_eq!(tags["c"], -1);
        for wrong in [
            "filename,label\na,2\n",
            "name,label\na,1\n",
            "filename,label\na,yes\n",
        ] {
            std::fs::write(&path, wrong).unwrap();
            assert_eq!(read(&path).unwrap_err().code, "bad-file", "{wrong}");
        }
    }
}
