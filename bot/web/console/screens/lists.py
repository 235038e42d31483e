"""Holds to look at again, messages of unknown outcome, numbers whose identity is locked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import cased_holds, cases, hold_reviews, unknown_outcomes
from billing.store import case_queries
from billing.store import console_list_queries as store
from billing.store.tables import Outbox
from bot.web.console import bulk, looked
from bot.web.console.fields import Id, Reason, Several
from bot.web.console.screens.calls import Page
from bot.web.console.table import Action, Asked, Done, View, of_practice, there

PAGE = 50


@dataclass(frozen=True, slots=True)
class HoldToReview:
    hold_id: str
    kind: str
    account_id: str
    account_number: str
    reason: str
    placed_by: str
    placed_at: datetime
    review_on: date | None
    due: bool


@dataclass(frozen=True, slots=True)
class HoldsToReview:
    holds: list[HoldToReview]
    more: bool


@dataclass(frozen=True, slots=True)
class UnknownSend:
    """``body``: what may have left, or not."""

    message_id: str
    channel: str
    template: str
    account_id: str
    account_number: str
    body: str
    sending_at: datetime | None
    lookups: int


@dataclass(frozen=True, slots=True)
class UnknownSends:
    messages: list[UnknownSend]
    more: bool


@dataclass(frozen=True, slots=True)
class LockedNumber:
    conversation_id: str
    channel: str
    address: str
    tries: int
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class LockedNumbers:
    numbers: list[LockedNumber]
    more: bool


class Review(looked.Form):
    """``days``: with keep, when somebody looks again."""

    hold_ids: Several[Id] = Field(min_length=1)
    what: Literal["keep", "release"]
    days: int = Field(default=14, ge=1, le=365)
    reason: Reason


class Settle(looked.Form):
    """``left``: what the provider's log says."""

    message_ids: Several[Id] = Field(min_length=1)
    left: Literal["yes", "no"]
    reason: Reason


def holds(session: Session, asked: Asked[Page]) -> HoldsToReview:
    rows = store.holds(session, asked.practice_id, asked.today, asked.query.after or "", PAGE + 1)
    return HoldsToReview([HoldToReview(
        row.id, row.kind, row.guarantor_id, number, row.reason, row.placed_by, row.placed_at, row.review_on,
        row.review_on is not None and row.review_on <= asked.today) for row, number in rows[:PAGE]], len(rows) > PAGE)


def review(session: Session, asked: Asked[Review]) -> Done:
    return bulk.carry_out(session, asked, "hold_ids", "hold", partial(_review_one, session, asked),
                          list_name="holds", action="/worklists/holds")


def _review_one(session: Session, asked: Asked[Review], hold_id: str) -> bulk.Came:
    """A hold that came with a case takes it along."""
    row, form = there(store.hold(session, asked.practice_id, hold_id)), asked.query
    number = store.numbers(session, asked.practice_id, [row.guarantor_id]).get(row.guarantor_id, "")
    if form.what == "release":
        cased_holds.release(session, asked.practice_id, hold_id, by=asked.person.login, reason=form.reason,
                            now=asked.now)
        return bulk.Came(number, "released")
    hold_reviews.keep(session, asked.practice_id, hold_id, days=form.days, by=asked.person.login, today=asked.today,
                      now=asked.now)
    return bulk.Came(number, "kept")


def unknown(session: Session, asked: Asked[Page]) -> UnknownSends:
    rows = store.unknown(session, asked.practice_id, asked.query.after or "", PAGE + 1)
    return UnknownSends([_unknown(row, number) for row, number in rows[:PAGE]], len(rows) > PAGE)


def _unknown(row: Outbox, number: str) -> UnknownSend:
    return UnknownSend(row.id, row.channel, row.template, row.guarantor_id or "", number, row.body, row.sending_at,
                       row.lookups)


def settle(session: Session, asked: Asked[Settle]) -> Done:
    return bulk.carry_out(session, asked, "message_ids", "message", partial(_settle_one, session, asked),
                          list_name="unknown", action="/worklists/unknown")


def _settle_one(session: Session, asked: Asked[Settle], message_id: str) -> bulk.Came:
    """The case that asked somebody to find out is done with it."""
    row, form = there(store.message(session, asked.practice_id, message_id)), asked.query
    unknown_outcomes.settle_by_staff(session, message_id, form.left == "yes", asked.now)
    case = case_queries.by_dedupe(session, asked.practice_id, f"unknown_outcome:{message_id}")
    if case is not None and case.status != "closed":
        cases.close(session, asked.practice_id, case.id, by=asked.person.login, resolution=form.reason, now=asked.now)
    state = "sent" if form.left == "yes" else "failed"
    return bulk.Came(f"{row.template} {message_id[-6:]}", state)


def identity(session: Session, asked: Asked[Page]) -> LockedNumbers:
    rows = store.locked(session, asked.practice_id, asked.now, asked.query.after or "", PAGE + 1)
    return LockedNumbers([LockedNumber(row.id, row.channel, row.address, row.tries, row.locked_until)
                          for row in rows[:PAGE]], len(rows) > PAGE)


VIEWS = (
    View("holds", "/worklists/holds", "read", holds, HoldsToReview, Page, of_practice("holds")),
    View("unknown", "/worklists/unknown", "read", unknown, UnknownSends, Page,
         of_practice("unknown messages")),
    View("identity", "/worklists/identity", "read", identity, LockedNumbers, Page,
         of_practice("locked numbers")),
)
ACTIONS = (
    Action("holds.review", "/worklists/holds", "holds", Review, review),
    Action("unknown.settle", "/worklists/unknown", "cases", Settle, settle),
)
