"""The demo's page: a phone with two apps beside what happened inside; a small server beside the real application."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.demo import ahead
from bot.demo.hints import hints
from bot.demo.inside import console_of, inside_of, states_of
from bot.demo.people import PEOPLE, Person, person_of
from bot.demo.stage import Stage
from handlers.core import IDLE, State

PAGE = Path(__file__).parent / "page"
STAGE = web.AppKey("stage", Stage)
_KINDS = {"index.html": "text/html", "demo.css": "text/css", "demo.js": "text/javascript"}
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
                               "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def make_app(stage: Stage) -> web.Application:
    app = web.Application()
    app[STAGE] = stage
    app.router.add_get("/", page_file)
    app.router.add_get("/demo/{name:demo[.](?:css|js)}", page_file)
    app.router.add_get("/demo/people", people)
    app.router.add_get("/demo/state", state)
    app.router.add_post("/demo/say", say)
    app.router.add_post("/demo/press", press)
    app.router.add_post("/demo/start", open_link)
    app.router.add_post("/demo/clock", move_clock)
    return app


async def page_file(request: web.Request) -> web.Response:
    name = request.match_info.get("name", "index.html")
    return web.Response(body=(PAGE / name).read_bytes(), content_type=_KINDS[name], charset="utf-8", headers=_HEADERS)


async def people(request: web.Request) -> web.Response:
    return _json([{name: getattr(p, name) for name in p.__slots__} for p in PEOPLE])


async def say(request: web.Request) -> web.Response:
    """Write to the practice as one of the sample's patients, by text or in Telegram."""
    stage, person, asked = await _asked(request)
    words = str(asked.get("body", ""))[:1000]
    if asked.get("app") == "telegram":
        await stage.chats.write(person, words)
    else:
        await stage.text(person.phone, words)
    return _json({})


async def press(request: web.Request) -> web.Response:
    """Press a button of a message in Telegram."""
    stage, person, asked = await _asked(request)
    try:
        await stage.chats.press(person, int(asked["message"]), int(asked["place"]))
    except (LookupError, ValueError) as error:
        raise web.HTTPNotFound from error
    return _json({})


async def open_link(request: web.Request) -> web.Response:
    """Open a t.me link on the patient's phone: Telegram there sends its token with /start."""
    stage, person, asked = await _asked(request)
    token = str(asked.get("token", ""))
    if not _TOKEN.fullmatch(token):
        raise web.HTTPBadRequest(text="token")
    await stage.chats.open_link(person, token)
    return _json({})


async def move_clock(request: web.Request) -> web.Response:
    """Half an hour on, or to the next morning."""
    stage, _, asked = await _asked(request)
    try:
        await ahead.move_on(stage, ahead.STEPS[str(asked.get("to"))](stage))
    except KeyError as error:
        raise web.HTTPBadRequest(text="to") from error
    return _json({})


async def _asked(request: web.Request) -> tuple[Stage, Person, dict[str, Any]]:
    """Who does it, and what. Only JSON, which no page of another site can send here unasked."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    asked = await request.json()
    try:
        return request.app[STAGE], person_of(str(asked["account"])), asked
    except (KeyError, TypeError) as error:
        raise web.HTTPNotFound from error


async def state(request: web.Request) -> web.Response:
    """Everything the page shows about one patient."""
    stage = request.app[STAGE]
    try:
        person = person_of(request.query.get("account", ""))
    except KeyError as error:
        raise web.HTTPNotFound from error
    inside, states, console = await stage.store.aread(lambda s: (
        inside_of(s, stage.practice_id, stage.policy, person, stage.clock.now()),
        states_of(s, stage.practice_id, person), console_of(s, stage.practice_id, person)))
    texts, chat = await stage.thread(person.phone), await stage.chats.thread(person)
    apps = {"sms": _app(person, "sms", texts, states, True),
            "telegram": _app(person, "telegram", chat, states, stage.chats.ready)}
    # By the name under which this page was opened: a browser keeps a cookie for one name.
    root = stage.settings.public_url.replace("127.0.0.1", request.url.host or "")
    return _json({**inside, "apps": apps, "bot": stage.chats.bot,
                  "console": {name: root + path for name, path in console.items()}})


def _app(person: Person, name: str, thread: list[dict[str, Any]], states: dict[str, State], ready: bool,
         ) -> dict[str, Any]:
    buttons = bool(thread and thread[-1].get("buttons"))
    return {"thread": thread, "ready": ready, "hints": hints(person, name, states.get(name, IDLE), buttons)}


def _json(value: Any) -> web.Response:
    return web.json_response(value, headers=_HEADERS)
