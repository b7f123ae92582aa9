//! The order of a tensor's axes.

use std::fmt;
use std::str::FromStr;

use ndarray::{Array4, ArrayD, ArrayView4, Axis as Dim, IxDyn};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Axis {
    /// Tiles that are run together.
    Batch,
    /// Channels.
    Channel,
    /// Rows.
    Y,
    /// Columns.
    X,
}

/// The axes of a tensor in their order, for example `bcyx`: y and x, each once, and at most one each of batch and channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes(Vec<Axis>);

impl Axes {
    /// `bcyx`, what PyTorch writes.
    #[must_use]
    pub fn channels_first() -> Self {
        Self(vec![Axis::Batch, Axis::Channel, Axis::Y, Axis::X])
    }

    /// `byxc`, what TensorFlow writes.
    #[must_use]
    pub fn channels_last() -> Self {
        Self(vec![Axis::Batch, Axis::Y, Axis::X, Axis::Channel])
    }

    /// Number of axes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: there are always y and x.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Position of an axis.
    #[must_use]
    pub fn position(&self, axis: Axis) -> Option<usize> {
        self.0.iter().position(|a| *a == axis)
    }

    /// Brings (batch, channel, y, x) into this order. `None` where an axis that is left out here is longer than 1.
    #[must_use]
    pub fn arrange(&self, tensor: ArrayView4<'_, f32>) -> Option<ArrayD<f32>> {
        let mut view = tensor.into_dyn();
        let order: Vec<usize> = self.0.iter().map(|a| *a as usize).collect();
        let missing = [Axis::Batch, Axis::Channel]
            .into_iter()
            .filter(|a| self.position(*a).is_none());
        let mut all = order;
        for axis in missing {
            if view.shape()[axis as usize] != 1 {
                return None;
            }
            all.insert(0, axis as usize);
        }
        let dropped = 4 - self.len();
        view = view.permuted_axes(IxDyn(&all));
        for _ in 0..dropped {
            view = view.index_axis_move(Dim(0), 0);
        }
        Some(view.as_standard_layout().into_owned())
    }

    /// Brings a tensor of this order into (batch, channel, y, x); axes that are left out become 1 long. `None` where it
    /// has another number of axes.
    #[must_use]
    pub fn standard(&self, tensor: ArrayD<f32>) -> Option<Array4<f32>> {
        if tensor.ndim() != self.len() {
            return None;
        }
        let mut tensor = tensor;
        let mut axes = self.0.clone();
        for axis in [Axis::Batch, Axis::Channel] {
            if self.position(axis).is_none() {
                tensor = tensor.insert_axis(Dim(0));
                axes.insert(0, axis);
            }
        }
        let order: Vec<usize> = [Axis::Batch, Axis::Channel, Axis::Y, Axis::X]
            .into_iter()
            .filter_map(|a| axes.iter().position(|b| *b == a))
            .collect();
        let tensor = tensor
            .permuted_axes(IxDyn(&order))
            .into_dimensionality()
            .ok()?;
        // What is in order already is handed on, not copied.
        Some(if tensor.is_standard_layout() {
            tensor
        } else {
            tensor.as_standard_layout().into_owned()
        })
    }
}

impl FromStr for Axes {
    type Err = String;

    /// Reads `bcyx`, `NCHW`, `byxc`, `YXC`, `yx` and so on.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut axes = Vec::new();
        for letter in text.chars() {
            let axis = match letter.to_ascii_lowercase() {
                'b' | 'n' => Axis::Batch,
                'c' => Axis::Channel,
                'y' | 'h' => Axis::Y,
                'x' | 'w' => Axis::X,
                'z' | 't' | 'd' => {
                    return Err(format!(
                        "`{text}` has the axis `{letter}`; only 2-D networks are supported: b, c, y, x"
                    ));
                }
                _ => {
                    return Err(format!(
                        "`{text}` has the axis `{letter}`; write for example `bcyx`"
                    ));
                }
            };
            if axes.contains(&axis) {
                return Err(format!("`{text}` has the axis `{letter}` twice"));
            }
            axes.push(axis);
        }
        if !axes.contains(&Axis::Y) || !axes.contains(&Axis::X) {
            return Err(format!("`{text}` lacks y or x; write for example `bcyx`"));
        }
        Ok(Self(axes))
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|axis| {
            f.write_str(match axis {
                Axis::Batch => "b",
                Axis::Channel => "c",
                Axis::Y => "y",
                Axis::X => "x",
            })
        })
    }
}

impl Serialize for Axes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Axes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_comes_back() {
        let tensor = Array4::from_shape_fn((1, 1, 3, 4), |(_, _, y, x)| (y * 4 + x) as f32);
        for text in [
            "bcyx", "byxc", "cyx", "yxc", "yx", "xy", "bxyc", "NCHW", "HW",
        ] {
            let axes: Axes = text.parse().unwrap();
            let arranged = axes.arrange(tensor.view()).unwrap();
            assert_eq!(arranged.ndim(), text.len());
            assert_eq!(axes.standard(arranged).unwrap(), tensor, "{text}");
        }
        let two = Array4::from_shape_fn((2, 3, 4, 5), |(b, c, y, x)| {
            (b * 1000 + c * 100 + y * 10 + x) as f32
        });
        let last = Axes::channels_last().arrange(two.view()).unwrap();
        assert_eq!(last.shape(), [2, 4, 5, 3]);
        assert_eq!(last[[1, 2, 3, 2]], 1223.0);
        assert_eq!(Axes::channels_last().standard(last).unwrap(), two);
        assert!("cyx".parse::<Axes>().unwrap().arrange(two.view()).is_none());
    }

    #[test]
    fn other_axes_are_refused() {
        for (text, said) in [
            ("bczyx", "only 2-D"),
            ("bcx", "lacks"),
            ("yyx", "twice"),
            ("q", "`q`"),
        ] {
            assert!(text.parse::<Axes>().unwrap_err().contains(said), "{text}");
        }
    }
}
