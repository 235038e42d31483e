"""Staff see what files a patient sent, and save one where they say; both leave a trace."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import case_files
from billing.case_files import Upload
from billing.links import LinkView
from billing.store.tables import Audit, Case, Guarantor
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE
from tests.cli.conftest import EXAMPLE, Office, Run
from tests.conftest import TUESDAY
from tests.parties.test_case_files import JPEG


@pytest.fixture
def store(plainbill: Run, stores: Office) -> Office:
    """A practice, and a case with one picture that came by the page."""
    plainbill("practice", "set", EXAMPLE)
    stores().write(_send)
    return stores


def _send(session: Session) -> None:
    session.add(Guarantor(id="acct_anna", practice_id="main", external="A1", external_hash="h", name="Anna",
                          surname_hash="s", language="en", origin="patients", created_at=TUESDAY, balance_version=0))
    session.flush()
    link = LinkView("main", "acct_anna", "insurance", "insurance_update", TUESDAY, 0)
    case_files.receive(session, link, [Upload("front", JPEG)], TUESDAY)


def trail(store: Office) -> list[tuple[str, str, str]]:
    def read(session: Session) -> list[tuple[str, str, str]]:
        case_id = session.scalars(select(Case.id)).one()
        rows = session.scalars(select(Audit).where(Audit.object_id == case_id).order_by(Audit.id))
        return [(row.actor, row.action, row.reason) for row in rows]

    return store().read(read)


def test_a_case_lists_its_files_and_how_to_save_them(plainbill: Run, store: Office) -> None:
    shown = plainbill("cases", "show", "1", "--json").json
    assert [(f["number"], f["label"], f["media_type"]) for f in shown["files"]] == [(1, "front", "image/jpeg")]
    assert "plainbill cases file 1 1 --out" in plainbill("cases", "show", "1").out


def test_a_file_is_saved_as_it_came_for_its_owner_alone_and_never_over_another(
        plainbill: Run, store: Office, tmp_path: Path) -> None:
    out = tmp_path / "card.jpg"
    done = plainbill("cases", "file", "1", "1", "--out", str(out), "--json")
    assert (done.code, done.json["media_type"]) == (0, "image/jpeg")
    assert out.read_bytes() == JPEG and stat.S_IMODE(out.stat().st_mode) == 0o600
    again = plainbill("cases", "file", "1", "1", "--out", str(out))
    assert (again.code, "is there already" in again.err) == (USAGE, True)
    assert ("cases file 1" in [reason for _, action, reason in trail(store) if action == "read"])


def test_what_is_not_there_and_who_may_not_see_it_are_told_apart(
        plainbill: Run, store: Office, tmp_path: Path) -> None:
    out = str(tmp_path / "card.jpg")
    assert plainbill("cases", "file", "1", "2", "--out", out).code == NOT_FOUND
    assert plainbill("cases", "file", "9", "1", "--out", out).code == NOT_FOUND
    assert plainbill("cases", "file", "1", "1", "--out", out, STAFF="stranger").code == REFUSED
    assert not Path(out).exists()
