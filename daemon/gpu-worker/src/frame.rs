//! A message on a stream: the length of its text (4 bytes, little-endian), its text (JSON), then the bytes of each array that the text
//! announces, in the machine's own order (both ends are one machine).

use std::io::{self, Read, Write};

use analysis::accelerator::{Plane, PlaneBuf};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The longest text.
const LONGEST_TEXT: usize = 1 << 20;
/// The most bytes of all arrays of a message. A worker decodes foreign bytes: one that was taken over by them must not fill the memory.
const MOST_BYTES: usize = 8 << 30;
/// The most arrays of a message.
const MOST_ARRAYS: usize = 4;

/// An array with its values in C order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub shape: Vec<usize>,
    pub values: Values,
}

/// Values of one type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    F32(Vec<f32>),
}

/// An array that is sent.
pub(crate) struct Sending<'a> {
    pub shape: Vec<usize>,
    kind: Kind,
    bytes: std::borrow::Cow<'a, [u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    U8,
    U16,
    U32,
    F32,
}

impl Kind {
    const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header<M> {
    message: M,
    arrays: Vec<(Kind, Vec<usize>)>,
}

impl<'a> Sending<'a> {
    pub fn bytes(values: &'a [u8]) -> Self {
        Self {
            shape: vec![values.len()],
            kind: Kind::U8,
            bytes: values.into(),
        }
    }

    pub fn floats(shape: Vec<usize>, values: &'a [f32]) -> Self {
        Self {
            shape,
            kind: Kind::F32,
            bytes: bytemuck::cast_slice(values).into(),
        }
    }

    /// A mask as bytes of 0 and 1.
    // A view is passed by value, as everywhere.
    #[allow(clippy::needless_pass_by_value)]
    pub fn mask(mask: ArrayView2<'_, bool>) -> Self {
        Self {
            shape: mask.shape().to_vec(),
            kind: Kind::U8,
            bytes: mask.iter().map(|&pixel| u8::from(pixel)).collect(),
        }
    }

    pub fn plane(plane: Plane<'a>) -> Self {
        let (height, width) = plane.dim();
        macro_rules! bytes {
            ($view:expr) => {
                match $view.to_slice() {
                    Some(values) => bytemuck::cast_slice(values).into(),
                    None => {
                        let values: Vec<_> = $view.iter().copied().collect();
                        bytemuck::cast_slice(&values).to_vec().into()
                    }
                }
            };
        }
        let (kind, bytes) = match plane {
            Plane::U8(v) => (Kind::U8, bytes!(v)),
            Plane::U16(v) => (Kind::U16, bytes!(v)),
            Plane::U32(v) => (Kind::U32, bytes!(v)),
            Plane::F32(v) => (Kind::F32, bytes!(v)),
        };
        Self {
            shape: vec![height, width],
            kind,
            bytes,
        }
    }
}

impl<'a> From<&'a Array> for Sending<'a> {
    fn from(array: &'a Array) -> Self {
        let (kind, bytes) = match &array.values {
            Values::U8(v) => (Kind::U8, &v[..]),
            Values::U16(v) => (Kind::U16, bytemuck::cast_slice(v)),
            Values::U32(v) => (Kind::U32, bytemuck::cast_slice(v)),
            Values::F32(v) => (Kind::F32, bytemuck::cast_slice(v)),
        };
        Self {
            shape: array.shape.clone(),
            kind,
            bytes: bytes.into(),
        }
    }
}

impl Array {
    /// As a plane (y, x); `None` if it has not two axes.
    pub fn into_plane(self) -> Option<PlaneBuf> {
        let [height, width] = self.shape[..] else {
            return None;
        };
        let shape = (height, width);
        Some(match self.values {
            Values::U8(v) => PlaneBuf::U8(Array2::from_shape_vec(shape, v).ok()?),
            Values::U16(v) => PlaneBuf::U16(Array2::from_shape_vec(shape, v).ok()?),
            Values::U32(v) => PlaneBuf::U32(Array2::from_shape_vec(shape, v).ok()?),
            Values::F32(v) => PlaneBuf::F32(Array2::from_shape_vec(shape, v).ok()?),
        })
    }

    /// Its floats; `None` if it has others.
    pub fn into_floats(self) -> Option<Vec<f32>> {
        match self.values {
            Values::F32(values) => Some(values),
            _ => None,
        }
    }

    /// Its bytes; `None` if it has others.
    #[cfg(any(feature = "gpu", test))]
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        match self.values {
            Values::U8(values) => Some(values),
            _ => None,
        }
    }
}

/// Writes a message with its arrays.
pub(crate) fn write<M: Serialize>(
    mut stream: impl Write,
    message: &M,
    arrays: &[Sending<'_>],
) -> io::Result<()> {
    let text = serde_json::to_vec(&Header {
        message,
        arrays: arrays.iter().map(|a| (a.kind, a.shape.clone())).collect(),
    })
    .map_err(io::Error::other)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_le_bytes()[..], &text].concat())?;
    for array in arrays {
        stream.write_all(&array.bytes)?;
    }
    stream.flush()
}

/// Reads a message with its arrays.
pub(crate) fn read<M: DeserializeOwned>(mut stream: impl Read) -> io::Result<(M, Vec<Array>)> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_TEXT {
        return Err(wrong("the text is too long"));
    }
    let mut text = vec![0; length];
    stream.read_exact(&mut text)?;
    let header: Header<M> = serde_json::from_slice(&text)?;
    if header.arrays.len() > MOST_ARRAYS {
        return Err(wrong("too many arrays"));
    }
    let mut left = MOST_BYTES;
    let arrays = header.arrays.into_iter().map(|(kind, shape)| {
        let count = shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s));
        let bytes = count.and_then(|n| n.checked_mul(kind.bytes()));
        left = bytes
            .and_then(|bytes| left.checked_sub(bytes))
            .ok_or_else(|| wrong("an array is too large"))?;
        let count = count.unwrap_or(0);
        macro_rules! values {
            ($variant:ident, $zero:expr) => {{
                let mut values = vec![$zero; count];
                stream.read_exact(bytemuck::cast_slice_mut(&mut values))?;
                Values::$variant(values)
            }};
        }
        let values = match kind {
            Kind::U8 => values!(U8, 0u8),
            Kind::U16 => values!(U16, 0u16),
            Kind::U32 => values!(U32, 0u32),
            Kind::F32 => values!(F32, 0f32),
        };
        Ok(Array { shape, values })
    });
    let arrays = arrays.collect::<io::Result<_>>()?;
    Ok((header.message, arrays))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ndarray::array;

    #[test]
    fn arrays_come_as_they_were_sent() {
        let plane = array![[1u16, 2, 3], [4, 5, 6]];
        let turned = plane.t();
        let mut stream = Vec::new();
        let arrays = [
            Sending::plane(Plane::U16(plane.view())),
            Sending::plane(Plane::U16(turned)),
            Sending::floats(vec![1, 1, 1, 2], &[0.5, -1.0]),
            Sending::bytes(b"xyz"),
        ];
        write(&mut stream, &"hello", &arrays).unwrap();
        write(&mut stream, &"bye", &[]).unwrap();
        let mut rest = &stream[..];
        let (message, mut arrays): (String, _) = read(&mut rest).unwrap();
        assert_eq!(message, "hello");
        assert_eq!(arrays.pop().unwrap().into_bytes().unwrap(), b"xyz");
        assert_eq!(arrays.pop().unwrap().into_floats().unwrap(), [0.5, -1.0]);
        let second = arrays.pop().unwrap().into_plane().unwrap();
        assert_eq!(second, PlaneBuf::U16(plane.t().to_owned()));
        assert_eq!(
            arrays.pop().unwrap().into_plane().unwrap(),
            PlaneBuf::U16(plane)
        );
        assert_eq!(read::<String>(&mut rest).unwrap().0, "bye");
        assert_eq!(
            read::<String>(&mut rest).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_read() {
        let huge = r#"{"message":"x","arrays":[["f32",[4000000000,4000000000]]]}"#;
        let bytes = [&(huge.len() as u32).to_le_bytes()[..], huge.as_bytes()].concat();
        let error = read::<String>(&bytes[..]).unwrap_err();
        assert!(error.to_string().contains("too large"), "{error}");
        let error = read::<String>(&[0xff; 8][..]).unwrap_err();
        assert!(error.to_string().contains("too long"), "{error}");
    }
}
