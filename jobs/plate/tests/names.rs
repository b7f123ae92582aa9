//! Every preset on real names, regexes of users, and names that are nothing.
#![allow(clippy::unwrap_used)]

mod common;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::LazyLock;

use common::{line, parse};
use plate::{Error, NamingScheme, Verdict, presets};
use proptest::prelude::*;

#[test]
fn every_preset_reads_its_own_example_and_no_earlier_preset_does() {
    for (index, preset) in presets().iter().enumerate() {
        parse(preset.name, preset.example);
        for earlier in &presets()[..index] {
            let verdict = NamingScheme::preset(earlier.name)
                .unwrap()
                .parse(Path::new(preset.example));
            assert!(
                matches!(verdict, Verdict::Unmatched(_)),
                "{} reads the example of {}",
                earlier.name,
                preset.name
            );
        }
    }
}

/// Preset, path, and plate|acquisition|well|site|channels|z|t, one case a line.
const READ: &str = r#"batchlib => p1/WellC01_PointC01_0000_ChannelDAPI,WF_GFP,TRITC,WF_Cy5,DIA_Seq0216.tiff => -|p1|C01|0|DAPI+WF_GFP+TRITC+WF_Cy5+DIA|-|-
# The two defects of BatchLib: a channel that starts with a letter of "Channel", and row P.
batchlib => p/WellP01_PointP01_0003_ChannelCy5,DAPI_Seq0001.tiff => -|p|P01|3|Cy5+DAPI|-|-
batchlib => WellAA24_PointAA24_0012_Channelnel_Seq1.tif => -||AA24|12|nel|-|-
BatchLib => p/WellA1_PointA1_0000_ChannelDAPI_Seq0000.tiff => -|p|A01|0|DAPI|-|-
imagexpress => x/2023-02-21/1334/Projection-Mix_E07_s1_w1E94C24BD-45E4-450A-9919-257C714278F7.tif => Projection-Mix|x/2023-02-21/1334|E07|1|w1|-|-
imagexpress => x/1334/ZStep_1/Projection-Mix_E07_s2_w4F95A8A9F-0939-47C2-8D3E-F6E91AF0C4ED.tif => Projection-Mix|x/1334|E07|2|w4|1|-
imagexpress => x/TimePoint_2/ZStep_12/P_P24_s10_w12.TIF => P|x|P24|10|w12|12|2
imagexpress => x/ZStep_0/P_A01_s1_w1.TIF => P|x|A01|1|w1|-|-
# One channel: the GUID is glued to a site number that is not padded.
imagexpress => x/P_A01_s22A31C13E-8C4B-4E4D-9A77-0A0D5F0D4E2A.tif => P|x|A01|2|w1|-|-
imagexpress => x/P_A01_s122A31C13E-8C4B-4E4D-9A77-0A0D5F0D4E2A.tif => P|x|A01|12|w1|-|-
imagexpress => x/P_AB48_w2.tif => P|x|AB48|1|w2|-|-
imagexpress => x/P_A01_w23A31C13E-8C4B-4E4D-9A77-0A0D5F0D4E2A.tif => P|x|A01|1|w2|-|-
imagexpress => x/A01_B02_s1_w1_t7.tif => A01|x|B02|1|w1|-|7
imagexpress => x/P_C05.tif => P|x|C05|1|w1|-|-
yokogawa => m/CV8000-Minimal_D08_T0001F002L01A01Z04C01.tif => CV8000-Minimal|m|D08|2|C01|4|1
yokogawa => m/my_plate_AF48_T0010F123L01A02Z12C04.tif => my_plate|m|AF48|123|C04|12|10
operetta => m/Images/r01c01f01p01-ch1sk1fk1fl1.tiff => -|m|A01|1|ch1|1|1
operetta => m/Images/r16c24f101p12-ch10sk3fk1fl1.tiff => -|m|P24|101|ch10|12|3
operetta => Images/r32c48f01p01-ch1.tiff => -||AF48|1|ch1|1|-
scanr => p/data/A1--W00001--P00001--Z00000--T00000--DAPI.tif => -|p|A01|1|DAPI|0|0
scanr => p/data/--W00014--P00002--Z00003--T00001--nucleus-dapi.tif => -|p|B02|2|nucleus-dapi|3|1
scanr:24 => p/data/--W00026--P00001--Z00000--T00000--dapi.tif => -|p|B02|1|dapi|0|0
# The well's name wins over its number, whose meaning depends on the plate.
scanr => p/data/B2--W00026--P00001--Z00000--T00000--dapi.tif => -|p|B02|1|dapi|0|0
scanr => p/C5--W00053--P00001--Z00000--T00000--Alexa 647.tif => -|p|C05|1|Alexa 647|0|0
# A label that is no well, or not the well of that number, is the plate's name.
scanr => p/ATR2_24h--W00044--P00021--Z00000--T00000--DAPI.tif => ATR2_24h|p|D08|21|DAPI|0|0
scanr => p/P1--W00002--P00001--Z00000--T00000--DAPI.tif => P1|p|A02|1|DAPI|0|0
almf => p/EMBO_course_2012_Plate_son_batch05_01--s449--PLK1--W0081--P001--T00000--Z000--C01.ome.tif => EMBO_course_2012_Plate_son_batch05_01|p|G09|1|C01|0|0
almf => EMBO_2012_Group3--empty--empty--W0002--P001--T00000--Z000--C.tif => EMBO_2012_Group3||A02|1|C|0|0
almf => p/--W0001--P001--T00001--Z000--C01.tif => -|p|A01|1|C01|0|1
almf:24 => p/x--W0025--P001--T0001--Z000--C01.tif => x|p|B01|1|C01|0|1
incell => p/A - 01(fld 01 wv DAPI - DAPI).tif => -|p|A01|1|DAPI - DAPI|-|-
incell => p/A - 1(fld 1 wv UV - DAPI z 3).tif => -|p|A01|1|UV - DAPI|3|-
incell => p/Plate1_HA41_B - 01(fld 12 wv 390 - Blue).tif => Plate1_HA41|p|B01|12|390 - Blue|-|-
incell => p/B - 02(fld 01 wv Blue - FITC - time 01 - 0 ms).tif => -|p|B02|1|Blue - FITC|-|1
incell => p/B - 4(fld 1 wv Cy5 - Cy5- time 12 - 360000 ms).tif => -|p|B04|1|Cy5 - Cy5|-|12
incell => p/P - 22(fld 4 wv TL-Phase Contrast - Cy3 wix 1).tif => -|p|P22|4|TL-Phase Contrast - Cy3 wix 1|-|-
incell => F - 001(fld 01 wv TL-Brightfield - DAPI).tif => -||F01|1|TL-Brightfield - DAPI|-|-
cellprofiler-sbs => p/images/Channel2-12-A-12.tif => -|p|A12|1|Channel2|-|-
cellomics => p/AS_09125_050116030001_D03f00d0.tif => AS_09125_050116030001|p|D03|0|d0|-|-
cytation => p/B7_01_1_3_DAPI_001.tif => -|p|B07|3|DAPI|-|1
cytation => p/H12_01_3_1_RFP_012.tif => -|p|H12|1|RFP|-|12
well-site-channel => p/a01_s2_WF_GFP_z3_t4.tif => -|p|A01|2|WF_GFP|3|4
well-site-channel => p/Plate 1_B7_2_DAPI.PNG => Plate 1|p|B07|2|DAPI|-|-
"#;

#[test]
fn presets_read_names() {
    let cases: Vec<&str> = READ.lines().filter(|case| !case.starts_with('#')).collect();
    assert_eq!(cases.len(), 43);
    for case in cases {
        let parts: Vec<&str> = case.split(" => ").collect();
        assert_eq!(line(&parse(parts[0], parts[1])), parts[2], "{case}");
    }
}

#[test]
fn names_that_do_not_fit_say_why() {
    for (preset, path, why) in [
        (
            "batchlib",
            "WellA01_PointA02_0000_ChannelDAPI_Seq0000.tiff",
            "says both well A01 and well A02",
        ),
        (
            "batchlib",
            "WellA01_PointA01_0000_ChannelDAPI,,x_Seq0000.tiff",
            "empty name",
        ),
        (
            "batchlib",
            "WellA01_PointA01_0000_ChannelDAPI,DAPI_Seq0000.tiff",
            "DAPI twice",
        ),
        (
            "batchlib",
            "WellA00_PointA00_0000_ChannelDAPI_Seq0000.tiff",
            "column must be 1 to 999",
        ),
        ("batchlib", "x.tif", "is not like Well"),
        (
            "imagexpress",
            "P_E07_s99999999999_w1.tif",
            "site `99999999999` is not a number below",
        ),
        (
            "scanr",
            "--W00000--P00001--Z00000--T00000--DAPI.tif",
            "numbers start at 1",
        ),
        (
            "operetta",
            "r00c01f01p01-ch1sk1fk1fl1.tiff",
            "row 00 is not on any plate",
        ),
        (
            "cytation",
            "masks/B7_01_1_3_DAPI_001_MaskNuclei.tiff",
            "is not like D7",
        ),
        (
            "well-site-channel",
            "masks/B7_01_1_3_DAPI_001_MaskNuclei.tiff",
            "is not like Plate1",
        ),
    ] {
        match NamingScheme::preset(preset).unwrap().parse(Path::new(path)) {
            Verdict::Unmatched(reason) => assert!(reason.contains(why), "{path}: {reason}"),
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[test]
fn other_files_are_ignored_by_a_named_rule() {
    for (preset, path, rule) in [
        (
            "imagexpress",
            "x/P_E07_s1_w1_thumb4BFD4018-E675-475E-B5AB-2E959E6B6DA1.tif",
            "*_thumb* (thumbnail)",
        ),
        ("imagexpress", "x/P.HTD", "not an image file"),
        (
            "yokogawa",
            "m/DC_DCAM#1_CAM3.tif",
            "DC_* (Yokogawa dark current correction)",
        ),
        (
            "yokogawa",
            "m/SC_BP445-45_20x v2_M01_CH01.tif",
            "SC_* (Yokogawa shading correction)",
        ),
        ("yokogawa", "m/MeasurementData.mlf", "not an image file"),
        (
            "batchlib",
            "p/.WellA01_PointA01_0000_ChannelDAPI_Seq0000.tiff",
            ".* (hidden file or folder)",
        ),
        (
            "batchlib",
            "p/WellA01_PointA01_0000_ChannelDAPI_Seq0000.tiff.filepart",
            "*.filepart (being copied by WinSCP)",
        ),
    ] {
        assert_eq!(
            NamingScheme::preset(preset).unwrap().parse(Path::new(path)),
            Verdict::Ignored(rule),
            "{path}"
        );
    }
    // Corrections are ignored by Yokogawa's preset only.
    let other = NamingScheme::preset("batchlib")
        .unwrap()
        .parse(Path::new("DC_DCAM#1_CAM3.tif"));
    assert!(matches!(other, Verdict::Unmatched(_)));
}

#[test]
fn regexes_of_users() {
    for (pattern, path, expected) in [
        (
            r"^(?<plate>\w+)-(?<well>[A-P]\d+)-(?<site>\d+)-(?<channel>\w+)-z(?<z>\d+)-t(?<t>\d+)\.tif$",
            "a/p1-b3-2-gfp-z1-t0.tif",
            "",
        ),
        (
            r"^(?<plate>\w+)-(?<well>[a-p]\d+)-(?<site>\d+)-(?<channel>\w+)-z(?<z>\d+)-t(?<t>\d+)\.tif$",
            "a/p1-b3-2-gfp-z1-t0.tif",
            "p1|a|B03|2|gfp|1|0",
        ),
        (
            r"r(?P<row>\d+)c(?P<column>\d+)",
            "a/xr27c03.tif",
            "-|a|AA03|1|image|-|-",
        ),
        (
            r"(?<row>[A-Z]+)-(?<col>\d+)_(?<channels>[^.]+)",
            "C-7_a,b.tif",
            "-||C07|1|a+b|-|-",
        ),
        (
            r"(?<plate>[^/]+)/(?<well>[A-H]\d\d)/f(?<site>\d)\.png$",
            "x/P9/D04/f3.png",
            "P9|x/P9/D04|D04|3|image|-|-",
        ),
        (
            r"(?<well>[A-H]\d\d)(_s(?<site>\d+))?",
            "D04.png",
            "-||D04|1|image|-|-",
        ),
    ] {
        let scheme = NamingScheme::from_config(pattern).unwrap();
        assert_eq!(scheme.text(), pattern);
        match scheme.parse(Path::new(path)) {
            Verdict::Image(name) => assert_eq!(line(&name), expected, "{pattern}"),
            other => assert!(
                expected.is_empty() && matches!(other, Verdict::Unmatched(_)),
                "{pattern}: {other:?}"
            ),
        }
    }
}

#[test]
fn configuration_errors_help() {
    for (text, part) in [
        ("bachlib", "did you mean `batchlib`?"),
        ("ImageExpress", "did you mean `imagexpress`?"),
        ("qqq", "the presets are batchlib, imagexpress"),
        ("", "the presets are"),
        ("scanr:0", "1 to 999"),
        ("scanr:x", "1 to 999"),
        ("batchlib:12", "takes no number of columns"),
        ("(", "unclosed group"),
        (r"(?<site>\d+)", "no group `well`"),
        (r"(?<row>\d+)", "no group `well`"),
        (r"(?<well>\w+)_(?<chanel>\w+)", "did you mean `channel`?"),
        (r"(?<well>\w+)(?<channel>x)(?<channels>y)", "both `channel`"),
        (r"(?<well>\w{1000}{1000}{1000})", "size limit"),
    ] {
        let error = NamingScheme::from_config(text).unwrap_err();
        assert!(error.to_string().contains(part), "{text}: {error}");
        assert!(!error.remedy().is_empty());
        let preset_like = !text.contains(['(', '?']);
        assert_eq!(
            matches!(error, Error::UnknownPreset { .. }),
            preset_like && !text.contains(':'),
            "{text}"
        );
    }
}

#[test]
fn the_plate_is_named_by_the_file_or_by_its_folder() {
    assert_eq!(
        parse(
            "operetta",
            "a/Plate 7/Images/r01c01f01p01-ch1sk1fk1fl1.tiff"
        )
        .plate_name()
        .as_deref(),
        Some("Plate 7")
    );
    assert_eq!(
        parse("cellomics", "a/AS_1_D03f00d0.tif")
            .plate_name()
            .as_deref(),
        Some("AS_1")
    );
    assert_eq!(
        parse("cytation", "B7_01_1_3_DAPI_001.tif").plate_name(),
        None
    );
}

#[test]
fn names_that_are_not_utf8_keep_their_path() {
    let path = Path::new(OsStr::from_bytes(
        b"pl\xffte/WellB02_PointB02_0001_ChannelDA\xfeI_Seq0001.tiff",
    ));
    let Verdict::Image(name) = NamingScheme::preset("batchlib").unwrap().parse(path) else {
        panic!("not read");
    };
    assert_eq!(name.acquisition.as_os_str().as_bytes(), b"pl\xffte");
    assert_eq!(name.channels, ["DA\u{fffd}I"]);
    assert_eq!(name.plate_name().as_deref(), Some("pl\u{fffd}te"));
    let json = serde_json::to_string(&name).unwrap();
    assert_eq!(
        serde_json::from_str::<plate::ParsedName>(&json).unwrap(),
        name
    );
}

/// All presets, compiled once.
fn schemes() -> &'static [NamingScheme] {
    static SCHEMES: LazyLock<Vec<NamingScheme>> = LazyLock::new(|| {
        presets()
            .iter()
            .map(|preset| NamingScheme::preset(preset.name).unwrap())
            .collect()
    });
    &SCHEMES
}

fn read(preset: &str, path: &str) -> plate::ParsedName {
    let scheme = schemes()
        .iter()
        .find(|scheme| scheme.text() == preset)
        .unwrap();
    match scheme.parse(Path::new(path)) {
        Verdict::Image(name) => name,
        other => panic!("{path}: {other:?}"),
    }
}

/// Names that are nearly names of an instrument: pieces of real ones in any order, with any bytes between them.
fn near_names() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(
            &[
                "Well",
                "Point",
                "A01",
                "P24",
                "AA7",
                "_0000_",
                "Channel",
                ",",
                "_Seq",
                ".tif",
                "_s1",
                "_w1",
                "--W00001",
                "--P001",
                "r01c99999",
                "Images/",
                "ZStep_9999999999/",
                "TimePoint_1/",
                "..",
                "/",
                "(fld ",
                " wv ",
                " - ",
                "T0001F001L01A01Z01C01"
            ][..]
        )
        .prop_map(|text: &str| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn no_name_panics(bytes in near_names()) {
        let path = Path::new(OsStr::from_bytes(&bytes));
        for scheme in schemes() {
            if let Verdict::Image(name) = scheme.parse(path) {
                prop_assert!(!name.channels.is_empty());
                prop_assert!(name.acquisition.as_os_str().len() <= bytes.len());
            }
        }
    }

    /// What an instrument writes is read back, whatever the well, site and channels are.
    #[test]
    fn names_round_trip(row in 0u16..702, column in 1u16..=999, site in 0u32..10_000, channels in prop::collection::vec("[A-Za-z][A-Za-z0-9_]{0,8}", 1..5)) {
        let mut channels = channels;
        channels.sort();
        channels.dedup();
        let well = plate::WellName::from_row_column(row, column).unwrap();
        let path = format!("p/Well{well}_Point{well}_{site:04}_Channel{}_Seq0000.tiff", channels.join(","));
        let name = read("batchlib", &path);
        prop_assert_eq!((name.well, name.site, name.channels), (well, site, channels));
        let name = read("imagexpress", &format!("p/x_{well}_s{site}_w3.TIF"));
        prop_assert_eq!((name.well, name.site), (well, site));
    }
}
