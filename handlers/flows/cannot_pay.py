"""I cannot pay: first financial assistance, then smaller payments, then a person. Income is never asked by text.

Nothing here needs identity, nothing names an amount, and what people tell of their trouble is not said again.
"""

from __future__ import annotations

from billing.commands import MakeLink
from handlers import filing, own_words
from handlers.core import Decision, Reply, Result, State, Turn
from handlers.filing import Matter
from handlers.flows import person
from handlers.flows.flow import Flow
from handlers.turns import answer_by, ask, phone

NAME = "cannot_pay"
STEPS = ("assistance", "smaller")
MATTER = Matter("assistance", "assistance_pending", "Patient asks for financial assistance")
#: Where somebody agrees to pay in smaller parts: offers inside the practice's policy begin at this intent.
SMALLER_PAYMENTS = "smaller_plan"


def start(turn: Turn, intent: str) -> Decision:
    policy = turn.practice.policy
    note = policy.assistance_note_es if turn.talk.language == "es" else policy.assistance_note_en
    data = {"words": own_words.kept(turn)}  # for the person who helps; they are not said again
    return ask(turn, NAME, "assistance", data, Reply("assistance_offer", {"note": note}), Reply("assistance_ask"))


def answer(turn: Turn) -> Decision | None:
    intent, step, data = turn.reading.intent, turn.talk.state.step, turn.talk.state.data
    if intent == "yes":
        return _apply(turn) if step == "assistance" else Decision((), State(after=SMALLER_PAYMENTS))
    if intent == "no":
        if step == "assistance":
            return ask(turn, NAME, "smaller", data, Reply("assistance_smaller"))
        return person.start(turn, "human")
    if intent == "cannot_pay":  # they tell more of it: no more words than a kind one, and the question again
        told = {"words": f"{data['words']}\n{own_words.kept(turn)}"[:own_words.MOST]}
        return ask(turn, NAME, step, told, Reply("assistance_thanks"), *repeat(turn))
    return None


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply("assistance_ask" if turn.talk.state.step == "assistance" else "assistance_smaller"),)


def silence(turn: Turn) -> Decision:
    """Somebody who could not pay and then said nothing is asked for nothing: a person gets in touch."""
    case = filing.open_case(turn, MATTER, detail=turn.talk.state.data["words"])
    return filing.silence(turn).also(case)


def _apply(turn: Turn) -> Decision:
    """The application is under way: nobody asks for money until it is decided (26 CFR 1.501(r)-6(c)). Whoever is
    verified may answer its questions on our page: what a household has is never asked here.
    """
    case = filing.open_case(turn, MATTER, detail=turn.talk.state.data["words"])
    started = Reply("assistance_started", {"by_at": answer_by(turn)})
    how = Reply("assistance_how", {"url": turn.practice.policy.assistance_url, "phone": phone(turn)})
    if turn.account is None:
        return Decision((started, how)).also(case)
    link = MakeLink(MATTER.kind, turn.account.account_id)
    return Decision((started, Reply("assistance_page", {"url": Result(link.ref)}), how)).also(case, link)


FLOW = Flow(NAME, STEPS, ("cannot_pay",), start, answer, repeat, silence=silence)
