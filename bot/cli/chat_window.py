"""A Telegram chat in the terminal: what ``plainbill chat --channel telegram`` prints, and what may be pressed there."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from bot.channels.base import Inbound, Lookup, Outbound, SendError, Sent
from bot.channels.telegram import FILE_NAME

#: What opens the chat from a one-time link: the whole address pasted, or what the app makes of it.
_START = re.compile(r"(?:https?://t\.me/\w+\?start=|/start\s*)([A-Za-z0-9_-]{0,64})")
_COMMAND = re.compile(r"^/([A-Za-z][A-Za-z0-9_]*)")
_NUMBER = re.compile(r"\[([0-9]+)\]")


@dataclass(frozen=True, slots=True)
class Button:
    outbox_id: str
    label: str
    text: str


class ChatWindow:
    """Telegram's side of a chat without Telegram: nothing leaves the terminal."""

    name = "telegram"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._buttons: list[Button] = []

    async def send(self, message: Outbound) -> Sent:
        """Print the message, its file by name, and its buttons as [1] Label."""
        file = f"({FILE_NAME}) " if message.document is not None else ""
        print(file + message.body, file=self._stream)
        if message.buttons:
            self._buttons = [Button(message.outbox_id, label, text) for label, text in message.buttons]
            print("  ".join(f"[{place}] {one.label}" for place, one in enumerate(self._buttons, 1)), file=self._stream)
        self._stream.flush()
        return Sent(f"terminal-{message.outbox_id}-{os.urandom(4).hex()}")

    async def look_up(self, message: Outbound, sent_after: datetime) -> Lookup:
        """Raises SendError: like Telegram, it cannot be asked."""
        raise SendError("configuration", "cannot_be_asked")

    async def redact(self, provider_id: str, address: str = "") -> None:
        """What was printed cannot be taken back."""

    async def close(self) -> None:
        """Nothing to free."""

    def heard(self, line: str, chat: str, external_id: str) -> Inbound:
        """What the patient did with this line: opened a link, pressed a button ([n] or its label), or wrote."""
        if start := _START.fullmatch(line):
            return Inbound(external_id, chat, "", "/start", start=start[1])
        pressed = self._pressed(line)
        if pressed is not None:
            self._buttons = []  # one press a message, as the real keyboard goes after it
            return Inbound(f"terminal:press:{pressed.outbox_id}", chat, "", pressed.text, button=pressed.outbox_id)
        return Inbound(external_id, chat, "", _COMMAND.sub(lambda found: found[1].replace("_", " "), line))

    def _pressed(self, line: str) -> Button | None:
        number = _NUMBER.fullmatch(line)
        if number is not None and 1 <= int(number[1]) <= len(self._buttons):
            return self._buttons[int(number[1]) - 1]
        return next((one for one in self._buttons if one.label.casefold() == line.casefold()), None)
