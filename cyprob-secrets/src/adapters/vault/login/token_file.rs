//! A token that another program keeps in a file.

use std::path::PathBuf;

use vaultrs::api::token::requests::LookupTokenSelfRequest;

use super::{refused, source};
use crate::adapters::vault::fault::Fault;
use crate::adapters::vault::token::{self, Issued};
use crate::adapters::vault::transport::Transport;

/// The file into which an agent writes its token; nobody but its owner may read it.
///
/// It is read at each login, so a token that the agent replaced is taken up
/// when the one before is dead or near its end.
#[derive(Clone, Debug)]
pub struct TokenFile(pub(super) PathBuf);

impl TokenFile {
    /// Names the file.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub(super) async fn log_in(&self, transport: &Transport) -> Result<Issued, Fault> {
        let token = source::private(&self.0)?;
        let lookup = transport.prepare(LookupTokenSelfRequest::default())?;
        let reply = transport.send(&lookup, Some(&token::header(&token)?)).await;
        Issued::of_lookup(token, &reply.map_err(refused)?)
    }
}
