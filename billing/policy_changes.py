"""Changes of a practice's policy: proposed, shown as what differs, approved by a second manager, in force on their day.

The model of the policy file judges every proposal (config/practice.py), so nothing can be proposed here that the file
could not say. Every version stays with who asked, who approved and when. What a change does not touch is taken from the
policy in force on its day: two changes of different parts do not undo each other; two of the same part, and the later
one is asked for anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from billing import audit, second_person, staff
from billing.ids import new_id
from billing.lives import step
from billing.store import policy_change_queries as store
from billing.store import practices
from billing.store.counters import next_number
from billing.store.tables import PolicyChange, Practice
from config.practice import PracticePolicy

ASKED, APPROVED, IN_FORCE, REFUSED, STALE = "asked", "approved", "in_force", "refused", "stale"

MOVES: Mapping[str, frozenset[str]] = {
    ASKED: frozenset({APPROVED, REFUSED, STALE}), APPROVED: frozenset({IN_FORCE, REFUSED, STALE}),
    IN_FORCE: frozenset(), REFUSED: frozenset(), STALE: frozenset(),
}

#: Whoever approves may change the policy too: managers (billing/staff.py: RIGHTS).
APPROVER = "manager"


class PolicyRefused(ValueError):
    """A change that cannot be taken. The text names each field and what is wrong with it."""


def in_force(session: Session, practice_id: str) -> dict[str, Any]:
    """The policy as JSON as it stands, whole: what a file left out has its default."""
    row = practices.find_practice(session, practice_id)
    if row is None:
        raise PolicyRefused("there is no such practice")
    return settings_of(row)


def settings_of(row: Practice) -> dict[str, Any]:
    return PracticePolicy.model_validate(row.settings).model_dump(mode="json")


def judge(settings: Mapping[str, Any]) -> PracticePolicy:
    """The policy that these settings make. Raises PolicyRefused naming every faulty field."""
    if settings.get("sending") == "restored":
        raise PolicyRefused("sending: restored is the state of a copy out of a backup; write off, shadow, pilot or on")
    try:
        return PracticePolicy.model_validate(settings)
    except ValidationError as error:
        raise PolicyRefused("; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the policy'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_url=False, include_input=False))) from None


def differences(old: Any, new: Any, name: str = "") -> list[dict[str, Any]]:
    """What differs, by field: {"field", "old", "new"} in the order of the policy."""
    if old == new:
        return []
    if (old or new) and all(isinstance(one, dict | None) for one in (old, new)):
        before, after = old or {}, new or {}
        return [one for key in dict.fromkeys([*after, *before])
                for one in differences(before.get(key), after.get(key), f"{name}.{key}".lstrip("."))]
    if isinstance(old, list) and isinstance(new, list) and any(isinstance(one, dict) for one in [*old, *new]):
        most = max(len(old), len(new))
        return [one for i in range(most) for one in differences(
            old[i] if i < len(old) else None, new[i] if i < len(new) else None, f"{name}.{i}")]
    return [{"field": name, "old": old, "new": new}]


def ask(session: Session, practice_id: str, settings: Mapping[str, Any], *, reason: str, starts_on: date, by: str,
        now: datetime) -> PolicyChange:
    """Propose the settings from a practice-local day on. Raises PolicyRefused, staff.StaffRefused."""
    staff.require(session, practice_id, by, "policy")
    practice = store.lock_practice(session, practice_id)
    base, policy = settings_of(practice), judge(settings)
    if not practice.configured:
        raise PolicyRefused("this practice has no policy yet; its first one is a file: plainbill practice set FILE")
    wanted = policy.model_dump(mode="json")
    diff = differences(base, wanted)
    if not diff:
        raise PolicyRefused("nothing differs from the policy in force")
    if not reason.strip():
        raise PolicyRefused("reason: say why; whoever approves it reads it")
    if starts_on < practices.policy_of(practice).local_day(now):
        raise PolicyRefused("starts_on: the day has passed; a policy starts today or later")
    row = _row(session, practice_id, wanted, base, diff, by, now, reason, starts_on, "console")
    store.add(session, row)
    _note(session, row, by, "policy_asked", now, reason)
    return row


def approve(session: Session, practice_id: str, change_id: str, *, by: str, now: datetime) -> PolicyChange:
    """A second manager says yes; a night stands for them where there is none (billing/second_person.py). It is in force
    at once if its day has come. Raises PolicyRefused, staff.StaffRefused, IllegalMove.
    """
    staff.require(session, practice_id, by, "policy")
    practice = store.lock_practice(session, practice_id)
    row, policy = _locked(session, practice_id, change_id), practices.policy_of(practice)
    step("policy change", MOVES, row, APPROVED)
    how = second_person.require(session, practice_id, by=by, asked_by=row.asked_by, asked_at=row.asked_at,
                                role=APPROVER, policy=policy, now=now)
    if touched := moved(row, settings_of(practice)):
        raise PolicyRefused(f"{', '.join(touched)}: was changed since this was proposed; refuse it and propose it anew")
    row.approved_by, row.approved_at, row.approved_how = by, now, how
    _note(session, row, by, "policy_approved", now, how)
    if row.starts_on <= policy.local_day(now):
        _begin(session, practice, row, now)
    return row


def refuse(session: Session, practice_id: str, change_id: str, *, by: str, reason: str, now: datetime) -> PolicyChange:
    """No; or whoever asked takes it back. Also an approved one, until its day. Raises PolicyRefused, IllegalMove."""
    staff.require(session, practice_id, by, "policy")
    row = _locked(session, practice_id, change_id)
    if not reason.strip():
        raise PolicyRefused("reason: say why; whoever asked reads it")
    step("policy change", MOVES, row, REFUSED)
    row.refused_by, row.refused_at, row.refused_why = by, now, reason.strip()[:500]
    _note(session, row, by, "policy_refused", now, reason)
    return row


def start_due(session: Session, practice_id: str, now: datetime) -> int:
    """Put in force what is approved and whose day has come; return how many. What the policy has moved away from, or
    the model of a newer release refuses, becomes stale and says so: somebody proposes it anew.
    """
    practice = practices.find_practice(session, practice_id)
    if practice is None or not store.due(session, practice_id, practices.policy_of(practice).local_day(now)):
        return 0
    practice, begun = store.lock_practice(session, practice_id), 0
    for change_id in store.due(session, practice_id, practices.policy_of(practice).local_day(now)):
        begun += _begin(session, practice, _locked(session, practice_id, change_id), now)
    return begun


def keep_file(session: Session, practice_id: str, policy: PracticePolicy, *, by: str, reason: str, now: datetime,
              ) -> PolicyChange:
    """Put a policy file in force, and keep it among the versions: the command line's way, by whoever runs the machine.
    """
    practice = practices.find_practice(session, practice_id)
    base = settings_of(practice) if practice is not None and practice.configured else {}
    practices.save_policy(session, practice_id, policy, True, now)
    wanted = policy.model_dump(mode="json")
    row = _row(session, practice_id, wanted, base, differences(base, wanted) if base else [], by, now, reason,
               policy.local_day(now), "file")
    row.status, row.in_force_at = IN_FORCE, now
    store.add(session, row)
    return row


def listing(session: Session, practice_id: str, before: int | None = None, most: int = 51) -> Sequence[PolicyChange]:
    """Newest first."""
    return store.every(session, practice_id, before=before, most=most)


def find(session: Session, practice_id: str, change_id: str) -> PolicyChange | None:
    return store.find(session, practice_id, change_id)


def policy_proposed(row: PolicyChange, current: Mapping[str, Any]) -> PracticePolicy:
    """The policy as it would be with this change in it. Raises PolicyRefused."""
    return judge({**current, **{key: row.settings[key] for key in _keys(row)}})


def _row(session: Session, practice_id: str, wanted: dict[str, Any], base: dict[str, Any], diff: list[dict[str, Any]],
         by: str, now: datetime, reason: str, starts_on: date, origin: str) -> PolicyChange:
    return PolicyChange(
        id=new_id("pol"), practice_id=practice_id, number=next_number(session, practice_id, "policy_change"),
        status=ASKED, origin=origin, settings=wanted, base=base, diff=diff, reason=reason.strip()[:500],
        starts_on=starts_on, asked_by=by, asked_at=now, approved_how="", refused_why="")


def _keys(row: PolicyChange) -> list[str]:
    """The policy's own fields that the change is about."""
    return [key for key in row.settings if row.settings[key] != row.base.get(key)]


def moved(row: PolicyChange, current: Mapping[str, Any]) -> list[str]:
    """Fields that are no more what they were when the change was proposed."""
    return [key for key in _keys(row) if current.get(key) != row.base.get(key)]


def _begin(session: Session, practice: Practice, row: PolicyChange, now: datetime) -> bool:
    current = settings_of(practice)
    try:
        if touched := moved(row, current):
            raise PolicyRefused(f"{', '.join(touched)}: was changed since this was proposed")
        policy = policy_proposed(row, current)
    except PolicyRefused as refused:
        step("policy change", MOVES, row, STALE)
        row.refused_at, row.refused_why = now, str(refused)[:500]
        _note(session, row, "system", "policy_stale", now, "the policy moved on; propose it anew")
        return False
    step("policy change", MOVES, row, IN_FORCE)
    row.in_force_at = now
    practices.save_policy(session, practice.id, policy, True, now)
    _note(session, row, "system" if row.approved_by is None else row.approved_by, "policy_in_force", now)
    return True


def _locked(session: Session, practice_id: str, change_id: str) -> PolicyChange:
    row = store.lock(session, practice_id, change_id)
    if row is None:
        raise PolicyRefused("there is no such change")
    return row


def _note(session: Session, row: PolicyChange, by: str, action: str, now: datetime, reason: str = "") -> None:
    audit.record(session, row.practice_id, by, action, "policy_change", row.id,
                 f"number {row.number}. {reason}".strip(), now)
