"""Why do I owe this: the steps of the derivation, sentence by sentence. What does not foot is never shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from billing.views import AccountView, Step, VisitView
from handlers.accounts import LISTED, list_visits, open_visits
from handlers.core import Decision, Reply, Turn
from handlers.flows import links, menu, rights, verify
from handlers.flows.flow import Flow
from handlers.turns import answer_by, ask, open_case

NAME = "explain"
STEPS = ("which",)
_STEPS_A_TEXT = 6


def start(turn: Turn, intent: str) -> Decision:
    account = links.shown_account(turn, intent)
    if isinstance(account, Decision):
        return account
    visits = open_visits(account)
    if not visits:
        return Decision((Reply("explain_nothing"),))
    if len(visits) == 1:
        return _tell(turn, account, visits)
    chosen = _chosen(turn, visits)
    return _tell(turn, account, chosen) if chosen else _which(turn, account)


def answer(turn: Turn) -> Decision | None:
    account = turn.account
    if account is None:
        return verify.first(turn, "explain")
    by_id = {visit.visit_id: visit for visit in account.visits}
    listed = [by_id[one] for one in turn.talk.state.data.get("visits", ()) if one in by_id]
    chosen = _chosen(turn, listed)
    return _tell(turn, account, chosen) if chosen else None


def repeat(turn: Turn) -> tuple[Reply, ...]:
    account = turn.account
    return _which(turn, account).replies if account else ()


def _which(turn: Turn, account: AccountView) -> Decision:
    visits = open_visits(account)[-LISTED:]
    data = {"visits": [visit.visit_id for visit in visits], "expects": "choice"}
    return ask(turn, NAME, "which", data, Reply("explain_which", {"visits": list_visits(visits, "patient_minor")}))


def _chosen(turn: Turn, visits: Sequence[VisitView]) -> list[VisitView]:
    slots = turn.reading.slots
    if slots.amount_is_all:
        return list(visits[:LISTED])
    numbers = (int(slots.visit),) if slots.visit and slots.visit.isdecimal() else slots.choices
    return [visits[number - 1] for number in numbers if 1 <= number <= len(visits)]


def _tell(turn: Turn, account: AccountView, visits: Sequence[VisitView]) -> Decision:
    decision = Decision()
    for visit in visits:
        told = _tell_one(turn, account, visit)
        decision = Decision(decision.replies + told.replies).also(*decision.commands, *told.commands)
    owed = any(visit.figures.due_now_minor > 0 for visit in visits)
    state = turn.talk.state  # a question that waits behind this one is put again instead
    idle = state.flow in ("", NAME, verify.NAME, menu.NAME)
    if owed and not decision.commands and "parked" not in state.data and idle:
        return Decision((*decision.replies, Reply("explain_next"))).also(*decision.commands)
    return decision


def _tell_one(turn: Turn, account: AccountView, visit: VisitView) -> Decision:
    explanation = visit.explanation
    if explanation is None or not explanation.foots:
        return _mismatch(turn, visit, explanation.reason if explanation else "no derivation was made")
    shown = {"number": 1, "on": visit.service_on.isoformat() if visit.service_on else None}
    barred = rights.in_program(account, visit)
    steps = [_as_data(step, visit.figures.due_now_minor, barred) for step in explanation.steps]
    parts = [steps[at:at + _STEPS_A_TEXT] for at in range(0, len(steps), _STEPS_A_TEXT)]
    told = tuple(Reply("explain_visit", {"visit": shown, "steps": part, "first": place == 0})
                 for place, part in enumerate(parts))
    return Decision((*told, *rights.notices(account, (visit,))))


def _mismatch(turn: Turn, visit: VisitView, reason: str) -> Decision:
    """Never a guess: nothing of it is shown, nobody asks for it until a person has looked.

    The hold is a dispute's: until the numbers foot, the bill is in question whoever noticed it.
    """
    case = open_case(turn, "explain_mismatch", "A bill does not add up", "dispute", visit.visit_id,
                     reason)
    return Decision((Reply("explain_mismatch", {"by_at": answer_by(turn)}),)).also(case)


def _as_data(step: Step, due_minor: int, barred: bool) -> dict[str, Any]:
    """``due_minor`` beside what is left: held or pending money is never called the patient's to pay. ``barred``: no
    waiver makes it billable (T-57), so no words about checking one.
    """
    kind = "other_patient" if barred and step.kind == "waiver_check" else step.kind
    return {"kind": kind, "amount_minor": step.amount_minor, "payer_name": step.payer_name, "code": step.code,
            "due_minor": due_minor if step.kind == "left" else None}


FLOW = Flow(NAME, STEPS, ("explain",), start, answer, repeat, needs_account=True)
