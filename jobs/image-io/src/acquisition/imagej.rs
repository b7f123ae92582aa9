//! ImageJ's hyperstack description: `key=value` lines in the first page's ImageDescription.

use super::ome::OmePlanes;

/// Sizes of a hyperstack. Its planes are stored with the channel fastest, then z, then time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hyperstack {
    pub images: u64,
    size_c: usize,
    size_z: usize,
    size_t: usize,
    micrometres: bool,
}

impl Hyperstack {
    pub(super) fn parse(description: &str) -> Option<Self> {
        let lines = description
            .strip_prefix("ImageJ=")?
            .lines()
            .filter_map(|line| line.split_once('='));
        let mut stack = Self {
            images: 1,
            size_c: 1,
            size_z: 1,
            size_t: 1,
            micrometres: false,
        };
        for (key, value) in lines {
            let size = || value.trim().parse().ok().filter(|size| *size > 0);
            match key {
                "images" => stack.images = value.trim().parse().ok()?,
                "channels" => stack.size_c = size()?,
                "slices" => stack.size_z = size()?,
                "frames" => stack.size_t = size()?,
                "unit" => {
                    stack.micrometres =
                        matches!(value.trim(), "micron" | "um" | "µm" | "μm" | "\\u00B5m");
                }
                _ => {}
            }
        }
        Some(stack)
    }

    /// Places the planes if their number is that of the description. `resolution` is in pixels per unit, (x, y).
    pub(super) fn planes(self, planes: usize, resolution: Option<(f64, f64)>) -> Option<OmePlanes> {
        let whole = self
            .size_c
            .checked_mul(self.size_z)?
            .checked_mul(self.size_t)?;
        if whole != planes {
            return None;
        }
        let pixel_size_um = resolution
            .filter(|(x, y)| self.micrometres && *x > 0.0 && *y > 0.0)
            .map(|(x, y)| (1.0 / y, 1.0 / x));
        Some(OmePlanes::dense(
            self.size_c,
            self.size_z,
            self.size_t,
            pixel_size_um,
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn channels_vary_fastest() {
        let stack = Hyperstack::parse("ImageJ=1.53t\nimages=24\nchannels=2\nslices=3\nframes=4\nhyperstack=true\nunit=micron\n").unwrap();
        let planes = stack.clone().planes(24, Some((4.0, 2.0))).unwrap();
        assert_eq!((planes.size_c, planes.size_z, planes.size_t), (2, 3, 4));
        assert_eq!(planes.index(1, 0, 0), Some(1));
        assert_eq!(planes.index(0, 1, 0), Some(2));
        assert_eq!(planes.index(0, 0, 1), Some(6));
        assert_eq!(planes.pixel_size_um, Some((0.5, 0.25)));
        assert!(stack.planes(23, None).is_none());
        assert!(Hyperstack::parse("written by someone else").is_none());
    }
}
