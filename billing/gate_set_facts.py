"""Facts of the gate made from a sheet: the same values that billing/gate.py and its neighbours read one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from billing import consents, figures, preferences, taken_as_left
from billing.gate_facts import newest, with_unseen
from billing.gate_set_sheet import Sheet
from billing.phones import line_of
from billing.policy.core import AccountFacts, HoldFact, RecipientFacts, Zone, vary
from billing.preferences import Wishes
from billing.store.figure_queries import CoverageFacts, VisitFacts
from billing.store.gate_set_queries import Left, Point
from billing.zones import zones_of_phone, zones_where

_DAY, _WEEK = timedelta(hours=24), timedelta(days=7)
_NO_ACCOUNT, _NOBODY = AccountFacts(), RecipientFacts()
_NO_WISHES = Wishes()
_PENDING = (CoverageFacts("", 1, "", "pending", 0),)


def account(sheet: Sheet, guarantor_id: str, language: str) -> AccountFacts:
    """As billing/account_facts.account_facts; ``language`` is the message's."""
    person = sheet.people.get(guarantor_id)
    if person is None:
        return AccountFacts()
    visits, holds = sheet.visits.get(guarantor_id, ()), sheet.holds.get(guarantor_id, ())
    on_plan = _due_on_plans(sheet, guarantor_id) if sheet.plans else {}
    of_account = tuple(hold for hold in holds if hold.visit_id is None) if holds else ()
    due = pending = planned = 0
    due_visits, payable, answering, hidden, kinds = [], [], [], [], list(of_account)
    negative = False
    for visit_id, confidential, patient_minor, is_pending, *_ in visits:
        of_visit = [hold for hold in holds if hold.visit_id == visit_id] if holds else ()
        kinds.extend(of_visit)
        part = figures.split(0, patient_minor, 0, is_pending or visit_id in sheet.unfinished,
                             (*of_visit, *of_account), on_plan.get(visit_id))
        due += part.due_now_minor
        pending += part.pending_minor
        planned += part.on_plan_minor
        if part.due_now_minor > 0:
            due_visits.append((visit_id, part.due_now_minor))
        if part.due_now_minor + part.on_plan_minor > 0:
            payable.append((visit_id, part.due_now_minor + part.on_plan_minor))
        if is_pending:
            answering.append(visit_id)
        if confidential:
            hidden.append(visit_id)
        negative = negative or patient_minor < 0
    return vary(_NO_ACCOUNT, {
        "due_now_minor": due, "pending_minor": pending, "on_plan_minor": planned,
        "credit_minor": sheet.credits.get(guarantor_id, 0), "balance_version": person.balance_version,
        "due_visits": tuple(due_visits), "payable_visits": tuple(payable), "pending_visits": tuple(answering),
        "confidential_visits": tuple(hidden), "negative_pending": negative,
        "holds": tuple([HoldFact(hold.kind, hold.visit_id, hold.hold_id) for hold in kinds]) if kinds else (),
        "unfinished_import": sheet.import_runs, "stale": sheet.stale,
        "payment_in_flight": sheet.payments.get(guarantor_id, _UNPAID)[1],
        "language_met": language == person.language and language in sheet.policy.languages})


_UNPAID: tuple[datetime | None, bool] = (None, False)


def _due_on_plans(sheet: Sheet, guarantor_id: str) -> dict[str, int]:
    visits = sheet.visits.get(guarantor_id, ())
    if not any([visit[0] in sheet.plans for visit in visits]):  # noqa: C419  # asked of every account
        return {}
    plans = {plan.plan_id: plan for visit in visits for plan in sheet.plans.get(visit[0], ())}
    whole = [VisitFacts(visit_id, guarantor_id, "", "", None, 0, False, confidential, "", _PENDING if pending else (),
                        0, minor, 0, visit_id in sheet.unfinished)
             for visit_id, confidential, minor, pending, *_ in visits]
    return figures.due_on_plans(whole, {guarantor_id: sheet.holds.get(guarantor_id, [])},
                                [plans[plan_id] for plan_id in sorted(plans)], sheet.today)


def standing(sheet: Sheet, guarantor_id: str, line: str, hashed: str) -> consents.Standing:
    """As billing/consents.standing."""
    key = (guarantor_id, line, hashed)
    found = sheet.stands.get(key)
    if found is None:
        found = sheet.stands[key] = consents.derive(sheet.consents[line, hashed], guarantor_id, sheet.unsent)
    return found


class Stance(NamedTuple):
    """What of a number's consents a rule looks at: all of it but which events said so, and when."""

    opted_out: bool
    unasked: bool  # no consent to texts
    complete: bool
    undetailed: bool  # no consent to amounts and names
    introduced: bool


def stance(sheet: Sheet, guarantor_id: str, line: str, hashed: str) -> Stance:
    """Of ``standing``; numbers of which the same was said in the same order stand alike, whoever's they are."""
    unsent = sheet.unsent
    said = tuple([(event[3:8], event[2] and event[2] == guarantor_id, event[8] and event[8] not in unsent)
                  for event in sheet.consents[line, hashed]])
    found = sheet.stances.get(said)
    if found is None:
        of = standing(sheet, guarantor_id, line, hashed)
        found = sheet.stances[said] = Stance(
            of.opted_out, of.consent_event_id is None, of.complete, of.detail_event_id is None, of.introduced)
    return found


def recipient(sheet: Sheet, guarantor_id: str, channel: str, address: str, hashed: str, *,
              capped: bool) -> RecipientFacts:
    """As billing/gate._recipient, of a message about an account and in no conversation."""
    person, line = sheet.people.get(guarantor_id), line_of(channel)
    stands = standing(sheet, guarantor_id, line, hashed)
    wished = sheet.preferences[line, hashed]
    wishes = preferences.derive(wished, guarantor_id) if wished else _NO_WISHES
    paid_at = sheet.payments.get(guarantor_id, _UNPAID)[0]
    here = [point for point in sheet.points.get(guarantor_id, ()) if point.hashed == hashed]
    left = sheet.left.get(hashed)
    changes: dict[str, Any] = {
        "guarantor_id": guarantor_id, "confirmed": person is not None and person.confirmed,
        "region": person.region if person else None, "zones": _zones(sheet, person, line, address),
        "opted_out": stands.opted_out, "opt_out_event_id": stands.opt_out_event_id,
        "consent_event_id": stands.consent_event_id, "consent_complete": stands.complete,
        "contact_status": _contact_status(here), "detail_event_id": stands.detail_event_id,
        "introduced": stands.introduced, "paid_age": sheet.now - paid_at if paid_at else None,
        "own_hours": wishes.hours, "own_hours_id": wishes.hours_id, "way": wishes.way, "way_only": wishes.only,
        "way_id": wishes.way_id, "confidential_id": wishes.confidential_id,
        "at_work": any(point.at_work for point in here), "reassigned_age": _reassigned_age(sheet, here)}
    if left:
        changes |= {"demands_at": _at(left, sheet.now - _DAY, demands=True),
                    "confirmations": _confirmations(left, stands.opted_out_at or sheet.now - _DAY)}
    if sheet.inbound and hashed in sheet.inbound:
        changes["texted_age"] = sheet.now - sheet.inbound[hashed]
    if capped:
        changes |= {"household_at": _household_at(sheet, guarantor_id, hashed),
                    "demanded_at": demanded_at(sheet, guarantor_id)}
    if guarantor_id in sheet.collectors:
        contacted, validated_at = sheet.told.get(guarantor_id, (False, None))
        changes |= {"capacity": "collector", "contacted": contacted, "validated_at": validated_at}
    if sheet.external:
        changes["pilot"] = sheet.external.get(guarantor_id) in sheet.policy.pilot_accounts
    return vary(_NOBODY, changes)


def _zones(sheet: Sheet, person: Any, line: str, address: str) -> tuple[Zone, ...]:
    of_phone = zones_of_phone(address) if line == "sms" else ()
    if person is None:
        return zones_where(None, None, None, of_phone, sheet.policy.zone)
    return zones_where(person.zone, person.region, sheet.states.get(person.id), of_phone, sheet.policy.zone)


def _contact_status(here: list[Point]) -> str:
    found = {point.status for point in here}
    if "ok" in found or not found:
        return "ok"
    return "wrong_number" if "wrong_number" in found else "unreachable"


def _reassigned_age(sheet: Sheet, here: list[Point]) -> timedelta | None:
    checked = max((point.checked_on for point in here if point.checked_on is not None), default=None)
    return sheet.now - _midnight(checked, sheet.policy.zone) if checked is not None else None


@lru_cache(maxsize=4096)
def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _confirmations(left: list[Left], since: datetime) -> int:
    return sum(1 for one in left if one.confirms and one.created_at >= since)


def _at(left: list[Left], since: datetime, *, demands: bool = False) -> tuple[datetime, ...]:
    return tuple(one.sending_at for one in left if one.left and (one.demand if demands else one.unasked)
                 and one.sending_at is not None and one.sending_at > since)


def household(sheet: Sheet, guarantor_id: str, hashed: str) -> set[str]:
    """Every address of every account that shares one with this account, or has the address written to."""
    own = {hashed, *(point.hashed for point in sheet.points.get(guarantor_id, ()))}
    near = {id_ for one in own for id_, _ in sheet.at.get(one, ())}
    hashes = {hashed}
    for one in near:
        points = sheet.points.get(one)
        hashes |= {point.hashed for point in points} if points is not None else sheet.nearby.get(one, set())
    return hashes


def _household_at(sheet: Sheet, guarantor_id: str, hashed: str) -> tuple[datetime, ...]:
    hashes = household(sheet, guarantor_id, hashed)
    found = [at for one in hashes if (left := sheet.left.get(one)) for at in _at(left, sheet.now - _WEEK)]
    return with_unseen(found, heard(sheet, guarantor_id, hashed), sheet.now) if found or sheet.said else ()


def heard(sheet: Sheet, guarantor_id: str, hashed: str) -> tuple[datetime, ...]:
    """When the household counts as told by messages that no row tells of."""
    if not sheet.said:
        return ()
    hashes = household(sheet, guarantor_id, hashed)
    return taken_as_left.heard(sheet.said, set().union(*(sheet.channels.get(one, set()) for one in hashes)))


def demanded_at(sheet: Sheet, guarantor_id: str) -> datetime | None:
    own = sheet.demanded.get(guarantor_id)
    if not sheet.said:
        return own
    return newest(own, taken_as_left.heard(sheet.said, {
        point.channel for point in sheet.points.get(guarantor_id, ())}), sheet.now)
