"""How Stripe is asked: answers as plain JSON, lists to their end, and servers that know fewer parameters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe
from stripe._v1_services import V1Services

from bot.processors.stripe_errors import body_of
from bot.processors.stripe_objects import Json

PAGE = 100  # the most that Stripe gives at once

Params = Mapping[str, Any]
Ask = Callable[[Any], Awaitable[stripe.StripeObject]]

#: Filters and expansions of a list: what they would have left out or added is left out or looked up here as well.
NARROWING = frozenset({"created", "expand"})


@dataclass(frozen=True, slots=True)
class Api:
    """Stripe's services, and the clock that dates what is fetched from them."""

    v1: V1Services
    clock: Callable[[], datetime]


def once(idempotency_key: str) -> Any:
    """How money is asked for: one try per call. After a silent repeat by the SDK that met a closed door, nobody could
    say whether the first try had arrived.
    """
    return {"idempotency_key": idempotency_key, "max_network_retries": 0}


async def fetch_object(value: object, retrieve: Callable[[str], Awaitable[stripe.StripeObject]]) -> Json:
    """An object that may have come as its id, or not at all ({})."""
    if isinstance(value, Mapping):
        return value
    return await fetch(retrieve(str(value))) if value else {}


async def fetch(asked: Awaitable[stripe.StripeObject]) -> dict[str, Any]:
    """The answer as plain JSON: the SDK's objects raise for a field that is missing."""
    return (await asked).to_dict(for_json=True)


async def ask_leniently(ask: Ask, params: Params, optional: Set[str]) -> dict[str, Any]:
    """Ask; what the server does not know of the ``optional`` parameters is left out and asked again: the one that it
    names, or all of them if it names none.

    Only after an answer that says that nothing was done, so the same idempotency key goes with each.
    """
    try:
        return await fetch(ask(params))
    except stripe.InvalidRequestError as error:
        unknown = _unknown_of(error, optional & set(params))
        if not unknown:
            raise
        try:
            return await ask_leniently(ask, {name: value for name, value in params.items() if name not in unknown},
                                       optional)
        except stripe.IdempotencyError:
            raise error from None  # it was no question of parameters: Stripe keeps such a refusal under the key


def _unknown_of(error: stripe.InvalidRequestError, optional: Set[str]) -> Set[str]:
    """Stripe says parameter_unknown and which; a server that says no more than 400 may mean the same."""
    did_something = bool(body_of(error).get("payment_intent"))
    if error.http_status != 400 or error.code not in (None, "parameter_unknown") or did_something:
        return frozenset()
    named = str(error.param or "").split("[", maxsplit=1)[0]
    return optional & {named} if named else optional


async def every(ask: Ask, params: Params) -> AsyncIterator[Json]:
    """Every object of a list, page after page, in the server's order."""
    last: object = None
    while True:
        cursor = {"starting_after": last} if last else {}
        page = await ask_leniently(ask, {**params, "limit": PAGE, **cursor}, NARROWING)
        rows = page.get("data") or []
        if not rows or rows[-1]["id"] == last:  # a server that does not know starting_after must not hold us for ever
            return
        for row in rows:
            yield row
        if not page.get("has_more"):
            return
        last = rows[-1]["id"]


def between(since: datetime, until: datetime) -> dict[str, int]:
    """``created`` from one instant to another; Stripe counts whole seconds, and the ends are for the caller to trim."""
    return {"gt": int(since.timestamp()) - 1, "lt": int(until.timestamp()) + 1}


def made_at(thing: Json) -> datetime:
    return datetime.fromtimestamp(int(thing["created"]), UTC)


def is_between(thing: Json, since: datetime, until: datetime) -> bool:
    """Whether it was made in [since, until), by the second."""
    return int(since.timestamp()) <= int(thing["created"]) and made_at(thing) < until
