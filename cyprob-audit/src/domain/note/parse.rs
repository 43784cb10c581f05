//! Reading notes strictly, and judging their signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cyprob_core::domain::Timestamp;

use super::{KeyName, SignatureKind, VerifierKey, cosign};

/// Why a note is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// It is longer than a note may be.
    #[error("the note is longer than 128 KiB")]
    TooLong,
    /// It is not UTF-8 or holds a control character.
    #[error("the note is not UTF-8 text free of control characters")]
    Text,
    /// There is no blank line between text and signatures, or no final newline.
    #[error("the note is not text, a blank line and signature lines")]
    Form,
    /// A signature line is not as it must be.
    #[error("line {number} of the signatures is malformed")]
    SignatureLine {
        /// Counted from one.
        number: usize,
    },
    /// There are more signatures than we judge.
    #[error("the note has more than 100 signatures")]
    TooManySignatures,
    /// No signature is by the expected key.
    #[error("the note is not signed by the expected key")]
    Unsigned,
    /// A signature bears the expected key's name and id and is not valid.
    #[error("the signature of the expected key is not valid")]
    BadSignature,
}

/// A note whose form is right and whose signatures nobody has judged yet.
///
/// The text stays inside until a key vouches for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

#[derive(Clone, PartialEq, Eq)]
struct SignatureLine {
    name: KeyName,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl Note {
    /// The longest note that is read, in bytes: room for 16 post-quantum signatures and more.
    pub const MAX_BYTES: usize = 128 * 1024;
    /// The most signature lines that are judged.
    pub const MAX_SIGNATURES: usize = 100;

    /// Reads a note.
    ///
    /// # Errors
    ///
    /// [`NoteError`] for whatever is not of the exact form, also where a
    /// laxer reader could guess what was meant.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(NoteError::TooLong);
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Text);
        }
        let blank = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, rest) = note.split_at_checked(blank + 1).ok_or(NoteError::Form)?;
        let lines = rest
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .ok_or(NoteError::Form)?;
        let mut signatures = Vec::new();
        for (at, line) in lines.split('\n').enumerate() {
            if at >= Self::MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(
                SignatureLine::parse(line).ok_or(NoteError::SignatureLine { number: at + 1 })?,
            );
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The text, once the key has vouched for it.
    ///
    /// Signatures by other keys are ignored, as the specification wants it.
    ///
    /// # Errors
    ///
    /// [`NoteError::Unsigned`] without a signature line of this key's name and
    /// id; [`NoteError::BadSignature`] if there is one that is not valid.
    pub fn open(&self, key: &VerifierKey) -> Result<&str, NoteError> {
        self.judge(key, |signature| match key.kind() {
            SignatureKind::Note => key.verifies(self.text.as_bytes(), signature).then_some(()),
            SignatureKind::Cosignature => cosign::time_of(key, &self.text, signature).map(drop),
        })?;
        Ok(&self.text)
    }

    /// When a witness says that it saw this checkpoint: the latest of its cosignatures.
    ///
    /// # Errors
    ///
    /// As [`Note::open`]; also [`NoteError::Unsigned`] for a key of another kind.
    pub fn cosigned_at(&self, witness: &VerifierKey) -> Result<Timestamp, NoteError> {
        if witness.kind() != SignatureKind::Cosignature {
            return Err(NoteError::Unsigned);
        }
        self.judge(witness, |signature| {
            cosign::time_of(witness, &self.text, signature)
        })
    }

    /// Every line of this key must hold, and there must be one; gives the greatest answer.
    fn judge<T: Ord>(
        &self,
        key: &VerifierKey,
        holds: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, NoteError> {
        let mut found = None;
        for line in &self.signatures {
            if line.name == *key.name() && line.id == key.id() {
                let answer = holds(&line.signature).ok_or(NoteError::BadSignature)?;
                found = found.max(Some(answer));
            }
        }
        found.ok_or(NoteError::Unsigned)
    }
}

/// Shows no text that nobody vouched for.
impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Note({} signatures)", self.signatures.len())
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let name = name.parse().ok()?;
        let bytes = STANDARD.decode(signature).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self {
            name,
            id: *id,
            signature: signature.to_vec(),
        })
    }
}
