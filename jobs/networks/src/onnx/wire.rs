//! A walk over the bytes of an ONNX file before anything is built from them.
//!
//! The parsers behind it trust lengths and nest without end; a damaged file must not make them allocate what a length claims, nor
//! overflow the stack. So every length is compared with what is left of its message, and messages nest to a limit.

/// Deepest nesting: graphs in attributes (the bodies of `If` and `Loop`) nest a few times in real files.
const MAX_DEPTH: usize = 48;

/// The messages that contain messages; everything else is a leaf whose bytes are skipped.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    Type,
    TensorType,
    Shape,
    Sequence,
    Leaf,
}

impl Message {
    const fn child(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Self::Tensor,
            (Self::Graph, 11..=13) => Self::Value,
            (Self::Node, 5) => Self::Attribute,
            (Self::Value, 2) | (Self::Sequence, 1) | (Self::Attribute, 14 | 15) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::Type, 4 | 9) => Self::Sequence,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Model, 8 | 14) | (Self::Shape, 1) | (Self::Tensor, 13) => Self::Leaf,
            _ => return None,
        })
    }
}

/// Checks that the bytes are a well-formed ONNX model.
///
/// # Errors
/// What is wrong, with its position in the file.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    walk(bytes, 0, bytes.len(), Message::Model, 0)
}

fn walk(
    bytes: &[u8],
    mut at: usize,
    end: usize,
    message: Message,
    depth: usize,
) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("nested deeper than {MAX_DEPTH} at byte {at}"));
    }
    while at < end {
        let tag = varint(bytes, &mut at, end)?;
        match tag & 7 {
            0 => drop(varint(bytes, &mut at, end)?),
            1 => at += 8,
            5 => at += 4,
            2 => {
                let start = at;
                let length = varint(bytes, &mut at, end)?;
                let length = usize::try_from(length)
                    .ok()
                    .filter(|length| *length <= end - at)
                    .ok_or_else(|| {
                        format!("the {length} bytes announced at byte {start} are not there")
                    })?;
                if let Some(child) = message.child(tag >> 3) {
                    walk(bytes, at, at + length, child, depth + 1)?;
                }
                at += length;
            }
            other => return Err(format!("unknown wire type {other} at byte {at}")),
        }
    }
    if at == end {
        Ok(())
    } else {
        Err(format!("a field runs past its message at byte {end}"))
    }
}

fn varint(bytes: &[u8], at: &mut usize, end: usize) -> Result<u64, String> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = *bytes[..end]
            .get(*at)
            .ok_or_else(|| format!("it ends within a number at byte {at}"))?;
        *at += 1;
        if shift < 64 {
            value |= u64::from(byte & 0x7f) << shift;
        }
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(format!("a number of more than ten bytes at byte {at}"))
}
