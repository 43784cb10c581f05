"""Sends mail to real servers in every mood, and looks at what came out.

usage: check.py SEND_MAIL SCRATCH
"""

import asyncio
import datetime
import email
import email.policy
import ipaddress
import logging
import socket
import ssl
import subprocess
import sys
import time
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

send_mail, scratch = sys.argv[1:]
TOKEN = "cyr_canary-token-0123456789"
passed = failed = 0
# What a server says of a client that hangs up is no news here.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")


def claim(what, holds, *told):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(what, "does not hold:", *told)


def certificate(name):
    """A throw-away certificate of 127.0.0.1 and its key; gives their path."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = f"{scratch}/{name}"
    with open(path + ".pem", "wb") as out:
        out.write(made.public_bytes(serialization.Encoding.PEM))
    with open(path + ".key", "wb") as out:
        out.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return path


class Mood:
    """A handler that keeps what comes, or answers as it is told."""

    def __init__(self, rcpt=None, data=None, hang=None):
        self.rcpt, self.data, self.hang = rcpt, data, hang
        self.mails, self.tls = [], []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        if self.hang:
            await asyncio.sleep(self.hang)
        if self.data:
            return self.data
        self.tls.append(session.ssl is not None)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 ok"


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


class Server:
    def __init__(self, mood, kind=Controller, **options):
        self.port = free_port()
        self.controller = kind(mood, hostname="127.0.0.1", port=self.port, **options)

    def __enter__(self):
        self.controller.start()
        return self.port

    def __exit__(self, *_):
        self.controller.stop()


class StartTls(Controller):
    """aiosmtpd with STARTTLS, which its controller does not offer by itself."""

    def __init__(self, handler, context, required=True, **options):
        self.context, self.required = context, required
        super().__init__(handler, **options)

    def factory(self):
        return SMTP(
            self.handler, tls_context=self.context, require_starttls=self.required
        )


def send(port, how, to="ada@example.org", seconds=5, root=None, login=()):
    words = [send_mail, "127.0.0.1", str(port), how, to, TOKEN, str(seconds)]
    words += [root] if root else []
    begun = time.monotonic()
    ran = subprocess.run(words + list(login), capture_output=True, text=True, timeout=60)
    return ran.stdout.strip() + ran.stderr.strip(), time.monotonic() - begun


path = certificate("mail")
root = path + ".pem"
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(root, path + ".key")
stranger = certificate("stranger")

# A mail arrives, and is what it should be.
mood = Mood()
with Server(mood) as port:
    told, _ = send(port, "loopback")
    claim("a mail to a loopback server is taken", told == "sent", told)
    told, _ = send(port, "starttls", root=root)
    claim("a server without STARTTLS gets nothing", told.startswith("unavailable"), told)
    for bad in ["a@b.c\r\nBcc: x@y.z", "a b@c.d", "a@b.c>", "<a@b.c", "a@b@c", "a\n@b.c"]:
        told, _ = send(port, "loopback", to=bad)
        claim(f"{bad!r} is no address", told == "not sent: no address", told)
    told, _ = send(port, "implicit", root=root, seconds=2)
    claim("a server without TLS gets nothing", told.startswith("unavailable"), told)
claim("one mail came", len(mood.mails) == 1, mood.mails)
sender, to, content = mood.mails[0]
claim("its envelope", (sender, to) == ("no-reply@example.org", ["ada@example.org"]), sender, to)
mail = email.message_from_bytes(content, policy=email.policy.default)
names = sorted(name.lower() for name in mail.keys() if not name.lower().startswith("x-"))
expected = [
    "auto-submitted", "content-transfer-encoding", "content-type", "date", "from",
    "message-id", "mime-version", "subject", "to",
]
claim("its headers and no others", [n for n in names if n in expected] == expected
      and set(names) <= set(expected), names)
claim("one recipient", str(mail["to"]) == "ada@example.org", mail["to"])
claim("plain text", mail.get_content_type() == "text/plain", mail.get_content_type())
link = f"https://id.example.org/#password-reset={TOKEN}"
claim("the link on a line of its own", link in mail.get_content().splitlines(), mail.get_content())
claim("the token in no header", TOKEN not in str(mail.items()), mail.items())

# TLS, both ways, and a certificate that nobody vouches for.
mood = Mood()
with Server(mood, StartTls, context=context) as port:
    told, _ = send(port, "starttls", root=root)
    claim("a mail goes by STARTTLS", told == "sent" and mood.tls == [True], told, mood.tls)
    for pem in (None, stranger + ".pem"):
        told, _ = send(port, "starttls", root=pem)
        claim("an unknown certificate ends it", told.startswith("unavailable"), told)
    claim("and nothing came", len(mood.mails) == 1, len(mood.mails))
mood = Mood()
with Server(mood, ssl_context=context) as port:
    told, _ = send(port, "implicit", root=root)
    claim("a mail goes by implicit TLS", told == "sent" and len(mood.mails) == 1, told)
    told, _ = send(port, "implicit")
    claim("an unknown certificate ends it too", told.startswith("unavailable"), told)


def judge(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.password == b"right" and data.login == b"me"
    return AuthResult(success=good, handled=False)


class Login(StartTls):
    def factory(self):
        return SMTP(
            self.handler, tls_context=self.context, require_starttls=True,
            authenticator=judge, auth_required=True,
        )


mood = Mood()
with Server(mood, Login, context=context) as port:
    told, _ = send(port, "starttls", root=root, login=("me", "right"))
    claim("a server that asks for a sign-in gets one", told == "sent", told)
    told, _ = send(port, "starttls", root=root, login=("me", "wrong"))
    # Whoever runs the server puts it right, and the mail goes then.
    claim("a wrong one: later", told == "unavailable: the mail server answered 535", told)

# A server in a bad mood.
told, took = send(free_port(), "loopback")
claim("a server that is away: later", told.startswith("unavailable"), told)
with Server(Mood(rcpt="451 ada@example.org later")) as port:
    told, _ = send(port, "loopback")
    claim("4xx: later", told == "unavailable: the mail server answered 451", told)
with Server(Mood(rcpt="550 ada@example.org is nobody")) as port:
    told, _ = send(port, "loopback")
    claim("5xx: never, without the server's words",
          told == "refused: the mail server answered 550", told)
with Server(Mood(data="452 full")) as port:
    told, _ = send(port, "loopback")
    claim("4xx after DATA: later", told == "unavailable: the mail server answered 452", told)
with Server(Mood(data="554 no")) as port:
    told, _ = send(port, "loopback")
    claim("a policy that refuses it: later", told == "unavailable: the mail server answered 554", told)
with Server(Mood(hang=8)) as port:
    told, took = send(port, "loopback", seconds=2)
    claim("a hang after DATA ends in time",
          told.startswith("unavailable: the mail server did not answer") and took < 6, told, took)
with socket.socket() as mute:
    mute.bind(("127.0.0.1", 0))
    mute.listen()
    told, took = send(mute.getsockname()[1], "loopback", seconds=2)
    claim("a server that never speaks ends in time",
          told.startswith("unavailable: the mail server did not answer") and took < 6, told, took)

# What is refused before anything is sent.
ran = subprocess.run(
    [send_mail, "192.0.2.1", "25", "loopback", "ada@example.org", TOKEN, "2"],
    capture_output=True, text=True, timeout=30,
)
claim("no plaintext leaves the machine", "loopback address alone" in ran.stdout, ran.stdout)

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
