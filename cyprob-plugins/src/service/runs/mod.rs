//! Installing plugins, asking for runs, and having workers do them.

mod attempt;
mod check;
mod dispatcher;
mod evaluate;
mod hidden;
mod library;
mod requests;

pub use dispatcher::{Dispatcher, DispatcherParts, RunsTask};
pub use evaluate::evaluate;
pub use library::{InstallError, Installed, PluginLibrary};
pub use requests::{RunRequest, RunRequestError, RunRequests};
