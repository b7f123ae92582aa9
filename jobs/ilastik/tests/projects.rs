//! Small projects in all the forms in which ilastik has written them, and those that must be refused.
#![allow(clippy::unwrap_used, missing_docs)]

mod draft;

use draft::{Draft, Texts, project};
use hdf5::File;
use ilastik::{Error, Image, Project, Source, WorkflowKind};
use image_io::PixelType;
use ndarray::{Array5, arr1};

/// Left half dark, right half bright.
fn image(channels: usize, z: usize, size: usize) -> Image {
    let values = Array5::from_shape_fn((1, channels, z, size, size), |(_, c, _, _, x)| {
        if c == 0 && x >= size / 2 { 200.0 } else { 20.0 }
    });
    Image::from_working(values, PixelType::U8)
}

fn predict(draft: &Draft, image: &Image) -> Result<Array5<f32>, Error> {
    let (_folder, path) = project(draft);
    Ok(Project::open(&path)?
        .predict(image, Source::Probabilities)?
        .values)
}

#[track_caller]
fn refused(draft: &Draft, image: &Image, words: &[&str]) {
    let error = predict(draft, image).unwrap_err();
    let text = format!("{error} / {}", error.remedy());
    for word in words {
        assert!(text.contains(word), "`{text}` lacks `{word}`");
    }
    assert!(text.contains("project.ilp"), "{text}");
}

#[test]
fn all_forms_of_texts_and_truth_values_are_read() {
    for texts in [
        Texts::FixedAscii,
        Texts::FixedUnicode,
        Texts::VarLenAscii,
        Texts::VarLenUnicode,
    ] {
        for plain_bools in [false, true] {
            let draft = Draft {
                texts,
                plain_bools,
                ..Draft::default()
            };
            let found = predict(&draft, &image(1, 1, 20)).unwrap();
            assert_eq!(found.dim(), (1, 2, 1, 20, 20));
            assert!(
                (found[[0, 0, 0, 5, 2]], found[[0, 1, 0, 5, 2]]) == (1.0, 0.0),
                "{texts:?}"
            );
            assert!(
                (found[[0, 0, 0, 5, 17]], found[[0, 1, 0, 5, 17]]) == (0.0, 1.0),
                "{texts:?}"
            );
        }
    }
}

#[test]
fn what_old_projects_lack_is_filled_in() {
    let draft = Draft {
        version: "0.6",
        compute_in_2d: None,
        known_labels: None,
        pickled_type: None,
        ..Draft::default()
    };
    assert_eq!(
        predict(&draft, &image(1, 1, 20)).unwrap()[[0, 1, 0, 5, 17]],
        1.0
    );
    // Without a word on 2-D, several slices are a volume, which must be as deep as the kernels.
    assert_eq!(
        predict(&draft, &image(1, 6, 20)).unwrap()[[0, 1, 3, 5, 17]],
        1.0
    );
    refused(&draft, &image(1, 3, 20), &["too small", "5 pixels"]);
    let flat = Draft {
        compute_in_2d: Some(true),
        ..Draft::default()
    };
    assert_eq!(
        predict(&flat, &image(1, 3, 20)).unwrap()[[0, 1, 2, 5, 17]],
        1.0
    );
}

#[test]
fn classes_go_to_the_channels_of_their_labels() {
    let draft = Draft {
        labels: vec!["nothing", "dark", "never drawn", "bright"],
        known_labels: Some(vec![2, 4]),
        ..Draft::default()
    };
    let found = predict(&draft, &image(1, 1, 20)).unwrap();
    let at = |x: usize| (0..4).map(|c| found[[0, c, 0, 5, x]]).collect::<Vec<_>>();
    assert_eq!(at(2), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(at(17), [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn the_second_stage_sees_the_first() {
    let draft = Draft {
        workflow: "AutocontextTwoStage",
        stages: 2,
        ..Draft::default()
    };
    let (_folder, path) = project(&draft);
    let project = Project::open(&path).unwrap();
    assert_eq!(project.workflow, WorkflowKind::Autocontext);
    let stages = project.probabilities(&image(1, 1, 20)).unwrap();
    assert_eq!(stages.len(), 2);
    assert_eq!(stages[1][[0, 1, 0, 5, 17]], 1.0);
    let all = project
        .predict(&image(1, 1, 20), Source::AllStages)
        .unwrap();
    assert_eq!(all.values.dim(), (1, 4, 1, 20, 20));
}

#[test]
fn what_cannot_run_is_refused_with_its_reason() {
    let good = image(1, 1, 20);
    refused(
        &Draft {
            trained: false,
            ..Draft::default()
        },
        &good,
        &["no trained classifier", "Live Update"],
    );
    refused(
        &Draft {
            workflow: "Object Classification (from pixel classification)",
            ..Draft::default()
        },
        &good,
        &["Object Classification", "command"],
    );
    refused(
        &Draft {
            node_type: 1,
            ..Draft::default()
        },
        &good,
        &["node of type 0x1", "Tree_0"],
    );
    refused(
        &Draft {
            pickled_type: Some(
                "clazyflow.classifiers.sklearnLazyflowClassifier\nSklearnLazyflowClassifier\np0\n.",
            ),
            ..Draft::default()
        },
        &good,
        &["SklearnLazyflowClassifier", "Parallel Random Forest"],
    );
    refused(
        &Draft {
            pickled_type: Some("cos\nsystem\n(S'touch /tmp/x'\ntR."),
            ..Draft::default()
        },
        &good,
        &["of an unknown kind"],
    );
    refused(
        &Draft::default(),
        &image(3, 1, 20),
        &["3 channels", "trained with 1"],
    );
    refused(
        &Draft {
            channels: 3,
            shape: Some(vec![30, 30, 3]),
            ..Draft::default()
        },
        &good,
        &["1 channels", "trained with 3"],
    );
    refused(
        &Draft::default(),
        &image(1, 1, 4),
        &["too small", "5 pixels"],
    );
    refused(
        &Draft {
            known_labels: Some(vec![1]),
            ..Draft::default()
        },
        &good,
        &["labels [1] for 2 classes"],
    );
    for known in [vec![1, u32::MAX], vec![1, 1], vec![0, 1]] {
        let draft = Draft {
            known_labels: Some(known),
            ..Draft::default()
        };
        refused(&draft, &good, &["labels ["]);
    }
    let (_folder, path) = project(&Draft::default());
    let one_stage = Project::open(&path).unwrap();
    for source in [Source::Stage(2), Source::Stage(0), Source::AllStages] {
        let error = one_stage.predict(&good, source).unwrap_err();
        assert!(error.to_string().contains("has 1 stage"), "{error}");
    }
    refused(
        &Draft {
            stages: 1,
            workflow: "AutocontextTwoStage",
            ..Draft::default()
        },
        &good,
        &["lacks a stage"],
    );
    refused(
        &Draft {
            sigma: -1.0,
            ..Draft::default()
        },
        &good,
        &["cannot be computed"],
    );
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.h5");
    File::create(&other).unwrap().create_group("data").unwrap();
    let error = Project::open(&other).unwrap_err();
    assert!(error.to_string().contains("no ilastikVersion"), "{error}");
    let text = folder.path().join("text.ilp");
    std::fs::write(&text, "this is no project").unwrap();
    assert!(matches!(Project::open(&text), Err(Error::File(_))));
}

/// A damaged file is an error, never a panic or a hang.
#[test]
fn damaged_projects_are_errors() {
    let (folder, path) = project(&Draft::default());
    let whole = std::fs::read(&path).unwrap();
    let damaged = folder.path().join("damaged.ilp");
    let mut state = 12345u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut errors = 0;
    for round in 0..300 {
        let mut bytes = whole.clone();
        if round % 3 == 0 {
            bytes.truncate(next() as usize % whole.len());
        }
        for _ in 0..1 + next() % 6 {
            if !bytes.is_empty() {
                let at = next() as usize % bytes.len();
                bytes[at] = next() as u8;
            }
        }
        std::fs::write(&damaged, &bytes).unwrap();
        let result = Project::open(&damaged).and_then(|p| p.probabilities(&image(1, 1, 20)));
        errors += usize::from(result.is_err());
    }
    assert!(errors > 100, "{errors}");
}

#[test]
fn trees_that_lead_astray_are_refused() {
    for topology in [
        vec![1, 2, 0, 0, 2, 2, 0],
        vec![1, 2, 0, 0, 999, 7, 0],
        vec![1, 2, 0, 0, -5, 7, 0],
        vec![1, i32::MAX, 0x4000_0000, 0],
        vec![1, 2],
        vec![],
    ] {
        let (_folder, path) = project(&Draft::default());
        {
            let file = File::open_rw(&path).unwrap();
            let tree = file
                .group("PixelClassification/ClassifierForests/Forest0000/Tree_0")
                .unwrap();
            tree.unlink("topology").unwrap();
            tree.new_dataset_builder()
                .with_data(&arr1(&topology))
                .create("topology")
                .unwrap();
        }
        let error = Project::open(&path).unwrap_err();
        assert!(
            error.to_string().contains("Tree_0"),
            "{topology:?}: {error}"
        );
    }
}
