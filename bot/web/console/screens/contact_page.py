"""One number or address of an account: changing it, ending it, and what the patient wished about it. What is changed is
ended and another one opened, so that its history stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import contact_changes, contact_reading, preferences
from billing.console.account_lists import Said, said_of
from billing.store import console_account_queries as store
from billing.store.tables import Guarantor
from bot.web.console import addressed
from bot.web.console.fields import Language, Line, Ticked, Words
from bot.web.console.screens.contact_acts import Place
from bot.web.console.table import Action, Asked, Done, Form, Nothing, Seen, View


class Change(Place):
    """``address``: the new one, of the same kind; no consent comes along with a change."""

    reason: contact_changes.Reason


class Move(Form):
    """``address``: street, town, state and ZIP, with commas between."""

    address: Line
    reason: contact_changes.Reason


class End(Form):
    reason: contact_changes.Reason


class AtWork(Form):
    """``at_work``: it is an employer's."""

    at_work: Ticked = False


class Confidential(Form):
    """``wording``: the patient's own."""

    on: Ticked = False
    wording: Words


class Speaks(Form):
    language: Language


@dataclass(frozen=True, slots=True)
class ContactPage:
    """``others``: how many more accounts have it. ``said``: what was agreed to at it, newest first."""

    contact_id: str
    account_id: str
    number: str
    channel: str
    address: str
    status: str
    source: str
    since_at: datetime
    at_work: bool
    confidential: bool
    others: int
    said: list[Said]


def show(session: Session, asked: Asked[Nothing]) -> ContactPage:
    row = addressed.contact(session, asked)
    account = session.get_one(Guarantor, row.guarantor_id)
    wishes = preferences.standing(session, row.practice_id, row.channel, row.address_hash, row.guarantor_id)
    said = [said_of(one) for one in store.consents(session, asked.practice_id, account.id, {row.address_hash})
            if one.address_hash == row.address_hash]
    return ContactPage(row.id, account.id, account.external, row.channel, row.address, row.status, row.source,
                       row.created_at, row.at_work, wishes.confidential_id is not None,
                       contact_changes.holders(session, row), said)


def change(session: Session, asked: Asked[Change]) -> Done:
    """End this one and open another; what was agreed to for the old one is not agreed to for the new one."""
    row, form = addressed.contact(session, asked), asked.query
    by, now = asked.person.login, asked.now
    agreed = contact_reading.agreement(row.channel, form.agreed or "", form.medium, by=by, now=now)
    made = contact_changes.replace(session, row, contact_reading.read(row.channel, form.address), reason=form.reason,
                                   by=by, now=now, agreed=agreed)
    return Done("contact", row.id, f"/accounts/{row.guarantor_id}#who", "contact_changed", {"contact_id": made.id},
                others=(made.id,))


def end(session: Session, asked: Asked[End]) -> Done:
    row = addressed.contact(session, asked)
    contact_changes.end(session, row, reason=asked.query.reason, by=asked.person.login, now=asked.now)
    return Done("contact", row.id, f"/accounts/{row.guarantor_id}#who", "contact_ended")


def at_work(session: Session, asked: Asked[AtWork]) -> Done:
    row = addressed.contact(session, asked)
    contact_changes.mark_at_work(session, row, asked.query.at_work, by=asked.person.login, now=asked.now)
    return Done("contact", row.id, f"/contacts/{row.id}")


def confidential(session: Session, asked: Asked[Confidential]) -> Done:
    """Nothing about the account comes there unasked, or comes again: as the patient asked."""
    row, form = addressed.contact(session, asked), asked.query
    contact_changes.keep_confidential(session, row, form.on, wording=form.wording, by=asked.person.login,
                                      now=asked.now)
    return Done("contact", row.id, f"/contacts/{row.id}")


def move(session: Session, asked: Asked[Move]) -> Done:
    """Another postal address in the place of the account's own; the file's stays on record."""
    account = addressed.account(session, asked)
    made = contact_changes.replace_home(session, account, contact_reading.read("paper", asked.query.address),
                                        reason=asked.query.reason, by=asked.person.login, now=asked.now)
    return Done("contact", made.id, f"/accounts/{account.id}#who", "contact_changed", {"contact_id": made.id})


def speak(session: Session, asked: Asked[Speaks]) -> Done:
    """The language in which we write first; a thread keeps the one that its patient chose."""
    account = addressed.account(session, asked)
    contact_changes.speak(session, account, asked.query.language, asked.policy, by=asked.person.login, now=asked.now)
    return Done("account", account.id, f"/accounts/{account.id}#who")


_ONE = "/contacts/{contact_id}"
VIEWS = (View("contact", _ONE, "read", show, ContactPage, seen=lambda found: Seen("account", found.account_id)),)
ACTIONS = (
    Action("contact.change", f"{_ONE}/change", "cases", Change, change),
    Action("contact.end", f"{_ONE}/end", "cases", End, end),
    Action("contact.at_work", f"{_ONE}/at-work", "cases", AtWork, at_work),
    Action("contact.confidential", f"{_ONE}/confidential", "cases", Confidential, confidential),
    Action("account.move", "/accounts/{account_id}/address", "cases", Move, move),
    Action("account.speak", "/accounts/{account_id}/language", "cases", Speaks, speak),
)
