//! Passwords that many people choose.
//!
//! The list knows 16,282 entries of eight and more characters, but few of
//! fifteen: long passwords that many people choose are short ones put together.
//! So one or two entries with little around them are refused too.

use std::sync::LazyLock;

use zeroize::Zeroizing;

use super::plain_letter;

/// The list, sorted; see data/common-passwords.LICENSES for where it comes from.
static LIST: LazyLock<Vec<&str>> = LazyLock::new(|| {
    include_str!("../../../data/common-passwords.txt")
        .lines()
        .collect()
});

/// The shortest entry.
const SHORTEST: usize = 4;
/// The longest entry; twice this and what stands around it is the longest text that is looked at.
const LONGEST: usize = 21;
/// How many characters around the letters count for nothing: a date, a year, a few digits.
const AROUND: usize = 8;

/// Characters of a password; wiped when dropped.
type Text = Zeroizing<Vec<char>>;

/// One or two entries of the list; separators, look-alikes and a few characters around count for nothing.
pub(in crate::domain) fn is_common(lower: &str) -> bool {
    let exact: Text = Zeroizing::new(lower.chars().collect());
    let parted = |c: &char| matches!(c, ' ' | '-' | '_' | '.' | ',');
    let joined: Text = Zeroizing::new(exact.iter().copied().filter(|c| !parted(c)).collect());
    if joined.len() > 2 * LONGEST + AROUND {
        return false;
    }
    // Digits around the letters are dropped before digits are read as letters.
    [exact.as_slice(), &joined, letters_of(&joined)]
        .into_iter()
        .any(|text| {
            let as_letters = |one| -> Text {
                Zeroizing::new(text.iter().map(|c| plain_letter(*c, one)).collect())
            };
            made_of_entries(text)
                || made_of_entries(&as_letters('i'))
                || made_of_entries(&as_letters('l'))
        })
}

/// The text without what stands around its letters, unless that is much.
fn letters_of(text: &[char]) -> &[char] {
    let first = text.iter().position(|c| c.is_alphabetic());
    let last = text.iter().rposition(|c| c.is_alphabetic());
    match (first, last) {
        (Some(first), Some(last)) if text.len() - (last - first + 1) <= AROUND => {
            text.get(first..=last).unwrap_or(text)
        }
        _ => text,
    }
}

fn made_of_entries(text: &[char]) -> bool {
    let whole: Zeroizing<String> = Zeroizing::new(text.iter().collect());
    if whole.len() < SHORTEST || whole.len() > 2 * LONGEST {
        return false;
    }
    is_entry(&whole)
        || (SHORTEST..=whole.len().saturating_sub(SHORTEST)).any(|at| {
            let (Some(head), Some(tail)) = (whole.get(..at), whole.get(at..)) else {
                return false;
            };
            is_entry(head) && is_entry(tail)
        })
}

fn is_entry(word: &str) -> bool {
    LIST.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_lower_case_and_within_its_lengths() {
        assert!(LIST.is_sorted_by(|a, b| a < b));
        let lengths = || LIST.iter().map(|entry| entry.len());
        assert_eq!(lengths().min(), Some(SHORTEST));
        assert_eq!(lengths().max(), Some(LONGEST));
        assert_eq!(lengths().filter(|length| *length >= 8).count(), 16_282);
        assert!(LIST.iter().all(|entry| {
            entry
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
        }));
    }

    #[test]
    fn entries_are_found_alone_in_pairs_and_with_little_around() {
        for bad in [
            "password",
            "passwordpassword",
            "sunshine-football",
            "iloveyou.princess",
            "p@ssw0rdp@ssw0rd",
            "!!football2024!!",
            "basketball20240731",
        ] {
            assert!(is_common(bad), "{bad}");
        }
        for good in [
            "correct horse battery",
            "sunshine football harvester",
            "football 8412 6630 1972",
            "кошка на крыше спит",
            "",
            "é",
        ] {
            assert!(!is_common(good), "{good}");
        }
    }
}
