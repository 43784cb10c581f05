//! Secrets in files.

use async_trait::async_trait;
use rustix::fs::CWD;

use super::private_file::{self, ReadFault};
use crate::domain::{FilePath, Scheme, SecretRef, SecretValue};
use crate::ports::{Refusal, Secret, SecretError, SecretProvider};

/// Serves `file://` references of the deployment's configuration.
///
/// The file must be a regular one, not a symbolic link, belong to this
/// process's user or root, grant nothing to group or others, and hold 1 to
/// 65,536 bytes. Its bytes are the secret, a line ending at the end included;
/// see [`SecretValue::to_line`].
#[derive(Clone, Copy, Debug, Default)]
pub struct FileProvider;

impl FileProvider {
    /// Makes the provider; it has no settings.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl SecretProvider for FileProvider {
    fn scheme(&self) -> Scheme {
        Scheme::File
    }

    async fn read(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        let SecretRef::File(path) = reference else {
            let scheme = reference.scheme();
            return Err(SecretError::Unserved { scheme });
        };
        let path = path.clone();
        super::blocking::run(move || read(path)).await
    }
}

fn read(path: FilePath) -> Result<Option<Secret>, SecretError> {
    let bytes = match private_file::read(CWD, path.as_str(), SecretValue::MAX_LEN) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(ReadFault::Refused(refusal)) => {
            return Err(SecretError::refused(&SecretRef::File(path), refusal));
        }
        Err(ReadFault::Io(error)) => return Err(SecretError::unavailable(error)),
    };
    match SecretValue::new(bytes.to_vec()) {
        Ok(value) => Ok(Some(Secret {
            value,
            version: None,
            stored_at: None,
        })),
        Err(_) => Err(SecretError::refused(&SecretRef::File(path), Refusal::Empty)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::Path;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::testkit::block_on;

    fn get(path: &Path) -> Result<Option<Secret>, SecretError> {
        let reference = format!("file://{}", path.display()).parse().unwrap();
        block_on(FileProvider::new().read(&reference))
    }

    fn refusal(path: &Path) -> Refusal {
        match get(path) {
            Err(SecretError::Refused { refusal, .. }) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn write(path: &Path, bytes: &[u8], mode: u32) {
        fs::write(path, bytes).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_private_file_is_read_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        assert!(get(&path).unwrap().is_none());
        for mode in [0o600, 0o400] {
            fs::remove_file(&path).ok();
            write(&path, b"a\nb\n", mode);
            let secret = get(&path).unwrap().unwrap();
            assert_eq!(secret.value.expose_secret(), b"a\nb\n");
        }
    }

    #[test]
    fn a_file_that_others_can_reach_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        for mode in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o777] {
            write(&path, b"x", mode);
            assert_eq!(refusal(&path), Refusal::OpenMode, "{mode:o}");
        }
        write(&path, b"x", 0o600);
        if rustix::process::geteuid().is_root() {
            chown(&path, Some(65_534), None).unwrap();
            assert_eq!(refusal(&path), Refusal::WrongOwner);
        } else {
            // Some other user's private file cannot even be opened.
            assert!(get(&path).is_ok());
        }
    }

    #[test]
    fn only_a_regular_file_of_bounded_size_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        write(&path("real"), b"x", 0o600);
        symlink(path("real"), path("link")).unwrap();
        assert_eq!(refusal(&path("link")), Refusal::SymbolicLink);
        assert_eq!(refusal(dir.path()), Refusal::WrongKind);
        rustix::fs::mkfifoat(CWD, path("pipe"), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
        assert_eq!(refusal(&path("pipe")), Refusal::WrongKind);
        let socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        assert_eq!(refusal(&path("socket")), Refusal::WrongKind);
        drop(socket);
        write(&path("empty"), b"", 0o600);
        assert_eq!(refusal(&path("empty")), Refusal::Empty);
        write(&path("full"), &vec![1; SecretValue::MAX_LEN], 0o600);
        assert_eq!(get(&path("full")).unwrap().unwrap().value.len(), 65_536);
        write(&path("big"), &vec![1; SecretValue::MAX_LEN + 1], 0o600);
        assert_eq!(refusal(&path("big")), Refusal::TooLarge { max: 65_536 });
        let other = "env://A".parse().unwrap();
        assert!(matches!(
            block_on(FileProvider::new().read(&other)),
            Err(SecretError::Unserved {
                scheme: Scheme::Env
            })
        ));
    }
}
