"""A plan that runs: how it stands, and whatever the patient wants of it. Taking back the permission to charge is done
at once, in any words and without a question (T-48).
"""

from __future__ import annotations

from typing import Any

from billing.commands import ChangePlan, Command
from billing.views import AccountView, PlanView
from handlers import filing, own_words
from handlers.accounts import running_plan
from handlers.core import Decision, Reply, State, Text, Turn
from handlers.filing import Matter
from handlers.flows import links, person, plan_changing, plan_early, plan_words, taking_back, verify
from handlers.flows.flow import Flow
from handlers.turns import answer_by, ask, keep_wish, phone, wish
from handlers.understanding import plans

NAME = "my_plan"
STEPS = ("menu", "day", "card", "change", "amount", "pay", "extra")
STOP_CHARGES, PAY = "stop_charges", "pay_plan"
MATTER = Matter("autopay_stop", "autopay_stop", "Patient takes back the permission to charge")
#: The choices of plan_status, by number; the last is a person.
CHOICES = ("pay_early", "skip", "move_day", "use_card", "person")
#: What only a plan can be asked for, where a plan runs: read here when nothing else was made of the text.
_OWN = frozenset({"skip", "move_day", "pause", "resume"})
_VAGUE = frozenset({"out_of_scope", "due_date", "preferences", "no", "yes", "thanks", "goodbye"})
_EARLY = frozenset({"pay_early", "pay_next", "pay_off", "pay_extra"})


def interrupts(turn: Turn) -> bool:
    """Whether this text takes back the permission to charge a card, whatever had been asked before it.

    Of a verified account it counts where something may be charged at all; of a number that nobody is verified on it
    counts always, so that the answer tells nobody whether there is a plan (T-34).
    """
    if turn.practice.policy.plans is None or not isinstance(turn.message, Text):
        return False
    if turn.account is not None and not _charged(turn.account):
        return False
    return plans.stops_charges(turn.reading.text)


def concerns(turn: Turn) -> bool:
    """"Move it to the 20th": no subject of its own, but plain to somebody whose plan runs."""
    if turn.account is None or turn.practice.policy.plans is None or running_plan(turn.account) is None:
        return False
    said = turn.reading.text
    return turn.reading.intent in _VAGUE and not turn.reading.certain and (
        plans.find_change(said) in _OWN or plans.asks_about_charges(said))


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if turn.practice.policy.plans is None:
        return person.start(turn, "plan")
    if intent == STOP_CHARGES:
        return _stop_charges(turn)
    if account is None:
        return verify.first(turn, intent, keep_wish(turn))
    plan = running_plan(account)
    if plan is None:
        return Decision((Reply("plan_none"),))
    change = plans.find_change(wish(turn))
    if change == "pay_by_link":
        return _stop_charges(turn)
    if account.stale:
        return Decision((Reply("stale", {"phone": phone(turn)}),))
    if not account.detail_allowed:
        return links.view(account)
    if change or intent == PAY:
        return _do(turn, account, plan, change or "pay_early", wish(turn))
    return _status(turn, plan)


def answer(turn: Turn) -> Decision | None:
    account, step = turn.account, turn.talk.state.step
    if account is None:
        return verify.first(turn, NAME, keep_wish(turn))
    plan = running_plan(account)
    if plan is None:
        return Decision((Reply("plan_none"),))
    if step in plan_early.STEPS:
        return plan_early.answer(turn, account, plan)
    if step in plan_changing.STEPS:
        return plan_changing.answer(turn, account, plan)
    return _menu(turn, account, plan)


def repeat(turn: Turn) -> tuple[Reply, ...]:
    account, step = turn.account, turn.talk.state.step
    plan = running_plan(account) if account is not None else None
    if account is None or plan is None:
        return (Reply("plan_none"),)
    if step in plan_early.STEPS:
        return (plan_early.question(turn, account, plan),)
    if step in plan_changing.STEPS:
        return (plan_changing.question(turn, account, plan),)
    return (Reply("plan_status", plan_words.status(plan)),)


def silence(turn: Turn) -> Decision:
    """Nobody said how an extra payment is to count: it counts as the plan has it. All else was only asked."""
    return Decision((Reply("plan_extra_silence" if turn.talk.state.step == "extra" else "timeout"),))


def _status(turn: Turn, plan: PlanView) -> Decision:
    return ask(turn, NAME, "menu", {"expects": "choice"}, Reply("plan_status", plan_words.status(plan)))


def _menu(turn: Turn, account: AccountView, plan: PlanView) -> Decision | None:
    choices = turn.reading.slots.choices
    if choices:
        return _do(turn, account, plan, CHOICES[choices[0] - 1], "") if choices[0] <= len(CHOICES) else None
    if turn.reading.intent in ("no", "thanks", "goodbye"):
        return Decision((Reply("thanks"),))
    change = plans.find_change(turn.reading.text)
    return _do(turn, account, plan, change, turn.reading.text) if change else None


def _do(turn: Turn, account: AccountView, plan: PlanView, change: str, said: str) -> Decision:
    if change == "person":
        return person.start(turn, "human")
    if change == "pay_by_link":  # also of a plan that is charged for nothing: then it hears that
        return _stop_charges(turn)
    if change in _EARLY:
        return plan_early.begin(turn, account, plan, change)
    return plan_changing.begin(turn, account, plan, change, said)


def _stop_charges(turn: Turn) -> Decision:
    """Done at once. Before identity is proved the number's accounts are held, so that nothing is charged meanwhile."""
    if turn.account is None:
        return filing.before_identity(turn, MATTER, STOP_CHARGES, Reply("charges_heard", {"by_at": answer_by(turn)}))
    commands: list[Command] = []
    if filing.SAID in turn.talk.state.data:  # held before identity was proved: that case becomes this account's
        commands.append(filing.open_case(turn, MATTER))
    charged = _charged(turn.account)
    commands += [ChangePlan(turn.account.account_id, plan.plan_id, plan.version, "pay_by_link", _wording(turn))
                 for plan in charged]
    commands += taking_back.commands(turn)
    under_way = any(one.status == "charging" for plan in charged for one in plan.instalments)
    reply = Reply("plan_no_charges", {"under_way": under_way}) if charged else Reply("plan_no_autopay")
    return Decision((reply,)).also(*commands)


def _wording(turn: Turn) -> str:
    said: dict[str, Any] = turn.talk.state.data.get(filing.SAID, {})
    return str(said.get("words") or wish(turn))[:own_words.MOST]


def _charged(account: AccountView) -> tuple[PlanView, ...]:
    """The running plans that a card or a bank account is charged for."""
    return tuple(plan for plan in account.plans if plan.runs and plan.collects == "autopay")


def hand_over(words: str) -> Decision:
    """Go on here in the same turn with what was said before a question in between."""
    return Decision((), State(data={"slots": {"said": words[:300]}}, after=NAME))


FLOW = Flow(NAME, STEPS, (NAME, STOP_CHARGES, PAY), start, answer, repeat, needs_account=True, silence=silence)
