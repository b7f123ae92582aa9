//! Images that are in the container already.

use std::sync::Arc;

use image_io::{Pixels, with_pixels};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Item, JobIo};
use crate::error::Failure;
use crate::graph::{Bindings, Scope};
use crate::kind::{ImageOperation, KindInfo, image_kind, schema_of};
use crate::port::{Holds, Port};

/// Parameters of `given.images`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Images {}

pub(super) static IMAGES: KindInfo = KindInfo {
    name: "given.images",
    version: 1,
    scope: Scope::ImageSet,
    about: "Takes images that another program, such as BatchLib, left in the container of the image set",
    inputs: &[],
    outputs: &[
        Port::many("images", Holds::Image, "planes of intensities")
            .optional()
            .unpaired(),
        Port::many(
            "masks",
            Holds::Mask,
            "planes that are true where they are not 0",
        )
        .optional()
        .unpaired(),
        Port::many("labels", Holds::Labels, "label images")
            .optional()
            .unpaired(),
    ],
    schema: schema_of::<Images>,
    compile: image_kind::<Images>,
};

/// What an output port makes of a plane.
type Make = fn(&str, &Pixels) -> Result<Item, Failure>;

impl ImageOperation for Images {
    fn run(&self, io: &mut JobIo<'_>) -> Result<(), Failure> {
        let ports: [(&str, Make); 3] = [
            ("images", |_, pixels| {
                Ok(Item::Image(Arc::new(pixels.clone())))
            }),
            ("masks", |_, pixels| Ok(mask(pixels))),
            ("labels", labels),
        ];
        for (port, make) in ports {
            for (index, name) in io.output_names(port).into_iter().enumerate() {
                let Some(stored) = io.stored_image(&name) else {
                    return Err(Failure::permanent(
                        "not-given",
                        format!("the container of `{}` has no image `{name}`", io.set_name()),
                        "put the container that has it into the plate's results folder under the name of the first image file, then requeue",
                    ));
                };
                let item = make(&name, &stored.read_image(&name, 0)?)?;
                io.put_nth(port, index, item);
                io.leave_stored(&name);
            }
        }
        Ok(())
    }

    fn check(&self, _inputs: &Bindings, outputs: &Bindings) -> Vec<String> {
        if outputs.is_empty() {
            vec!["names no images: write output = { images = [\"…\"] }".to_owned()]
        } else {
            Vec::new()
        }
    }
}

fn mask(pixels: &Pixels) -> Item {
    fn set<T: Copy + Default + PartialEq>(a: &ndarray::Array2<T>) -> ndarray::Array2<bool> {
        a.mapv(|v| v != T::default())
    }
    Item::Mask(Arc::new(with_pixels!(pixels, a => set(a))))
}

fn labels(name: &str, pixels: &Pixels) -> Result<Item, Failure> {
    pixels
        .to_labels()
        .map(|labels| Item::Labels(Arc::new(labels)))
        .ok_or_else(|| {
            Failure::permanent(
                "not-labels",
                format!("`{name}` in the container holds values that are no labels (whole numbers from 0 to 4294967295)"),
                "name it under `images`, or have it made again",
            )
        })
}
