"""One turn of a conversation: what came in, what is known -> what is said, what is done, where we stand then. Pure.

The order is DESIGN.md's: opt-out words, HELP, START, a person, a card number, emergency, wrong number, then the
question that is open, then a new subject. Nothing of an account is said before identity is proved (T-32, T-34, T-35).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from billing.commands import MarkVerified, RecordDetailPreference, SetLanguage
from handlers.core import IDLE, Decision, Happened, Reply, State, Text, Turn
from handlers.events import decide_event
from handlers.flows import consent, language, menu, person, safety, verify
from handlers.flows.table import FLOWS, INTENTS, SIDE
from handlers.turns import local_day, practice, restore_slots, stay
from handlers.understanding import read
from handlers.understanding.keywords import KNOWN

#: Texts not understood in a row before a person takes over; inside a question a misread amount counts as one.
MISSES = 2
MISREAD = 3

_FIXED: dict[str, Callable[[Turn], Decision]] = {
    "opt_out": consent.opt_out, "help": consent.give_help, "opt_in": consent.opt_in,
    "human": lambda turn: person.start(turn, "human")}


def decide(turn: Turn) -> Decision:
    """Raises ValueError for an event of a kind that nobody here knows; nothing else."""
    if isinstance(turn.message, Happened):
        return _remember(turn, decide_event(turn, turn.message))
    spoken = language.heard(turn)
    if not spoken:
        return _remember(turn, _decide_text(turn, turn.message))
    speaking = replace(turn, talk=replace(turn.talk, language=spoken))
    decision = _decide_text(speaking, turn.message)
    if not any(isinstance(command, SetLanguage) for command in decision.commands):
        decision = decision.also(SetLanguage(spoken))
    return _remember(turn, replace(decision, language=decision.language or spoken))


def _decide_text(turn: Turn, message: Text) -> Decision:
    fixed = turn.reading.fixed
    if turn.talk.opted_out and fixed not in ("opt_out", "opt_in", "help"):
        return consent.unanswerable(turn)
    if fixed in _FIXED:
        return _with_what_else(turn, _FIXED[fixed](turn))
    if message.card_number:
        return stay(turn, Reply("card_number"))
    if fixed == "emergency":
        return safety.emergency(turn)
    if fixed == "wrong_number":
        return safety.wrong_number(turn)
    decision = _recognise(turn) or _converse(turn, message).also(*verify.wrong_try(turn))
    if not turn.talk.first_contact:
        return decision
    return replace(decision, replies=(Reply("welcome", {"practice": practice(turn)}), *decision.replies))


def _with_what_else(turn: Turn, decision: Decision) -> Decision:
    """A text may be a fixed word and more: an emergency, or somebody else's number."""
    if turn.reading.intent == "emergency":
        return safety.beside(turn, decision)
    if turn.reading.intent == "wrong_number":
        return decision.also(*safety.wrong_number_commands(turn))
    return decision


def _recognise(turn: Turn) -> Decision | None:
    """A number that several share: this text proves another account than the one that is verified now."""
    account_id = verify.proved(turn) if turn.account is not None else None
    if account_id is None:
        return None
    # The question that was open is not this person's: without it a ZIP code is no amount and a day no answer.
    fresh = read(turn.reading.text, turn.talk.language, local_day(turn, turn.now))
    asked = fresh.confidence >= KNOWN and INTENTS.get(fresh.intent, menu.FLOW) is not menu.FLOW
    return _go_on(turn, verify.switch(replace(turn, reading=fresh), account_id, fresh.intent if asked else ""))


def _converse(turn: Turn, message: Text) -> Decision:
    flow = FLOWS.get(turn.talk.state.flow)
    if flow is not None:
        if turn.reading.intent == "back":
            return _leave(turn)
        if turn.reading.intent == "repeat":
            return stay(turn, *flow.ask(turn))
        answered = flow.answer(turn)
        if answered is not None:
            return _settle(turn, _go_on(turn, answered), _parked(turn.talk.state))
        if turn.reading.intent in ("yes", "no") and flow.name != menu.NAME:
            return _leave(turn) if turn.reading.intent == "no" else _unclear(turn)
    known = turn.reading.confidence >= KNOWN and turn.reading.intent in INTENTS
    if message.media and not known:
        return person.picture(turn)
    if known:
        return _begin(turn, turn.reading.intent)
    if turn.reading.slots.born_on and turn.account is None:  # identity sent unasked, or while it is locked
        return _go_on(turn, verify.first(turn, "balance", {}))
    return _unclear(turn)


def _begin(turn: Turn, intent: str) -> Decision:
    """A new subject. What was asked before it stays open when this one is only asked in between."""
    open_question = turn.talk.state if turn.talk.state.flow not in ("", menu.NAME) else None
    decision = _go_on(turn, INTENTS[intent].start(turn, intent))
    return _settle(turn, decision, open_question if intent in SIDE else None)


def _go_on(turn: Turn, decision: Decision) -> Decision:
    """A flow that is through and names an intent hands over to it in the same turn: identity, then what was asked."""
    intent = decision.state.after
    if decision.state.flow or not intent:
        return _enough(turn, decision)
    onward = _as_decided(turn, decision)
    if _is_bare(onward, decision):
        return Decision((*decision.replies, Reply("verified")), State(data=_kept(decision.state)), decision.commands)
    then = _go_on(onward, INTENTS[intent].start(onward, intent))
    state = replace(then.state, data={**_kept(decision.state), **then.state.data})
    return Decision(decision.replies + then.replies, state, decision.commands + then.commands,
                    then.language or decision.language)


def _is_bare(onward: Turn, decision: Decision) -> bool:
    """Identity was proved in this turn, but nothing of the account came along: "you owe nothing" would be a guess."""
    proved = any(isinstance(command, MarkVerified) for command in decision.commands)
    return proved and onward.account is not None and not onward.account.visits


def _as_decided(turn: Turn, decision: Decision) -> Turn:
    """The turn as it will be once the decision's commands have applied."""
    account_id, allowed = turn.talk.account_id, None
    for command in decision.commands:
        if isinstance(command, MarkVerified):
            account_id = command.account_id
        elif isinstance(command, RecordDetailPreference):
            allowed = command.allowed
    candidates = turn.candidates
    if allowed is not None:
        candidates = tuple(replace(one, detail_allowed=allowed) if one.account_id == account_id else one
                           for one in turn.candidates)
    state = State(data=_kept(decision.state))
    reading = replace(turn.reading, intent=decision.state.after, slots=restore_slots(decision.state.data))
    return replace(turn, talk=replace(turn.talk, account_id=account_id, state=state), candidates=candidates,
                   reading=reading)


def _enough(turn: Turn, decision: Decision) -> Decision:
    return person.give_up(turn) if decision.state.misses >= MISREAD else decision


def _settle(turn: Turn, decision: Decision, open_question: State | None) -> Decision:
    """Put ``open_question`` again when the subject in between is through; park it while that one asks on."""
    if open_question is None or open_question.flow not in FLOWS or decision.state.flow == open_question.flow:
        return decision
    if decision.state.flow and decision.state.flow != menu.NAME:
        data = {**decision.state.data, "parked": open_question.to_json()}
        return replace(decision, state=replace(decision.state, data=data))
    back = replace(open_question, misses=0, asked_at=turn.now)
    there = replace(_as_decided(turn, replace(decision, state=IDLE)), reading=turn.reading)
    there = replace(there, talk=replace(there.talk, state=back))
    flow = FLOWS[back.flow]
    if flow.needs_account and there.account is None:
        again = verify.first(there, flow.intents[0], {})
        return Decision(decision.replies + again.replies, again.state, decision.commands, decision.language)
    return replace(decision, replies=decision.replies + flow.ask(there), state=back)


def _leave(turn: Turn) -> Decision:
    return _settle(turn, Decision((Reply("back_done"),)), _parked(turn.talk.state))


def _unclear(turn: Turn) -> Decision:
    """Once: one short question with choices. Twice in a row: a person."""
    state = turn.talk.state
    if state.misses + 1 >= MISSES:
        return person.give_up(turn)
    flow = FLOWS.get(state.flow)
    if flow is not None and flow.name != menu.NAME:
        return stay(turn, Reply("unclear_here"), *flow.ask(turn), missed=True)
    offered = menu.offer(turn, Reply("unclear"))
    return replace(offered, state=replace(offered.state, misses=state.misses + 1))


def _parked(state: State) -> State | None:
    return State.from_json(state.data["parked"]) if "parked" in state.data else None


def _kept(state: State) -> dict[str, object]:
    return {key: state.data[key] for key in ("declined", "parked") if key in state.data}


def _remember(turn: Turn, decision: Decision) -> Decision:
    """Who wanted no amounts by text stays known after the flow that asked is over: the warning is given once."""
    declined = turn.talk.state.data.get("declined")
    if not declined or "declined" in decision.state.data:
        return decision
    data = {**decision.state.data, "declined": declined}
    return replace(decision, state=replace(decision.state, data=data))
