//! TIFF and BigTIFF: directories, page layouts and decoding.

mod compression;
mod decode;
mod decompress;
mod directory;
mod foreign;
mod lzw;
mod packbits;
mod page;
mod rows;

use compression::Compression;
use directory::DirectoryReader;
use page::Page;

use super::limits::Limits;
use super::source::Source;
use super::{PlaneInfo, imagej, ome};
use crate::{Pixels, Result};

const IMAGE_DESCRIPTION: u16 = 270;
const X_RESOLUTION: u16 = 282;
const Y_RESOLUTION: u16 = 283;
/// `MetaMorph` stacks: one directory, and as many images after one another as this tag has values.
const METAMORPH_PLANES: u16 = 33_629;

/// An opened TIFF file.
#[derive(Debug)]
pub(super) struct Tiff {
    pages: Vec<Page>,
    /// Page, sample and extra offset of every plane.
    planes: Vec<(usize, usize, u64)>,
    pub(super) ome: Option<ome::OmePlanes>,
}

/// Facts of the first page that are not about its layout.
#[derive(Default)]
struct Extra {
    description: Option<String>,
    resolution: Option<(f64, f64)>,
    metamorph_planes: Option<u64>,
}

impl Tiff {
    /// Whether the first bytes are those of a TIFF or BigTIFF.
    pub(super) fn is_signature(head: &[u8]) -> bool {
        matches!(
            head.get(..4),
            Some(b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+")
        )
    }

    pub(super) fn open(source: &Source, limits: &Limits) -> Result<Self> {
        let mut reader = DirectoryReader::new(source, limits)?;
        let mut pages = Vec::new();
        let mut planes = Vec::new();
        let mut extra = Extra::default();
        reader.walk(limits, |reader, number, directory| {
            if number == 0 {
                extra.description = reader.text(directory, IMAGE_DESCRIPTION)?;
                extra.resolution = reader
                    .rational(directory, X_RESOLUTION)?
                    .zip(reader.rational(directory, Y_RESOLUTION)?);
                extra.metamorph_planes = directory.get(METAMORPH_PLANES).map(|entry| entry.count);
            }
            let page = Page::parse(reader, number, directory, limits)?;
            if let (0, Err(reason)) = (number, &page.compression) {
                return Err(source.unsupported(format!("page 0: {reason}")));
            }
            limits.check_planes(source, planes.len() + page.samples)?;
            planes.extend((0..page.samples).map(|sample| (number, sample, 0)));
            pages.push(page);
            Ok(())
        })?;

        let mut tiff = Self {
            pages,
            planes,
            ome: None,
        };
        let description = extra.description.unwrap_or_default();
        let hyperstack = imagej::Hyperstack::parse(&description);
        if let Some(images) = extra
            .metamorph_planes
            .or_else(|| hyperstack.as_ref().map(|stack| stack.images))
        {
            tiff.repeat_single_page(source, limits, images, extra.metamorph_planes.is_some())?;
        }
        let samples: Vec<(usize, usize)> = tiff.first_planes();
        tiff.ome = match hyperstack {
            Some(stack) => stack.planes(tiff.planes.len(), extra.resolution),
            None => ome::OmePlanes::parse(&description, &samples),
        };
        Ok(tiff)
    }

    /// First plane and number of samples of every page.
    fn first_planes(&self) -> Vec<(usize, usize)> {
        let mut next = 0;
        let place = |page: &Page| {
            let first = next;
            next += page.samples;
            (first, page.samples)
        };
        self.pages.iter().map(place).collect()
    }

    /// `ImageJ` (above 4 GiB) and `MetaMorph` write one directory and then all images after one another.
    fn repeat_single_page(
        &mut self,
        source: &Source,
        limits: &Limits,
        images: u64,
        certain: bool,
    ) -> Result<()> {
        let [page] = self.pages.as_slice() else {
            return Ok(());
        };
        let first = page.chunks.first().map_or(0, |chunk| chunk.0);
        let mut end = first;
        let contiguous = page.chunks.iter().all(|(offset, count)| {
            *offset == std::mem::replace(&mut end, offset + count) && *count > 0
        });
        let plain = page.compression == Ok(Compression::None) && !page.tiled && contiguous;
        if images < 2 || page.samples > 1 || !plain {
            return Ok(());
        }
        let image_bytes = end - first;
        let all = image_bytes.saturating_mul(images);
        if !source.holds(first, all) {
            // A page that somebody cut from such a stack keeps the description; only what cannot be that is damage.
            if certain || all >= u64::from(u32::MAX) {
                return Err(source.damaged(format!(
                    "its {images} images need {all} bytes from byte {first}, but it has only {}",
                    source.len()
                )));
            }
            return Ok(());
        }
        let count = usize::try_from(images).unwrap_or(usize::MAX);
        limits.check_planes(source, count)?;
        self.planes = (0..images)
            .map(|image| (0, 0, image * image_bytes))
            .collect();
        Ok(())
    }

    pub(super) fn plane_infos(&self) -> Vec<PlaneInfo> {
        let info = |(page, sample, _): &(usize, usize, u64)| {
            let page = &self.pages[*page];
            PlaneInfo {
                height: page.height,
                width: page.width,
                pixel_type: page.pixel_type,
                file_page: page.number,
                sample: (page.samples > 1).then_some(*sample as u16),
            }
        };
        self.planes.iter().map(info).collect()
    }

    pub(super) fn read(&self, source: &Source, plane: usize) -> Result<Pixels> {
        let (page, sample, shift) = self.planes[plane];
        let mut pixels = decode::read(source, &self.pages[page], shift, Some(sample))?;
        Ok(pixels.remove(0))
    }

    /// All planes; pages of several samples are decoded once.
    pub(super) fn read_all(&self, source: &Source) -> Result<Vec<Pixels>> {
        let mut all = Vec::with_capacity(self.planes.len());
        for (page, sample, shift) in &self.planes {
            if *sample == 0 {
                all.extend(decode::read(source, &self.pages[*page], *shift, None)?);
            }
        }
        Ok(all)
    }
}
