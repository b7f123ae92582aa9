//! One plane of pixels with its element type.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Element types that an acquisition file or a container can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelType {
    /// Unsigned 8-bit integer.
    U8,
    /// Unsigned 16-bit integer.
    U16,
    /// Unsigned 32-bit integer.
    U32,
    /// Unsigned 64-bit integer.
    U64,
    /// Signed 8-bit integer.
    I8,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
}

impl PixelType {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::F32,
        Self::F64,
    ];

    /// Bytes of one pixel.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// NumPy's name of the type, for example `uint16`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }
}

/// A plane in (y, x) order, C-contiguous, in the element type of its source.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Unsigned 8-bit pixels.
    U8(Array2<u8>),
    /// Unsigned 16-bit pixels.
    U16(Array2<u16>),
    /// Unsigned 32-bit pixels; also every label image.
    U32(Array2<u32>),
    /// Unsigned 64-bit pixels.
    U64(Array2<u64>),
    /// Signed 8-bit pixels.
    I8(Array2<i8>),
    /// Signed 16-bit pixels.
    I16(Array2<i16>),
    /// Signed 32-bit pixels.
    I32(Array2<i32>),
    /// Signed 64-bit pixels.
    I64(Array2<i64>),
    /// Single-precision pixels.
    F32(Array2<f32>),
    /// Double-precision pixels.
    F64(Array2<f64>),
}

/// Runs `$body` with `$a` bound to the array inside, whatever its type.
#[macro_export]
macro_rules! with_pixels {
    ($pixels:expr, $a:ident => $body:expr) => {
        match $pixels {
            $crate::Pixels::U8($a) => $body,
            $crate::Pixels::U16($a) => $body,
            $crate::Pixels::U32($a) => $body,
            $crate::Pixels::U64($a) => $body,
            $crate::Pixels::I8($a) => $body,
            $crate::Pixels::I16($a) => $body,
            $crate::Pixels::I32($a) => $body,
            $crate::Pixels::I64($a) => $body,
            $crate::Pixels::F32($a) => $body,
            $crate::Pixels::F64($a) => $body,
        }
    };
}

/// The same for an `$body` that makes an array of the same type.
macro_rules! map_pixels {
    ($pixels:expr, $a:ident => $body:expr) => {
        match $pixels {
            Pixels::U8($a) => Pixels::U8($body),
            Pixels::U16($a) => Pixels::U16($body),
            Pixels::U32($a) => Pixels::U32($body),
            Pixels::U64($a) => Pixels::U64($body),
            Pixels::I8($a) => Pixels::I8($body),
            Pixels::I16($a) => Pixels::I16($body),
            Pixels::I32($a) => Pixels::I32($body),
            Pixels::I64($a) => Pixels::I64($body),
            Pixels::F32($a) => Pixels::F32($body),
            Pixels::F64($a) => Pixels::F64($body),
        }
    };
}

impl Pixels {
    /// (height, width) in pixels.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        with_pixels!(self, a => a.dim())
    }

    /// Element type.
    #[must_use]
    pub const fn pixel_type(&self) -> PixelType {
        match self {
            Self::U8(_) => PixelType::U8,
            Self::U16(_) => PixelType::U16,
            Self::U32(_) => PixelType::U32,
            Self::U64(_) => PixelType::U64,
            Self::I8(_) => PixelType::I8,
            Self::I16(_) => PixelType::I16,
            Self::I32(_) => PixelType::I32,
            Self::I64(_) => PixelType::I64,
            Self::F32(_) => PixelType::F32,
            Self::F64(_) => PixelType::F64,
        }
    }

    /// The plane as labels, where its values are whole numbers from 0 to 4294967295: other programs store labels in every type
    /// of whole numbers.
    #[must_use]
    pub fn to_labels(&self) -> Option<Array2<u32>> {
        fn narrow<T: Copy + TryInto<u32>>(a: &Array2<T>) -> Option<Array2<u32>> {
            let labels: Option<Vec<u32>> = a.iter().map(|&v| v.try_into().ok()).collect();
            Array2::from_shape_vec(a.dim(), labels?).ok()
        }
        match self {
            Self::U8(a) => narrow(a),
            Self::U16(a) => narrow(a),
            Self::U32(a) => narrow(a),
            Self::U64(a) => narrow(a),
            Self::I8(a) => narrow(a),
            Self::I16(a) => narrow(a),
            Self::I32(a) => narrow(a),
            Self::I64(a) => narrow(a),
            Self::F32(_) | Self::F64(_) => None,
        }
    }

    /// The plane as single precision, as NumPy's `astype('float32')`.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    pub fn to_f32(&self) -> Array2<f32> {
        match self {
            Self::F32(a) => a.clone(),
            Self::U8(a) => a.mapv(f32::from),
            Self::U16(a) => a.mapv(f32::from),
            Self::I8(a) => a.mapv(f32::from),
            Self::I16(a) => a.mapv(f32::from),
            Self::U32(a) => a.mapv(|v| v as f32),
            Self::U64(a) => a.mapv(|v| v as f32),
            Self::I32(a) => a.mapv(|v| v as f32),
            Self::I64(a) => a.mapv(|v| v as f32),
            Self::F64(a) => a.mapv(|v| v as f32),
        }
    }

    /// The rectangle of these rows and columns, in the same type.
    ///
    /// # Panics
    /// It does not lie inside the plane.
    #[must_use]
    pub fn crop(&self, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> Self {
        map_pixels!(self, a => a.slice(ndarray::s![rows, columns]).to_owned())
    }

    /// Rows become columns.
    #[must_use]
    pub(crate) fn transposed(&self) -> Self {
        map_pixels!(self, a => a.t().as_standard_layout().into_owned())
    }
}
