//! Images of a few hundred bytes, and workflows that need next to nothing: for tests with thousands of files.

use std::io;

use tiff::encoder::{TiffEncoder, colortype::Gray16};

/// One channel, one job an image.
pub const ONE_JOB: &str = "name = \"tiny\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\n[container]\nscale_factors = [1]\n\
    [[job]]\nid = \"smooth\"\nkind = \"filter.gaussian\"\ninput = \"nuclei\"\noutput = \"smooth\"\nsigma = 1.0\n";

/// The same with object tables, and a table of the plate.
pub const WITH_PLATE_TABLE: &str = "name = \"counted\"\nversion = \"1\"\n[channels]\nDAPI = \"nuclei\"\n[container]\nscale_factors = [1]\n\
    [[job]]\nid = \"mask\"\nkind = \"segment.threshold\"\ninput = \"nuclei\"\noutput = \"mask\"\nmethod = \"otsu\"\nkeep = false\n\
    [[job]]\nid = \"nuclei\"\nkind = \"segment.declump\"\ninput = \"mask\"\noutput = \"nuclei_segmentation\"\n\
    [[job]]\nid = \"measure\"\nkind = \"measure.objects\"\ninput = { labels = \"nuclei_segmentation\", images = [\"nuclei\"] }\noutput = \"nuclei_segmentation/objects\"\n\
    [[job]]\nid = \"tables\"\nkind = \"summarise.objects\"\ninput = [\"nuclei_segmentation/objects\"]\noutput = \"default\"\n";

/// Lines of a root for files of [`name`].
pub const NAMING: &str = "naming = \"well-site-channel\"";

/// File name of site number `index` of a plate of 384 wells, any number of sites.
#[must_use]
pub fn name(index: usize) -> String {
    let (well, site) = (index % 384, index / 384 + 1);
    let row = char::from(b'A' + u8::try_from(well / 24).unwrap_or_default());
    format!("P_{row}{:02}_s{site}_DAPI.tif", well % 24 + 1)
}

/// A TIFF of `side` x `side` pixels, 16 bit: a bright square on a noisy ground, different for each `seed`.
///
/// # Errors
/// It cannot be encoded.
pub fn image(side: u32, seed: u64) -> io::Result<Vec<u8>> {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    let pixels: Vec<u16> = (0..side * side)
        .map(|i| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let (y, x) = (i / side, i % side);
            let bright = (side / 4..side / 2).contains(&y) && (side / 4..side / 2).contains(&x);
            let noise = u16::try_from(state >> 60).unwrap_or_default();
            noise + if bright { 2000 } else { 100 }
        })
        .collect();
    let mut bytes = io::Cursor::new(Vec::new());
    TiffEncoder::new(&mut bytes)
        .and_then(|mut encoder| encoder.write_image::<Gray16>(side, side, &pixels))
        .map_err(io::Error::other)?;
    Ok(bytes.into_inner())
}
