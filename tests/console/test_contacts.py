"""How an account is reached, from its page: what is added, what is somebody else's, and its statement on its way."""

from __future__ import annotations

import pytest

from billing.store.tables import Consent, ContactPoint, Outbox, Statement
from tests.console.conftest import Desk
from tests.console.test_lists import rows
from tests.console.test_undo import ann as somebody_with_consent
from tests.payments import world

ann = somebody_with_consent  # the fixture, under its own name


@pytest.mark.parametrize(("kind", "given", "kept"), [
    ("sms", "(212) 555-0177", "+12125550177"), ("email", "Anna@Example.org", "anna@example.org"),
    ("paper", "5 Oak St , Albany, NY 12207", "5 Oak St, Albany, NY 12207")])
async def test_a_number_or_address_is_put_on_an_account_once_in_its_one_written_form(
        desk: Desk, anna: str, kind: str, given: str, kept: str) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/accounts/{anna}")
    for note in ("contact_added", "contact_known"):
        status, body = await desk.post(f"/console/accounts/{anna}/contacts", {"kind": kind, "address": given})
        assert status == 303 and note in desk.location, body
    assert [(one.channel, one.address) for one in rows(desk, ContactPoint)] == [(kind, kept)]
    assert rows(desk, Consent) == [], "a number alone is no consent"


@pytest.mark.parametrize("form", [
    {"kind": "sms", "address": "none"}, {"kind": "email", "address": "a@b"}, {"kind": "paper", "address": "Oak St"},
    {"kind": "sms", "address": "2125550177", "agreed": "Yes, text me."},
    {"kind": "sms", "address": "2125550177", "medium": "form"}])
async def test_what_is_no_address_or_half_a_consent_is_refused_and_not_repeated(
        desk: Desk, anna: str, form: dict[str, str]) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/accounts/{anna}")
    status, body = await desk.post(f"/console/accounts/{anna}/contacts", form)
    assert status == 409 and form["address"] not in body.partition("<main")[2] and rows(desk, ContactPoint) == []


async def test_a_consent_is_kept_in_the_patients_words_with_who_took_it(desk: Desk, anna: str) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/accounts/{anna}")
    form = {"kind": "sms", "address": "2125550177", "medium": "form",
            "agreed": "I agree to texts about my bill from Maple Clinic at this number."}
    assert (await desk.post(f"/console/accounts/{anna}/contacts", form))[0] == 303
    (kept,) = rows(desk, Consent)
    assert (kept.event, kept.medium, kept.wording) == ("given", "form", form["agreed"])
    assert kept.recorded_by.startswith("biller-")


async def test_a_statement_pressed_twice_leaves_once_through_the_gate(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/accounts/{ann}")
    before = len(rows(desk, Statement))
    assert (await desk.post(f"/console/accounts/{ann}/statements"))[0] == 303
    status, body = await desk.post(f"/console/accounts/{ann}/statements")
    assert status == 409 and "sent before" in body
    (sent,) = [one for one in rows(desk, Outbox) if one.purpose == "statement"]
    assert sent.status in ("queued", "deferred") and len(rows(desk, Statement)) == before + 1


async def test_nobody_who_only_reads_sends_or_changes_how_anybody_is_reached(desk: Desk, anna: str) -> None:
    await desk.as_role("reader")
    _, page = await desk.get(f"/console/accounts/{anna}")
    assert "/contacts" not in page and "/statements" not in page
    for where, form in ((f"/console/accounts/{world.ANNA}/statements", {}),
                        (f"/console/accounts/{world.ANNA}/contacts", {"kind": "sms", "address": "2125550177"})):
        assert (await desk.post(where, form))[0] == 403
