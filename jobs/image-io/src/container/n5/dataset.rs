//! What `attributes.json` says of a dataset.

use serde_json::{Map, Value, json};

use crate::PixelType;

/// More axes than any image or table has.
const MOST_AXES: usize = 8;
/// Keys that describe the dataset; all others are attributes.
const KEYS: [&str; 4] = ["dimensions", "blockSize", "dataType", "compression"];
/// Attribute with the number of blocks. By the format a block that is missing holds zeros; with this, half a copy is told from
/// a dark image.
const BLOCKS: &str = "wellspring_blocks";

/// How the blocks are compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compression {
    Raw,
    Gzip,
    /// A zlib stream without gzip's head.
    Zlib,
    /// One that is not read here.
    Other(String),
}

impl Compression {
    fn of(value: &Value) -> Self {
        // Version 1 of the format has a text `compressionType` instead; nobody writes it any more.
        let kind = value["type"].as_str().unwrap_or("unknown");
        match kind {
            "raw" => Self::Raw,
            "gzip" if value["useZlib"] == true => Self::Zlib,
            "gzip" => Self::Gzip,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Form of a dataset. Axes are in our order, slowest first: (y, x).
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Length of each axis.
    pub shape: Vec<u64>,
    /// Length of a block along each axis, at least 1.
    pub block: Vec<u64>,
    /// Name of the element type.
    pub data_type: String,
    /// The element type, if it is one of numbers.
    pub pixel_type: Option<PixelType>,
    /// How blocks are compressed.
    pub compression: Compression,
    /// Level of the compression, where it says so.
    pub level: Option<i64>,
    /// Number of blocks that there must be.
    pub blocks: Option<u64>,
}

impl Dataset {
    /// A dataset to be written.
    pub fn new(pixel_type: PixelType, shape: &[usize], block: &[usize]) -> Self {
        let shape: Vec<u64> = shape.iter().map(|n| *n as u64).collect();
        let block: Vec<u64> = block.iter().map(|n| (*n).max(1) as u64).collect();
        let blocks = shape.iter().zip(&block).map(|(n, b)| n.div_ceil(*b));
        Self {
            blocks: Some(blocks.product()),
            data_type: pixel_type.name().to_owned(),
            pixel_type: Some(pixel_type),
            compression: Compression::Gzip,
            level: Some(super::block::LEVEL.into()),
            shape,
            block,
        }
    }

    /// Reads a description; `None` if it is that of a group.
    ///
    /// # Errors
    /// Why it cannot be understood.
    pub fn of(attributes: &Map<String, Value>) -> Result<Option<Self>, String> {
        let Some(dimensions) = attributes.get("dimensions") else {
            return Ok(None);
        };
        let axes = |value: &Value, least: u64| -> Option<Vec<u64>> {
            let list = value.as_array().filter(|l| l.len() <= MOST_AXES)?;
            // The format counts in signed numbers.
            let length = |v: &Value| v.as_u64().filter(|n| (least..=i64::MAX as u64).contains(n));
            list.iter().rev().map(length).collect()
        };
        let value = |key: &str| attributes.get(key).unwrap_or(&Value::Null);
        let shape = axes(dimensions, 0).ok_or_else(|| format!("dimensions {dimensions}"))?;
        let block = axes(value("blockSize"), 1)
            .filter(|b| b.len() == shape.len() && !b.is_empty())
            .ok_or_else(|| format!("blocks of {} in {dimensions}", value("blockSize")))?;
        let data_type = value("dataType").as_str().unwrap_or("unknown").to_owned();
        Ok(Some(Self {
            pixel_type: PixelType::ALL.into_iter().find(|t| t.name() == data_type),
            data_type,
            compression: Compression::of(value("compression")),
            level: value("compression")["level"].as_i64(),
            blocks: value(BLOCKS).as_u64(),
            shape,
            block,
        }))
    }

    /// The description as it is written.
    pub fn to_json(&self) -> Map<String, Value> {
        let reversed = |axes: &[u64]| -> Value { axes.iter().rev().copied().collect() };
        let compression = match self.compression {
            Compression::Raw => json!({ "type": "raw" }),
            _ => {
                json!({ "type": "gzip", "level": self.level, "useZlib": self.compression == Compression::Zlib })
            }
        };
        let mut map = Map::new();
        map.insert("dimensions".to_owned(), reversed(&self.shape));
        map.insert("blockSize".to_owned(), reversed(&self.block));
        map.insert("dataType".to_owned(), self.data_type.as_str().into());
        map.insert("compression".to_owned(), compression);
        if let Some(blocks) = self.blocks {
            map.insert(BLOCKS.to_owned(), blocks.into());
        }
        map
    }

    /// Whether a key of `attributes.json` describes the dataset.
    pub fn is_key(key: &str) -> bool {
        KEYS.contains(&key) || key == BLOCKS
    }

    /// Bytes of all elements; `None` if that is more than can be counted or the type is not known.
    pub fn bytes(&self) -> Option<u64> {
        let size = self.pixel_type?.size() as u64;
        self.shape.iter().try_fold(size, |n, e| n.checked_mul(*e))
    }

    /// Bytes of a whole block.
    pub fn block_bytes(&self) -> Option<u64> {
        let size = self.pixel_type?.size() as u64;
        self.block.iter().try_fold(size, |n, e| n.checked_mul(*e))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(text: &str) -> Result<Option<Dataset>, String> {
        Dataset::of(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_description_comes_back() {
        let dataset = Dataset::new(PixelType::U16, &[60, 70], &[32, 64]);
        let json = dataset.to_json();
        assert_eq!(json["dimensions"], json!([70, 60]));
        assert_eq!(json["blockSize"], json!([64, 32]));
        assert_eq!(json["dataType"], "uint16");
        assert_eq!(json["wellspring_blocks"], 4);
        assert_eq!(Dataset::of(&json).unwrap(), Some(dataset));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(of("{\"Color\": \"White\"}"), Ok(None));
        for text in [
            r#"{"dimensions": 3}"#,
            r#"{"dimensions": [], "blockSize": []}"#,
            r#"{"dimensions": [-1], "blockSize": [1]}"#,
            r#"{"dimensions": [1], "blockSize": [0]}"#,
            r#"{"dimensions": [1, 2], "blockSize": [1]}"#,
            r#"{"dimensions": [1, 1, 1, 1, 1, 1, 1, 1, 1], "blockSize": [1, 1, 1, 1, 1, 1, 1, 1, 1]}"#,
        ] {
            assert!(of(text).is_err(), "{text}");
        }
        let strange = of(r#"{"dimensions": [1], "blockSize": [1], "dataType": "string"}"#);
        assert_eq!(strange.unwrap().unwrap().pixel_type, None);
        let huge = of(r#"{"dimensions": [9e18], "blockSize": [1]}"#);
        assert!(huge.is_err(), "{huge:?}");
    }
}
