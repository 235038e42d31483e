"""What stands behind a patient's link: proof of who asks, and the pages' content as data. Words are templates'."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import audit, checkout, links, passcode_digest, passcodes, payments, talks
from billing import payment_status as life
from billing.commands import CommandRefused, RequestPayment
from billing.dues import due_of, local_day
from billing.figures import AccountFigures, account_figures
from billing.links import LinkView
from billing.store import payment_queries as store
from billing.store.practices import find_rules
from config.practice import PracticePolicy

ON_FILE = frozenset({"saved", "autopay"})
"""Ways of paying in which a card on file is charged and no page of ours opens one."""

MOST_VISITS = 24
"""How many visits a list on a page offers."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """An opened door and whose house it is."""

    link: LinkView
    policy: PracticePolicy
    language: str  # the account's own


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """A payment as its page shows it. ``rows``: day of service, the source's number of the visit, cents."""

    payment_id: str
    status: str
    amount_minor: int
    currency: str
    paid_at: datetime | None
    session_ref: str | None
    rows: tuple[tuple[date | None, str, int], ...]
    obstacle: str  # a reason of checkout.NotNow, empty while it may be paid
    bank_at_work: bool  # the patient has finished, the bank has not
    has_thread: bool  # whether there is a conversation that news of it can be told in
    on_file: bool = False  # a card on file pays it; nothing is to be pressed here
    bank_url: str = ""  # the bank's own page, where the patient has to confirm a card on file
    may_keep: bool = False  # the patient may ask for the card to be kept (T-50)


@dataclass(frozen=True, slots=True)
class DueNow:
    """All that the account may be asked for in this moment, and on which balance that was read."""

    amount_minor: int
    currency: str
    split: tuple[tuple[str, int], ...]
    balance_version: int


def prove(session: Session, token: str, born_on: date | None, postal_code: str, now: datetime,
          passcode: str = "") -> LinkView | None:
    """Check the second factor behind a link (T-34). None for any failure, whichever; each one counts on the link.

    Where the patient has set a passcode it counts, and the date of birth does not any more.
    """
    link = links.open(session, token, now)
    if link is None:
        return None
    account = store.guarantor(session, link.practice_id, link.guarantor_id)
    known = (account.born_on or "", (account.postal_code or "")[:5]) if account is not None else ("", "")
    given = (born_on.isoformat() if born_on else "", postal_code.strip()[:5])
    # Both are always compared, so that neither the answer nor its time says which one was wrong.
    same = [bool(a) and hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(known, given, strict=True)]
    same[0] = _right_passcode(session, link.guarantor_id, passcode, same[0])
    if not all(same) or account is None or account.confirmed_at is None:
        links.count_wrong_answer(session, token)
        return None
    audit.record(session, link.practice_id, "patient", "link_proved", "account", link.guarantor_id, link.purpose, now)
    return link


def _right_passcode(session: Session, guarantor_id: str, passcode: str, right_birth: bool) -> bool:
    """Compared even where none is set, so that the time taken tells nothing."""
    known = passcodes.view(session, guarantor_id)
    right = passcode_digest.matches(known or passcodes.NONE, passcode.strip())
    return right if known is not None else right_birth


def has_passcode(session: Session, link: LinkView) -> bool:
    return passcodes.view(session, link.guarantor_id) is not None


def set_passcode(session: Session, visitor: Visitor, digits: str, now: datetime) -> None:
    """Raises passcodes.WeakPasscode."""
    link = visitor.link
    account = store.guarantor(session, link.practice_id, link.guarantor_id)
    born = date.fromisoformat(account.born_on) if account is not None and account.born_on else None
    passcodes.put(session, link.practice_id, link.guarantor_id, digits, born, actor="patient", now=now)


def remove_passcode(session: Session, visitor: Visitor, now: datetime) -> bool:
    link = visitor.link
    return passcodes.remove(session, link.practice_id, link.guarantor_id, actor="patient", reason="on the page",
                            now=now)


def visit(session: Session, token: str, now: datetime) -> Visitor | None:
    """Open a link for somebody who has proved who they are, and note that they looked (T-36)."""
    link = links.open(session, token, now)
    language = store.language_of(session, link.practice_id, link.guarantor_id) if link else None
    rules = find_rules(session, link.practice_id) if link else None
    if link is None or language is None or rules is None:
        return None
    audit.record(session, link.practice_id, "patient", "read", "account", link.guarantor_id, link.purpose, now)
    return Visitor(link, rules.policy, language)


def payment_page(session: Session, link: LinkView, policy: PracticePolicy, now: datetime) -> PaymentPage | None:
    """The payment behind a pay or receipt link, as it stands."""
    payment = store.payment_of(session, link.practice_id, link.guarantor_id, link.object_id)
    if payment is None:
        return None
    split = [(str(v), int(m)) for v, m in payment.instruction]
    about = store.visits_by_id(session, [v for v, _ in split])
    rows = tuple((about[v].service_from_on, about[v].external, m) for v, m in split if v in about)
    on_file = payment.way in ON_FILE
    return PaymentPage(
        payment.id, payment.status, payment.amount_minor, payment.currency, payment.paid_at, payment.session_ref, rows,
        "" if on_file else checkout.obstacle_to(session, payment, now), payment.processor_ref is not None,
        payment.conversation_id is not None, on_file,
        (payment.session_url or "") if on_file and payment.status == life.NEEDS_PATIENT else "",
        not on_file and policy.payments.saved_cards)


@dataclass(frozen=True, slots=True)
class Keeping:
    """``open_ref``: the processor's page that is open under the other choice, and has to be closed first."""

    open_ref: str = ""


def keep_card(session: Session, link: LinkView, keep: bool, now: datetime, closed_ref: str = "") -> Keeping:
    """Write down whether the patient wants the card of this payment kept. A page is opened for one choice only: where
    another is open, nothing changes until it was closed (``closed_ref``).
    """
    payment = store.lock_payment(session, link.practice_id, link.object_id)
    if payment is None or payment.guarantor_id != link.guarantor_id or payment.status not in life.OPEN or (
            payment.way in ON_FILE):
        return Keeping()
    if payment.saves_method == keep:
        return Keeping()
    still = payment.session_ref is not None and payment.link_expires_at is not None and payment.link_expires_at > now
    if still and payment.session_ref != closed_ref:
        return Keeping(payment.session_ref or "")
    payment.saves_method = keep
    if still:
        payment.link_expires_at = now  # the next press is a new attempt
    return Keeping()


def due_now(session: Session, link: LinkView, policy: PracticePolicy, now: datetime) -> DueNow:
    return due_in(account_figures(session, link.guarantor_id, policy.local_day(now), link.practice_id), policy)


def due_in(figures: AccountFigures, policy: PracticePolicy) -> DueNow:
    hidden = {v.visit_id for v in figures.visits if v.confidential}
    split = tuple(one for one in due_of(figures) if one[0] not in hidden)
    return DueNow(sum(m for _, m in split), policy.currency, split, figures.balance_version)


def pay_all_due(session: Session, visitor: Visitor, ref: str, shown: tuple[int, int], now: datetime,
                processor: str) -> tuple[str, str] | None:
    """Turn the button of a statement's page into a payment and a pay link: (payment id, token), or None if what was
    ``shown`` (cents, balance version) is not what is due any more. ``ref`` names the link and the press: the same
    press twice makes one payment.
    """
    link, policy = visitor.link, visitor.policy
    due = due_now(session, link, policy, now)
    if shown != (due.amount_minor, due.balance_version):
        return None
    talk = talks.latest_talk(session, link.practice_id, link.guarantor_id, now)
    command = RequestPayment(link.guarantor_id, due.amount_minor, due.split, due.balance_version, visitor.language)
    try:
        payment = payments.request(session, command, payments.RequestContext(
            link.practice_id, policy, now, talk, f"{ref}:{due.balance_version}", processor))
    except CommandRefused:
        return None
    payments.mark_link_sent(payment)
    token = links.make(session, link.practice_id, link.guarantor_id, "pay", payment.id, policy.link_days, now)
    return payment.id, token


def itemisable(session: Session, link: LinkView, now: datetime) -> list[tuple[str, date | None]]:
    """(visit id, day of service) of what may be itemised behind this link, newest first. Confidential care is not."""
    account = account_figures(session, link.guarantor_id, local_day(session, link.practice_id, now))
    visits = [(v.visit_id, v.service_on) for v in account.visits if not v.void and not v.confidential]
    return sorted(visits, key=lambda one: (one[1] or date.min, one[0]), reverse=True)[:MOST_VISITS]


def statement_of(session: Session, link: LinkView) -> str | None:
    """The statement that the link is for, or the account's newest; never another account's."""
    return store.statement_of(session, link.guarantor_id, link.object_id)


def has_paid(session: Session, link: LinkView) -> bool:
    """Whether the link's payment is this account's and took money."""
    payment = store.payment_of(session, link.practice_id, link.guarantor_id, link.object_id)
    return payment is not None and payment.status in life.TOOK_MONEY
