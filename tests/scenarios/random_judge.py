"""The judge of the whole road: what was really sent, from the channel's journal, against what the store says of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from billing.phones import address_hash
from billing.store.tables import Case, Consent, Conversation, Guarantor, Inbox, Outbox, Payment
from billing.verify import verify
from handlers.core import Reply
from handlers.understanding.languages import find_language
from templates.format import month
from templates.source import load
from tests.conversations import judge_money
from tests.conversations.judge import amounts_in, is_certain_yes
from tests.scenarios import sample
from tests.scenarios.random_lives import Order, noted, waiting

_LINK = re.compile(r"https?://\S+")
_ALWAYS = frozenset({"stop_confirmation", "start_confirmation", "help", "emergency"})


@dataclass(frozen=True, slots=True)
class Books:
    """What the store has at the end."""

    texts: list[Inbox]
    outbox: list[Outbox]
    payments: list[Payment]
    cases: list[Case]
    consents: list[Consent]
    names: dict[str, str]
    flow: str
    problems: int
    waiting: list[str]


def read_books(session: Session, order: Order) -> Books:
    hashed = address_hash(sample.PRACTICE, order.channel, order.phone)
    talks = list(session.query(Conversation))
    return Books(
        list(session.query(Inbox).where(Inbox.kind == "message").order_by(Inbox.id)),
        list(session.query(Outbox).order_by(Outbox.created_at, Outbox.reply_to, Outbox.sequence)),
        list(session.query(Payment).where(Payment.processor == "stripe").order_by(Payment.created_at)),
        list(session.query(Case)),
        list(session.query(Consent).where(Consent.address_hash == hashed).order_by(Consent.id)),
        {row.id: row.name for row in session.query(Guarantor)},
        "".join(talk.state.get("flow", "") for talk in talks), len(verify(session).problems), waiting(session))


def faults(order: Order, books: Books) -> list[str]:
    """Everything that is wrong; empty when the conversation kept every promise."""
    return [*_nothing_is_stuck(books), *_every_text_was_taken_once(order, books), *_sent_once(order, books),
            *_one_set_of_replies_each(books), *_secrets(order, books), *_yes_before_money(books),
            *_silent_after_stop(books), *_languages(books), *_ends(books)]


def _nothing_is_stuck(books: Books) -> Iterator[str]:
    with_staff = any(case.kind in ("unknown_outcome", "outbox", "delivery") for case in books.cases)
    for row in books.waiting:
        if not (with_staff and " unknown " in f"{row} "):
            yield f"stuck: {row}"
    if books.problems:
        yield f"the ledger has {books.problems} problems"


def _every_text_was_taken_once(order: Order, books: Books) -> Iterator[str]:
    wanted = Counter(f"T{at}" for at, (kind, _) in enumerate(order.steps) if kind == ">")
    found = Counter(row.external_id for row in books.texts)
    if wanted != found:
        yield f"texts lost or doubled: {sorted((wanted - found) + (found - wanted))}"


def _sent_once(order: Order, books: Books) -> Iterator[str]:
    path = Path(order.journal)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    sent = Counter(line["outbox_id"] for line in lines if not line.get("redacted"))
    by_id = {row.id: row for row in books.outbox}
    for outbox_id, times in sent.items():
        row = by_id[outbox_id]
        if times > 1:
            yield f"{row.template} was sent {times} times"
        if row.status not in ("sent", "delivered", "unknown"):
            yield f"{row.template} was sent, and is {row.status}"
    for row in books.outbox:
        if row.status == "sent" and row.purpose != "redaction" and row.id not in sent:
            yield f"{row.template} counts as sent, and was not"


def _one_set_of_replies_each(books: Books) -> Iterator[str]:
    stops = {row.message_id for row in books.consents}
    for text in books.texts:
        replies = [row for row in books.outbox if row.reply_to == text.id and row.purpose != "redaction"]
        if [row.sequence for row in sorted(replies, key=lambda row: row.sequence)] != list(range(len(replies))):
            yield f"text {text.external_id} has replies {[(row.template, row.sequence) for row in replies]}"
        worked_at = (text.done_at or text.received_at) + timedelta(seconds=1)  # the clock stands still for two at once
        if not replies and not _opted_out(books, worked_at) and f"inbox:{text.id}" not in stops:
            yield f"text {text.external_id} got no reply"
        for row in replies:
            # What waited for an unknown outcome may find that the proof of identity has lapsed meanwhile (T-34).
            late = row.settled_at is not None and row.settled_at - row.created_at > timedelta(minutes=10)
            if row.status in ("cancelled", "failed") or (row.status == "withheld" and not late and not _opted_out(
                    books, (row.settled_at or row.created_at) + timedelta(seconds=1))):
                yield f"the reply {row.template} to {text.external_id} is {row.status}"


def _secrets(order: Order, books: Books) -> Iterator[str]:
    notes = noted(order)
    people: dict[str, dict[str, set[Any]]] = {}
    for line in notes:
        for facts in line["people"]:
            known = people.setdefault(facts["account_id"], {})
            for name in ("amounts", "days", "payers", "providers"):
                known.setdefault(name, set()).update(facts[name])
    said = {cents for text in books.texts for cents in amounts_in(str(text.payload["body"]))}
    said |= {cents for text in books.texts for cents in judge_money.spoken(str(text.payload["body"]))}
    for row in books.outbox:
        if row.reply_to is not None and row.purpose != "redaction":
            yield from _told(row, people, said | {one.amount_minor for one in books.payments
                                                 if one.guarantor_id == row.guarantor_id}, books.names)


def _told(row: Outbox, people: dict[str, dict[str, set[Any]]], also: set[int], names: dict[str, str]) -> Iterator[str]:
    body = _LINK.sub("", row.body)
    own = people.get(row.guarantor_id or "", {})
    amounts = set(amounts_in(body)) - set(amounts_in(load(row.template, row.language).text))
    amounts -= {40000} if row.template == "estimate_exceeded" else set()
    if row.template in ("plan_too_small", "plan_nearest"):  # the practice's own least amounts, about nobody
        amounts -= {value for key, value in (row.arguments or {}).items() if key.startswith("minimum")}
    if row.privacy != "open" and row.guarantor_id is None:
        yield f"{row.template} to somebody unverified"
    legal = own.get("amounts", set()) | also if row.guarantor_id else set()
    if row.guarantor_id:  # an offer's parts foot to a total that is the account's own
        amounts -= judge_money.of_offers(Reply(row.template, row.arguments or {}), frozenset(legal))
    if strange := amounts - legal:
        yield f"{row.template} names {sorted(strange)}, to {'the verified' if row.guarantor_id else 'nobody proved'}"
    secrets = {provider for one in people.values() for provider in one["providers"]}
    secrets |= {payer for one in people.values() for payer in one["payers"]} - own.get("payers", set())
    for name in {name for full in names.values() for name in re.split(r"[ ,]+", full) if len(name) > 3}:
        if re.search(rf"\b{re.escape(name)}\b", body):
            yield f"{row.template} names {name!r}"
    months = {_month(day) for one in people.values() for day in one["days"]} - {_month(d) for d in own.get("days", ())}
    for secret in {*secrets, *(one for pair in months for one in pair)} - {"", "november", "noviembre", "december",
                                                                          "diciembre", "january", "enero"}:
        if re.search(rf"\b{re.escape(str(secret).casefold())}\b", body.casefold()):
            yield f"{row.template} names {secret!r}"


def _month(day: str) -> tuple[str, str]:
    there = date.fromisoformat(day)
    return month(there, "en").split()[0].casefold(), month(there, "es").split()[0].casefold()


def _yes_before_money(books: Books) -> Iterator[str]:
    by_ref = {f"inbox:{text.id}": text for text in books.texts}
    for payment in books.payments:
        text = by_ref.get(payment.consent_message_id or "")
        if text is None or not is_certain_yes(text.payload["body"]):
            yield f"a payment without a certain yes ({text.external_id if text else 'no text'})"
            continue
        asked = [row for row in books.outbox if row.reply_to is not None and row.reply_to < text.id
                 and row.template == "pay_confirm"]
        if not asked or max(asked, key=lambda row: (row.reply_to, row.sequence)
                            ).arguments["amount_minor"] != payment.amount_minor:
            yield "a payment of another amount than was confirmed"


def _silent_after_stop(books: Books) -> Iterator[str]:
    for row in books.outbox:
        out = row.sending_at is not None and row.status == "sent" and _opted_out(books, row.sending_at)
        if out and row.purpose not in (*_ALWAYS, "redaction", "staff"):
            yield f"{row.template} was sent to somebody who has opted out"


def _opted_out(books: Books, at: datetime) -> bool:
    """How consent stood strictly before ``at``: the confirmation of STOP leaves in its own minute."""
    events = [row for row in books.consents if row.purpose != "detail" and row.at < at and row.event in (
        "revoked", "restored", "voided") and row.guarantor_id is None]
    return bool(events) and events[-1].event in ("revoked", "voided")


def _languages(books: Books) -> Iterator[str]:
    for row in books.outbox:
        other = "es" if row.language == "en" else "en"
        words = _LINK.sub("", row.body)
        if row.reply_to and row.template != "language_ask" and find_language(words) == other and len(words.split()) > 4:
            yield f"{row.template} is not in {row.language}"


def _ends(books: Books) -> Iterator[str]:
    if books.flow:
        yield f"the thread stands at {books.flow}"
