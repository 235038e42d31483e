"""The web edge: every route with how it is authenticated, in one table. There is no other way in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from billing.store.practices import find_practice
from bot.web import (
    card_page,
    checking,
    doors,
    hooks,
    metering,
    pages,
    passcode,
    paying,
    plan_page,
    returning,
    screens,
    stopping,
    telegram_hook,
    uploads,
)
from bot.web.guard import Headers, pay_origins, security_headers
from bot.web.wiring import Wiring
from templates import web

Handler = Callable[[Wiring, Request], Awaitable[Response]]
Auth = Literal["signature", "link", "token", "public"]


@dataclass(frozen=True, slots=True)
class Route:
    """``auth``: signature (the sender signed the request), link (a token and, for all that is shown, the proof behind
    it), token (a secret of the operator's), public (says nothing of anybody).
    """

    method: Literal["GET", "POST"]
    path: str
    auth: Auth
    handler: Handler


async def healthz(wiring: Wiring, request: Request) -> Response:
    return PlainTextResponse("alive")


async def readyz(wiring: Wiring, request: Request) -> Response:
    """Ready when the store answers."""
    try:
        await wiring.road.store.aread(lambda session: find_practice(session, wiring.settings.practice))
    except Exception:  # noqa: BLE001 - whatever it is, we are not ready
        return PlainTextResponse("the store does not answer", 503)
    return PlainTextResponse("ready")


async def style(wiring: Wiring, request: Request) -> Response:
    return Response(web.style(), media_type="text/css", headers={"cache-control": "public, max-age=3600"})


async def robots(wiring: Wiring, request: Request) -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


ROUTES: tuple[Route, ...] = (
    Route("POST", "/hooks/twilio/sms", "signature", hooks.twilio_sms),
    Route("POST", "/hooks/twilio/status/{outbox_id}", "signature", hooks.twilio_status),
    Route("POST", "/hooks/stripe", "signature", hooks.stripe),
    Route("POST", "/hooks/telegram", "signature", telegram_hook.telegram),
    Route("GET", "/l/{token}", "link", pages.show),
    Route("POST", "/l/{token}", "link", doors.answer),
    Route("GET", "/l/{token}/pdf", "link", pages.pdf),
    Route("POST", "/l/{token}/pay", "link", paying.press),
    Route("GET", "/l/{token}/pay", "link", doors.home),
    Route("GET", "/l/{token}/plan", "link", doors.home),
    Route("GET", "/l/{token}/card", "link", doors.home),
    Route("POST", "/l/{token}/plan", "link", plan_page.press),
    Route("POST", "/l/{token}/card", "link", card_page.press),
    Route("GET", "/l/{token}/done", "link", returning.done),
    Route("POST", "/l/{token}/done", "link", doors.answer),
    Route("POST", "/l/{token}/files", "link", uploads.receive),
    Route("POST", "/l/{token}/passcode", "link", passcode.receive),
    Route("GET", "/u/{token}", "public", stopping.show),
    Route("POST", "/u/{token}", "public", stopping.press),
    Route("GET", "/back", "public", returning.back),
    Route("GET", "/check", "public", checking.show),
    Route("POST", "/check", "public", checking.answer),
    Route("GET", "/style.css", "public", style),
    Route("GET", "/robots.txt", "public", robots),
    Route("GET", "/healthz", "public", healthz),
    Route("GET", "/readyz", "public", readyz),
    Route("GET", "/metrics", "token", metering.show),
)

#: What a process that serves no patients answers all the same.
OWN_ROUTES = tuple(route for route in ROUTES if route.path in ("/healthz", "/readyz", "/metrics"))


def make_app(wiring: Wiring, routes: tuple[Route, ...] = ROUTES) -> FastAPI:
    """The application. Serve it without an access log: a link's token is in its address."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    for route in routes:
        app.router.add_route(route.path, _bound(wiring, route.handler), methods=[route.method])
    app.add_exception_handler(404, _gone)
    app.add_exception_handler(500, _broken)
    headers = security_headers(wiring.road.public_url, pay_origins(wiring.settings.stripe_base_url or ""))
    app.add_middleware(Headers, headers=headers)
    return app


def _bound(wiring: Wiring, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        return await handler(wiring, request)

    return handle


async def _gone(request: Request, error: Exception) -> Response:
    return HTMLResponse(screens.gone(doors.language_of(request)), 404)


async def _broken(request: Request, error: Exception) -> Response:
    return PlainTextResponse("Something went wrong here. Please try again in a minute.", 500)
