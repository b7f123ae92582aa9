//! Packs codes into bytes, lowest bit first, as RFC 1951 wants them.

/// Appends bit fields to a byte vector.
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    position: usize,
    bits: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Continues `out`; at most `capacity` more bytes are written without growing.
    pub fn new(out: &'a mut Vec<u8>, capacity: usize) -> Self {
        let position = out.len();
        out.resize(position + capacity + 16, 0);
        Self {
            out,
            position,
            bits: 0,
            count: 0,
        }
    }

    /// Adds `count` bits of `value`. Between two calls of [`Self::flush`] at most 56 bits may be added.
    #[inline(always)]
    pub fn put(&mut self, value: u64, count: u32) {
        self.bits |= value << self.count;
        self.count += count;
    }

    /// Moves the whole bytes out of the accumulator.
    #[inline(always)]
    pub fn flush(&mut self) {
        let end = self.position + 8;
        self.out[self.position..end].copy_from_slice(&self.bits.to_le_bytes());
        let bytes = self.count >> 3;
        self.position += bytes as usize;
        self.bits >>= bytes * 8;
        self.count &= 7;
    }

    /// Makes room for `bytes` more bytes.
    pub fn reserve(&mut self, bytes: usize) {
        let need = self.position + bytes + 16;
        if self.out.len() < need {
            self.out.resize(need, 0);
        }
    }

    /// Pads with zero bits up to the next whole byte.
    pub fn align(&mut self) {
        self.count = self.count.next_multiple_of(8);
        self.flush();
    }

    /// Appends whole bytes; the writer must be aligned.
    pub fn bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.count, 0);
        self.reserve(bytes.len());
        self.out[self.position..self.position + bytes.len()].copy_from_slice(bytes);
        self.position += bytes.len();
    }

    /// Ends the stream at a whole byte.
    pub fn finish(mut self) {
        self.align();
        self.out.truncate(self.position);
    }
}
