//! The paths that routes may have: a stricter language than the framework's, so that no path panics it.

use super::seal::SealError;

/// A segment of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    Literal(&'a str),
    Name(&'a str),
    Rest(&'a str),
}

/// Splits a path: `/`, or literals of unreserved characters, `{name}`, and `{*rest}` at the end.
pub(super) fn segments(path: &str) -> Result<Vec<Segment<'_>>, SealError> {
    let bad = || SealError::Path(path.to_owned());
    let rest = path.strip_prefix('/').ok_or_else(bad)?;
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<&str> = rest.split('/').collect();
    let last = parts.len() - 1;
    let mut segments = Vec::with_capacity(parts.len());
    for (at, part) in parts.into_iter().enumerate() {
        let segment = segment(part).ok_or_else(bad)?;
        let twice = segments.contains(&segment) && !matches!(segment, Segment::Literal(_));
        if twice || (matches!(segment, Segment::Rest(_)) && at != last) {
            return Err(bad());
        }
        segments.push(segment);
    }
    Ok(segments)
}

fn segment(part: &str) -> Option<Segment<'_>> {
    let name =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if let Some(inner) = part.strip_prefix('{') {
        let inner = inner.strip_suffix('}')?;
        return match inner.strip_prefix('*') {
            Some(rest) if name(rest) => Some(Segment::Rest(rest)),
            None if name(inner) => Some(Segment::Name(inner)),
            _ => None,
        };
    }
    let literal = !part.is_empty()
        && part != "."
        && part != ".."
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    literal.then_some(Segment::Literal(part))
}

/// Whether two paths have different names, or a name and a rest, at one place: the framework takes only one of them.
pub(super) fn clash(a: &[Segment<'_>], b: &[Segment<'_>]) -> bool {
    for (a, b) in a.iter().zip(b) {
        if a == b {
            continue;
        }
        return !matches!((a, b), (Segment::Literal(_), _) | (_, Segment::Literal(_)));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_language() {
        for good in ["/", "/healthz", "/a/{b}/c", "/.well-known/x", "/a/{*rest}"] {
            assert!(segments(good).is_ok(), "{good}");
        }
        for bad in [
            "", "a", "//", "/a/", "/a//b", "/{a", "/{}", "/a{b}", "/{*r}/x", "/:a", "/*a", "/a b",
            "/%61", "/{A}", "/../a", "/{a}/{a}", "/é",
        ] {
            assert!(segments(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn clashes_are_found() {
        let clashes = |a, b| clash(&segments(a).unwrap(), &segments(b).unwrap());
        assert!(clashes("/a/{x}", "/a/{y}/z"));
        assert!(clashes("/a/{x}", "/a/{*y}"));
        assert!(!clashes("/a/{x}", "/a/b"));
        assert!(!clashes("/a/{x}/c", "/a/{x}/{d}"));
        assert!(!clashes("/a/{x}", "/b/{y}"));
    }
}
