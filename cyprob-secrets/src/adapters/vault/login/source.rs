//! Files that hold a token, a secret id or a service account's token.

use std::path::Path;

use rustix::fs::CWD;
use secrecy::{ExposeSecret, SecretString};

use super::LoginRefusal;
use crate::adapters::private_file::{self, ReadFault};
use crate::adapters::vault::fault::{Fault, Outage};

const MAX: usize = 16_384;

/// Reads one line from a file that nobody else may read.
pub(super) fn private(path: &Path) -> Result<SecretString, Fault> {
    let name = path.to_str().ok_or(LoginRefusal::FileMissing)?;
    let bytes = match private_file::read(CWD, name, MAX) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(LoginRefusal::FileMissing.into()),
        Err(ReadFault::Refused(refusal)) => return Err(LoginRefusal::File(refusal).into()),
        Err(ReadFault::Io(error)) => return Err(Outage::File(error.kind().to_string()).into()),
    };
    line(&bytes)
}

/// Reads one line from a file that the platform itself lays out, links and all.
pub(super) fn projected(path: &Path) -> Result<SecretString, Fault> {
    match std::fs::read(path) {
        Ok(bytes) => line(&zeroize::Zeroizing::new(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(LoginRefusal::FileMissing.into())
        }
        Err(error) => Err(Outage::File(error.kind().to_string()).into()),
    }
}

fn line(bytes: &[u8]) -> Result<SecretString, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| LoginRefusal::NotAToken)?;
    let text = SecretString::from(text.trim_end_matches(['\r', '\n']));
    let printable = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if text.expose_secret().len() <= MAX && printable(text.expose_secret()) {
        Ok(text)
    } else {
        Err(LoginRefusal::NotAToken.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_line_of_printable_ascii() {
        for good in ["s.abc", "s.abc\n", "s.abc\r\n"] {
            assert_eq!(line(good.as_bytes()).unwrap().expose_secret(), "s.abc");
        }
        let long = "a".repeat(MAX + 1);
        for bad in ["", "\n", "a b", "a\nb", "a\tb", "é", "a\0", long.as_str()] {
            let refused = line(bad.as_bytes());
            assert!(matches!(
                refused,
                Err(Fault::Login(LoginRefusal::NotAToken))
            ));
        }
    }
}
