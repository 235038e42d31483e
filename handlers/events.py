"""What happens without a text: a payment became paid or failed, a command was refused, the patient fell silent."""

from __future__ import annotations

from dataclasses import replace

from billing.commands import MakeLink, RecordOptOut
from billing.policy import retries
from billing.views import AccountView
from handlers import filing, plan_events
from handlers.accounts import shown_figures, shown_payments
from handlers.core import Decision, Happened, Reading, Reply, Result, Turn
from handlers.flows import consent, person, telegram
from handlers.flows.receipt import paid_visits
from handlers.flows.table import FLOWS
from handlers.refusals import refused
from handlers.turns import phone, practice

RETURNED = "returned"  # a bank sent a debit back days later


def decide_event(turn: Turn, event: Happened) -> Decision:
    """Raises ValueError for a kind of event that this version does not know."""
    match event.kind:
        case "payment_paid":
            return _paid(turn, event)
        case "payment_failed":
            return _failed(turn, event)
        case "payment_refunded":
            return _refunded(turn, event)
        case "command_refused":
            return refused(turn, event)
        case "timeout":
            return _silence(turn)
        case "answer_withheld":  # what was open stays open: the next text goes on with it
            return Decision((Reply("answer_waiting"),), turn.talk.state)
        case "chat_joined":
            return telegram.joined(turn, event)
        case "old_button":
            return telegram.old_button(turn)
        case kind if kind in plan_events.KINDS:
            return plan_events.decide(turn, event)
    raise ValueError(f"unknown event {event.kind!r}")


def _paid(turn: Turn, event: Happened) -> Decision:
    """The receipt. ``event.data``: account_id, payment_id, amount_minor. The open question stays open.

    News may come long after the last text (a bank, a late webhook): the proof has lapsed then, and the gate would
    withhold amounts (T-34), so the receipt is behind its link.
    """
    account, link = _named(turn, event), MakeLink("receipt", event.data["account_id"], event.data["payment_id"])
    if account is None:
        words = {"practice": practice(turn), "url": Result(link.ref)}
        return Decision((Reply("payment_receipt_private", words, "receipt"),), turn.talk.state).also(link)
    return Decision((Reply("payment_receipt", _receipt_words(turn, account, event, link), "receipt"),),
                    turn.talk.state).also(link)


def _named(turn: Turn, event: Happened) -> AccountView | None:
    """The account that a payment's news is about, where its amount may be named here and now."""
    account = next((one for one in turn.candidates if one.account_id == event.data["account_id"]), None)
    if account is None or not account.detail_allowed or turn.talk.account_id != account.account_id:
        return None
    return None if _hidden(account, event.data["payment_id"]) else account


def _refunded(turn: Turn, event: Happened) -> Decision:
    """Money went back to the card or bank account: said once for each refund, behind the receipt's link like it."""
    words: dict[str, object] = {"practice": practice(turn)}
    if _named(turn, event) is not None:
        words |= {"amount_minor": event.data["amount_minor"]}
        return Decision((Reply("payment_refunded", words, "receipt"),), turn.talk.state)
    link = MakeLink("receipt", event.data["account_id"], event.data["payment_id"])
    words |= {"url": Result(link.ref)}
    return Decision((Reply("payment_refunded_private", words, "receipt"),), turn.talk.state).also(link)


#: What is said of a payment that ended, by the kind of its decline.
_DECLINED = {"hard": "payment_failed_card", "revoked": "payment_failed_card", "patient": "payment_failed_bank"}


def _failed(turn: Turn, event: Happened) -> Decision:
    """By why it failed: the patient's bank wants their word, the card cannot be used at all, or it is worth a try."""
    reason = str(event.data.get("reason", ""))
    if reason == "expired":  # they closed the page; a text about that would only press them
        return Decision((), turn.talk.state)
    kind = retries.kind_of(reason) if reason not in ("", RETURNED) else ""
    words = {"practice": practice(turn), "phone": phone(turn)}
    template = "payment_returned" if reason == RETURNED else _DECLINED.get(kind, "payment_failed")
    return Decision((Reply(template, words, "receipt"),), turn.talk.state)


def _hidden(account: AccountView, payment_id: str) -> bool:
    """Whether some of a payment went to a confidential visit: its sum would tell of the visit."""
    known = {one.payment_id for one in account.payments}
    return payment_id in known - {one.payment_id for one in shown_payments(account)}


def _receipt_words(turn: Turn, account: AccountView, event: Happened, link: MakeLink) -> dict[str, object]:
    payment = next((one for one in account.payments if one.payment_id == event.data["payment_id"]), None)
    return {"practice": practice(turn), "amount_minor": event.data["amount_minor"],
            "visits": paid_visits(account, payment), "url": Result(link.ref),
            "due_now_minor": max(shown_figures(account).due_now_minor, 0) if account.visits else None}


def _silence(turn: Turn) -> Decision:
    """A kind close. Silence after a bare CANCELAR means stop (T-05)."""
    state = turn.talk.state
    if not state.flow:
        return Decision((), state)
    if state.flow == consent.NAME and state.data.get("bare"):
        return Decision().also(RecordOptOut(str(state.data["wording"])))
    if state.flow == consent.NAME:  # "cancel my plan", then nothing: a person asks what was meant (T-48)
        return person.start(replace(turn, reading=Reading(str(state.data["wording"]))), "plan")
    flow = FLOWS.get(state.flow)
    if flow is not None and flow.silence is not None:
        return flow.silence(turn)
    if filing.SAID in state.data:  # identity was asked after something that is kept already
        return filing.silence(turn)
    return Decision((Reply("timeout"),))
