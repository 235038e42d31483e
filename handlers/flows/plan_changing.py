"""Skip one, another day, a break, another card, the end of a plan: each is said back with its days and amounts, and
done on a certain yes. The practice's policy sets how far; beyond it a person decides.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

from billing import plan_schedule
from billing.commands import AskCard, Change, ChangePlan
from billing.plan_terms import Part
from billing.views import AccountView, InstalmentView, MethodView, PlanView
from config.payment_policy import PlanPolicy
from handlers.accounts import card_words, find_method
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import person, plan_words
from handlers.flows.paying import ASKED, ny_warning
from handlers.turns import ask, local_day, stay
from handlers.understanding import plans

NAME = "my_plan"
STEPS = ("day", "card", "change")
QUESTIONS = {"skip": "plan_skip_ask", "move_day": "plan_move_ask", "pause": "plan_pause_ask",
             "resume": "plan_resume_ask", "use_card": "plan_card_ask", "cancel": "plan_stop_ask"}
DONE = {"skip": "plan_skipped", "move_day": "plan_moved", "pause": "plan_paused_now", "resume": "plan_resumed",
        "use_card": "plan_card_used", "cancel": "plan_stopped"}


def begin(turn: Turn, account: AccountView, plan: PlanView, change: str, said: str) -> Decision:
    """``said``: the words of the wish, empty where it was a number of a list."""
    policy = turn.practice.policy.plans
    if policy is None:
        return person.start(turn, "plan")
    if change == "use_card":
        return ask_card(turn, account, plan)
    if not _allowed(turn, policy, plan, change):
        return _beyond(turn, change)
    if change == "move_day":
        return _move(turn, account, plan, said)
    data: dict[str, Any] = {}
    if change == "skip":
        following = plan.next
        data = {"number": following.number if following else 0}
    if change == "pause":
        data = {"on": _until(turn, policy).isoformat()}
    return _confirm(turn, account, plan, change, data)


def answer(turn: Turn, account: AccountView, plan: PlanView) -> Decision | None:
    state = turn.talk.state
    if turn.reading.intent == "no" and turn.reading.certain:
        return Decision((Reply("plan_stays"),))
    if state.step == "day":
        return _move(turn, account, plan, turn.reading.text) if _names_day(turn) else None
    if state.step == "card":
        return _card(turn, account, plan)
    if turn.reading.intent != "yes":
        return None
    if not turn.reading.certain:
        return stay(turn, question(turn, account, plan), missed=True)
    return _change(turn, account, plan)


def question(turn: Turn, account: AccountView, plan: PlanView) -> Reply:
    state = turn.talk.state
    if state.step == "day":
        return Reply("plan_which_day", {"weekly": plan.interval in plan_schedule.WEEKS,
                                        "twice": plan.interval == "twice_month"})
    if state.step == "card":
        return Reply("plan_card_which", {"card": card_words(_other_card(account, plan)), "ny": ny_warning(turn)})
    return _question(turn, account, plan, state.data)


def _allowed(turn: Turn, policy: PlanPolicy, plan: PlanView, change: str) -> bool:
    """Inside what the practice lets patients do by themselves."""
    if change == "move_day":
        return plan.status != "paused" and _coming(turn, plan) is not None
    if change == "skip":
        return plan.skips_left > 0 and plan.next is not None and plan.next.number > 0 and plan.status != "paused"
    if change == "pause":
        return policy.pause_days > 0 and plan.status != "paused"
    return plan.status == "paused" if change == "resume" else True


def _beyond(turn: Turn, change: str) -> Decision:
    if change == "resume":
        return Decision((Reply("plan_not_paused"),))
    handed = person.start(turn, "plan_change")
    return Decision((Reply("plan_beyond"), *handed.replies)).also(*handed.commands)


def _confirm(turn: Turn, account: AccountView, plan: PlanView, change: str, data: dict[str, Any]) -> Decision:
    data = {**data, "change": change, "plan": plan.plan_id, "plan_version": plan.version, "expects": ""}
    return ask(turn, NAME, "change", data, _question(turn, account, plan, data))


def _question(turn: Turn, account: AccountView, plan: PlanView, data: Any) -> Reply:
    """The one question that a yes answers, with what changes by it."""
    change = data["change"]
    following = _coming(turn, plan) if change == "move_day" else plan.next
    next_on = following.due_on.isoformat() if following else None
    amount = following.open_minor if following else 0
    words: dict[str, Any] = {}
    if change == "skip":
        words = {"due_on": next_on, "amount_minor": amount, "last_on": _after_last(plan)}
    elif change == "move_day":
        words = {"due_on": _moved_first(turn, plan, data), "amount_minor": amount, "every": plan.interval}
    elif change == "pause":
        words = {"until_on": data["on"]}
    elif change == "resume":
        words = {"amount_minor": amount, "card": card_words(plan.method)}
    elif change == "use_card":
        words = {"card": card_words(find_method(account, data["method"])), "ny": ny_warning(turn),
                 "most_minor": max((one.open_minor for one in plan.instalments), default=0)}
    else:
        words = {"left_minor": plan.left_minor}
    return Reply(QUESTIONS[change], words)


def _change(turn: Turn, account: AccountView, plan: PlanView) -> Decision:
    """The words kept are those of the question that the yes answers (billing/agreed_words.py)."""
    data = turn.talk.state.data
    if data["plan"] != plan.plan_id or data["plan_version"] != plan.version:
        return moved_on(turn, plan)
    change = str(data["change"])
    on = date.fromisoformat(data["on"]) if data.get("on") else None
    command = ChangePlan(account.account_id, plan.plan_id, plan.version, cast(Change, change),
                         ASKED + QUESTIONS[change], on, data.get("number"), tuple(data.get("days", ())),
                         data.get("method"))
    return Decision((Reply(DONE[change]),)).also(command)


def moved_on(turn: Turn, plan: PlanView) -> Decision:
    """The plan changed between question and yes: nothing is done, and how it stands is said."""
    return Decision((Reply("plan_changed_meanwhile"), Reply("plan_status", plan_words.status(plan))))


# -- another day ------------------------------------------------------------------------------------------------------


def _names_day(turn: Turn) -> bool:
    slots = turn.reading.slots
    language = turn.reading.language or turn.talk.language
    found = plans.find_day_of_month(turn.reading.text, slots, language)
    return bool(found or slots.date or plans.find_two_days(turn.reading.text, language))


def _move(turn: Turn, account: AccountView, plan: PlanView, text: str) -> Decision:
    """To the day that was named; a day that is not one of this plan's rhythm is asked for again."""
    slots, language = turn.reading.slots, turn.reading.language or turn.talk.language
    data: dict[str, Any] = {}
    if plan.interval in plan_schedule.WEEKS:
        data = {"on": slots.date.isoformat()} if slots.date else {}
    elif plan.interval == "twice_month":
        data = {"days": list(plans.find_two_days(text, language))}
    else:
        day = plans.find_day_of_month(text, slots, language)
        data = {"days": [day]} if day else {}
    if plan.next is None or not any(data.values()):
        asked = {"expects": "choice"}
        reply = Reply("plan_which_day", {"weekly": plan.interval in plan_schedule.WEEKS,
                                         "twice": plan.interval == "twice_month"})
        return ask(turn, NAME, "day", asked, reply)
    return _confirm(turn, account, plan, "move_day", data)


def _moved_first(turn: Turn, plan: PlanView, data: Any) -> str:
    """The day of the first instalment that moves, late enough for its notice."""
    policy, first = turn.practice.policy.plans or PlanPolicy(), _coming(turn, plan)
    weekday = date.fromisoformat(data["on"]).weekday() if data.get("on") else None
    ahead = policy.notice_days if plan.collects == "autopay" else 1
    number = first.number if first else 0
    moved = plan_schedule.move_days(_open_parts(plan), number, plan.interval, tuple(data.get("days", ())), weekday,
                                    local_day(turn, turn.now) + timedelta(ahead))
    return next(part.due_on.isoformat() for part in moved if part.number == number)


def _coming(turn: Turn, plan: PlanView) -> InstalmentView | None:
    """The next instalment that nothing has been tried for (billing/plan_changes.py moves from there on)."""
    today = local_day(turn, turn.now)
    return next((one for one in plan.instalments if one.open_minor > 0 and one.number > 0 and one.due_on >= today
                 and one.status in ("planned", "noticed")), None)


def _open_parts(plan: PlanView) -> tuple[Part, ...]:
    return tuple(Part(one.number, one.due_on, one.open_minor) for one in plan.instalments if one.open_minor > 0)


def _after_last(plan: PlanView) -> str:
    last = max(one.due_on for one in plan.instalments)
    return plan_schedule.following(last, plan.interval, plan.days).isoformat()


def _until(turn: Turn, policy: PlanPolicy) -> date:
    """The day that was named, else as long as the policy lets a plan rest."""
    today = local_day(turn, turn.now)
    latest = today + timedelta(policy.pause_days)
    named = turn.reading.slots.date
    return named if named is not None and today < named <= latest else latest


# -- another card -----------------------------------------------------------------------------------------------------


def _other_card(account: AccountView, plan: PlanView) -> MethodView | None:
    """A card on file that the plan does not use yet."""
    used = plan.method.method_id if plan.method else None
    return next((method for method in account.methods if method.method_id != used), None)


def ask_card(turn: Turn, account: AccountView, plan: PlanView) -> Decision:
    """One that is on file already may be named in the thread; a new one is given on a page (T-52)."""
    other = _other_card(account, plan)
    if other is None:
        return new_card(turn, account, plan)
    reply = Reply("plan_card_which", {"card": card_words(other), "ny": ny_warning(turn)})
    return ask(turn, NAME, "card", {"expects": "choice"}, reply)


def _card(turn: Turn, account: AccountView, plan: PlanView) -> Decision | None:
    choices, other = turn.reading.slots.choices, _other_card(account, plan)
    if choices == (1,) and other is not None:
        return _confirm(turn, account, plan, "use_card", {"method": other.method_id})
    return new_card(turn, account, plan) if choices == (2,) else None


def new_card(turn: Turn, account: AccountView, plan: PlanView) -> Decision:
    command = AskCard(account.account_id, "plan_card", turn.talk.language, plan.plan_id)
    return Decision((Reply("card_link", {"url": Result(command.ref), "ny": ny_warning(turn)}),)).also(command)
