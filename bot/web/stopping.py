"""The page that stops e-mails: the same for every token, a press and nothing else (RFC 8058, T-22, T-39)."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from billing import unsubscribing
from bot.web import doors, screens
from bot.web.guard import TooLarge, read_body
from bot.web.wiring import Wiring


async def show(wiring: Wiring, request: Request) -> Response:
    """GET /u/{token}: asks for the press. A mail server that looks at links changes nothing and learns nothing."""
    return HTMLResponse(screens.stop(doors.language_of(request), f"/u/{request.path_params['token']}"))


async def press(wiring: Wiring, request: Request) -> Response:
    """POST /u/{token}: by the page's button, or by the mail program itself with one click."""
    try:
        await read_body(request)
    except TooLarge:
        return PlainTextResponse("too large", 413)
    policy = await wiring.road.store.awrite(partial(
        unsubscribing.stop, token=request.path_params["token"], now=wiring.now()))
    language = doors.language_of(request)
    return HTMLResponse(screens.stopped(language, policy) if policy else screens.gone(language),
                        200 if policy else 404)
