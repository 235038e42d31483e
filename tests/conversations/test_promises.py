"""What must hold in every conversation, whatever is written: seeded random threads made of the transcripts' lines."""

from __future__ import annotations

import random

import pytest

from billing.commands import ChargeSavedCard, MarkVerified, RecordIdentityFailure, RequestPayment
from handlers.core import Happened
from handlers.understanding import read
from tests.conversations.people import PEOPLE
from tests.conversations.play import Stage, stage
from tests.conversations.test_transcripts import TRANSCRIPTS

LINES = sorted({line[2:] for path in TRANSCRIPTS for line in path.read_text(encoding="utf-8").splitlines()
                if line.startswith("> ") and not line.startswith("> [")})
CROWDS = [*PEOPLE, "nobody", "one_visit, spouse", "private, spouse"]


def mutate(line: str, dice: random.Random) -> str:
    """Typing mistakes, shouting, two texts in one."""
    kind = dice.randrange(8)
    if kind == 0 and len(line) > 3:
        at = dice.randrange(len(line) - 1)
        return line[:at] + line[at + 1] + line[at] + line[at + 2:]
    if kind == 1 and len(line) > 3:
        at = dice.randrange(len(line))
        return line[:at] + line[at + 1:]
    if kind == 2:
        return line.upper()
    return f"{line} {dice.choice(LINES)}" if kind == 3 else line


def check(on: Stage, line: str, was_verified: bool, was_open: str) -> None:
    for reply, words in zip(on.last.replies, on.rendered, strict=True):
        account = next((one for one in on.candidates if one.account_id == on.talk.account_id), None)
        if words.privacy == "amounts":
            assert account is not None and account.detail_allowed, f"{reply.template} after {line!r}"
    for command in on.last.commands:
        if isinstance(command, RequestPayment | ChargeSavedCard):
            said = read(line, "en", on.now.date())
            yes = said.intent == "yes" and said.certain
            linked = isinstance(command, RequestPayment) and bool({"link", "enlace"} & set(line.casefold().split()))
            assert was_open in ("pay.confirm", "my_plan.pay") and (yes or linked), line
            assert was_verified and sum(part for _, part in command.split) == command.amount_minor


@pytest.mark.parametrize("seed", range(60))
def test_no_disclosure_before_identity_no_money_without_a_yes_and_no_dead_end(seed: int) -> None:
    dice = random.Random(seed)
    crowd, proved = dice.choice(CROWDS), dice.choice(["yes", "no", "no"])
    on = stage({"account": crowd, "verified": "no" if crowd == "nobody" else proved,
                "state": "plans" if seed % 2 else ""}, dice.choice(["en", "es"]))
    for _ in range(15):
        line = mutate(dice.choice([*LINES, "03/14/1980 10001", "yes", "sí", "all", "2"]), dice)
        was_open, verified = f"{on.talk.state.flow}.{on.talk.state.step}", on.talk.account_id is not None
        out = on.talk.opted_out
        on.hear(line)
        check(on, line, verified, was_open)
        assert on.said or on.last.commands or out, f"nothing was said or done about {line!r}"
        if dice.random() < 0.1:
            on.happen(Happened("timeout"))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("intent", ["balance", "why", "pay", "statement", "receipt", "did my insurance pay"])
def test_five_wrong_tries_read_the_same_whether_or_not_the_number_is_known(intent: str, language: str) -> None:
    """T-34: no oracle. Known number, unknown number, unconfirmed account, shared number: word for word the same."""
    heard = []
    for crowd in ("one_visit", "nobody", "unconfirmed", "one_visit, spouse", "one_visit, twin", "private"):
        on = stage({"account": crowd}, language)
        thread = []
        for line in (intent, "01/02/1970 10001", "03/14/1980 99999", "1/1/60", "33333", "5/5/1955 10001",
                     "6/6/1966 10001", intent, "03/14/1980 10001"):
            on.hear(line)
            failures = [one for one in on.last.commands if isinstance(one, RecordIdentityFailure)]
            thread.append((tuple(on.said), on.talk.state.flow, failures))
        heard.append(thread)
    assert all(thread == heard[0] for thread in heard)


SHARED = ("one_visit, spouse", "two_visits, spouse", "held, spouse", "private, spouse", "estimate, spouse")
OF_THE_FIRST = ("45.00", "120.50", "165.50", "March", "April", "marzo", "abril")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("crowd", SHARED)
def test_after_the_other_person_s_proof_nothing_of_the_first_account_is_said(crowd: str, language: str) -> None:
    """T-34: whatever was open when the phone changed hands, neither its amounts nor its months are said again."""
    for seed in range(12):
        dice = random.Random(seed)
        on = stage({"account": crowd, "verified": "yes"}, language)
        for _ in range(dice.randrange(5)):
            on.hear(dice.choice(["pay", "why", "balance", "all", "yes", "statement", "why do i owe this", "1"]))
        on.hear(dice.choice(["07/01/1982 10001", "why 07/01/1982 10001", "pay all 07/01/1982 10001"]))
        assert on.talk.account_id == "spouse"
        for _ in range(6):
            assert not any(word in said for said in on.said for word in OF_THE_FIRST if word != "45.00" or not _why(on))
            assert not any(getattr(one, "account_id", "spouse") not in ("spouse", None) for one in on.last.commands)
            on.hear(dice.choice(["yes", "no", "pay", "balance", "all", "back", "repeat", "receipt", "2"]))


def _why(on: Stage) -> bool:
    """The explanation of the second account's visit happens to have a step of the same amount."""
    return any(reply.template == "explain_visit" for reply in on.last.replies)


@pytest.mark.parametrize("language", ["en", "es"])
def test_guessing_a_third_person_s_proof_locks_however_often_two_others_change_places(language: str) -> None:
    """T-34: the fifth wrong try locks; a switch between accounts that are known does not start the count anew."""
    on = stage({"account": "one_visit, spouse, unconfirmed", "verified": "yes"}, language)
    for number in range(4):
        on.hear(f"0{number + 1}/02/1970 10001")
        on.hear(("07/01/1982 10001", "03/14/1980 10001")[number % 2])
    assert (on.talk.tries, on.talk.locked_until, on.talk.account_id) == (4, None, "one_visit")
    on.hear("05/02/1970 10001")
    locks = [one.lock_until for one in on.last.commands if isinstance(one, RecordIdentityFailure)]
    assert len(locks) == 1 and locks[0] is not None and locks[0] > on.now
    on.hear("07/01/1982 10001")
    assert on.talk.account_id == "one_visit"
    assert not any(isinstance(one, MarkVerified | RecordIdentityFailure) for one in on.last.commands)


def test_a_text_with_a_card_number_is_answered_and_nothing_is_done() -> None:
    for name in PEOPLE:
        on = stage({"account": name, "verified": "yes"}, "en")
        on.hear("pay with [card number removed] please", card=True)
        assert not on.last.commands and [reply.template for reply in on.last.replies] == ["card_number"]


def test_an_emergency_is_answered_without_a_word_of_money_in_every_state() -> None:
    for text, language in (("I am going to kill myself", "en"), ("me quiero matar", "es")):
        for before in ("pay", "balance", "hello", "change language"):
            on = stage({"account": "two_visits", "verified": "yes"}, language)
            on.hear(before)
            on.hear(text)
            assert [reply.purpose for reply in on.last.replies] == ["emergency"]
            said = " ".join(on.said).lower()
            assert "988" in said and "911" in said
            assert not any(word in said for word in ("$", "pay", "bill", "owe", "pag", "cuenta", "debe"))


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_digits_of_a_passcode_are_in_no_state_and_in_no_reply(language: str) -> None:
    """While the ZIP code is waited for only digests wait with it, for an account with a passcode and without alike."""
    for crowd in ("coded", "one_visit", "nobody", "coded, spouse"):
        on = stage({"account": crowd}, language)
        for line in ("balance" if language == "en" else "saldo", "482913", "10001"):
            on.hear(line)
            assert "482913" not in repr(on.talk.state) and not any("482913" in said for said in on.said)
        assert (on.talk.account_id == "coded") == ("coded" in crowd)


@pytest.mark.parametrize("language", ["en", "es"])
def test_wrong_tries_read_the_same_whether_or_not_a_passcode_is_set(language: str) -> None:
    """T-34: no oracle about passcodes either. Only the right proof, passcode and ZIP, reads differently."""
    heard = []
    for crowd in ("coded", "one_visit", "nobody", "unconfirmed"):
        on = stage({"account": crowd}, language)
        thread = []
        for line in ("balance" if language == "en" else "saldo", "01/02/1970 10001", "111111 10001", "333333", "99999",
                     "5/5/1955 10001", "222222 10001"):
            on.hear(line)
            thread.append((tuple(on.said), on.talk.state.flow, on.talk.tries, on.talk.locked_until is None))
        heard.append(thread)
    assert all(thread == heard[0] for thread in heard)


def test_after_an_emergency_nothing_unasked_speaks_of_money_until_it_is_cleared() -> None:
    lines = ("hello", "thanks", "what can you do", "bye", "qzxv", "repeat", "are you a robot", "back", "yes", "hola")
    for name in ("two_visits", "nobody"):
        on = stage({"account": name, "verified": "no" if name == "nobody" else "yes"}, "en")
        on.hear("pay")
        on.hear("I am going to kill myself")
        for line in lines:
            on.hear(line)
            said = " ".join(on.said).lower()
            assert not any(word in said for word in ("$", "pay", "bill", "owe", "insurance")), (line, said)
        on.happen(Happened("timeout"))
        assert not any("money" in said for said in on.said)
    on = stage({"account": "two_visits", "verified": "yes"}, "en")
    on.hear("I am going to kill myself")
    on.hear("balance")
    assert "$165.50" in " ".join(on.said), "who asks is answered"
