"""The demo's page: a phone beside what happened inside. A small server of its own, beside the real application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

from bot.demo.inside import inside_of
from bot.demo.people import PEOPLE, person_of
from bot.demo.stage import Stage

PAGE = Path(__file__).parent / "page"
STAGE = web.AppKey("stage", Stage)
_KINDS = {"index.html": "text/html", "demo.css": "text/css", "demo.js": "text/javascript"}
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
    return app


async def page_file(request: web.Request) -> web.Response:
    name = request.match_info.get("name", "index.html")
    return web.Response(body=(PAGE / name).read_bytes(), content_type=_KINDS[name], charset="utf-8", headers=_HEADERS)


async def people(request: web.Request) -> web.Response:
    return _json([{name: getattr(p, name) for name in p.__slots__} for p in PEOPLE])


async def say(request: web.Request) -> web.Response:
    """Text the practice as one of the sample's patients."""
    asked = await request.json()
    try:
        person = person_of(str(asked["account"]))
    except KeyError as error:
        raise web.HTTPNotFound from error
    await request.app[STAGE].text(person.phone, str(asked["body"])[:1000])
    return _json({})


async def state(request: web.Request) -> web.Response:
    """Everything the page shows about one patient."""
    stage = request.app[STAGE]
    try:
        person = person_of(request.query.get("account", ""))
    except KeyError as error:
        raise web.HTTPNotFound from error
    inside = await stage.store.aread(lambda s: inside_of(s, stage.practice_id, stage.policy, person, stage.clock.now()))
    return _json({**inside, "thread": await stage.thread(person.phone)})


def _json(value: Any) -> web.Response:
    return web.json_response(value, headers=_HEADERS)
