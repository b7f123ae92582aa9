//! The plate's own summary, where its workflow wrote one (`report.summary`).

use std::io::Read;
use std::path::Path;

use serde_json::Value;

/// A longer text is no summary.
const LONGEST: u64 = 256 << 10;

/// What lies in the plate's results as `<plate>_summary.md` and `<plate>_summary.json`.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// For people.
    pub(crate) text: Option<String>,
    /// For programs.
    pub(crate) data: Option<Value>,
}

impl Summary {
    /// Reads what there is. A summary that is absent, too long or broken is left out: the message goes without it.
    pub(crate) fn read(folder: &Path, plate: &str) -> Self {
        let file = |ending: &str| read(&folder.join(format!("{}{ending}", file_name(plate))));
        Self {
            text: file("_summary.md").filter(|text| !text.trim().is_empty()),
            data: file("_summary.json").and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}

/// A plate's name as it stands in the names of these files, whose writer (`report`) replaces what a file system may not take.
fn file_name(plate: &str) -> String {
    let harmless = |c: char| {
        if c.is_control() || "/\\:*?\"<>|".contains(c) {
            '_'
        } else {
            c
        }
    };
    plate.chars().map(harmless).collect()
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
        let plate = folder.path().join("run");
        assert!(Summary::read(&plate, "plate:7").text.is_none());
        std::fs::create_dir(&plate).unwrap();
        std::fs::write(plate.join("plate_7_summary.md"), "# good\n").unwrap();
        std::fs::write(plate.join("plate_7_summary.json"), "{\"good\": 1}").unwrap();
        let summary = Summary::read(&plate, "plate:7");
        assert_eq!(summary.text.as_deref(), Some("# good\n"));
        assert_eq!(summary.data.unwrap()["good"], 1);

        std::fs::write(plate.join("plate_7_summary.md"), "x".repeat(300 << 10)).unwrap();
        std::fs::write(plate.join("plate_7_summary.json"), "{\"good\": 1").unwrap();
        let summary = Summary::read(&plate, "plate:7");
        assert!(summary.text.is_none() && summary.data.is_none());
    }
}
