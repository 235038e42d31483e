"""Staff work cases from the command line, as themselves, and everything that they read leaves a trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import cases
from billing.store.tables import Audit
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE
from tests.cli.conftest import EXAMPLE, Office, Run
from tests.conftest import TUESDAY


@pytest.fixture
def office(plainbill: Run, stores: Office) -> Office:
    """A configured practice with one person and one case; call it for its store."""
    plainbill("practice", "set", EXAMPLE)
    plainbill("staff", "add", "ana", "--name", "Ana", "--role", "biller")
    stores().write(lambda session: cases.open_case(
        session, "main", kind="handover", title="Asks for a person", detail="Rosalind says the bill is wrong",
        now=TUESDAY).number)
    return stores


def test_a_case_is_listed_without_and_shown_with_what_the_patient_said(
    plainbill: Run, office: Office
) -> None:
    listed = plainbill("cases", "list", "--json")
    assert [(c["number"], c["owner"]) for c in listed.json] == [(1, "ana")]
    assert "Rosalind" not in listed.out
    assert plainbill("cases", "show", "1", "--json").json["detail"].startswith("Rosalind")
    assert "Rosalind" in plainbill("cases", "show", "1").out


def test_who_read_a_case_stands_in_the_audit_trail(plainbill: Run, office: Office) -> None:
    case_id = plainbill("cases", "show", "1", "--json", STAFF="ana").json["id"]

    def reads(session: Session) -> list[tuple[str, str]]:
        rows = session.scalars(select(Audit).where(Audit.action == "read"))
        return [(row.actor, row.object_id) for row in rows]

    assert ("ana", case_id) in office().read(reads)


def test_a_case_is_answered_then_closed_and_not_twice(plainbill: Run, office: Office) -> None:
    answered = plainbill("cases", "reply", "1", "We looked, and you were right.", "--json", STAFF="ana")
    assert (answered.code, answered.json["status"], answered.json["message"]) == (0, "answered", None)
    closed = plainbill("cases", "close", "1", "--resolution", "corrected", "--json", STAFF="ana")
    assert closed.json["status"] == "closed"
    assert plainbill("cases", "close", "1", "--resolution", "again", STAFF="ana").code == REFUSED
    assert plainbill("cases", "list", "--json").json == []
    assert [c["number"] for c in plainbill("cases", "list", "--closed", "--json").json] == [1]


def test_nobody_unknown_and_no_auditor_works_a_case(plainbill: Run, office: Office) -> None:
    plainbill("staff", "add", "aud", "--name", "Aud", "--role", "auditor")
    for login in ("aud", "stranger"):
        done = plainbill("cases", "close", "1", "--resolution", "x", STAFF=login)
        assert (done.code, "Traceback" in done.err) == (REFUSED, False)
    assert plainbill("staff", "add", "new", "--name", "New", STAFF="ana").code == REFUSED
    assert plainbill("practice", "set", EXAMPLE, STAFF="ana").code == REFUSED


@pytest.mark.parametrize("arguments", [
    ("cases", "show", "77"), ("why", "msg_absent"), ("explain", "ABSENT"), ("statement", "ABSENT"),
    ("statement", "stmt_absent", "--again"),
])
def test_what_is_not_there_has_an_exit_code_of_its_own(plainbill: Run, arguments: tuple[str, ...]) -> None:
    done = plainbill(*arguments)
    assert (done.code, done.out) == (NOT_FOUND, "")
    assert done.err.startswith("There is no ")


def test_texts_are_understood_one_line_in_and_one_out(plainbill: Run, tmp_path: Path) -> None:
    lines = ["how much do I owe", json.dumps({"text": "quiero pagar $20", "language": "es"})]
    done = plainbill("understand", "--jsonl", text="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [(a["text"], a["language"]) for a in answers] == [("how much do I owe", "en"), ("quiero pagar $20", "es")]
    assert answers[1]["slots"]["amount_minor"] == 2000
    assert not (tmp_path / "var").exists()


def test_a_line_that_is_neither_text_nor_object_is_named(plainbill: Run) -> None:
    done = plainbill("understand", "--jsonl", text='{"words": "x"}\n')
    assert (done.code, "Line 1" in done.err) == (USAGE, True)
