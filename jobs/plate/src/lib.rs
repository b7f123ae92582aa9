//! The vocabulary of a screening plate: well names, what file names mean, vendor manifests, and when a plate is complete.
//!
//! This crate reads names and small text files; it never opens an image, a database or a socket, and it stands on no
//! other crate of the workspace.
//!
//! | question | where the answer is |
//! |---|---|
//! | which well is `a1`? | [`WellName`] |
//! | which plate has these wells? | [`PlateFormat`] |
//! | what does this file name say? | [`NamingScheme::parse`] |
//! | what will the microscope still write? | [`manifest::read`] |
//! | has the plate all it will get? | [`complete::decide`] |
//! | does this scheme fit this folder? | [`survey()`], [`guess`] |
//! | which role has this microscope channel? | [`ChannelMapping`] |
//! | how is a file opened that a stranger put there? | [`foreign`] |
//! | how is a path that is not UTF-8 kept in JSON? | [`portable`] |

pub mod channel_mapping;
pub mod complete;
mod error;
pub mod foreign;
mod format;
pub mod manifest;
pub mod naming;
pub mod portable;
pub mod survey;
mod well;

pub use channel_mapping::ChannelMapping;
pub use complete::{CompleteRule, Decision, Facts, Layout, ManifestFacts, decide};
pub use error::{Error, ErrorClass, Result};
pub use format::PlateFormat;
pub use manifest::{ExpectedPlane, Manifest, ManifestChannel, ManifestKind};
pub use naming::{
    NamingScheme, ParsedName, PlaneKey, PresetInfo, Verdict, is_image_name, junk_rule, presets,
};
pub use survey::{Guess, NamesReport, guess, survey};
pub use well::WellName;
