//! A place at which nobody answers, while there are no credentials to sign in with.

use std::net::{Ipv4Addr, SocketAddr};

use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpSocket;

/// A port that is taken and never listened on: who connects is refused, and the pool tries again.
///
/// With credentials that are over it would be told that they are wrong, and fail.
#[derive(Debug)]
pub(super) struct Parking {
    port: u16,
    _taken: TcpSocket,
}

impl Parking {
    pub(super) fn new() -> std::io::Result<Self> {
        let taken = TcpSocket::new_v4()?;
        taken.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self {
            port: taken.local_addr()?.port(),
            _taken: taken,
        })
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
    }
}
