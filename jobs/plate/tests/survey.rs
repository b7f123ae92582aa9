//! Surveys of real acquisitions and of folders with faults.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{line, shared};
use plate::{NamesReport, NamingScheme, guess, survey};

fn report(preset: &str, dir: &Path) -> NamesReport {
    survey(dir, &NamingScheme::from_config(preset).unwrap()).unwrap()
}

/// Folder of real data; the preset that fits, images, channels, sites, wells.
const REAL: [[&str; 2]; 7] = [
    [
        "golden/batchlib/input/goldA",
        "batchlib; 24; DAPI TRITC WF_GFP; 0 1; A01 A02 B03 B07 C05 C11 D04 D09 E06 F10 G01 H01",
    ],
    [
        "golden/batchlib/input/goldAcorr",
        "batchlib; 6; DAPI DIA TRITC WF_Cy5 WF_GFP; 0 1; B02 C06 H12",
    ],
    [
        "data/imagexpress",
        "imagexpress; 24; w1 w2 w3 w4; 1 2; E07 E08",
    ],
    ["data/cv8000", "yokogawa; 96; C01 C02; 1 2 3 4; D08 E03 F08"],
    [
        "data/sbs_plate",
        "cellprofiler-sbs; 24; Channel1 Channel2; 1; A01 A02 A03 A04 A05 A06 A07 A08 A09 A10 A11 A12",
    ],
    ["data/cp_human", "cellomics; 3; d0 d1 d2; 0; D03"],
    [
        "data/nf1_plate/images",
        "cytation; 15; DAPI GFP RFP; 1 2 3; B07 D06 D07 F07 H12",
    ],
];

fn spaced<T: ToString>(list: &[T]) -> String {
    list.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn real_acquisitions_are_read_whole_and_guessed() {
    for [folder, expected] in REAL {
        let Some(dir) = shared(folder) else {
            return;
        };
        let best = guess(&dir).unwrap().remove(0);
        assert_eq!(best.matched, best.total, "{folder}: {best:?}");
        let report = report(best.preset, &dir);
        assert!(
            report.is_clean(),
            "{folder}: {:?} {:?}",
            report.unmatched.first(),
            report.duplicates.first()
        );
        let found = [
            best.preset.to_owned(),
            report.parsed.len().to_string(),
            spaced(&report.channels),
            spaced(&report.sites),
            spaced(&report.wells),
        ];
        assert_eq!(found.join("; "), expected, "{folder}");
    }
}

#[test]
fn real_names_are_read_in_every_field() {
    let Some(dir) = shared("data/imagexpress") else {
        return;
    };
    let report = report("imagexpress", &dir);
    let lines: Vec<String> = report.parsed.iter().map(|file| line(&file.name)).collect();
    let place = "Projection-Mix|Projection-Mix/2023-02-21/1334";
    assert_eq!(
        lines.iter().filter(|line| line.starts_with(place)).count(),
        24
    );
    // Projections have no slice; w4 has slices only.
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.ends_with("|w3|-|-"))
            .count(),
        4
    );
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.ends_with("|w4|1|-"))
            .count(),
        4
    );
    assert_eq!(report.ignored.get("*_thumb* (thumbnail)"), Some(&24));
    assert_eq!(
        report.plate_map().lines().next(),
        Some(
            "Projection-Mix in Projection-Mix/2023-02-21/1334 (48 wells, 6 × 8): 2 wells, 24 images"
        )
    );
    let map = report.plate_map();
    let row = map.lines().find(|l| l.trim().starts_with('E')).unwrap();
    let row: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(row, ["E", "·", "·", "·", "·", "·", "·", "2", "2"]);
}

#[test]
fn corrections_and_manifests_are_counted_by_their_rules() {
    let Some(dir) = shared("data/cv8000") else {
        return;
    };
    let report = report("yokogawa", &dir);
    assert_eq!(report.ignored["DC_* (Yokogawa dark current correction)"], 2);
    assert_eq!(report.ignored["SC_* (Yokogawa shading correction)"], 4);
    assert!(report.ignored["not an image file"] >= 7);
    let file = &report.parsed[0].name;
    assert_eq!(
        line(file).split('|').next(),
        Some("CV8000-Minimal-DataSet-2C-3W-4S-FP2-stack")
    );
    assert!(
        report
            .parsed
            .iter()
            .all(|f| f.name.z.is_some_and(|z| (1..=4).contains(&z)) && f.name.t == Some(1))
    );
}

#[test]
fn faults_of_a_folder_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    };
    for name in [
        "p/A1_1_DAPI.tif",
        "p/A01_1_DAPI.tif",
        "p/a01_1_DAPI.png",
        "p/A02_1_DAPI.tif",
        "p/holiday.tif",
        "p/notes.txt",
        "p/Thumbs.db",
        "p/@eaDir/A03_1_DAPI.tif",
        "q/A01_1_DAPI.tif",
    ] {
        write(name);
    }
    let report = report("well-site-channel", dir.path());
    assert_eq!(report.parsed.len(), 5);
    assert_eq!(report.unmatched.len(), 1);
    assert_eq!(report.unmatched[0].path, Path::new("p/holiday.tif"));
    assert_eq!(report.ignored.values().sum::<u64>(), 3);
    assert_eq!(report.ignored["@eaDir (Synology)"], 1);
    // One well in three spellings; the same well of another plate is no duplicate.
    assert_eq!(report.duplicates.len(), 1);
    assert_eq!(
        report.duplicates[0].paths,
        ["p/A01_1_DAPI.tif", "p/A1_1_DAPI.tif", "p/a01_1_DAPI.png"].map(std::path::PathBuf::from)
    );
    assert!(!report.is_clean());
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<NamesReport>(&json).unwrap(), report);
    let empty = tempfile::tempdir().unwrap();
    let none = guess(empty.path()).unwrap();
    assert!(none.iter().all(|g| g.matched == 0 && g.total == 0) && none[0].preset == "batchlib");
}
