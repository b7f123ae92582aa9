//! The plate's own summary, where its workflow wrote one (`report.summary`).

use std::io::Read;
use std::path::Path;

use serde_json::Value;

/// A longer text is no summary.
const LONGEST: u64 = 256 << 10;

/// What lies in the plate's results as `<plate>_summary.md` and `<plate>_summary.json`. As with all files of a plate, `<plate>`
/// is the name of the folder.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// For people.
    pub(crate) text: Option<String>,
    /// For programs.
    pub(crate) data: Option<Value>,
}

impl Summary {
    /// Reads what there is. A summary that is absent, too long or broken is left out: the message goes without it.
    pub(crate) fn read(folder: &Path) -> Self {
        let Some(name) = folder.file_name() else {
            return Self::default();
        };
        let file = |ending: &str| {
            let mut name = name.to_owned();
            name.push(ending);
            read(&folder.join(name))
        };
        Self {
            text: file("_summary.md").filter(|text| !text.trim().is_empty()),
            data: file("_summary.json").and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}

fn read(path: &Path) -> Option<String> {
    // A pipe would be waited for.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    let mut file = std::fs::File::open(path).ok()?.take(LONGEST + 1);
    file.read_to_string(&mut text).ok()?;
    (text.len() as u64 <= LONGEST).then_some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_there_and_fits_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let plate = folder.path().join("plate 7");
        assert!(Summary::read(&plate).text.is_none());
        std::fs::create_dir(&plate).unwrap();
        std::fs::write(plate.join("plate 7_summary.md"), "# good\n").unwrap();
        std::fs::write(plate.join("plate 7_summary.json"), "{\"good\": 1}").unwrap();
        let summary = Summary::read(&plate);
        assert_eq!(summary.text.as_deref(), Some("# good\n"));
        assert_eq!(summary.data.unwrap()["good"], 1);

        std::fs::write(plate.join("plate 7_summary.md"), "x".repeat(300 << 10)).unwrap();
        std::fs::write(plate.join("plate 7_summary.json"), "{\"good\": 1").unwrap();
        let summary = Summary::read(&plate);
        assert!(summary.text.is_none() && summary.data.is_none());
    }
}
