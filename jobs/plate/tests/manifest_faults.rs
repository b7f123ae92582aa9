//! Manifests that are half written, hostile, too large, or in the wrong place.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::samples::{INDEX, MLF, XDCE, folder, htd, scanr, write};
use plate::{Error, ErrorClass, manifest};
use proptest::prelude::*;

#[test]
fn a_half_written_or_hostile_htd_is_an_error_with_the_file() {
    let dir = folder();
    for (content, part) in [
        ("", "XWells 0"),
        ("\"XWells\", 24\n", "YWells 0"),
        ("\"XWells\", many\n", "`many`, not a number"),
        ("\"XWells\", 24\n\"YWells\", 9999\n", "YWells 9999"),
        (
            "\"XWells\", 1\n\"YWells\", 1\n\"WellsSelection1\", TRUE\n\"NWavelengths\", 1000\n\"ZSteps\", 99999\n",
            "announces 99999000 images",
        ),
        (
            "\"XWells\", 1\n\"YWells\", 1\n\"XSites\", 4294967295\n\"YSites\", 2\n",
            "sites in a well",
        ),
        (
            "\"XWells\", 1\n\"YWells\", 1\n\"TimePoints\", 4294967295\n",
            "TimePoints is",
        ),
    ] {
        let error = manifest::read(&write(dir.path(), "p.HTD", content)).unwrap_err();
        assert!(
            error.to_string().contains(part) && error.to_string().contains("p.HTD"),
            "{error}"
        );
        assert_eq!(error.class(), ErrorClass::Transient);
    }
}

#[test]
fn manifests_are_found_by_their_names() {
    let dir = folder();
    assert_eq!(manifest::find(dir.path()).unwrap(), None);
    write(dir.path(), "._MeasurementData.mlf", "");
    write(dir.path(), "plate.wpi", "");
    assert_eq!(manifest::find(dir.path()).unwrap(), None);
    write(dir.path(), "INDEX.XML", "");
    write(dir.path(), "index.ref.xml", "");
    assert!(
        manifest::find(dir.path())
            .unwrap()
            .unwrap()
            .ends_with("index.ref.xml")
    );
    write(dir.path(), "index.IDX.xml", "");
    assert!(
        manifest::find(dir.path())
            .unwrap()
            .unwrap()
            .ends_with("index.IDX.xml")
    );
    let two = folder();
    write(two.path(), "a.HTD", "");
    write(two.path(), "b.htd", "");
    let error = manifest::find(two.path()).unwrap_err();
    assert!(error.to_string().contains("a.HTD, b.htd"), "{error}");
    assert!(matches!(
        manifest::find(&two.path().join("none")),
        Err(Error::Io { .. })
    ));
    assert!(matches!(
        manifest::read(&two.path().join("x.xml")),
        Err(Error::NotAManifest { .. })
    ));
    let error = manifest::read(&two.path().join("gone.HTD")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("gone.HTD"));
}

#[test]
fn a_manifest_that_is_too_large_is_not_read() {
    let dir = folder();
    let path = dir.path().join("MeasurementData.mlf");
    // Sparse: it takes no room on the disk.
    fs::File::create(&path)
        .unwrap()
        .set_len((256 << 20) + 1)
        .unwrap();
    let error = manifest::read(&path).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                bytes: 268_435_457,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.class(), ErrorClass::Permanent);
}

/// Opening a pipe waits for its writer for ever, a link leads out of the folder, a device never ends.
#[test]
fn only_plain_files_are_manifests_and_mappings() {
    let dir = folder();
    let secret = write(dir.path(), "secret", htd("\"NWavelengths\", 1"));
    for (name, target) in [
        ("a.HTD", secret.as_path()),
        ("b.HTD", std::path::Path::new("/dev/zero")),
    ] {
        let path = dir.path().join(name);
        std::os::unix::fs::symlink(target, &path).unwrap();
        let error = manifest::read(&path).unwrap_err();
        assert!(
            error.to_string().contains(name) && error.to_string().contains("link"),
            "{error}"
        );
        assert_eq!(error.class(), ErrorClass::Permanent);
        assert!(error.remedy().contains("the file itself"));
    }
    for name in [
        "MeasurementData.mlf",
        "p.HTD",
        "Index.idx.xml",
        "p.xdce",
        plate::channel_mapping::FILE_NAME,
    ] {
        let path = dir.path().join(name);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        let error = if name.ends_with("json") {
            plate::ChannelMapping::read(dir.path()).unwrap_err()
        } else {
            manifest::read(&path).unwrap_err()
        };
        assert!(error.to_string().contains("a named pipe"), "{error}");
        assert_eq!(error.class(), ErrorClass::Permanent);
    }
}

/// Small files that would cost minutes or gigabytes if they were believed.
#[test]
fn manifests_that_announce_too_much_are_not_believed() {
    let dir = folder();
    let begin = std::time::Instant::now();
    let records: String = (0..200_000)
        .map(|i| format!("<Channel>{i}</Channel><Name>name</Name><Val>c{i}</Val>"))
        .collect();
    let images: String = (0..100_000)
        .map(|i| format!("<Image><ChannelID>{i}</ChannelID><URL>r01c01f01p01-ch{i}sk1fk1fl1.tiff</URL></Image>"))
        .collect();
    let waves: String = (0..100_000)
        .map(|i| format!("<Image filename='A - 01(fld 1 wv c{i} - d{i}).tif'/>"))
        .collect();
    let channels: String = (0..100_000).map(|i| format!("<MeasurementRecord Type='IMG' Row='1' Column='1' FieldIndex='1' Ch='{i}'>x.tif</MeasurementRecord>")).collect();
    for (name, text) in [
        ("experiment_descriptor.xml", format!("<a>{records}</a>")),
        ("Index.idx.xml", format!("<a>{images}</a>")),
        ("p.xdce", format!("<a>{waves}</a>")),
        (
            "MeasurementData.mlf",
            format!("<MeasurementData>{channels}</MeasurementData>"),
        ),
        ("p.HTD", "\"XWells\", 24\n".repeat(1 << 19)),
    ] {
        let error = manifest::read(&write(dir.path(), name, text)).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains(name) && (said.contains("channels") || said.contains("bytes")),
            "{said}"
        );
    }
    let many = (0..5000)
        .map(|i| format!("\"c{i}\":null"))
        .collect::<Vec<_>>()
        .join(",");
    write(
        dir.path(),
        plate::channel_mapping::FILE_NAME,
        format!("{{{many}}}"),
    );
    let error = plate::ChannelMapping::read(dir.path()).unwrap_err();
    assert!(
        error.to_string().contains("more than 1000 channels"),
        "{error}"
    );
    assert!(begin.elapsed().as_secs() < 120, "{:?}", begin.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Whatever the bytes are: a manifest or an error that names the file, never a panic.
    #[test]
    fn damaged_manifests_never_panic(which in 0usize..5, cut in 0.0f64..1.0, keep: bool, damage in prop::collection::vec((0.0f64..1.0, any::<u8>()), 0..6)) {
        let full = "\"NWavelengths\", 2\r\n\"ZSteps\", 3\r\n\"TimePoints\", 2\r\n\"XSites\", 2\r\n\"YSites\", 2\r\n\"SiteSelection1\", TRUE, TRUE";
        let (name, mut bytes) = match which {
            0 => ("MeasurementData.mlf", MLF.as_bytes().to_vec()),
            1 => ("p.HTD", htd(full).into_bytes()),
            2 => ("Index.idx.xml", INDEX.as_bytes().to_vec()),
            3 => ("p.xdce", XDCE.as_bytes().to_vec()),
            _ => ("experiment_descriptor.xml", scanr("")),
        };
        let at = |part: f64, length: usize| ((part * length as f64) as usize).min(length - 1);
        for (place, byte) in damage {
            let index = at(place, bytes.len());
            // Mostly digits: numbers that are wrong reach further than broken XML.
            bytes[index] = if bytes[index].is_ascii_digit() { b'0' + byte % 10 } else { byte };
        }
        if !keep {
            bytes.truncate(at(cut, bytes.len()));
        }
        let dir = folder();
        let path = write(dir.path(), name, &bytes);
        match manifest::read(&path) {
            Ok(manifest) => prop_assert_eq!(manifest.missing([]).len(), manifest.expected.len()),
            Err(error) => prop_assert!(error.to_string().contains(name), "{}", error),
        }
    }
}
