//! On a real OpenBao.

mod get;
mod login;
mod mounts;
mod server;
mod stand;
mod token;
