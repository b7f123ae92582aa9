//! The file of InstanSeg's pixel classifier.

use std::io::Read;
use std::path::Path;

use analysis::embedding::{Classifier, Layer};
use ndarray::Array2;
use serde_json::Value;

use crate::error::{Failure, FailureClass};

/// The released classifiers have 61 numbers.
const MAX_BYTES: u64 = 1 << 20;

fn bad(path: &Path, message: &str) -> Failure {
    Failure {
        class: FailureClass::Permanent,
        code: "bad-classifier".to_owned(),
        message: format!("`{}`: {message}", path.display()),
        remedy: "write the layers of the classifier as `fc1.weight` (a list of rows), `fc1.bias`, `fc2.weight`, …; docs/guide/nuclei-and-cells.md shows how".to_owned(),
        path: Some(path.display().to_string()),
    }
}

/// Reads the layers `fc1`, `fc2`, … of a JSON file: `fcN.weight` is a list of rows, one an output, `fcN.bias` a list.
pub(super) fn read(path: &Path) -> Result<Classifier, Failure> {
    let text = text(path)?;
    let file: Value = serde_json::from_str(&text).map_err(|e| bad(path, &e.to_string()))?;
    let keys = file
        .as_object()
        .ok_or_else(|| bad(path, "it holds no table"))?;
    let mut layers = Vec::new();
    loop {
        let name = format!("fc{}", layers.len() + 1);
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let (Some(rows), Some(biases)) = (file.get(&weight), file.get(&bias)) else {
            break;
        };
        let rows = rows
            .as_array()
            .ok_or_else(|| bad(path, &format!("`{weight}` is no list of rows")))?;
        let mut values = Vec::new();
        for row in rows {
            values.extend(numbers(row).ok_or_else(|| {
                bad(
                    path,
                    &format!("`{weight}` has a row that is no list of numbers"),
                )
            })?);
        }
        let width = values.len().checked_div(rows.len()).unwrap_or(0);
        if rows
            .iter()
            .any(|r| r.as_array().map(Vec::len) != Some(width))
        {
            return Err(bad(
                path,
                &format!("the rows of `{weight}` differ in length"),
            ));
        }
        let weight = Array2::from_shape_vec((rows.len(), width), values)
            .map_err(|e| bad(path, &format!("`{weight}`: {e}")))?;
        let bias =
            numbers(biases).ok_or_else(|| bad(path, &format!("`{bias}` is no list of numbers")))?;
        layers.push(Layer { weight, bias });
    }
    // Each layer has two keys; what is left over is not understood, and the result would be another classifier.
    if keys.len() != 2 * layers.len() {
        let known = |key: &String| {
            (1..=layers.len())
                .any(|n| *key == format!("fc{n}.weight") || *key == format!("fc{n}.bias"))
        };
        let odd: Vec<&str> = keys
            .keys()
            .filter(|k| !known(k))
            .map(String::as_str)
            .collect();
        return Err(bad(
            path,
            &format!("it has `{}`, which belong to no layer", odd.join("`, `")),
        ));
    }
    Classifier::new(layers).map_err(|e| bad(path, &e.to_string()))
}

fn numbers(value: &Value) -> Option<Vec<f32>> {
    let finite = |v: &Value| v.as_f64().map(|v| v as f32).filter(|v| v.is_finite());
    value.as_array()?.iter().map(finite).collect()
}

fn text(path: &Path) -> Result<String, Failure> {
    let read = |limit: u64| -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?
            .take(limit)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read(MAX_BYTES + 1).map_err(|e| Failure {
        class: match e.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
                FailureClass::Permanent
            }
            _ => FailureClass::Environment,
        },
        code: if e.kind() == std::io::ErrorKind::NotFound {
            "file-missing".to_owned()
        } else {
            "file-access".to_owned()
        },
        message: format!("cannot read `{}`: {e}", path.display()),
        remedy: "name the file of the pixel classifier in `classifier`, or put it beside the model as `instanseg_pixel_classifier.json`".to_owned(),
        path: Some(path.display().to_string()),
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(bad(
            path,
            "it is larger than 1 MB, and so no pixel classifier",
        ));
    }
    String::from_utf8(bytes).map_err(|_| bad(path, "it is no text"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn layers_are_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("head.json");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write(
            r#"{"fc2.weight": [[1, 2]], "fc2.bias": [3], "fc1.bias": [4, 5], "fc1.weight": [[6, 7, 8], [9, 10, 11]]}"#,
        );
        assert_eq!(read(&path).unwrap().inputs(), 3);
        for (text, says) in [
            ("", "EOF"),
            ("[]", "no table"),
            ("{}", "without layers"),
            (r#"{"fc1.weight": 1, "fc1.bias": [1]}"#, "no list of rows"),
            (
                r#"{"fc1.weight": [[1, 2], [3]], "fc1.bias": [1, 1]}"#,
                "differ in length",
            ),
            (
                r#"{"fc1.weight": [[1, "2"]], "fc1.bias": [1]}"#,
                "no list of numbers",
            ),
            (
                r#"{"fc1.weight": [[1, 1e300]], "fc1.bias": [1]}"#,
                "no list of numbers",
            ),
            (r#"{"fc1.weight": [[1, 2]], "fc1.bias": [1, 2]}"#, "layer 1"),
            (
                r#"{"fc1.weight": [[1, 2]], "fc1.bias": [1], "fc3.bias": [1]}"#,
                "`fc3.bias`",
            ),
            (r#"{"fc1.weight": [], "fc1.bias": []}"#, "inputs"),
        ] {
            write(text);
            let failure = read(&path).unwrap_err();
            assert_eq!(failure.code, "bad-classifier");
            assert!(failure.message.contains(says), "{}", failure.message);
        }
        let failure = read(&folder.path().join("other.json")).unwrap_err();
        assert_eq!(failure.code, "file-missing");
        std::fs::write(&path, vec![b' '; (MAX_BYTES + 1) as usize]).unwrap();
        assert!(read(&path).unwrap_err().message.contains("1 MB"));
    }
}
