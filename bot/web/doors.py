"""The door behind a link's token: the questions first, then a cookie that says they were answered.

``GET`` of any token, known or not, shows the same questions: a carrier's preview robot neither uses the link up nor
learns whether it is one (T-39). Nothing is shown before date of birth and ZIP were right (T-34). What stands behind the
door is bot/web/pages.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from billing import link_pages, rates
from billing.link_pages import Visitor
from bot.channels.twilio_signature import read_form
from bot.web import counting, proof, screens
from bot.web.guard import TooLarge, read_body
from bot.web.wiring import Wiring
from templates import web


@dataclass(frozen=True, slots=True)
class Pressed:
    """A press on a button behind the door, with where it came from."""

    wiring: Wiring
    request: Request
    visitor: Visitor
    token: str
    language: str
    form: dict[str, str]

    @property
    def ref(self) -> str:
        """Names the link without opening it."""
        return proof.name_of(self.wiring.settings.link_secret_bytes, self.token)


async def press(wiring: Wiring, request: Request, purpose: str) -> Pressed | Response:
    """What was pressed behind a link for ``purpose``; the answer for everybody else."""
    visitor, token = await enter(wiring, request), request.path_params["token"]
    if visitor is None or visitor.link.purpose != purpose:
        return RedirectResponse(f"/l/{token}", 303)
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    return Pressed(wiring, request, visitor, token, language_of(request, visitor), form)


async def answer(wiring: Wiring, request: Request) -> Response:
    """POST /l/{token}: the answers to the questions. Every failure looks the same."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    token = request.path_params["token"]
    if not await counting.stands(wiring, request, rates.LINK):
        return HTMLResponse(screens.wait(language_of(request)), 429)
    proved = await wiring.road.store.awrite(partial(
        link_pages.prove, token=token, born_on=proof.read_birth_date(form), postal_code=form.get("zip", ""),
        now=wiring.now(), passcode=form.get("passcode", "")))
    language = language_of(request)
    if proved is None:
        await counting.note_failure(wiring, request, rates.LINK)
        return HTMLResponse(screens.ask(language, wrong=True), 403)
    chosen = f"?lang={language}" if "lang" in request.query_params else ""
    return renew(wiring, request, RedirectResponse(f"/l/{token}{chosen}", 303))


async def home(wiring: Wiring, request: Request) -> Response:
    """GET of a button's address, as after a change of language on its answer: back to the link's page."""
    chosen = language_of(request)
    return RedirectResponse(f"/l/{request.path_params['token']}?lang={chosen}", 303)


async def enter(wiring: Wiring, request: Request) -> Visitor | None:
    """The visitor behind a valid cookie; None for everybody else."""
    token = request.path_params["token"]
    secret = wiring.settings.link_secret_bytes
    if not proof.is_proved(secret, token, request.cookies.get(proof.COOKIE), wiring.now()):
        return None
    return await wiring.road.store.awrite(partial(link_pages.visit, token=token, now=wiring.now()))


def renew(wiring: Wiring, request: Request, response: Response, token: str = "") -> Response:
    proof.remember(response, wiring.settings.link_secret_bytes, token or request.path_params["token"], wiring.now(),
                   secure=wiring.road.public_url.startswith("https:"))
    return response


def language_of(request: Request, visitor: Visitor | None = None) -> str:
    """What was chosen on the page, else the account's own, else the browser's."""
    return web.choose(request.query_params.get("lang"), visitor.language if visitor else None,
                      request.headers.get("accept-language"))


async def form_of(request: Request) -> dict[str, str] | Response:
    try:
        return dict(read_form(await read_body(request)))
    except (TooLarge, ValueError):
        return PlainTextResponse("too large", 413)
