//! Whole arrays of any number of axes.

use std::path::Path;

use super::{Axes, hdf5, head, npy, tiff, unsupported};
use crate::acquisition::ImageFile;
use crate::container::{Attribute, Tree, Values, dataset_image};
use crate::publish::Staged;
use crate::{Error, Pixels, Result};

/// Larger arrays are refused before memory is taken.
const MOST_VALUES: usize = 1 << 33;

/// Values with what the file says of their axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The values.
    pub values: Values,
    /// Their axes, if the file says: always for TIFF and PNG.
    pub axes: Option<Axes>,
}

/// Reads a TIFF, PNG, HDF5 or npy file, told apart by its first bytes. `dataset` is the path in an HDF5 file; without it there must
/// be only one dataset of numbers in its root.
///
/// The pages of a TIFF are z-slices, unless OME-XML or `ImageJ`'s description says what they are; the samples of a page are
/// channels.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`]; [`Error::Missing`] for a dataset that is not there; [`Error::Unsupported`] for a file of another
/// kind, or pages of different sizes or types; [`Error::Limit`] for more than 2^33 values.
pub fn read_array(path: &Path, dataset: Option<&str>) -> Result<Array> {
    let head = head(path)?;
    if head.starts_with(npy::MAGIC) {
        let values = npy::read_all(path, MOST_VALUES)?;
        return Ok(Array { values, axes: None });
    }
    if hdf5::is_signature(&head) {
        let tree = Tree::open(path)?;
        let dataset = match dataset {
            Some(name) => name.to_owned(),
            None => only_dataset(&tree)?,
        };
        let values = tree.numbers(&dataset, MOST_VALUES)?;
        let tags = tree.attribute(&dataset, "axistags")?;
        let axes = tags
            .as_ref()
            .and_then(Attribute::as_text)
            .and_then(Axes::of_axistags)
            .filter(|axes| axes.letters().len() == values.shape.len());
        return Ok(Array { values, axes });
    }
    read_pages(path)
}

fn only_dataset(tree: &Tree) -> Result<String> {
    let names = tree.children("/")?;
    let found: Vec<&String> = names.iter().filter(|n| tree.shape(n).is_ok()).collect();
    match found[..] {
        [name] => Ok(name.clone()),
        _ => Err(unsupported(
            tree.path(),
            format!(
                "it is an HDF5 file with {} datasets in its root; name the one that is meant, as FILE.h5/PATH/OF/DATASET",
                found.len()
            ),
        )),
    }
}

fn read_pages(path: &Path) -> Result<Array> {
    let file = ImageFile::open(path)?;
    let info = file.info();
    let planes = &info.planes;
    let Some(first) = planes.first() else {
        return Err(unsupported(path, "it holds no image".to_owned()));
    };
    let same = planes.iter().all(|p| {
        (p.height, p.width, p.pixel_type) == (first.height, first.width, first.pixel_type)
    });
    if !same {
        return Err(unsupported(
            path,
            "its pages differ in size or type".to_owned(),
        ));
    }
    if planes.len() * first.height * first.width > MOST_VALUES {
        return Err(Error::Limit {
            path: path.to_owned(),
            reason: format!("{} planes, more than {MOST_VALUES} values", planes.len()),
        });
    }
    let samples = planes
        .iter()
        .filter(|p| p.file_page == first.file_page)
        .count();
    // (t, z, c) and which plane is where.
    let (sizes, order): ([usize; 3], Vec<usize>) = match &info.ome {
        Some(ome) => {
            let sizes = [ome.size_t, ome.size_z, ome.size_c];
            let mut order = Vec::with_capacity(planes.len());
            for t in 0..ome.size_t {
                for z in 0..ome.size_z {
                    for c in 0..ome.size_c {
                        let plane = ome.index(c, z, t).ok_or_else(|| Error::Missing {
                            path: path.to_owned(),
                            what: format!("plane of channel {c}, z-slice {z}, timepoint {t}"),
                        })?;
                        order.push(plane);
                    }
                }
            }
            (sizes, order)
        }
        None => (
            [1, planes.len() / samples.max(1), samples],
            (0..planes.len()).collect(),
        ),
    };
    let size = first.pixel_type.size();
    let mut bytes = Vec::with_capacity(order.len() * first.height * first.width * size);
    for plane in order {
        bytes.extend(super::plane_bytes(&file.read(plane)?));
    }
    let (mut letters, mut shape) = (String::new(), Vec::new());
    for (letter, length) in "tzc".chars().zip(sizes) {
        if length > 1 {
            letters.push(letter);
            shape.push(length);
        }
    }
    letters.push_str("yx");
    shape.extend([first.height, first.width]);
    Ok(Array {
        values: Values {
            shape,
            pixel_type: first.pixel_type,
            bytes,
        },
        axes: letters.parse().ok(),
    })
}

/// Publishes an array as an HDF5 file with one dataset and these attributes; with `compressed` in chunks of up to
/// 256 x 256, shuffled and deflated.
///
/// # Errors
/// [`Error::Io`], [`Error::Hdf5`].
pub fn write_hdf5(
    path: &Path,
    dataset: &str,
    values: &Values,
    attributes: &[(String, Attribute)],
    compressed: bool,
) -> Result<()> {
    // The two longest axes are those of the image.
    let mut lengths: Vec<(usize, usize)> = values.shape.iter().copied().enumerate().collect();
    lengths.sort_by_key(|&(_, length)| std::cmp::Reverse(length));
    let mut chunk = vec![1u64; values.shape.len()];
    for &(axis, length) in lengths.iter().take(2) {
        chunk[axis] = length.clamp(1, 256) as u64;
    }
    let mut staged = Staged::create(path)?;
    dataset_image(
        path,
        dataset,
        values,
        compressed.then_some(&chunk),
        attributes,
        |image| staged.write(image),
    )??;
    staged.commit()
}

/// Publishes an array as NumPy's npy.
///
/// # Errors
/// [`Error::Io`].
pub fn write_npy(path: &Path, values: &Values) -> Result<()> {
    let staged = Staged::create(path)?;
    npy::write(staged.path(), values)?;
    staged.commit()
}

/// Publishes planes as the pages of a TIFF.
///
/// # Errors
/// [`Error::Io`].
pub fn write_tiff(path: &Path, planes: &[&Pixels]) -> Result<()> {
    let staged = Staged::create(path)?;
    tiff::write(staged.path(), planes)?;
    staged.commit()
}
