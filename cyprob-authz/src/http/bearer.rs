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
    match credentials(headers) {
        None => Bearer::Missing,
        Some(Err(Unread)) => Bearer::Malformed,
        Some(Ok(token)) => match text(token) {
            Some(token) => Bearer::Token(token),
            None => Bearer::Malformed,
        },
    }
}

/// What stands after the scheme, as it is, to compare it with a token that is known.
pub(super) fn unread(headers: &HeaderMap) -> Option<&[u8]> {
    credentials(headers)?.ok()
}

/// Two headers, or another scheme.
struct Unread;

fn credentials(headers: &HeaderMap) -> Option<Result<&[u8], Unread>> {
    const SCHEME: usize = b"bearer ".len();
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let first = all.next()?;
    let split = first.as_bytes().split_at_checked(SCHEME);
    Some(match split {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case(b"bearer ") && all.next().is_none() =>
        {
            Ok(token)
        }
        _ => Err(Unread),
    })
}

fn text(token: &[u8]) -> Option<&str> {
    // All of it is looked at, without a branch a byte: a token has hundreds.
    let good = token
        .iter()
        .fold(!token.is_empty(), |good, byte| good & is_of_a_token(*byte));
    std::str::from_utf8(token).ok().filter(|_| good)
}

/// `token68` of RFC 9110, section 11.2, written so that many bytes are looked at at once.
const fn is_of_a_token(byte: u8) -> bool {
    // A letter of either case, or one of `-./0123456789`, which stand in a row.
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let row = byte.wrapping_sub(b'-') < 13;
    letter | row | (byte == b'_') | (byte == b'~') | (byte == b'+') | (byte == b'=')
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

    #[test]
    fn the_characters_of_a_token_are_those_of_the_rfc() {
        for byte in 0..=u8::MAX {
            let named = byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
            assert_eq!(is_of_a_token(byte), named, "{byte}");
        }
    }
}
