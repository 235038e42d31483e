"""What a channel is: four methods and the kinds of answer they may give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Inbound:
    """A patient's message as a channel parsed it; addresses in E.164 (or the channel's own id)."""

    external_id: str
    sender: str
    to: str
    body: str
    media: int = 0
    carrier_keyword: str = ""  # STOP, START, HELP when the carrier says it acted on the text itself
    message_id: str = ""  # the provider's id of the message, where ``external_id`` is another (for redaction)
    language: str = ""  # en or es, where the channel says what the sender's app is set to
    start: str = ""  # the one-time token of a deep link that was opened
    button: str = ""  # our own id of the message whose button was pressed; ``body`` is what the button says


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery report. ``outbox_id`` is our own id from the callback's URL, when it carries one."""

    external_id: str
    provider_id: str
    status: str  # queued, sent, delivered, undelivered, failed
    error_code: str = ""
    outbox_id: str = ""


@dataclass(frozen=True, slots=True)
class Outbound:
    """``buttons``: (label, text that it stands for); channels without buttons leave them out, as ``body`` says it all.
    ``document``: a PDF to go with the words, on channels that carry files. The rest is an e-mail's: ``subject``, where
    answers go, the language, and the address of the page that stops such messages.
    """

    outbox_id: str
    sender: str
    to: str
    body: str
    buttons: tuple[tuple[str, str], ...] = ()
    document: bytes | None = None
    subject: str = ""
    reply_to: str = ""
    language: str = "en"
    stop_url: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    provider_id: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the provider says about messages that could be ours: their ids (usually none or one)."""

    provider_ids: tuple[str, ...]


class SendError(Exception):
    """A send that did not succeed, with its verdict.

    kind: retry (surely not sent, try again later), unknown (may have been sent: never again by a timer),
    opted_out (21610), unreachable (never again to this number), turned_away (this address takes nothing from us, unless
    others answer alike: then it is about us), refused (this message alone: never again), configuration (stop the
    channel, tell staff).
    """

    def __init__(self, kind: str, code: str, retry_after_seconds: int = 0) -> None:
        super().__init__(f"{kind} ({code})")
        self.kind = kind
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class Channel(Protocol):
    """One way to reach people. ``name`` is the value of the ``channel`` columns."""

    name: str

    async def send(self, message: Outbound) -> Sent:
        """Hand one message over. Raises SendError."""

    async def look_up(self, message: Outbound, sent_after: datetime) -> Lookup:
        """Ask the provider for messages like this one since ``sent_after``. Raises SendError."""

    async def redact(self, provider_id: str, address: str = "") -> None:
        """Remove a message's text at the provider (T-52); ``address`` is who wrote it. Raises SendError."""

    async def close(self) -> None:
        """Free sockets."""
