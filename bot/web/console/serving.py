"""From a line of the table to an answer in the browser."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing.store import trying
from bot.web.console import forms, traces, who
from bot.web.console.page import shown
from bot.web.console.table import Action, Asked, Done, Download, File, Missing, Nothing, Seen, View, there
from bot.web.wiring import Wiring
from bot.write import Store

Handler = Callable[[Wiring, Request], Awaitable[Response]]


def page_of(view: View) -> Handler:
    """GET: the view as a page."""
    async def answer(asked: Asked[Any], request: Request) -> Response:
        found = await look(view, asked)
        return HTMLResponse(shown(view.name, asked, found, address=request.url.path,
                                  note=request.query_params.get("note", ""), again=_again(request)))

    return _looking(view, answer)


def file_of(view: Download) -> Handler:
    """GET: the view as a file."""
    async def answer(asked: Asked[Any], request: Request) -> Response:
        return as_response(await make(view, asked))

    return _looking(view, answer)


def as_response(made: File) -> Response:
    """The file as something to keep."""
    return Response(made.content, media_type=made.media_type, headers={
        "content-disposition": f'attachment; filename="{made.name}"'})


def _looking(view: View | Download, answer: Callable[[Asked[Any], Request], Awaitable[Response]]) -> Handler:
    """Let somebody in who may, and say what is wrong with what they asked."""
    async def handle(wiring: Wiring, request: Request) -> Response:
        entered = await _enter(wiring, request, view)
        if isinstance(entered, Response):
            return entered
        try:
            query = forms.read(view.query, forms.without_own(request.query_params))
            return await answer(replace(entered, query=query), request)
        except REFUSED as error:
            return _told(entered, error, 422)

    return handle


def press_of(action: Action) -> Handler:
    """POST: the action, then back to a page; what is refused is said on a page of its own, and nothing changed."""
    async def handle(wiring: Wiring, request: Request) -> Response:
        entered = await _enter(wiring, request, action)
        if isinstance(entered, Response):
            return entered
        try:
            form = await forms.of_request(request, action)
            who.require_meant(wiring, request, entered.person, str(form.pop("csrf", "")))
            entered = replace(entered, query=forms.read(action.form, form))
            done = await act(action, entered)
        except REFUSED as error:
            return _told(entered, error)
        if done.page:
            return HTMLResponse(shown(done.page, entered, done.result, address=request.url.path,
                                      again=_back(done)))
        return RedirectResponse(_onward(done), 303)

    return handle


async def look(view: View | Download, asked: Asked[Any]) -> Any:
    """What a view shows, with its line in the audit trail written before anything leaves the house. Raises Missing and
    whatever billing refuses with.
    """
    store = asked.wiring.road.store

    def read(session: Session) -> tuple[Any, Seen | None]:
        found = there(view.read(session, asked))
        return found, traces.owed(session, asked, view, found)

    found, seen = await store.aread(read)
    if seen is not None or (isinstance(view, View) and view.leaves is not None):
        await store.awrite(partial(traces.of_look, asked=asked, view=view, seen=seen))
    return found


async def make(view: Download, asked: Asked[Any]) -> File:
    """The view as a file. Raises as ``look``."""
    return await asyncio.to_thread(view.make, await look(view, asked), asked)


async def act(action: Action, asked: Asked[Any]) -> Done:
    """Do it in one transaction, with its line in the audit trail. Raises Missing and whatever billing refuses with."""
    if action.looks_apart and not asked.query.sure and trying.can_copy(asked.wiring.road.store.engine):
        return await _look_apart(action, asked)

    def both(session: Session) -> Done:
        done = action.do(session, asked)
        traces.of_act(session, asked, action.name, done)
        return done

    done = await asked.wiring.road.store.awrite(both)
    if action.after is not None:
        await action.after(asked, done)
    return done


async def _look_apart(action: Action, asked: Asked[Any]) -> Done:
    """The look before it, on a copy of this moment: patients' messages do not wait until it is made. Whoever goes on is
    shown another look where things have changed meanwhile (looked.require_same).
    """
    store = asked.wiring.road.store

    def work() -> Done:
        with trying.copied(store.engine) as engine, contextlib.closing(Store(engine)) as copy:
            return copy.write(lambda session: action.do(session, asked))

    done = await asyncio.to_thread(work)
    await store.awrite(partial(traces.of_act, asked=asked, name=action.name, done=done))
    return done


#: What the functions of the table raise; ``verdict`` tells a refusal from a bug.
REFUSED = (Missing, LookupError, ValueError, who.NotAllowed)


def verdict(error: Exception, refused: int = 409) -> tuple[int, str] | None:
    """The status and the words of a refusal, no words for what is not there; None for a bug. ``refused``: the status
    of what billing says no to.
    """
    if isinstance(error, Missing) or type(error) is LookupError:  # a KeyError is a bug
        return 404, ""
    if isinstance(error, who.NotAllowed):
        return 403, str(error)
    if isinstance(error, forms.FormRefused):
        return error.status, str(error)
    text = refusal(error) if isinstance(error, ValueError) else None
    return None if text is None else (refused, text)


def refusal(error: ValueError) -> str | None:
    """What billing refuses it says in words for people, without PHI; any other error is nobody's to read."""
    if not type(error).__module__.startswith(("billing.", "bot.demanding", "bot.sent_links", "bot.web.console")):
        return None
    text = str(error)
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else None


async def _enter(wiring: Wiring, request: Request, what: View | Download | Action) -> Asked[Any] | Response:
    try:
        entered = await enter(wiring, request, what)
    except who.NotSignedIn:
        return who.to_sign_in(request)
    try:
        admit(entered, what)
    except REFUSED as error:
        return _told(entered, error)
    return entered


async def enter(wiring: Wiring, request: Request, what: View | Download | Action) -> Asked[Any]:
    """Who asks, whatever they may. Raises who.NotSignedIn."""
    person, policy = await who.find(wiring, request, quiet=isinstance(what, View) and what.quiet)
    return Asked(person, policy, wiring, request.path_params, Nothing(), wiring.now(), forms.language_of(request),
                 forms.via_of(request.query_params))


def admit(entered: Asked[Any], what: View | Download | Action) -> None:
    """Raises who.NotAllowed without the right, Missing for an address that can be nobody's."""
    who.require(entered.person, what.right)
    if not forms.are_parts(entered.path):
        raise Missing


def _told(asked: Asked[Any], error: Exception, refused: int = 409) -> Response:
    """The page that says what was refused; no words: there is no such thing here."""
    found = verdict(error, refused)
    if found is None:
        raise error
    status, text = found
    return HTMLResponse(shown("refused", asked, {"text": text}), status)


def _again(request: Request) -> str:
    """The page as it was asked for, but for its language and what was just done."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in ("lang", "note")]
    return f"?{urlencode(kept)}&" if kept else "?"


def _back(done: Done) -> str:
    """What came of a press cannot be asked for again; the page that it was pressed on can."""
    where = _onward(replace(done, note="")).partition("#")[0]
    return where + ("&" if "?" in where else "?")


def _onward(done: Done) -> str:
    """What is said goes before the place on the page. An account that is opened because of a deed says so."""
    where, mark, place = done.to.partition("#")
    more = [f"note={done.note}"] if done.note else []
    more += [f"{forms.VIA}=done"] if where.startswith("/accounts/") else []
    joiner = "&" if "?" in where else "?"
    return f"/console{where}{joiner if more else ''}{'&'.join(more)}{mark}{place}"
