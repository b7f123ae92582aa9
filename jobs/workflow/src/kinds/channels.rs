//! The raw channels themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::JobIo;
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// `preprocess.channels` has no parameters.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Channels {}

pub(super) static CHANNELS: KindInfo = KindInfo {
    name: "preprocess.channels",
    version: 1,
    scope: Scope::ImageSet,
    about: "Splits the acquisition's files into channels and stores each under its role (BatchLib Preprocess without a corrector)",
    inputs: &[Port::many(
        "images",
        Holds::Image,
        "channels to store; they must be readable",
    )],
    outputs: &[],
    schema: schema_of::<Channels>,
    compile: image_kind::<Channels>,
};

impl ImageOperation for Channels {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        // Raw channels that were read are stored when the pass is published.
        io.names("images")
            .iter()
            .try_for_each(|name| io.image_named(name).map(drop))
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("Preprocess")
    }
}
