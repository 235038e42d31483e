"""Random conversations, the same for the same seed: lines of the transcripts, cut up, joined, misspelt, repeated, in
the other language, with junk, silences and events in between.

A step is a line of a transcript: ``>`` a text ("[card]", "[picture]" as there), ``@`` what happens: ``minutes N``,
``payment_paid``, ``payment_failed``, ``timeout``, ``balance_moved``, ``refuse REASON`` (the next command that can be
refused is), ``at_once`` (the next two texts arrive together).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.conversations.junk import make_junk
from tests.conversations.people import PEOPLE

FOLDER = Path(__file__).parent
SHORTEST, LONGEST = 3, 25


@dataclass(frozen=True, slots=True)
class Step:
    kind: str  # > or @
    words: str


@dataclass(frozen=True, slots=True)
class Script:
    """One random conversation: the header of a transcript, and what happens."""

    seed: int
    account: str
    language: str
    verified: bool
    marks: str
    steps: tuple[Step, ...]
    channel: str = "sms"


@dataclass(frozen=True, slots=True)
class Source:
    """What of one transcript is used: who it is about, and the patient's lines and events in both languages."""

    account: str
    verified: bool
    lines: dict[str, tuple[Step, ...]]
    plans: bool = False  # the practice has instalment plans


@lru_cache(maxsize=1)
def sources() -> tuple[Source, ...]:
    """Every transcript that has a twin in the other language, in a fixed order."""
    found = []
    for path in sorted((FOLDER / "en").glob("*.txt")):
        twin = FOLDER / "es" / path.name
        if twin.exists():
            header, lines = _read(path)
            if all(name.strip() in PEOPLE for name in header["account"].split(",") if name.strip() != "nobody"):
                found.append(Source(header["account"], header.get("verified") == "yes",
                                    {"en": lines, "es": _read(twin)[1]}, "plans" in header.get("state", "")))
    return tuple(found)


def _read(path: Path) -> tuple[dict[str, str], tuple[Step, ...]]:
    head, _, body = path.read_text(encoding="utf-8").partition("---\n")
    header = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line and not line.startswith("#"))
    steps = [Step(line[0], line[2:].strip()) for line in body.splitlines() if line[:2] in ("> ", "@ ")]
    known = ("minutes", "payment_paid", "payment_failed", "timeout", "balance_moved", "plan_notice", "plan_link_due",
             "plan_charge_failed", "plan_behind", "plan_defaulted", "plan_changed", "plan_agreed", "card_kept")
    return header, tuple(one for one in steps if one.kind == ">" or one.words.split()[0] in known)


# -- a conversation ---------------------------------------------------------------------------------------------------

CROWDS = ("nobody", "one_visit, spouse", "private, spouse", "two_visits, spouse", "confidential, spouse",
          "one_visit, twin", "held, spouse", "confidential", "two_visits", "linked, spouse", "paid, spouse, private")
MARKS = ("", "", "", "", "", "plans", "first", "first", "closed", "carrier", "declined", "opted_out", "chosen",
         "locked")


def script(seed: int) -> Script:
    """The conversation of ``seed``: 3 to 25 steps."""
    dice = random.Random(seed)
    about_plans = dice.random() < 0.25
    chosen = dice.choice([one for one in sources() if one.plans == about_plans])
    account = chosen.account if dice.random() < 0.6 else dice.choice([*PEOPLE, *CROWDS])
    verified = account != "nobody" and (chosen.verified if dice.random() < 0.7 else dice.random() < 0.3)
    language = dice.choice(("en", "es"))
    wild = dice.choice((0.0, 0.3, 0.6, 1.0))  # calm conversations go deep, wild ones everywhere
    steps = _spliced(dice, chosen, language)
    if dice.random() < 0.4:
        steps += _purposeful(dice, verified)
    if chosen.plans and dice.random() < 0.7:
        account, verified = (chosen.account, chosen.verified) if dice.random() < 0.8 else (account, verified)
        steps = steps[:dice.randrange(6)] + _about_plans(dice, verified)
    steps = [mutated for step in steps for mutated in _mutate(step, dice, wild)]
    steps = _disturbed(steps, dice, wild)[:dice.randrange(SHORTEST, LONGEST + 1)]
    while len(steps) < SHORTEST:
        steps.append(Step(">", dice.choice(_pool(language))))
    marks = "plans" if chosen.plans or dice.random() < 0.1 else dice.choice(MARKS)
    return Script(seed, account, language, verified, "" if marks == "declined" and account == "nobody" else marks,
                  tuple(steps), dice.choice(("sms", "sms", "telegram")))


def _spliced(dice: random.Random, first: Source, language: str) -> list[Step]:
    """Parts of one to three transcripts put into each other; now and then the language changes for good or for one."""
    steps: list[Step] = []
    for source in (first, *dice.sample(sources(), dice.randrange(3))):
        part = list(_bilingual(source, language, dice))
        if dice.random() < 0.3 and len(part) > 2:
            start = dice.randrange(len(part) - 1)
            part = part[start:start + dice.randrange(1, len(part))]
        at = dice.randrange(len(steps) + 1) if dice.random() < 0.6 else len(steps)
        steps[at:at] = part
    return steps


def _purposeful(dice: random.Random, verified: bool) -> list[Step]:
    """Somebody who knows what they want: proves who they are, asks for a link, perhaps pays, perhaps again."""
    lines = [] if verified else [dice.choice(("yes", "no", "balance", "saldo")), "03/14/1980 10001", "yes"]
    lines += dice.choice((["pay all"], ["pagar todo"], ["pay", "all"], ["pay $20"], ["pagar", "$15.50"], ["pay", "1"]))
    lines += dice.choice((["yes"], ["sí"], ["ok"], ["yes", "yes"], ["no"], ["maybe", "yes"], ["help", "si"]))
    steps = [Step(">", line) for line in lines]
    after = dice.choice(((), ("payment_paid",), ("payment_failed",), ("payment_paid", "payment_paid")))
    return [*steps, *(Step("@", name) for name in after), Step(">", dice.choice(ANY_TIME))]


def _about_plans(dice: random.Random, verified: bool) -> list[Step]:
    """Somebody who wants to pay in parts, or wants something of a plan that runs, and sees it through."""
    lines = [] if verified else [dice.choice(("my plan", "plan de pagos")), "03/14/1980 10001", "yes"]
    lines += dice.choice((
        ["in 4 payments", "1", dice.choice("123"), "yes"], ["en 3 pagos", "1", dice.choice("123"), "s\u00ed"],
        ["50 a month", "1", dice.choice("12"), "yes"], ["payment plan", dice.choice("123"), dice.choice("12"), "ok"],
        ["in 4 payments", "1", "1", "maybe", "yes"], ["skip this month", "yes"], ["saltar este mes", "s\u00ed"],
        ["move it to the 20th", "yes"], ["pause my plan", "yes"], ["cancel my plan", "yes"],
        ["my plan", "4", "1", "yes"],
        ["pay $60", "yes", dice.choice("12")], ["pay off my plan", "link"], ["pay all", "yes"],
        ["remove my card", "yes"],
        ["don't charge my card"], ["NO COBRAR"], ["add this bill to my plan", "1", "1", "yes"]))
    between = dice.choice(((), (), ("balance_moved",), ("refuse stale_plan",), ("refuse outside_policy",),
                           ("refuse card_gone",), ("minutes 16",), ("plan_notice",)))
    steps = [Step(">", line) for line in lines]
    at = dice.randrange(len(steps) + 1)
    return [*steps[:at], *(Step("@", name) for name in between), *steps[at:], Step(">", dice.choice(ANY_TIME))]


def _bilingual(source: Source, language: str, dice: random.Random) -> list[Step]:
    other = "es" if language == "en" else "en"
    own, foreign = source.lines[language], source.lines[other]
    if dice.random() < 0.15 and len(own) == len(foreign):
        turn = dice.randrange(len(own)) if own else 0
        return [*own[:turn], *foreign[turn:]]
    return list(foreign if dice.random() < 0.08 else own)


def _disturbed(steps: list[Step], dice: random.Random, wild: float) -> list[Step]:
    """Between the lines: junk, identities, what may be asked at any time, silences, events; some change places."""
    found: list[Step] = []
    for step in steps:
        while dice.random() < 0.35 * wild:
            found.extend(_between(dice))
        found.append(step)
        if dice.random() < 0.08 * wild:
            found.extend([step] * dice.randrange(1, 4))
    if len(found) > 3 and dice.random() < 0.3 * wild:
        at = dice.randrange(len(found) - 1)
        found[at], found[at + 1] = found[at + 1], found[at]
    return [step for step in found if dice.random() > 0.05 * wild]


def _between(dice: random.Random) -> list[Step]:
    roll = dice.random()
    if roll < 0.22:
        return [Step(">", make_junk(dice, _pool(dice.choice(("en", "es")))))]
    if roll < 0.42:
        return [Step(">", dice.choice(IDENTITIES))]
    if roll < 0.62:
        return [Step(">", dice.choice(ANY_TIME))]
    if roll < 0.74:
        return [Step("@", f"minutes {dice.choice((2, 10, 16, 31, 45, 180, 1500, 7200))}")]
    if roll < 0.92:
        return [Step("@", dice.choice(EVENTS))]
    if roll < 0.96:
        return [Step(">", "[picture] " + dice.choice(("", "xyz", "my new insurance card", "mi recibo")))]
    return [Step("@", "at_once")]


IDENTITIES = (
    "03/14/1980 10001", "03/14/1980 10001", "03/14/1980 10001", "3/14/80 10001", "March 14 1980, zip 10001",
    "14 de marzo de 1980 10001", "10001", "03/14/1980", "07/01/1982 10001", "07/01/1982", "07/01/1982 10001 balance",
    "482913", "code 482913 10001", "482913 10002",
    "03/14/1980 10002", "01/02/1970 10001", "1/1/60 33333", "13/45/1980 10001",
    "pay all 03/14/1980 10001", "soy yo 03/14/1980 10001 cuánto debo", "99999", "03/14/1980 10001-1234",
    "02/30/1980 10001")
ANY_TIME = (
    "yes", "no", "sí", "YES", "all", "todo", "1", "2", "3", "4", "back", "volver", "repeat", "HELP", "ayuda", "human",
    "STOP", "stop", "START", "cancel", "cancelar", "cancel my plan", "pay", "pagar", "pay all", "$20", "$20.00", "20",
    "two fifty", "pay $1", "pay $5000", "balance", "saldo", "why", "por qué", "receipt", "statement", "due date",
    "en español por favor", "in english please", "thanks", "gracias", "ok thanks", "yes but not today", "maybe",
    "this is not my number, wrong number", "número equivocado", "I am going to kill myself", "me quiero matar",
    "chest pain can't breathe", "stop texting me i want to die", "are you a robot?", "is this real",
    "what can you do", "i already paid", "i cant afford this", "i have new insurance", "this bill is wrong",
    "in 4 payments", "50 al mes", "my plan", "mi plan", "don't charge my card", "no me cobren", "my card", "LINK",
    "skip this month", "pay off my plan",
    "my husband died", "where is my refund", "1 and 2", "the second one", "👍", "send me a link", "y", "n", "si")
EVENTS = ("plan_notice", "plan_link_due",
          "payment_paid", "payment_paid", "payment_failed", "timeout", "balance_moved", "balance_moved",
          "refuse stale_balance", "refuse hold", "refuse nothing_due", "refuse too_much", "refuse not_confirmed")

# -- mutations of one line --------------------------------------------------------------------------------------------

_SMS = {"you": "u", "are": "r", "please": "plz", "to": "2", "for": "4", "what": "wat", "why": "y", "pay": "pa",
        "people": "ppl", "thanks": "thx", "balance": "bal", "insurance": "ins", "que": "q", "qué": "k", "por": "x",
        "porque": "xq", "también": "tmb", "quiero": "kiero", "cuánto": "qnto", "cuanto": "kuanto", "favor": "fa",
        "debo": "devo", "hablar": "ablar", "estoy": "toy", "mensajes": "msjs", "because": "cuz", "tomorrow": "tmrw"}
_NEAR = {"a": "s", "e": "r", "i": "o", "o": "p", "n": "m", "s": "d", "t": "y", "l": "k", "y": "t", "p": "o"}


def _swap(words: str, dice: random.Random) -> str:
    at = dice.randrange(max(1, len(words) - 1))
    return words[:at] + words[at + 1:at + 2] + words[at:at + 1] + words[at + 2:]


def _lose(words: str, dice: random.Random) -> str:
    at = dice.randrange(max(1, len(words)))
    return words[:at] + words[at + 1:]


def _double(words: str, dice: random.Random) -> str:
    at = dice.randrange(max(1, len(words)))
    return words[:at + 1] + words[at:at + 1] * dice.randrange(1, 4) + words[at + 1:]


def _slip(words: str, dice: random.Random) -> str:
    places = [at for at, letter in enumerate(words) if letter in _NEAR]
    if not places:
        return words
    at = dice.choice(places)
    return words[:at] + _NEAR[words[at]] + words[at + 1:]


def _texted(words: str, dice: random.Random) -> str:
    return " ".join(_SMS.get(word.strip("?,.!").lower(), word) for word in words.split())


def _shout(words: str, dice: random.Random) -> str:
    return words.upper() + dice.choice(("", "!!!", "???"))


def _drop_word(words: str, dice: random.Random) -> str:
    split = words.split()
    return " ".join(word for at, word in enumerate(split) if at != dice.randrange(len(split))) if split else words


def _repeat_word(words: str, dice: random.Random) -> str:
    split = words.split()
    if not split:
        return words
    at = dice.randrange(len(split))
    return " ".join([*split[:at + 1], split[at], *split[at + 1:]])


def _reorder(words: str, dice: random.Random) -> str:
    split = words.split()
    dice.shuffle(split)
    return " ".join(split)


def _decorate(words: str, dice: random.Random) -> str:
    return dice.choice(("{} 😀", "  {}  ", "{}...", "¿{}?", "hey {}", "{} please", "*{}*", "{}\n", "\u200b{}", "{} 🙏🙏"
                        )).format(words.replace("{", "(").replace("}", ")"))


def _join(words: str, dice: random.Random) -> str:
    return f"{words} {dice.choice(_pool(dice.choice(('en', 'es'))))}"


def _bare(words: str, dice: random.Random) -> str:
    return re.sub(r"[^\w\s/$.]", "", words).translate(str.maketrans("áéíóúüñ", "aeiouun"))


def _cut(words: str, dice: random.Random) -> str:
    return words[:dice.randrange(1, len(words))] if len(words) > 1 else words


_MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    _swap, _lose, _double, _slip, _texted, _shout, _drop_word, _repeat_word, _reorder, _decorate, _join, _bare, _cut)


def _mutate(step: Step, dice: random.Random, wild: float) -> list[Step]:
    if step.kind == "@" or dice.random() > 0.6 * wild:
        return [step]
    head = re.match(r"^\[(?:card|picture)\] ?", step.words)
    mark, words = (head[0], step.words[head.end():]) if head else ("", step.words)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        words = dice.choice(_MUTATIONS)(words, dice)
    if len(words) > 6 and dice.random() < 0.08:  # one text in two messages
        at = dice.randrange(1, len(words))
        return [Step(">", mark + words[:at]), Step(">", words[at:])]
    return [Step(">", mark + words)]


@lru_cache(maxsize=2)
def _pool(language: str) -> tuple[str, ...]:
    """Every line that a patient writes in that language."""
    return tuple(sorted({step.words for source in sources() for step in source.lines[language]
                         if step.kind == ">" and not step.words.startswith("[")}))
