//! Frames: four bytes of length, big-endian, then so many bytes.

use std::io::{self, Read, Write};

/// Most bytes of one frame: the facts of a run and its plugins, 40 MiB together, in base64.
pub const MAX_FRAME: usize = 64 << 20;

/// Bytes that are read at once, so that a claimed length alone costs no memory.
const STEP: u64 = 1 << 20;

/// A frame cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The other side has closed.
    #[error("the other side has closed")]
    Closed,
    /// It is larger than a frame can be.
    #[error("the frame is larger than {MAX_FRAME} bytes")]
    TooLarge,
    /// It ended early.
    #[error("the frame ends early")]
    Short,
    /// The pipe failed.
    #[error("the pipe failed")]
    Io(#[source] io::Error),
}

/// The length that four bytes state.
///
/// # Errors
///
/// [`FrameError::TooLarge`].
pub(super) fn length(header: [u8; 4]) -> Result<u64, FrameError> {
    let length = u32::from_be_bytes(header);
    if usize::try_from(length).is_ok_and(|length| length <= MAX_FRAME) {
        Ok(u64::from(length))
    } else {
        Err(FrameError::TooLarge)
    }
}

/// Reads one frame.
///
/// # Errors
///
/// [`FrameError`].
pub fn read_frame(from: &mut impl Read) -> Result<Vec<u8>, FrameError> {
    let mut header = [0; 4];
    from.read_exact(&mut header)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => FrameError::Closed,
            _ => FrameError::Io(error),
        })?;
    let mut left = length(header)?;
    let mut bytes = Vec::new();
    while left > 0 {
        let step = left.min(STEP);
        let read = from
            .take(step)
            .read_to_end(&mut bytes)
            .map_err(FrameError::Io)?;
        if u64::try_from(read).ok() != Some(step) {
            return Err(FrameError::Short);
        }
        left -= step;
    }
    Ok(bytes)
}

/// The four bytes that go before a payload.
///
/// # Errors
///
/// [`FrameError::TooLarge`].
pub(super) fn header(payload: &[u8]) -> Result<[u8; 4], FrameError> {
    if payload.len() > MAX_FRAME {
        return Err(FrameError::TooLarge);
    }
    let length = u32::try_from(payload.len()).map_err(|_| FrameError::TooLarge)?;
    Ok(length.to_be_bytes())
}

/// Writes one frame.
///
/// # Errors
///
/// [`FrameError`].
pub fn write_frame(to: &mut impl Write, payload: &[u8]) -> Result<(), FrameError> {
    let header = header(payload)?;
    to.write_all(&header).map_err(FrameError::Io)?;
    to.write_all(payload).map_err(FrameError::Io)?;
    to.flush().map_err(FrameError::Io)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(payload in prop::collection::vec(any::<u8>(), 0..5_000)) {
            let mut bytes = Vec::new();
            write_frame(&mut bytes, &payload).unwrap();
            let mut from = bytes.as_slice();
            prop_assert_eq!(read_frame(&mut from).unwrap(), payload);
            prop_assert!(matches!(read_frame(&mut from), Err(FrameError::Closed)));
        }

        #[test]
        fn no_bytes_make_the_reader_panic_or_take_more_than_comes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(payload) = read_frame(&mut bytes.as_slice()) {
                prop_assert!(payload.len() + 4 <= bytes.len());
            }
        }
    }

    #[test]
    fn a_huge_claim_is_refused_and_a_large_one_costs_nothing() {
        let huge = [0xff, 0xff, 0xff, 0xff];
        assert!(matches!(
            read_frame(&mut huge.as_slice()),
            Err(FrameError::TooLarge)
        ));
        let large = (u32::try_from(MAX_FRAME).unwrap()).to_be_bytes();
        assert!(matches!(
            read_frame(&mut large.as_slice()),
            Err(FrameError::Short)
        ));
    }
}
