"""How an account is reached: another number or address with what was agreed, one that is somebody else's, and its
statement on its way.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session

from billing import contact_reading, contacts, wrong_numbers
from bot import statement_runs
from bot.web.console import addressed
from bot.web.console.fields import Line, Maybe, Words
from bot.web.console.shared_forms import Why
from bot.web.console.table import Action, Asked, Done, Form, Nothing


class StatementRefused(ValueError):
    """A statement that cannot leave. The text says why; no PHI."""


class Place(Form):
    """``agreed``: what the patient agreed to, word for word, and ``medium`` how; without them nothing is agreed, and
    texts and e-mail to it wait for that.
    """

    address: Line
    agreed: Maybe[Words] = None
    medium: Literal["", "form", "phone", "staff"] = ""


class New(Place):
    kind: Literal["sms", "email", "paper"]


def add(session: Session, asked: Asked[New]) -> Done:
    """Put a number or an address on an account; one that is there stays as it is."""
    account, form = addressed.account(session, asked), asked.query
    agreed = contact_reading.agreement(form.kind, form.agreed or "", form.medium, by=asked.person.login, now=asked.now)
    place = contact_reading.read(form.kind, form.address)
    added = contacts.put(session, asked.practice_id, account.id, form.kind, place, source="staff", now=asked.now)
    if agreed is not None:
        contacts.add_consent(session, asked.practice_id, account.id, place, agreed, form.kind)
    return Done("account", account.id, f"/accounts/{account.id}", "contact_added" if added else "contact_known",
                {"added": added})


def wrong_number(session: Session, asked: Asked[Why]) -> Done:
    """A number or an e-mail address that somebody else has: nothing goes there any more, for nobody's account."""
    row = addressed.contact(session, asked)
    wrong_numbers.mark_contact(session, row, wording=asked.query.reason, by=asked.person.login, now=asked.now)
    return Done("account", row.guarantor_id, f"/accounts/{row.guarantor_id}", "wrong_number")


def send_statement(session: Session, asked: Asked[Nothing]) -> Done:
    """Make and queue its statement, by the same gate as ever. The same balance is told once, however often pressed."""
    account = addressed.account(session, asked)
    line = statement_runs.send_statement(session, asked.wiring.road, asked.policy, account.id, asked.now)
    if not line.message_id:
        raise StatementRefused(f"nothing was sent: {line.reason}")
    asked.wiring.road.wake.outbox.set()
    return Done("message", line.message_id, f"/accounts/{account.id}#messages", f"reply_{line.outcome}",
                {"message_id": line.message_id, "status": line.outcome})


VIEWS = ()
ACTIONS = (
    Action("contact.add", "/accounts/{account_id}/contacts", "cases", New, add),
    Action("contact.wrong", "/contacts/{contact_id}/wrong", "cases", Why, wrong_number),
    Action("statement.send", "/accounts/{account_id}/statements", "send", Nothing, send_statement),
)
