//! Paths in JSON without loss: a string where the path is UTF-8, its bytes where it is not.
//!
//! ```
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Row {
//!     #[serde(with = "plate::portable")]
//!     path: std::path::PathBuf,
//! }
//! let json = serde_json::to_string(&Row { path: "a/b.tif".into() }).unwrap();
//! assert_eq!(json, r#"{"path":"a/b.tif"}"#);
//! ```
//! A path that is not UTF-8 becomes `{"path":{"bytes":[97,255]}}`. For a list of paths use `plate::portable::list`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Portable<'a> {
    Text(std::borrow::Cow<'a, str>),
    Bytes { bytes: std::borrow::Cow<'a, [u8]> },
}

impl<'a> From<&'a Path> for Portable<'a> {
    fn from(path: &'a Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.into()),
            None => Self::Bytes {
                bytes: path.as_os_str().as_bytes().into(),
            },
        }
    }
}

impl From<Portable<'_>> for PathBuf {
    fn from(portable: Portable<'_>) -> Self {
        match portable {
            Portable::Text(text) => Self::from(text.into_owned()),
            Portable::Bytes { bytes } => Self::from(OsString::from_vec(bytes.into_owned())),
        }
    }
}

/// Writes a path as a string or as `{"bytes": [...]}`.
///
/// # Errors
/// Only those of the serializer.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    Portable::from(path).serialize(serializer)
}

/// Reads what [`serialize`] wrote.
///
/// # Errors
/// When the value is neither a string nor `{"bytes": [...]}`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Portable::deserialize(deserializer).map(Into::into)
}

/// The same for `Vec<PathBuf>`.
pub mod list {
    use super::{Deserialize, Deserializer, PathBuf, Portable, Serializer};

    /// Writes each path as a string or as `{"bytes": [...]}`.
    ///
    /// # Errors
    /// Only those of the serializer.
    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().map(|path| Portable::from(path.as_path())))
    }

    /// Reads what [`serialize`] wrote.
    ///
    /// # Errors
    /// When an element is neither a string nor `{"bytes": [...]}`.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<PathBuf>, D::Error> {
        let list = Vec::<Portable<'_>>::deserialize(deserializer)?;
        Ok(list.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Row {
        #[serde(with = "super")]
        path: PathBuf,
        #[serde(with = "super::list")]
        more: Vec<PathBuf>,
    }

    #[test]
    fn text_stays_text_and_bytes_stay_bytes() {
        let odd = PathBuf::from(OsString::from_vec(b"a/\xff\n.tif".to_vec()));
        let row = Row {
            path: odd.clone(),
            more: vec!["ä b.tif".into(), odd],
        };
        let json = serde_json::to_string(&row).unwrap();
        assert_eq!(
            json,
            r#"{"path":{"bytes":[97,47,255,10,46,116,105,102]},"more":["ä b.tif",{"bytes":[97,47,255,10,46,116,105,102]}]}"#
        );
        assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), row);
        assert!(serde_json::from_str::<Row>(r#"{"path":3,"more":[]}"#).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes: Vec<u8>) {
            let row = Row { path: PathBuf::from(OsString::from_vec(bytes)), more: vec![] };
            let value = serde_json::to_value(&row).unwrap();
            prop_assert_eq!(serde_json::from_value::<Row>(value).unwrap(), row);
        }
    }
}
