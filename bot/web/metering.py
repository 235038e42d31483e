"""``/metrics``: for whoever knows the token. Counts and ages alone, and nothing of anybody (T-39)."""

from __future__ import annotations

import hmac

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from billing.store import health_queries
from bot import metrics
from bot.tick import LEASE_NAME
from bot.web.wiring import Wiring
from config.settings import reveal


async def show(wiring: Wiring, request: Request) -> Response:
    """Every metric of this process, and what waits in the store. Without a token set there is no such page."""
    if wiring.settings.metrics_token is None:
        return PlainTextResponse("there is no such page", 404)
    wanted = f"Bearer {reveal(wiring.settings.metrics_token)}"
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), wanted.encode()):
        return PlainTextResponse("not authorized", 401, headers={"www-authenticate": "Bearer"})
    now = wiring.now()
    found = await wiring.road.store.aread(lambda session: health_queries.waiting(session, now, LEASE_NAME))
    for (queue, state), rows in found.counts.items():
        metrics.WAITING.labels(queue, state).set(rows)
    for queue, age in found.oldest_seconds.items():
        metrics.OLDEST.labels(queue).set(age)
    metrics.SCHEDULED.set(found.ticking)
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)
