//! As much of HTTP/1.1 as passing a message on needs.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The most bytes of a head.
const HEAD: usize = 65_536;

/// A request or an answer: its head's first line and headers, and its whole body.
#[derive(Debug)]
pub(super) struct Message {
    /// Method and target, or the status.
    pub(super) start: Start,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

#[derive(Debug)]
pub(super) enum Start {
    Request { method: String, target: String },
    Answer { status: u16, reason: String },
}

/// How long the body of an answer is, where the answer itself does not say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// A request: none.
    Request,
    /// An answer: to the end of the connection.
    Answer,
    /// An answer to `HEAD`: none, whatever it says.
    Bodiless,
}

/// Reads a message off a connection; `None` at its end. `buffer` keeps what was read past it.
pub(super) async fn read(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    awaited: Awaited,
) -> io::Result<Option<Message>> {
    let (mut message, length) = loop {
        if let Some((message, length)) = head(buffer, awaited)? {
            buffer.drain(..length);
            let body = length_of(&message, awaited)?;
            break (message, body);
        }
        if buffer.len() > HEAD {
            return Err(bad("a head without an end"));
        }
        if from.read_buf(buffer).await? == 0 {
            return match buffer.is_empty() {
                true => Ok(None),
                false => Err(ErrorKind::UnexpectedEof.into()),
            };
        }
    };
    message.body = match length {
        Length::Fixed(length) => take(from, buffer, length).await?,
        Length::Chunked => chunks(from, buffer).await?,
        Length::ToTheEnd => {
            from.read_to_end(buffer).await?;
            std::mem::take(buffer)
        }
    };
    Ok(Some(message))
}

/// A message without its body, and how many bytes its head is long.
fn head(bytes: &[u8], awaited: Awaited) -> io::Result<Option<(Message, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let (start, headers, parsed) = if awaited == Awaited::Request {
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(bytes).map_err(bad)?;
        let start = Start::Request {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
        };
        (start, request.headers, parsed)
    } else {
        let mut answer = httparse::Response::new(&mut headers);
        let parsed = answer.parse(bytes).map_err(bad)?;
        let start = Start::Answer {
            status: answer.code.unwrap_or_default(),
            reason: answer.reason.unwrap_or_default().to_owned(),
        };
        (start, answer.headers, parsed)
    };
    let httparse::Status::Complete(length) = parsed else {
        return Ok(None);
    };
    let headers = headers.iter();
    let message = Message {
        start,
        headers: headers
            .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
            .collect(),
        body: Vec::new(),
    };
    Ok(Some((message, length)))
}

enum Length {
    Fixed(usize),
    Chunked,
    ToTheEnd,
}

fn length_of(message: &Message, awaited: Awaited) -> io::Result<Length> {
    let status = match message.start {
        Start::Answer { status, .. } => status,
        Start::Request { .. } => 200,
    };
    if awaited == Awaited::Bodiless || matches!(status, 100..=199 | 204 | 304) {
        return Ok(Length::Fixed(0));
    }
    let value = |name: &str| {
        let mut headers = message.headers.iter();
        let (_, value) = headers.find(|(header, _)| header == name)?;
        std::str::from_utf8(value).ok()
    };
    if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Ok(Length::Chunked);
    }
    match value("content-length") {
        Some(digits) => digits.trim().parse().map(Length::Fixed).map_err(bad),
        None if awaited == Awaited::Answer => Ok(Length::ToTheEnd),
        None => Ok(Length::Fixed(0)),
    }
}

/// Takes so many bytes out of the buffer, which is filled as needed.
async fn take(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    length: usize,
) -> io::Result<Vec<u8>> {
    while buffer.len() < length {
        if from.read_buf(buffer).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(buffer.drain(..length).collect())
}

/// Reads chunks up to the last, and what follows it up to the empty line.
async fn chunks(from: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let parsed = httparse::parse_chunk_size(buffer).map_err(|_| bad("no chunk"))?;
        let httparse::Status::Complete((line, size)) = parsed else {
            if from.read_buf(buffer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        buffer.drain(..line);
        let size = usize::try_from(size).map_err(bad)?;
        body.append(&mut take(from, buffer, size).await?);
        if take(from, buffer, 2).await? != b"\r\n" {
            return Err(bad("a chunk without an end, or a trailer"));
        }
        if size == 0 {
            return Ok(body);
        }
    }
}

impl Message {
    /// Its head as bytes: without the headers of one connection, and with those given.
    pub(super) fn head(&self, more: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = match &self.start {
            Start::Request { method, target } => format!("{method} {target} HTTP/1.1\r\n"),
            Start::Answer { status, reason } => format!("HTTP/1.1 {status} {reason}\r\n"),
        }
        .into_bytes();
        let framing = [
            "connection",
            "keep-alive",
            "transfer-encoding",
            "content-length",
            "expect",
        ];
        let headers = self.headers.iter();
        let kept = headers.filter(|(name, _)| !framing.contains(&name.as_str()));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_slice()));
        let more = more.iter().map(|(name, value)| (*name, value.as_bytes()));
        for (name, value) in kept.chain(more) {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// An answer of the proxy's own, without a body.
    pub(super) fn answer(status: u16) -> Self {
        Self {
            start: Start::Answer {
                status,
                reason: "Injected".to_owned(),
            },
            headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
            body: Vec::new(),
        }
    }
}

fn bad(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}
