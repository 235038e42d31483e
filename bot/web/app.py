"""The web edge: every route with how it is authenticated, in one table. There is no other way in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

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
from bot.web.account import routes as account
from bot.web.console import api, catalog
from bot.web.guard import Headers, headers_for, pay_origins, security_headers
from bot.web.routes import Handler, Route
from bot.web.wiring import Wiring
from templates import web


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
    *account.ROUTES,
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
    *catalog.ROUTES,
    *api.ROUTES,
)

#: What a process that serves no patients answers all the same.
OWN_ROUTES = tuple(route for route in ROUTES if route.path in ("/healthz", "/readyz", "/metrics"))


def make_app(wiring: Wiring, routes: tuple[Route, ...] = ROUTES) -> Starlette:
    """The application. Serve it without an access log: a link's token is in its address."""
    app = Starlette()
    app.router.redirect_slashes = False  # an address with a slash too many is no other page's
    for route in routes:
        app.router.add_route(route.path, _bound(wiring, route.handler), methods=[route.method])
    app.add_exception_handler(404, _gone)
    app.add_exception_handler(405, _not_so)
    headers = security_headers(wiring.road.public_url, pay_origins(wiring.settings.stripe_base_url or ""))
    app.add_exception_handler(500, partial(_broken, headers))
    app.add_middleware(Headers, headers=headers)
    return app


def _bound(wiring: Wiring, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        return await handler(wiring, request)

    return handle


async def _gone(request: Request, error: Exception) -> Response:
    return api.problem(404) if _is_program(request) else HTMLResponse(screens.gone(doors.language_of(request)), 404)


async def _not_so(request: Request, error: Exception) -> Response:
    allowed = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if _is_program(request):
        return api.problem(405, headers=allowed)
    return PlainTextResponse("That is not how this page is asked for.", 405, headers=allowed)


async def _broken(headers: Mapping[str, str], request: Request, error: Exception) -> Response:
    text = "Something went wrong here. Please try again in a minute."
    answer = api.problem(500) if _is_program(request) else PlainTextResponse(text, 500)
    for name, value in headers_for(request.url.path, headers).items():
        answer.headers.setdefault(name, value)
    return answer


def _is_program(request: Request) -> bool:
    return request.url.path.startswith("/api/")
