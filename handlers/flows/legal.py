"""A death, a bankruptcy, an attorney: acknowledged, held, and left to a person. They win over any open question.

After a death nothing in that thread is about money any more, whatever is written (45 CFR 164.502(f): the personal
representative, by a person). A bankruptcy stays collection (11 USC 362(a)(6)); who has an attorney is written to
through them (12 CFR 1006.6(b)(2)).
"""

from __future__ import annotations

from handlers import filing, own_words
from handlers.core import Decision, Reply, State, Turn
from handlers.filing import Matter
from handlers.flows.flow import Flow
from handlers.turns import ask, phone

NAME = "legal"
STEPS = ("name",)
#: Kept in the state's data for as long as the thread lives.
GRIEF = "grief"
MATTERS = {
    "deceased": Matter("deceased", "deceased", "A death was reported"),
    "bankrupt": Matter("bankruptcy", "bankruptcy", "A bankruptcy was reported"),
    "attorney": Matter("attorney", "attorney", "An attorney was named"),
}
_WORDS = {"bankrupt": ("legal_bankrupt", "legal_offer_bankrupt"),
          "attorney": ("legal_attorney", "legal_offer_attorney")}


def start(turn: Turn, intent: str) -> Decision:
    case = filing.open_case(turn, MATTERS[intent])
    if intent == "deceased":
        return Decision((Reply("deceased", {"phone": phone(turn)}),), State(data={GRIEF: case.dedupe})).also(case)
    said, offer = _WORDS[intent]
    data = {"about": intent, "key": case.dedupe, "expects": "name"}
    return ask(turn, NAME, "name", data, Reply(said), Reply(offer)).also(case)


def answer(turn: Turn) -> Decision | None:
    """A name, a telephone number, a case number: kept as said. Or nothing, which is fine."""
    data = turn.talk.state.data
    if own_words.is_skip(turn):
        return Decision((Reply("legal_no_need"),))
    other = frozenset(MATTERS) - {data["about"]}
    if turn.reading.intent in other or not (_has_number(turn) or own_words.tells(turn)):
        return None
    more = filing.add(turn, MATTERS[data["about"]], data["key"], said=own_words.kept(turn))
    return Decision((Reply("legal_kept"),)).also(more)


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply(_WORDS[turn.talk.state.data["about"]][1]),)


def silence(turn: Turn) -> Decision:
    """Nothing had to be answered, so silence is not spoken of."""
    return Decision()


def leave(turn: Turn) -> Decision:
    return Decision((Reply("legal_no_need"),))


def grieves(turn: Turn) -> bool:
    """Whether a death was told in this thread and staff have not cleared it, or the verified account is a dead
    person's. The hold counts where there is an account; where there is none, what was said goes on to count.
    """
    if turn.account is not None and "deceased" in turn.account.holds:
        return True
    told = GRIEF in turn.talk.state.data
    return told and (not turn.candidates or any("deceased" in one.holds for one in turn.candidates))


def be_quiet(turn: Turn) -> Decision:
    """Not a word about money; what is written goes to the person who takes care of it."""
    at = turn.talk.state.data.get(GRIEF)
    decision = Decision((Reply("deceased_quiet", {"phone": phone(turn)}),))
    return decision.also(filing.add(turn, MATTERS["deceased"], at, said=own_words.kept(turn))) if at else decision


def _has_number(turn: Turn) -> bool:
    return sum(one.isdigit() for one in turn.reading.text) >= 4


FLOW = Flow(NAME, STEPS, tuple(MATTERS), start, answer, repeat, silence=silence, leave=leave)
