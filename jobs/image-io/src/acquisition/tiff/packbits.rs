//! PackBits: runs of literal bytes and of one repeated byte (TIFF 6.0, section 9).

/// Decodes into `out` until it is full or the input ends; returns how many bytes were written.
pub(super) fn decode(input: &[u8], out: &mut [u8]) -> usize {
    let (mut from, mut to) = (0, 0);
    while to < out.len() && from < input.len() {
        let header = input[from].cast_signed();
        from += 1;
        let room = out.len() - to;
        if header >= 0 {
            let count = (usize::from(header.unsigned_abs()) + 1)
                .min(room)
                .min(input.len() - from);
            out[to..to + count].copy_from_slice(&input[from..from + count]);
            from += count;
            to += count;
        } else if header != i8::MIN {
            let Some(byte) = input.get(from) else { break };
            let count = (usize::from(header.unsigned_abs()) + 1).min(room);
            out[to..to + count].fill(*byte);
            from += 1;
            to += count;
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        let packed = [
            0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7,
            0xaa,
        ];
        let mut out = [0; 24];
        assert_eq!(decode(&packed, &mut out), 24);
        assert_eq!(out[..8], [0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0xaa, 0xaa]);
        assert_eq!(out[14..], [0xaa; 10]);
    }

    #[test]
    fn short_input_and_short_output_end_quietly() {
        assert_eq!(decode(&[5, 1, 2], &mut [0; 9]), 2);
        assert_eq!(decode(&[0x80, 0xff], &mut [0; 9]), 0);
        assert_eq!(decode(&[0x81, 7], &mut [0; 9]), 9);
    }
}
