//! A value typed at a terminal, which does not show it.

use std::io::{self, Read as _, Write as _};

use cyprob::secrets::domain::{SecretName, SecretValue};
use rustix::termios::{self, LocalModes, OptionalActions, Termios};
use zeroize::Zeroizing;

use super::SecretsError;

const END_OF_TEXT: u8 = 0x03;
const END_OF_TRANSMISSION: u8 = 0x04;
const KILL_LINE: u8 = 0x15;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];

/// The terminal without echo; as it was when this drops.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        // Without signals too, or Ctrl-C would leave the terminal as it is here.
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        termios::tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Asks for a value and asks again, so that what is stored is what was meant.
pub(super) fn twice(name: &SecretName) -> Result<SecretValue, SecretsError> {
    let quiet = Quiet::begin()?;
    let first = ask(&format!("value of {name}: "))?;
    let again = ask("the same again: ")?;
    drop(quiet);
    if *first != *again {
        return Err(SecretsError::Differ);
    }
    Ok(SecretValue::new(first.to_vec())?)
}

fn ask(what: &str) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
    let mut terminal = io::stderr().lock();
    write!(terminal, "{what}")?;
    terminal.flush()?;
    let line = line(io::stdin().lock().bytes());
    writeln!(terminal)?;
    line
}

/// Reads to the end of the line, as a terminal would that edits lines.
fn line(keys: impl Iterator<Item = io::Result<u8>>) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
    // One allocation that never moves, so no unwiped copy stays behind.
    let mut line = Zeroizing::new(Vec::with_capacity(SecretValue::MAX_LEN + 1));
    for key in keys {
        match key? {
            b'\r' | b'\n' => return Ok(line),
            END_OF_TEXT | END_OF_TRANSMISSION => return Err(SecretsError::GivenUp),
            KILL_LINE => line.clear(),
            key if BACKSPACE.contains(&key) => {
                // A character of several bytes goes as a whole.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            _ if line.len() > SecretValue::MAX_LEN => {}
            key => line.push(key),
        }
    }
    Err(SecretsError::GivenUp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Option<Vec<u8>> {
        let line = line(keys.iter().map(|key| Ok(*key)));
        line.ok().map(|line| line.to_vec())
    }

    #[test]
    fn a_line_can_be_edited_and_given_up() {
        assert_eq!(typed(b"abc\nd").unwrap(), b"abc");
        assert_eq!(typed(b"abc\r").unwrap(), b"abc");
        assert_eq!(typed(b"abd\x7fc\n").unwrap(), b"abc");
        assert_eq!(
            typed("a\u{e4}\u{20ac}\x08\x08bc\n".as_bytes()).unwrap(),
            b"abc"
        );
        assert_eq!(typed(b"\x7fxyz\x15abc\n").unwrap(), b"abc");
        assert_eq!(typed(b"\n").unwrap(), b"");
        for given_up in [&b"abc\x03"[..], b"abc\x04", b"abc"] {
            assert_eq!(typed(given_up), None);
        }
        let long = [vec![b'x'; 70_000], b"\n".to_vec()].concat();
        let kept = typed(&long).unwrap();
        assert!(SecretValue::new(kept).is_err());
    }
}
