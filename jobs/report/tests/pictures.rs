//! Heat maps and summaries: well-formed, deterministic, complete, and nothing foreign gets through.
#![allow(missing_docs, clippy::unwrap_used)]

use image_io::table::{Column, Table};
use plate::PlateFormat;
use report::summary::{MadeBy, Summary};
use report::{Colors, PlateTables, Range, Scale, Site, Style, heatmap, heatmap_png, picture_stem};

const EVIL: &str = "<script>alert('x')</script>&\"|`*_[a](http://b)\u{1}";

fn sites() -> Vec<Site> {
    let site = |name: &str, failed: Option<&str>| Site {
        name: name.to_owned(),
        well: name.split('-').next().unwrap().parse().unwrap(),
        failed: failed.map(str::to_owned),
    };
    vec![
        site("A01-0000", None),
        site("A01-0001", None),
        site("B02-0000", Some(EVIL)),
        site("H12-0000", None),
    ]
}

fn tables() -> (Table, Table) {
    let texts = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let images = Table {
        columns: vec![
            Column::text("site_name", texts(&["H12-0000", "A01-0001", "A01-0000"])),
            Column::float("score", vec![f64::NAN, 2.0, 1.0]),
            Column::int("is_outlier", vec![0, 1, 0]),
            Column::text("outlier_type", texts(&["none", EVIL, "none"])),
        ],
    };
    let wells = Table {
        columns: vec![
            Column::text("well_name", texts(&["A01", "H12"])),
            Column::float("score", vec![1.5, f64::NAN]),
            Column::float(EVIL, vec![1.0, 2.0]),
            Column::int("is_outlier", vec![0, 1]),
            Column::text("outlier_type", texts(&["none", "too few cells"])),
        ],
    };
    (images, wells)
}

fn plate<'a>(sites: &'a [Site], images: &'a Table, wells: &'a Table) -> PlateTables<'a> {
    PlateTables {
        plate: EVIL,
        sites,
        images: Some(images),
        wells: Some(wells),
        wells_name: "wells/default",
        format: None,
    }
}

/// Every well-formed document is a tree; text of others never becomes an element.
fn check(svg: &str) {
    let tree = roxmltree::Document::parse(svg).unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for node in tree.descendants().filter(roxmltree::Node::is_element) {
        let known = [
            "svg", "g", "title", "desc", "rect", "circle", "path", "text",
        ];
        assert!(known.contains(&node.tag_name().name()), "{node:?}");
        if let Some(id) = node.attribute("id") {
            assert!(ids.insert(id.to_owned()), "{id} twice");
        }
    }
}

#[test]
fn svg_says_everything_to_those_who_do_not_see_it() {
    let (sites, (images, wells)) = (sites(), tables());
    let map = plate(&sites, &images, &wells).heat_map("score", Style::PerImage, Scale::default());
    let svg = heatmap(&map);
    check(&svg);
    assert_eq!(svg, heatmap(&map.clone()), "always the same");
    let tree = roxmltree::Document::parse(&svg).unwrap();
    let title = |id: &str| {
        let node = tree.descendants().find(|n| n.attribute("id") == Some(id));
        let node = node.unwrap_or_else(|| panic!("no {id}"));
        assert_eq!(node.attribute("role"), Some("img"));
        let title = node.children().find(|c| c.has_tag_name("title")).unwrap();
        title.text().unwrap().to_owned()
    };
    let first = title("score-per-image-A01");
    assert!(
        first.starts_with("A01: 1\nA01-0000: 1\nA01-0001: 2, outlier: <script>"),
        "{first}"
    );
    let failed = title("score-per-image-B02");
    assert!(
        failed.starts_with("B02: no result\nB02-0000: no result, failed: "),
        "{failed}"
    );
    let undefined = title("score-per-image-H12");
    assert_eq!(
        undefined,
        "H12: not a number, outlier: too few cells\nH12-0000: not a number"
    );
    assert!(title("score-per-image-legend").contains("too few cells: H12"));
    // Apart without colour: dashed, grey with a bar, a ring, a cross.
    assert!(svg.contains("stroke-dasharray"));
    for mark in ["outlier well", "outlier image", "no result", "not a number"] {
        assert!(svg.contains(&format!(">{mark}</text>")), "{mark}");
    }
}

#[test]
fn a_column_that_is_not_there_is_a_note_in_the_picture() {
    let (sites, (images, wells)) = (sites(), tables());
    let plate = plate(&sites, &images, &wells);
    let map = plate.heat_map("nowhere", Style::PerWell, Scale::default());
    let svg = heatmap(&map);
    check(&svg);
    assert!(svg.contains("Note: the well table has no column"));
    assert!(heatmap_png(&map).starts_with(b"\x89PNG"));
    assert!(!picture_stem(&map).contains('/'));
}

#[test]
fn png_is_twice_the_svg_and_shows_the_colours() {
    let (sites, (images, wells)) = (sites(), tables());
    let scale = Scale {
        range: Range::Thresholds([0.9, 1.3, 1.3, 2.0]),
        colors: Colors::Auto,
    };
    let map = plate(&sites, &images, &wells).heat_map("score", Style::PerWell, scale);
    let bytes = heatmap_png(&map);
    let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let svg = heatmap(&map);
    let tree = roxmltree::Document::parse(&svg).unwrap();
    let side = |name: &str| {
        tree.root_element()
            .attribute(name)
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    assert_eq!(f64::from(info.width), (side("width") * 2.0).ceil());
    assert_eq!(f64::from(info.height), (side("height") * 2.0).ceil());
    // The disc of A01 has the colour that the SVG says; looked at beside the number that stands on it.
    let well = tree
        .descendants()
        .find(|n| n.attribute("id") == Some("score-per-well-A01"))
        .unwrap();
    let disc = well
        .descendants()
        .find(|n| n.has_tag_name("circle"))
        .unwrap();
    let at = |name: &str| disc.attribute(name).unwrap().parse::<f64>().unwrap();
    let (x, y) = (
        (at("cx") * 2.0) as usize,
        ((at("cy") + at("r") * 0.7) * 2.0) as usize,
    );
    let pixel = &pixels[(y * info.width as usize + x) * 3..][..3];
    let hex = format!("#{:02x}{:02x}{:02x}", pixel[0], pixel[1], pixel[2]);
    assert_eq!(disc.attribute("fill"), Some(hex.as_str()));
}

#[test]
fn every_format_is_drawn() {
    let (sites, (images, wells)) = (sites(), tables());
    for format in PlateFormat::STANDARD {
        let mut tables = plate(&sites, &images, &wells);
        tables.format = Some(format);
        for style in [Style::PerWell, Style::PerImage] {
            let map = tables.heat_map("score", style, Scale::default());
            check(&heatmap(&map));
            // H12 is not on a plate of 6 wells, and the picture says so.
            assert_eq!(map.notes.len(), usize::from(format.wells() < 96));
        }
    }
    let none = PlateTables {
        sites: &[],
        ..plate(&sites, &images, &wells)
    };
    check(&heatmap(&none.heat_map(
        "score",
        Style::PerImage,
        Scale::default(),
    )));
}

#[test]
fn summaries_count_and_escape() {
    let (sites, (images, wells)) = (sites(), tables());
    let plate = plate(&sites, &images, &wells);
    let made_by = MadeBy {
        workflow: EVIL.to_owned(),
        workflow_version: "1".to_owned(),
        program: "wellspring".to_owned(),
    };
    let background = Table {
        columns: vec![
            Column::text("plate_name", vec!["p".to_owned()]),
            Column::float("serum_median", vec![736.0]),
        ],
    };
    let columns = ["*".to_owned(), "nowhere".to_owned()];
    let backgrounds = [("plate/backgrounds".to_owned(), background)];
    let summary = Summary::new(&plate, made_by, &columns, &backgrounds);
    let json: serde_json::Value = serde_json::from_str(&summary.json()).unwrap();
    assert_eq!(
        json["images"],
        serde_json::json!({"total": 4, "failed": 1, "outliers": 1})
    );
    assert_eq!(
        json["wells"],
        serde_json::json!({"total": 3, "failed": 1, "outliers": 1})
    );
    assert_eq!(json["columns"][0]["median"], 1.5);
    assert_eq!(json["columns"][0]["wells"], 1);
    assert_eq!(json["well_values"][2]["values"][0], serde_json::Value::Null);
    assert_eq!(
        json["backgrounds"][0]["values"][0],
        serde_json::json!(["serum_median", "736.0"])
    );
    assert_eq!(json["absent_columns"], serde_json::json!(["nowhere"]));
    assert_eq!(json["failed_images"][0]["reason"], EVIL);

    let html = summary.html();
    assert!(
        !html.contains("<script") && !html.contains("alert('"),
        "escaped"
    );
    for attribute in [" src=", " href=", "url("] {
        assert!(!html.contains(attribute), "loads nothing: {attribute}");
    }
    assert_eq!(html.matches("<svg").count(), 3, "one map a column");
    assert!(html.contains("B02-0000") && html.contains("736.0"));

    let markdown = summary.markdown();
    assert!(!markdown.contains("<script") && !markdown.contains("[a](http"));
    assert!(markdown.contains("3 wells, 1 failed, 1 outlier."));
    assert!(markdown.contains("- H12: too few cells"));

    let folder = tempfile::tempdir().unwrap();
    let files = summary.write(folder.path()).unwrap();
    assert_eq!(files.len(), 3);
    assert!(
        files
            .iter()
            .all(|f| f.parent() == Some(folder.path()) && f.exists())
    );
}
