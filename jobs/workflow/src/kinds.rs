//! The job kinds, one file each group. A new kind is a file here and a line in [`ALL`].

mod background;
mod cell_level;
mod cells;
mod cells_of_image;
mod channels;
mod combine;
pub(crate) mod command;
mod correct;
mod declump;
mod export_tables;
mod features;
mod filter;
mod gather;
mod given;
mod grey;
mod heatmap;
mod ilastik;
mod illumination;
mod infected;
mod instances;
mod labels;
mod mask;
mod measure;
mod merge;
mod network;
mod pixel_level;
mod plate_view;
mod propagate;
mod quality;
mod report_summary;
mod reshape;
mod seeds;
mod side_file;
mod summarise;
mod summary_images;
mod threshold;
mod two_levels;
mod watershed;

use crate::kind::KindInfo;

/// Every job kind, in the order of the reference.
pub const ALL: &[&KindInfo] = &[
    &channels::CHANNELS,
    &given::IMAGES,
    &illumination::FUNCTION,
    &correct::ILLUMINATION,
    &correct::FLAT_FIELD,
    &filter::GAUSSIAN,
    &grey::OPENING,
    &grey::WHITE_TOPHAT,
    &threshold::THRESHOLD,
    &two_levels::TWO_LEVELS,
    &mask::FILL_HOLES,
    &mask::OPEN,
    &mask::CLOSE,
    &mask::REMOVE_SMALL,
    &mask::DISTANCE,
    &seeds::PEAKS,
    &seeds::H_MAXIMA,
    &watershed::WATERSHED,
    &declump::DECLUMP,
    &propagate::PROPAGATE,
    &reshape::VORONOI_RING,
    &labels::CLEAR_BORDER,
    &labels::FILTER_SIZE,
    &labels::SIZE_MASK,
    &reshape::ERODE,
    &reshape::EDGES,
    &ilastik::ILASTIK,
    &network::NETWORK,
    &instances::STARDIST,
    &instances::INSTANSEG,
    &measure::OBJECTS,
    &features::PROPERTIES,
    &features::INSTANCES,
    &pixel_level::PIXEL_LEVEL,
    &summarise::OBJECTS,
    &background::EXTRACT,
    &background::REFERENCE,
    &background::SUBTRACT,
    &infected::INFECTED,
    &quality::CELLS,
    &quality::IMAGES,
    &quality::WELLS,
    &cell_level::CELL_LEVEL,
    &summary_images::SUMMARY_IMAGES,
    &merge::MERGE,
    &combine::COMBINE,
    &gather::GATHER,
    &heatmap::HEATMAP,
    &export_tables::TABLES,
    &report_summary::SUMMARY,
    &command::COMMAND,
];
