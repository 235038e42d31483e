"""What every answer carries, and how much of a request is read at all."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 256 * 1024
"""More than any webhook or form of ours; Stripe's largest events stay well below."""


class TooLarge(Exception):
    """A body of more than MOST_BYTES."""


async def read_body(request: Request, most: int = MOST_BYTES, drain: int = 0) -> bytes:
    """The raw body, up to ``most`` bytes. Raises TooLarge as soon as it is known to be more.

    Up to ``drain`` further bytes are read and thrown away first: a browser that is still sending hears no answer.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most + drain:
            raise TooLarge
        if size <= most:
            parts.append(part)
    if size > most:
        raise TooLarge
    return b"".join(parts)


def security_headers(public_url: str, pay_origins: tuple[str, ...]) -> dict[str, str]:
    """No script, nothing from elsewhere, no trace of the address on other sites (T-39).

    ``pay_origins``: browsers hold a redirect after a form to ``form-action`` too, and ours leads to the hosted page.
    """
    policy = ("default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
              f"form-action 'self' {' '.join(pay_origins)}")
    headers = {
        "content-security-policy": policy.strip(), "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff", "x-frame-options": "DENY", "cache-control": "no-store",
        "x-robots-tag": "noindex, nofollow, noarchive", "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    }
    if public_url.startswith("https:"):
        headers["strict-transport-security"] = "max-age=31536000"
    return headers


def pay_origins(stripe_base_url: str) -> tuple[str, ...]:
    """Where hosted payment pages may live: Stripe's own, or the server that stands in for it."""
    parts = urlsplit(stripe_base_url)
    if parts.hostname == "api.stripe.com":
        return ("https://checkout.stripe.com",)
    return ("https://checkout.stripe.com", f"{parts.scheme}://{parts.netloc}")


#: The console runs our own scripts and nothing else: no inline code, no evaluation, no other host. ``data:`` is for the
#: marks in the style sheet.
_CONSOLE_POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                   "base-uri 'none'; frame-ancestors 'none'; form-action 'self'")


#: What a program reads is no page at all.
_API_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"


def headers_for(path: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers as they are at this address."""
    if path.startswith("/console/"):
        return {**headers, "content-security-policy": _CONSOLE_POLICY}
    return {**headers, "content-security-policy": _API_POLICY} if path.startswith("/api/") else headers


class Headers:
    """ASGI middleware: sets the headers on whatever goes out. One that is already set stays. What breaks inside is
    answered outside of any middleware, by bot/web/app.py, which sets them too.
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self.app = app
        self._of = {root: [(name.encode(), value.encode()) for name, value in headers_for(root, headers).items()]
                    for root in ("/console/", "/api/", "/")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        headers = next((own for root, own in self._of.items() if path.startswith(root)), self._of["/"])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(message, headers)
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)


def _add(message: MutableMapping[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    present = {name.lower() for name, _ in message["headers"]}
    message["headers"] = [*message["headers"], *(pair for pair in headers if pair[0] not in present)]
