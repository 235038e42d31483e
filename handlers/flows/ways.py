"""How bills shall come: letter, e-mail, phone call, Telegram, or texts again. A preference, never an opt-out (T-33).

Addresses are not taken down by text: whoever holds the phone is not yet the patient (T-34). A person asks for them.
"""

from __future__ import annotations

from dataclasses import replace

from billing.commands import MakeLink, RecordPreference
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import verify
from handlers.flows.flow import Flow
from handlers.turns import answer_by, ask, local_day, open_case
from handlers.understanding.folding import fold, words

NAME = "ways"
STEPS = ("which", "only", "telegram")
WAYS = ("paper", "email", "call", "text", "telegram")
_DONE = {"paper": "way_paper", "email": "way_email", "call": "way_call"}
TITLES = {"paper": "Patient wants bills on paper", "email": "Patient wants bills by e-mail: ask for the address",
           "call": "Patient wants phone calls about bills"}
_INSTEAD = words("only just instead rather solo solamente unicamente vez lugar")


def start(turn: Turn, intent: str) -> Decision:
    return _accept_telegram(turn) if intent == "telegram" else _which(turn)


def named(turn: Turn, way: str) -> Decision:
    """A way that was named in words: "mail me paper bills"."""
    if way == "telegram":
        return _warn(turn)
    if way == "text":
        return choose(turn, "text", only=False)
    if set(fold(turn.reading.text).split()) & _INSTEAD:
        return choose(turn, way, only=True)
    return ask(turn, NAME, "only", {"way": way, "words": turn.reading.text}, Reply("way_only"))


def answer(turn: Turn) -> Decision | None:
    state, intent = turn.talk.state, turn.reading.intent
    if state.step == "which":
        number = turn.reading.slots.choices
        return named(turn, WAYS[number[0] - 1]) if len(number) == 1 and number[0] <= len(WAYS) else None
    if intent not in ("yes", "no"):
        return None
    if state.step == "only":
        return choose(turn, str(state.data["way"]), only=intent == "yes", said=str(state.data["words"]))
    return _accept_telegram(turn) if intent == "yes" else Decision((Reply("telegram_no"),)).also(
        _telegram(turn, accepted=False))


def repeat(turn: Turn) -> tuple[Reply, ...]:
    match turn.talk.state.step:
        case "only":
            return (Reply("way_only"),)
        case "telegram":
            return (Reply("telegram_warning"),)
    return _which(turn).replies


def _which(turn: Turn, *before: Reply) -> Decision:
    offered = Reply("way_ask", {"telegram": _offered(turn)})
    return ask(turn, NAME, "which", {"expects": "choice"}, *before, offered)


def _offered(turn: Turn) -> bool:
    return turn.practice.policy.telegram_on(local_day(turn, turn.now)) is not None


def choose(turn: Turn, way: str, *, only: bool, said: str = "") -> Decision:
    """Record a way; ``only``: no bills by text beside it. Staff carry it out, and check the address first."""
    recorded = RecordPreference("way", {"way": way, "only": only}, said or turn.reading.text)
    if way == "text":
        return Decision((Reply("way_text"),)).also(recorded)
    case = replace(open_case(turn, "preferences", TITLES[way], detail=said or turn.reading.text),
                   dedupe=f"preferences:{way}:{turn.talk.conversation_id}")
    return Decision((Reply(_DONE[way], {"by_at": answer_by(turn)}),)).also(recorded, case)


def _warn(turn: Turn) -> Decision:
    if not _offered(turn):
        return _which(turn, Reply("telegram_not_offered"))
    return ask(turn, NAME, "telegram", {}, Reply("telegram_warning"))


def _accept_telegram(turn: Turn) -> Decision:
    """The one-time link goes to this phone, and only to somebody who has proved who they are (T-19, T-34)."""
    account = turn.account
    if not _offered(turn):
        return _which(turn, Reply("telegram_not_offered"))
    if account is None:
        return verify.first(turn, "telegram", {}).also(_telegram(turn, accepted=True))
    link = MakeLink("telegram", account.account_id)
    asked = () if turn.talk.state.flow != NAME else (_telegram(turn, accepted=True),)
    return Decision((Reply("telegram_link", {"url": Result(link.ref)}),)).also(*asked, link)


def _telegram(turn: Turn, accepted: bool) -> RecordPreference:
    shown = f"{turn.reading.text} [telegram_warning/{turn.talk.language}]"
    return RecordPreference("telegram", {"accepted": accepted}, shown,
                            turn.account.account_id if turn.account else None)


FLOW = Flow(NAME, STEPS, ("ways", "telegram"), start, answer, repeat)
