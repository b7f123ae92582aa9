//! Tables as files, with shapes that go wrong.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::Path;

use image_io::container::{ContainerWriter, VisibleType};
use image_io::table::{Column, Table};
use parquet::file::reader::{FileReader, SerializedFileReader};
use report::export::{
    Format, ObjectSite, ObjectTables, Options, PlateFolder, export_folder, write_objects,
    write_table,
};
use report::{Error, ErrorClass};

fn options(formats: &[Format]) -> Options {
    Options {
        formats: formats.to_vec(),
        decimals: None,
    }
}

fn odd() -> Table {
    let texts = ["plain", "a,b", "say \"x\"", "two\nlines", "=1+1\té"];
    Table {
        columns: vec![
            Column::text("text", texts.map(str::to_owned).to_vec()),
            Column::int("count", vec![1, -2, 0, i64::MAX, 4]),
            Column::float("value", vec![0.1, f64::NAN, 1e-300, f64::INFINITY, -2.0]),
            Column::float("text", vec![1.0, 2.0, 3.0, 4.0, 5.0]),
        ],
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn csv_keeps_odd_text_and_empty_cells() {
    let folder = tempfile::tempdir().unwrap();
    let formats = [Format::Csv, Format::Tsv, Format::Csv];
    let files = write_table(folder.path(), "t", &odd(), &options(&formats)).unwrap();
    assert_eq!(files.len(), 2, "a format named twice is written once");
    for (file, delimiter) in [("t.csv", b','), ("t.tsv", b'\t')] {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .from_path(folder.path().join(file))
            .unwrap();
        assert_eq!(
            reader.headers().unwrap(),
            vec!["text", "count", "value", "text"]
        );
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows[0], vec!["plain", "1", "0.1", "1.0"]);
        assert_eq!(rows[1], vec!["a,b", "-2", "", "2.0"]);
        assert_eq!(rows[2], vec!["say \"x\"", "0", "1e-300", "3.0"]);
        assert_eq!(
            rows[3],
            vec!["two\nlines", "9223372036854775807", "inf", "4.0"]
        );
        assert_eq!(rows[4], vec!["=1+1\té", "4", "-2.0", "5.0"]);
    }
    assert_eq!(names(folder.path()), ["t.csv", "t.tsv"]);
}

#[test]
fn parquet_has_types_and_nulls() {
    let folder = tempfile::tempdir().unwrap();
    write_table(folder.path(), "t", &odd(), &options(&[Format::Parquet])).unwrap();
    let file = std::fs::File::open(folder.path().join("t.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let columns: Vec<String> = schema
        .columns()
        .iter()
        .map(|c| format!("{} {}", c.name(), c.physical_type()))
        .collect();
    assert_eq!(
        columns,
        [
            "text BYTE_ARRAY",
            "count INT64",
            "value DOUBLE",
            "text.1 DOUBLE"
        ]
    );
    let rows: Vec<String> = reader
        .get_row_iter(None)
        .unwrap()
        .map(|r| r.unwrap().to_string())
        .collect();
    assert_eq!(rows.len(), 5);
    assert!(rows[1].contains("value: null"), "{}", rows[1]);
    assert!(rows[3].contains("9223372036854775807"), "{}", rows[3]);
}

#[test]
fn tables_without_rows_or_columns() {
    let folder = tempfile::tempdir().unwrap();
    let empty = Table {
        columns: vec![Column::int("a", vec![])],
    };
    let files = write_table(folder.path(), "empty", &empty, &options(&Format::ALL)).unwrap();
    assert_eq!(files.len(), 4);
    assert_eq!(std::fs::read_to_string(&files[0]).unwrap(), "a\n");
}

/// Image sets with a table of so many rows each; some have none, some cannot be read.
struct Made {
    sites: Vec<ObjectSite>,
    rows: usize,
    broken: Option<ErrorClass>,
}

impl Made {
    fn new(sites: usize, rows: usize) -> Self {
        let site = |i: usize| ObjectSite {
            well: "A01".to_owned(),
            site: format!("A01-{i:04}"),
        };
        Self {
            sites: (0..sites).map(site).collect(),
            rows,
            broken: None,
        }
    }
}

impl ObjectTables for Made {
    fn sites(&self) -> &[ObjectSite] {
        &self.sites
    }

    fn read(&self, site: usize, table: &str) -> Result<Option<Table>, Error> {
        match (site, self.broken) {
            (1, Some(ErrorClass::Permanent)) => {
                return Err(Error::File(image_io::Error::Damaged {
                    path: "b.h5".into(),
                    reason: "cut".to_owned(),
                }));
            }
            (1, Some(_)) => {
                return Err(Error::File(image_io::Error::Io {
                    path: "b.h5".into(),
                    action: "read",
                    source: std::io::ErrorKind::StorageFull.into(),
                }));
            }
            _ => {}
        }
        if site == 2 {
            return Ok(None);
        }
        let labels: Vec<i64> = (0..self.rows as i64).collect();
        let number = |l: &i64| *l as f64 + 0.25;
        Ok(match table {
            "cells/properties" => Some(Table {
                columns: vec![
                    Column::int("label_id", labels.iter().rev().copied().collect()),
                    Column::float("anchor_y", labels.iter().rev().map(number).collect()),
                    Column::float(
                        "anchor_x",
                        labels.iter().rev().map(|l| -number(l)).collect(),
                    ),
                ],
            }),
            // The first image set has whole numbers only, and a column of its own.
            "cells/x" if site == 0 => Some(Table {
                columns: vec![
                    Column::int("label_id", labels.clone()),
                    Column::int("v", labels),
                    Column::text("own", vec!["only here".to_owned(); self.rows]),
                ],
            }),
            "cells/x" => Some(Table {
                columns: vec![
                    Column::int("label_id", labels.clone()),
                    Column::float("v", labels.iter().map(number).collect()),
                ],
            }),
            _ => None,
        })
    }
}

#[test]
fn object_tables_of_a_plate_are_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut source = Made::new(4, 3);
    source.broken = Some(ErrorClass::Permanent);
    let how = options(&[Format::Csv, Format::Parquet]);
    let written = write_objects(folder.path(), "o", "p", "cells/x", &source, &how).unwrap();
    assert_eq!(written.rows, 6);
    let left_out: Vec<&str> = written.left_out.iter().map(|l| l.0.as_str()).collect();
    assert_eq!(left_out, ["A01-0001", "A01-0002"]);
    let text = std::fs::read_to_string(folder.path().join("o.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "plate_name,well_name,site_name,anchor_x,anchor_y,label_id,v,own"
    );
    assert_eq!(lines[1], "p,A01,A01-0000,-0.25,0.25,0,0.0,only here");
    assert_eq!(lines[6], "p,A01,A01-0003,-2.25,2.25,2,2.25,");
}

#[test]
fn a_full_disk_is_no_reason_to_leave_an_image_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut source = Made::new(3, 3);
    source.broken = Some(ErrorClass::Environment);
    let how = options(&Format::ALL);
    let error = write_objects(folder.path(), "o", "p", "cells/x", &source, &how).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Environment);
    let error = write_objects(folder.path(), "o", "p", "cells/y", &Made::new(3, 3), &how);
    assert!(matches!(error.unwrap_err(), Error::NoTable { .. }));
    assert!(names(folder.path()).is_empty(), "nothing is left behind");
}

#[test]
fn a_sheet_has_a_million_rows_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let long = Table {
        columns: vec![Column::int("a", vec![7; 1_048_576])],
    };
    let how = options(&[Format::Xlsx, Format::Parquet]);
    let error = write_table(folder.path(), "long", &long, &how).unwrap_err();
    let text = format!("{error}; {}", error.remedy());
    assert!(
        text.contains("1048576 rows") && text.contains("csv or parquet"),
        "{text}"
    );
    assert_eq!(error.class(), ErrorClass::Permanent);
    assert_eq!(
        names(folder.path()),
        ["long.parquet"],
        "what fits is written"
    );
    let file = std::fs::File::open(folder.path().join("long.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 1_048_576);
    assert!(reader.num_row_groups() >= 16);
}

#[test]
fn containers_of_both_formats_and_odd_names() {
    let folder = tempfile::tempdir().unwrap();
    let plate = folder.path().join("p1");
    std::fs::create_dir(&plate).unwrap();
    let put = |name: &str, rows: i64| {
        let table = Table {
            columns: vec![Column::int("label_id", (1..=rows).collect())],
        };
        let path = plate.join(name);
        let mut writer = ContainerWriter::create(&path, None).unwrap();
        writer.add_table("cells", &table, VisibleType::U8).unwrap();
        writer.commit().unwrap();
        path
    };
    let old = put("WellA01_PointA01_0001_T0001.h5", 1);
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    let file = std::fs::File::options().write(true).open(old).unwrap();
    file.set_modified(long_ago).unwrap();
    put("WellA01_PointA01_0001_T0001.n5", 2);
    put("WellAF48_PointAF48_0002_T0001.h5", 1);
    put("strange name.h5", 1);
    std::fs::write(plate.join("cut.h5"), b"\x89HDF").unwrap();
    std::fs::write(plate.join(".hidden.h5"), b"x").unwrap();
    let found = PlateFolder::open(&plate).unwrap();
    let how = options(&[Format::Csv]);
    let exported = export_folder(&found, folder.path(), &[], &how).unwrap();
    let text = std::fs::read_to_string(&exported.files[0]).unwrap();
    assert_eq!(
        text,
        "plate_name,well_name,site_name,anchor_x,anchor_y,label_id\n\
         p1,A01,A01-0001-T0001,,,1\np1,A01,A01-0001-T0001,,,2\np1,AF48,AF48-0002-T0001,,,1\np1,,strange name,,,1\n"
    );
    assert!(exported.left_out.iter().any(|(_, image, _)| image == "cut"));
    let error = PlateFolder::open(folder.path()).unwrap_err();
    assert!(matches!(error, Error::NoPlate { .. }), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = write_table(
        Path::new("/no/such/folder"),
        "t",
        &odd(),
        &options(&[Format::Xlsx]),
    )
    .unwrap_err();
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
    assert_eq!(error.class(), ErrorClass::Environment);
}
