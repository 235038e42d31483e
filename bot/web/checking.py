"""Was that text ours? A page of the practice's own for the code that our texts can show; no token, no name, no amount.

Yes with the day of the last text, or no: the same work and the same shape for every code, known or not.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from billing import check_codes, rates
from billing.store.practices import find_practice, policy_of
from bot.web import counting, doors, screens
from bot.web.wiring import Wiring
from config.practice import PracticePolicy


async def show(wiring: Wiring, request: Request) -> Response:
    """GET /check"""
    policy, _ = await wiring.road.store.aread(lambda session: _look(session, wiring, ""))
    return HTMLResponse(screens.check(policy, doors.language_of(request)))


async def answer(wiring: Wiring, request: Request) -> Response:
    """POST /check"""
    form = await doors.form_of(request)
    if isinstance(form, Response):
        return form
    language = doors.language_of(request)
    asked = await counting.may_try(wiring, request, rates.CHECK)
    policy, day = await wiring.road.store.aread(
        lambda session: _look(session, wiring, form.get("code", "") if asked else ""))
    if not asked:
        return HTMLResponse(screens.check(policy, language, "often"), 429)
    return HTMLResponse(screens.check(policy, language, "yes" if day else "no", day))


def _look(session: Session, wiring: Wiring, code: str) -> tuple[PracticePolicy | None, str]:
    """The practice, and the practice-local day (ISO) of the last text to the number of this code, empty for none."""
    practice = find_practice(session, wiring.settings.practice)
    if practice is None:
        return None, ""
    policy = policy_of(practice)
    at = check_codes.last_texted_at(session, practice.id, code)
    return policy, at.astimezone(ZoneInfo(policy.zone)).date().isoformat() if at else ""
