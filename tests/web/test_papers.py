"""The papers of payments and plans: accessible, in both languages, with what was given back and how it was agreed."""

from __future__ import annotations

import io
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest

from billing import payments, refunds
from templates import plan_words
from tests.conftest import maple_clinic
from tests.payments import world
from tests.statements.test_paper import is_tagged_ua1, tags, text_of
from tests.web.conftest import Site
from tests.web.plans import card_on_file, offered, plan_row, ticked

TEMPLATES = Path(plan_words.__file__).parent


async def paper(site: Site, path: str, language: str = "en") -> pypdf.PdfReader:
    """The link's PDF."""
    async with site.browser.get(f"{site.url}{path}/pdf?lang={language}") as answer:
        assert answer.headers["Content-Type"] == "application/pdf"
        return pypdf.PdfReader(io.BytesIO(await answer.read()))


def flat(reader: pypdf.PdfReader) -> str:
    return " ".join(text_of(reader).split())


async def signed(site: Site, way: str = "auto") -> str:
    card_on_file(site)
    path = offered(site)
    await site.prove(path)
    body = (await site.get(f"{path}?way={way}"))[1]
    assert (await site.post(f"{path}/plan", ticked(body)))[0] == 303
    return path


@pytest.mark.parametrize(("language", "said"), [
    ("en", ("Payment plan agreement", "FINANCE CHARGE", "Agreed on November 3, 2026 at 10:00 AM")),
    ("es", ("Acuerdo de plan de pagos", "FINANCE CHARGE", "Aceptado el 3 de noviembre de 2026 a las 10:00")),
])
async def test_the_signed_copy_is_accessible_and_has_all_of_it_as_it_was_shown(
        site: Site, language: str, said: tuple[str, ...]) -> None:
    path = await signed(site)
    reader = await paper(site, path, language)
    text = flat(reader)
    assert is_tagged_ua1(reader) and {"/TH", "/TD", "/H1", "/H2"} <= set(tags(reader))
    for one in (*said, "4242", "$24.25", "$145.50", "I authorize", "plan_page:auto:en:2026-11"):
        assert one in text, one


async def test_stopped_automatic_payments_stand_on_the_copy(site: Site) -> None:
    path = await signed(site)
    await site.post(f"{path}/plan", {"do": "stop"})
    assert "Automatic payments were stopped on November 3, 2026" in flat(await paper(site, path))


async def test_an_offer_on_paper_says_that_nobody_agreed_to_it(site: Site) -> None:
    path = offered(site)
    await site.prove(path)
    text = flat(await paper(site, path))
    assert "not agreed yet" in text and "How this was agreed" not in text


def desk(site: Site, minor: int, reference: str, at: datetime | None = None) -> str:
    return site.store.write(lambda s: payments.record_desk_payment(
        s, world.PRACTICE, world.ANNA, amount_minor=minor, currency="USD", tender="cash", reference=reference,
        recorded_by="ana", now=at or site.clock())).id


def give_back(site: Site, payment_id: str, minor: int) -> None:
    site.store.write(lambda s: refunds.ask(
        s, practice_id=world.PRACTICE, payment_id=payment_id, amount_minor=minor, tender="cash", reason="overpaid",
        note="", by="ana", dedupe=f"{payment_id}:{minor}", policy=maple_clinic(), now=site.clock()))


async def test_a_receipt_shows_what_was_given_back_and_what_it_comes_to(site: Site) -> None:
    payment_id = desk(site, 10_000, "1")
    path = site.link("receipt", payment_id)
    await site.prove(path)
    assert "Given back" not in (await site.get(path))[1]
    site.clock.advance(days=1)
    await site.prove(path)
    give_back(site, payment_id, 2_500)
    page, text = (await site.get(path))[1], flat(await paper(site, path))
    for said in (page, text):
        for one in ("Given back to you", "\u2212$25.00", "$75.00", "November 4, 2026"):
            assert one in said, one
    assert is_tagged_ua1(await paper(site, path))


async def test_the_year_has_every_day_of_paying_and_giving_back_and_no_other_year(site: Site) -> None:
    site.clock.at = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)
    first = desk(site, 10_000, "1")
    give_back(site, first, 2_500)
    site.clock.at = datetime(2027, 1, 1, 6, 0, tzinfo=UTC)  # New Year in New York
    desk(site, 1_000, "2")
    path = site.link("year", "2026")
    await site.prove(path)
    page = (await site.get(path))[1]
    for said in (page, flat(await paper(site, path))):
        assert "$100.00" in said and "\u2212$25.00" in said and "$75.00" in said and "$10.00" not in said
        assert "Payments for Rivera, Anna" in said and "Dec 31, 2026" in said
    assert is_tagged_ua1(await paper(site, path, "es")) and "Pagos en 2026" in (await site.get(f"{path}?lang=es"))[1]


@pytest.mark.parametrize("wanted", ["", "x", "20266", "2026'"])
async def test_a_year_that_is_none_is_not_there(site: Site, wanted: str) -> None:
    path = site.link("year", wanted)
    await site.prove(path)
    assert (await site.get(path))[0] == 404 and (await site.get(f"{path}/pdf"))[0] == 404


async def test_a_year_without_payments_says_so(site: Site) -> None:
    path = site.link("year", "2019")
    await site.prove(path)
    assert "no payment of yours in 2019" in (await site.get(path))[1]
    assert is_tagged_ua1(await paper(site, path))


async def test_a_confidential_visit_of_a_plan_is_for_a_person_to_hand_out(site: Site) -> None:
    from billing.store.tables import Visit

    path = await signed(site, "link")
    assert plan_row(site).status == "active"
    site.store.write(lambda s: setattr(s.get_one(Visit, world.OLD), "confidential", True))
    body = (await site.get(path))[1]
    assert "checked" in body and "January 5" not in body


def test_both_languages_have_the_same_words_and_fill_the_same_places() -> None:
    def leaves(table: dict[str, Any], before: str = "") -> dict[str, set[str]]:
        import string

        found: dict[str, set[str]] = {}
        for name, value in table.items():
            if isinstance(value, dict):
                found |= leaves(value, f"{before}{name}.")
            else:
                found[before + name] = {field for _, field, _, _ in string.Formatter().parse(value) if field}
        return found

    one, other = (leaves(tomllib.loads((TEMPLATES / f"plan.{code}.toml").read_text("utf-8"))) for code in ("en", "es"))
    assert one == other
