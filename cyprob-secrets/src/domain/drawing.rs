//! What a value is like that is drawn instead of written.

/// The characters of a drawn value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alphabet {
    /// `A-Z a-z 0-9`: 5.95 bits each.
    #[default]
    Alphanumeric,
    /// The same with `-` and `_`: 6 bits each.
    Url,
    /// `0-9 a-f`: 4 bits each.
    Hex,
}

/// How a value is drawn: so many characters, each of the alphabet as likely as another.
///
/// ```
/// use cyprob_secrets::domain::{Alphabet, Drawing};
///
/// assert!(Drawing::new(16, Alphabet::Hex).is_some());
/// assert!(Drawing::new(15, Alphabet::Url).is_none());
/// assert_eq!(Drawing::default().length(), 32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawing {
    length: usize,
    alphabet: Alphabet,
}

impl Alphabet {
    /// Its name in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alphanumeric => "alphanumeric",
            Self::Url => "url",
            Self::Hex => "hex",
        }
    }

    /// The alphabet of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Alphanumeric, Self::Url, Self::Hex]
            .into_iter()
            .find(|alphabet| alphabet.as_str() == name)
    }

    /// Its characters, all ASCII.
    #[must_use]
    pub const fn characters(self) -> &'static [u8] {
        match self {
            Self::Alphanumeric => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Self::Url => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            Self::Hex => b"0123456789abcdef",
        }
    }
}

impl Drawing {
    /// The fewest characters; of the smallest alphabet they have 64 bits.
    pub const MIN_LENGTH: usize = 16;
    /// The most characters.
    pub const MAX_LENGTH: usize = 128;

    /// So many characters of an alphabet; `None` if they are too few or too many.
    #[must_use]
    pub const fn new(length: usize, alphabet: Alphabet) -> Option<Self> {
        if length < Self::MIN_LENGTH || length > Self::MAX_LENGTH {
            return None;
        }
        Some(Self { length, alphabet })
    }

    /// How many characters.
    #[must_use]
    pub const fn length(self) -> usize {
        self.length
    }

    /// Which.
    #[must_use]
    pub const fn alphabet(self) -> Alphabet {
        self.alphabet
    }
}

impl Default for Drawing {
    /// 32 letters and digits: 190 bits.
    fn default() -> Self {
        Self {
            length: 32,
            alphabet: Alphabet::Alphanumeric,
        }
    }
}
