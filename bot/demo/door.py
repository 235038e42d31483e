"""The demo's way into the console: a page in the place of the sign-in form, and one button for each of the staff.

This is wiring of the demo alone. The console's own table knows nothing of it (tests/web/test_no_demo_door.py), and
it is hung only where the whole application listens on this machine for this machine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.channels.twilio_signature import read_form
from bot.demo.desk import STAFF, Desk, OffTheList
from bot.web.console import forms, signing, who
from bot.web.console.page import outside
from bot.web.guard import TooLarge, read_body
from bot.web.wiring import Wiring

PRESS = "/console/demo"
_NAMES = ("127.0.0.1", "localhost")
"""What this machine is called by its own browser. Any other name is another site's that points here."""


class NotHere(Exception):
    """This application listens for more than its own machine, or in earnest: it gets no such door."""


def hang(web: Starlette, wiring: Wiring, desk: Desk) -> None:
    """Put the door before the console's own sign-in page. Raises NotHere."""
    settings = wiring.settings
    if settings.environment != "development" or not _is_loopback(settings.host):
        raise NotHere("the demo's door to the console is for a demo on 127.0.0.1 alone")
    web.router.routes[:0] = [Route(who.SIGN_IN, _asked(wiring), methods=["GET"]),
                             Route(PRESS, _pressed(wiring, desk), methods=["POST"])]


def _asked(wiring: Wiring) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        """``password``: the page as a practice has it, for whoever was invited by the demo's manager."""
        if "password" in request.query_params:
            return await signing.ask(wiring, request)
        return _page(request, signing.onward(request.query_params.get("to", "")))

    return show


def _pressed(wiring: Wiring, desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def enter(request: Request) -> Response:
        form = await _form(request)
        to = signing.onward(form.get("to", ""))
        try:
            token = await desk.sign_in(form.get("login", ""), request.headers.get("user-agent", ""))
        except KeyError:
            return _page(request, to, status=403)
        except OffTheList:
            return _page(request, to, "off", 403)
        response = RedirectResponse(to, 303)
        who.remember(wiring, response, token)
        return response

    return enter


async def _form(request: Request) -> dict[str, str]:
    """Nothing of a form that another site made the browser send, under whatever name it knows this machine."""
    # "null": our pages name no referrer, so a browser does not say either where a form of theirs comes from.
    ours = ("null", f"{request.url.scheme}://{request.url.netloc}")
    elsewhere = (request.url.hostname not in _NAMES or request.headers.get("origin", "null") not in ours
                 or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"))
    try:
        return {} if elsewhere else dict(read_form(await read_body(request, 4096)))
    except (TooLarge, ValueError):
        return {}


def _page(request: Request, to: str, alert: str = "", status: int = 200) -> Response:
    return HTMLResponse(outside("demo_door", forms.language_of(request), {
        "staff": STAFF, "to": to, "alert": alert, "press": PRESS}), status)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
