//! Compression schemes of TIFF: which are read, and the names of those that are not.

/// A scheme that is decoded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
    Jpeg,
    Fax4,
}

impl Compression {
    /// The scheme of a tag value, or the name of one that is not read.
    pub(super) fn from_tag(value: u64) -> Result<Self, String> {
        let name = match value {
            1 => return Ok(Self::None),
            4 => return Ok(Self::Fax4),
            5 => return Ok(Self::Lzw),
            7 => return Ok(Self::Jpeg),
            8 | 32_946 => return Ok(Self::Deflate),
            32_773 => return Ok(Self::PackBits),
            2 => "CCITT RLE",
            3 => "CCITT Group 3 fax",
            6 => "old-style JPEG",
            33_003 | 33_004 | 33_005 | 34_712 => "JPEG 2000",
            34_661 => "JBIG",
            34_676 | 34_677 => "SGI LogLuv",
            34_887 => "LERC",
            34_892 => "lossy JPEG of DNG",
            34_925 => "LZMA",
            34_926 | 50_000 => "Zstandard",
            34_927 | 50_001 => "WebP",
            34_933 => "PNG",
            34_934 | 22_610 => "JPEG XR",
            48_124 => "Jetraw",
            50_002 | 52_546 => "JPEG XL",
            65_000..=65_002 => "EER electron events",
            _ => return Err(format!("its compression scheme {value} is not known")),
        };
        Err(format!(
            "its compression is {name} (scheme {value}), which is not read"
        ))
    }

    /// The most bytes that `compressed` bytes can stand for: a page that claims more is refused before it is allocated.
    pub(super) const fn most_decoded(self, compressed: u64) -> u64 {
        let (factor, header) = match self {
            Self::None => (1, 0),
            // A code of 12 bits names at most 3838 bytes.
            Self::Lzw => (2600, 4096),
            Self::Deflate => (1032, 4096),
            Self::PackBits => (64, 128),
            Self::Jpeg | Self::Fax4 => return u64::MAX,
        };
        compressed.saturating_mul(factor).saturating_add(header)
    }

    /// The most bytes that a stream of `decoded` bytes can sensibly have. Strips of unknown or false size are read no
    /// further than this, so that many of them cannot make us read the file over and over.
    pub(super) const fn most_compressed(self, decoded: u64) -> u64 {
        match self {
            Self::None => decoded,
            Self::Lzw | Self::Deflate | Self::PackBits => {
                decoded.saturating_mul(2).saturating_add(1024)
            }
            Self::Jpeg | Self::Fax4 => decoded.saturating_mul(8).saturating_add(1 << 20),
        }
    }
}

/// What is undone after decompression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    Horizontal,
    FloatingPoint,
}
