"""What comes back: delivery reports of mail servers (RFC 3464), matched to our e-mails by the ids that they carried.

Our own id is in the envelope (RFC 3461) and in the Message-ID; a report brings at least one of them back. What is no
report, or about no e-mail of ours, is left alone.
"""

from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_binary_file, message_from_bytes
from email.message import Message
from pathlib import Path

_OURS = re.compile(r"<?(msg_[0-9a-z]+)@[^>\s]+>?")
_ID = re.compile(r"msg_[0-9a-z]+")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True, slots=True)
class Bounce:
    """``status``: as in RFC 3463, such as 5.1.1; ``failed`` is false for a server that still tries."""

    outbox_id: str
    status: str
    failed: bool


def read_file(path: Path) -> list[Message]:
    """The messages of a file: one e-mail, an mbox, or a Maildir folder. Raises OSError."""
    if path.is_dir():
        return list(mailbox.Maildir(path, create=False, factory=None))
    with path.open("rb") as file:
        if file.read(5) != b"From ":
            file.seek(0)
            return [message_from_binary_file(file)]
    return list(mailbox.mbox(path, create=False))


def parse(message: Message) -> Bounce | None:
    """The delivery report in a message; None for anything else."""
    if message.get_content_type() != "multipart/report":
        return None
    fields = list(_fields(message))
    statuses = [one for one in fields if one.get("Action") or one.get("Status")]
    outbox_id = _outbox_id(message, fields)
    if not statuses or not outbox_id:
        return None
    action = str(statuses[-1].get("Action", "")).strip().lower()
    found = _STATUS.search(str(statuses[-1].get("Status", "")))
    return Bounce(outbox_id, found[1] if found else "", action == "failed")


def parse_bytes(raw: bytes) -> Bounce | None:
    return parse(message_from_bytes(raw))


def _fields(message: Message) -> Iterator[Message]:
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            payload = part.get_payload()
            yield from (one for one in payload if isinstance(one, Message)) if isinstance(payload, list) else ()


def _outbox_id(message: Message, fields: list[Message]) -> str:
    for one in fields:
        if found := _ID.fullmatch(str(one.get("Original-Envelope-Id", "")).strip()):
            return found[0]
    for named in _message_ids(message):
        if found := _OURS.fullmatch(named.strip()):
            return found[1]
    return ""


def _message_ids(message: Message) -> Iterator[str]:
    """Of the message that the report is about, whole or its headers alone."""
    for part in message.walk():
        if part.get_content_type() == "text/rfc822-headers":
            raw = part.get_payload(decode=True)
            yield str(message_from_bytes(raw if isinstance(raw, bytes) else b"").get("Message-ID", ""))
        elif part is not message and part.get("Message-ID"):
            yield str(part["Message-ID"])
