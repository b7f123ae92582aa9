//! Images with the background of the plate taken away.

use std::sync::Arc;

use image_io::Pixels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo, Look};
use crate::error::Failure;
use crate::graph::Scope;
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::kinds::cells::{at_level, known, single};
use crate::port::{Holds, Port};

/// Parameters of `background.subtract`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Subtract {}

pub(in super::super) static SUBTRACT: KindInfo = KindInfo {
    name: "background.subtract",
    version: 1,
    scope: Scope::ImageSet,
    about: "Channels less the plate's background, float32 (BatchLib WriteBackgroundSubtractedImages)",
    inputs: &[
        Port::many("images", Holds::Image, "channels"),
        Port::one(
            "background",
            Holds::PlateTables,
            "plate table with a column <channel>_median for each",
        ),
    ],
    outputs: &[Port::many(
        "images",
        Holds::Image,
        "the channels, hidden at first; \"{}_background_subtracted\" names them as BatchLib does",
    )],
    schema: schema_of::<Subtract>,
    compile: image_kind::<Subtract>,
};

impl ImageOperation for Subtract {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let name = at_level("plate", &io.names("background").remove(0));
        let table = io.plate_table(&name)?;
        let outputs = io.output_names("images");
        for (index, (channel, output)) in io.names("images").iter().zip(outputs).enumerate() {
            let column = format!("{channel}_median");
            let background = known(single(&table, &name, &column)?, &name, &column)?;
            #[allow(clippy::cast_possible_truncation)]
            let background = background as f32;
            let plane = io.float_named(channel)?.mapv(|v| v - background);
            io.put_nth("images", index, Item::Image(Arc::new(Pixels::F32(plane))));
            io.set_look(
                &output,
                Look {
                    like: Some(channel.clone()),
                    nearest: false,
                },
            );
        }
        Ok(())
    }

    fn batchlib(&self) -> Option<&'static str> {
        Some("WriteBackgroundSubtractedImages")
    }
}
