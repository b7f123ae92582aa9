//! The job kinds, one file each group. A new kind is a file here and a line in [`ALL`].

mod channels;
mod correct;
mod declump;
mod filter;
mod illumination;
mod instances;
mod labels;
mod mask;
mod measure;
mod network;
mod propagate;
mod seeds;
mod summarise;
mod threshold;
mod watershed;

use crate::kind::KindInfo;

/// Every job kind, in the order of the reference.
pub const ALL: &[&KindInfo] = &[
    &channels::CHANNELS,
    &illumination::FUNCTION,
    &correct::ILLUMINATION,
    &correct::FLAT_FIELD,
    &filter::GAUSSIAN,
    &threshold::THRESHOLD,
    &mask::FILL_HOLES,
    &mask::OPEN,
    &mask::REMOVE_SMALL,
    &mask::DISTANCE,
    &seeds::PEAKS,
    &seeds::H_MAXIMA,
    &watershed::WATERSHED,
    &declump::DECLUMP,
    &propagate::PROPAGATE,
    &labels::CLEAR_BORDER,
    &labels::FILTER_SIZE,
    &network::NETWORK,
    &instances::STARDIST,
    &instances::INSTANSEG,
    &measure::OBJECTS,
    &summarise::OBJECTS,
];
