"""How an account is reached: another number or address with what was agreed, one that is somebody else's, and its
statement on its way.
"""

from __future__ import annotations

from typing import Literal, TypeVar

from sqlalchemy.orm import Session

from billing import contacts, wrong_numbers
from billing.mail_addresses import email_address
from billing.telephones import e164
from bot import statement_runs
from bot.web.console import addressed
from bot.web.console.fields import Line, Maybe, Words
from bot.web.console.shared_forms import Why
from bot.web.console.table import Action, Asked, Done, Form, Nothing


class ContactRefused(ValueError):
    """A number or an address that is none, or a statement that cannot leave. The text says why; no PHI."""


class Place(Form):
    """``agreed``: what the patient agreed to, word for word, and ``medium`` how; without them nothing is agreed, and
    texts and e-mail to it wait for that.
    """

    address: Line
    agreed: Maybe[Words] = None
    medium: Literal["", "form", "phone", "staff"] = ""


class New(Place):
    kind: Literal["sms", "email", "paper"]


P = TypeVar("P", bound=Place)


def add(session: Session, asked: Asked[New]) -> Done:
    """Put a number or an address on an account; one that is there stays as it is."""
    account, form = addressed.account(session, asked), asked.query
    require_whole(form.agreed, form.medium, form.kind)
    place = read_address(form.kind, form.address)
    added = contacts.put(session, asked.practice_id, account.id, form.kind, place, source="staff", now=asked.now)
    keep_agreed(session, asked, account.id, form.kind, place)
    return Done("account", account.id, f"/accounts/{account.id}", "contact_added" if added else "contact_known",
                {"added": added})


def require_whole(agreed: str | None, medium: str, channel: str) -> None:
    """A consent has words and a way in which they were said. Raises ContactRefused."""
    if (agreed is None) != (not medium):
        raise ContactRefused("what was agreed, word for word, and how it was said go together")
    if agreed and channel == "paper":
        raise ContactRefused("letters need no consent; leave what was agreed empty")


def keep_agreed(session: Session, asked: Asked[P], account_id: str, channel: str, place: str) -> None:
    """Keep what was agreed to for ``place``, if anything was."""
    if asked.query.agreed:
        contacts.add_consent(session, asked.practice_id, account_id, place, contacts.Given(
            asked.now, asked.query.agreed, asked.query.medium, asked.person.login), channel)


def read_address(channel: str, address: str) -> str:
    """In its one written form. Raises ContactRefused."""
    try:
        if channel == "sms":
            return e164(address)
        if channel == "email":
            return email_address(address)
    except ValueError as error:
        raise ContactRefused(str(error)) from None
    if channel != "paper":
        raise ContactRefused("a chat is joined to an account in the chat itself")
    parts = [part.strip() for part in address.split(",") if part.strip()]
    if len(parts) < 3:
        raise ContactRefused("an address has a street, a town, and state with ZIP, with commas between")
    return ", ".join(parts)


def wrong_number(session: Session, asked: Asked[Why]) -> Done:
    """A number or an e-mail address that somebody else has: nothing goes there any more, for nobody's account."""
    row = addressed.contact(session, asked)
    if row.channel == "paper":
        raise ContactRefused("a letter that came back is noted with its letter")
    wrong_numbers.mark(session, asked.practice_id, row.channel, row.address_hash, wording=asked.query.reason,
                       why="a colleague says so", by=asked.person.login, now=asked.now, medium="staff")
    return Done("account", row.guarantor_id, f"/accounts/{row.guarantor_id}", "wrong_number")


def send_statement(session: Session, asked: Asked[Nothing]) -> Done:
    """Make and queue its statement, by the same gate as ever. The same balance is told once, however often pressed."""
    account = addressed.account(session, asked)
    line = statement_runs.send_statement(session, asked.wiring.road, asked.policy, account.id, asked.now)
    if not line.message_id:
        raise ContactRefused(f"nothing was sent: {line.reason}")
    asked.wiring.road.wake.outbox.set()
    return Done("message", line.message_id, f"/accounts/{account.id}#messages", f"reply_{line.outcome}",
                {"message_id": line.message_id, "status": line.outcome})


VIEWS = ()
ACTIONS = (
    Action("contact.add", "/accounts/{account_id}/contacts", "cases", New, add),
    Action("contact.wrong", "/contacts/{contact_id}/wrong", "cases", Why, wrong_number),
    Action("statement.send", "/accounts/{account_id}/statements", "send", Nothing, send_statement),
)
