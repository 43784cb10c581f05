//! The connections of the proxy.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::http::{self, Awaited, Message, Start};
use super::{Fault, Shared};

/// Serves until it is aborted, which ends its connections too.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        if !shared.refuses() {
            let shared = Arc::clone(&shared);
            // A connection that breaks is the client's matter; its error says nothing to the test.
            connections.spawn(async move { drop(connection(client, &shared).await) });
        }
    }
}

async fn connection(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = http::read(&mut client, &mut buffer, Awaited::Request).await? {
        let Start::Request { target, method } = &request.start else {
            return Ok(());
        };
        let fault = shared.met(target);
        let bodiless = method == "HEAD";
        match fault {
            None => pass(&mut client, shared, &request, bodiless).await?,
            Some(Fault::Delay(by)) => {
                tokio::time::sleep(by).await;
                pass(&mut client, shared, &request, bodiless).await?;
            }
            Some(Fault::Hang) => {
                // Until the client leaves.
                let mut ignored = [0; 1_024];
                while client.read(&mut ignored).await? > 0 {}
                return Ok(());
            }
            Some(Fault::Drop | Fault::Refuse) => return Ok(()),
            Some(Fault::Reset) => return client.set_zero_linger(),
            Some(Fault::Truncate(length)) => {
                let answer = forward(shared, &request, bodiless).await?;
                client.write_all(&framed(&answer)).await?;
                let part = answer.body.get(..length).unwrap_or(&answer.body);
                client.write_all(part).await?;
                return client.shutdown().await;
            }
            Some(Fault::Status { code, body }) => {
                let mut answer = Message::answer(code);
                answer.body = body.into_bytes();
                send(&mut client, &answer).await?;
            }
            Some(Fault::Garbage) => {
                let mut answer = Message::answer(200);
                answer.body = b"<html>{\"not\": json".to_vec();
                send(&mut client, &answer).await?;
            }
            Some(Fault::Huge(length)) => huge(&mut client, shared, length).await?,
        }
    }
    Ok(())
}

/// Fetches the server's answer over a connection of its own.
async fn forward(shared: &Shared, request: &Message, bodiless: bool) -> io::Result<Message> {
    let mut server = TcpStream::connect(shared.upstream).await?;
    let length = request.body.len().to_string();
    let more = [("connection", "close"), ("content-length", length.as_str())];
    server.write_all(&request.head(&more)).await?;
    server.write_all(&request.body).await?;
    let awaited = match bodiless {
        true => Awaited::Bodiless,
        false => Awaited::Answer,
    };
    let answer = http::read(&mut server, &mut Vec::new(), awaited).await?;
    answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

async fn pass(
    client: &mut TcpStream,
    shared: &Shared,
    request: &Message,
    bodiless: bool,
) -> io::Result<()> {
    let answer = forward(shared, request, bodiless).await?;
    send(client, &answer).await
}

async fn send(client: &mut TcpStream, answer: &Message) -> io::Result<()> {
    let mut bytes = framed(answer);
    bytes.extend_from_slice(&answer.body);
    client.write_all(&bytes).await
}

/// The head of an answer with its body's length, where it may have one.
fn framed(answer: &Message) -> Vec<u8> {
    let length = answer.body.len().to_string();
    match answer.start {
        Start::Answer { status: 204, .. } => answer.head(&[]),
        _ => answer.head(&[("content-length", length.as_str())]),
    }
}

async fn huge(client: &mut TcpStream, shared: &Shared, length: usize) -> io::Result<()> {
    let total = length.to_string();
    let head = Message::answer(200).head(&[("content-length", total.as_str())]);
    client.write_all(&head).await?;
    let block = vec![b'7'; 16_384];
    let mut left = length;
    while left > 0 {
        let part = block.get(..left).unwrap_or(&block);
        client.write_all(part).await?;
        left -= part.len();
        shared.state().huge += part.len();
    }
    Ok(())
}
