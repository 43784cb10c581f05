//! What is said on the thread of a test, at trace level.

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;

thread_local! {
    static HERE: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// Listening begins with the first test that asks, for all threads: what a thread
/// meets that nobody listens on would stay silent for those that come later.
static ALL: Once = Once::new();

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Listens until it is dropped.
pub(crate) struct Listening(());

impl Drop for Listening {
    fn drop(&mut self) {
        HERE.set(None);
    }
}

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        HERE.with_borrow(|log| {
            if let Some(Log(log)) = log {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whatever is said on this thread.
pub(crate) fn listening() -> (Log, Listening) {
    ALL.call_once(|| {
        let all = tracing_subscriber::fmt::layer()
            .with_writer(|| Sink)
            .with_ansi(false)
            .with_span_events(FmtSpan::FULL);
        // Where nobody listens nothing is written down: other tests measure.
        let here = dynamic_filter_fn(|_, _| HERE.with_borrow(Option::is_some));
        let subscriber = tracing_subscriber::registry().with(all.with_filter(here));
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    let log = Log::default();
    HERE.set(Some(log.clone()));
    (log, Listening(()))
}
