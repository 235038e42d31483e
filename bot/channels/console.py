"""The console as a channel: replies go to a stream, and to a journal file when one is given.

It ships in the product (``plainbill chat``) and is the working twin of the text channel in the tests: it keeps the
same promises, its journal is on the disk before ``send`` answers, and it can be asked what it has sent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from bot.channels.base import Lookup, Outbound, Sent

_SKEW = timedelta(minutes=2)


class ConsoleChannel:
    """``now`` stamps what was sent; without a journal the process's memory has to do for look-ups."""

    name = "console"

    def __init__(self, now: Callable[[], datetime], stream: TextIO | None = None, journal: Path | None = None) -> None:
        self._now = now
        self._stream = stream
        self._journal = journal
        self._kept: list[dict[str, Any]] = []

    async def send(self, message: Outbound) -> Sent:
        """Print the message; it counts as sent once the journal is on the disk."""
        entry = {"provider_id": f"console-{message.outbox_id}-{os.urandom(4).hex()}", "outbox_id": message.outbox_id,
                 "sender": message.sender, "to": message.to, "body": message.body, "at": self._now().isoformat()}
        self._keep(entry)
        if self._stream is not None:
            print(message.body, file=self._stream, flush=True)
        return Sent(entry["provider_id"])

    async def look_up(self, message: Outbound, sent_after: datetime) -> Lookup:
        """Return messages of the same sender, recipient and words since ``sent_after``."""
        alike = (message.sender, message.to, message.body)
        return Lookup(tuple(
            entry["provider_id"] for entry in self._entries() if not entry.get("redacted")
            and (entry["sender"], entry["to"], entry["body"]) == alike
            and datetime.fromisoformat(entry["at"]) >= sent_after - _SKEW))

    async def redact(self, provider_id: str, address: str = "") -> None:
        """Note that the text is gone; what was printed cannot be taken back."""
        self._keep({"redacted": True, "provider_id": provider_id, "at": self._now().isoformat()})

    async def close(self) -> None:
        """Nothing to free."""

    def _keep(self, entry: dict[str, Any]) -> None:
        if self._journal is None:
            self._kept.append(entry)
            return
        line = (json.dumps(entry, ensure_ascii=False) + "\n").encode()
        handle = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)

    def _entries(self) -> Iterator[dict[str, Any]]:
        if self._journal is None:
            yield from self._kept
        elif self._journal.exists():
            yield from map(json.loads, self._journal.read_text(encoding="utf-8").splitlines())
