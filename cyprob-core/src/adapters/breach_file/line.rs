//! One line of the file.

use crate::domain::BreachDigest;

/// Bytes of a hash.
pub(super) type Hash = [u8; BreachDigest::LEN];

const HASH_DIGITS: usize = 2 * BreachDigest::LEN;
/// The longest line with its end: a hash, a colon, the digits of any 64-bit count, two characters of end.
pub(super) const LONGEST: usize = HASH_DIGITS + 1 + 20 + 2;

/// Reads a line without its end.
pub(super) fn parse(line: &[u8]) -> Option<Hash> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (digits, rest) = line.split_at_checked(HASH_DIGITS)?;
    let mut hash = Hash::default();
    hex::decode_to_slice(digits, &mut hash).ok()?;
    let counted = match rest {
        [] => true,
        [b':', count @ ..] => {
            (1..=20).contains(&count.len()) && count.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    counted.then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_hash_with_or_without_a_count() {
        let hash = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";
        let good = |line: String| parse(line.as_bytes()).map(hex::encode);
        let expected = Some(hash.to_lowercase());
        for line in [
            hash.to_owned(),
            hash.to_lowercase(),
            format!("{hash}:1"),
            format!("{hash}:10434004\r"),
            format!("{hash}:18446744073709551615"),
        ] {
            assert_eq!(good(line.clone()), expected, "{line}");
        }
        for line in [
            String::new(),
            hash[1..].to_owned(),
            format!("{hash}:"),
            format!("{hash};1"),
            format!("{hash}:1 "),
            format!("{hash}:-1"),
            format!("{hash}0"),
            format!("{hash}:123456789012345678901"),
            format!("G{}", &hash[1..]),
        ] {
            assert_eq!(good(line.clone()), None, "{line}");
        }
    }
}
