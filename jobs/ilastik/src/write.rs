//! Predictions in files, under the names and in the formats of ilastik's export.

use std::path::{Path, PathBuf};

use image_io::container::{Attribute, Values};
use image_io::exchange::{Axes, write_hdf5, write_npy, write_tiff};
use image_io::{PixelType, Pixels};
use ndarray::{Array2, ArrayD, ArrayViewD, Slice};

use crate::error::{Error, Result};
use crate::export::{DataType, ExportSettings, Source, rescaler};
use crate::image::arranged;
use crate::predict::Prediction;

/// A format that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Hdf5 { compressed: bool },
    Numpy,
    Tiff { extension: &'static str },
}

impl Format {
    fn parse(name: &str) -> std::result::Result<Self, String> {
        Ok(match name.trim().to_ascii_lowercase().as_str() {
            "hdf5" => Self::Hdf5 { compressed: false },
            "compressed hdf5" => Self::Hdf5 { compressed: true },
            "numpy" => Self::Numpy,
            "tif" => Self::Tiff { extension: "tif" },
            "tiff" | "multipage tiff" => Self::Tiff { extension: "tiff" },
            other => {
                return Err(format!(
                    "the output format `{other}` is not written here; there are hdf5, compressed hdf5, numpy, tif, tiff and multipage tiff"
                ));
            }
        })
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Hdf5 { .. } => "h5",
            Self::Numpy => "npy",
            Self::Tiff { extension } => extension,
        }
    }
}

/// Where an input comes from, as far as it names the output.
#[derive(Clone, Debug)]
pub struct InputName {
    /// The file.
    pub file: PathBuf,
    /// The dataset in it.
    pub dataset: Option<String>,
}

impl InputName {
    /// Splits `file.h5/path/of/dataset`; anything else is a file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        for ending in [".h5/", ".hdf5/", ".ilp/"] {
            if let Some(at) = text.to_ascii_lowercase().find(ending) {
                let (file, dataset) = text.split_at(at + ending.len() - 1);
                let dataset = dataset.trim_matches('/');
                return Self {
                    file: file.into(),
                    dataset: (!dataset.is_empty()).then(|| dataset.to_owned()),
                };
            }
        }
        Self {
            file: text.into(),
            dataset: None,
        }
    }

    /// ilastik's nickname: the file's name without its ending, and the dataset's path.
    fn nickname(&self) -> String {
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        match &self.dataset {
            Some(dataset) => format!("{stem}-{}", dataset.replace('/', "-")),
            None => stem.into_owned(),
        }
    }
}

/// The file that a prediction is written to.
///
/// # Errors
/// In words: a format that is not written, or a placeholder that does not exist.
pub fn output_path(
    settings: &ExportSettings,
    input: &InputName,
    source: Source,
) -> std::result::Result<PathBuf, String> {
    let format = Format::parse(settings.format.as_deref().unwrap_or("compressed hdf5"))?;
    let template = settings
        .filename
        .as_deref()
        .unwrap_or("{dataset_dir}/{nickname}_{result_type}");
    let folder = match input.file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.display().to_string(),
        _ => ".".to_owned(),
    };
    let mut name = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, after) = rest.split_at(open);
        let Some(close) = after.find('}') else {
            return Err(format!("`{template}` has a `{{` without a `}}`"));
        };
        name.push_str(before);
        match &after[1..close] {
            "dataset_dir" => name.push_str(&folder),
            "nickname" => name.push_str(&input.nickname()),
            "result_type" => name.push_str(source.name()),
            other => {
                return Err(format!(
                    "`{template}` has a placeholder `{{{other}}}`; there are {{dataset_dir}}, {{nickname}} and {{result_type}}"
                ));
            }
        }
        rest = &after[close + 1..];
    }
    name.push_str(rest);
    // ilastik gives every file the ending of its format, whatever the name says.
    Ok(PathBuf::from(name).with_extension_of(format.extension()))
}

trait WithExtensionOf {
    fn with_extension_of(self, extension: &str) -> PathBuf;
}

impl WithExtensionOf for PathBuf {
    /// Replaces an ending that is one of a format; a name such as `a_1.5` keeps its number.
    fn with_extension_of(mut self, extension: &str) -> PathBuf {
        const KNOWN: [&str; 8] = ["h5", "hdf5", "ilp", "npy", "tif", "tiff", "png", "n5"];
        let known = self
            .extension()
            .and_then(|e| e.to_str())
            .is_some_and(|e| KNOWN.contains(&e.to_ascii_lowercase().as_str()));
        if known {
            self.set_extension(extension);
            return self;
        }
        let mut name = self.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(extension);
        self.with_file_name(name)
    }
}

/// Writes a prediction as the settings say; `axes` are those of the input.
///
/// The file appears whole or not at all. HDF5 files have ilastik's attributes `axistags`, `DIMENSION_LABELS` (as JSON text),
/// `display_mode` and `drange`; a TIFF has one page for each channel of each z-slice of each timepoint.
///
/// # Errors
/// [`Error::Export`] for settings that cannot be followed, [`Error::File`] if the file cannot be written.
pub fn write(
    prediction: Prediction,
    settings: &ExportSettings,
    axes: &Axes,
    path: &Path,
) -> Result<()> {
    let format = Format::parse(settings.format.as_deref().unwrap_or("compressed hdf5"))
        .map_err(Error::Export)?;
    let axes = match &settings.axes {
        Some(order) => order.parse().map_err(Error::Export)?,
        None => axes.with_channel_last(),
    };
    let data_type = settings.data_type.unwrap_or(prediction.data_type);
    let whole_numbers = prediction.data_type.range().is_some();
    let arranged = arranged(prediction.values, &axes).map_err(Error::Export)?;
    let values = cut(&arranged, settings, &axes).map_err(Error::Export)?;
    let convert = rescaler(settings.input_range.zip(settings.output_range), data_type);
    let range = settings.output_range.unwrap_or((0.0, 1.0));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| image_io::Error::Io {
            path: folder.to_owned(),
            action: "create",
            source,
        })?;
    }
    match format {
        Format::Numpy => write_npy(path, &stored(values, convert, data_type))?,
        Format::Hdf5 { compressed } => {
            let letters: Vec<String> = axes.letters().chars().map(String::from).collect();
            let drange = if whole_numbers {
                Attribute::Ints(vec![range.0 as i64, range.1 as i64])
            } else {
                Attribute::Floats(vec![range.0, range.1])
            };
            let attributes = [
                ("DIMENSION_LABELS".to_owned(), Attribute::Texts(letters)),
                ("axistags".to_owned(), Attribute::Text(axes.to_axistags())),
                (
                    "display_mode".to_owned(),
                    Attribute::Text("grayscale".to_owned()),
                ),
                ("drange".to_owned(), drange),
            ];
            let dataset = settings.internal_path.as_deref().unwrap_or("exported_data");
            let dataset = dataset.trim_matches('/');
            let values = stored(values, convert, data_type);
            drop(arranged);
            write_hdf5(path, dataset, &values, &attributes, compressed)?;
        }
        Format::Tiff { .. } => {
            let planes = planes(values, &axes, convert, data_type);
            write_tiff(path, &planes.iter().collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

/// The part that the settings ask for.
fn cut<'a>(
    values: &'a ArrayD<f32>,
    settings: &ExportSettings,
    axes: &Axes,
) -> std::result::Result<ArrayViewD<'a, f32>, String> {
    let mut out = values.view();
    for (bounds, is_start) in [
        (&settings.region_stop, false),
        (&settings.region_start, true),
    ] {
        let Some(bounds) = bounds else { continue };
        if bounds.len() != values.ndim() {
            return Err(format!(
                "the sub-region has {} axes, the result {} (`{axes}`)",
                bounds.len(),
                values.ndim()
            ));
        }
        for (axis, bound) in bounds.iter().enumerate() {
            let Some(bound) = bound.and_then(|b| usize::try_from(b).ok()) else {
                continue;
            };
            let length = out.shape()[axis];
            if bound > length || (is_start && bound == length) {
                return Err(format!(
                    "the sub-region passes the result's {} pixels along `{}`",
                    values.shape()[axis],
                    &axes.letters()[axis..=axis]
                ));
            }
            let slice = if is_start {
                Slice::from(bound..length)
            } else {
                Slice::from(0..bound)
            };
            out.slice_axis_inplace(ndarray::Axis(axis), slice);
        }
    }
    Ok(out)
}

/// Runs `$body` with `$T` as the type of the values.
macro_rules! with_type {
    ($data_type:expr, $T:ident, $variant:ident => $body:expr) => {{
        use image_io::Pixels as P;
        match $data_type {
            DataType::U8 => {
                type $T = u8;
                let $variant = P::U8;
                $body
            }
            DataType::U16 => {
                type $T = u16;
                let $variant = P::U16;
                $body
            }
            DataType::U32 => {
                type $T = u32;
                let $variant = P::U32;
                $body
            }
            DataType::I8 => {
                type $T = i8;
                let $variant = P::I8;
                $body
            }
            DataType::I16 => {
                type $T = i16;
                let $variant = P::I16;
                $body
            }
            DataType::I32 => {
                type $T = i32;
                let $variant = P::I32;
                $body
            }
            DataType::F32 => {
                type $T = f32;
                let $variant = P::F32;
                $body
            }
            DataType::F64 => {
                type $T = f64;
                let $variant = P::F64;
                $body
            }
        }
    }};
}

fn stored(
    values: ArrayViewD<'_, f32>,
    convert: impl Fn(f32) -> f64,
    data_type: DataType,
) -> Values {
    let pixel_type = match data_type {
        DataType::U8 => PixelType::U8,
        DataType::U16 => PixelType::U16,
        DataType::U32 => PixelType::U32,
        DataType::I8 => PixelType::I8,
        DataType::I16 => PixelType::I16,
        DataType::I32 => PixelType::I32,
        DataType::F32 => PixelType::F32,
        DataType::F64 => PixelType::F64,
    };
    let mut bytes = Vec::with_capacity(values.len() * pixel_type.size());
    with_type!(data_type, T, _variant => for &value in &values {
        bytes.extend_from_slice(&(convert(value) as T).to_le_bytes());
    });
    Values {
        shape: values.shape().to_vec(),
        pixel_type,
        bytes,
    }
}

/// The planes (y, x), in the order of t, then z, then c.
fn planes(
    values: ArrayViewD<'_, f32>,
    axes: &Axes,
    convert: impl Fn(f32) -> f64,
    data_type: DataType,
) -> Vec<Pixels> {
    let order: Vec<usize> = "tzcyx".chars().filter_map(|a| axes.position(a)).collect();
    let ordered = values.permuted_axes(ndarray::IxDyn(&order));
    let ordered = ordered.as_standard_layout();
    let shape = ordered.shape().to_vec();
    let (height, width) = (shape[shape.len() - 2], shape[shape.len() - 1]);
    let values: Vec<f32> = ordered.iter().copied().collect();
    values
        .chunks_exact((height * width).max(1))
        .filter_map(|plane| {
            with_type!(data_type, T, variant => {
                let plane = plane.iter().map(|&v| convert(v) as T).collect();
                Array2::from_shape_vec((height, width), plane).ok().map(variant)
            })
        })
        .collect()
}
