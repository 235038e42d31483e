"""Finding somebody whom our words do not reach: mail that came back, texts that were not delivered.

What is known not to have arrived is written down (DeliveryTrouble), and neither a step nor a clock counts from it. A
person looks for a better address; where no other way leads to the patient, nothing is asked for meanwhile (hold
``address``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import cased_holds, cases, ways
from billing.contact_status import ENDED
from billing.ids import new_id
from billing.phones import address_hash
from billing.store import dunning_queries as store
from billing.store import way_queries
from billing.store.dunning_queries import DemandRow
from billing.store.tables import ContactPoint, DeliveryTrouble, Guarantor
from config.dunning_policy import EVERY_WAY

KIND = "address"
CASE = "address_finding"
TITLE = "Find a number or address that reaches a patient"

#: Reasons that a better address would mend; the others are the patient's wish or the practice's choice.
MENDED = frozenset({"no_address", "unreachable", "wrong_number", "returned", "unlinked", "ended", "opted_out",
                    "no_consent", "at_work", "not_set_up"})


class NotMail(ValueError):
    """What is said to have come back is no letter of this practice. No PHI in the text."""


def note_returned(session: Session, practice_id: str, outbox_id: str, *, by: str, on: date,
                  now: datetime) -> DeliveryTrouble:
    """A letter came back (``on``: practice-local). Noting it twice changes nothing. Raises NotMail."""
    row = store.message(session, practice_id, outbox_id)
    if row is None or row.channel != "paper" or row.guarantor_id is None:
        raise NotMail(f"{outbox_id} is no letter to a patient; plainbill mail list shows them")
    guarantor = session.get_one(Guarantor, row.guarantor_id)
    mark_returned(session, guarantor, row.address, now)
    return _note(session, guarantor, "returned_mail", row.id, row.statement_id, by, on, now)


def note_mail_of(session: Session, guarantor: Guarantor, *, by: str, on: date, now: datetime) -> DeliveryTrouble:
    """Mail to an account came back and nobody knows which letter: its newest one has not arrived either.

    Raises NotMail where no letter ever left and no address is on file.
    """
    letters = [one for one in store.demands_of(session, guarantor.id) if one.channel == "paper"]
    if letters:
        return note_returned(session, guarantor.practice_id, letters[-1].outbox_id, by=by, on=on, now=now)
    if not guarantor.address:
        raise NotMail("this account has no postal address, and no letter to it has left")
    mark_returned(session, guarantor, guarantor.address, now)
    newest = store.statements_of(session, guarantor.id)
    return _note(session, guarantor, "returned_mail", None, newest[-1].statement_id if newest else None, by, on, now)


def note_undelivered(session: Session, guarantor: Guarantor, rows: Sequence[DemandRow], on: date,
                     now: datetime) -> int:
    """Write down the demands that are known not to have arrived; return how many are new."""
    fresh = [one for one in rows if one.status in ("failed", "undelivered")
             and store.trouble_by(session, guarantor.practice_id, f"undelivered:{one.outbox_id}") is None]
    for one in fresh:
        _note(session, guarantor, "undelivered", one.outbox_id, one.statement_id or None, "plainbill", on, now)
    return len(fresh)


def mark_returned(session: Session, guarantor: Guarantor, address: str, now: datetime) -> None:
    """No further letter goes to an address from which one came back."""
    hashed = address_hash(guarantor.practice_id, "paper", address)
    contact = way_queries.contact_at(session, guarantor.id, "paper", hashed)
    if contact is None:
        session.add(ContactPoint(
            id=new_id("con"), practice_id=guarantor.practice_id, guarantor_id=guarantor.id, channel="paper",
            address=address, address_hash=hashed, status="returned", source="returned_mail", created_at=now))
    elif contact.status != ENDED:
        contact.status = "returned"
    session.flush()


def _note(session: Session, guarantor: Guarantor, kind: str, outbox_id: str | None, statement_id: str | None, by: str,
          on: date, now: datetime) -> DeliveryTrouble:
    dedupe = f"{kind}:{outbox_id or statement_id or guarantor.id}"
    known = store.trouble_by(session, guarantor.practice_id, dedupe)
    if known is not None:
        return known
    row = DeliveryTrouble(practice_id=guarantor.practice_id, guarantor_id=guarantor.id, statement_id=statement_id,
                          outbox_id=outbox_id, kind=kind, noted_by=by, noted_on=on, noted_at=now, dedupe=dedupe)
    session.add(row)
    session.flush()
    open_finding(session, guarantor, _WORDS[kind], now)
    return row


_WORDS = {"returned_mail": "A letter came back from the address on file.",
          "undelivered": "A message about a bill was not delivered."}


def open_finding(session: Session, guarantor: Guarantor, detail: str, now: datetime) -> None:
    """A case to find a better number or address; the account is held where no way is left."""
    choice = ways.choose(session, guarantor.id, EVERY_WAY)
    if isinstance(choice, ways.NoWay) and any(one.why in MENDED for one in choice.passed):
        searches = len(store.holds_of(session, guarantor.id, KIND))
        last = next((one for one in store.holds_of(session, guarantor.id, KIND) if one.released_at is None), None)
        if last is None:
            cased_holds.place(session, guarantor, kind=KIND, title=TITLE, reason=detail, now=now,
                              dedupe=f"{KIND}:{guarantor.id}:{searches + 1}")
        return
    cases.open_case(session, guarantor.practice_id, kind=CASE, title=TITLE, detail=detail, now=now,
                    dedupe=f"{CASE}:{guarantor.id}", guarantor_id=guarantor.id)
