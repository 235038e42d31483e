"""Telegram's webhook: the secret compared in constant time, the update committed, then the answer (T-18)."""

from __future__ import annotations

import hmac
import json

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.web import counting
from bot.web.guard import TooLarge, read_body
from bot.web.wiring import Wiring
from config.settings import reveal

HEADER = "X-Telegram-Bot-Api-Secret-Token"


async def telegram(wiring: Wiring, request: Request) -> Response:
    """An update. Anything but 200 makes Telegram bring it again, which is what we want while we cannot keep it."""
    line = wiring.telegram
    if line is None or wiring.settings.telegram_mode != "webhook":
        return PlainTextResponse("Telegram is off", 404)
    if not _is_genuine(wiring, request.headers.get(HEADER, "")):
        return await counting.refuse_unsigned(wiring, request, "not Telegram's")
    try:
        update = json.loads(await read_body(request))
    except TooLarge:
        return PlainTextResponse("too large", 413)
    except ValueError:
        return PlainTextResponse("not JSON", 400)
    if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
        return PlainTextResponse("not an update", 400)
    if not await line.is_on():
        return PlainTextResponse("the practice has not accepted Telegram", 503)
    await line.take(update)
    return PlainTextResponse("kept")


def _is_genuine(wiring: Wiring, given: str) -> bool:
    """Without a secret of our own nothing is."""
    secret = wiring.settings.telegram_webhook_secret
    return secret is not None and hmac.compare_digest(reveal(secret).encode(), given.encode())
