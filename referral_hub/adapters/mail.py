"""Notifications by e-mail, through the operator's mail server. A letter holds nothing of anybody.

What lives here: the letter and its sending. What does not: whether one is sent (``outbound.notifying``).

Whoever reads over a shoulder learns that somebody uses a web application, and where. No name, no need, no kind of
organisation is ever in it; with the content id-only a file with addresses behind the hub's own door goes along.

Source: RFC 5321, RFC 5322, RFC 8314 (TLS); SDOHCC task-2; ``practice.md`` (content-free e-mail).
"""

import smtplib
import ssl
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from referral_hub.errors import DeliveryFailed
from referral_hub.exchange.notifications import Kind
from referral_hub.exchange.subscription_asking import Wanted

TIMEOUT_S = 15.0
_SUBJECTS = {
    "handshake": "Your notifications are set up",
    "heartbeat": "Notifications are working",
    "event-notification": "There is something new for you",
}


@dataclass(frozen=True, slots=True)
class MailServer:
    """The operator's mail server: ``smtp`` (STARTTLS where it offers it) or ``smtps``."""

    host: str
    port: int
    implicit_tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> "MailServer":
        """Reads ``smtp://user:password@host:587`` or ``smtps://…``.

        >>> MailServer.of("smtps://mail.example").port
        465
        """
        parts = urlsplit(url)
        tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname or "",
            port=parts.port or (465 if tls else 587),
            implicit_tls=tls,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )


class Mail:
    """Writes letters and gives them to the mail server.

    Args:
        server: where they are given up; None where the operator has named none.
        sender: the address they come from.
        link: the hub's public address.
    """

    def __init__(self, server: MailServer | None, sender: str, link: str) -> None:
        self._server = server
        self._sender = sender
        self._link = link

    def notify(self, wanted: Wanted, kind: Kind, body: bytes) -> None:
        """Sends one letter.

        Raises:
            DeliveryFailed: there is no mail server, or it did not take the letter.
        """
        self._give_up(self._letter(wanted, kind, body))

    def send(self, address: str, subject: str, text: str) -> None:
        """Sends one letter that somebody at a page asked for.

        Raises:
            DeliveryFailed: there is no mail server, or it did not take the letter.
        """
        letter = self._addressed(address, subject)
        letter.set_content(text)
        self._give_up(letter)

    def _give_up(self, letter: EmailMessage) -> None:
        if self._server is None:
            raise DeliveryFailed("The operator has named no mail server.", permanent=True)
        try:
            with self._connected(self._server) as session:
                session.send_message(letter)
        except (OSError, smtplib.SMTPException) as failed:
            raise DeliveryFailed("The mail server did not take the letter.", permanent=False) from failed

    def _addressed(self, address: str, subject: str) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self._sender
        letter["To"] = address
        letter["Subject"] = subject
        letter["Date"] = formatdate()
        letter["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        letter["Auto-Submitted"] = "auto-generated"
        return letter

    def _letter(self, wanted: Wanted, kind: Kind, body: bytes) -> EmailMessage:
        subject = _SUBJECTS.get(kind, _SUBJECTS["event-notification"])
        letter = self._addressed(wanted.endpoint.removeprefix("mailto:"), subject)
        letter.set_content(f"{letter['Subject']}. Sign in to see it:\n{self._link}\n")
        if wanted.content == "id-only":
            letter.add_attachment(
                body, maintype="application", subtype="fhir+json", filename="notification.json"
            )
        return letter

    def _connected(self, server: MailServer) -> AbstractContextManager[smtplib.SMTP]:
        secure = ssl.create_default_context()
        if server.implicit_tls:
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIMEOUT_S, context=secure
            )
        else:
            session = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
            session.ehlo()
            if session.has_extn("starttls"):
                session.starttls(context=secure)
                session.ehlo()
        if server.user:
            session.login(server.user, server.password)
        return session
