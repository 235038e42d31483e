"""What the calendar of reminders needs to know of one account, read from the store as it is in this moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import account_stops, first_looks, opening_steps, record, taken_as_left
from billing.account_facts import facts_of
from billing.dunning import DunningFacts, Moved, State, Stated, Stop, Told
from billing.figures import AccountFigures, accounts_figures
from billing.policy import core
from billing.store import dunning_queries as store
from billing.store import facts as gate_store
from billing.store import opening_queries
from billing.store.dunning_queries import ContentRow, DemandRow, PatientMove, StatementRow
from billing.store.tables import DeliveryTrouble, Guarantor, Hold
from config.dunning_policy import Restart
from config.practice import PracticePolicy

_WAITING = frozenset({"queued", "claimed", "sending", "unknown", "deferred"})
_FAILED = frozenset({"failed", "undelivered"})
_MODE = "sending-mode"

_KIND: dict[str, Restart] = {
    "charge": "charge", "opening": "charge", "external": "charge", "recall": "charge",
    "patient_share": "remittance", "next_payer": "remittance", "prior_payer": "remittance",
    "contractual": "remittance", "payer_payment": "remittance", "takeback": "remittance"}

#: A payment that came to nothing leaves the clock where it was (receivables.md D3).
_CAME_TO_NOTHING = frozenset({"returned", "disputed", "dispute_lost", "failed"})


@dataclass(frozen=True, slots=True)
class Gathered:
    """One account with what its calendar goes by. ``in_flight``: a payment of it is on its way."""

    guarantor: Guarantor
    figures: AccountFigures
    facts: DunningFacts
    in_flight: bool


def gather(session: Session, guarantor_id: str, policy: PracticePolicy, now: datetime) -> DunningFacts:
    """Raises LookupError for an unknown account."""
    guarantor = session.get(Guarantor, guarantor_id)
    if guarantor is None:
        raise LookupError("no such account")
    return gather_all(session, guarantor.practice_id, [guarantor_id], policy, now)[guarantor_id].facts


def gather_all(session: Session, practice_id: str, guarantor_ids: Sequence[str], policy: PracticePolicy,
               now: datetime) -> dict[str, Gathered]:
    """Many accounts of one practice, in as many queries as one; an unknown one is left out."""
    rows = _rows(session, practice_id, guarantor_ids, policy, now)
    return {guarantor.id: _gathered(rows, guarantor, policy, now)
            for guarantor in store.accounts(session, practice_id, guarantor_ids)}


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the store holds of some accounts: by account, but for ``steps``, which are by visit."""

    figures: Mapping[str, AccountFigures]
    demands: Mapping[str, Sequence[DemandRow]]
    statements: Mapping[str, Sequence[StatementRow]]
    troubles: Mapping[str, Sequence[DeliveryTrouble]]
    moves: Mapping[str, Sequence[PatientMove]]
    looks: Mapping[str, Sequence[Hold]]
    steps: Mapping[str, str]
    in_flight: Collection[str]
    unfinished: bool
    stale: bool
    unheard: Sequence[Told]


def _rows(session: Session, practice_id: str, ids: Sequence[str], policy: PracticePolicy, now: datetime) -> _Rows:
    moves = store.moves(session, ids)
    carried = [one for one in ids if any(move.code == "opening" for move in moves.get(one, ()))]
    return _Rows(
        accounts_figures(session, practice_id, ids, policy.local_day(now)), store.demands(session, ids),
        store.statements(session, ids), store.troubles(session, ids), moves,
        store.holds(session, ids, first_looks.KIND), opening_queries.steps_of(session, carried),
        gate_store.in_flight(session, ids, now), gate_store.import_running(session, practice_id),
        record.is_stale(session, practice_id, policy, now), _unheard(session, practice_id, policy))


def _gathered(rows: _Rows, guarantor: Guarantor, policy: PracticePolicy, now: datetime) -> Gathered:
    id_, figures = guarantor.id, rows.figures[guarantor.id]
    account = facts_of(figures, unfinished=rows.unfinished, stale=rows.stale, in_flight=id_ in rows.in_flight,
                       language_met=guarantor.language in policy.languages)
    told = _all_told(rows.demands.get(id_, ()), rows.troubles.get(id_, ()), policy)
    moves = rows.moves.get(id_, ())
    moved = moved_of(moves)
    facts = DunningFacts(
        account.due_now_minor, stop_of(guarantor, policy, account, now),
        _statements(rows.statements.get(id_, ()), told),
        sorted([*told, *rows.unheard], key=lambda one: one.at), moved,
        first_looks.explanation(rows.looks.get(id_, ()), [one.at for one in told if one.state in ("left", "waiting")]),
        opening_steps.carried(rows.steps, [visit_id for visit_id, _ in account.due_visits], moves, moved,
                              policy.dunning))
    return Gathered(guarantor, figures, facts, id_ in rows.in_flight)


def stop_of(guarantor: Guarantor, policy: PracticePolicy, account: core.AccountFacts, now: datetime) -> Stop | None:
    """The gate's own objection to asking this account for anything, by whatever way."""
    ruling = account_stops.stop_of(policy, core.RecipientFacts(
        guarantor.id, confirmed=guarantor.confirmed_at is not None, region=guarantor.region), account, now)
    if ruling is not None:
        return Stop(ruling.rule, ruling.reason)
    if policy.sending == "pilot" and guarantor.external not in policy.pilot_accounts:
        return Stop(_MODE, "sending is a pilot, and this account is not in it")
    return None


def _all_told(demands: Sequence[DemandRow], troubles: Sequence[DeliveryTrouble], policy: PracticePolicy) -> list[Told]:
    """A letter that came back has failed, whatever was thought of it; a trouble that names no message is one of every
    message that carried the statement.
    """
    messages = {one.outbox_id for one in troubles if one.outbox_id}
    everywhere = {one.statement_id for one in troubles if not one.outbox_id and one.statement_id}
    found = []
    for row in demands:
        state = state_of(row, shadow=policy.sending == "shadow")
        if state == "left" and (row.outbox_id in messages or row.statement_id in everywhere):
            state = "failed"
        if state is not None:
            found.append(_told(row, state, policy))
    return found


def _unheard(session: Session, practice_id: str, policy: PracticePolicy) -> list[Told]:
    """In a copy out of a backup: whatever may have been said to everybody since, and that nobody can be asked about."""
    at = taken_as_left.until(session, practice_id)
    return [Told(at, policy.local_day(at), "reminder", "left", "after_backup")] if at is not None else []


def _told(row: DemandRow, state: State, policy: PracticePolicy) -> Told:
    at = row.sending_at or (row.settled_at if state == "stopped" else None) or row.created_at
    return Told(at, at.astimezone(ZoneInfo(policy.zone)).date(), "reminder" if row.purpose == "reminder" else
                "statement", state, row.step, row.statement_id)


def state_of(row: DemandRow, *, shadow: bool) -> State | None:
    """None: it is as if it had never been. In shadow what would have left counts as left, so that the calendar shows
    what it would do; once sending is on, it counts as never said.
    """
    if row.status in _WAITING:
        return "waiting"
    if row.status in _FAILED:
        return "failed"
    if row.status == "cancelled":
        return None
    if row.status == "withheld":
        if row.rule == _MODE:
            return "left" if shadow else None
        return "stopped"
    return "left"


def _statements(rows: Sequence[StatementRow], told: Sequence[Told]) -> list[Stated]:
    left = {one.statement_id for one in told if one.state == "left"}
    return [Stated(row.statement_id, row.created_at, row.statement_on, row.due_on, row.statement_id in left)
            for row in rows]


def moved_of(moves: Sequence[PatientMove]) -> list[Moved]:
    """What may begin a new round: each transfer that moved the patient's own part, but for payments that came back."""
    return [Moved(one.posted_at.astimezone(UTC), _KIND.get(one.reversed_code or one.code, "payment"))
            for one in moves if one.payment_status not in _CAME_TO_NOTHING]


def visits_past_due_from(session: Session, guarantor_id: str, policy: PracticePolicy) -> dict[str, date]:
    """For each visit, the due day of the first statement that asked for it and is not known to have failed."""
    told = _all_told(store.demands_of(session, guarantor_id), store.troubles_of(session, guarantor_id), policy)
    good = [one.statement_id for one in _statements(store.statements_of(session, guarantor_id), told) if one.arrived]
    return past_due_of(store.contents(session, good))


def past_due_of(statements: Sequence[ContentRow]) -> dict[str, date]:
    """For each visit, the due day of the first of these statements that asked for it; the earliest due first."""
    found: dict[str, date] = {}
    for one in statements:
        for visit_id in visits_asked(one.content):
            found.setdefault(visit_id, one.due_on)
    return found


def visits_asked(content: Mapping[str, Any]) -> list[str]:
    """The visits of which a statement asks for something."""
    visits = content.get("visits")
    return [str(visit["visit_id"]) for visit in (visits if isinstance(visits, list) else []) if visit["due_minor"] > 0]
