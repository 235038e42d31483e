"""One Twilio account of the stand-in: its options, its state, and the errors it answers with."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.standins.courier import Courier
from bot.standins.journal import Clock, Journal, Row
from bot.standins.wire import Faults

API_VERSION = "2010-04-01"
FINAL = frozenset({"delivered", "undelivered", "failed", "received", "canceled"})


@dataclass(frozen=True)
class TwilioOptions:
    """How the stand-in behaves.

    `numbers` are the senders that the account owns (none given: any sender is accepted). `webhooks` maps an owned
    number to the URL of its inbound webhook. `signature_forms` are used in turn, one a request: "HMAC_SHA1" keyed by
    the auth token, "HMAC_SHA256" keyed by the shared key and announced in X-Twilio-Webhooks-Signature-Settings.
    `auto_reply` makes Twilio itself confirm STOP, START and HELP.
    """

    account_sid: str = "AC" + "0" * 32
    auth_token: str = "standin-auth-token"
    journal: Path | None = None
    numbers: tuple[str, ...] = ()
    webhooks: Mapping[str, str] = field(default_factory=dict)
    messaging_services: Mapping[str, str] = field(default_factory=dict)
    callback_delay_ms: int = 50
    signature_forms: tuple[str, ...] = ("HMAC_SHA1",)
    shared_key_id: str = "webhooks_sharedkey_standin"
    shared_key_secret: str = "standin-shared-key"
    auto_reply: bool = False
    retry_delays_s: tuple[float, ...] = (0.1, 0.3, 1.0)
    timeout_s: float = 15.0
    clock: Clock = time.time


@dataclass
class Account:
    """The running state. What must survive a crash is in the journal's tables:

    "messages" (sid -> {"resource", "at", "sent_at", "callback", "todo", "error"}), "opt_outs" ("user|ours" -> {"at"}),
    "webhooks" (number -> {"url"}), "deliveries".
    """

    options: TwilioOptions
    journal: Journal
    courier: Courier
    faults: Faults = field(default_factory=Faults)
    delay_ms: int = 50
    reorder: bool = False
    signed: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until every message has reached its last status and nothing is on its way."""
        while self._tasks:
            await asyncio.gather(*list(self._tasks), return_exceptions=True)
        await self.courier.settle()

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*list(self._tasks), return_exceptions=True)
        await self.courier.close()
        self.journal.close()


ACCOUNT: web.AppKey[Account] = web.AppKey("twilio_account", Account)


class Refusal(Exception):
    """An error of Twilio's, with its code and HTTP status."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Row = {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }


@dataclass(frozen=True)
class Asked:
    """A request as the acts see it. Repeated form keys (MediaUrl) are lists in `params`."""

    method: str
    path: str
    params: dict[str, Any]
    sid: str = ""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Row | None
    then: Callable[[], None] | None = None


def authenticate(request: web.Request, options: TwilioOptions) -> None:
    """HTTP basic, account SID and auth token; raises Refusal 20003."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        given = ""
    wanted = f"{options.account_sid}:{options.auth_token}"
    if scheme.lower() != "basic" or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refusal(401, 20003, "Authenticate")
    if request.match_info["account"] != options.account_sid:
        raise Refusal(404, 20404, f"The requested resource {request.path} was not found")


def check_known(params: dict[str, Any], documented: frozenset[str]) -> None:
    """Raises Refusal 20001 naming the parameters that the interface does not document."""
    unknown = sorted(set(params) - documented)
    if unknown:
        raise Refusal(400, 20001, f"Unknown parameters: {', '.join(unknown)}")


def is_e164(number: str) -> bool:
    return re.fullmatch(r"\+[1-9]\d{6,14}", number) is not None


def rfc2822(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
