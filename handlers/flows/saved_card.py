"""The card on file: which it is, take it off, put another there. A card is given on a page only (T-52), and removing it
stops every charge that it was for (T-50).
"""

from __future__ import annotations

import re

from billing.commands import AskCard, RemoveCard
from billing.views import AccountView
from handlers.accounts import card_words, find_method, running_plan
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import links, person, plan_changing, verify
from handlers.flows.flow import Flow
from handlers.flows.paying import ny_warning
from handlers.turns import ask, keep_wish, stay, wish
from handlers.understanding import plans
from handlers.understanding.folding import fold

NAME = "saved_card"
STEPS = ("choose", "remove")
_REMOVE = re.compile(r"\b(?:remov\w*|delet\w*|eras\w*|forget|take (?:it |my card )?off|get rid|drop|borr\w+|quit\w+|"
                     r"elimin\w+|olvid\w+|sac\w+)\b")


def start(turn: Turn, intent: str) -> Decision:
    account, policy = turn.account, turn.practice.policy
    if not policy.payments.saved_cards or (policy.plans is None and account is not None and not account.methods):
        return person.start(turn, NAME)
    if account is None:
        return verify.first(turn, intent, keep_wish(turn))
    if not account.detail_allowed:
        return links.view(account)
    if _REMOVE.search(fold(wish(turn))) and account.methods:
        return _ask_remove(turn, account)
    if plans.find_change(wish(turn)) == "use_card":
        return _new(turn, account)
    return ask(turn, NAME, "choose", {"expects": "choice"}, _listed(account, turn))


def answer(turn: Turn) -> Decision | None:
    account = turn.account
    if account is None:
        return verify.first(turn, NAME, keep_wish(turn))
    if turn.reading.intent == "no" and turn.reading.certain:
        return Decision((Reply("thanks"),))
    return _choose(turn, account) if turn.talk.state.step == "choose" else _remove(turn, account)


def repeat(turn: Turn) -> tuple[Reply, ...]:
    account = turn.account
    if account is None:
        return ()
    if turn.talk.state.step == "choose":
        return (_listed(account, turn),)
    method = find_method(account, turn.talk.state.data["method"])
    return (Reply("card_remove_ask", {"card": card_words(method)}),) if method else (Reply("card_none"),)


def _listed(account: AccountView, turn: Turn) -> Reply:
    if not account.methods:
        return Reply("card_offer", {"ny": ny_warning(turn)})
    cards = [{"number": number, **(card_words(method) or {})} for number, method in enumerate(account.methods[:3], 1)]
    return Reply("card_list", {"cards": cards, "ny": ny_warning(turn)})


def _choose(turn: Turn, account: AccountView) -> Decision | None:
    """1 puts a card on file, 2 takes one off."""
    choices, said = turn.reading.slots.choices, fold(turn.reading.text)
    if choices == (1,) or plans.find_change(turn.reading.text) == "use_card":
        return _new(turn, account)
    if account.methods and (choices == (2,) or _REMOVE.search(said)):
        return _ask_remove(turn, account)
    return _new(turn, account) if turn.reading.intent == "yes" and not account.methods else None


def _new(turn: Turn, account: AccountView) -> Decision:
    """For a plan that runs, its card; else one for when the patient pays by text."""
    plan = running_plan(account)
    if plan is not None and turn.practice.policy.plans is not None:
        return plan_changing.ask_card(turn, account, plan)
    command = AskCard(account.account_id, "card", turn.talk.language)
    return Decision((Reply("card_link", {"url": Result(command.ref), "ny": ny_warning(turn)}),)).also(command)


def _ask_remove(turn: Turn, account: AccountView) -> Decision:
    """The one whose last four digits were said, else the newest."""
    said = next((one for one in account.methods if one.last4 in wish(turn)), account.methods[0])
    data = {"method": said.method_id, "expects": ""}
    return ask(turn, NAME, "remove", data, Reply("card_remove_ask", {"card": card_words(said)}))


def _remove(turn: Turn, account: AccountView) -> Decision | None:
    method = find_method(account, turn.talk.state.data["method"])
    if method is None:
        return Decision((Reply("card_none"),))
    if turn.reading.intent != "yes":
        return None
    if not turn.reading.certain:
        return stay(turn, *repeat(turn), missed=True)
    command = RemoveCard(account.account_id, method.method_id, turn.reading.text)
    return Decision((Reply("card_removed", {"card": card_words(method)}),)).also(command)


FLOW = Flow(NAME, STEPS, (NAME,), start, answer, repeat, needs_account=True)
