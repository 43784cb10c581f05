//! Writes protobuf messages in the one encoding that the strict reader takes.
//!
//! Fields are to be written in the order of their numbers, which are below 16.

/// What is written of a message.
#[derive(Debug)]
pub(super) struct Writer(Vec<u8>);

const VARINT: u8 = 0;
const BYTES: u8 = 2;

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn number(&mut self, field: u8, number: u64) {
        self.0.push(field << 3 | VARINT);
        self.varint(number);
    }

    /// Bytes or text.
    pub(super) fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.0.push(field << 3 | BYTES);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A message, by what it holds.
    pub(super) fn message(&mut self, field: u8, content: impl FnOnce(&mut Self)) {
        self.0.push(field << 3 | BYTES);
        let at = self.0.len();
        content(self);
        // The length comes before what it counts, which is a few bytes mostly.
        let length = self.0.len() - at;
        self.varint(length as u64);
        let grown = self.0.len() - at - length;
        if let Some(message) = self.0.get_mut(at..) {
            message.rotate_right(grown);
        }
    }

    /// Fields that were written elsewhere.
    pub(super) fn append(&mut self, fields: &Self) {
        self.0.extend_from_slice(&fields.0);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::Reader;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for number in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            for length in [0, 1, 127, 128, 20_000] {
                let mut writer = Writer::with_capacity(0);
                writer.message(1, |inner| {
                    inner.number(2, number);
                    inner.bytes(3, &vec![7; length]);
                });
                writer.number(15, number);
                let bytes = writer.into_bytes();
                let mut read = Reader::new(&bytes);
                let mut inner = read.message(1).unwrap();
                assert_eq!(inner.number(2), Some(number));
                assert_eq!(inner.bytes(3).map(<[u8]>::len), Some(length));
                assert_eq!(inner.end(), Some(()));
                assert_eq!(read.number(15), Some(number));
                assert_eq!(read.end(), Some(()));
            }
        }
    }
}
