"""Money and agreements in a random conversation: each is what the last question said, answered by a plain yes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from billing.commands import AgreePlan, ChangePlan, ChargeSavedCard, OfferPlan, RemoveCard, RequestPayment
from billing.views import AccountView, Figures
from handlers.core import Reply
from tests.conversations.people import PLANS
from tests.conversations.thread import Moment

Money = RequestPayment | ChargeSavedCard | AgreePlan | OfferPlan | RemoveCard | ChangePlan
#: Where a yes to an amount, an agreement or a change is waited for.
_ASKING = {"pay.confirm", "placed.confirm", "my_plan.pay", "my_plan.change", "plan.confirm", "saved_card.remove"}
_QUESTIONS = {"pay_confirm", "pay_confirm_card", "plan_confirm", "plan_confirm_page", "plan_skip_ask", "plan_move_ask",
              "plan_pause_ask", "plan_resume_ask", "plan_card_ask", "plan_stop_ask", "card_remove_ask"}
_LINK = {"link", "enlace"}
#: Done in any words and at once: taking back a permission, and how an extra payment counts.
_FREE = ("pay_by_link", "on_extra")


def judge(moments: Sequence[Moment], account: AccountView | None, certain: Callable[[str], bool]) -> str:
    asked = [one for one in moments[-1].decision.commands if isinstance(one, Money)
             and not (isinstance(one, ChangePlan) and one.change in _FREE)]
    if not asked:
        return ""
    (command,), now = asked, moments[-1]
    if account is None or account.account_id != command.account_id or not account.detail_allowed:
        return f"{type(command).__name__} for an account that is not verified"
    question = _question(moments[:-1])
    if question is None or question[1] != account.account_id:
        return f"{type(command).__name__} without its question before it"
    said = now.turn.reading.text
    by_link = isinstance(command, RequestPayment) and question[0].template == "pay_confirm_card"
    if not now.is_text or not (_is_link(said) if by_link else certain(said)):
        return f"{type(command).__name__}, and {said!r} is no certain yes"
    return _matches(command, question[0], account)


def _is_link(said: str) -> bool:
    words = "".join(c if c.isalnum() else " " for c in said.casefold()).split()
    return bool(_LINK & set(words)) or {"otra", "another", "other", "new", "different", "page", "pagina", "página",
                                        "liga"} & set(words) != set()


def _question(moments: Sequence[Moment]) -> tuple[Reply, str] | None:
    """The newest of our questions that is still open, and whose account it was about."""
    for one in reversed(moments):
        if f"{one.after.state.flow}.{one.after.state.step}" not in _ASKING:
            return None
        for reply in reversed(one.decision.replies):
            if reply.template in _QUESTIONS:
                return reply, one.after.account_id or ""
    return None


def _matches(command: Money, question: Reply, account: AccountView) -> str:
    match command:
        case RequestPayment() | ChargeSavedCard():
            return _payment(command, question, account)
        case AgreePlan() | OfferPlan():
            return _agreement(command, question, account)
        case ChangePlan():
            plan = next((one for one in account.plans if one.plan_id == command.plan_id), None)
            if plan is None or plan.version != command.plan_version or not plan.runs:
                return "a change of a plan that moved on"
            return "" if command.wording == f"asked:{question.template}" else f"{question.template} was asked"
        case RemoveCard():
            return _names(question.arguments["card"], command.method_id, account)


def _payment(command: RequestPayment | ChargeSavedCard, question: Reply, account: AccountView) -> str:
    if question.template not in ("pay_confirm", "pay_confirm_card"):
        return f"a payment after {question.template}"
    parts = {visit.visit_id: _payable_minor(visit.figures, command.early)
             for visit in account.visits if not visit.confidential}
    if (sum(part for _, part in command.split) != command.amount_minor
            or any(not 0 < part <= parts.get(visit, 0) for visit, part in command.split)):
        return f"the split {command.split} is not the amount, or more than may be paid"
    days = {visit.service_on.isoformat() for visit in account.visits
            if visit.visit_id in dict(command.split) and visit.service_on}
    named = {str(visit["on"]) for visit in question.arguments["visits"]}
    if (question.arguments["amount_minor"], named) != (command.amount_minor, days):
        return f"a payment of {command.amount_minor} for {days}, and another was confirmed"
    if command.balance_version != account.balance_version:
        return "a payment on a balance that has moved"
    if isinstance(command, ChargeSavedCard):
        return _names(question.arguments.get("card"), command.method_id, account)
    return ""


def _payable_minor(figures: Figures, early: bool) -> int:
    """What is due; of the patient's own wish also what is on a plan or with an agency."""
    return figures.due_now_minor + (figures.on_plan_minor + figures.placed_minor if early else 0)


def _agreement(command: AgreePlan | OfferPlan, question: Reply, account: AccountView) -> str:
    terms = command.terms
    owed = {visit.visit_id: visit.figures.due_now_minor + visit.figures.on_plan_minor for visit in account.visits}
    if any(not 0 < part <= owed.get(visit, 0) for visit, part in terms.visits):
        return "a plan above what its visits owe"
    if terms.total_minor != sum(part for _, part in terms.visits) or command.balance_version != account.balance_version:
        return "a plan that does not foot, or on a balance that has moved"
    if isinstance(command, OfferPlan):
        shown = question.arguments.get("offer", {})
        exact = (shown.get("total_minor"), shown.get("count")) == (terms.total_minor, len(terms.instalments))
        return "" if question.template == "plan_confirm_page" and exact else "another plan was shown"
    shown_parts = [(part["on"], part["amount_minor"]) for part in question.arguments.get("parts", ())]
    agreed = [(part.due_on.isoformat(), part.amount_minor) for part in terms.parts]
    if question.template != "plan_confirm" or shown_parts != agreed:
        return "another schedule was shown"
    if terms.needs_disclosures:
        return "five instalments agreed to in the thread (T-47)"
    return _names(question.arguments["card"], terms.method_id, account) if terms.method_id else ""


def _names(card: Mapping[str, Any] | None, method_id: str, account: AccountView) -> str:
    method = next((one for one in account.methods if one.method_id == method_id), None)
    return "" if method is not None and card is not None and card["last4"] == method.last4 else "another card was named"


def of_offers(reply: Reply, legal: frozenset[int]) -> set[int]:
    """The amounts that a plan's words may name: they foot to a total that is the account's own."""
    policy, words = PLANS.plans, reply.arguments
    assert policy is not None
    found = {policy.minimum_instalment_minor} if reply.template == "plan_nearest" else set()
    if reply.template == "plan_too_small":
        found.add(policy.minimum_balance_minor)
    if words.get("total_minor") not in legal:
        offer = words.get("offer")
        if not isinstance(offer, Mapping) or offer["total_minor"] not in legal:
            return found
    offers = [*words.get("offers", ()), *([words["offer"]] if "offer" in words else [])]
    for one in offers:
        sums = one["deposit_minor"] + one["amount_minor"] * (one["count"] - 1) + one["last_minor"]
        if sums == one["total_minor"]:
            found |= {one["amount_minor"], one["last_minor"], one["deposit_minor"], one["total_minor"]}
    parts = [part["amount_minor"] for part in words.get("parts", ())]
    if parts and sum(parts) == words["total_minor"]:
        found |= set(parts)
    return found


_ONES = ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
         "eighteen nineteen")
_UNOS = ("uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete "
         "dieciocho diecinueve")
_TENS = ("twenty thirty forty fifty sixty seventy eighty ninety",
         "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa")
_NUMBERS = {
    **{word: number for words in (_ONES, _UNOS) for number, word in enumerate(words.split(), 1)},
    **{word: 10 * ten for words in _TENS for ten, word in enumerate(words.split(), 2)}, "hundred": 100, "cien": 100}


def spoken(text: str) -> set[int]:
    """Cents of every amount that may be meant by the numbers of a text, in digits or words, with cents or without:
    "treinta dolares con 50 centavos" may be $30, $50 and $30.50.
    """
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    single = {int(word) if word.isdigit() else _NUMBERS.get(word, 0) for word in re.findall(r"\d{1,5}|[a-z]+", plain)}
    whole = {*single, *(ten + one for ten, one in product(single, single) if ten >= 20 and 0 < one < 10)}
    return {100 * dollars + cents for dollars, cents in product(whole - {0}, {0} | {one for one in whole if one < 100})}
