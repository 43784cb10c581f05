//! HTTP/1.1 over a loopback connection that stays open.

use std::future::IntoFuture as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;

/// Serves both routers on free loopback ports, on one thread until the process ends.
///
/// One thread for both: where the system places a thread changes a round trip by more than a router does.
///
/// # Panics
///
/// If there is no port.
#[must_use]
pub fn serve(ours: Router, theirs: Router) -> [SocketAddr; 2] {
    let listener = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        listener
    };
    let listeners = [listener(), listener()];
    let addresses = listeners
        .each_ref()
        .map(|listener| listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let [our_port, their_port] = listeners
                .map(|socket| tokio::net::TcpListener::from_std(socket).expect("a listener"));
            let theirs = axum::serve(their_port, theirs).into_future();
            tokio::spawn(theirs);
            axum::serve(our_port, ours).await.expect("it serves");
        });
    });
    addresses
}

/// A client with one connection.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    /// Connects.
    ///
    /// # Panics
    ///
    /// If nobody listens.
    #[must_use]
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).expect("a socket");
        Self {
            stream,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Asks for the route with a token and reads the answer.
    ///
    /// # Panics
    ///
    /// If the answer is not 200 with the body of the route.
    pub fn get(&mut self, token: &str) {
        let request = format!(
            "GET /orgs/acme/runs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).expect("sent");
        self.buffer.clear();
        let mut part = [0; 2048];
        loop {
            let read = self.stream.read(&mut part).expect("an answer");
            assert!(read > 0, "the connection closed");
            self.buffer.extend(part.iter().take(read));
            // the one body there is, after the head
            if self.buffer.ends_with(b"\r\n\r\n[]") {
                break;
            }
        }
        assert!(self.buffer.starts_with(b"HTTP/1.1 200 "), "refused");
    }
}
