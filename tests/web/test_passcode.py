"""A passcode is set behind the door of date of birth and ZIP, and from then on it is the door's own question."""

from __future__ import annotations

from datetime import date

import pytest

from billing import passcodes
from tests.payments import world
from tests.web.conftest import Site

GOOD = {"code": "482913", "again": "482913", "do": "set"}


async def at_the_page(site: Site, **answers: str) -> str:
    path = site.link("passcode")
    status, _, _ = await site.prove(path, **answers)
    assert status == 303
    return path


def is_set(site: Site) -> bool:
    return site.store.read(lambda session: passcodes.view(session, world.ANNA)) is not None


async def test_the_form_is_behind_the_door_only(site: Site) -> None:
    path = site.link("passcode")
    _, page, _ = await site.get(path)
    assert "New passcode" not in page
    status, _, _ = await site.post(f"{path}/passcode", GOOD)
    assert status == 303 and not is_set(site)
    other = site.link("statement")
    await site.prove(other)
    assert (await site.post(f"{other}/passcode", GOOD))[0] == 303 and not is_set(site)


async def test_it_is_set_never_shown_and_asked_for_instead_of_the_date_of_birth(site: Site) -> None:
    path = await at_the_page(site)
    _, page, _ = await site.get(path)
    assert "New passcode" in page and 'type="password"' in page and "Remove passcode" not in page
    status, page, _ = await site.post(f"{path}/passcode", GOOD)
    assert status == 200 and "Your passcode is saved" in page and "482913" not in page
    again = site.link("statement")
    assert (await site.prove(again))[0] == 403, "the date of birth opens nothing any more"
    assert (await site.prove(again, passcode="482914"))[0] == 403
    assert (await site.post(again, {"passcode": "482913", "zip": "10001"}))[0] == 303


async def test_it_is_removed_by_who_knows_it_and_by_staff(site: Site) -> None:
    path = await at_the_page(site)
    await site.post(f"{path}/passcode", GOOD)
    assert "Remove passcode" in (await site.get(path))[1]
    assert "Your passcode is removed" in (await site.post(f"{path}/passcode", {"do": "remove"}))[1]
    assert not is_set(site)
    assert (await site.prove(site.link("statement")))[0] == 303


@pytest.mark.parametrize(("digits", "again", "words"), [
    ("123456", "123456", "too easy"), ("111111", "111111", "too easy"), ("022976", "022976", "date of birth"),
    ("48291", "48291", "exactly 6"), ("482913", "482914", "not the same")])
async def test_a_weak_or_mistyped_one_is_refused_in_words(site: Site, digits: str, again: str, words: str) -> None:
    path = await at_the_page(site)
    status, page, _ = await site.post(f"{path}/passcode", {"code": digits, "again": again, "do": "set"})
    assert status == 422 and words in page and digits not in page.replace("like 123456", "") and not is_set(site)


async def test_every_failure_at_the_door_looks_the_same_with_and_without_a_passcode(site: Site) -> None:
    link = site.link("statement")
    _, without, _ = await site.prove(link, zip="99999")
    site.store.write(lambda session: passcodes.put(session, world.PRACTICE, world.ANNA, "482913", date(1976, 2, 29),
                                                   actor="patient", now=site.clock()))
    _, birth, _ = await site.prove(link)
    _, wrong, _ = await site.prove(link, passcode="000111")
    assert without == birth == wrong
