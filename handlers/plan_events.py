"""News of a plan and of a card on file, in words: each tells what happened, what happens next and what can be done.

An amount, a day or a card is named only where the person may be told: while they are verified, or when they have been
silent long enough for a text to count as begun by us (billing/policy/privacy.py). Everybody else gets the link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from billing.commands import AskCard, Command, MakeLink
from billing.policy.core import ANSWER_COUNTS_FOR
from handlers.core import Decision, Happened, Reply, Result, Turn
from handlers.turns import phone, practice

#: Changes that are said without an amount: a card came or went, staff or a day stopped the plan or let it go on.
_PLAIN = {"card_given": "plan_card_given", "card_gone": "plan_by_link", "autopay_ended": "plan_by_link",
          "resume": "plan_goes_on", "cancel": "plan_was_stopped"}

Data = Mapping[str, Any]
Words = tuple[Reply, tuple[Command, ...]]


def decide(turn: Turn, event: Happened) -> Decision:
    """Raises KeyError for a kind that is not in KINDS. The open question stays open."""
    reply, commands = _WORDS[event.kind](turn, event.data)
    return Decision((Reply(reply.template, {"practice": practice(turn), **reply.arguments}, "receipt"),),
                    turn.talk.state, commands)


def _may_name(turn: Turn, data: Data) -> bool:
    account = next((one for one in turn.candidates if one.account_id == data["account_id"]), None)
    if account is None or not account.detail_allowed:
        return False
    last = turn.talk.last_text_at
    return turn.talk.account_id == account.account_id or (last is not None and turn.now - last > ANSWER_COUNTS_FOR)


def _card(data: Data) -> dict[str, str] | None:
    if not data.get("last4"):
        return None
    return {"kind": data.get("method_kind") or "card", "brand": data.get("brand") or "", "last4": data["last4"]}


def _page(data: Data) -> tuple[dict[str, Any], tuple[Command, ...]]:
    """The plan's own page, where everything can be seen and paid."""
    link = MakeLink("plan", data["account_id"], data.get("plan_id") or "")
    return {"url": Result(link.ref)}, (link,)


def _to_pay(data: Data) -> tuple[dict[str, Any], tuple[Command, ...]]:
    """The page of the payment that the news is about; the plan's where there is none."""
    if not data.get("payment_id"):
        return _page(data)
    link = MakeLink("pay", data["account_id"], data["payment_id"])
    return {"url": Result(link.ref)}, (link,)


def _notice(turn: Turn, data: Data) -> Words:
    """T-48, T-50: amount, day and card, early enough, with a way to stop it."""
    if _may_name(turn, data):
        words = {"amount_minor": data["amount_minor"], "due_on": data["due_on"], "card": _card(data)}
        return Reply("plan_notice", words), ()
    page, link = _page(data)
    return Reply("plan_notice_private", page), link


def _link_due(turn: Turn, data: Data) -> Words:
    page, link = _to_pay(data)
    if not _may_name(turn, data):
        return Reply("plan_link_due_private", page), link
    return Reply("plan_link_due", {**page, "amount_minor": data["amount_minor"], "due_on": data["due_on"]}), link


def _failed(turn: Turn, data: Data) -> Words:
    """By the kind of decline: the bank said no for now, the card cannot be used at all, or the bank asks for the
    patient. Nobody is blamed, and each says the next step.
    """
    reason = str(data.get("reason") or "soft")
    if reason in ("hard", "revoked"):
        ask = AskCard(data["account_id"], "plan_card", turn.talk.language, data.get("plan_id"))
        url = {"url": Result(ask.ref)}
        if not _may_name(turn, data):
            return Reply("plan_charge_failed_private", url), (ask,)
        return Reply("plan_charge_hard", {**url, "card": _card(data)}), (ask,)
    page, link = _page(data)
    if reason == "patient":
        return Reply("plan_charge_bank", page), link
    if not _may_name(turn, data):
        return Reply("plan_charge_failed_private", page), link
    words = {"amount_minor": data.get("charged_minor") or data["amount_minor"], "card": _card(data),
             "retry_on": data.get("retry_on")}
    return Reply("plan_charge_soft", {**page, **words}), link


def _needs_patient(turn: Turn, data: Data) -> Words:
    page, link = _to_pay(data)
    return Reply("charge_needs_patient", page), link


def _behind(turn: Turn, data: Data) -> Words:
    """Where the next step is the end of the plan, that is said, with its day where a day may be named."""
    page, link = _to_pay(data)
    if not _may_name(turn, data) or not data.get("due_on"):
        return Reply("plan_behind_private", {**page, "ends": bool(data.get("ends_on"))}), link
    words = {"amount_minor": data["amount_minor"], "due_on": data["due_on"], "ends_on": data.get("ends_on")}
    return Reply("plan_behind", {**page, **words}), link


def _defaulted(turn: Turn, data: Data) -> Words:
    if not _may_name(turn, data):
        page, link = _page(data)
        return Reply("plan_news_private", page), link
    return Reply("plan_defaulted", {"left_minor": data["left_minor"], "phone": phone(turn)}), ()


def _completed(turn: Turn, data: Data) -> Words:
    return Reply("plan_completed"), ()


def _changed(turn: Turn, data: Data) -> Words:
    """By insurance, by staff, by an extra payment: what is left, and what comes next."""
    if data.get("change") in _PLAIN:
        return Reply(_PLAIN[data["change"]]), ()
    page, link = _page(data)
    if not _may_name(turn, data) or not data.get("due_on"):
        return Reply("plan_news_private", page), link
    words = {"left_minor": data["left_minor"], "amount_minor": data["amount_minor"], "due_on": data["due_on"]}
    return Reply("plan_changed", {**page, **words}), link


def _paused(turn: Turn, data: Data) -> Words:
    """A debit that came back is told in the same text."""
    return Reply("plan_paused_returned" if data.get("reason") == "returned" else "plan_paused"), ()


def _agreed(turn: Turn, data: Data) -> Words:
    """T-48: the copy of what was agreed to."""
    link = MakeLink("agreement", data["account_id"], data["plan_id"])
    return Reply("plan_agreed", {"url": Result(link.ref)}), (link,)


def _card_kept(turn: Turn, data: Data) -> Words:
    card = _card(data)
    if card is None or not _may_name(turn, data):
        return Reply("card_kept_private"), ()
    return Reply("card_kept", {"card": card}), ()


def _card_failed(turn: Turn, data: Data) -> Words:
    return Reply("card_failed"), ()


_WORDS: dict[str, Callable[[Turn, Data], Words]] = {
    "plan_notice": _notice, "plan_link_due": _link_due, "plan_charge_failed": _failed, "plan_behind": _behind,
    "plan_defaulted": _defaulted, "plan_completed": _completed, "plan_changed": _changed, "plan_paused": _paused,
    "plan_agreed": _agreed, "card_kept": _card_kept, "card_failed": _card_failed, "needs_patient": _needs_patient}
KINDS = frozenset(_WORDS)
