"""What the calendar of reminders needs to know of one account, read from the store as it is in this moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import first_looks
from billing.account_facts import account_facts
from billing.dunning import DunningFacts, Moved, State, Stated, Stop, Told
from billing.policy import core
from billing.policy.register import RULES
from billing.store import dunning_queries as store
from billing.store import facts as gate_store
from billing.store.dunning_queries import DemandRow, PatientMove
from billing.store.tables import Guarantor
from config.dunning_policy import Restart
from config.practice import PracticePolicy

#: The rules of the gate that speak of the account alone: what they object to, no way and no hour would change.
_OF_THE_ACCOUNT = frozenset({
    "guarantor-unconfirmed", "minor-confidential", "language-unmet", "stale-ledger", "payment-pending",
    "negative-pending", "insurance-pending", "credit-elsewhere", "plan-current", "unfinished-import", "T-57", "T-42"})

_WAITING = frozenset({"queued", "claimed", "sending", "unknown", "deferred"})
_FAILED = frozenset({"failed", "undelivered"})
_MODE = "sending-mode"

_KIND: dict[str, Restart] = {
    "charge": "charge", "opening": "charge", "external": "charge", "recall": "charge",
    "patient_share": "remittance", "next_payer": "remittance", "prior_payer": "remittance",
    "contractual": "remittance", "payer_payment": "remittance", "takeback": "remittance"}

#: A payment that came to nothing leaves the clock where it was (receivables.md D3).
_CAME_TO_NOTHING = frozenset({"returned", "disputed", "dispute_lost", "failed"})


def gather(session: Session, guarantor_id: str, policy: PracticePolicy, now: datetime) -> DunningFacts:
    """Raises LookupError for an unknown account."""
    guarantor = session.get(Guarantor, guarantor_id)
    if guarantor is None:
        raise LookupError("no such account")
    account = account_facts(session, guarantor.practice_id, policy, guarantor_id, now,
                            in_flight=gate_store.page_open(session, guarantor_id, now)
                            or gate_store.bank_at_work(session, guarantor_id),
                            language_met=guarantor.language in policy.languages)
    told = _all_told(session, guarantor_id, policy)
    moves = store.moves_of(session, guarantor_id)
    return DunningFacts(
        account.due_now_minor, stop_of(guarantor, policy, account, now), _statements(session, guarantor_id, told),
        told, moved_of(moves),
        first_looks.explanation(session, guarantor_id, [one.at for one in told if one.state in ("left", "waiting")]))


def stop_of(guarantor: Guarantor, policy: PracticePolicy, account: core.AccountFacts, now: datetime) -> Stop | None:
    """The gate's own objection to asking this account for anything, by whatever way."""
    facts = core.Facts(now, "queueing", core.PracticeFacts(policy), core.MessageFacts("reminder"),
                       core.RecipientFacts(guarantor.id, confirmed=guarantor.confirmed_at is not None,
                                           region=guarantor.region), account)
    rules = [rule for rule in RULES if rule.id.startswith("hold:") or rule.id in _OF_THE_ACCOUNT]
    ruling = core.decide(facts, rules)
    if not ruling.sends:
        return Stop(ruling.rule, ruling.reason)
    if policy.sending == "pilot" and guarantor.external not in policy.pilot_accounts:
        return Stop(_MODE, "sending is a pilot, and this account is not in it")
    return None


def _all_told(session: Session, guarantor_id: str, policy: PracticePolicy) -> list[Told]:
    """A letter that came back has failed, whatever was thought of it; a trouble that names no message is one of every
    message that carried the statement.
    """
    troubles = store.troubles_of(session, guarantor_id)
    messages = {one.outbox_id for one in troubles if one.outbox_id}
    everywhere = {one.statement_id for one in troubles if not one.outbox_id and one.statement_id}
    found = []
    for row in store.demands_of(session, guarantor_id):
        state = state_of(row, shadow=policy.sending == "shadow")
        if state == "left" and (row.outbox_id in messages or row.statement_id in everywhere):
            state = "failed"
        if state is not None:
            found.append(_told(row, state, policy))
    return found


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


def _statements(session: Session, guarantor_id: str, told: Sequence[Told]) -> list[Stated]:
    left = {one.statement_id for one in told if one.state == "left"}
    return [Stated(row.statement_id, row.created_at, row.statement_on, row.due_on, row.statement_id in left)
            for row in store.statements_of(session, guarantor_id)]


def moved_of(moves: Sequence[PatientMove]) -> list[Moved]:
    """What may begin a new round: each transfer that moved the patient's own part, but for payments that came back."""
    return [Moved(one.posted_at.astimezone(UTC), _KIND.get(one.reversed_code or one.code, "payment"))
            for one in moves if one.payment_status not in _CAME_TO_NOTHING]


def visits_past_due_from(session: Session, guarantor_id: str, policy: PracticePolicy) -> dict[str, date]:
    """For each visit, the due day of the first statement that asked for it and is not known to have failed."""
    told = _all_told(session, guarantor_id, policy)
    good = [one.statement_id for one in _statements(session, guarantor_id, told) if one.arrived]
    found: dict[str, date] = {}
    for due_on, content in store.statement_contents(session, good):
        visits = content.get("visits")
        for visit in visits if isinstance(visits, list) else []:
            if visit["due_minor"] > 0:
                found.setdefault(str(visit["visit_id"]), due_on)
    return found
