use super::*;
use crate::domain::{Message, Timestamp};
use crate::ports::EntropyExt;
use crate::testkit::SeededEntropy;

fn options(host: &str, security: SmtpSecurity) -> SmtpOptions {
    options_at((host, 25), security)
}

fn options_at(server: (&str, u16), security: SmtpSecurity) -> SmtpOptions {
    SmtpOptions::new(
        server,
        security,
        "no-reply@example.org".parse().unwrap(),
        "https://id.example.org".parse().unwrap(),
    )
}

fn notification(to: &str) -> Notification {
    let entropy = SeededEntropy::new(1);
    let at = Timestamp::from_seconds(1_767_225_600);
    Notification {
        id: entropy.id(at),
        user: entropy.id(at),
        to: to.parse().unwrap(),
        message: Message::PasswordReset {
            token: "canary-token".to_owned().into(),
            expires_at: at,
        },
    }
}

#[test]
fn no_plaintext_leaves_the_machine() {
    for host in ["127.0.0.1", "127.8.8.8", "::1"] {
        assert!(SmtpNotifier::new(options(host, SmtpSecurity::Loopback)).is_ok());
    }
    for host in ["192.0.2.1", "localhost", "mail.example.org", "::2", ""] {
        let refused = SmtpNotifier::new(options(host, SmtpSecurity::Loopback));
        assert!(matches!(refused, Err(SmtpError::Plaintext)), "{host}");
    }
}

#[test]
fn a_mail_has_our_headers_alone() {
    let notifier = SmtpNotifier::new(options("127.0.0.1", SmtpSecurity::Loopback)).unwrap();
    let notification = notification("ada@example.org");
    let mail = notifier.mail(&notification).unwrap().formatted();
    let mail = String::from_utf8(mail).unwrap();
    let (headers, text) = mail.split_once("\r\n\r\n").unwrap();
    let mut names: Vec<&str> = headers
        .lines()
        .filter_map(|line| Some(line.split_once(": ")?.0))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "Auto-Submitted",
            "Content-Transfer-Encoding",
            "Content-Type",
            "Date",
            "From",
            "MIME-Version",
            "Message-ID",
            "Subject",
            "To"
        ]
    );
    assert!(headers.contains(&format!("Message-ID: <{}@example.org>", notification.id)));
    assert!(!headers.contains("canary"));
    assert!(text.contains("\r\nhttps://id.example.org/#password-reset=canary-token\r\n"));
}

#[test]
fn nothing_secret_is_shown() {
    let password: SecretString = "canary-password".to_owned().into();
    let options =
        options("mail.example.org", SmtpSecurity::StartTls).with_credentials("me", password);
    assert!(!format!("{options:?}").contains("canary"));
    let notifier = SmtpNotifier::new(options).unwrap();
    assert_eq!(format!("{notifier:?}"), "SmtpNotifier");
    assert!(!format!("{:?}", notification("ada@example.org")).contains("ada"));
}

/// A server that says hello and answers each line with a code of the test's.
async fn answering(hello: &'static str, to_recipient: &'static str) -> u16 {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        write.write_all(hello.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let answer = if line.starts_with("RCPT") {
                to_recipient
            } else {
                "250 ok\r\n"
            };
            if write.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    port
}

#[tokio::test]
async fn only_an_address_that_is_refused_is_given_up() {
    let cases = [
        ("220 hello\r\n", "550 no such mailbox\r\n", true),
        ("220 hello\r\n", "553 no such address\r\n", true),
        ("220 hello\r\n", "554 blocked by policy\r\n", false),
        ("220 hello\r\n", "530 sign in first\r\n", false),
        ("220 hello\r\n", "450 try later\r\n", false),
        ("554 no service here\r\n", "250 ok\r\n", false),
    ];
    for (hello, to_recipient, given_up) in cases {
        let port = answering(hello, to_recipient).await;
        let options = options_at(("127.0.0.1", port), SmtpSecurity::Loopback);
        let notifier = SmtpNotifier::new(options).unwrap();
        let sent = notifier.send(&notification("ada@example.org")).await;
        let refused = matches!(sent, Err(NotifyError::Refused { .. }));
        assert_eq!(refused, given_up, "{to_recipient}: {sent:?}");
        assert!(sent.is_err());
    }
}
