//! A strict reader of protobuf messages: one encoding for each, nothing skipped, nothing copied.
//!
//! Fields come in the order of their numbers, numbers are as short as they can
//! be, and a field that the caller does not ask for is an error. That is the
//! encoding that Biscuit libraries write. Every method gives `None` if the
//! bytes are otherwise.

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

const VARINT: u8 = 0;
const BYTES: u8 = 2;

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The number of the field that comes next, if it is below 16.
    pub(super) fn next_field(&self) -> Option<u8> {
        self.0
            .first()
            .filter(|key| **key < 0x80)
            .map(|key| key >> 3)
    }

    /// The number in this field, which must come next.
    pub(super) fn number(&mut self, field: u8) -> Option<u64> {
        self.number_if(field)?
    }

    /// The number in this field, if it comes next.
    pub(super) fn number_if(&mut self, field: u8) -> Option<Option<u64>> {
        if self.take_key(field, VARINT) {
            self.varint().map(Some)
        } else {
            Some(None)
        }
    }

    /// The bytes or text in this field, which must come next.
    pub(super) fn bytes(&mut self, field: u8) -> Option<&'a [u8]> {
        self.bytes_if(field)?
    }

    /// The bytes or text in this field, if it comes next; call again for a repeated field.
    pub(super) fn bytes_if(&mut self, field: u8) -> Option<Option<&'a [u8]>> {
        if !self.take_key(field, BYTES) {
            return Some(None);
        }
        let length = usize::try_from(self.varint()?).ok()?;
        let (found, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(found))
    }

    /// The message in this field, which must come next.
    pub(super) fn message(&mut self, field: u8) -> Option<Self> {
        self.bytes(field).map(Self)
    }

    /// Whether the message ends here.
    pub(super) const fn end(&self) -> Option<()> {
        if self.0.is_empty() { Some(()) } else { None }
    }

    fn take_key(&mut self, field: u8, kind: u8) -> bool {
        match self.0.split_first() {
            Some((key, rest)) if *key == field << 3 | kind => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// A number in seven-bit groups, the lowest first, without a group too many.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let group = u64::from(byte & 0x7f);
            let shifted = group << shift;
            if shifted >> shift != group {
                return None;
            }
            number |= shifted;
            if *byte < 0x80 {
                // INVARIANT: a last group of nothing would be a second spelling
                return (group != 0 || shift == 0).then_some(number);
            }
        }
        None
    }
}

/// A value of one of the kinds that facts hold (`Term` in Biscuit's schema).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Integer(i64),
    /// A string, as its place in the symbols.
    String(u64),
    /// Seconds since the Unix epoch.
    Date(u64),
    Bytes(&'a [u8]),
    Bool(bool),
}

impl<'a> Value<'a> {
    /// Reads a term that is the whole message.
    pub(super) fn read(mut term: Reader<'a>) -> Option<Self> {
        let value = match term.next_field()? {
            2 => Self::Integer(term.number(2)?.cast_signed()),
            3 => Self::String(term.number(3)?),
            4 => Self::Date(term.number(4)?),
            5 => Self::Bytes(term.bytes(5)?),
            6 => match term.number(6)? {
                0 => Self::Bool(false),
                1 => Self::Bool(true),
                _ => return None,
            },
            _ => return None,
        };
        term.end()?;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        let read = |bytes: &[u8]| Reader::new(bytes).varint();
        assert_eq!(read(&[0]), Some(0));
        assert_eq!(read(&[0x80, 0x01]), Some(128));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(read(&most), Some(u64::MAX));
        for bad in [
            &[][..],
            &[0x80],
            &[0x80, 0x00],
            &[0x81, 0x80, 0x00],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            &[0x80; 11],
        ] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn nothing_is_skipped() {
        let mut at = Reader::new(&[0x0a, 0x02, b'h', b'i', 0x10, 0x07]);
        assert_eq!(at.next_field(), Some(1));
        assert_eq!(at.number_if(2), Some(None));
        assert_eq!(at.bytes(1), Some(&b"hi"[..]));
        assert_eq!(at.end(), None);
        assert_eq!(at.bytes_if(1), Some(None));
        assert_eq!(at.number(2), Some(7));
        assert_eq!(at.end(), Some(()));
        assert_eq!(Reader::new(&[0x0a, 0x03, 1, 2]).bytes(1), None);
        // as long as the address space, and a field past 15
        let long = [
            0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ];
        assert_eq!(Reader::new(&long).bytes(1), None);
        assert_eq!(Reader::new(&[0x80, 0x01, 0x00]).next_field(), None);
    }

    #[test]
    fn a_value_is_one_term_of_a_known_kind() {
        let read = |bytes| Value::read(Reader::new(bytes));
        assert_eq!(read(&[0x30, 1]), Some(Value::Bool(true)));
        assert_eq!(read(&[0x18, 3]), Some(Value::String(3)));
        for bad in [
            &[][..],
            &[0x30, 2],
            &[0x08, 1],
            &[0x18, 3, 0x18, 3],
            &[0x42, 0],
        ] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }
}
