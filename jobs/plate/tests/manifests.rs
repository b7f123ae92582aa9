//! Vendor manifests: the real one of a CV8000, and small ones of the other instruments.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::samples::{INDEX, MLF, XDCE, folder, htd, scanr, write};
use common::{parse, shared};
use plate::{
    ErrorClass, Manifest, ManifestKind, NamingScheme, ParsedName, Verdict, manifest, survey,
};

/// well, site, channel, z, t of each announced plane.
fn planes(manifest: &Manifest) -> Vec<String> {
    let number = |n: Option<u32>| n.map_or("-".to_owned(), |n| n.to_string());
    manifest
        .expected
        .iter()
        .map(|p| {
            format!(
                "{} {} {} {} {}",
                p.well,
                p.site,
                p.channel,
                number(p.z),
                number(p.t)
            )
        })
        .collect()
}

#[test]
fn the_real_cv8000_announces_exactly_its_images() {
    let Some(root) = shared("data/cv8000") else {
        return;
    };
    let report = survey(&root, &NamingScheme::preset("yokogawa").unwrap()).unwrap();
    let names: Vec<&ParsedName> = report.parsed.iter().map(|file| &file.name).collect();
    let dir = root.join(&names[0].acquisition);
    let path = manifest::find(&dir).unwrap().unwrap();
    assert!(path.ends_with("MeasurementData.mlf"));
    let manifest = manifest::read(&path).unwrap();
    assert_eq!(manifest.kind, ManifestKind::Yokogawa);
    assert_eq!(
        manifest.plate_name.as_deref(),
        Some("CV8000-Minimal-DataSet-2C-3W-4S-FP2-stack")
    );
    assert_eq!(
        (manifest.rows, manifest.columns, manifest.finished),
        (Some(8), Some(12), Some(true))
    );
    assert_eq!(manifest.expected.len(), 96);
    let channels: Vec<_> = manifest
        .channels
        .iter()
        .map(|c| (&*c.id, c.name.as_deref(), c.pixel_size_um))
        .collect();
    assert_eq!(
        channels,
        [
            ("C01", Some("BP445/45"), Some(0.325)),
            ("C02", Some("BP525/50"), Some(0.325))
        ]
    );
    // What is announced is what is seen, field by field, and each listed file exists.
    assert!(manifest.missing(names.iter().copied()).is_empty());
    assert!(
        manifest
            .expected
            .iter()
            .all(|p| dir.join(p.file_name.as_ref().unwrap()).is_file())
    );
    let facts = manifest.facts(names.iter().copied().skip(2));
    assert_eq!((facts.expected, facts.missing), (96, 2));
    let json = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
}

#[test]
fn yokogawa_errors_never_come_and_the_end_is_read() {
    let dir = folder();
    let path = write(dir.path(), "MeasurementData.mlf", MLF);
    let manifest = manifest::read(&path).unwrap();
    assert_eq!(planes(&manifest), ["AA03 2 C01 1 1", "A04 3 C12 5 2"]);
    // Without the measurement's detail nobody knows whether the list is whole.
    assert_eq!((manifest.finished, manifest.rows), (Some(false), None));
    let mrf = |end: &str| {
        format!(
            r#"<b:MeasurementDetail xmlns:b="x" b:Title="T" b:RowCount="32" b:ColumnCount="48" {end}><b:MeasurementChannel b:Ch="12" b:HorizontalPixelDimension="0.65"/></b:MeasurementDetail>"#
        )
    };
    write(dir.path(), "MeasurementDetail.mrf", mrf(""));
    assert_eq!(manifest::read(&path).unwrap().finished, Some(false));
    write(
        dir.path(),
        "MeasurementDetail.mrf",
        mrf(r#"b:EndTime="2023-09-18T13:59:15+02:00""#),
    );
    let manifest = manifest::read(&path).unwrap();
    assert_eq!(
        (
            manifest.finished,
            manifest.rows,
            manifest.plate_name.as_deref()
        ),
        (Some(true), Some(32), Some("T"))
    );
    assert_eq!(manifest.channels[1].pixel_size_um, Some(0.65));
}

#[test]
fn htd_gives_the_exact_planes() {
    let dir = folder();
    let read = |extra: &str| manifest::read(&write(dir.path(), "Plate 1.HTD", htd(extra)));
    let full = "\"Sites\", TRUE\r\n\"XSites\", 2\r\n\"YSites\", 2\r\n\"SiteSelection1\", TRUE, FALSE\r\n\"SiteSelection2\", TRUE, FALSE\r\n\
                \"Waves\", TRUE\r\n\"NWavelengths\", 2\r\n\"WaveName1\", \"DAPI\"\r\n\"WaveName2\", \"FITC\"";
    let manifest = read(full).unwrap();
    assert_eq!(manifest.plate_name.as_deref(), Some("Plate 1"));
    assert_eq!(
        (manifest.rows, manifest.columns, manifest.finished),
        (Some(2), Some(4), None)
    );
    assert_eq!(
        planes(&manifest),
        [
            "A02 1 w1 - -",
            "A02 1 w2 - -",
            "A02 2 w1 - -",
            "A02 2 w2 - -",
            "B04 1 w1 - -",
            "B04 1 w2 - -",
            "B04 2 w1 - -",
            "B04 2 w2 - -"
        ]
    );
    assert_eq!(manifest.channels[1].name.as_deref(), Some("FITC"));
    // One site without a selection, one channel without _w: names are P_A02.TIF.
    let single = read("\"Sites\", FALSE\r\n\"XSites\", 3\r\n\"YSites\", 3\r\n\"Waves\", FALSE\r\n\"NWavelengths\", 4").unwrap();
    assert_eq!(planes(&single), ["A02 1 w1 - -", "B04 1 w1 - -"]);
    let seen = [
        parse("imagexpress", "x/P_A02.TIF"),
        parse("imagexpress", "x/TimePoint_1/P_B04.TIF"),
    ];
    assert!(single.missing(&seen).is_empty());
    // Slices and timepoints, as the sub-folders number them.
    let stack = read("\"TimePoints\", 2\r\n\"ZSeries\", TRUE\r\n\"ZSteps\", 3\r\n\"ZProjection\", FALSE\r\n\"NWavelengths\", 1").unwrap();
    assert_eq!(stack.expected.len(), 2 * 2 * 3);
    let seen = [parse("imagexpress", "x/TimePoint_2/ZStep_3/P_A02.TIF")];
    assert_eq!(stack.missing(&seen).len(), 11);
    let projection =
        read("\"ZSeries\", TRUE\r\n\"ZSteps\", 3\r\n\"ZProjection\", TRUE\r\n\"NWavelengths\", 1")
            .unwrap();
    assert_eq!(planes(&projection), ["A02 1 w1 - -", "B04 1 w1 - -"]);
}

#[test]
fn operetta_lists_its_planes() {
    let dir = folder();
    let path = write(dir.path(), "Images/Index.idx.xml", INDEX);
    assert_eq!(manifest::find(dir.path()).unwrap().unwrap(), path);
    let manifest = manifest::read(&path).unwrap();
    assert_eq!(
        (
            manifest.plate_name.as_deref(),
            manifest.rows,
            manifest.columns
        ),
        (Some("P 7"), Some(16), Some(24))
    );
    // The plane without URL was not recorded.
    assert_eq!(planes(&manifest), ["A02 3 ch1 1 1", "P24 1 ch2 1 -"]);
    let channels: Vec<_> = manifest
        .channels
        .iter()
        .map(|c| (&*c.id, c.name.as_deref(), c.pixel_size_um))
        .collect();
    assert_eq!(
        channels,
        [
            ("ch1", Some("DAPI & co"), None),
            ("ch2", Some("GFP"), Some(0.325))
        ]
    );
    let seen = [parse("operetta", "p/Images/r01c02f03p01-ch1sk1fk1fl1.tiff")];
    assert_eq!(manifest.missing(&seen).len(), 1);
    let error = manifest::read(&write(
        dir.path(),
        "Images/Index.idx.xml",
        &INDEX[..INDEX.len() / 2],
    ))
    .unwrap_err();
    assert!(
        error.to_string().contains("Index.idx.xml") && error.class() == ErrorClass::Transient,
        "{error}"
    );
    let error = manifest::read(&write(dir.path(), "index.xml", "<html/>")).unwrap_err();
    assert!(error.to_string().contains("no Harmony index"), "{error}");
}

#[test]
fn incell_lists_its_planes() {
    let dir = folder();
    let path = write(dir.path(), "Screen 1.xdce", XDCE);
    assert_eq!(manifest::find(dir.path()).unwrap().as_deref(), Some(&*path));
    let manifest = manifest::read(&path).unwrap();
    assert_eq!(
        planes(&manifest),
        [
            "B02 1 UV - DAPI - -",
            "B02 1 UV - DAPI 2 -",
            "H12 4 UV - DAPI - -"
        ]
    );
    assert_eq!(
        (
            manifest.plate_name.as_deref(),
            manifest.rows,
            manifest.columns
        ),
        (Some("Screen 1"), Some(8), Some(12))
    );
    assert_eq!(manifest.channels.len(), 1);
    assert_eq!(manifest.channels[0].pixel_size_um, Some(0.325));
    let error = manifest::read(&write(dir.path(), "x.xdce", "<Image/>")).unwrap_err();
    assert!(error.to_string().contains("no IN Cell manifest"), "{error}");
}

#[test]
fn scanr_gives_wells_channels_and_planes_of_one_timepoint() {
    let dir = folder();
    let path = write(dir.path(), "experiment_descriptor.xml", scanr(""));
    assert_eq!(manifest::find(dir.path()).unwrap().as_deref(), Some(&*path));
    let manifest = manifest::read(&path).unwrap();
    assert_eq!(
        (
            manifest.plate_name.as_deref(),
            manifest.rows,
            manifest.columns
        ),
        (Some("Plätte"), Some(16), Some(24))
    );
    assert_eq!(manifest.channels.len(), 1);
    assert_eq!(
        (
            &*manifest.channels[0].id,
            manifest.channels[0].pixel_size_um
        ),
        ("DAPI", Some(0.645))
    );
    assert_eq!(manifest.expected.len(), 2 * 3 * 2);
    assert_eq!(
        planes(&manifest)[..3],
        ["B02 1 DAPI 0 -", "B02 1 DAPI 1 -", "B02 2 DAPI 0 -"]
    );
    assert_eq!(planes(&manifest)[11], "P24 3 DAPI 1 -");
    let seen = [
        parse(
            "scanr:24",
            "p/data/B2--W00026--P00001--Z00000--T00000--DAPI.tif",
        ),
        parse(
            "scanr:24",
            "p/data/--W00384--P00003--Z00001--T00000--DAPI.tif",
        ),
    ];
    assert_eq!(manifest.missing(&seen).len(), 10);
    // A time loop: the plate is described, its planes are not predicted.
    let timeloop = "<String><Name>timeloop real</Name><Val>5</Val></String>";
    let manifest = manifest::read(&write(
        dir.path(),
        "experiment_descriptor.xml",
        scanr(timeloop),
    ))
    .unwrap();
    assert_eq!((manifest.expected.len(), manifest.channels.len()), (0, 1));
    let error =
        manifest::read(&write(dir.path(), "experiment_descriptor.xml", "<a/>")).unwrap_err();
    assert!(error.to_string().contains("no ScanR experiment"), "{error}");
}

#[test]
fn pages_of_one_file_count_as_planes() {
    let dir = folder();
    let manifest = manifest::read(&write(dir.path(), "p.HTD", htd("\"NWavelengths\", 2"))).unwrap();
    let scheme = NamingScheme::regex(r"(?<well>[A-H]\d\d)_(?<channels>[^.]+)").unwrap();
    let Verdict::Image(name) = scheme.parse(Path::new("A02_w1,w2.tif")) else {
        panic!("not read");
    };
    assert_eq!(manifest.missing([&name]).len(), 2);
}
