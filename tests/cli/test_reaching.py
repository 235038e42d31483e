"""What staff can undo for a patient, and what only a named person may clear; all of it in the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import cases, passcodes, preferences
from billing.store.seal import blind, normal_account, normal_name
from billing.store.tables import Audit, Guarantor, Hold
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE
from bot.write import Store
from tests.cli.conftest import Run
from tests.cli.test_desk import office
from tests.conftest import TUESDAY

__all__ = ["office"]


def account(session: Session) -> None:
    session.add(Guarantor(
        id="guar_ann", practice_id="main", external="AC-1", name="Ann Lee", origin="patients", created_at=TUESDAY,
        external_hash=blind("account", "main", normal_account("AC-1")), balance_version=0, language="en",
        surname_hash=blind("surname", "main", normal_name("Lee")), born_on="1980-02-03", postal_code="10001"))
    session.flush()
    passcodes.put(session, "main", "guar_ann", "482913", date(1980, 2, 3), actor="patient", now=TUESDAY)
    preferences.record(session, "main", "sms", "hash", kind="confidential", value={"on": True}, wording="not here",
                       recorded_by="patient", now=TUESDAY, guarantor_id="guar_ann")


def test_a_forgotten_passcode_is_removed_with_a_reason_and_audited(plainbill: Run, office: Callable[[], Store]) -> None:
    store = office()
    store.write(account)
    assert plainbill("accounts", "passcode", "AC-1", "--json").json["passcode"] is True
    assert plainbill("accounts", "passcode", "AC-1", "--remove").code == USAGE
    done = plainbill("accounts", "passcode", "AC-1", "--remove", "--reason", "forgotten", "--json", STAFF="ana")
    assert (done.json["passcode"], done.json["removed"]) == (False, True)
    assert plainbill("accounts", "passcode", "AC-9").code == NOT_FOUND
    assert office().read(lambda s: passcodes.view(s, "guar_ann")) is None
    trail = office().read(lambda s: s.scalars(select(Audit.actor).where(Audit.action == "passcode_removed")).all())
    assert list(trail) == ["ana"]


def test_nothing_to_this_number_is_lifted_by_a_person_with_a_reason(
        plainbill: Run, office: Callable[[], Store]) -> None:
    store = office()
    store.write(account)
    assert plainbill("accounts", "reach-again", "AC-1").code == USAGE
    done = plainbill("accounts", "reach-again", "AC-1", "--reason", "agreed by phone", "--json", STAFF="ana")
    assert done.json["numbers"] == 1
    assert office().read(lambda s: preferences.standing(s, "main", "sms", "hash", "guar_ann")).confidential_id is None


def test_an_emergency_is_closed_in_the_name_of_somebody_on_the_list(
        plainbill: Run, office: Callable[[], Store]) -> None:
    store = office()
    store.write(account)
    store.write(lambda s: cases.open_case(s, "main", kind="emergency", title="Look now", detail="x", now=TUESDAY,
                                          guarantor_id="guar_ann", hold="emergency", urgent=True).number)
    refused = plainbill("cases", "close", "2", "--resolution", "fine")
    assert refused.code == REFUSED and "named person" in refused.err
    assert plainbill("cases", "close", "2", "--resolution", "fine", "--by", "nobody").code == REFUSED
    assert plainbill("cases", "close", "2", "--resolution", "spoke with her", "--by", "ana").code == 0
    released = office().read(lambda s: s.scalars(select(Hold.released_by)).all())
    assert list(released) == ["ana"]
