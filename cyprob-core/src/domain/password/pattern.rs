//! Text that says less than its length: repetitions, and runs along known lines.

/// Keys that lie in one line, or that fingers take in turn.
const LINES: [&str; 15] = [
    "1234567890-=",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopü",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
    "!@#$%^&*()_+",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujmikolp",
];
/// The shortest run that counts as one.
const SHORTEST: usize = 3;

/// A pattern shorter than the minimum over and over, or fewer than half as many runs as characters.
pub(in crate::domain) fn is_pattern(lower: &[char], min_chars: usize) -> bool {
    repeats(lower, min_chars) || count_runs(lower) * 2 < lower.len()
}

fn repeats(text: &[char], min_chars: usize) -> bool {
    (1..=text.len() / 2)
        .take_while(|period| *period < min_chars)
        .any(|period| {
            let later = text.iter().skip(period);
            text.iter().zip(later).all(|(a, b)| a == b)
        })
}

/// How many runs the text is made of, read from the left; a character that belongs to none is one itself.
fn count_runs(text: &[char]) -> usize {
    let lines: Vec<Vec<char>> = LINES.iter().map(|line| line.chars().collect()).collect();
    let mut count = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let by_line = lines.iter().map(|line| along(rest, line)).max();
        let run = by_step(rest).max(by_line.unwrap_or(0)).max(date(rest));
        let taken = if run >= SHORTEST { run } else { 1 };
        rest = rest.get(taken..).unwrap_or_default();
        count += 1;
    }
    count
}

/// The run at the start in which each character is the same as, one above, or one below the one before.
fn by_step(text: &[char]) -> usize {
    let run = |follows: fn(char, char) -> bool| {
        let pairs = text.iter().zip(text.iter().skip(1));
        1 + pairs.take_while(|(a, b)| follows(**a, **b)).count()
    };
    [run(|a, b| a == b), run(is_next), run(|a, b| is_next(b, a))]
        .into_iter()
        .max()
        .unwrap_or(0)
}

/// Whether the second comes after the first; 0 comes after 9 and a after z.
fn is_next(a: char, b: char) -> bool {
    u32::from(a) + 1 == u32::from(b) || matches!((a, b), ('9', '0') | ('z', 'a'))
}

/// The run at the start that goes along a line, to either side.
fn along(text: &[char], line: &[char]) -> usize {
    let Some(first) = text.first() else {
        return 0;
    };
    let common = |ahead: &mut dyn Iterator<Item = &char>| {
        text.iter().zip(ahead).take_while(|(a, b)| a == b).count()
    };
    line.iter()
        .enumerate()
        .filter(|(_, key)| *key == first)
        .map(|(at, _)| {
            let right = common(&mut line.iter().skip(at));
            let left = common(&mut line.iter().take(at + 1).rev());
            right.max(left)
        })
        .max()
        .unwrap_or(0)
}

/// The date or year at the start: `1999`, `31121999`, `1999-12-31`, in any order of day and month.
fn date(text: &[char]) -> usize {
    let digits = |from: usize, count: usize| {
        let part = text.get(from..from + count)?;
        part.iter()
            .try_fold(0, |sum, c| Some(sum * 10 + c.to_digit(10)?))
    };
    let year = |at| digits(at, 4).is_some_and(|year| (1900..2100).contains(&year));
    let day = |first, second| {
        let (Some(a), Some(b)) = (digits(first, 2), digits(second, 2)) else {
            return false;
        };
        let fits = |day, month| (1..=31).contains(&day) && (1..=12).contains(&month);
        fits(a, b) || fits(b, a)
    };
    let parted = |at: usize| {
        text.get(at)
            .is_some_and(|c| matches!(c, '-' | '.' | '/' | ' '))
    };
    if year(0) && parted(4) && parted(7) && day(5, 8)
        || parted(2) && parted(5) && year(6) && day(0, 3)
    {
        10
    } else if year(0) && day(4, 6) || year(4) && day(0, 2) {
        8
    } else if year(0) {
        4
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> bool {
        is_pattern(&text.chars().collect::<Vec<_>>(), 15)
    }

    #[test]
    fn repetitions_and_runs_are_found() {
        for bad in [
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "elephant7elephant7",
            "abcdefghijklmnopq",
            "9876543210987654",
            "xyzabcdefghijklm",
            "qwertyuiop12345",
            "poiuytrewq09876",
            "qwertzuiopüyxcvbnm",
            "1qaz2wsx3edc4rfv",
            "1q2w3e4r5t6y7u8i",
            "йцукенгшщзфывапро",
            "aaaabbbbccccdddd",
            "19991231 20000101",
            "31.12.1999 01/01/2000",
            "1984198519861987",
        ] {
            assert!(found(bad), "{bad}");
        }
    }

    #[test]
    fn phrases_and_random_text_are_no_patterns() {
        for good in [
            "vier elefanten!",
            "correct horse battery",
            "k7#pq!zm2@vd9&wx",
            "first stuff hijacked",
            "a phrase that is long enough, a phrase that is long enough, ",
            "早起きは三文の徳というけれど眠い",
        ] {
            assert!(!found(good), "{good}");
        }
    }
}
