"""All views and actions of the console, and the routes that serve them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bot.web.console import serving, signing
from bot.web.console.screens import (
    account_acts,
    accounts,
    calls,
    campaign_acts,
    campaign_report,
    campaigns,
    cases,
    chargebacks,
    claims,
    contact_acts,
    contact_page,
    helping,
    imports,
    inbox,
    incidents,
    keys,
    link_acts,
    lists,
    me,
    money,
    money_back,
    money_differences,
    owing,
    own_keys,
    people,
    plan_lists,
    plan_offer,
    policy,
    reminders,
    reports,
    segments,
    trail,
    undo,
    word_changes,
    words,
    worklists,
)
from bot.web.console.table import Action, Download, View
from bot.web.routes import Route
from bot.web.wiring import Wiring
from templates.web import console

_SCREENS = (
    inbox, accounts, account_acts, contact_acts, contact_page, plan_offer, link_acts, cases, worklists, claims, calls,
    lists, helping, owing, plan_lists, undo, incidents, words, word_changes, me, own_keys, people, keys, trail,
    campaigns, campaign_acts, campaign_report, reminders, segments, policy, imports, money, money_back,
    money_differences, chargebacks, reports,
)

VIEWS: tuple[View | Download, ...] = tuple(one for screen in _SCREENS for one in screen.VIEWS)
ACTIONS: tuple[Action, ...] = tuple(one for screen in _SCREENS for one in screen.ACTIONS)


async def _asset(wiring: Wiring, request: Request) -> Response:
    """Packed for whoever takes it so: these files hold nothing of anybody, so their size tells nothing."""
    name = request.path_params["name"]
    found = console.asset(name)
    if found is None:
        return Response(status_code=404)
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found[0], media_type=found[1], headers=headers)
    return Response(console.packed(name), media_type=found[1], headers={**headers, "content-encoding": "gzip"})


ROUTES: tuple[Route, ...] = (
    Route("GET", "/console/assets/{name}", "public", _asset),
    Route("GET", "/console/sign-in", "public", signing.ask),
    Route("POST", "/console/sign-in", "public", signing.answer),
    Route("GET", "/console/code", "public", signing.ask_code),
    Route("POST", "/console/code", "public", signing.answer_code),
    Route("POST", "/console/code/key", "public", signing.answer_key),
    Route("GET", "/console/join/{token}", "public", signing.show_invitation),
    Route("POST", "/console/join/{token}", "public", signing.join),
    Route("GET", "/console/join/{token}/app.svg", "public", signing.picture),
    Route("POST", "/console/sign-out", "public", signing.leave),
    *(Route("GET", f"/console{one.path}", "staff",
            serving.file_of(one) if isinstance(one, Download) else serving.page_of(one), one.right) for one in VIEWS),
    *(Route("POST", f"/console{one.path}", "staff", serving.press_of(one), one.right) for one in ACTIONS),
)
