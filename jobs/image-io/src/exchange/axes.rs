//! Which axis of an array is which.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::{Wanted, check_shape, unsupported};
use crate::{Error, Result};

/// Letters of the axes of an array in order, for example `yxc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes(String);

impl Axes {
    /// The letters.
    #[must_use]
    pub fn letters(&self) -> &str {
        &self.0
    }

    /// The axes that ilastik assumes of an array of this shape that does not name them; `None` for fewer than two or more than
    /// five.
    #[must_use]
    pub fn assumed(shape: &[usize]) -> Option<Self> {
        let few = |axis: usize| shape[axis] <= 4;
        let letters = match shape.len() {
            2 => "yx",
            3 if few(2) => "yxc",
            3 => "zyx",
            4 if few(3) => "zyxc",
            4 => "tzyx",
            5 => "tzyxc",
            _ => return None,
        };
        Some(Self(letters.to_owned()))
    }

    /// The same axes with `c` last, added if need be.
    #[must_use]
    pub fn with_channel_last(&self) -> Self {
        let mut letters: String = self.0.chars().filter(|&a| a != 'c').collect();
        letters.push('c');
        Self(letters)
    }

    /// Position of an axis.
    #[must_use]
    pub fn position(&self, letter: char) -> Option<usize> {
        self.0.find(letter)
    }

    /// As ilastik's and vigra's attribute `axistags`.
    #[must_use]
    pub fn to_axistags(&self) -> String {
        let axis = |letter: char| {
            let flags = match letter {
                'c' => 1,
                't' => 8,
                _ => 2,
            };
            serde_json::json!({"key": letter, "typeFlags": flags, "resolution": 0, "description": ""})
        };
        serde_json::json!({ "axes": self.0.chars().map(axis).collect::<Vec<_>>() }).to_string()
    }

    /// The axes in ilastik's and vigra's attribute `axistags`: JSON, `{"axes": [{"key": "y", …}, …]}`.
    #[must_use]
    pub fn of_axistags(text: &str) -> Option<Self> {
        let tags: serde_json::Value = serde_json::from_str(text).ok()?;
        let keys = tags["axes"].as_array()?.iter().map(|a| a["key"].as_str());
        keys.collect::<Option<String>>()?.parse().ok()
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Axes {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let distinct = text
            .char_indices()
            .all(|(i, letter)| "tzcyx".contains(letter) && !text[..i].contains(letter));
        if distinct && text.contains('y') && text.contains('x') {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` are no axes: write `y`, `x` and any of `t`, `z`, `c`, each once, in the order of the array"
            ))
        }
    }
}

/// Where a plane lies in an array.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Position of the axis `y` and of the axis `x`.
    pub axes: (usize, usize),
    /// (height, width).
    pub shape: (usize, usize),
    /// Index along every other axis; 0 for these two.
    pub index: Vec<u64>,
}

/// Finds the plane that is meant in an array of these extents. `told`: what the file says of its axes.
pub(super) fn place(
    path: &Path,
    extents: &[u64],
    told: Option<&Axes>,
    wanted: &Wanted<'_>,
) -> Result<Place> {
    let long: Vec<usize> = (0..extents.len()).filter(|&i| extents[i] != 1).collect();
    let letters: Vec<char> = match wanted.axes {
        Some(axes) => axes.0.chars().collect(),
        None => match told {
            Some(axes) if axes.0.len() == extents.len() => axes.0.chars().collect(),
            // Two axes, and perhaps others of length 1.
            _ if extents.len() == 2 => vec!['y', 'x'],
            _ if long.len() == 2 => (0..extents.len())
                .map(|i| match long.iter().position(|l| *l == i) {
                    Some(0) => 'y',
                    Some(_) => 'x',
                    None => '1',
                })
                .collect(),
            _ => {
                return Err(unsupported(
                    path,
                    format!(
                        "its array has the extents {extents:?}; say what they are with `axes`, for example `axes = \"yxc\"`"
                    ),
                ));
            }
        },
    };
    if letters.len() != extents.len() {
        let letters: String = letters.iter().collect();
        return Err(unsupported(
            path,
            format!("its array has the extents {extents:?}, which are not the axes `{letters}`"),
        ));
    }
    let at = |letter| letters.iter().position(|l| *l == letter);
    let (Some(y), Some(x)) = (at('y'), at('x')) else {
        return Err(unsupported(path, "it has no axes y and x".to_owned()));
    };
    let extent = |axis: usize| usize::try_from(extents[axis]).unwrap_or(usize::MAX);
    let shape = (extent(y), extent(x));
    check_shape(path, shape, wanted)?;
    if shape.0 == 0 || shape.1 == 0 {
        return Err(unsupported(path, "it has no pixels".to_owned()));
    }
    let mut index = vec![0; extents.len()];
    for (axis, letter) in letters.iter().enumerate() {
        match (letter, wanted.channel) {
            ('y' | 'x', _) => {}
            ('c', Some(channel)) if (channel as u64) < extents[axis] => {
                index[axis] = channel as u64;
            }
            ('c', Some(channel)) => {
                return Err(Error::Missing {
                    path: path.to_owned(),
                    what: format!("channel {channel}; it has {}", extents[axis]),
                });
            }
            _ if extents[axis] == 1 => {}
            ('c', None) => {
                return Err(unsupported(
                    path,
                    format!(
                        "it has {} channels; say which one is meant with `channel`",
                        extents[axis]
                    ),
                ));
            }
            _ => {
                return Err(unsupported(
                    path,
                    format!(
                        "it is {} long along `{letter}`; have one plane written",
                        extents[axis]
                    ),
                ));
            }
        }
    }
    if let Some(channel) = wanted.channel
        && channel > 0
        && at('c').is_none()
    {
        return Err(Error::Missing {
            path: path.to_owned(),
            what: format!("channel {channel}; it has no axis `c`"),
        });
    }
    Ok(Place {
        axes: (y, x),
        shape,
        index,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn find(extents: &[u64], axes: Option<&str>, channel: Option<usize>) -> Result<Place> {
        let axes: Option<Axes> = axes.map(|a| a.parse().unwrap());
        let wanted = Wanted {
            axes: axes.as_ref(),
            channel,
            ..Wanted::default()
        };
        place(Path::new("a.h5"), extents, None, &wanted)
    }

    #[test]
    fn axes_are_told_or_plain() {
        let found = find(&[4, 6], None, None).unwrap();
        assert_eq!((found.axes, found.shape), ((0, 1), (4, 6)));
        let found = find(&[1, 4, 6, 1], None, None).unwrap();
        assert_eq!((found.axes, found.shape), ((1, 2), (4, 6)));
        let found = find(&[4, 6, 3], Some("yxc"), Some(2)).unwrap();
        assert_eq!(
            (found.axes, found.shape, found.index),
            ((0, 1), (4, 6), vec![0, 0, 2])
        );
        let found = find(&[3, 6, 4], Some("cxy"), Some(0)).unwrap();
        assert_eq!((found.axes, found.shape), ((2, 1), (4, 6)));
        // An image of one row is no doubt.
        assert_eq!(find(&[1, 6], None, None).unwrap().shape, (1, 6));
    }

    #[test]
    fn what_is_not_clear_is_asked_for() {
        for (extents, axes, channel, word) in [
            (&[3, 4, 6][..], None, Some(1), "axes"),
            (&[3, 4, 6], Some("cyx"), None, "channel"),
            (&[3, 4, 6], Some("cyx"), Some(3), "channel 3"),
            (&[3, 4, 6], Some("zyx"), None, "`z`"),
            (&[3, 4, 6], Some("yx"), None, "not the axes"),
            (&[4, 6], None, Some(1), "no axis"),
            (&[], None, None, "extents"),
        ] {
            let error = find(extents, axes, channel).unwrap_err().to_string();
            assert!(error.contains(word), "{extents:?}: {error}");
        }
        for bad in ["", "y", "yxx", "yxq", "YX"] {
            assert!(bad.parse::<Axes>().is_err(), "{bad}");
        }
    }

    #[test]
    fn tags_of_vigra_are_read() {
        let text = r#"{"axes":[{"key":"y","typeFlags":2},{"key":"x"},{"key":"c"}]}"#;
        assert_eq!(Axes::of_axistags(text).unwrap().letters(), "yxc");
        for bad in ["", "{}", r#"{"axes":[{"key":3}]}"#, r#"{"axes":[]}"#] {
            assert_eq!(Axes::of_axistags(bad), None);
        }
    }
}
