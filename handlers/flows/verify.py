"""Who is writing: the number is one factor, date of birth (or passcode) and ZIP the second (T-34).

Says the same whatever failed. Number unknown, account not confirmed, wrong day, wrong ZIP: the words, the tries and
the lock are alike, so that nobody can learn from us whether an account exists.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from billing.commands import Command, MarkVerified, RecordDetailPreference, RecordIdentityFailure
from billing.views import AccountView
from handlers.core import Decision, Reply, State, Turn
from handlers.flows.flow import Flow
from handlers.proofs import KEYS, Proof, offered
from handlers.turns import ask, keep_slots, may_show_amounts, open_case, phone, privacy_warning

NAME = "verify"
STEPS = ("identity", "detail")
TRIES = 5  # T-34
LOCK = timedelta(hours=24)


def first(turn: Turn, intent: str, slots: dict[str, Any] | None = None) -> Decision:
    """Ask for identity and go on with ``intent`` once it is proved."""
    if _is_locked(turn):
        return Decision((Reply("identity_locked", {"phone": phone(turn)}),))
    data = {"slots": keep_slots(turn.reading) if slots is None else slots, "expects": "identity", **_remembered(turn)}
    return _weigh(turn, data, intent, Reply("identity_ask"))


def start(turn: Turn, intent: str) -> Decision:
    """Ask again about amounts by text (intent preferences of a verified patient)."""
    if turn.account is None:
        return first(turn, intent)
    return _warn(turn, {}, "balance") if may_show_amounts(turn) else Decision((Reply("detail_no"),))


def answer(turn: Turn) -> Decision | None:
    state = turn.talk.state
    if state.step == "detail":
        return _prefer(turn)
    if _is_locked(turn):
        return Decision((Reply("identity_locked", {"phone": phone(turn)}),))
    if not offered(turn, {}).kept():
        return None
    return _weigh(turn, dict(state.data), state.after, Reply("identity_ask"))


def repeat(turn: Turn) -> tuple[Reply, ...]:
    state = turn.talk.state
    if state.step == "detail":
        return (Reply(privacy_warning(turn)),)
    if state.data.get("born_on") or "codes" in state.data:
        return (Reply("identity_ask_zip"),)
    return (Reply("identity_ask_birth" if state.data.get("postal_code") else "identity_ask"),)


def _weigh(turn: Turn, data: dict[str, Any], after: str, question: Reply) -> Decision:
    proof = offered(turn, data)
    rest = {key: value for key, value in data.items() if key not in KEYS}
    if proof.is_complete:
        return _compare(turn, proof, rest, after)
    if proof.has_secret:
        question = Reply("identity_ask_zip")
    elif proof.postal_code:
        question = Reply("identity_ask_birth")
    return ask(turn, NAME, "identity", {**rest, **proof.kept()}, question, after=after)


def proved(turn: Turn) -> str | None:
    """The account that this very text proves, if it proves one.

    The edge asks before ``decide``, to load what only a verified account may bring along (visits, explanations,
    payments): so nobody has to ask twice, and nothing is loaded for whom nothing was proved. While one account is
    verified only another one is proved, and only by one text with both factors: the phone changed hands.
    """
    state = turn.talk.state
    if _is_locked(turn) or turn.talk.opted_out or turn.reading.fixed:
        return None
    asked = turn.account is None and state.flow == NAME and state.step == "identity"
    proof = offered(turn, state.data if asked else {})
    match = _match(turn, proof) if proof.is_complete else None
    return match.account_id if match and match != turn.account else None


def switch(turn: Turn, account_id: str, intent: str) -> Decision:
    """Go over to the other account that this text proves. Nothing that was open or said for the first one is kept.

    The wrong tries stay counted: two people who know each other's numbers could else guess a third's for ever (T-34).
    """
    account = next(one for one in turn.candidates if one.account_id == account_id)
    data: dict[str, Any] = {"slots": keep_slots(turn.reading) if intent else {}}
    if "declined" in turn.talk.state.data:
        data["declined"] = turn.talk.state.data["declined"]
    return _prove(turn, account, data, intent or "balance").also(*[RecordIdentityFailure(None)] * turn.talk.tries)


def wrong_try(turn: Turn) -> tuple[Command, ...]:
    """What a complete but wrong proof costs while an account is verified: a try like any other, without a word."""
    proof, account = offered(turn, {}), turn.account
    if account is None or _is_locked(turn) or not proof.is_complete:
        return ()
    if proof.is_of(account) or proved(turn):
        return ()
    return _count(replace(turn, talk=replace(turn.talk, account_id=None)))


def _is_locked(turn: Turn) -> bool:
    return turn.talk.locked_until is not None and turn.talk.locked_until > turn.now


def _compare(turn: Turn, proof: Proof, data: dict[str, Any], after: str) -> Decision:
    match = _match(turn, proof)
    return _prove(turn, match, data, after) if match else _fail(turn, data, after)


def _match(turn: Turn, proof: Proof) -> AccountView | None:
    matches = [account for account in turn.candidates if proof.is_of(account)]
    return matches[0] if len(matches) == 1 else None


def _fail(turn: Turn, data: dict[str, Any], after: str) -> Decision:
    """Two accounts that answer to the same day and ZIP fail like none: whom we would show is not ours to guess."""
    counted = _count(turn)
    if len(counted) == 1:
        return ask(turn, NAME, "identity", data, Reply("identity_retry"), after=after).also(*counted)
    return Decision((Reply("identity_locked", {"phone": phone(turn)}),)).also(*counted)


def _count(turn: Turn) -> tuple[Command, ...]:
    """One more wrong try; the fifth locks, and a person hears of it."""
    if turn.talk.tries + 1 < TRIES:
        return (RecordIdentityFailure(None),)
    case = open_case(turn, "identity", "Identity could not be checked by text", detail="Five tries failed.")
    return (RecordIdentityFailure(turn.now + LOCK), case)


def _prove(turn: Turn, account: AccountView, data: dict[str, Any], after: str) -> Decision:
    verified = MarkVerified(account.account_id)
    if account.detail_allowed or account.account_id in data.get("declined", ()) or not may_show_amounts(turn):
        return Decision((), State(data=data, after=after or "capabilities")).also(verified)
    return _warn(turn, data, after).also(verified)


def _warn(turn: Turn, data: dict[str, Any], after: str) -> Decision:
    rest = {key: value for key, value in data.items() if key != "expects"}
    return ask(turn, NAME, "detail", rest, Reply(privacy_warning(turn)), after=after or "capabilities")


def _prefer(turn: Turn) -> Decision | None:
    """T-33: the warning was shown, the answer is recorded with its wording; without a yes, links only."""
    state, account = turn.talk.state, turn.account
    if account is None:
        return first(turn, state.after, dict(state.data.get("slots", {})))
    if turn.reading.intent not in ("yes", "no"):
        return None
    allowed = turn.reading.intent == "yes"
    declined = [one for one in state.data.get("declined", ()) if one != account.account_id]
    data = {**state.data, "declined": declined if allowed else [*declined, account.account_id]}
    replies = () if allowed else (Reply("detail_no"),)
    shown = f"{privacy_warning(turn)}/{turn.talk.language}"
    return Decision(replies, State(data=data, after=state.after)).also(
        RecordDetailPreference(account.account_id, allowed, shown))


def _remembered(turn: Turn) -> dict[str, Any]:
    return {key: turn.talk.state.data[key] for key in ("declined", "parked") if key in turn.talk.state.data}


FLOW = Flow(NAME, STEPS, (), start, answer, repeat)
