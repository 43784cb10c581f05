//! Mail through an SMTP server.
//!
//! The connection is encrypted before anything is said, or goes to the machine
//! itself. Headers are made from addresses that were parsed and from constants,
//! so no text of a stranger reaches one. An answer of the server is kept as its
//! number alone: servers repeat addresses in their words.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use lettre::address::AddressError;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0,
};
use lettre::message::{Body, Mailbox};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::{BaseUrl, Email, Notification};
use crate::ports::{Notifier, NotifyError};

/// The longest one message may take from connecting to the server's last word.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SmtpSecurity {
    /// The connection becomes TLS by STARTTLS, or nothing is said.
    StartTls,
    /// TLS from the first byte.
    ImplicitTls,
    /// No TLS; the host must be a loopback address.
    Loopback,
}

/// Where mail goes and whence it comes.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    host: String,
    port: u16,
    security: SmtpSecurity,
    credentials: Option<(String, SecretString)>,
    roots: Vec<Vec<u8>>,
    timeout: Duration,
    from: Email,
    base: BaseUrl,
}

impl SmtpOptions {
    /// A server, the address that mail comes from, and where links lead.
    #[must_use]
    pub fn new(
        (host, port): (&str, u16),
        security: SmtpSecurity,
        from: Email,
        base: BaseUrl,
    ) -> Self {
        Self {
            host: host.to_owned(),
            port,
            security,
            credentials: None,
            roots: Vec::new(),
            timeout: TIMEOUT,
            from,
            base,
        }
    }

    /// Signs in to the server.
    #[must_use]
    pub fn with_credentials(mut self, user: &str, password: SecretString) -> Self {
        self.credentials = Some((user.to_owned(), password));
        self
    }

    /// Trusts a further root certificate (PEM), beside those of the machine.
    #[must_use]
    pub fn with_root(mut self, pem: &[u8]) -> Self {
        self.roots.push(pem.to_owned());
        self
    }

    /// Sets how long one message may take; 30 seconds by default.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// The options name no server that mail may go to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// Mail without TLS would leave the machine.
    #[error("mail without TLS goes to a loopback address alone")]
    Plaintext,
    /// A root certificate or the host's name cannot be used for TLS.
    #[error("the certificate or the host's name cannot be used for TLS")]
    Tls,
    /// The sender's address cannot stand in a mail.
    #[error("the sender's address cannot stand in a mail")]
    From,
}

/// What went wrong, without a word of the server's.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the mail server answered {0}")]
    Answered(lettre::transport::smtp::response::Code),
    #[error("the mail server did not answer in time")]
    Late,
    #[error("no connection to the mail server")]
    Connection,
    #[error("the address cannot stand in a mail")]
    Address,
}

/// Sends mail, one connection a message.
pub struct SmtpNotifier {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    base: BaseUrl,
    timeout: Duration,
}

impl fmt::Debug for SmtpNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpNotifier")
    }
}

fn address(email: &Email) -> Result<Address, AddressError> {
    email.as_str().parse()
}

fn tls(options: &SmtpOptions) -> Result<Tls, SmtpError> {
    if options.security == SmtpSecurity::Loopback {
        let host = options.host.parse::<IpAddr>();
        return if host.is_ok_and(|host| host.is_loopback()) {
            Ok(Tls::None)
        } else {
            Err(SmtpError::Plaintext)
        };
    }
    let mut parameters = TlsParameters::builder(options.host.clone());
    for pem in &options.roots {
        let root = Certificate::from_pem(pem).map_err(|_| SmtpError::Tls)?;
        parameters = parameters.add_root_certificate(root);
    }
    let parameters = parameters.build().map_err(|_| SmtpError::Tls)?;
    Ok(match options.security {
        SmtpSecurity::ImplicitTls => Tls::Wrapper(parameters),
        SmtpSecurity::StartTls | SmtpSecurity::Loopback => Tls::Required(parameters),
    })
}

impl SmtpNotifier {
    /// Checks the options; the server is asked when the first message goes.
    ///
    /// # Errors
    ///
    /// [`SmtpError`].
    pub fn new(options: SmtpOptions) -> Result<Self, SmtpError> {
        let tls = tls(&options)?;
        let from = address(&options.from).map_err(|_| SmtpError::From)?;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(options.host)
            .port(options.port)
            .tls(tls)
            .timeout(Some(options.timeout));
        if let Some((user, password)) = options.credentials {
            let password = password.expose_secret().to_owned();
            transport = transport.credentials(Credentials::new(user, password));
        }
        Ok(Self {
            transport: transport.build(),
            from: Mailbox::new(None, from),
            base: options.base,
            timeout: options.timeout,
        })
    }

    fn mail(&self, notification: &Notification) -> Option<Mail> {
        let letter = notification.message.letter(&self.base);
        let to = address(&notification.to).ok()?;
        let domain = self.from.email.domain();
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let text = letter.text.expose_secret().replace('\n', "\r\n");
        // INVARIANT: lines of ASCII, far below 998 bytes. No encoding tears a link that way.
        let body =
            Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::SevenBit);
        Mail::builder()
            .message_id(Some(format!("<{}@{domain}>", notification.id)))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject)
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .ok()
    }
}

fn later(fault: Fault) -> NotifyError {
    NotifyError::Unavailable {
        source: fault.into(),
    }
}

fn never(fault: Fault) -> NotifyError {
    NotifyError::Refused {
        source: fault.into(),
    }
}

/// Whether a server takes no mail for this address, now or later (RFC 5321, section 4.2.3).
///
/// Any other permanent error may be over when the server's or this client's
/// settings are put right: an authentication that fails (535), a sender or a
/// policy that is refused (554).
const fn is_about_the_address(code: u16) -> bool {
    matches!(code, 550 | 551 | 553)
}

#[async_trait]
impl Notifier for SmtpNotifier {
    async fn send(&self, notification: &Notification) -> Result<(), NotifyError> {
        let mail = self.mail(notification);
        let mail = mail.ok_or_else(|| never(Fault::Address))?;
        let sent = tokio::time::timeout(self.timeout, self.transport.send(mail)).await;
        let error = match sent {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => return Err(later(Fault::Late)),
        };
        match error.status() {
            Some(code) if is_about_the_address(code.into()) => Err(never(Fault::Answered(code))),
            Some(code) => Err(later(Fault::Answered(code))),
            None if error.is_timeout() => Err(later(Fault::Late)),
            None => Err(later(Fault::Connection)),
        }
    }
}

#[cfg(test)]
mod tests;
