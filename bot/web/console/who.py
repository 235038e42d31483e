"""Who is asking: a browser by its cookie, a program by its key; and that a change was meant by whom it comes from."""

from __future__ import annotations

import hmac
from functools import partial
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from billing import api_keys, sign_in
from billing.sign_in import Person
from billing.staff import RIGHTS
from bot.web.wiring import Wiring
from config.practice import PracticePolicy

SIGN_IN = "/console/sign-in"


class NotSignedIn(Exception):
    """Nobody, or not any more."""


class NotAllowed(Exception):
    """Somebody who may not do this; the text says who may."""


def cookie_name(wiring: Wiring, what: str = "staff") -> str:
    """``__Host-`` binds the cookie to this host and to https; without https browsers refuse the prefix."""
    return f"__Host-plainbill-{what}" if _is_secure(wiring) else f"plainbill-{what}"


def remember(wiring: Wiring, response: Response, token: str, what: str = "staff", seconds: int | None = None) -> None:
    response.set_cookie(cookie_name(wiring, what), token, max_age=seconds, path="/", httponly=True, samesite="strict",
                        secure=_is_secure(wiring))


def forget(wiring: Wiring, response: Response, what: str = "staff") -> None:
    response.delete_cookie(cookie_name(wiring, what), path="/", httponly=True, samesite="strict",
                           secure=_is_secure(wiring))


async def find(wiring: Wiring, request: Request, *, quiet: bool = False) -> tuple[Person, PracticePolicy]:
    """Who sent this, and their practice's policy. Raises NotSignedIn. ``quiet``: this look keeps nobody signed in."""
    token, now, store = request.cookies.get(cookie_name(wiring), ""), wiring.now(), wiring.road.store
    if key := _key(request):
        standing = await store.aread(partial(api_keys.look, key=key, now=now))
        if standing.note:
            await store.awrite(partial(api_keys.keep, key=key, now=now))
    else:
        standing = await store.aread(partial(sign_in.look, token=token, now=now)) if token else sign_in.NOBODY
        if standing.note == "idle" or (standing.note and not quiet):
            await store.awrite(partial(sign_in.keep, token=token, note=standing.note, now=now))
    if standing.person is None or standing.policy is None:
        raise NotSignedIn
    return standing.person, standing.policy


def require(who: Person, right: str) -> None:
    """Raise NotAllowed unless the role may do this."""
    if right not in RIGHTS[who.role]:
        able = ", ".join(role for role, rights in RIGHTS.items() if right in rights)
        raise NotAllowed(f"You are signed in as {who.role}; this needs {able}.")


def require_meant(wiring: Wiring, request: Request, who: Person, given: str) -> None:
    """Raise NotAllowed for a change that another site could have made somebody's browser ask for.

    A key is in no browser. A browser's change carries the session's own word, and comes from our own pages.
    """
    if _key(request):
        return
    origin = request.headers.get("origin")
    elsewhere = origin is not None and origin != "null" and origin != _origin(wiring.road.public_url, request)
    if elsewhere or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("This change did not come from a page of the console.")
    if not hmac.compare_digest(given.encode(), who.csrf.encode()):
        raise NotAllowed("This page is older than your sign-in; open it again and repeat what you did.")


def to_sign_in(request: Request) -> Response:
    """Where a browser goes that nobody is signed in with; back to the page that it wanted, if that is one of ours."""
    wanted = request.url.path if request.method == "GET" and request.url.path.startswith("/console/") else ""
    return RedirectResponse(f"{SIGN_IN}?to={wanted}" if wanted and wanted != SIGN_IN else SIGN_IN, 303)


def _key(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.casefold() == "bearer" else ""


def _is_secure(wiring: Wiring) -> bool:
    return wiring.road.public_url.startswith("https:")


def _origin(public_url: str, request: Request) -> str:
    """What our own pages say they come from. Without https that is this machine, under whatever name it was opened."""
    parts = urlsplit(public_url)
    if parts.scheme == "https":
        return f"{parts.scheme}://{parts.netloc}"
    return f"http://{request.headers.get('host', '')}"
