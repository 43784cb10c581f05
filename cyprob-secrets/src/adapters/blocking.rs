//! File system calls off the async threads.

use tokio::runtime::Handle;

use crate::ports::SecretError;

/// Runs blocking work on the runtime's blocking pool, or here if there is none.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
) -> Result<T, SecretError> {
    match Handle::try_current() {
        Ok(runtime) => match runtime.spawn_blocking(work).await {
            Ok(done) => done,
            Err(lost) => Err(SecretError::unavailable(lost)),
        },
        Err(_) => work(),
    }
}
