//! Versions: as Cyprob's engine compares them, and as fixed mode does.

use std::cmp::Ordering;

/// Most dotted components of a version in fixed mode.
const MAX_COMPONENTS: usize = 16;
/// Longest version text in fixed mode, in bytes.
const MAX_BYTES: usize = 256;

/// The version of Cyprob whose plugin format this engine reads.
pub(crate) const FORMAT_VERSION: &str = "0.9.0";

/// Whether a text is a version at all.
pub(crate) fn is_version(text: &str) -> bool {
    FixedVersion::parse(text).is_some()
}

/// Whether a plugin that asks for this version of Cyprob can run here; `None`
/// when the text is no version.
pub(crate) fn engine_accepts(wanted: &str) -> Option<bool> {
    let here = FixedVersion::parse(FORMAT_VERSION)?;
    Some(FixedVersion::parse(wanted)?.order(&here).is_le())
}

/// A version as Masterminds/semver 3 reads it: up to three numbers, an
/// optional `v`, pre-release and build metadata; metadata does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LooseVersion<'a> {
    numbers: [u64; 3],
    pre: &'a str,
}

impl<'a> LooseVersion<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (rest, meta) = split_once_kept(text, '+');
        let (core, pre) = split_once_kept(rest, '-');
        let mut numbers = [0_u64; 3];
        let mut parts = core.split('.');
        for (i, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) if part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty() => {
                    *number = part.parse().ok()?;
                }
                None if i > 0 => break,
                _ => return None,
            }
        }
        if parts.next().is_some() {
            return None;
        }
        if let Some(meta) = meta
            && !meta.split('.').all(identifier)
        {
            return None;
        }
        if let Some(pre) = pre {
            let good = |part: &str| {
                identifier(part) && !(part.len() > 1 && part.starts_with('0') && numeric(part))
            };
            if !pre.split('.').all(good) {
                return None;
            }
        }
        Some(Self {
            numbers,
            pre: pre.unwrap_or(""),
        })
    }

    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| order_pre(self.pre, other.pre))
    }
}

fn split_once_kept(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at)
        .map_or((text, None), |(a, b)| (a, Some(b)))
}

fn identifier(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn numeric(part: &str) -> bool {
    part.bytes().all(|b| b.is_ascii_digit())
}

/// A version without pre-release is later than one with; else part by part.
fn order_pre(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let (l, r) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(l), Some(r)) => (l, r),
        };
        let order = match (l.parse::<u64>(), r.parse::<u64>()) {
            _ if l == r => Ordering::Equal,
            (Ok(l), Ok(r)) => l.cmp(&r),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => l.cmp(r),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// A version of fixed mode: any count of numbers, of any size up to limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FixedVersion {
    /// Digits without leading zeros.
    numbers: Vec<Box<str>>,
    pre: Box<str>,
    /// The number after `p` in `8.5p1`; compared only when both have one.
    portable: Option<Box<str>>,
}

impl FixedVersion {
    /// Reads `v1.2.3.4-rc.1+build` or `9.8p1`, and nothing around it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (rest, meta) = split_once_kept(text, '+');
        let (core, pre) = split_once_kept(rest, '-');
        if meta.is_some_and(|m| !m.split('.').all(identifier))
            || pre.is_some_and(|p| !p.split('.').all(identifier))
        {
            return None;
        }
        let (core, portable) = match core.split_once('p') {
            Some((core, digits)) if !digits.is_empty() && numeric(digits) => {
                (core, Some(trimmed(digits)))
            }
            Some(_) => return None,
            None => (core, None),
        };
        let numbers: Vec<Box<str>> = core.split('.').map(trimmed).collect();
        let good = core
            .split('.')
            .all(|part| !part.is_empty() && numeric(part));
        (good && numbers.len() <= MAX_COMPONENTS).then(|| Self {
            numbers,
            pre: pre.unwrap_or("").into(),
            portable,
        })
    }

    /// The first thing in a banner that looks like a version: digits, a dot,
    /// digits, at the beginning of a number.
    pub(crate) fn from_banner(banner: &str) -> Option<Self> {
        let bytes = banner.as_bytes().get(..banner.len().min(4096))?;
        let mut at = 0;
        while at < bytes.len() {
            let run = bytes.get(at..)?;
            let len = run
                .iter()
                .take_while(|b| b.is_ascii_digit() || **b == b'.')
                .count();
            if len == 0 {
                at += 1;
                continue;
            }
            let text = std::str::from_utf8(run.get(..len)?).ok()?;
            let core = text.trim_matches('.');
            // `SSH-2.0-` names the protocol, not the software.
            let protocol = at >= 4 && bytes.get(at - 4..at) == Some(b"SSH-");
            if core.contains('.') && !protocol {
                let mut version = Self::parse(core)?;
                if let Some(tail) = run.get(len..).filter(|_| core.len() == text.len()) {
                    let digits = tail
                        .iter()
                        .skip(1)
                        .take_while(|b| b.is_ascii_digit())
                        .count();
                    if tail.first() == Some(&b'p') && digits > 0 {
                        version.portable = tail
                            .get(1..=digits)
                            .and_then(|d| std::str::from_utf8(d).ok())
                            .map(trimmed);
                    }
                }
                return Some(version);
            }
            at += len;
        }
        None
    }

    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let zero: Box<str> = "".into();
        let count = self.numbers.len().max(other.numbers.len());
        for i in 0..count {
            let order = order_digits(
                self.numbers.get(i).unwrap_or(&zero),
                other.numbers.get(i).unwrap_or(&zero),
            );
            if order != Ordering::Equal {
                return order;
            }
        }
        order_pre(&self.pre, &other.pre).then_with(|| match (&self.portable, &other.portable) {
            (Some(a), Some(b)) => order_digits(a, b),
            _ => Ordering::Equal,
        })
    }
}

fn trimmed(digits: &str) -> Box<str> {
    digits.trim_start_matches('0').into()
}

/// Orders digit strings without leading zeros as the numbers they are.
fn order_digits(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ordering::{Equal, Greater, Less};

    #[test]
    fn loose_versions_follow_masterminds() {
        let order = |a, b| {
            LooseVersion::parse(a)
                .unwrap()
                .order(&LooseVersion::parse(b).unwrap())
        };
        for (a, b, want) in [
            ("8.5", "8.5.0", Equal),
            ("v1.2", "1.2.0", Equal),
            ("1.2.3-beta.1", "1.2.3", Less),
            ("1.2.3+b1", "1.2.3+b2", Equal),
            ("01.2.3", "1.2.3", Equal),
            ("10", "9", Greater),
            ("1-alpha", "1-1", Greater),
            ("1-1.2", "1-1", Greater),
            ("1-2", "1-10", Less),
            ("1-a.b", "1-a.c", Less),
            ("1--1", "1-0", Greater),
            ("1-99999999999999999999999", "1-5", Greater),
        ] {
            assert_eq!(order(a, b), want, "{a} {b}");
        }
        for bad in [
            "",
            "v",
            "V1",
            "1.2.3.4",
            "OpenSSH_8.5p1",
            "8.5p1",
            "1.",
            ".1",
            "1.2.3-",
            "1.2.3-01",
            "1.2.3-a..b",
            "1+",
            "1+a+b",
            " 1",
            "1\n",
            "18446744073709551616",
            "-1",
            "1.a",
            "vv1",
            "1..2",
        ] {
            assert_eq!(LooseVersion::parse(bad), None, "{bad}");
        }
        assert!(
            LooseVersion::parse("1.2.3-0").is_some() && LooseVersion::parse("1.2.3-0a").is_some()
        );
        assert!(LooseVersion::parse(&"1.".repeat(1_000_000)).is_none());
    }

    #[test]
    fn fixed_versions_take_any_count_and_size() {
        let order = |a, b| {
            FixedVersion::parse(a)
                .unwrap()
                .order(&FixedVersion::parse(b).unwrap())
        };
        for (a, b, want) in [
            ("1.2.3.4", "1.2.3", Greater),
            ("1.2", "1.2.0.0", Equal),
            ("1.10", "1.9", Greater),
            (
                "99999999999999999999999.1",
                "99999999999999999999998.2",
                Greater,
            ),
            ("9.8p1", "9.8", Equal),
            ("9.7p1", "9.8p1", Less),
            ("3.7p2", "3.7p1", Greater),
            ("2.0-rc1", "2.0", Less),
        ] {
            assert_eq!(order(a, b), want, "{a} {b}");
        }
        for bad in [
            "",
            "OpenSSH_8.5",
            "1.2.",
            "1..2",
            "8.5p",
            "8.5px",
            "1 2",
            &"1.".repeat(1_000_000),
        ] {
            assert_eq!(FixedVersion::parse(bad), None);
        }
    }

    #[test]
    fn banners_give_the_software_version() {
        for (banner, want) in [
            ("OpenSSH_8.5p1", "8.5p1"),
            ("SSH-2.0-OpenSSH_9.8p1 Ubuntu-3", "9.8p1"),
            ("nginx/1.18.0", "1.18.0"),
            ("SSH-2.0-dropbear_2019.78", "2019.78"),
            ("Apache/2.4.41 (Ubuntu)", "2.4.41"),
            ("220 ProFTPD 1.3.5e", "1.3.5"),
        ] {
            let got = FixedVersion::from_banner(banner).unwrap();
            assert_eq!(
                got.order(&FixedVersion::parse(want).unwrap()),
                Equal,
                "{banner}"
            );
        }
        assert_eq!(FixedVersion::from_banner("no digits. 5 at all"), None);
        assert_eq!(FixedVersion::from_banner(&"1.".repeat(1_000_000)), None);
    }
}
