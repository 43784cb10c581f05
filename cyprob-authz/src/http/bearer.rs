//! The `Authorization` header, strictly (RFC 6750, section 2.1).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What the header holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearer<'a> {
    /// There is no header.
    Missing,
    /// A token's text, of unknown worth.
    Token(&'a str),
    /// Two headers, another scheme, or characters that no token has.
    Malformed,
}

/// Reads it. Tokens in queries, bodies and cookies are never read.
pub(super) fn bearer(headers: &HeaderMap) -> Bearer<'_> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = all.next() else {
        return Bearer::Missing;
    };
    if all.next().is_some() {
        return Bearer::Malformed;
    }
    let parsed = first
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer")
                && !token.is_empty()
                // All of it is looked at, without a branch a byte: a token has hundreds.
                && token.bytes().fold(true, |good, byte| good & is_of_a_token(byte))
        });
    match parsed {
        Some((_, token)) => Bearer::Token(token),
        None => Bearer::Malformed,
    }
}

/// `token68` of RFC 9110, section 11.2.
const fn is_of_a_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        format!("{:?}", bearer(&headers))
    }

    #[test]
    fn one_header_one_scheme_one_token() {
        assert_eq!(read(&[]), "Missing");
        assert_eq!(read(&["Bearer abc="]), "Token(\"abc=\")");
        assert_eq!(read(&["bEARER abc"]), "Token(\"abc\")");
        for bad in [
            "Basic abc",
            "Bearer",
            "Bearer ",
            "Bearer  abc",
            "Bearer a b",
            "Bearer a,b",
            "abc",
            "Bearer\tabc",
            "",
        ] {
            assert_eq!(read(&[bad]), "Malformed", "{bad}");
        }
        assert_eq!(read(&["Bearer abc", "Bearer abc"]), "Malformed");
    }
}
