"""A charge is wrong: which, why in the patient's own words, and what happens next.

The hold is placed at the first word, verified or not, on the visit where that is known and on the account where not;
it moves to the visit when that is named. One case per account: saying it again adds to it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from billing.commands import Command, MakeLink
from billing.views import AccountView, VisitView
from handlers import filing, own_words, visits_named
from handlers.accounts import LISTED, due_visits, list_visits, open_visits
from handlers.core import Decision, Reply, Result, State, Turn
from handlers.filing import Matter
from handlers.flows import rights
from handlers.flows.flow import Flow
from handlers.turns import answer_by, ask
from handlers.understanding.folding import fold

NAME = "dispute"
STEPS = ("which", "why", "words")
MATTER = Matter("dispute", "dispute", "Patient disputes a bill")
#: The choices of dispute_why, by number; the last asks for words.
REASONS = ("no_visit", "already_paid", "insurance", "amount", "other")
_OWN = frozenset({"dispute", "explain"})
#: A reason that the words themselves give, so that nobody is asked what they have just said.
_TOLD = (
    ("twice", re.compile(r"\b(?:twice|double|two times|dos veces|doble|duplicad[oa])\b")),
    ("no_visit", re.compile(
        r"\b(?:never (?:had|went|saw|got|was there|came|been)|didnt (?:have|get|go)|did not (?:have|get|go)|"
        r"wasnt there|was not there|nunca (?:fui|tuve|recibi|vi|estuve|me hicieron)|no (?:fui|tuve|recibi|estuve)|"
        r"no me (?:hicieron|atendieron|dieron))\b")),
    ("amount", re.compile(r"\b(?:wrong amount|amount is wrong|overcharged|estimate|quoted?|told me (?:it|that)|"
                          r"presupuesto|estimado|me dijeron|monto (?:esta )?mal|cobraron de mas)\b")))


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if account is None:
        return filing.before_identity(turn, MATTER, NAME, Reply("dispute_heard", {"by_at": answer_by(turn)}))
    visits = open_visits(account)[-LISTED:]
    offered = visits_named.listed(visits)
    chosen = _at_once(turn, offered)
    case = filing.open_case(turn, MATTER, chosen[0] if len(chosen) == 1 else None)
    commands: list[Command] = [case]
    if chosen and case.visit_id is None:
        commands.append(filing.add(turn, MATTER, case.dedupe, chosen))
    data = {"key": case.dedupe, "offered": offered, "chosen": chosen}
    told = next((reason for reason, pattern in _TOLD if pattern.search(fold(filing.words(turn)))), "")
    if told and (chosen or len(offered) < 2):
        commands.append(filing.add(turn, MATTER, case.dedupe, reason=told))
        last = _finish(turn, data, told)
        return replace(last, commands=(*commands, *last.commands))
    return _go_on(turn, {**data, "why": told}, Reply("dispute_noted")).also(*commands)


def answer(turn: Turn) -> Decision | None:
    step = turn.talk.state.step
    if step == "which":
        return _which(turn)
    return _why(turn) if step == "why" else _own_words(turn)


def repeat(turn: Turn) -> tuple[Reply, ...]:
    state = turn.talk.state
    if state.step == "which":
        return (_ask_which(turn, state.data["offered"]),)
    return (Reply("dispute_why" if state.step == "why" else "dispute_words"),)


def _at_once(turn: Turn, offered: list[list[Any]]) -> list[str]:
    """The one open visit, or the ones that the first text names by month or amount."""
    if len(offered) == 1:
        return [offered[0][0]]
    there = replace(turn, reading=replace(turn.reading, text=filing.words(turn)))
    return visits_named.named(there, offered, by_number=False)


def _go_on(turn: Turn, data: dict[str, Any], *said: Reply) -> Decision:
    """The next question that is still open."""
    offered = data["offered"]
    if len(offered) > 1 and not data["chosen"]:
        question = _ask_which(turn, offered)
        # Numbers mean something only where a numbered list was shown.
        data = {**data, "expects": "choice", "numbered": question.template == "dispute_which"}
        return ask(turn, NAME, "which", data, *said, question)
    if not data.get("why"):
        return ask(turn, NAME, "why", {**data, "expects": "choice"}, *said, Reply("dispute_why"))
    return _finish(turn, data, data["why"])


def _ask_which(turn: Turn, offered: list[list[Any]]) -> Reply:
    account = turn.account
    if account is None or account.stale or not account.detail_allowed:
        return Reply("dispute_which_month")
    by_id = {visit.visit_id: visit for visit in account.visits}
    visits = [by_id[one[0]] for one in offered if one[0] in by_id]
    return Reply("dispute_which", {"visits": list_visits(visits, "patient_minor")})


def _which(turn: Turn) -> Decision | None:
    data = dict(turn.talk.state.data)
    offered = data["offered"]
    chosen = visits_named.named(turn, offered, by_number=data["numbered"])
    if chosen:
        everything = len(chosen) == len(offered)
        more = filing.add(turn, MATTER, data["key"], () if everything else chosen, said="all" if everything else "")
        return _go_on(turn, {**data, "chosen": chosen}).also(more)
    if own_words.is_skip(turn):  # they cannot tell either: all of it is looked at
        return _go_on(turn, {**data, "chosen": [one[0] for one in offered]})
    if not own_words.tells(turn, _OWN) or turn.reading.slots.choices:
        return None
    more = filing.add(turn, MATTER, data["key"], reason="words", said=own_words.kept(turn))
    return _go_on(turn, {**data, "why": "words"}).also(more)


def _why(turn: Turn) -> Decision | None:
    data, choices = dict(turn.talk.state.data), turn.reading.slots.choices
    if choices:
        return _chose(turn, data, choices[0]) if len(choices) == 1 and choices[0] <= len(REASONS) else None
    if own_words.is_skip(turn):
        return _finish(turn, data, "")
    if turn.reading.intent in ("already_paid", "insurance_update"):
        return _hand_on(turn, data, turn.reading.intent, own_words.kept(turn))
    if not own_words.tells(turn, _OWN):
        return None
    return _finish(turn, data, "words").also(
        filing.add(turn, MATTER, data["key"], reason="words", said=own_words.kept(turn)))


def _chose(turn: Turn, data: dict[str, Any], number: int) -> Decision:
    reason = REASONS[number - 1]
    if reason == "other":
        return ask(turn, NAME, "words", data, Reply("dispute_words"))
    if reason in ("already_paid", "insurance"):
        return _hand_on(turn, data, "already_paid" if reason == "already_paid" else "insurance_update", "")
    return _finish(turn, data, reason).also(filing.add(turn, MATTER, data["key"], reason=reason))


def _hand_on(turn: Turn, data: dict[str, Any], intent: str, words: str) -> Decision:
    """Paid already, or insurance should: those questions, with this case."""
    reason = "already_paid" if intent == "already_paid" else "insurance"
    said = {"kind": NAME, "key": data["key"], "words": words, "visits": data["chosen"]}
    return Decision((), State(data={filing.SAID: said}, after=intent)).also(
        filing.add(turn, MATTER, data["key"], reason=reason, said=words))


def _own_words(turn: Turn) -> Decision | None:
    data = dict(turn.talk.state.data)
    if own_words.is_skip(turn):
        return _finish(turn, data, "")
    if not own_words.tells(turn, _OWN):
        return None
    return _finish(turn, data, "words").also(
        filing.add(turn, MATTER, data["key"], reason="other", said=own_words.kept(turn)))


def _finish(turn: Turn, data: dict[str, Any], reason: str) -> Decision:
    """What happens next, and where to send papers; the link only while this account is verified."""
    account = turn.account
    if account is None or not data["key"].endswith(f":{account.account_id}"):
        return Decision((Reply("dispute_next", {"by_at": answer_by(turn), "others": False}),))
    chosen = [visit for visit in account.visits if visit.visit_id in data["chosen"]]
    rest = [visit for visit in due_visits(account) if visit.visit_id not in data["chosen"]]
    words = {"by_at": answer_by(turn), "others": bool(data["chosen"] and rest)}
    link = MakeLink("papers", account.account_id, NAME)
    replies = (*_estimates(account, chosen, reason), Reply("dispute_next", words),
               Reply("papers_link", {"url": Result(link.ref)}))
    return Decision(replies).also(link)


def _estimates(account: AccountView, visits: list[VisitView], reason: str) -> tuple[Reply, ...]:
    """More than they were told: the rights that go with a good-faith estimate (T-41)."""
    if reason != "amount" or not account.detail_allowed or account.stale:
        return ()
    return rights.notices(account, [visit for visit in visits if rights.above_estimate(account, visit)])


FLOW = Flow(NAME, STEPS, ("dispute",), start, answer, repeat, silence=filing.silence,
            leave=filing.leave)
