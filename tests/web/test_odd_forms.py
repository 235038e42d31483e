"""Whatever is sent to the account's pages, none of them breaks, and none moves money or lifts a stop by it."""

from __future__ import annotations

import random
from urllib.parse import quote

from sqlalchemy import select

from billing.store.tables import Consent, Payment
from bot.web.account.routes import ROUTES
from tests.web import plans
from tests.web.conftest import Site

_NAMES = ("do", "amount", "every", "day", "shown", "visit", "why", "words", "people", "income", "agree", "from_work",
          "language", "way", "only", "from", "until", "day_0", "amounts", "what", "name", "first", "version")
_VALUES = ("", "0", "-1", "9" * 40, "yes", "a\0b", "{{7*7}}", "=1+1", "<script>", "\u0661\u0662", "2026-02-30",
           "12/31/9999", "0001-01-01", "18:00", "month", "visit_old", "look", "take", "appeal", "all", "other",
           "amount", "no_visit", "es", "xx", "paper", "hours", "way", "amounts", "language", "plan", "year", "0000",
           "1e9", "1,000,000,000", "999999999.99")
_FORMS = 160


async def test_no_odd_form_breaks_a_page_of_the_account(site: Site) -> None:
    site.store.write(plans.allow)
    path, chance = site.link("account"), random.Random(20261103)
    await site.prove(path)
    pressed = [route.path for route in ROUTES if route.method == "POST"]
    for _ in range(_FORMS):
        at = chance.choice(pressed).replace("/l/{token}", path)
        fields = [(chance.choice(_NAMES), chance.choice(_VALUES)) for _ in range(chance.randint(0, 9))]
        body = "&".join(f"{name}={quote(value)}" for name, value in fields) + chance.choice(("", "", "&words=%ff%fe"))
        status, text, _ = await site.post(at, body.encode(), headers={
            "content-type": "application/x-www-form-urlencoded"})
        assert status < 500, (at, fields)
        assert "<script>" not in text, (at, fields)
    assert site.store.read(lambda s: s.scalars(select(Payment)).all()) == []
    assert site.store.read(lambda s: s.scalars(select(Consent).where(Consent.event == "restored")).all()) == []
