"""Taking over what another system hands over: each row once, against the opening account, and held from the first.

A visit, its balance and its hold come in one transaction: there is no moment in which it might be asked for.
"""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import contacts, holds, ledger, opening_placements, opening_plans
from billing.book import Book, VisitState
from billing.csv_items import Item
from billing.csv_visits import BY_STATUS, Desk, open_carried, standing
from billing.hold_kinds import KINDS
from billing.ids import new_id
from billing.importers.opening_records import (
    OpeningConsentRow,
    OpeningContactRow,
    OpeningCreditRow,
    OpeningOptOutRow,
    OpeningPlanRow,
    OpeningRecord,
    OpeningStandingRow,
    OpeningTotalRow,
    OpeningVisitRow,
)
from billing.ledger import Posting
from billing.opening import insert_coverage
from billing.phones import address_hash
from billing.store import csv_queries, opening_queries
from billing.store.tables import Guarantor

Outcome = tuple[str, str, str | None]  # outcome, reason, visit id

CARRIED_OVER = "carried_over"
REASON = "taken over from another system; waits for its release"
_DONE: Outcome = ("posted", "", None)
_SAME: Outcome = ("duplicate", "on file already", None)
_NO_ACCOUNT: Outcome = ("skipped", "there is no such account", None)


def source_of(import_id: str) -> str:
    """What places the holds that a release ends."""
    return f"import:{import_id}"


def standings_of(import_id: str) -> str:
    """What places the holds that outlast it: an agency, a court, an attorney do not go away by our looking."""
    return f"import:{import_id}:standing"


def post(desk: Desk, item: Item, record: OpeningRecord) -> Outcome:
    """Take one row over."""
    match record:
        case OpeningVisitRow():
            return _visit(desk, item, record)
        case OpeningOptOutRow():
            return _DONE if _refuse(desk.book, record) else _SAME
        case OpeningTotalRow():
            return _SAME
        case OpeningStandingRow() if record.visit_id:
            return _stand_visit(desk, record)
    book = desk.book
    account = csv_queries.find_account(book.session, book.practice_id, book.hash_of(record.account_id))
    if account is None:
        return _NO_ACCOUNT
    match record:
        case OpeningCreditRow():
            _credit(book, item, record, account)
            return _DONE
        case OpeningPlanRow():
            return _plan(book, item, record, account)
        case OpeningStandingRow():
            _hold(book, account.id, None, record)
            return _DONE
        case OpeningContactRow():
            return _DONE if _contact(book, record, account) else _SAME
        case OpeningConsentRow():
            return _DONE if _consent(book, record, account) else _SAME


def _visit(desk: Desk, item: Item, row: OpeningVisitRow) -> Outcome:
    book = desk.book
    if standing(book, row.visit_id) is not None:
        return "skipped", "the visit came on file while this import ran", None
    visit = open_carried(desk, row)
    ref = f"{book.import_id}:opening:{item.key}"
    if row.payer_minor:
        coverage = insert_coverage(book, visit, 1, row.payer, "", None, "")
        coverage.claim_of_record = BY_STATUS
        book.move(visit, ledger.payer(coverage.coverage_id, visit.visit_id), ledger.wide("opening"), row.payer_minor,
                  code="opening", source="csv", ref=f"{ref}:payer", coverage_id=coverage.coverage_id)
    book.move(visit, ledger.patient(visit.visit_id), ledger.wide("opening"), row.balance_minor, code="opening",
              source="csv", ref=f"{ref}:patient")
    book.add("opening_visits", {
        "visit_id": visit.visit_id, "guarantor_id": visit.guarantor_id, "import_id": book.import_id,
        "line": row.position, "balance_minor": row.balance_minor, "step": row.step, "standing": row.standing,
        "released_at": None, "released_by": None})
    _carry_over(book, visit)
    if row.standing:
        _stand(book, visit, row)
    return "posted", "", visit.visit_id


def _carry_over(book: Book, visit: VisitState) -> None:
    """Hold a visit that this very batch opens: nobody can have held it before, and its posting moves the balance's
    version, so that billing.holds.place has nothing to look up; a practice has a hundred thousand of them.
    """
    book.add("holds", {
        "id": new_id("hold"), "guarantor_id": visit.guarantor_id, "visit_id": visit.visit_id, "kind": CARRIED_OVER,
        "amount_minor": None, "reason": REASON, "source": source_of(book.import_id), "placed_by": book.actor,
        "placed_at": book.now, "review_on": None, "released_at": None, "released_by": None, "released_reason": None,
        "dedupe": f"opening:{book.import_id}:{visit.visit_id}"})


def _stand(book: Book, visit: VisitState, row: OpeningVisitRow | OpeningStandingRow) -> None:
    """A bankruptcy or an attorney is of the person, whatever visit it was written on; what an agency has is placed
    with it, and its hold comes with that.
    """
    if row.standing != "agency":
        _hold(book, visit.guarantor_id, None if KINDS[row.standing].scope == "account" else visit.visit_id, row)
        return
    on = book.effective_on or book.today
    book.afterwards.append(lambda session: opening_placements.take_over(
        session, book.practice_id, visit.guarantor_id, visit.visit_id, row.agency, row.since_on or on,
        currency=book.policy.currency, by=book.actor, on=on, now=book.now))


def _hold(book: Book, guarantor_id: str, visit_id: str | None, row: OpeningVisitRow | OpeningStandingRow) -> None:
    note = row.note if isinstance(row, OpeningStandingRow) else ""
    since = f", since {row.since_on}" if row.since_on else ""

    def place(session: Session) -> None:
        holds.place(session, practice_id=book.practice_id, guarantor_id=guarantor_id, visit_id=visit_id,
                    kind=row.standing, reason=f"taken over from another system{since}{': ' if note else ''}{note}",
                    source=standings_of(book.import_id), placed_by=book.actor, now=book.now,
                    dedupe=f"opening:{book.import_id}:{row.standing}:{visit_id or guarantor_id}")

    book.afterwards.append(place)


def _stand_visit(desk: Desk, row: OpeningStandingRow) -> Outcome:
    visit = standing(desk.book, row.visit_id)
    if visit is None:
        return "skipped", "there is no such visit", None
    _stand(desk.book, visit, row)
    return "posted", "", visit.visit_id


def _credit(book: Book, item: Item, row: OpeningCreditRow, account: Guarantor) -> None:
    book.postings.append(Posting(
        book.practice_id, ledger.wide("opening"), ledger.credit(account.id), row.amount_minor, book.policy.currency,
        "opening", book.effective_on or book.today, "csv", f"{book.import_id}:opening:{item.key}:credit", account.id,
        import_id=book.import_id))


def _plan(book: Book, item: Item, row: OpeningPlanRow, account: Guarantor) -> Outcome:
    """Once the visits of the same batch are on file."""
    hashes = [book.hash_of(one) for one in row.visits]
    book.afterwards.append(lambda session: opening_plans.take_over(
        session, account, opening_queries.visits_by_number(session, book.practice_id, hashes), row.interval,
        row.schedule, currency=book.policy.currency, by=book.actor, key=f"opening:{book.import_id}:{item.key}",
        now=book.now))
    return _DONE


def _contact(book: Book, row: OpeningContactRow, account: Guarantor) -> bool:
    session, practice_id = book.session, book.practice_id
    if row.phone:
        channel, address = "sms", row.phone
        told = contacts.add_phone(session, practice_id, account.id, address, source=book.import_id, now=book.now)
    elif row.email:
        channel, address = "email", row.email
        told = contacts.add_email(session, practice_id, account.id, address, source=book.import_id, now=book.now,
                                  at_work=row.at_work)
    else:
        channel, address = "paper", row.address
        told = contacts.add_postal(session, practice_id, account.id, address, source=book.import_id, now=book.now)
    return _mark(book, row, account, channel, address) or told


def _mark(book: Book, row: OpeningContactRow, account: Guarantor, channel: str, address: str) -> bool:
    """What does not arrive there is not sent there."""
    hashed = address_hash(book.practice_id, channel, address)
    contact = csv_queries.contact_of(book.session, account.id, channel, hashed)
    if not row.returned or contact is None or contact.status != "ok":
        return False
    contact.status = "returned" if channel == "paper" else "unreachable"
    book.session.flush()
    return True


def _consent(book: Book, row: OpeningConsentRow, account: Guarantor) -> bool:
    session, practice_id = book.session, book.practice_id
    added = contacts.add_phone(session, practice_id, account.id, row.phone, source=book.import_id, now=book.now)
    given = contacts.Given(_beginning(book, row.given_on), row.wording, row.medium, row.recorded_by)
    return contacts.add_consent(session, practice_id, account.id, row.phone, given) or added


def _refuse(book: Book, row: OpeningOptOutRow) -> bool:
    """Bind the number or address itself: whoever it turns out to belong to, it has said no."""
    at = _beginning(book, row.opted_out_on) if row.opted_out_on else None
    by = f"{book.actor} ({row.vendor})" if row.vendor else book.actor
    if row.phone:
        return contacts.add_opt_out(book.session, book.practice_id, row.phone, at=at, recorded_by=by, now=book.now)
    return contacts.add_opt_out(book.session, book.practice_id, row.email, at=at, recorded_by=by, now=book.now,
                                channel="email")


def _beginning(book: Book, day: date) -> datetime:
    """A day of a file as an instant: its beginning at the practice."""
    return datetime.combine(day, time(), ZoneInfo(book.policy.zone))
