"""E-mail by SMTP: neutral subject, words in two forms, a way to stop them, and an id of ours that a bounce brings back.

A server that has taken the words answers 250; everything before that answer is either surely not sent or, once the
words were on their way, unknown: SMTP cannot be asked afterwards.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, parseaddr

import aiosmtplib

from bot.channels.base import Lookup, Outbound, SendError, Sent
from config.addresses import MailServer
from templates import email as words

#: All calls of one message together; billing.outbox.LEASE is longer.
WHOLE_SECONDS = 75
STEP_SECONDS = 20

#: Reply codes and enhanced status codes (RFC 3463) that say that an address will never do.
_NO_ADDRESS = re.compile(r"\b5\.(?:1\.[1236]|1\.10|2\.1)\b")
_NO_ADDRESS_CODES = frozenset({550, 551, 553})
#: Of such a code's words, what is not about the address: a policy, our own sender, this message, a server not ours.
_NOT_THE_ADDRESS = re.compile(r"\b5\.(?:7\.\d+|1\.[78]|2\.3|3\.4|6\.\d+)\b|\brelay", re.IGNORECASE)
_FULL = re.compile(r"\b5\.2\.2\b")
#: Of the account, whenever they come: log in first, a stronger way to, encrypt first (RFC 4954, RFC 3207).
_ACCOUNT_CODES = frozenset({530, 534, 535, 538})
#: Of this message alone, even where it is its sender that was just named: its size, its form, its content.
_OF_MESSAGE = re.compile(r"\b5\.(?:2\.3|3\.4|6\.\d+)\b")
_TOO_BIG = 552
#: Programs that look for the address of the stop page want it on one line.
_UNFOLDED = WIRE.clone(max_line_length=600)
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True, slots=True, repr=False)
class MailAccount:
    """``now`` dates the messages; ``tls``: whom to trust in place of the system's authorities, for tests and private
    servers.
    """

    server: MailServer
    now: Callable[[], datetime]
    tls: ssl.SSLContext | None = None


class EmailChannel:
    """E-mail by one server. Each message has a connection of its own, closed before the next."""

    name = "email"

    def __init__(self, account: MailAccount) -> None:
        self._account = account

    async def send(self, message: Outbound) -> Sent:
        """Hand one e-mail over. The provider's id is its Message-ID, made of our own id."""
        letter, sender = compose(message, self._account.now())
        handing = _Handing(self._account, sender, message.to, message.outbox_id, letter.as_bytes(policy=_UNFOLDED))
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                await handing.run()
        except SendError:
            raise
        except Exception as error:
            raise to_send_error(error, at=handing.at) from None
        return Sent(str(letter["Message-ID"]))

    async def look_up(self, message: Outbound, sent_after: datetime) -> Lookup:
        """Raises SendError: an SMTP server cannot be asked what it took."""
        raise SendError("configuration", "cannot_be_asked")

    async def redact(self, provider_id: str, address: str = "") -> None:
        """Raises SendError: what lies in somebody's mailbox is theirs."""
        raise SendError("configuration", "cannot_be_taken_back")

    async def close(self) -> None:
        """Nothing stays open between messages."""


class _Handing:
    """One message on its way; ``at`` says how far it has come."""

    def __init__(self, account: MailAccount, sender: str, to: str, envelope: str, raw: bytes) -> None:
        self._account, self._sender, self._to, self._envelope, self._raw = account, sender, to, envelope, raw
        self.at = "connect"

    async def run(self) -> None:
        server = self._account.server
        client = aiosmtplib.SMTP(
            hostname=server.host, port=server.port, username=server.user or None, password=server.password or None,
            use_tls=server.tls, start_tls=not (server.tls or server.local), timeout=STEP_SECONDS,
            tls_context=self._account.tls)
        try:
            await client.connect()
            await self._hand_over(client)
        finally:
            client.close()

    async def _hand_over(self, client: aiosmtplib.SMTP) -> None:
        # A bounce of a server that knows DSN names our id, and brings the headers back without the words.
        options = [f"ENVID={self._envelope}", "RET=HDRS"] if client.supports_extension("dsn") else []
        self.at = "mail"
        await client.mail(self._sender, options=options)
        self.at = "rcpt"
        await client.rcpt(self._to)
        self.at = "data"
        await client.data(self._raw)


def compose(message: Outbound, now: datetime) -> tuple[EmailMessage, str]:
    """The e-mail and the address that it leaves from. Raises SendError for what no server would take."""
    name, sender = parseaddr(message.sender)
    if "@" not in sender:
        raise SendError("configuration", "no_sender")
    if not message.to.isascii() or message.to.count("@") != 1 or re.search(r"[\s<>,;]", message.to):
        raise SendError("unreachable", "no_address")
    made = EmailMessage(policy=WIRE)
    try:
        # A name with an accent comes as a header has it (RFC 2047); people read it as it is written.
        practice = str(make_header(decode_header(name)))
        page = words.parts(message.body, message.language, practice, message.stop_url)
        made.set_content(page.text, cte="quoted-printable")
        made.add_alternative(page.html, subtype="html", cte="quoted-printable")
        _write_headers(made, message, sender)
        made["Date"] = format_datetime(now)
    except ValueError:
        raise SendError("refused", "no_headers") from None
    return made, sender


def _write_headers(made: EmailMessage, message: Outbound, sender: str) -> None:
    made["From"] = message.sender
    made["To"] = message.to
    made["Subject"] = message.subject
    made["Message-ID"] = message_id(message.outbox_id, sender)
    made["Content-Language"] = message.language
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in answer
    if message.reply_to:
        made["Reply-To"] = message.reply_to
    if message.stop_url:
        answers = parseaddr(message.reply_to or message.sender)[1]
        made["List-Unsubscribe"] = f"<{message.stop_url}>, <mailto:{answers}?subject=unsubscribe>"
        if message.stop_url.startswith("https://"):
            made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058


def message_id(outbox_id: str, sender: str) -> str:
    return f"<{outbox_id}@{sender.rpartition('@')[2]}>"


def to_send_error(error: Exception, at: str) -> SendError:
    """The verdict on what went wrong, ``at`` being the step: connect, mail, rcpt, data."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError | aiosmtplib.SMTPNotSupported | ssl.SSLError):
        transient = isinstance(error, aiosmtplib.SMTPAuthenticationError) and 400 <= error.code < 500
        return SendError("retry" if transient else "configuration", _code_of(error))
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= 400:
        return _from_answer(error, at)
    if at == "data":
        return SendError("unknown", _code_of(error))
    if type(error) is aiosmtplib.SMTPException:  # the server does not offer what we insist on, such as STARTTLS
        return SendError("configuration", "no_starttls")
    # Before the words were on their way nothing can have left, whatever broke.
    return SendError("refused" if isinstance(error, UnicodeError | ValueError) else "retry", _code_of(error))


def _from_answer(error: aiosmtplib.SMTPResponseException, at: str) -> SendError:
    """An address that will never do, one whose server does not take our words, a message that it does not take, or a
    server that does not take us.

    Until a recipient is named everything is about us; afterwards it is about the address, unless it says otherwise.
    """
    text, code = str(error.message), _code_of(error)
    if error.code < 500:
        return SendError("retry", code, retry_after_seconds=60)  # greylisting wants a minute or more
    if at == "rcpt" and (_NO_ADDRESS.search(text) or _FULL.search(text)):
        return SendError("unreachable", code)
    if at == "rcpt" and error.code in _NO_ADDRESS_CODES and not _NOT_THE_ADDRESS.search(text):
        return SendError("unreachable", code)
    if at == "data" and _NO_ADDRESS.search(text):
        return SendError("unreachable", code)  # some servers look at the address only then
    of_message = error.code == _TOO_BIG or _OF_MESSAGE.search(text)
    if error.code in _ACCOUNT_CODES or (at in ("connect", "mail") and not of_message):
        return SendError("configuration", code)
    return SendError("refused" if of_message else "turned_away", code)


def _code_of(error: Exception) -> str:
    """A reply's codes alone: its words may repeat the address."""
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return type(error).__name__
    found = _ENHANCED.search(str(error.message))
    return f"{error.code} {found[1]}" if found else str(error.code)


def receipt_kind(status: str) -> str:
    """The verdict on a bounce's status code (RFC 3463): an address that will never do, or work for a person."""
    return "unreachable" if re.fullmatch(r"5\.(?:1\.\d+|2\.[012]|4\.\d+)", status) else ""


