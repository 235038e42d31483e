"""Money: the day's close by person and tender, its deposit slip and sign-off, and the bank's own file against it."""

from __future__ import annotations

import hashlib
import io
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from sqlalchemy.orm import Session

from billing import bank_file, closing, closing_matching, closing_slips, staff
from billing.closing_slips import Slip
from billing.console import money
from billing.console.money import BankPage, DayPage, Overview
from billing.importers import bank_csv
from billing.importers.records import ImportFault
from billing.store import close_queries
from bot.web.console.fields import Day, Line, Maybe, MoneyOrNothing, Reason, content
from bot.web.console.forms import FormRefused
from bot.web.console.shared_forms import Why
from bot.web.console.table import Action, Asked, Done, Download, File, Form, Nothing, Seen, View, of_practice, there
from templates.deposit import slip_pdf

#: A bank's file of a year is far smaller.
MOST_BANK = 8 * 1024 * 1024


def _content(value: Any) -> bytes:
    found = content(value)
    if len(found) > MOST_BANK:
        raise ValueError("this is larger than any bank's file; export fewer days")
    return found


def _not_empty(value: bytes) -> bytes:
    if not value:
        raise ValueError("choose a file first; an empty one holds no lines")
    return value


class OfDay(Form):
    """``on``: a practice-local day; empty: today."""

    on: Maybe[Day] = None


class Count(Form):
    """``person``: whose drawer."""

    on: Day
    person: Line
    tender: Literal["cash", "check", "terminal"]
    amount: MoneyOrNothing


class Sign(Form):
    """``note``: why counted and booked differ, or differences stay open."""

    on: Day
    note: Annotated[str, Field(max_length=500)] = ""


class BankFile(Form):
    """``columns``: which of its columns say what, as a map (TOML); empty: date, amount and text."""

    file: Annotated[bytes, BeforeValidator(_not_empty), BeforeValidator(_content)]
    columns: Annotated[bytes, BeforeValidator(_content)] = b""


class BankQuery(Form):
    """``start``: how many of those that wait came before this page."""

    start: int = Field(default=0, ge=0, le=10_000_000)


class Match(Form):
    """``what``: "payout:REF", "remittance:REF", "deposit:REF", "agency:REF", or "other": none of our takings."""

    what: Line
    reason: Reason


def read(session: Session, asked: Asked[Nothing]) -> Overview:
    """What waits: days to sign, money at the bank, differences, refunds, approvals, credits, suspense."""
    return money.overview(session, asked.practice_id, asked.today)


def show_day(session: Session, asked: Asked[OfDay]) -> DayPage:
    """A day's drawers, booked and counted, with what goes to the bank."""
    return money.day(session, asked.practice_id, _day(asked))


def read_slip(session: Session, asked: Asked[OfDay]) -> Slip:
    """A day's deposit slip: cash as counted, checks by number, insurers' checks."""
    return closing_slips.slip(session, asked.practice_id, _day(asked), asked.policy)


def as_pdf(found: Slip, asked: Asked[OfDay]) -> File:
    return File(f"deposit-{found.day}.pdf", "application/pdf", slip_pdf(found.as_content()))


def show_bank(session: Session, asked: Asked[BankQuery]) -> BankPage:
    """The bank's lines without a reason, announced money that the bank does not show, and what was matched."""
    return money.bank(session, asked.practice_id, asked.query.start)


def count(session: Session, asked: Asked[Count]) -> Done:
    """Enter what was counted; a second count replaces the first."""
    form = asked.query
    closing.count(session, asked.practice_id, form.on, person=form.person, tender=form.tender,
                  counted_minor=form.amount, now=asked.now, by=asked.person.login)
    return _to_day(form.on)


def sign(session: Session, asked: Asked[Sign]) -> Done:
    """Sign a day off; it is locked then."""
    staff.require(session, asked.practice_id, asked.person.login, "approve")
    closing.sign(session, asked.practice_id, asked.query.on, by=asked.person.login, note=asked.query.note,
                 today=asked.today, now=asked.now)
    return _to_day(asked.query.on, "day_signed")


def take_bank_file(session: Session, asked: Asked[BankFile]) -> Done:
    """Keep the bank's lines that are new, and match what can be matched without a doubt."""
    form = asked.query
    digest = hashlib.sha256(form.file).hexdigest()
    try:
        chosen = bank_csv.load_map(form.columns.decode("utf-8", "replace"), "the map") if form.columns.strip() else None
        rows = list(bank_csv.read(io.BytesIO(form.file), chosen))
    except ImportFault as fault:
        raise FormRefused(f"The bank's file was not taken: {fault}.") from None
    taken = bank_file.take_lines(session, asked.practice_id, digest, rows)
    pairs = closing_matching.match_all(session, asked.practice_id, now=asked.now)
    return Done("bank_file", digest[:40], "/money/bank", "bank_taken" if taken.new else "bank_known",
                {"lines": len(rows), "new": taken.new, "known": taken.known, "matched": len(pairs)})


def match(session: Session, asked: Asked[Match]) -> Done:
    """Say by hand what a line of the bank is."""
    line_id, (kind, _, ref) = _line(session, asked), asked.query.what.partition(":")
    closing_matching.match(session, asked.practice_id, line_id, kind, ref, by=asked.person.login,
                           reason=asked.query.reason, now=asked.now)
    return Done("bank_line", line_id, "/money/bank")


def unmatch(session: Session, asked: Asked[Why]) -> Done:
    """Take a match back; what it posted is reversed."""
    line_id = _line(session, asked)
    closing_matching.unmatch(session, asked.practice_id, line_id, by=asked.person.login, reason=asked.query.reason,
                             now=asked.now, today=asked.today)
    return Done("bank_line", line_id, "/money/bank")


def _day(asked: Asked[OfDay]) -> date:
    return asked.query.on or asked.today


def _to_day(on: date, note: str = "done") -> Done:
    return Done("day", on.isoformat(), f"/money/day?on={on}", note)


def _line(session: Session, asked: Asked[Any]) -> str:
    row = there(close_queries.find_line(session, asked.practice_id, asked.path["line_id"]))
    return row.id


VIEWS = (
    View("money", "/money", "read", read, Overview, seen=of_practice("money")),
    View("money_day", "/money/day", "read", show_day, DayPage, OfDay, lambda found: Seen("day", found.day.isoformat())),
    Download("deposit_slip", "/money/slip.pdf", "export", read_slip, as_pdf, OfDay,
             lambda found: Seen("day", found.day.isoformat())),
    View("money_bank", "/money/bank", "read", show_bank, BankPage, BankQuery, of_practice("bank")),
)
ACTIONS = (
    Action("day.count", "/money/day/counts", "cases", Count, count),
    Action("day.sign", "/money/day/sign", "approve", Sign, sign),
    Action("bank.take", "/money/bank", "import", BankFile, take_bank_file, upload=True),
    Action("bank.match", "/money/bank/{line_id}/match", "import", Match, match),
    Action("bank.unmatch", "/money/bank/{line_id}/unmatch", "import", Why, unmatch),
)
