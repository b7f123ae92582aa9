//! BatchLib's `channel_mapping.json`: which role each microscope channel has on a plate.
//!
//! One JSON object from microscope name to role; `null` drops the channel. Roles start with `nuclei`, `serum`, `marker`
//! or `cells` (`serum_IgG`), as BatchLib's `Preprocess` demands.

use std::fmt;
use std::path::Path;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::foreign;
use crate::{Error, Result};

/// The file's name in a plate's folder.
pub const FILE_NAME: &str = "channel_mapping.json";

const ROLES: [&str; 4] = ["nuclei", "serum", "marker", "cells"];
/// The largest mapping that is read: real ones have some hundred bytes.
const LIMIT: u64 = 64 << 10;
/// No microscope has so many channels. Each is compared with all before it.
const MOST_CHANNELS: usize = 1000;

/// Microscope channels and their roles, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelMapping {
    channels: Vec<(String, Option<String>)>,
}

impl ChannelMapping {
    /// Reads `channel_mapping.json` of a plate's folder.
    ///
    /// # Errors
    /// [`Error::MappingMissing`], [`Error::BadMapping`] (no JSON object of strings and nulls, a channel or a role twice),
    /// [`Error::UnknownRole`] and [`Error::Io`].
    pub fn read(plate_folder: &Path) -> Result<Self> {
        let path = plate_folder.join(FILE_NAME);
        let bytes = foreign::read_limited(&path, LIMIT).map_err(|refused| match refused {
            Ok(bytes) => Error::TooLarge {
                path: path.clone(),
                bytes,
                limit: LIMIT,
            },
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                Error::MappingMissing { path: path.clone() }
            }
            Err(source) => Error::Io {
                doing: "read",
                path: path.clone(),
                source,
            },
        })?;
        Self::parse(&path, &bytes)
    }

    /// Reads the content of a `channel_mapping.json`; `path` is named in errors.
    ///
    /// # Errors
    /// As [`ChannelMapping::read`], without those of the file.
    pub fn parse(path: &Path, json: &[u8]) -> Result<Self> {
        let bad = |why: String| Error::BadMapping {
            path: path.to_path_buf(),
            why,
        };
        let mapping: Self = serde_json::from_slice(json).map_err(|error| bad(error.to_string()))?;
        for (index, (channel, role)) in mapping.channels.iter().enumerate() {
            let Some(role) = role else {
                continue;
            };
            if !ROLES.iter().any(|start| role.starts_with(start)) {
                return Err(Error::UnknownRole {
                    path: path.to_path_buf(),
                    channel: channel.clone(),
                    role: role.clone(),
                });
            }
            // A role names an image in the container.
            if role.contains(['/', '\0']) {
                return Err(bad(format!(
                    "the role `{role}` of {channel} is no plain name"
                )));
            }
            if let Some((other, _)) = mapping.channels[..index]
                .iter()
                .find(|(_, r)| r.as_ref() == Some(role))
            {
                return Err(bad(format!(
                    "{other} and {channel} both have the role `{role}`"
                )));
            }
        }
        Ok(mapping)
    }

    /// The role of a microscope channel; `None` for one that is dropped.
    ///
    /// # Errors
    /// [`Error::ChannelNotMapped`] for a channel that is not in the file.
    pub fn role(&self, channel: &str) -> Result<Option<&str>> {
        match self.channels.iter().find(|(name, _)| name == channel) {
            Some((_, role)) => Ok(role.as_deref()),
            None => Err(Error::ChannelNotMapped {
                channel: channel.to_owned(),
                known: self
                    .channels
                    .iter()
                    .map(|(name, _)| &**name)
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    /// Microscope channels and their roles, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.channels
            .iter()
            .map(|(channel, role)| (&**channel, role.as_deref()))
    }
}

/// Checks that all images of a plate have the same channels in the same order, as BatchLib does.
///
/// # Errors
/// [`Error::InconsistentChannels`] with the first image that differs from the first one.
pub fn same_channels<'a>(images: impl IntoIterator<Item = (&'a Path, &'a [String])>) -> Result<()> {
    let mut images = images.into_iter();
    let Some((first_in, first)) = images.next() else {
        return Ok(());
    };
    match images.find(|(_, channels)| *channels != first) {
        None => Ok(()),
        Some((found_in, found)) => Err(Error::InconsistentChannels {
            first_in: first_in.to_path_buf(),
            first: first.join(","),
            found_in: found_in.to_path_buf(),
            found: found.join(","),
        }),
    }
}

impl Serialize for ChannelMapping {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.channels.len()))?;
        for (channel, role) in &self.channels {
            map.serialize_entry(channel, role)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ChannelMapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = ChannelMapping;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object from microscope channel to role or null")
            }

            // A map type would lose the order of the file and keep the last of two equal keys without a word.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ChannelMapping, A::Error> {
                let mut channels: Vec<(String, Option<String>)> = Vec::new();
                while let Some((channel, role)) = map.next_entry::<String, Option<String>>()? {
                    if channels.iter().any(|(name, _)| *name == channel) {
                        return Err(serde::de::Error::custom(format!(
                            "the channel `{channel}` is there twice"
                        )));
                    }
                    if channels.len() >= MOST_CHANNELS {
                        return Err(serde::de::Error::custom(format!(
                            "it has more than {MOST_CHANNELS} channels"
                        )));
                    }
                    channels.push((channel, role));
                }
                Ok(ChannelMapping { channels })
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(json: &str) -> Result<ChannelMapping> {
        ChannelMapping::parse(Path::new("p/channel_mapping.json"), json.as_bytes())
    }

    #[test]
    fn roles_and_dropped_channels() {
        let json = r#"{"DAPI":"nuclei","WF_GFP":"marker","TRITC":"serum_IgG","WF_Cy5":null}"#;
        let mapping = parse(json).unwrap();
        assert_eq!(mapping.role("TRITC").unwrap(), Some("serum_IgG"));
        assert_eq!(mapping.role("WF_Cy5").unwrap(), None);
        let error = mapping.role("DIA").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the channel `DIA` is not in the channel mapping (it has DAPI, WF_GFP, TRITC, WF_Cy5)"
        );
        assert_eq!(serde_json::to_string(&mapping).unwrap(), json);
        assert_eq!(mapping.iter().next(), Some(("DAPI", Some("nuclei"))));
    }

    #[test]
    fn errors_name_the_file_and_the_channel() {
        for (json, part) in [
            (r#"{"DAPI":"nucleus"}"#, "`DAPI` has the role `nucleus`"),
            (
                r#"{"A":"nuclei","B":"nuclei"}"#,
                "A and B both have the role `nuclei`",
            ),
            (r#"{"A":"nuclei","A":null}"#, "`A` is there twice"),
            (r#"{"A":"nuclei/../../a"}"#, "no plain name"),
            (r#"{"A":3}"#, "expected a string"),
            ("[]", "an object from microscope channel"),
            ("{", "EOF"),
        ] {
            let error = parse(json).unwrap_err().to_string();
            assert!(
                error.contains(part) && error.contains("p/channel_mapping.json"),
                "{error}"
            );
        }
        let dir = tempfile::tempdir().unwrap();
        let error = ChannelMapping::read(dir.path()).unwrap_err();
        assert!(
            matches!(error, Error::MappingMissing { .. })
                && error.to_string().contains("channel_mapping.json")
        );
    }

    #[test]
    fn images_with_other_channels_are_found() {
        let (a, b) = (
            vec!["DAPI".to_owned(), "TRITC".to_owned()],
            vec!["TRITC".to_owned()],
        );
        let (x, y) = (Path::new("x.tiff"), Path::new("y.tiff"));
        same_channels([(x, &*a), (y, &*a)]).unwrap();
        same_channels([]).unwrap();
        let error = same_channels([(x, &*a), (y, &*b)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "y.tiff has the channels TRITC, but x.tiff has DAPI,TRITC"
        );
    }
}
