"""The page that tells whether a text was ours: yes with a day, or no; never who, how much or which number."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.orm import Session

from billing import check_codes
from billing.store.tables import ContactPoint, Outbox
from tests.payments import world
from tests.web.conftest import Site

PRIVATE = re.compile(r"Rivera|Anna|\$|145\.50|1976|10001|\+12125550142|AC-", re.IGNORECASE)


def code_of(site: Site, sent: bool) -> str:
    """The code of Anna's number; ``sent``: a text has gone there."""
    def make(session: Session) -> str:
        contact = session.query(ContactPoint).filter(ContactPoint.guarantor_id == world.ANNA).first()
        hashed = contact.address_hash if contact else "hash-of-a-number"
        if sent:
            session.add(Outbox(
                id="msg_1", practice_id=world.PRACTICE, channel="sms", address="+12125550142", address_hash=hashed,
                purpose="statement", template="statement_ready", template_version="1", language="en", privacy="open",
                arguments={}, body="x", segments=1, status="delivered", due_at=site.clock(), idempotency_key="k",
                created_at=site.clock(), sending_at=site.clock(), guarantor_id=world.ANNA, attempts=1))
        return check_codes.for_number(session, world.PRACTICE, hashed, site.clock())

    return site.store.write(make)


async def test_the_page_works_without_script_and_in_both_languages(site: Site) -> None:
    status, page, answer = await site.get("/check")
    assert status == 200 and '<html lang="en">' in page and "<script" not in page and page.count("<label") == 1
    assert answer.headers["cache-control"] == "no-store"
    _, spanish, _ = await site.get("/check?lang=es")
    assert '<html lang="es">' in spanish and "¿Ese mensaje era nuestro?" in spanish


async def test_our_own_code_is_confirmed_with_the_day_of_the_last_text_and_nothing_else(site: Site) -> None:
    code = code_of(site, sent=True)
    for typed in (code, code.lower().replace("-", " ")):
        status, page, _ = await site.post("/check", {"code": typed})
        assert status == 200 and "Yes, we texted this code" in page and "November 3, 2026" in page
        assert not PRIVATE.search(page) and code not in page
    _, spanish, _ = await site.post("/check?lang=es", {"code": code})
    assert "Sí, nosotros mandamos este código" in spanish and "3 de noviembre de 2026" in spanish


@pytest.mark.parametrize("code", ["0000-0000", "", "DROP TABLE", "x" * 300, "\u00e9\u00e9\u00e9"])
async def test_any_other_code_is_denied_in_the_same_words_with_a_number_to_call(site: Site, code: str) -> None:
    quiet = code_of(site, sent=False)
    _, ours, _ = await site.post("/check", {"code": quiet})
    status, page, _ = await site.post("/check", {"code": code})
    assert status == 200 and page == ours, "a code that nobody was texted is like none"
    assert "No, we did not text this code" in page and "do not pay" in page and 'href="tel:' in page


async def test_after_ten_tries_one_visitor_waits_and_learns_nothing_more(site: Site) -> None:
    code = code_of(site, sent=True)
    for _ in range(10):
        assert (await site.post("/check", {"code": "0000-0000"}))[0] == 200
    status, page, _ = await site.post("/check", {"code": code})
    assert status == 429 and "Yes, we texted" not in page
    site.clock.advance(minutes=10)
    assert "Yes, we texted" in (await site.post("/check", {"code": code}))[1]
