//! One output of many regions.

use image_io::Pixels;
use ndarray::Array2;

use super::labels;
use super::regions::{self, Region};
use super::results::Output;
use crate::error::Failure;
use crate::port::Holds;

/// Puts the outputs of all regions together.
pub(super) fn stitch(
    outputs: &[(String, Holds)],
    shape: (usize, usize),
    all: &[Region],
    mut made: Vec<Vec<Output>>,
) -> Result<Vec<Output>, Failure> {
    if all.len() == 1 {
        return Ok(made.pop().unwrap_or_default());
    }
    let mut whole = Vec::with_capacity(outputs.len());
    for (number, (name, _)) in outputs.iter().enumerate() {
        let parts = || made.iter().filter_map(|of_region| of_region.get(number));
        let mut image: Option<Pixels> = None;
        let mut mask: Option<Array2<bool>> = None;
        let mut of_labels = Vec::new();
        for (part, region) in parts().zip(all) {
            match part {
                Output::Image(part) => {
                    let whole = image.get_or_insert_with(|| regions::empty(part, shape));
                    regions::place(whole, part, region).map_err(|why| {
                        Failure::permanent(
                            "bad-output",
                            format!("{}: output `{name}`: {why}", region.describe()),
                            "have the program write one type for all regions",
                        )
                    })?;
                }
                Output::Mask(part) => {
                    let whole = mask.get_or_insert_with(|| Array2::from_elem(shape, false));
                    regions::place_array(whole, part, region);
                }
                Output::Labels(part) => of_labels.push(part.clone()),
                // The check refuses tables of regions.
                Output::Table(_) => {}
            }
        }
        whole.push(match (image, mask) {
            (Some(image), _) => Output::Image(image),
            (_, Some(mask)) => Output::Mask(mask),
            _ => Output::Labels(labels::merge(shape, all, &of_labels)),
        });
    }
    Ok(whole)
}
