//! How much memory a foreign file may make us use.

use super::source::Source;
use crate::Result;

/// Bounds on what a file may ask for. They are checked before anything is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of one plane (height × width). Default 2³².
    pub max_pixels_per_plane: u64,
    /// Bytes that one call may hold decoded. Default 8 GiB.
    pub max_decoded_bytes: u64,
    /// Planes of one file. Default 65 536.
    pub max_planes: usize,
    /// Bytes that the TIFF tags (offset tables, descriptions) of one file may take, in the file and in memory. Default
    /// 256 MiB: 16 million strips or tiles.
    pub max_tag_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels_per_plane: 1 << 32,
            max_decoded_bytes: 8 << 30,
            max_planes: 65_536,
            max_tag_bytes: 256 << 20,
        }
    }
}

impl Limits {
    /// Refuses a plane of this shape, or with so many bytes decoded at once.
    pub(super) fn check(
        &self,
        source: &Source,
        height: usize,
        width: usize,
        decoded_bytes: u128,
    ) -> Result<()> {
        let pixels = height as u128 * width as u128;
        if pixels > u128::from(self.max_pixels_per_plane) {
            return Err(source.limit(format!(
                "a plane of {height} x {width} pixels passes the limit of {} pixels",
                self.max_pixels_per_plane
            )));
        }
        if decoded_bytes > u128::from(self.max_decoded_bytes)
            || usize::try_from(decoded_bytes).is_err()
        {
            return Err(source.limit(format!(
                "{decoded_bytes} bytes of decoded pixels pass the limit of {} bytes",
                self.max_decoded_bytes
            )));
        }
        Ok(())
    }

    pub(super) fn check_planes(&self, source: &Source, planes: usize) -> Result<()> {
        if planes > self.max_planes {
            return Err(source.limit(format!("it has more than {} planes", self.max_planes)));
        }
        Ok(())
    }
}
