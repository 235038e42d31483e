"""New insurance: the plan's name as the patient says it, the member number, then the card by our own page.

Neither is guessed, checked or said again; the number goes into the sealed case and nowhere else. Pictures never come
by text: the page takes them behind the same questions as every statement.
"""

from __future__ import annotations

import re
from typing import Any

from billing.commands import Command, MakeLink
from handlers import filing, own_words, visits_named
from handlers.accounts import open_visits
from handlers.core import Decision, Reply, Result, Turn
from handlers.filing import Matter
from handlers.flows.flow import Flow
from handlers.turns import answer_by, ask

NAME = "insurance_update"
STEPS = ("payer", "member")
MATTER = Matter("insurance_update", "insurance_update", "Patient reports other insurance")
#: "Humana" is a plan; a person is called by words that code knows, before this is asked.
_OWN = frozenset({"insurance_update", "insurance_status", "human"})
_LABELS = re.compile(
    r"\b(?:my|mi|the|el|la|member|miembro|subscriber|policy|poliza|p\u00f3liza|id|is|es|number|n[u\u00fa]mero|no|card|"
    r"tarjeta|it|de|del|its|memberid)\b[.:#']*|#|:", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if account is None:
        return filing.before_identity(turn, MATTER, NAME, Reply("insurance_heard", {"by_at": answer_by(turn)}))
    commands: list[Command] = []
    data = dict(filing.going_on(turn))
    noted = () if data else (Reply("insurance_noted"),)
    if not data:
        visit_id = _concerned(turn)
        case = filing.open_case(turn, MATTER, visit_id)
        commands.append(case)
        if visit_id and case.visit_id is None:
            commands.append(filing.add(turn, MATTER, case.dedupe, (visit_id,)))
        data = {"key": case.dedupe, "kind": NAME}
    known = member_id(turn, filing.words(turn)) is not None
    data = {"key": data["key"], "kind": data["kind"], "member": known, "expects": "name"}
    return ask(turn, NAME, "payer", data, *noted, Reply("insurance_payer")).also(*commands)


def answer(turn: Turn) -> Decision | None:
    data, step = dict(turn.talk.state.data), turn.talk.state.step
    if own_words.is_picture(turn) and not own_words.is_words(turn.reading.text):
        return _finish(turn, data)  # of the card, most likely: the page is what they need
    if own_words.is_skip(turn):
        return _next(turn, data, step)
    number = member_id(turn, turn.reading.text)
    if number is not None:
        return _take_number(turn, data, step, number)
    if step == "member" or not own_words.tells(turn, _OWN):
        return None
    return _next(turn, data, "payer").also(_keep(turn, data, f"plan: {own_words.kept(turn)}"))


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply("insurance_payer" if turn.talk.state.step == "payer" else "insurance_member"),)


def member_id(turn: Turn, text: str) -> str | None:
    """A member number in the text, as it is on a card: letters and digits, three digits or more. A day is none."""
    if turn.reading.slots.born_on is not None or turn.reading.slots.amount_minor is not None:
        return None
    pieces = _LABELS.sub(" ", text).replace("-", " ").split()
    bare = "".join(pieces)
    # "XYZ 123 456 789" is one number, "Aetna W123456789" is a name and a number.
    if _is_number(bare) and all(any(c.isdigit() for c in one) or (len(one) < 4 and one.isupper()) for one in pieces):
        return bare
    found = [one for one in _TOKEN.findall(text) if _is_number(one.replace("-", ""))]
    return found[0] if len(found) == 1 else None


def _is_number(word: str) -> bool:
    digits = sum(one.isdigit() for one in word)
    return word.isascii() and word.isalnum() and 6 <= len(word) <= 20 and digits >= 3 and digits * 2 >= len(word) - 4


def _concerned(turn: Turn) -> str | None:
    """The one visit that this can be about; None leaves the hold on the account."""
    visits = open_visits(turn.account) if turn.account else ()
    named = visits_named.named(turn, visits_named.listed(visits), by_number=False)
    if len(visits) == 1:
        return visits[0].visit_id
    return named[0] if len(named) == 1 else None


def _take_number(turn: Turn, data: dict[str, Any], step: str, number: str) -> Decision:
    """The number, perhaps before the plan's name, perhaps together with it."""
    rest = _LABELS.sub(" ", turn.reading.text.replace(number, " "))
    named = step == "payer" and own_words.is_words(rest) and number in turn.reading.text
    known = {**data, "member": True}
    note = f"plan: {own_words.kept(turn)}" if named else f"member number: {number}"
    if step == "payer" and not named:
        return ask(turn, NAME, "payer", known, Reply("insurance_number_kept"), Reply("insurance_payer")).also(
            _keep(turn, data, note))
    return _finish(turn, known).also(_keep(turn, data, note))


def _next(turn: Turn, data: dict[str, Any], step: str) -> Decision:
    if step == "payer" and not data["member"]:
        return ask(turn, NAME, "member", data, Reply("insurance_member"))
    return _finish(turn, data)


def _keep(turn: Turn, data: dict[str, Any], note: str) -> Command:
    return filing.add(turn, MATTER, data["key"], said=note)


def _finish(turn: Turn, data: dict[str, Any]) -> Decision:
    """The card by our page, while this account is verified; and what happens next."""
    account, after = turn.account, Reply("insurance_next", {"by_at": answer_by(turn)})
    if account is None or not data["key"].endswith(f":{account.account_id}"):
        return Decision((after,))
    link = MakeLink("insurance", account.account_id, data["kind"])
    return Decision((Reply("insurance_card", {"url": Result(link.ref)}), after)).also(link)


FLOW = Flow(NAME, STEPS, ("insurance_update",), start, answer, repeat, silence=filing.silence,
            leave=filing.leave)
