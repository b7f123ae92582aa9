//! The manifests of the instruments.

use plate::manifest;

use super::{put, with_folder};

/// Divides an input into the files of a measurement.
const DIVIDER: &[u8] = b"\n%%%%\n";

pub(super) fn imagexpress(input: &[u8]) {
    read(&[("plate.HTD", input)]);
}

pub(super) fn operetta(input: &[u8]) {
    read(&[("Index.idx.xml", input)]);
}

pub(super) fn incell(input: &[u8]) {
    read(&[("plate.xdce", input)]);
}

pub(super) fn scanr(input: &[u8]) {
    read(&[("experiment_descriptor.xml", input)]);
}

/// Up to four files: the records, the plate, the measurement, the settings.
pub(super) fn yokogawa(input: &[u8]) {
    let mut files = Vec::new();
    let mut rest = input;
    for name in [
        "MeasurementData.mlf",
        "p.wpi",
        "MeasurementDetail.mrf",
        "p.mes",
    ] {
        let end = rest.windows(DIVIDER.len()).position(|part| part == DIVIDER);
        files.push((name, &rest[..end.unwrap_or(rest.len())]));
        rest = end.map_or(&[], |end| &rest[end + DIVIDER.len()..]);
    }
    read(&files);
}

fn read(files: &[(&str, &[u8])]) {
    with_folder(|folder| {
        for (name, content) in files {
            put(&folder.join(name), content);
        }
        let path = folder.join(files[0].0);
        match manifest::read(&path) {
            Ok(found) => {
                assert_eq!(found.missing([]).len(), found.expected.len());
                assert_eq!(found.path, path);
                // A listed name is a name: nothing is looked for elsewhere because of it.
                for plane in found.expected.iter().take(1000) {
                    let name = plane.file_name.as_deref().unwrap_or_default();
                    assert!(!name.contains(['/', '\\']), "{name}");
                }
            }
            Err(error) => {
                assert!(
                    error.to_string().contains(files[0].0) || files.len() > 1,
                    "{error}"
                );
                assert!(!error.remedy().is_empty());
            }
        }
        for (name, _) in files {
            let _ = std::fs::remove_file(folder.join(name));
        }
    });
}
