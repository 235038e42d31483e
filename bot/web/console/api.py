"""The table as JSON under /api/v1: what the console does, for the practice's other programs, by the same rights.

A program shows its key; a page of the console may ask too, with its session, and then a change carries the session's
word in ``X-CSRF-Token``. Whatever is wrong with a request is said as problem+json (RFC 9457) and never repeats it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from billing import rates
from bot.web.console import catalog, forms, openapi, serving, who
from bot.web.console.serving import Handler
from bot.web.console.table import Action, Asked, Download, Nothing, View
from bot.web.guard import TooLarge, read_body
from bot.web.routes import Route
from bot.web.wiring import Wiring

ROOT = "/api/v1"
WORD = "X-CSRF-Token"
_TITLES = {401: "Not signed in", 403: "Not allowed", 404: "Not found", 405: "Not a method of this address",
           409: "Refused as things stand", 413: "Too large", 415: "Not JSON", 422: "Not understood",
           429: "Too many requests", 500: "Something went wrong here"}
_DETAILS = {401: "Send a key as `Authorization: Bearer KEY`, or sign in to the console.",
            404: "There is no such thing here.", 405: "The description at /api/v1/openapi.json lists what there is.",
            429: "This key has asked too often. Wait for as many seconds as Retry-After says.",
            500: "Nothing was changed. Please try again in a minute."}


class TooOften(Exception):
    """One asker, more than billing/rates.py allows. ``wait``: seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


def problem(status: int, detail: str = "", headers: dict[str, str] | None = None) -> Response:
    """What went wrong, as a program reads it."""
    return JSONResponse({"title": _TITLES[status], "detail": detail or _DETAILS[status], "status": status}, status,
                        headers, media_type="application/problem+json")


def view_of(view: View) -> Handler:
    """GET: what the view reads, as its model writes it."""
    async def answer(asked: Asked[Any], request: Request) -> Response:
        found = await serving.look(view, _with_query(asked, view, request))
        return Response(adapter(view.model).dump_json(found), media_type="application/json")

    return _answering(view, answer)


def file_of(view: Download) -> Handler:
    """GET: the file's bytes."""
    async def answer(asked: Asked[Any], request: Request) -> Response:
        return serving.as_response(await serving.make(view, _with_query(asked, view, request)))

    return _answering(view, answer)


def press_of(action: Action) -> Handler:
    """POST: the action, and what it did."""
    async def answer(asked: Asked[Any], request: Request) -> Response:
        who.require_meant(asked.wiring, request, asked.person, request.headers.get(WORD, ""))
        form = forms.read(action.form, await _given(request, action))
        done = await serving.act(action, replace(asked, query=form))
        return Response(to_json({"kind": done.kind, "id": done.object_id, "result": done.result}),
                        media_type="application/json")

    return _answering(action, answer)


@cache
def adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def _answering(what: View | Download | Action, answer: Callable[[Asked[Any], Request], Awaitable[Response]]) -> Handler:
    """Let somebody in who may, count them, and turn every refusal into a problem."""
    async def handle(wiring: Wiring, request: Request) -> Response:
        try:
            asked = await serving.enter(wiring, request, what)
            await _count(asked)
            serving.admit(asked, what)
            return await answer(asked, request)
        except who.NotSignedIn:
            return problem(401, headers={"www-authenticate": "Bearer"})
        except TooOften as error:
            return problem(429, headers={"retry-after": str(error.wait)})
        except serving.REFUSED as error:
            told = serving.verdict(error, 409 if isinstance(what, Action) else 422)
            if told is None:
                raise
            return problem(*told)

    return handle


async def _count(asked: Asked[Any]) -> None:
    allowed = await asked.wiring.road.store.awrite(partial(
        rates.allows, door=rates.API, practice_id=asked.practice_id, visitor=asked.person.staff_id, now=asked.now))
    if not allowed:
        raise TooOften(rates.wait(rates.API, asked.now))


def _with_query(asked: Asked[Any], view: View | Download, request: Request) -> Asked[Any]:
    given = forms.as_mapping(one for one in request.query_params.multi_items() if one[0] != forms.VIA)
    return replace(asked, query=forms.read(view.query, given))


async def _given(request: Request, action: Action) -> dict[str, Any]:
    """The form as JSON, or as a browser sends it where a file comes along. Raises FormRefused."""
    if action.upload:
        form = await forms.of_request(request, action)
        form.pop("csrf", None)
        return form
    try:
        body = await read_body(request)
    except TooLarge:
        raise forms.FormRefused("That is more than one request may hold. Send less at a time.", 413) from None
    if not body.strip():
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise forms.FormRefused("Send one JSON object, with the content type application/json.", 415)
    return _object(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise forms.FormRefused("Send one JSON object with the fields that the description names.", 422)
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DESCRIPTION = View("openapi", "/openapi.json", "read", lambda session, asked: None, None, Nothing)


async def _describe(asked: Asked[Any], request: Request) -> Response:
    made = openapi.document(ROOT, catalog.VIEWS, catalog.ACTIONS, who.cookie_name(asked.wiring), WORD)
    return Response(made, media_type="application/json")


ROUTES: tuple[Route, ...] = (
    Route("GET", f"{ROOT}/openapi.json", "staff", _answering(_DESCRIPTION, _describe), "read"),
    *(Route("GET", f"{ROOT}{one.path}", "staff",
            file_of(one) if isinstance(one, Download) else view_of(one), one.right) for one in catalog.VIEWS),
    *(Route("POST", f"{ROOT}{one.path}", "staff", press_of(one), one.right) for one in catalog.ACTIONS),
)
