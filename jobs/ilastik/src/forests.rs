//! The trained forests of a project.
//!
//! `ClassifierForests/ForestNNNN/Tree_N/{topology,parameters}` is VIGRA's own layout. `topology` holds [columns, classes] and then
//! nodes: [type, offset into `parameters`, left, right, column]. `parameters` holds at a node's offset its weight, and then the
//! threshold or the probabilities.

use analysis::forest::{Ensemble, Forest, Node, Tree};
use image_io::container::{Attribute, Tree as File};

use crate::error::{Error, Result};

/// VIGRA's mark of a leaf.
const LEAF: i64 = 0x4000_0000;

/// A node that compares one column with a threshold.
const THRESHOLD: i64 = 0;

/// No forest has more trees, no tree more numbers.
const MOST_NUMBERS: usize = 1 << 24;

/// No project has more labels, and so no forest more classes.
const MOST_LABELS: usize = 1 << 10;

/// The classifier of one stage, and the labels of its classes.
pub(crate) struct Trained {
    pub forests: Ensemble,
    /// Label of each class, from 1.
    pub labels: Vec<usize>,
    /// Names of the feature columns, in files that have them.
    pub feature_names: Vec<String>,
}

/// Reads `group/ClassifierForests`; `None` if nothing was trained.
pub(crate) fn read(file: &File, group: &str) -> Result<Option<Trained>> {
    let group = format!("{group}/ClassifierForests");
    let names = file.children(&group)?;
    if names.is_empty() {
        return Ok(None);
    }
    let broken = |reason: String| Error::Project {
        path: file.path().to_owned(),
        reason,
        remedy: "open the project in ilastik, train it again and save it".to_owned(),
    };
    check_kind(file, &group, &names)?;
    let forests: Vec<&String> = names.iter().filter(|n| n.starts_with("Forest")).collect();
    if forests.is_empty() {
        return Ok(None);
    }
    let forests = forests
        .into_iter()
        .map(|name| forest(file, &format!("{group}/{name}")))
        .collect::<Result<Vec<_>>>()?;
    let forests = Ensemble::new(forests).map_err(|e| broken(e.to_string()))?;
    let labels: Vec<usize> = if names.iter().any(|n| n == "known_labels") {
        let known = file.numbers(&format!("{group}/known_labels"), 1 << 16)?;
        known.to_f64().iter().map(|&label| label as usize).collect()
    } else {
        (1..=forests.classes()).collect()
    };
    let distinct: std::collections::BTreeSet<&usize> = labels.iter().collect();
    let known = labels.iter().all(|label| (1..=MOST_LABELS).contains(label));
    if labels.len() != forests.classes() || distinct.len() != labels.len() || !known {
        return Err(broken(format!(
            "has labels {labels:?} for {} classes",
            forests.classes()
        )));
    }
    let feature_names = if names.iter().any(|n| n == "feature_names") {
        file.texts(&format!("{group}/feature_names"), 1 << 16)?
    } else {
        Vec::new()
    };
    Ok(Some(Trained {
        forests,
        labels,
        feature_names,
    }))
}

/// The kind of classifier is stored as a pickle, of which only the class's name is looked at.
fn check_kind(file: &File, group: &str, names: &[String]) -> Result<()> {
    let kind = if names.iter().any(|n| n == "pickled_type") {
        let texts = file.texts(&format!("{group}/pickled_type"), 1)?;
        let text = texts.into_iter().next().unwrap_or_default();
        let mut lines = text.lines();
        match (lines.next(), lines.next()) {
            (Some(module), Some(class)) if module.starts_with("clazyflow.classifiers.") => {
                class.to_owned()
            }
            _ => "of an unknown kind".to_owned(),
        }
    } else {
        // Before ilastik 1.0 there was only this one.
        "ParallelVigraRfLazyflowClassifier".to_owned()
    };
    let pickled = names.iter().any(|n| n.starts_with("pickled_classifier"));
    if kind == "ParallelVigraRfLazyflowClassifier" && !pickled {
        return Ok(());
    }
    Err(Error::Project {
        path: file.path().to_owned(),
        reason: format!("has a classifier `{kind}`, which only Python could load"),
        remedy:
            "in ilastik, choose the classifier `Parallel Random Forest (VIGRA)` (the default), train and save"
                .to_owned(),
    })
}

fn forest(file: &File, group: &str) -> Result<Forest> {
    let broken = |reason: String| Error::Project {
        path: file.path().to_owned(),
        reason: format!("has a forest `{group}` that {reason}"),
        remedy: "train the project again with ilastik 0.6 or newer and save it".to_owned(),
    };
    let version = match file.attribute(group, "vigra_random_forest_version")? {
        Some(Attribute::Float(version)) => Some(version),
        Some(Attribute::Floats(versions)) => versions.first().copied(),
        _ => None,
    };
    if let Some(version) = version.filter(|v| *v > 0.1) {
        return Err(broken(format!(
            "is of version {version}, only 0.1 is known"
        )));
    }
    let number = |name: &str| -> Result<usize> {
        let found = file.numbers(&format!("{group}/{name}"), 1)?.to_f64();
        Ok(found.first().map_or(0, |&n| n as usize))
    };
    let columns = number("_ext_param/column_count_")?;
    let classes = number("_ext_param/class_count_")?;
    let weighted = number("_options/predict_weighted_")? != 0;
    let names = file.children(group)?;
    let trees = names
        .iter()
        .filter(|name| !name.starts_with('_'))
        .map(|name| {
            let topology = file.numbers(&format!("{group}/{name}/topology"), MOST_NUMBERS)?;
            let parameters = file.numbers(&format!("{group}/{name}/parameters"), MOST_NUMBERS)?;
            let topology: Vec<i64> = topology.to_f64().iter().map(|&n| n as i64).collect();
            tree(&topology, &parameters.to_f64())
                .map_err(|reason| broken(format!("has a tree `{name}` that {reason}")))
        })
        .collect::<Result<Vec<_>>>()?;
    Forest::new(trees, columns, classes, weighted).map_err(|e| broken(format!("is damaged: {e}")))
}

/// Reads one tree.
pub(crate) fn tree(topology: &[i64], parameters: &[f64]) -> Result<Tree, String> {
    let at = |index: usize| {
        let found = topology.get(index).copied();
        found.ok_or_else(|| "is shorter than its nodes say".to_owned())
    };
    let place = |number: i64| usize::try_from(number).map_err(|_| "points outside".to_owned());
    let classes = place(at(1)?)?;
    if classes > MOST_LABELS {
        return Err(format!("has {classes} classes"));
    }
    let mut nodes = Vec::new();
    // Nodes in the order in which they are found; a circle ends when there are more nodes than numbers.
    let mut places = vec![2usize];
    while let Some(&index) = places.get(nodes.len()) {
        if places.len() > topology.len() {
            return Err("leads in a circle".to_owned());
        }
        let (kind, offset) = (at(index)?, place(at(index + 1)?)?);
        let parameter = |i: usize| {
            let found = parameters.get(offset.saturating_add(i)).copied();
            found.ok_or_else(|| "is shorter than its nodes say".to_owned())
        };
        nodes.push(match kind {
            LEAF => Node::Leaf {
                weight: parameter(0)?,
                probabilities: (1..=classes).map(parameter).collect::<Result<_, _>>()?,
            },
            THRESHOLD => {
                let left = places.len();
                places.push(place(at(index + 2)?)?);
                places.push(place(at(index + 3)?)?);
                Node::Split {
                    column: place(at(index + 4)?)?,
                    threshold: parameter(1)?,
                    left,
                    right: left + 1,
                }
            }
            other => {
                return Err(format!(
                    "has a node of type {other:#x}; only thresholds and leaves are known"
                ));
            }
        });
    }
    Tree::new(nodes).map_err(|e| format!("is damaged: {e}"))
}
