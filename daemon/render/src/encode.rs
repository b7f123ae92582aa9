//! Pictures as PNG and JPEG.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use viewer::{Encoding, Refusal};

use crate::error::later;

/// Good enough to see single pixels, a fifth of the size of a PNG.
const QUALITY: u8 = 92;

/// Red, green and blue bytes of each pixel, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub height: usize,
    pub width: usize,
    pub rgb: Vec<u8>,
}

impl Picture {
    /// The media type and the file.
    pub fn encode(&self, encoding: Encoding) -> Result<(&'static str, Vec<u8>), Refusal> {
        match encoding {
            Encoding::Png => self
                .png()
                .map(|bytes| ("image/png", bytes))
                .map_err(|e| later(e.to_string())),
            Encoding::Jpeg => self
                .jpeg()
                .map(|bytes| ("image/jpeg", bytes))
                .map_err(|e| later(e.to_string())),
        }
    }

    fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let (width, height) = (self.width as u32, self.height as u32);
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        // A third of the bytes where no colour is.
        if let Some(gray) = self.gray() {
            encoder.set_color(png::ColorType::Grayscale);
            encoder.write_header()?.write_image_data(&gray)?;
        } else {
            encoder.set_color(png::ColorType::Rgb);
            encoder.write_header()?.write_image_data(&self.rgb)?;
        }
        Ok(bytes)
    }

    fn jpeg(&self) -> Result<Vec<u8>, jpeg_encoder::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, QUALITY);
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
        // No picture is larger than `viewer::LONGEST_SIDE`.
        let (width, height) = (self.width as u16, self.height as u16);
        match self.gray() {
            Some(gray) => encoder.encode(&gray, width, height, ColorType::Luma)?,
            None => encoder.encode(&self.rgb, width, height, ColorType::Rgb)?,
        }
        Ok(bytes)
    }

    /// One byte a pixel, where all are grey.
    fn gray(&self) -> Option<Vec<u8>> {
        let pixels = self.rgb.as_chunks::<3>().0;
        let is_gray = pixels.iter().all(|[r, g, b]| r == g && g == b);
        is_gray.then(|| pixels.iter().map(|[r, ..]| *r).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn picture(gray: bool) -> Picture {
        let rgb = (0..7 * 5).flat_map(|i: u8| [i * 7, if gray { i * 7 } else { 200 }, i * 7]);
        Picture {
            height: 5,
            width: 7,
            rgb: rgb.collect(),
        }
    }

    #[test]
    fn png_loses_nothing() {
        for gray in [true, false] {
            let picture = picture(gray);
            let (kind, bytes) = picture.encode(Encoding::Png).unwrap();
            assert_eq!(kind, "image/png");
            let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
                .read_info()
                .unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((info.width, info.height), (7, 5));
            let expected = if gray {
                picture.gray().unwrap()
            } else {
                picture.rgb
            };
            assert_eq!(pixels, expected);
        }
    }

    #[test]
    fn jpeg_is_near() {
        let picture = picture(false);
        let (kind, bytes) = picture.encode(Encoding::Jpeg).unwrap();
        assert_eq!(kind, "image/jpeg");
        let options = zune_jpeg::zune_core::options::DecoderOptions::default();
        let cursor = std::io::Cursor::new(bytes);
        let pixels = zune_jpeg::JpegDecoder::new_with_options(cursor, options)
            .decode()
            .unwrap();
        assert_eq!(pixels.len(), picture.rgb.len());
        let farthest = pixels
            .iter()
            .zip(&picture.rgb)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(farthest.unwrap() < 24, "{farthest:?}");
    }
}
