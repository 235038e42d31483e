"""A line of the table of routes: an address, how whoever asks is known, and what answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from bot.web.wiring import Wiring

Handler = Callable[[Wiring, Request], Awaitable[Response]]
Auth = Literal["signature", "link", "token", "staff", "public"]


@dataclass(frozen=True, slots=True)
class Route:
    """``auth``: signature (the sender signed the request), link (a token and, for all that is shown, the proof behind
    it), token (a secret of the operator's), staff (signed in, with ``right``), public (says nothing of anybody).
    """

    method: Literal["GET", "POST"]
    path: str
    auth: Auth
    handler: Handler
    right: str = ""
