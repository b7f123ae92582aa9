//! NumPy's array file (`numpy.save`), versions 1 to 3: numbers and booleans, both byte orders, C and Fortran order.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::axes::place;
use super::{Wanted, filled, unsupported};
use crate::container::Values;
use crate::{Error, PixelType, Pixels, Result};

pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy refuses headers of more than 10,000 bytes; arrays without field names need about a hundred.
const LONGEST_HEADER: usize = 64 << 10;
/// Larger planes are refused before memory is taken, as in containers.
const MOST_BYTES: u64 = 16 << 30;
/// One row of all channels, or one column.
const LONGEST_LINE: u64 = 256 << 20;

const TYPES: [(&str, PixelType); 11] = [
    ("u1", PixelType::U8),
    ("u2", PixelType::U16),
    ("u4", PixelType::U32),
    ("u8", PixelType::U64),
    ("i1", PixelType::I8),
    ("i2", PixelType::I16),
    ("i4", PixelType::I32),
    ("i8", PixelType::I64),
    ("f4", PixelType::F32),
    ("f8", PixelType::F64),
    ("b1", PixelType::U8),
];

pub(super) fn write(path: &Path, values: &Values) -> Result<()> {
    let Values {
        shape,
        pixel_type,
        bytes,
    } = values;
    let descr = TYPES
        .iter()
        .find(|(_, t)| t == pixel_type)
        .map_or("u1", |(name, _)| name);
    let order = if pixel_type.size() == 1 { '|' } else { '<' };
    let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let mut header = format!(
        "{{'descr': '{order}{descr}', 'fortran_order': False, 'shape': ({}), }}",
        shape.join(", ")
    );
    // The data begin at a multiple of 64 bytes, the header ends with a line break.
    let length = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64) - MAGIC.len() - 4;
    header.push_str(&" ".repeat(length - 1 - header.len()));
    header.push('\n');
    let io = |source| Error::Io {
        path: path.to_owned(),
        action: "write",
        source,
    };
    let mut file = File::create(path).map_err(io)?;
    let head = [
        MAGIC,
        &[1, 0],
        &(length as u16).to_le_bytes(),
        header.as_bytes(),
    ];
    file.write_all(&head.concat()).map_err(io)?;
    file.write_all(bytes).map_err(io)
}

/// What the header says.
#[derive(Debug, PartialEq)]
struct Header {
    pixel_type: PixelType,
    big: bool,
    fortran: bool,
    boolean: bool,
    extents: Vec<u64>,
}

impl Header {
    /// Reads the Python dictionary: `{'descr': '<u2', 'fortran_order': False, 'shape': (3, 4), }`.
    fn parse(text: &str) -> std::result::Result<Self, String> {
        let value = |key: &str| {
            let at = text.find(&format!("'{key}'"))? + key.len() + 2;
            Some(text[at..].trim_start().strip_prefix(':')?.trim_start())
        };
        let missing = |key: &str| format!("its header says nothing of `{key}`: {text}");
        let descr = value("descr").ok_or_else(|| missing("descr"))?;
        let descr = descr
            .strip_prefix('\'')
            .and_then(|d| d.split('\'').next())
            .ok_or_else(|| "it holds records, not numbers".to_owned())?;
        let (order, name) = descr.split_at_checked(1).unwrap_or(("", ""));
        let pixel_type = TYPES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, t)| *t)
            .filter(|_| ["<", ">", "|", "="].contains(&order))
            .ok_or_else(|| format!("its values have the type `{descr}`, which is not read"))?;
        let fortran = value("fortran_order").ok_or_else(|| missing("fortran_order"))?;
        let shape = value("shape").and_then(|s| s.strip_prefix('(')?.split(')').next());
        let extents = shape
            .ok_or_else(|| missing("shape"))?
            .split(',')
            .map(str::trim)
            .filter(|n| !n.is_empty())
            .map(|n| {
                n.trim_end_matches('L')
                    .parse()
                    .map_err(|_| missing("shape"))
            })
            .collect::<std::result::Result<_, _>>()?;
        Ok(Self {
            pixel_type,
            big: order == ">",
            fortran: fortran.starts_with("True"),
            boolean: name == "b1",
            extents,
        })
    }

    /// Distance of neighbours along each axis, in elements.
    fn strides(&self) -> Vec<u64> {
        let mut strides = vec![1; self.extents.len()];
        let mut step = 1_u64;
        let mut each = |axis: usize| {
            strides[axis] = step;
            step = step.saturating_mul(self.extents[axis]);
        };
        if self.fortran {
            (0..self.extents.len()).for_each(&mut each);
        } else {
            (0..self.extents.len()).rev().for_each(&mut each);
        }
        strides
    }
}

/// A file whose header was read and whose size is right.
struct Opened {
    file: File,
    header: Header,
    /// First byte of the values.
    data: u64,
}

fn io_error(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::Damaged {
            path: path.to_owned(),
            reason: "it ends too early".to_owned(),
        },
        _ => Error::Io {
            path: path.to_owned(),
            action: "read",
            source,
        },
    }
}

fn open(path: &Path) -> Result<Opened> {
    let damaged = |reason: String| Error::Damaged {
        path: path.to_owned(),
        reason,
    };
    let io = |source| io_error(path, source);
    let file = plate::foreign::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut fixed = [0_u8; 12];
    file.read_exact_at(&mut fixed, 0).map_err(io)?;
    let (begin, size) = match fixed[6] {
        1 => (10, usize::from(u16::from_le_bytes([fixed[8], fixed[9]]))),
        2 | 3 => (
            12,
            u32::from_le_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]) as usize,
        ),
        version => {
            return Err(unsupported(
                path,
                format!("it is of version {version} of the npy format"),
            ));
        }
    };
    if size > LONGEST_HEADER {
        return Err(damaged(format!("its header claims {size} bytes")));
    }
    let mut text = vec![0; size];
    file.read_exact_at(&mut text, begin).map_err(io)?;
    let header = Header::parse(&String::from_utf8_lossy(&text))
        .map_err(|reason| unsupported(path, reason))?;
    let data = begin + size as u64;
    let element = header.pixel_type.size();
    let bytes = header
        .extents
        .iter()
        .try_fold(element as u64, |n, e| n.checked_mul(*e));
    if bytes.and_then(|b| b.checked_add(data)) != Some(length) {
        return Err(damaged(format!(
            "an array of {:?} needs another size than its {length} bytes",
            header.extents
        )));
    }
    Ok(Opened { file, header, data })
}

/// The whole array, of at most `most` values.
pub(super) fn read_all(path: &Path, most: usize) -> Result<Values> {
    let Opened { file, header, data } = open(path)?;
    let shape: Vec<usize> = header.extents.iter().map(|&e| e as usize).collect();
    let count: usize = shape.iter().product();
    if count > most {
        return Err(Error::Limit {
            path: path.to_owned(),
            reason: format!("{count} values, at most {most} are read"),
        });
    }
    if header.fortran && shape.len() > 1 {
        return Err(unsupported(
            path,
            "its values are in Fortran order; save it with numpy.ascontiguousarray".to_owned(),
        ));
    }
    let size = header.pixel_type.size();
    let mut bytes = vec![0; count * size];
    file.read_exact_at(&mut bytes, data)
        .map_err(|source| io_error(path, source))?;
    if header.big {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    if header.boolean {
        bytes.iter_mut().for_each(|b| *b = u8::from(*b != 0));
    }
    Ok(Values {
        shape,
        pixel_type: header.pixel_type,
        bytes,
    })
}

pub(super) fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Pixels> {
    let io = |source| io_error(path, source);
    let Opened { file, header, data } = open(path)?;
    let element = header.pixel_type.size();
    let place = place(path, &header.extents, None, wanted)?;
    let (height, width) = place.shape;
    if height as u128 * width as u128 * element as u128 > u128::from(MOST_BYTES) {
        return Err(Error::Limit {
            path: path.to_owned(),
            reason: format!("{height} x {width} pixels; the limit is {MOST_BYTES} bytes"),
        });
    }
    let strides = header.strides();
    let first: u64 = place.index.iter().zip(&strides).map(|(i, s)| i * s).sum();
    let (sy, sx) = (strides[place.axes.0], strides[place.axes.1]);
    let mut out = filled(header.pixel_type, place.shape, |out| {
        // One read a line along the axis whose neighbours lie closer together.
        let by_rows = sx <= sy;
        let (lines, line_step, along, step) = if by_rows {
            (height, sy, width, sx)
        } else {
            (width, sx, height, sy)
        };
        let line_bytes = ((along - 1) as u64 * step + 1).saturating_mul(element as u64);
        if line_bytes > LONGEST_LINE {
            return Err(Error::Limit {
                path: path.to_owned(),
                reason: format!("a line of it has {line_bytes} bytes"),
            });
        }
        let mut line = vec![0; line_bytes as usize];
        for l in 0..lines {
            let at = data + (first + l as u64 * line_step) * element as u64;
            file.read_exact_at(&mut line, at).map_err(io)?;
            for a in 0..along {
                let from = a * step as usize * element;
                let pixel = if by_rows {
                    l * width + a
                } else {
                    a * width + l
                };
                let value = &mut out[pixel * element..(pixel + 1) * element];
                value.copy_from_slice(&line[from..from + element]);
                if header.big {
                    value.reverse();
                }
            }
        }
        Ok(())
    })?;
    // NumPy writes 0 and 1, but takes any other byte for true as well.
    if let Pixels::U8(values) = &mut out
        && header.boolean
    {
        values.mapv_inplace(|v| u8::from(v != 0));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn headers_are_read_as_numpy_writes_them() {
        let header =
            Header::parse("{'descr': '>f4', 'fortran_order': True, 'shape': (3, 4), }  \n")
                .unwrap();
        assert_eq!(
            header,
            Header {
                pixel_type: PixelType::F32,
                big: true,
                fortran: true,
                boolean: false,
                extents: vec![3, 4]
            }
        );
        assert_eq!(header.strides(), [1, 3]);
        let header = Header::parse("{'descr':'|b1','fortran_order':False,'shape':(7,)}").unwrap();
        assert_eq!(
            (header.extents.as_slice(), header.strides().as_slice()),
            (&[7][..], &[1][..])
        );
        for bad in [
            "",
            "{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<u2', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<u2', 'shape': (1,)}",
            "{'descr': ''",
        ] {
            assert!(Header::parse(bad).is_err(), "{bad}");
        }
    }
}
