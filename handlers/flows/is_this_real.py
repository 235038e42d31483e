"""Is this text real: a short code that the patient can check elsewhere, and where. It opens nothing, names nobody."""

from __future__ import annotations

from billing.commands import MakeCheckCode
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows.flow import Flow, never_answers, never_asks
from handlers.turns import phone, practice

NAME = "is_this_real"
STEPS: tuple[str, ...] = ()


def start(turn: Turn, intent: str) -> Decision:
    code = MakeCheckCode()
    words = {"practice": practice(turn), "phone": phone(turn), "code": Result(code.ref), "url": Result("check_url")}
    return Decision((Reply("is_this_real", words),)).also(code)


FLOW = Flow(NAME, STEPS, ("is_this_real",), start, never_answers, never_asks)
