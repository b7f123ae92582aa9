//! Small manifests of each instrument.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

pub fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

pub const MLF: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<bts:MeasurementData bts:Version="1.0" xmlns:bts="http://www.yokogawa.co.jp/BTS/BTSSchema/1.0">
<bts:MeasurementRecord bts:Type="IMG" bts:Column="3" bts:Row="27" bts:TimePoint="1" bts:FieldIndex="2" bts:ZIndex="1" bts:Ch="1">P_AA03_T0001F002L01A01Z01C01.tif</bts:MeasurementRecord>
<bts:MeasurementRecord bts:Type="ERR" bts:Column="3" bts:Row="27" bts:TimePoint="1" bts:FieldIndex="2" bts:ZIndex="1" bts:Ch="2">OutOfFocus</bts:MeasurementRecord>
<bts:MeasurementRecord bts:Type="IMG" bts:Column="4" bts:Row="1" bts:TimePoint="2" bts:FieldIndex="3" bts:ZIndex="5" bts:Ch="12">renamed.tif</bts:MeasurementRecord>
</bts:MeasurementData>"#;

/// The order and form of keys that MetaXpress writes.
pub fn htd(extra: &str) -> String {
    format!(
        "\"HTSInfoFile\", Version 1.0\r\n\"Description\", \"a, b\"\r\n\"PlateType\", 1\r\n\"XWells\", 4\r\n\"YWells\", 2\r\n\
         \"WellsSelection1\", FALSE, TRUE, FALSE, FALSE\r\n\"WellsSelection2\", FALSE, FALSE, FALSE, TRUE\r\n{extra}\r\n\"EndFile\"\r\n"
    )
}

pub const INDEX: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<EvaluationInputData Version="1" xmlns="http://www.perkinelmer.com/PEHH/HarmonyV5">
  <Plates><Plate><PlateID>P 7</PlateID><PlateTypeName>384</PlateTypeName><PlateRows>16</PlateRows><PlateColumns>24</PlateColumns><Well id="0102"/></Plate></Plates>
  <Wells><Well><id>0102</id><Row>1</Row><Col>2</Col><Image id="a"/></Well></Wells>
  <Maps><Map><Entry ChannelID="2"><ChannelName>GFP</ChannelName><ImageResolutionX Unit="m">3.25E-07</ImageResolutionX></Entry></Map></Maps>
  <Images>
    <Image><id>a</id><State>Ok</State><URL>r01c02f03p01-ch1sk1fk1fl1.tiff</URL><Row>1</Row><Col>2</Col><FieldID>3</FieldID><PlaneID>1</PlaneID><TimepointID>0</TimepointID><ChannelID>1</ChannelID><ChannelName>DAPI &amp; co</ChannelName></Image>
    <Image><id>b</id><State>Ok</State><URL/><Row>1</Row><Col>2</Col><FieldID>3</FieldID><PlaneID>2</PlaneID><TimepointID>0</TimepointID><ChannelID>1</ChannelID></Image>
    <Image><id>c</id><URL>Images/odd.tiff</URL><Row>16</Row><Col>24</Col><FieldID>1</FieldID><PlaneID>1</PlaneID><TimepointID>0</TimepointID><ChannelID>2</ChannelID></Image>
  </Images>
</EvaluationInputData>"#;

pub const XDCE: &str = r#"<ImageStack><AutoLeadAcquisitionProtocol><Wavelengths>
        <Wavelength index="0"><ExcitationFilter name="UV" wavelength="365"/><EmissionFilter name="DAPI" wavelength="455"/></Wavelength></Wavelengths>
        <ObjectiveCalibration pixel_width="0.325"/><Plate rows="8" columns="12" name="96"/></AutoLeadAcquisitionProtocol>
        <Images number="3">
        <Image filename="B - 2(fld 1 wv UV - DAPI).tif"><Well label="B - 2"><Row number="2"/><Column number="2"/></Well><Identifier field_index="0" z_index="0" wave_index="0" time_index="0"/></Image>
        <Image filename="B - 2(fld 1 wv UV - DAPI z 2).tif"><Well><Row number="2"/><Column number="2"/></Well><Identifier field_index="0" z_index="1" wave_index="0" time_index="0"/></Image>
        <Image filename="odd.tif"><Well><Row number="8"/><Column number="12"/></Well><Identifier field_index="3" z_index="0" wave_index="0" time_index="0"/></Image>
        </Images></ImageStack>"#;

/// LabVIEW's pairs; the label of the first well is Latin-1 to try the encoding.
pub fn scanr(timeloop: &str) -> Vec<u8> {
    let value =
        |name: &str, value: &str| format!("<String><Name>{name}</Name><Val>{value}</Val></String>");
    let well = |number: &str, label: &str| {
        format!(
            "<String><Name></Name><Val>{number}</Val></String><String><Name></Name><Val>{label}</Val></String>"
        )
    };
    let text = format!(
        "<?xml version=\"1.0\"?><Cluster><Name>experiment</Name>{}{}<Cluster><Name>format typedef</Name>{}{}</Cluster>\
         <Array><Name>well selection table + cDNA</Name><Dimsize>2</Dimsize><Dimsize>2</Dimsize>{}{}</Array>{}\
         <Cluster><Name>channel</Name>{}{}</Cluster><Cluster><Name>channel</Name>{}{}</Cluster><Cluster><Name>channel</Name>{}{}</Cluster>{}\
         <Array><Name>subposition list</Name><Dimsize>3</Dimsize></Array>{timeloop}</Cluster>",
        value("plate name", "Pl\u{e4}tte"),
        value("conversion factor um/pixel", "0.645"),
        value("Rows", "16"),
        value("Columns", "24"),
        well("26", "B2"),
        well("384", "kein Well"),
        value("# slices", "2"),
        value("name", "DAPI"),
        value("idle", "0"),
        value("name", "Cy5"),
        value("idle", "1"),
        value("name", "Autofocus"),
        value("idle", "0"),
        value("columns/well", "9"),
    );
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}
