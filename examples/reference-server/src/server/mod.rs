//! Running the control plane as a server: its directory, its listener, its orderly end.

mod backend;
mod bootstrap;
mod bootstrap_file;
mod data_dir;
mod deployment;
mod drain;
mod error;
mod listener;
mod logging;
mod mail;
pub(crate) mod roles;
mod run;
mod running;

pub(crate) use backend::{Backend, migrate};
pub(crate) use bootstrap::arm as arm_bootstrap;
pub(crate) use bootstrap_file::BootstrapFile;
pub(crate) use data_dir::{DataDir, DataDirError};
pub(crate) use deployment::{DEFAULT_DATA, Deployment};
pub(crate) use error::ServeError;
pub(crate) use listener::{Listener, ListenerError};
pub(crate) use logging::{init as init_logging, init_quiet as init_quiet_logging};
pub(crate) use mail::MailError;
pub(crate) use run::{ended, serve};
pub(crate) use running::Running;
