"""From a chosen offer to an agreement: how it is collected, the whole schedule in exact words, and a certain yes.

Autopay is a choice among others, never a condition (T-48: 12 CFR 1005.10(e)(1)). Up to four instalments by link or
with the card on file are agreed to in the thread; longer plans have disclosures before signing (T-47), and a new card
is given on a page (T-52): both are signed there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from billing.commands import AgreePlan, OfferPlan
from billing.plan_offers import Offer
from billing.plan_terms import Collects, PlanTerms
from billing.views import AccountView, MethodView, PlanView
from config.payment_policy import PlanPolicy
from handlers.accounts import card_words, find_method
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import plan_words
from handlers.flows.paying import ASKED, card_on_file, ny_warning
from handlers.turns import ask, practice, stay

NAME = "plan"
IN_THREAD, ON_PAGE = "plan_confirm", "plan_confirm_page"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The offer that the patient took, the policy it is inside of, the running plan that it would replace."""

    offer: Offer
    policy: PlanPolicy
    replaces: PlanView | None

    def terms(self, data: dict[str, Any]) -> PlanTerms:
        collects: Collects = "autopay" if data["collects"] != "link" else "link"
        return self.offer.terms(collects, data["method"], self.replaces.plan_id if self.replaces else None)


def begin(turn: Turn, account: AccountView, chosen: Chosen, data: dict[str, Any]) -> Decision:
    """Ask how it is collected, where there is a choice at all."""
    data = {**data, "offer": fingerprint(chosen.offer), "expects": "choice", "method": None}
    if not _card_possible(turn, chosen):
        return _confirm(turn, account, chosen, {**data, "collects": "link"})
    return ask(turn, NAME, "collect", data, _ask_how(turn, account))


def answer(turn: Turn, account: AccountView, chosen: Chosen) -> Decision | None:
    if turn.reading.intent == "no" and turn.reading.certain:
        return Decision((Reply("plan_not_now"),))
    if turn.talk.state.step == "collect":
        return _collect(turn, account, chosen)
    if turn.reading.intent != "yes":
        return None
    if not turn.reading.certain:  # what merely sounds like a yes binds nobody: asked again
        return stay(turn, question(turn, account, chosen), missed=True)
    return _agree(turn, account, chosen)


def question(turn: Turn, account: AccountView, chosen: Chosen) -> Reply:
    """The question of the current step."""
    if turn.talk.state.step == "collect":
        return _ask_how(turn, account)
    return _words(turn, account, chosen, dict(turn.talk.state.data))


def fingerprint(offer: Offer) -> list[Any]:
    """Enough of an offer to see that what is agreed to is what was shown."""
    shown = plan_words.one(offer)
    return [shown[name] for name in ("count", "amount_minor", "last_minor", "deposit_minor", "first_on", "last_on")]


def _card_possible(turn: Turn, chosen: Chosen) -> bool:
    return chosen.policy.autopay and turn.practice.policy.payments.saved_cards


def _ask_how(turn: Turn, account: AccountView) -> Reply:
    method = card_on_file(turn, account)
    if method is None:
        return Reply("plan_collect_new", {"ny": ny_warning(turn)})
    return Reply("plan_collect", {"card": card_words(method), "ny": ny_warning(turn)})


def _collect(turn: Turn, account: AccountView, chosen: Chosen) -> Decision | None:
    """Numbers as they were listed: the card on file (where there is one), another card, a link each time."""
    method = card_on_file(turn, account)
    ways: list[tuple[str, MethodView | None]] = [("card", None), ("link", None)]
    if method is not None:
        ways.insert(0, ("saved", method))
    choices = turn.reading.slots.choices
    if len(choices) != 1 or choices[0] > len(ways):
        return None
    collects, chosen_method = ways[choices[0] - 1]
    data = {**turn.talk.state.data, "collects": collects, "expects": "",
            "method": chosen_method.method_id if chosen_method else None}
    return _confirm(turn, account, chosen, data)


def _confirm(turn: Turn, account: AccountView, chosen: Chosen, data: dict[str, Any]) -> Decision:
    return ask(turn, NAME, "confirm", {**data, "expects": ""}, _words(turn, account, chosen, data))


def _signs_in_thread(offer: Offer, data: dict[str, Any]) -> bool:
    return not offer.needs_disclosures and data["collects"] != "card"


def _words(turn: Turn, account: AccountView, chosen: Chosen, data: dict[str, Any]) -> Reply:
    """The agreement itself, with every day and amount; or what will stand on the page where it is signed."""
    method = find_method(account, data["method"])
    offer, common = chosen.offer, {"practice": practice(turn), "card": card_words(method),
                                   "replaces": chosen.replaces is not None}
    if _signs_in_thread(offer, data):
        return Reply(IN_THREAD, {
            **common, "parts": plan_words.parts(offer.parts), "most_minor": plan_words.most_minor(offer),
            "total_minor": plan_words.one(offer)["total_minor"], "notice_days": chosen.policy.notice_days})
    return Reply(ON_PAGE, {**common, "offer": plan_words.one(offer), "new_card": data["collects"] == "card",
                           "ny": data["collects"] == "card" and ny_warning(turn)})


def _agree(turn: Turn, account: AccountView, chosen: Chosen) -> Decision:
    data = dict(turn.talk.state.data)
    if data["method"] and find_method(account, data["method"]) is None:
        return Decision((Reply("pay_card_gone"),))
    terms = chosen.terms(data)
    if not _signs_in_thread(chosen.offer, data):
        offered = OfferPlan(account.account_id, terms, data["version"], turn.talk.language)
        return Decision((Reply("plan_sign", {"url": Result(offered.ref)}),)).also(offered)
    mark = ASKED + IN_THREAD
    return Decision((Reply("plan_agreed_thanks"),)).also(
        AgreePlan(account.account_id, terms, mark, mark, data["version"], turn.talk.language))
