"""Work for a person: opened once per cause, owned, due within office hours, escalated when it is overdue.

A case may carry a hold, which stands until the case is closed. kind "call" is the task that is left when somebody who
opted out writes again: the carrier refuses our texts (21610), so staff call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import holds
from billing.calendar import due_by
from billing.ids import new_id
from billing.staff import RIGHTS
from billing.store import case_queries as store
from billing.store import counters, hold_queries, practices
from billing.store.tables import Case, CaseNote
from config.practice import PracticePolicy

URGENT_WITHIN = timedelta(minutes=15)
LEVELS = ("owner", "deputy", "manager")
EMERGENCY = "emergency"
"""Every step of such a case has a quarter of an hour, at any hour, and only a named person clears it."""

#: The life of a case; "open" again when the patient writes about it after an answer.
MOVES = {"open": frozenset({"answered", "closed"}), "answered": frozenset({"answered", "open", "closed"}),
         "closed": frozenset[str]()}


class CaseRefused(ValueError):
    """A step that a case does not have, or a case that is not there."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """Whom to tell that a case is overdue; ``login`` is empty when the practice has nobody to tell."""

    practice_id: str
    case_id: str
    number: int
    title: str
    login: str
    level: int


def open_case(session: Session, practice_id: str, *, kind: str, title: str, detail: str, now: datetime,
              dedupe: str = "", guarantor_id: str | None = None, visit_id: str | None = None,
              conversation_id: str | None = None, hold: str = "", hold_on: Sequence[str] = (), urgent: bool = False,
              actor: str = "plainbill") -> Case:
    """Open a case, or add to the open one of the same ``dedupe``; return it.

    ``title`` is shown in lists and notices and holds no PHI. ``hold`` is placed on ``guarantor_id``, or on every
    account of ``hold_on``, until the case is closed. Raises holds.HoldRefused.
    """
    accounts = sorted(hold_on or ([guarantor_id] if guarantor_id else [])) if hold else []
    for account in accounts:  # before the counter: whoever posts has its guarantor locked when it opens a case
        hold_queries.lock(session, account)
    counters.lock_counter(session, practice_id, "cases")
    known = store.by_dedupe(session, practice_id, dedupe) if dedupe else None
    case = known or _new_case(session, practice_id, kind, title, detail, now, dedupe, guarantor_id, visit_id,
                              conversation_id, urgent)
    if known is not None:
        say_again(session, known, detail, actor, now, urgent=urgent)
    if hold:
        _place_holds(session, case, hold, accounts, visit_id, actor, now)
    return case


def _new_case(session: Session, practice_id: str, kind: str, title: str, detail: str, now: datetime, dedupe: str,
              guarantor_id: str | None, visit_id: str | None, conversation_id: str | None, urgent: bool) -> Case:
    case_id = new_id("case")
    number = counters.next_number(session, practice_id, "cases")
    return store.add(session, Case(
        id=case_id, practice_id=practice_id, number=number, kind=kind, title=title, guarantor_id=guarantor_id,
        visit_id=visit_id, conversation_id=conversation_id, detail=detail, status="open",
        owner=_owner(session, practice_id, urgent), level=0, due_at=_due(session, practice_id, urgent, now),
        told_level=-1, opened_at=now, dedupe=dedupe or case_id))


def _owner(session: Session, practice_id: str, urgent: bool) -> str | None:
    order = ("supervisor", "manager", "biller") if urgent else ("biller", "supervisor", "manager")
    found = (store.least_busy(session, practice_id, role) for role in order)
    return next((login for login in found if login), None)


def _due(session: Session, practice_id: str, urgent: bool, now: datetime) -> datetime:
    return now + URGENT_WITHIN if urgent else due_by(_policy(session, practice_id), now)


def _policy(session: Session, practice_id: str) -> PracticePolicy:
    row = practices.find_practice(session, practice_id)
    if row is None:
        raise CaseRefused(f"there is no practice {practice_id}")
    return practices.policy_of(row)


def say_again(session: Session, case: Case, words: str, by: str, now: datetime, *, urgent: bool = False) -> None:
    """The cause came up again: keep what was said, and put an answered case back to work."""
    if words and words != case.detail:
        _note(session, case, by, "note", words, now)
    if case.status == "answered":
        case.status, case.due_at = "open", _due(session, case.practice_id, urgent, now)
        session.flush()


def _place_holds(session: Session, case: Case, kind: str, accounts: Sequence[str], visit_id: str | None, actor: str,
                 now: datetime) -> None:
    scope = holds.KINDS[kind].scope
    on_visit = visit_id if scope != "account" and len(accounts) == 1 else None
    for guarantor_id in accounts:
        place_hold(session, case, kind, guarantor_id, on_visit, actor, now)


def place_hold(session: Session, case: Case, kind: str, guarantor_id: str, visit_id: str | None, actor: str,
               now: datetime) -> None:
    """A hold that ends with the case; once in one place. One that ended before its case did is placed anew: the
    patient has said it again.
    """
    dedupe = f"case:{case.id}:{kind}:{visit_id or guarantor_id}"
    known = hold_queries.by_dedupe(session, case.practice_id, dedupe)
    holds.place(session, practice_id=case.practice_id, guarantor_id=guarantor_id, kind=kind, visit_id=visit_id,
                reason=f"case {case.number}", source=f"case:{case.id}", placed_by=actor, now=now,
                dedupe="" if known is not None and known.released_at is not None else dedupe)


def find(session: Session, practice_id: str, ref: str) -> Case:
    """Return a case by its number or its id. Raises CaseRefused."""
    case = (store.by_number(session, practice_id, int(ref)) if ref.isascii() and ref.isdecimal()
            else store.by_id(session, practice_id, ref))
    if case is None:
        raise CaseRefused(f"there is no case {ref}; plainbill cases list shows them")
    return case


def list_cases(session: Session, practice_id: str, *, closed: bool = False) -> Sequence[Case]:
    """Cases by the time they are due; those not closed, or the closed ones."""
    return store.in_states(session, practice_id, ["closed"] if closed else ["open", "answered"])


def notes(session: Session, case_id: str) -> Sequence[CaseNote]:
    return store.notes_of(session, case_id)


def reply(session: Session, practice_id: str, ref: str, *, by: str, body: str, now: datetime) -> Case:
    """Keep an answer to the patient with the case, which is then answered; its hold stays. Raises CaseRefused."""
    if not body.strip():
        raise CaseRefused("an answer needs words")
    case = _move(session, practice_id, ref, "answered")
    _note(session, case, by, "reply", body, now)
    return case


def add_note(session: Session, practice_id: str, ref: str, *, by: str, body: str, now: datetime) -> Case:
    """Keep a note for colleagues; also on a closed case."""
    case = find(session, practice_id, ref)
    _note(session, case, by, "note", body, now)
    return case


def close(session: Session, practice_id: str, ref: str, *, by: str, resolution: str, now: datetime) -> Case:
    """Close a case and release the hold it carried. Raises CaseRefused."""
    if not resolution.strip():
        raise CaseRefused("closing a case needs a resolution: what was found, what was done")
    _cleared_by_somebody(session, find(session, practice_id, ref), by)
    case = _move(session, practice_id, ref, "closed")
    case.closed_at, case.closed_by, case.resolution = now, by, resolution
    # The next occurrence of the same cause is a new case; the key is freed for it.
    case.dedupe = f"{case.dedupe}#{case.number}"
    session.flush()
    holds.release_from(session, practice_id, f"case:{case.id}", released_by=by, reason=f"case {case.number} closed",
                       now=now)
    return case


def _cleared_by_somebody(session: Session, case: Case, by: str) -> None:
    """Demands to a household start again only when somebody who can be asked about it has looked."""
    if case.kind != EMERGENCY:
        return
    person = practices.find_staff(session, case.practice_id, by)
    if person is None or not person.active:
        raise CaseRefused("an emergency is cleared by a named person: give the login of somebody on the staff list")


def _move(session: Session, practice_id: str, ref: str, status: str) -> Case:
    case = store.lock(session, find(session, practice_id, ref).id)
    if status not in MOVES[case.status]:
        raise CaseRefused(f"case {case.number} is {case.status} and cannot become {status}")
    case.status = status
    session.flush()
    return case


def _note(session: Session, case: Case, by: str, kind: str, body: str, now: datetime) -> None:
    store.add_note(session, CaseNote(practice_id=case.practice_id, case_id=case.id, at=now, by=by, kind=kind,
                                     body=body))


def escalate(session: Session, now: datetime) -> list[Escalation]:
    """Hand every overdue case one step up: to the owner's deputy, then to the manager; return whom to tell.

    A second call at the same time does nothing more: the case has a new time by then.
    """
    return [_escalate(session, case, now) for case in store.overdue(session, now)]


def _escalate(session: Session, case: Case, now: datetime) -> Escalation:
    owner = practices.find_staff(session, case.practice_id, case.owner) if case.owner else None
    deputy = owner.deputy_login if owner is not None and case.level == 0 else None
    active = deputy and practices.find_staff(session, case.practice_id, deputy)
    login, level = ((deputy, 1) if active and active.active
                    else (store.least_busy(session, case.practice_id, "manager"), 2))
    was = case.due_at
    case.level, case.owner = level, login or case.owner
    case.due_at = _due(session, case.practice_id, case.kind == EMERGENCY, now)
    _note(session, case, "plainbill", "notice",
          f"Not answered by {was.isoformat()}; goes to the {LEVELS[level]}: {login or 'nobody is on the list'}", now)
    return Escalation(case.practice_id, case.id, case.number, case.title, login or "", level)


def assign(session: Session, practice_id: str, ref: str, *, to: str, by: str, now: datetime) -> Case:
    """Give a case to somebody who works on cases. Raises CaseRefused."""
    case = store.lock(session, find(session, practice_id, ref).id)
    person = practices.find_staff(session, practice_id, to)
    if person is None or not person.active or "cases" not in RIGHTS[person.role]:
        raise CaseRefused(f"{to!r} is nobody here who works on cases")
    if case.status == "closed":
        raise CaseRefused(f"case {case.number} is closed")
    if case.owner != to:
        _note(session, case, by, "notice", f"Given to {to}", now)
    case.owner, case.level, case.told_level = to, 0, -1
    session.flush()
    return case
