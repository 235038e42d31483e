"""From an exact amount to its question and its command: the card on file, or a link. One yes, one payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from billing.commands import CancelPayment, ChargeSavedCard, Command, RequestPayment
from billing.payment_status import OPEN
from billing.views import AccountView, MethodView, PlanView, VisitView
from handlers.accounts import card_words, find_method, list_visits, open_minor, split_payment
from handlers.core import Decision, Reply, Result, Turn
from handlers.understanding.folding import fold

#: The words that were agreed to are those of the question as it left (billing/agreed_words.py).
ASKED = "asked:"
CARD = "pay_confirm_card"
_BY_LINK = frozenset({
    "link", "the link", "a link", "send link", "send a link", "send me a link", "send me the link", "link please",
    "by link", "with a link", "page", "another card", "other card", "a different card", "different card", "new card",
    "a new card", "enlace", "el enlace", "un enlace", "por enlace", "con enlace", "enlace por favor", "liga", "pagina",
    "mandeme el enlace", "mandeme un enlace", "otra tarjeta", "con otra tarjeta", "otra", "tarjeta nueva"})


def ny_warning(turn: Turn) -> bool:
    """Whether words that ask for a card say what paying by card gives up (T-54: NY GBL 519-a)."""
    policy = turn.practice.policy
    return policy.region == "NY" and policy.payments.ny_card_warning


def card_on_file(turn: Turn, account: AccountView) -> MethodView | None:
    return account.methods[0] if account.methods and turn.practice.policy.payments.saved_cards else None


def wants_link(turn: Turn) -> bool:
    return fold(turn.reading.text) in _BY_LINK


def asked_for(turn: Turn, account: AccountView, amount_minor: int, visits: Sequence[VisitView],
              plan: PlanView | None = None) -> dict[str, Any]:
    """What waits for its yes, as a state's data. Whatever is more than is due now goes to ``plan`` early."""
    due = sum(visit.figures.due_now_minor for visit in visits)
    split = split_payment(amount_minor, visits, early=amount_minor > due)
    method, following = card_on_file(turn, account), plan.next if plan is not None else None
    exact = following is not None and following.open_minor == amount_minor
    return {"amount_minor": amount_minor, "visits": [visit_id for visit_id, _ in split],
            "version": account.balance_version, "expects": "amount", "early": amount_minor > due,
            "method": method.method_id if method else None, "plan": plan.plan_id if plan else None,
            "instalment": following.number if following is not None and exact else None}


def confirmation(turn: Turn, account: AccountView, data: Mapping[str, Any]) -> Reply:
    words: dict[str, Any] = {"amount_minor": data["amount_minor"], "visits": list_visits(_visits(account, data))}
    method = find_method(account, data.get("method"))
    if method is None:
        return Reply("pay_confirm", words)
    return Reply(CARD, {**words, "card": card_words(method), "ny": ny_warning(turn)})


def carry_on(turn: Turn, account: AccountView, data: Mapping[str, Any], by_link: bool) -> Decision:
    """The yes: charge the card that the question named, or make the link. Older links die first."""
    older = [CancelPayment(one.payment_id, "replaced by a newer link") for one in account.payments
             if one.status in OPEN and one.tender == "card" and one.way == "page"]
    method = None if by_link else find_method(account, data.get("method"))
    words: dict[str, Any] = {"amount_minor": data["amount_minor"]}
    if method is not None:
        charging = Reply("pay_charging", {**words, "card": card_words(method)})
        return Decision((charging,)).also(*older, _charge(turn, account, data, method))
    request = _request(turn, account, data)
    words |= {"visits": list_visits(_visits(account, data)), "url": Result("link")}
    return Decision((Reply("pay_link", words),)).also(*older, request)


def _charge(turn: Turn, account: AccountView, data: Mapping[str, Any], method: MethodView) -> Command:
    return ChargeSavedCard(
        account.account_id, method.method_id, data["amount_minor"], _split(account, data), data["version"],
        turn.talk.language, ASKED + CARD, ASKED + CARD, early=bool(data.get("early")), plan_id=data.get("plan"),
        instalment=data.get("instalment"))


def _request(turn: Turn, account: AccountView, data: Mapping[str, Any]) -> Command:
    return RequestPayment(
        account.account_id, data["amount_minor"], _split(account, data), data["version"], turn.talk.language,
        early=data["early"], plan_id=data["plan"], instalment=data["instalment"])


def _split(account: AccountView, data: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    return split_payment(data["amount_minor"], _visits(account, data), early=bool(data.get("early")))


def _visits(account: AccountView, data: Mapping[str, Any]) -> list[VisitView]:
    """In the order in which the question had them."""
    by_id = {visit.visit_id: visit for visit in account.visits if not visit.confidential and open_minor(visit) > 0}
    return [by_id[visit_id] for visit_id in data["visits"] if visit_id in by_id]
