//! The job kinds `predict.ilastik` and `segment.two_levels` through whole passes.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
mod command_support;
#[path = "../../ilastik/tests/draft/mod.rs"]
mod draft;

use command_support::{Lab, image};
use draft::{Draft, write};
use ilastik::{Image, Project, Source};
use image_io::{PixelType, Pixels};
use ndarray::{Array5, Axis};
use workflow::pass::JobOutcome;

fn job(rest: &str) -> String {
    format!(
        "[[job]]\nid = \"it\"\nkind = \"predict.ilastik\"\nproject = \"project.ilp\"\ninput = \"nuclei\"\n{rest}\n"
    )
}

/// A lab with a project beside its workflow.
fn lab(draft: &Draft) -> Lab {
    let lab = Lab::new();
    write(draft, &lab.folder.path().join("project.ilp"));
    lab
}

/// What the project makes of the lab's first channel: (label, y, x).
fn predicted(lab: &Lab, source: Source) -> ndarray::Array3<f32> {
    let project = Project::open(&lab.folder.path().join("project.ilp")).unwrap();
    let plane = image(0).mapv(f32::from);
    let values = Array5::from_shape_fn((1, 1, 1, 40, 60), |(_, _, _, y, x)| plane[[y, x]]);
    let found = project.predict(&Image::from_working(values, PixelType::U16), source);
    let found = found.unwrap().values.index_axis_move(Axis(0), 0);
    found.index_axis_move(Axis(1), 0)
}

#[test]
fn probabilities_segmentation_and_objects_are_stored() {
    let lab = lab(&Draft::default());
    let report = lab.run(&format!(
        "{}[[job]]\nid = \"objects\"\nkind = \"segment.two_levels\"\ninput = \"bright\"\noutput = \"objects\"\nsigma = 0.0\n",
        job("output = { images = [\"dark\", \"bright\"], segmentation = \"classes\", uncertainty = \"unsure\" }")
    ));
    assert_eq!(report.outcomes["it"], JobOutcome::Succeeded);
    assert_eq!(report.outcomes["objects"], JobOutcome::Succeeded);
    let wanted = predicted(&lab, Source::Probabilities);
    for (channel, name) in ["dark", "bright"].into_iter().enumerate() {
        let plane = wanted.index_axis(Axis(0), channel).to_owned();
        // Both labels occur, or the comparison says nothing.
        assert!(plane.iter().any(|p| *p == 1.0) && plane.iter().any(|p| *p == 0.0));
        assert_eq!(lab.image(name), Pixels::F32(plane));
    }
    let classes = predicted(&lab, Source::SimpleSegmentation);
    let classes = classes.index_axis(Axis(0), 0).mapv(|v| v as u8);
    assert_eq!(lab.image("classes"), Pixels::U8(classes.clone()));
    let unsure = predicted(&lab, Source::Uncertainty).index_axis_move(Axis(0), 0);
    assert_eq!(lab.image("unsure"), Pixels::F32(unsure));
    // The bright part is one object.
    assert_eq!(
        lab.image("objects"),
        Pixels::U32(classes.mapv(|c| u32::from(c == 2)))
    );
}

#[test]
fn labels_are_chosen_by_number_and_by_name() {
    let lab = lab(&Draft::default());
    let bright = predicted(&lab, Source::Probabilities).index_axis_move(Axis(0), 1);
    for kept in ["[1]", "[\"bright\"]"] {
        let report = lab.run(&job(&format!(
            "output = \"infected\"\nkeep_channels = {kept}"
        )));
        assert_eq!(report.outcomes["it"], JobOutcome::Succeeded);
        assert_eq!(lab.image("infected"), Pixels::F32(bright.clone()));
    }
    let mistakes = lab.mistakes(&job("output = [\"a\", \"b\"]\nkeep_channels = [1]"));
    assert!(
        mistakes.contains("keeps 1 labels, but `output` names 2 images"),
        "{mistakes}"
    );
    let failure = lab.failure(&job("output = \"a\"\nkeep_channels = [\"bright!\"]"));
    assert_eq!(failure.code, "wrong-labels");
    assert!(
        failure.message.contains("0 `dark`, 1 `bright`"),
        "{}",
        failure.message
    );
    let failure = lab.failure(&job("output = \"a\""));
    assert!(
        failure.message.contains("2 labels for 1 images"),
        "{}",
        failure.message
    );
}

#[test]
fn export_settings_of_the_project_are_used_on_request() {
    let lab = lab(&Draft::default());
    let path = lab.folder.path().join("project.ilp");
    {
        let file = hdf5::File::open_rw(&path).unwrap();
        let export = file.create_group("Prediction Export").unwrap();
        let text = hdf5::types::VarLenAscii::from_ascii("uint8").unwrap();
        let dtype = export
            .new_dataset::<hdf5::types::VarLenAscii>()
            .create("ExportDtype")
            .unwrap();
        dtype.write_scalar(&text).unwrap();
        for (name, value) in [
            ("InputMin", 0.0),
            ("InputMax", 1.0),
            ("ExportMin", 0.0),
            ("ExportMax", 200.0),
        ] {
            export
                .new_dataset::<f64>()
                .create(name)
                .unwrap()
                .write_scalar(&value)
                .unwrap();
        }
    }
    let bright = predicted(&lab, Source::Probabilities).index_axis_move(Axis(0), 1);
    let report = lab.run(&job(
        "output = \"a\"\nkeep_channels = [1]\nexport_settings = true",
    ));
    assert_eq!(report.outcomes["it"], JobOutcome::Succeeded);
    assert_eq!(
        lab.image("a"),
        Pixels::U8(bright.mapv(|p| (p * 200.0).round_ties_even() as u8))
    );
}

#[test]
fn projects_that_cannot_run_fail_alone_with_their_remedy() {
    let lab = lab(&Draft {
        trained: false,
        ..Draft::default()
    });
    let text = job("output = \"a\"\nkeep_channels = [1]");
    let failure = lab.failure(&text);
    assert_eq!(failure.code, "unusable-project");
    assert!(failure.path.unwrap().ends_with("project.ilp"));
    assert!(lab.warnings(&text)[0].contains("no trained classifier"));
    // The container holds the raw channels all the same.
    assert_eq!(lab.image("nuclei"), Pixels::U16(image(0)));
    // A project that was trained meanwhile is read again.
    std::fs::remove_file(lab.folder.path().join("project.ilp")).unwrap();
    assert_eq!(lab.failure(&text).code, "file-missing");
    write(&Draft::default(), &lab.folder.path().join("project.ilp"));
    assert_eq!(lab.run(&text).outcomes["it"], JobOutcome::Succeeded);
    assert!(lab.warnings(&text).is_empty());
    assert_eq!(lab.files(&text), [lab.folder.path().join("project.ilp")]);
    let two = text.replace("input = \"nuclei\"", "input = [\"nuclei\", \"marker\"]");
    let failure = lab.failure(&two);
    assert_eq!(failure.code, "image-does-not-fit-project");
    assert!(
        failure.message.contains("2 channels"),
        "{}",
        failure.message
    );
}
