//! The one spelling of a token's text: URL-safe base64 with padding, as Biscuit libraries write it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use super::shape::{MAX_TOKEN_BYTES, ShapeError};

/// Reads the text. Padding and trailing bits have one form, so one token has one text.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, ShapeError> {
    check_length(text.as_bytes())?;
    let bytes = URL_SAFE.decode(text).map_err(|_| ShapeError::Base64)?;
    if bytes.len() > MAX_TOKEN_BYTES {
        return Err(ShapeError::TooLong);
    }
    Ok(bytes)
}

/// Refuses a text that is longer than any token's, before anything is done with it.
pub(crate) const fn check_length(text: &[u8]) -> Result<(), ShapeError> {
    if text.len() > MAX_TOKEN_BYTES.div_ceil(3) * 4 {
        return Err(ShapeError::TooLong);
    }
    Ok(())
}

/// Writes the text.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE.encode(bytes)
}
