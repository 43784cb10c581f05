//! Bytes as letters and digits, five bits a character (RFC 4648, section 6), without padding.

use zeroize::Zeroizing;

/// What authenticator applications read.
pub(super) const RFC_4648: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// What people type: without i, l, o and u (Crockford).
pub(super) const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes whole groups of five bits; the last one is filled up with zeros.
pub(super) fn encode(bytes: &[u8], alphabet: &[u8; 32]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity((bytes.len() * 8).div_ceil(5)));
    let (mut held, mut bits) = (0_u32, 0_u32);
    let mut push = |five: u32| {
        let letter = usize::try_from(five & 31).ok();
        let letter = letter.and_then(|at| alphabet.get(at));
        text.push(letter.map_or('?', |letter| char::from(*letter)));
    };
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push(held << (5 - bits));
    }
    text
}

/// Reads exactly `N` bytes; `None` if a character is foreign or there are too many or too few.
pub(super) fn decode<const N: usize>(
    letters: impl Iterator<Item = u8>,
    alphabet: &[u8; 32],
) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    let mut slots = bytes.iter_mut();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in letters {
        let five = alphabet.iter().position(|known| *known == letter)?;
        held = held << 5 | u32::try_from(five).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *slots.next()? = u8::try_from(held >> bits & 255).ok()?;
            held &= (1 << bits) - 1;
        }
    }
    let whole = slots.next().is_none() && bits < 5 && held == 0;
    whole.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_rfc_writes() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(*encode(bytes.as_bytes(), RFC_4648), text);
        }
    }

    #[test]
    fn reads_whole_values_alone() {
        let read = |text: &str| decode::<5>(text.bytes(), CROCKFORD).map(|bytes| *bytes);
        let bytes = [0, 17, 34, 255, 254];
        assert_eq!(read(&encode(&bytes, CROCKFORD)), Some(bytes));
        for bad in ["", "0000000", "000000000", "0000000u", "0000000A"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert!(decode::<1>("01".bytes(), CROCKFORD).is_none(), "odd bits");
    }
}
