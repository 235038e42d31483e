"""Tries from one address, counted for all web processes together (billing/rates.py)."""

from __future__ import annotations

import ipaddress
from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from billing import rates
from bot.web.wiring import Wiring


def visitor(request: Request) -> str:
    """The address that asks. One household has a whole network of IPv6 addresses, so its first half is its name.

    Behind a proxy this is whom the proxy names, if PLAINBILL_TRUSTED_PROXIES has it; else all are the proxy.
    """
    host = request.client.host if request.client else ""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)


async def may_try(wiring: Wiring, request: Request, door: rates.Door) -> bool:
    """Count a try and tell whether it may go on."""
    return await wiring.road.store.awrite(partial(
        rates.allows, door=door, practice_id=wiring.settings.practice, visitor=visitor(request), now=wiring.now()))


async def stands(wiring: Wiring, request: Request, door: rates.Door) -> bool:
    """Tell whether a try may go on, where only failures are counted (``may_try`` counts one)."""
    return await wiring.road.store.aread(partial(
        rates.stands, door=door, visitor=visitor(request), now=wiring.now()))


async def note_failure(wiring: Wiring, request: Request, door: rates.Door) -> bool:
    """Count what has failed, up to the door's limit: a flood beyond it writes nothing. True below it."""
    return await stands(wiring, request, door) and await may_try(wiring, request, door)


async def refuse_unsigned(wiring: Wiring, request: Request, text: str) -> Response:
    """The answer to a webhook that nobody signed. One that is signed is never counted and never held up, whoever else
    tries from the same address.
    """
    if await note_failure(wiring, request, rates.HOOK):
        return PlainTextResponse(text, 403)
    return PlainTextResponse("too many webhooks that nobody signed", 429)
