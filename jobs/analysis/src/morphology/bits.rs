//! Masks with 64 pixels to a word: a binary operation on a word is 64 of them.

use ndarray::{Array2, ArrayView2};

use crate::gaussian::shaped;

/// A mask; the lowest bit of a word is its leftmost pixel. Bits beyond the width are 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bits {
    height: usize,
    width: usize,
    row_words: usize,
    words: Vec<u64>,
}

impl Bits {
    /// Packs a mask, or its complement.
    pub fn pack(mask: ArrayView2<'_, bool>, complement: bool) -> Self {
        let (height, width) = mask.dim();
        let mask = mask.as_standard_layout();
        let pixels: &[u8] = mask
            .as_slice()
            .map(bytemuck::cast_slice)
            .unwrap_or_default();
        let row_words = width.div_ceil(64);
        let mut words = Vec::with_capacity(height * row_words);
        for row in pixels.chunks_exact(width.max(1)) {
            let (eights, rest) = row.as_chunks::<8>();
            let (groups, eights) = eights.as_chunks::<8>();
            words.extend(groups.iter().map(|group| pack_word(group)));
            if !eights.is_empty() || !rest.is_empty() {
                let last = rest
                    .iter()
                    .enumerate()
                    .fold(0, |bits, (at, &pixel)| bits | u64::from(pixel) << at);
                words.push(pack_word(eights) | last << (8 * eights.len()));
            }
        }
        let bits = Self {
            height,
            width,
            row_words,
            words,
        };
        if complement { bits.complement() } else { bits }
    }

    /// The mask, or its complement.
    pub fn unpack(&self, complement: bool) -> Array2<bool> {
        let flip = if complement { u64::MAX } else { 0 };
        let mut pixels = Vec::with_capacity(self.height * self.width);
        for row in self.words.chunks_exact(self.row_words.max(1)) {
            let start = pixels.len();
            pixels.extend(row.iter().flat_map(|&word| unpack_word(word ^ flip)));
            pixels.truncate(start + self.width);
        }
        shaped((self.height, self.width), pixels)
    }

    /// All rows empty, of the same size.
    pub fn cleared(&self) -> Self {
        Self {
            words: vec![0; self.words.len()],
            ..*self
        }
    }

    pub fn height(&self) -> usize {
        self.height
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// The other pixels.
    pub fn complement(mut self) -> Self {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.clear_beyond();
        self
    }

    pub fn row(&self, y: usize) -> &[u64] {
        &self.words[y * self.row_words..(y + 1) * self.row_words]
    }

    pub fn row_mut(&mut self, y: usize) -> &mut [u64] {
        &mut self.words[y * self.row_words..(y + 1) * self.row_words]
    }

    /// The bits of the last word of a row that lie beyond the width.
    fn beyond(&self) -> u64 {
        match self.width % 64 {
            0 => 0,
            used => u64::MAX << used,
        }
    }

    /// Clears the bits beyond the width.
    pub fn clear_beyond(&mut self) {
        let beyond = self.beyond();
        if beyond != 0 {
            self.words
                .iter_mut()
                .skip(self.row_words - 1)
                .step_by(self.row_words)
                .for_each(|word| *word &= !beyond);
        }
    }

    /// Sets every pixel of a row.
    pub fn fill_row(&mut self, y: usize) {
        let beyond = self.beyond();
        let row = self.row_mut(y);
        row.fill(u64::MAX);
        if let Some(last) = row.last_mut() {
            *last &= !beyond;
        }
    }

    /// Adds to a row of pixels (of a plane of this size) their left and right neighbours; `outside` is the value of the
    /// pixels beyond the border. Bits beyond the width may be set afterwards.
    pub fn widen_row(&self, row: &mut [u64], outside: bool) {
        let (first, beyond) = if outside {
            (1 << 63, self.beyond())
        } else {
            (0, 0)
        };
        let Some(last) = row.last_mut() else {
            return;
        };
        // Bits beyond the width stand for the pixels beyond the border.
        *last = *last & !self.beyond() | beyond;
        let mut left = first;
        for at in 0..row.len() {
            let right = row.get(at + 1).copied().unwrap_or(u64::from(outside));
            let here = row[at];
            row[at] = here | here << 1 | left >> 63 | here >> 1 | right << 63;
            left = here;
        }
    }
}

/// Up to eight groups of eight pixels of 0 or 1 to bits.
fn pack_word(groups: &[[u8; 8]]) -> u64 {
    // The product moves the lowest bit of byte i to bit 56 + i.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    groups.iter().enumerate().fold(0, |word, (at, &group)| {
        word | (u64::from_le_bytes(group).wrapping_mul(GATHER) >> 56) << (8 * at)
    })
}

fn unpack_word(word: u64) -> [bool; 64] {
    std::array::from_fn(|at| word >> at & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::Bits;
    use ndarray::Array2;

    #[test]
    fn packs_and_unpacks_any_width() {
        for width in [1, 7, 8, 9, 63, 64, 65, 130] {
            let mask = Array2::from_shape_fn((3, width), |(y, x)| (x * 7 + y * 3) % 5 < 2);
            for complement in [false, true] {
                let bits = Bits::pack(mask.view(), complement);
                assert_eq!(bits.unpack(complement), mask, "width {width}");
                let ones: u32 = bits.row(1).iter().map(|word| word.count_ones()).sum();
                let expected = mask
                    .row(1)
                    .iter()
                    .filter(|&&pixel| pixel != complement)
                    .count();
                assert_eq!(ones as usize, expected, "width {width}");
            }
        }
        assert_eq!(
            Bits::pack(Array2::default((0, 5)).view(), true)
                .unpack(true)
                .dim(),
            (0, 5)
        );
        assert_eq!(
            Bits::pack(Array2::default((5, 0)).view(), true)
                .unpack(true)
                .dim(),
            (5, 0)
        );
    }
}
