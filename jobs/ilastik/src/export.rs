//! What is exported, and in which type: ilastik's export settings.

use image_io::container::Tree;

use crate::error::Result;

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Probability of each label, of the last stage.
    Probabilities,
    /// The most probable label.
    SimpleSegmentation,
    /// One less the distance of the two largest probabilities.
    Uncertainty,
    /// All features of the first stage.
    Features,
    /// Probabilities of one stage of Autocontext, from 1.
    Stage(usize),
    /// Probabilities of all stages, one after the other.
    AllStages,
}

impl Source {
    /// Parses the name that ilastik gives it, whatever the case.
    ///
    /// # Errors
    /// In words, with the names that there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        Ok(match name.trim().to_ascii_lowercase().as_str() {
            "probabilities" => Self::Probabilities,
            "simple segmentation" => Self::SimpleSegmentation,
            "uncertainty" => Self::Uncertainty,
            "features" => Self::Features,
            "probabilities stage 1" => Self::Stage(1),
            "probabilities stage 2" => Self::Stage(2),
            "probabilities all stages" => Self::AllStages,
            "labels" => {
                return Err(
                    "`Labels` are what was drawn, not predicted; they are not exported here"
                        .to_owned(),
                );
            }
            _ => {
                return Err(format!(
                    "`{name}` is not exported here; there are Probabilities, Simple Segmentation, Uncertainty, Features, Probabilities Stage 1, Probabilities Stage 2 and Probabilities All Stages"
                ));
            }
        })
    }

    /// ilastik's name, which is also in the names of files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probabilities => "Probabilities",
            Self::SimpleSegmentation => "Simple Segmentation",
            Self::Uncertainty => "Uncertainty",
            Self::Features => "Features",
            Self::Stage(1) => "Probabilities Stage 1",
            Self::Stage(_) => "Probabilities Stage 2",
            Self::AllStages => "Probabilities All Stages",
        }
    }
}

/// Type of exported values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DataType {
    U8,
    U16,
    U32,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl DataType {
    /// Parses NumPy's name.
    ///
    /// # Errors
    /// In words, with the names that there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        Ok(match name.trim() {
            "uint8" => Self::U8,
            "uint16" => Self::U16,
            "uint32" => Self::U32,
            "int8" => Self::I8,
            "int16" => Self::I16,
            "int32" => Self::I32,
            "float32" => Self::F32,
            "float64" => Self::F64,
            other => {
                return Err(format!(
                    "`{other}` is no type of exported values; there are uint8, uint16, uint32, int8, int16, int32, float32 and float64"
                ));
            }
        })
    }

    /// NumPy's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }

    /// Smallest and largest value of a type of whole numbers.
    #[must_use]
    pub fn range(self) -> Option<(f64, f64)> {
        Some(match self {
            Self::U8 => (0.0, f64::from(u8::MAX)),
            Self::U16 => (0.0, f64::from(u16::MAX)),
            Self::U32 => (0.0, f64::from(u32::MAX)),
            Self::I8 => (f64::from(i8::MIN), f64::from(i8::MAX)),
            Self::I16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
            Self::I32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
            Self::F32 | Self::F64 => return None,
        })
    }
}

/// The export settings that a user saved in a project; what is absent is ilastik's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExportSettings {
    /// `hdf5`, `compressed hdf5`, `numpy`, `tif`, `png` and others.
    pub format: Option<String>,
    /// With placeholders such as `{dataset_dir}/{nickname}_{result_type}`.
    pub filename: Option<String>,
    /// Dataset in an HDF5 file.
    pub internal_path: Option<String>,
    /// Type of the exported values.
    pub data_type: Option<DataType>,
    /// The range of values that becomes [`Self::output_range`].
    pub input_range: Option<(f64, f64)>,
    /// See [`Self::input_range`].
    pub output_range: Option<(f64, f64)>,
    /// Order of the axes.
    pub axes: Option<String>,
    /// First index on each axis of the part that is exported; absent: all.
    pub region_start: Option<Vec<Option<i64>>>,
    /// End of it, on each axis.
    pub region_stop: Option<Vec<Option<i64>>>,
}

impl ExportSettings {
    pub(crate) fn read(file: &Tree) -> Result<Self> {
        let name = |key: &str| format!("Prediction Export/{key}");
        let text = |key: &str| -> Result<Option<String>> {
            if !file.exists(&name(key))? {
                return Ok(None);
            }
            Ok(file.texts(&name(key), 1)?.into_iter().next())
        };
        let numbers = |key: &str| -> Result<Option<Vec<f64>>> {
            if !file.exists(&name(key))? {
                return Ok(None);
            }
            Ok(Some(file.numbers(&name(key), 16)?.to_f64()))
        };
        let number = |key: &str| -> Result<Option<f64>> {
            Ok(numbers(key)?.and_then(|n| n.first().copied()))
        };
        let range = |low: &str, high: &str| -> Result<Option<(f64, f64)>> {
            Ok(number(low)?.zip(number(high)?))
        };
        // -1 stands for the whole axis.
        let region = |key: &str| -> Result<Option<Vec<Option<i64>>>> {
            let found = numbers(key)?;
            Ok(found.map(|n| n.iter().map(|&v| (v >= 0.0).then_some(v as i64)).collect()))
        };
        Ok(Self {
            format: text("OutputFormat")?,
            filename: text("OutputFilenameFormat")?,
            internal_path: text("OutputInternalPath")?,
            data_type: text("ExportDtype")?.and_then(|n| DataType::parse(&n).ok()),
            input_range: range("InputMin", "InputMax")?,
            output_range: range("ExportMin", "ExportMax")?,
            axes: text("OutputAxisOrder")?,
            region_start: region("RegionStart")?,
            region_stop: region("RegionStop")?,
        })
    }
}

/// Brings values from one range into another, as ilastik does before it changes their type: rounded to whole numbers (ties to even)
/// where the type asks for it, kept inside the type's range. Without ranges values are only cut off.
pub fn rescaler(
    ranges: Option<((f64, f64), (f64, f64))>,
    data_type: DataType,
) -> impl Fn(f32) -> f64 {
    let limits = data_type.range();
    let scale = ranges.map(|((low, high), (to_low, to_high))| {
        (
            low as f32,
            ((to_high - to_low) / (high - low)) as f32,
            to_low as f32,
        )
    });
    move |value| {
        let moved = match scale {
            Some((low, factor, to_low)) => to_low + (value - low) * factor,
            None => value,
        };
        match limits {
            Some((least, most)) if scale.is_some() => {
                f64::from(moved.round_ties_even()).clamp(least, most)
            }
            Some((least, most)) => f64::from(moved.trunc()).clamp(least, most),
            None => f64::from(moved),
        }
    }
}
