//! Neural networks that give maps of the image's size.

mod outputs;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use image_io::Pixels;
use ndarray::Axis;
use networks::normalise::Steps;
use networks::{Blend, Model, Options, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `predict.network`. What is absent comes from the sidecar, else from the ONNX file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Network {
    /// ONNX file; relative to the workflow file.
    model: PathBuf,
    /// Sidecar; relative to the workflow file. Absent: the one beside the model.
    #[serde(default)]
    sidecar: Option<PathBuf>,
    /// The network's output to take, by its name in the file; absent: the first.
    #[serde(default)]
    network_output: Option<String>,
    /// Names of the channels of that output, in order. Each output of the job is the channel of its name; channels that no
    /// output names are dropped.
    #[serde(default)]
    channels: Option<Vec<String>>,
    /// What is done with the whole image first: a step's name, a table, or a list of them, for example `"standardise"` or
    /// `{ name = "percentile", min_percentile = 1, max_percentile = 99.8 }`.
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Value>")]
    normalise: Option<Steps>,
    /// What is done with what comes out, for example `"sigmoid"` or `"softmax"`.
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Value>")]
    activation: Option<Steps>,
    /// A mask is true above this.
    #[serde(default = "half")]
    threshold: f64,
    /// Thresholds of single masks, by name.
    #[serde(default)]
    thresholds: BTreeMap<String, f64>,
    /// Height and width of a tile in pixels, without what overlaps; an image up to a quarter larger is run whole. Absent: the
    /// sidecar's, else 1024.
    #[serde(default)]
    tile: Option<usize>,
    /// Pixels around a tile that are computed and not used (`crop`) or mixed (`feather`). Absent: as far as the network looks.
    #[serde(default)]
    overlap: Option<usize>,
    /// How tiles are joined: `crop` or `feather`.
    #[serde(default)]
    #[schemars(with = "String")]
    blend: Blend,
    /// Height and width are padded to a multiple of this.
    #[serde(default)]
    multiple: Option<usize>,
    /// How many tiles are run together.
    #[serde(default = "one")]
    batch: usize,
}

const fn half() -> f64 {
    0.5
}

const fn one() -> usize {
    1
}

pub(super) static NETWORK: KindInfo = KindInfo {
    name: "predict.network",
    version: 1,
    scope: Scope::ImageSet,
    about: "Runs a neural network from an ONNX file; float32 maps, and masks above a threshold (BatchLib TorchPrediction)",
    inputs: &[Port::many(
        "images",
        Holds::Image,
        "the network's input channels, in its order",
    )],
    outputs: &[
        Port::many(
            "images",
            Holds::Image,
            "channels of the network's output, float32",
        )
        .unpaired()
        .optional(),
        Port::many(
            "masks",
            Holds::Mask,
            "channels of the network's output, true above the threshold",
        )
        .unpaired()
        .optional(),
    ],
    schema: schema_of::<Network>,
    compile: image_kind::<Network>,
};

impl ImageOperation for Network {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let options = Options {
            sidecar: self.sidecar.clone(),
            ..Options::default()
        };
        let model = Model::open(&self.model, &options)?;
        io.note("engine", model.engine());
        let planes = io
            .names("images")
            .iter()
            .map(|name| io.float_named(name))
            .collect::<Result<Vec<_>, _>>()?;
        let views: Vec<_> = planes.iter().map(|p| p.view()).collect();
        let maps = networks::predict(&model, &views, &self.plan())?;
        let (images, masks) = (io.output_names("images"), io.output_names("masks"));
        let names = self.channel_names(&model);
        let places = outputs::places(&names, maps.dim().0, &images, &masks)?;
        for (i, channel) in places.images.iter().enumerate() {
            let map = maps.index_axis(Axis(0), *channel).to_owned();
            io.put_nth("images", i, Item::Image(Arc::new(Pixels::F32(map))));
        }
        for (i, channel) in places.masks.iter().enumerate() {
            let threshold = self
                .thresholds
                .get(&masks[i])
                .copied()
                .unwrap_or(self.threshold);
            let mask = maps
                .index_axis(Axis(0), *channel)
                .mapv(|v| f64::from(v) > threshold);
            io.put_nth("masks", i, Item::Mask(Arc::new(mask)));
        }
        Ok(())
    }

    fn files(&self) -> Vec<PathBuf> {
        networks::files(&self.model, self.sidecar.as_deref())
    }

    fn check(&self, _inputs: &Bindings, bound: &Bindings) -> Vec<String> {
        let names = |port| bound.get(port).cloned().unwrap_or_default();
        let (images, masks) = (names("images"), names("masks"));
        let mut wrong = Vec::new();
        if images.is_empty() && masks.is_empty() {
            wrong.push("needs an output: `images`, `masks` or both".to_owned());
        }
        if let Some(channels) = &self.channels
            && let Err(failure) = outputs::places(channels, channels.len(), &images, &masks)
        {
            wrong.push(failure.message);
        }
        if let Some(name) = self.thresholds.keys().find(|n| !masks.contains(n)) {
            wrong.push(format!(
                "`thresholds` names `{name}`, which is no output of the port `masks`"
            ));
        }
        for (name, value) in [
            ("tile", self.tile),
            ("multiple", self.multiple),
            ("batch", Some(self.batch)),
        ] {
            if value.is_some_and(|v| !(1..=1 << 14).contains(&v)) {
                wrong.push(format!("`{name}` must be between 1 and {}", 1 << 14));
            }
        }
        if self.overlap.is_some_and(|o| o > 1 << 12) {
            wrong.push(format!("`overlap` must be at most {}", 1 << 12));
        }
        wrong
    }

    fn warnings(&self) -> Vec<String> {
        let options = Options {
            sidecar: self.sidecar.clone(),
            ..Options::default()
        };
        match Model::open(&self.model, &options) {
            // The workers may have another engine, which has them.
            Ok(_) | Err(networks::Error::Operators { .. }) => Vec::new(),
            Err(error) => vec![format!("{error}; {}", error.remedy())],
        }
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("TorchPrediction")
    }
}

impl Network {
    fn plan(&self) -> Plan {
        Plan {
            tile: self.tile,
            halo: self.overlap.map(|o| [o; 2]),
            multiple: self.multiple.map(|m| [m; 2]),
            blend: self.blend,
            batch: self.batch,
            normalisation: self.normalise.clone(),
            activation: self.activation.clone(),
            output: self.network_output.clone(),
        }
    }

    /// The workflow's names of the output's channels, else the sidecar's.
    fn channel_names(&self, model: &Model) -> Vec<String> {
        let description = model.description();
        let output = match &self.network_output {
            Some(name) => description.output(name),
            None => description.outputs.first(),
        };
        match &self.channels {
            Some(names) => names.clone(),
            None => output.map(|o| o.channel_names.clone()).unwrap_or_default(),
        }
    }
}
