//! Reference values and how results are compared with them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bytemuck::NoUninit;
use ndarray::Array2;
use serde_json::{Map, Value};

/// A named group of reference values, each of which must be looked at before it is dropped.
pub struct Group<'a> {
    name: String,
    values: &'a Map<String, Value>,
    unseen: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Group<'a> {
    pub fn new(name: String, values: &'a Value) -> Self {
        let values = values
            .as_object()
            .unwrap_or_else(|| panic!("{name} is not a group"));
        Self {
            name,
            values,
            unseen: RefCell::new(values.keys().map(String::as_str).collect()),
        }
    }

    /// A group of which a test only looks at its own part.
    pub fn unchecked(name: String, values: &'a Value) -> Self {
        let group = Self::new(name, values);
        group.unseen.borrow_mut().clear();
        group
    }

    /// A group within this one.
    pub fn group(&self, key: &str) -> Self {
        Self::new(format!("{}, {key}", self.name), self.value(key))
    }

    pub fn value(&self, key: &str) -> &'a Value {
        self.unseen.borrow_mut().remove(key);
        self.values
            .get(key)
            .unwrap_or_else(|| panic!("{}: the reference has no {key}", self.name))
    }

    /// A plane whose every bit must be equal.
    pub fn exact<T: NoUninit>(&self, key: &str, plane: &Array2<T>) {
        assert!(self.is_exact(key, plane), "{}: {key} differs", self.name);
    }

    pub fn is_exact<T: NoUninit>(&self, key: &str, plane: &Array2<T>) -> bool {
        let plane = plane.as_standard_layout();
        self.value(key).as_u64()
            == Some(u64::from(crc32(bytemuck::cast_slice(
                plane.as_slice().unwrap(),
            ))))
    }

    /// A number that must be within `tolerance`; 0 means equal.
    pub fn number(&self, key: &str, found: f64, tolerance: f64) {
        let expected = number(self.value(key));
        assert!(
            (found - expected).abs() <= tolerance || found == expected,
            "{}: {key} is {found}, but {expected} expected",
            self.name
        );
    }

    /// A list of numbers that must be equal.
    pub fn numbers(&self, key: &str, found: &[f64]) {
        let expected: Vec<f64> = self
            .value(key)
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect();
        assert_eq!(found, expected, "{}: {key}", self.name);
    }

    /// A plane of which some pixels must be within `tolerance` times the range of the reference.
    pub fn close(&self, key: &str, plane: &Array2<f32>, tolerance: f64) {
        let bytes = base64(self.value(key).as_str().unwrap());
        let expected: Vec<f64> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|&b| f64::from(f32::from_le_bytes(b)))
            .collect();
        self.compare(
            key,
            plane.iter().map(|&v| f64::from(v)),
            &expected,
            tolerance,
        );
    }

    pub fn close_f64(&self, key: &str, plane: &Array2<f64>, tolerance: f64) {
        let bytes = base64(self.value(key).as_str().unwrap());
        let expected: Vec<f64> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|&b| f64::from_le_bytes(b))
            .collect();
        self.compare(key, plane.iter().copied(), &expected, tolerance);
    }

    fn compare(
        &self,
        key: &str,
        found: impl Iterator<Item = f64>,
        expected: &[f64],
        tolerance: f64,
    ) {
        let found: Vec<f64> = found.collect();
        let step = ((found.len() / 400) | 1).max(5);
        let found: Vec<f64> = found.into_iter().step_by(step).collect();
        assert_eq!(
            found.len(),
            expected.len(),
            "{}: {key}: number of pixels",
            self.name
        );
        let low = expected.iter().copied().fold(f64::INFINITY, f64::min);
        let high = expected.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // A constant plane has no range: its values are the scale.
        let scale = if high > low { high - low } else { high.abs() };
        for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
            let allowed = tolerance * scale;
            assert!(
                (found - expected).abs() <= allowed,
                "{}: {key}: pixel {}: {found}, but {expected} within {allowed} expected",
                self.name,
                step * at
            );
        }
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        let unseen = self.unseen.borrow();
        assert!(
            unseen.is_empty() || std::thread::panicking(),
            "{}: not compared: {unseen:?}",
            self.name
        );
    }
}

/// A number, which is stored as text because not every JSON reader returns the exact number.
fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// `zlib.crc32`.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let padding = four.iter().filter(|&&c| c == b'=').count();
        let bits = four.iter().fold(0u32, |bits, c| {
            bits << 6 | ALPHABET.iter().position(|a| a == c).unwrap_or(0) as u32
        });
        bytes.extend(&bits.to_be_bytes()[1..4 - padding]);
    }
    bytes
}

#[test]
fn checksum_and_base64_are_the_usual_ones() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    assert_eq!(base64("V2VsbA=="), b"Well");
    assert_eq!(base64("c3ByaW5n"), b"spring");
}
