"""One turn of a conversation: what came in, what is known -> what is said, what is done, where we stand then. Pure.

The order is DESIGN.md's: opt-out words, HELP, START, a person, a card number, emergency, wrong number, then the
question that is open, then a new subject. Nothing of an account is said before identity is proved (T-32, T-34, T-35).
Where somebody of the practice has taken the thread over, only what comes before the open question is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from billing.commands import MarkVerified, RecordDetailPreference, SetLanguage
from handlers import calm, filing, last
from handlers.core import IDLE, Decision, Happened, Reply, State, Text, Turn
from handlers.events import decide_event
from handlers.flows import (
    anger,
    consent,
    foreign,
    language,
    legal,
    menu,
    papers,
    person,
    plan_running,
    preferences,
    safety,
    taking_back,
    telegram,
    verify,
)
from handlers.flows.flow import Flow
from handlers.flows.table import FLOWS, INTENTS, SIDE
from handlers.rounds import count_rounds
from handlers.turns import local_day, practice, restore_slots, stay
from handlers.understanding import read
from handlers.understanding.model.classify import KNOWN

#: Texts not understood in a row before a person takes over; inside a question a misread amount counts as one.
MISSES = 2
MISREAD = 3
SENTENCE = 3  # words

_FIXED: dict[str, Callable[[Turn], Decision]] = {
    "opt_out": consent.opt_out, "help": consent.give_help, "opt_in": consent.opt_in,
    "human": lambda turn: person.start(turn, "human")}


def decide(turn: Turn) -> Decision:
    """Raises ValueError for an event of a kind that nobody here knows; nothing else."""
    return last.keep(turn, calm.soften(turn, _decide(turn)))


def _decide(turn: Turn) -> Decision:
    if isinstance(turn.message, Happened):
        return _remember(turn, decide_event(turn, turn.message))
    spoken = language.heard(turn)
    if not spoken:
        return _remember(turn, count_rounds(turn, _decide_text(turn, turn.message)))
    speaking = replace(turn, talk=replace(turn.talk, language=spoken))
    decision = count_rounds(turn, _decide_text(speaking, turn.message))
    if not any(isinstance(command, SetLanguage) for command in decision.commands):
        decision = decision.also(SetLanguage(spoken))
    return _remember(turn, replace(decision, language=decision.language or spoken))


def _decide_text(turn: Turn, message: Text) -> Decision:
    fixed = _fixed(turn)
    if turn.talk.opted_out and fixed not in ("opt_out", "opt_in", "help"):
        return consent.unanswerable(turn)
    special = None if message.card_number else telegram.before_all(turn)
    if special is not None:
        return special
    if fixed in ("", "human") and turn.reading.intent != "emergency" and legal.grieves(turn):
        return legal.be_quiet(turn)
    if fixed in _FIXED and not (turn.talk.taken and fixed == "human"):
        return _with_what_else(turn, _FIXED[fixed](turn))
    if message.card_number:
        return stay(turn, Reply("card_number"))
    if fixed == "emergency":
        return safety.emergency(turn)
    if fixed == "wrong_number":
        return safety.wrong_number(turn)
    if turn.talk.taken:
        return Decision((), turn.talk.state)
    if iso := turn.reading.foreign or foreign.asked_for(turn):
        return foreign.answer(turn, iso)
    decision = _recognise(turn) or _converse(turn, message).also(*verify.wrong_try(turn))
    if not turn.talk.first_contact:
        return decision
    return replace(decision, replies=(Reply("welcome", {"practice": practice(turn)}), *decision.replies))


def _fixed(turn: Turn) -> str:
    """Where a name was asked for, "Humana" is one: there, only words that code itself knows call a person."""
    reading = turn.reading
    named = reading.fixed == "human" and not reading.certain and turn.talk.state.data.get("expects") == "name"
    return "" if named else reading.fixed


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
    decision = _answer_or_begin(turn, message)
    told = any(reply.template in ("media", "media_not_kept") for reply in decision.replies)
    return papers.beside(decision) if message.media and not told else decision


def _answer_or_begin(turn: Turn, message: Text) -> Decision:
    flow = FLOWS.get(turn.talk.state.flow)
    heard = turn.reading.intent if turn.reading.confidence >= KNOWN else ""
    if breaking := _breaks_in(turn, flow, heard):
        return _begin(turn, breaking)
    if flow is not None:
        if turn.reading.intent == "back":
            return _leave(turn)
        if turn.reading.intent == "repeat":
            return _put_again(turn, flow)
        if preferences.interrupts(turn):
            return _begin(turn, preferences.NAME)
        answered = flow.answer(turn)
        if answered is not None:
            return _settle(turn, _go_on(turn, answered), _parked(turn.talk.state))
        if turn.reading.intent in ("yes", "no") and flow.name != menu.NAME:
            return _leave(turn) if turn.reading.intent == "no" else _unclear(turn)
    if turn.reading.intent == "repeat" and turn.reading.confidence >= KNOWN:
        return _go_on(turn, last.again(turn))
    known = turn.reading.confidence >= KNOWN and turn.reading.intent in INTENTS and not _says_nothing(turn, flow)
    if message.media and not known:
        waiting = turn.talk.state if flow is not None and flow is not menu.FLOW else None
        return _settle(turn, papers.picture(turn), waiting)
    if known or plan_running.concerns(turn):
        return _begin(turn, plan_running.NAME if plan_running.concerns(turn) else turn.reading.intent)
    slots = turn.reading.slots
    if (slots.born_on or slots.passcode) and turn.account is None:  # identity sent unasked, or while it is locked
        return _go_on(turn, verify.first(turn, "balance", {}))
    return _unclear(turn)


def _breaks_in(turn: Turn, flow: Flow | None, heard: str) -> str:
    """What is no answer to whatever we had asked: a death, "don't charge my card"."""
    if heard in legal.MATTERS and flow is not legal.FLOW:
        return heard
    if plan_running.interrupts(turn):
        return plan_running.STOP_CHARGES
    return taking_back.interrupts(turn)


def _says_nothing(turn: Turn, flow: Flow | None) -> bool:
    """What is none of our business may be a slip of the thumb, or an answer that we do not understand. Only a longer
    text out of the blue is taken for a wish that we cannot help with.
    """
    asked = flow is not None and flow.name != menu.NAME
    return turn.reading.intent == "out_of_scope" and (asked or len(turn.reading.text.split()) < SENTENCE)


def _begin(turn: Turn, intent: str) -> Decision:
    """A new subject. What was asked before it stays open when this one is only asked in between."""
    open_question = turn.talk.state if not _is_over(turn, intent) else None
    decision = _go_on(turn, INTENTS[intent].start(turn, intent))
    return _settle(turn, decision, open_question if intent in SIDE else None)


def _is_over(turn: Turn, intent: str) -> bool:
    """A list of what can be done is not put again after something else was asked; a language is nothing else."""
    flow = turn.talk.state.flow
    return flow in ("", menu.NAME) or (flow == anger.NAME and intent != language.NAME)


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
    carried = {key: decision.state.data[key] for key in (filing.SAID,) if key in decision.state.data}
    state = State(data={**_kept(decision.state), **carried})
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


def _put_again(turn: Turn, flow: Flow) -> Decision:
    """The open question once more. About an account whose proof has lapsed there is none to put: identity first."""
    lapsed = flow.needs_account and turn.account is None
    return (flow.answer(turn) if lapsed else None) or stay(turn, *flow.ask(turn))


def _leave(turn: Turn) -> Decision:
    flow = FLOWS.get(turn.talk.state.flow)
    left = flow.leave(turn) if flow is not None and flow.leave is not None else Decision((Reply("back_done"),))
    return _settle(turn, left, _parked(turn.talk.state))


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
    """Who wanted no amounts by text stays known after the flow that asked is over: the warning is given once. So does
    a death that was told in this thread.
    """
    before, after = turn.talk.state.data, decision.state.data
    kept = {key: before[key] for key in ("declined", legal.GRIEF) if before.get(key) and key not in after}
    return replace(decision, state=replace(decision.state, data={**after, **kept})) if kept else decision
