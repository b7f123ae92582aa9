//! When a plate is complete, by which rule, and what happens to what comes late.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use black_box::binary::json;
use black_box::daemon::{Daemon, Start};
use black_box::tiny::{NAMING, ONE_JOB, WITH_PLATE_TABLE, image, name};
use serde_json::Value;

fn write(folder: &Path, index: usize) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name(index)), image(32, index as u64).unwrap()).unwrap();
}

fn plate(daemon: &Daemon) -> Value {
    let page: Value = serde_json::from_str(&daemon.try_get("/api/v1/plates").unwrap_or_default())
        .unwrap_or_default();
    page["items"][0].clone()
}

/// States that a plate came to, in order.
fn states(daemon: &Daemon) -> Vec<String> {
    let state = |event: &Value| event["data"]["to"].as_str().map(str::to_owned);
    daemon
        .events("plate.state")
        .iter()
        .filter_map(state)
        .collect()
}

/// Attempts of every task, by subject and job.
fn attempts(daemon: &Daemon) -> BTreeMap<(String, String), usize> {
    let tasks = daemon.get("/api/v1/tasks?limit=1000");
    let mut out = BTreeMap::new();
    for task in tasks["items"].as_array().unwrap() {
        let attempts = daemon.get(&format!("/api/v1/tasks/{}/attempts", task["id"]));
        let number = attempts["items"].as_array().unwrap().len();
        let word = |key: &str| task[key].as_str().unwrap().to_owned();
        out.insert((word("subject_name"), word("job")), number);
    }
    out
}

fn images_in_table(daemon: &Daemon) -> usize {
    let file = daemon.folder("results").join("plate/P/P_table.hdf5");
    let arguments = [
        "inspect",
        "--json",
        "--table",
        "images/default",
        file.to_str().unwrap(),
    ];
    let output = daemon.client(arguments);
    if !output.status.success() {
        return 0;
    }
    json(&output)["rows"].as_array().map_or(0, Vec::len)
}

/// The sentinel is there from the first moment: every image must be in the one table nevertheless.
#[test]
fn a_plate_moved_in_whole_is_completed_once_with_all_its_images() {
    let lines = format!("{NAMING}\nplate_complete = [\"sentinel:FINISHED\"]");
    let mut daemon = Daemon::start_with(&Start {
        root_lines: &lines,
        ..Start::new(WITH_PLATE_TABLE)
    });
    let fill = |name: &str| {
        let aside = daemon.folder(name);
        (0..150).for_each(|i| write(&aside, i));
        fs::write(aside.join("FINISHED"), "x").unwrap();
        aside
    };
    let (first, second) = (fill("first"), fill("second"));
    let folder = daemon.folder("drop").join("plate");
    fs::rename(first, &folder).unwrap();
    daemon.wait_for_plates(1, "done");
    assert_eq!(states(&daemon), ["complete", "done"]);
    assert_eq!(images_in_table(&daemon), 150);
    // The same for what comes while the daemon is down.
    assert!(daemon.terminate(), "{}", daemon.log());
    fs::rename(second, daemon.folder("drop").join("plate-2")).unwrap();
    daemon.launch();
    daemon.wait_for_plates(2, "done");
    assert_eq!(states(&daemon), ["complete", "done", "complete", "done"]);
    let seen = daemon.get("/api/v1/plates");
    assert!(
        seen["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|p| p["image_sets"]["seen"] == 150),
        "{seen}"
    );
}

#[test]
fn a_late_file_makes_the_plate_stale_and_only_its_own_work_runs_again() {
    let lines = format!("{NAMING}\nplate_complete = [\"sentinel:FINISHED\"]");
    let daemon = Daemon::start_with(&Start {
        root_lines: &lines,
        ..Start::new(WITH_PLATE_TABLE)
    });
    let folder = daemon.folder("drop").join("plate");
    (0..4).for_each(|i| write(&folder, i));
    fs::write(folder.join("FINISHED"), "x").unwrap();
    daemon.wait_for_plates(1, "done");
    let shown = daemon.client(["plates", "show", "P"]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        text.contains("sentinel:FINISHED") && text.contains("the file FINISHED is there"),
        "{text}"
    );
    let page = daemon
        .try_get(&format!("/plates/{}", plate(&daemon)["id"]))
        .unwrap();
    assert!(
        page.contains("decided by <code>sentinel:FINISHED</code>"),
        "the page says which rule decided"
    );
    let before = attempts(&daemon);
    assert!(before.values().all(|n| *n == 1), "{before:?}");
    write(&folder, 4);
    daemon.wait("the table has five images", || {
        images_in_table(&daemon) == 5
    });
    daemon.wait_for_plates(1, "done");
    assert_eq!(
        states(&daemon),
        ["complete", "done", "stale", "complete", "done"]
    );
    for ((subject, job), number) in attempts(&daemon) {
        let expected = if job == "tables" { 2 } else { 1 };
        assert_eq!(number, expected, "{subject} {job}");
    }
    // A file that is written again with what it had changes nothing; with other content its image set and the table do.
    write(&folder, 2);
    let bytes = image(32, 99).unwrap();
    fs::write(folder.join(name(3)), bytes).unwrap();
    daemon.wait("the replaced image is done", || {
        attempts(&daemon)[&("A04-0001".into(), "measure".into())] == 2
    });
    daemon.wait("the table is made again", || {
        attempts(&daemon)
            .iter()
            .any(|((_, job), n)| job == "tables" && *n == 3)
    });
    daemon.wait_for_plates(1, "done");
    for ((subject, job), number) in attempts(&daemon) {
        let expected = match (subject.as_str(), job.as_str()) {
            (_, "tables") => 3,
            ("A04-0001", _) => 2,
            _ => 1,
        };
        assert_eq!(number, expected, "{subject} {job}");
    }
}

/// Two wells of two sites and two channels; one image fails to come.
#[test]
fn a_hole_stays_at_its_own_well_and_site() {
    let workflow = ONE_JOB.replace("DAPI = \"nuclei\"", "w1 = \"nuclei\"\nw2 = \"marker\"");
    let lines = "naming = \"imagexpress\"\nplate_complete = [\"manifest\", \"quiet:2\"]";
    let daemon = Daemon::start_with(&Start {
        root_lines: lines,
        ..Start::new(&workflow)
    });
    let folder = daemon.folder("drop").join("plate");
    let htd = "\"HTSInfoFile\", Version 1.0\r\n\"XWells\", 4\r\n\"YWells\", 2\r\n\"WellsSelection1\", TRUE, FALSE, FALSE, FALSE\r\n\
        \"WellsSelection2\", FALSE, FALSE, TRUE, FALSE\r\n\"Sites\", TRUE\r\n\"XSites\", 2\r\n\"YSites\", 1\r\n\"SiteSelection1\", TRUE, TRUE\r\n\
        \"Waves\", TRUE\r\n\"NWavelengths\", 2\r\n\"WaveName1\", \"DAPI\"\r\n\"WaveName2\", \"FITC\"\r\n\"EndFile\"\r\n";
    let all: Vec<String> = ["A01", "B03"]
        .iter()
        .flat_map(|well| {
            (1..=2).flat_map(move |s| (1..=2).map(move |w| format!("P_{well}_s{s}_w{w}.tif")))
        })
        .collect();
    // The second channel of A01 site 1 and all of B03 site 1 do not come.
    let missing = ["P_A01_s1_w2.tif", "P_B03_s1_w1.tif", "P_B03_s1_w2.tif"];
    daemon.move_in("plate", |aside| {
        fs::create_dir(aside).unwrap();
        fs::write(aside.join("P.HTD"), htd).unwrap();
        for (i, file) in all
            .iter()
            .enumerate()
            .filter(|(_, file)| !missing.contains(&file.as_str()))
        {
            fs::write(aside.join(file), image(32, i as u64).unwrap()).unwrap();
        }
    });
    daemon.wait_for_plates(1, "done_with_failures");
    let seen = plate(&daemon);
    assert_eq!(
        (&seen["decided_by"], &seen["expected"]),
        (&"quiet:2".into(), &4.into()),
        "{seen}"
    );
    assert!(
        seen["detail"]
            .as_str()
            .unwrap()
            .contains("3 of 8 planes of the manifest are missing"),
        "{seen}"
    );
    let sets = daemon.get(&format!("/api/v1/plates/{}/image-sets", seen["id"]));
    let mut found: Vec<String> = sets["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| {
            format!(
                "{} {} {} {}",
                set["name"], set["well"], set["state"], set["missing"]
            )
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            r#""A01-0001" "A01" "incomplete" ["w2"]"#,
            r#""A01-0002" "A01" "complete" []"#,
            r#""B03-0001" "B03" "incomplete" ["w1","w2"]"#,
            r#""B03-0002" "B03" "complete" []"#,
        ]
    );
    let page = daemon.try_get(&format!("/plates/{}", seen["id"])).unwrap();
    assert!(page.contains("A01") && page.contains("B03") && page.contains("quiet:2"));
    // What fails to come may come after all: the hole is filled, at its place.
    for file in missing {
        fs::write(folder.join(file), image(32, 77).unwrap()).unwrap();
    }
    daemon.wait_for_plates(1, "done");
    assert_eq!(plate(&daemon)["decided_by"], "manifest");
}

const OPERETTA: &str = "<EvaluationInputData Version=\"1\"><Plates><Plate><PlateID>P</PlateID><PlateRows>8</PlateRows><PlateColumns>12</PlateColumns></Plate></Plates><Images>\
    <Image><id>a</id><URL>r01c02f01p01-ch1sk1fk1fl1.tiff</URL><Row>1</Row><Col>2</Col><FieldID>1</FieldID><PlaneID>1</PlaneID><TimepointID>0</TimepointID><ChannelID>1</ChannelID></Image>\
    <Image><id>b</id><URL>r02c03f02p01-ch1sk1fk1fl1.tiff</URL><Row>2</Row><Col>3</Col><FieldID>2</FieldID><PlaneID>1</PlaneID><TimepointID>0</TimepointID><ChannelID>1</ChannelID></Image>\
    </Images></EvaluationInputData>";
const XDCE: &str = "<ImageStack><AutoLeadAcquisitionProtocol><Plate rows=\"8\" columns=\"12\"/></AutoLeadAcquisitionProtocol><Images number=\"2\">\
    <Image filename=\"B - 02(fld 1 wv UV - DAPI).tif\"><Well><Row number=\"2\"/><Column number=\"2\"/></Well><Identifier field_index=\"0\" z_index=\"0\" wave_index=\"0\" time_index=\"0\"/></Image>\
    <Image filename=\"C - 03(fld 1 wv UV - DAPI).tif\"><Well><Row number=\"3\"/><Column number=\"3\"/></Well><Identifier field_index=\"0\" z_index=\"0\" wave_index=\"0\" time_index=\"0\"/></Image>\
    </Images></ImageStack>";
const MLF: &str = "<bts:MeasurementData bts:Version=\"1.0\" xmlns:bts=\"x\">\
    <bts:MeasurementRecord bts:Type=\"IMG\" bts:Column=\"3\" bts:Row=\"1\" bts:TimePoint=\"1\" bts:FieldIndex=\"1\" bts:ZIndex=\"1\" bts:Ch=\"1\">P_A03_T0001F001L01A01Z01C01.tif</bts:MeasurementRecord>\
    <bts:MeasurementRecord bts:Type=\"ERR\" bts:Column=\"3\" bts:Row=\"1\" bts:TimePoint=\"1\" bts:FieldIndex=\"2\" bts:ZIndex=\"1\" bts:Ch=\"1\">OutOfFocus</bts:MeasurementRecord>\
    <bts:MeasurementRecord bts:Type=\"IMG\" bts:Column=\"4\" bts:Row=\"2\" bts:TimePoint=\"1\" bts:FieldIndex=\"1\" bts:ZIndex=\"1\" bts:Ch=\"1\">P_B04_T0001F001L01A01Z01C01.tif</bts:MeasurementRecord>\
    </bts:MeasurementData>";
const MRF: &str = "<b:MeasurementDetail xmlns:b=\"x\" b:Title=\"P\" b:RowCount=\"8\" b:ColumnCount=\"12\" b:EndTime=\"2023-09-18T13:59:15+02:00\"/>";
const SCANR: &str = "<Cluster><Name>experiment</Name><String><Name>plate name</Name><Val>P</Val></String><String><Name>Rows</Name><Val>8</Val></String>\
    <String><Name>Columns</Name><Val>12</Val></String><Array><Name>well selection table + cDNA</Name><Dimsize>2</Dimsize><Dimsize>2</Dimsize>\
    <String><Name></Name><Val>1</Val></String><String><Name></Name><Val>A1</Val></String><String><Name></Name><Val>14</Val></String><String><Name></Name><Val>B2</Val></String></Array>\
    <String><Name># slices</Name><Val>1</Val></String><Cluster><Name>channel</Name><String><Name>name</Name><Val>DAPI</Val></String><String><Name>idle</Name><Val>0</Val></String></Cluster>\
    <Array><Name>subposition list</Name><Dimsize>1</Dimsize></Array></Cluster>";

/// Every vendor's index decides in the daemon: not before its last image, and then at once.
#[test]
fn the_index_of_each_instrument_decides() {
    type Vendor = (
        &'static str,
        &'static str,
        &'static [(&'static str, &'static str)],
        [&'static str; 2],
    );
    const HTD: &str = "\"HTSInfoFile\", Version 1.0\r\n\"XWells\", 2\r\n\"YWells\", 1\r\n\"WellsSelection1\", TRUE, TRUE\r\n\"Sites\", FALSE\r\n\"Waves\", FALSE\r\n\"NWavelengths\", 1\r\n\"EndFile\"\r\n";
    let vendors: [Vendor; 5] = [
        (
            "imagexpress",
            "w1",
            &[("P.HTD", HTD)],
            ["P_A01.tif", "P_A02.tif"],
        ),
        (
            "yokogawa",
            "C01",
            &[("MeasurementData.mlf", MLF), ("MeasurementDetail.mrf", MRF)],
            [
                "P_A03_T0001F001L01A01Z01C01.tif",
                "P_B04_T0001F001L01A01Z01C01.tif",
            ],
        ),
        (
            "operetta",
            "ch1",
            &[("Images/Index.idx.xml", OPERETTA)],
            [
                "Images/r01c02f01p01-ch1sk1fk1fl1.tiff",
                "Images/r02c03f02p01-ch1sk1fk1fl1.tiff",
            ],
        ),
        (
            "incell",
            "UV - DAPI",
            &[("P.xdce", XDCE)],
            [
                "B - 02(fld 1 wv UV - DAPI).tif",
                "C - 03(fld 1 wv UV - DAPI).tif",
            ],
        ),
        (
            "scanr",
            "DAPI",
            &[("experiment_descriptor.xml", SCANR)],
            [
                "data/A1--W00001--P00001--Z00000--T00000--DAPI.tif",
                "data/B2--W00014--P00001--Z00000--T00000--DAPI.tif",
            ],
        ),
    ];
    for (naming, channel, manifests, files) in vendors {
        let workflow = ONE_JOB
            .replace("DAPI = ", &format!("{channel:?} = "))
            .replace("[container]", "[z]\nprojection = \"max\"\n[container]");
        let lines = format!("naming = {naming:?}\nplate_complete = [\"manifest\"]");
        let daemon = Daemon::start_with(&Start {
            root_lines: &lines,
            ..Start::new(&workflow)
        });
        let folder = daemon.folder("drop").join("plate");
        for (file, text) in manifests {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for (i, file) in files.iter().enumerate() {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if i == 1 {
                daemon.wait("the first image is done", || {
                    plate(&daemon)["counts"]["succeeded"] == 1
                });
                assert_eq!(plate(&daemon)["state"], "arriving", "{naming}");
            }
            fs::write(path, image(32, i as u64).unwrap()).unwrap();
        }
        daemon.wait_for_plates(1, "done");
        let seen = plate(&daemon);
        assert_eq!(
            (&seen["decided_by"], &seen["image_sets"]["seen"]),
            (&"manifest".into(), &2.into()),
            "{naming}: {seen}"
        );
        assert_eq!(states(&daemon), ["complete", "done"], "{naming}");
    }
}

#[test]
fn a_sentinel_may_lie_in_a_folder_of_the_acquisition() {
    let lines = format!("{NAMING}\nplate_complete = [\"sentinel:log/end-*.txt\"]");
    let daemon = Daemon::start_with(&Start {
        root_lines: &lines,
        ..Start::new(ONE_JOB)
    });
    let folder = daemon.folder("drop").join("plate");
    write(&folder, 0);
    fs::write(folder.join("end-1.txt"), "not this one").unwrap();
    daemon.wait("the image is done", || {
        plate(&daemon)["counts"]["succeeded"] == 1
    });
    assert_eq!(plate(&daemon)["state"], "arriving");
    fs::create_dir(folder.join("log")).unwrap();
    fs::write(folder.join("log/end-1.txt"), "x").unwrap();
    daemon.wait_for_plates(1, "done");
    assert!(
        plate(&daemon)["detail"]
            .as_str()
            .unwrap()
            .contains("log/end-1.txt")
    );
}

#[test]
fn the_layout_says_how_large_the_plate_is() {
    let lines =
        format!("{NAMING}\nplate_complete = [\"manual\"]\n[root.layout]\nrows = 32\ncolumns = 48");
    let daemon = Daemon::start_with(&Start {
        root_lines: &lines,
        ..Start::new(ONE_JOB)
    });
    write(&daemon.folder("drop").join("plate"), 0);
    daemon.wait("the image is done", || {
        plate(&daemon)["counts"]["succeeded"] == 1
    });
    let seen = plate(&daemon);
    assert_eq!((&seen["rows"], &seen["columns"]), (&32.into(), &48.into()));
    assert_eq!(seen["expected"], 1536);
}
