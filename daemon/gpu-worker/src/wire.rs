//! A classifier as bytes: JSON, with thresholds and shares as the bits of their numbers, so that nothing is rounded.

use analysis::forest::Node;
use analysis::pixel_classification::Classifier;
use analysis::pixel_features::Feature;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Wire {
    order: Vec<usize>,
    /// Sigma, whether slice by slice, features.
    scales: Vec<(u64, bool, Vec<usize>)>,
    forests: Vec<WireForest>,
    channel_of_class: Vec<usize>,
    channels: usize,
}

#[derive(Serialize, Deserialize)]
struct WireForest {
    columns: usize,
    classes: usize,
    weighted: bool,
    trees: Vec<Vec<WireNode>>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WireNode {
    /// Column, threshold, left, right.
    Split(usize, u64, usize, usize),
    /// Weight, shares of the classes.
    Leaf(u64, Vec<u64>),
}

fn index_of(feature: Feature) -> usize {
    let all = Feature::ALL.iter();
    all.clone().position(|f| *f == feature).unwrap_or(all.len())
}

/// A classifier's bytes: the same for equal classifiers.
pub(crate) fn encode(classifier: &Classifier) -> serde_json::Result<Vec<u8>> {
    let selection = classifier.selection();
    let node = |node: &Node| match node {
        Node::Split {
            column,
            threshold,
            left,
            right,
        } => WireNode::Split(*column, threshold.to_bits(), *left, *right),
        Node::Leaf {
            weight,
            probabilities,
        } => WireNode::Leaf(
            weight.to_bits(),
            probabilities.iter().map(|p| p.to_bits()).collect(),
        ),
    };
    let forests = classifier.forests().forests().iter().map(|f| WireForest {
        columns: f.columns(),
        classes: f.classes(),
        weighted: f.weighted(),
        trees: f
            .trees()
            .iter()
            .map(|t| t.nodes().iter().map(node).collect())
            .collect(),
    });
    let scales = selection.scales().iter().map(|s| {
        let features = s.features.iter().map(|f| index_of(*f));
        (s.sigma.to_bits(), s.in_2d, features.collect())
    });
    serde_json::to_vec(&Wire {
        order: selection.order().iter().map(|f| index_of(*f)).collect(),
        scales: scales.collect(),
        forests: forests.collect(),
        channel_of_class: classifier.channel_of_class().to_vec(),
        channels: classifier.channels(),
    })
}

/// The classifier of such bytes; only the process that holds the device asks.
///
/// # Errors
/// In words, for bytes that are none.
#[cfg(feature = "gpu")]
pub(crate) fn decode(bytes: &[u8]) -> Result<Classifier, String> {
    use analysis::forest::{Ensemble, Forest, Tree};
    use analysis::pixel_features::{Scale, Selection};

    let wire: Wire = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let feature = |index: &usize| {
        let known = Feature::ALL.get(*index).copied();
        known.ok_or_else(|| format!("unknown feature {index}"))
    };
    let scales = wire.scales.iter().map(|(sigma, in_2d, features)| {
        Ok(Scale {
            sigma: f64::from_bits(*sigma),
            in_2d: *in_2d,
            features: features
                .iter()
                .map(feature)
                .collect::<Result<_, String>>()?,
        })
    });
    let order = wire.order.iter().map(feature).collect::<Result<_, _>>()?;
    let selection =
        Selection::new(order, scales.collect::<Result<_, String>>()?).map_err(|e| e.to_string())?;
    let node = |node: WireNode| match node {
        WireNode::Split(column, threshold, left, right) => Node::Split {
            column,
            threshold: f64::from_bits(threshold),
            left,
            right,
        },
        WireNode::Leaf(weight, shares) => Node::Leaf {
            weight: f64::from_bits(weight),
            probabilities: shares.into_iter().map(f64::from_bits).collect(),
        },
    };
    let mut forests = Vec::new();
    for forest in wire.forests {
        let trees = forest.trees.into_iter();
        let trees = trees.map(|nodes| Tree::new(nodes.into_iter().map(node).collect()));
        let trees = trees.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        let made = Forest::new(trees, forest.columns, forest.classes, forest.weighted);
        forests.push(made.map_err(|e| e.to_string())?);
    }
    let forests = Ensemble::new(forests).map_err(|e| e.to_string())?;
    Classifier::new(selection, forests, wire.channel_of_class, wire.channels)
        .map_err(|e| e.to_string())
}
