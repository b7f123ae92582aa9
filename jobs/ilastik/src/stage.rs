//! One stage of a project: features, labels, forests.

use std::sync::{Arc, OnceLock};

use analysis::forest::Ensemble;
use analysis::pixel_classification::Classifier;
use analysis::pixel_features::{Feature, Scale, Selection};
use image_io::container::{Attribute, Tree};

use crate::error::{Error, Result};
use crate::forests;

/// No project has more scales, labels or features.
const MOST: usize = 1 << 16;

/// The table of features and scales that a user ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureTable {
    /// The rows, in the order of their columns.
    pub features: Vec<Feature>,
    /// The scales: sigma in pixels, and whether it is computed slice by slice (absent in old projects).
    pub scales: Vec<(f64, Option<bool>)>,
    /// What is ticked: for each feature, each scale.
    pub ticked: Vec<Vec<bool>>,
}

impl FeatureTable {
    /// The selection for images of one z-slice, or of several.
    ///
    /// # Errors
    /// If ilastik itself could not compute it.
    pub fn selection(&self, flat: bool) -> analysis::Result<Selection> {
        let scales = self.scales.iter().enumerate();
        let scales = scales
            .map(|(index, &(sigma, in_2d))| Scale {
                sigma,
                in_2d: in_2d.unwrap_or(flat),
                features: (self.features.iter().zip(&self.ticked))
                    .filter(|(_, ticked)| ticked[index])
                    .map(|(feature, _)| *feature)
                    .collect(),
            })
            .collect();
        Selection::new(self.features.clone(), scales)
    }

    /// How many boxes are ticked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ticked.iter().flatten().filter(|t| **t).count()
    }
}

/// One stage of a project.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What is ticked in its table of features; `None` if nothing was chosen.
    pub features: Option<FeatureTable>,
    /// Names of the labels, in the order of the output's channels.
    pub labels: Vec<String>,
    /// The trained forests; `None` if it was not trained.
    pub forests: Option<Ensemble>,
    /// Names of the feature columns, where the file has them.
    pub feature_names: Vec<String>,
    /// Label of each class of the forests, from 1.
    classes: Vec<usize>,
    /// Made when first needed, and then kept: for several z-slices, and for one.
    classifiers: [OnceLock<Arc<Classifier>>; 2],
}

impl Stage {
    /// Reads stage `index`, from 0; `None` if the project has no such stage.
    pub(crate) fn read(file: &Tree, index: usize) -> Result<Option<Self>> {
        let suffix = if index == 0 {
            String::new()
        } else {
            format!("{index:02}")
        };
        let (features, pixels) = (
            format!("FeatureSelections{suffix}"),
            format!("PixelClassification{suffix}"),
        );
        if !file.exists(&pixels)? {
            return Ok(None);
        }
        let trained = forests::read(file, &pixels)?;
        let mut labels = labels(file, &pixels)?;
        let (forests, classes, feature_names) = match trained {
            Some(t) => {
                // Labels that were removed after training still have their classes.
                for label in labels.len()..t.labels.iter().copied().max().unwrap_or(0) {
                    labels.push(format!("Label {}", label + 1));
                }
                (Some(t.forests), t.labels, t.feature_names)
            }
            None => (None, Vec::new(), Vec::new()),
        };
        Ok(Some(Self {
            features: feature_table(file, &features)?,
            labels,
            forests,
            feature_names,
            classes,
            classifiers: [const { OnceLock::new() }; 2],
        }))
    }

    /// The classifier for images with one z-slice (`flat`) or several.
    pub(crate) fn classifier(
        &self,
        flat: bool,
        untrained: impl Fn(&str) -> Error,
    ) -> Result<Arc<Classifier>> {
        let kept = &self.classifiers[usize::from(flat)];
        if let Some(classifier) = kept.get() {
            return Ok(Arc::clone(classifier));
        }
        let table = self
            .features
            .as_ref()
            .ok_or_else(|| untrained("has no features chosen"))?;
        let forests = self
            .forests
            .clone()
            .ok_or_else(|| untrained("has no trained classifier"))?;
        let selection = table
            .selection(flat)
            .map_err(|e| untrained(&format!("has features that cannot be computed: {e}")))?;
        let channels = self.classes.iter().map(|label| label - 1).collect();
        let made = Classifier::new(selection, forests, channels, self.labels.len())
            .map_err(|e| untrained(&format!("is damaged: {e}")))?;
        Ok(Arc::clone(kept.get_or_init(|| Arc::new(made))))
    }
}

fn feature_table(file: &Tree, group: &str) -> Result<Option<FeatureTable>> {
    let broken = |reason: &str| Error::Project {
        path: file.path().to_owned(),
        reason: reason.to_owned(),
        remedy: "choose the features again in ilastik, train and save".to_owned(),
    };
    if file.exists(&format!("{group}/FeatureListFilename"))? {
        return Err(broken(
            "takes its features from another file, which ilastik itself does not do any more",
        ));
    }
    if !file.exists(&format!("{group}/SelectionMatrix"))? {
        return Ok(None);
    }
    let names = file.texts(&format!("{group}/FeatureIds"), MOST)?;
    let sigmas = file.numbers(&format!("{group}/Scales"), MOST)?.to_f64();
    let matrix = file.numbers(&format!("{group}/SelectionMatrix"), MOST)?;
    if matrix.shape != [names.len(), sigmas.len()] {
        return Err(broken(
            "has a table of features of another size than its rows and columns",
        ));
    }
    let ticked: Vec<Vec<bool>> = matrix
        .to_f64()
        .chunks(sigmas.len().max(1))
        .map(|row| row.iter().map(|&v| v != 0.0).collect())
        .collect();
    let in_2d = format!("{group}/ComputeIn2d");
    let in_2d: Vec<Option<bool>> = if file.exists(&in_2d)? {
        let flags = file.numbers(&in_2d, MOST)?.to_f64();
        flags.iter().map(|&f| Some(f != 0.0)).collect()
    } else {
        vec![None; sigmas.len()]
    };
    if in_2d.len() != sigmas.len() {
        return Err(broken(
            "says of other scales than its own whether they are 2-D",
        ));
    }
    let features = names.iter().zip(&ticked).map(|(name, ticked)| {
        let known = Feature::ALL.into_iter().find(|f| f.id() == name);
        // A feature that nobody ticked does no harm.
        match known {
            Some(feature) => Ok(Some(feature)),
            None if !ticked.contains(&true) => Ok(None),
            None => Err(broken(&format!(
                "uses the feature `{name}`, which is not one of ilastik's own"
            ))),
        }
    });
    let features: Vec<Option<Feature>> = features.collect::<Result<_>>()?;
    let (features, ticked) = features
        .into_iter()
        .zip(ticked)
        .filter_map(|(feature, ticked)| Some((feature?, ticked)))
        .unzip();
    Ok(Some(FeatureTable {
        features,
        scales: sigmas.into_iter().zip(in_2d).collect(),
        ticked,
    }))
}

fn labels(file: &Tree, group: &str) -> Result<Vec<String>> {
    let name = format!("{group}/LabelNames");
    if !file.exists(&name)? {
        return Ok(Vec::new());
    }
    // An empty list is stored as one number that means nothing.
    if matches!(
        file.attribute(&name, "isEmpty")?,
        Some(Attribute::Bool(true) | Attribute::Int(1))
    ) {
        return Ok(Vec::new());
    }
    Ok(file.texts(&name, MOST)?)
}
