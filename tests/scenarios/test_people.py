"""Each of the sample's people asks, in their own language and over the whole stack, what they owe and why.

The figures are worked out by hand from the sample's claim and remittance files, and are exact to the cent.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from billing import accounts, figures
from billing.store.tables import Case
from billing.views import Figures
from bot.demo.people import PEOPLE, Person
from bot.demo.stage import Stage
from tests.scenarios import sample
from tests.scenarios.stages import open_stage, pass_to, say

WORDS = {
    "en": ("what do I owe?", "yes", "why do I owe this?", "all"),
    "es": ("¿cuánto debo?", "sí", "¿por qué debo esto?", "todas"),
}
WRONG = "01/02/1990 99999"


@dataclass(frozen=True, slots=True)
class Expected:
    """Cents, and parts of the texts. ``owes`` are all amounts that the answer to "what do I owe?" may name."""

    owes: tuple[str, ...]
    due: int = 0
    payer: int = 0
    pending: int = 0
    held: int = 0
    credit: int = 0
    says: str = ""
    why: tuple[str, ...] = ()


NOTHING = "You owe nothing right now."
EXPECTED: Mapping[str, Expected] = {
    "A-1001": Expected(("$84.20",), 8420, says="You owe $84.20 now",
                       why=("$67.00 is your deductible", "$17.20 is your coinsurance", "That leaves $84.20")),
    "A-1002": Expected(("$79.60",), 3000 + 4960, says="Ahora debe $79.60",
                       why=("$30.00 son su copago", "Quedan $30.00", "$49.60 son su deducible", "Quedan $49.60")),
    "A-1003": Expected((), payer=18500, says="We are still waiting for an answer from your insurance",
                       why=("We are waiting for", "on $185.00", "You owe nothing for this visit")),
    "A-1004": Expected((), payer=2560, says="We are still waiting for an answer from your insurance",
                       why=("paid $102.40", "on $25.60", "You owe nothing for this visit")),
    "A-1005": Expected((), payer=9000, says=NOTHING, why=(NOTHING,)),
    "A-1006": Expected(("$25.00", "$60.00"), 2500, held=6000, says="You owe $25.00 now",
                       why=("$25.00 is your copay", "That leaves $85.00. Only $25.00 of it is due now")),
    "A-1007": Expected(("$10.00",), 1000, says="You owe $10.00 now",
                       why=("$10.00 is your deductible", "That leaves $10.00")),
    "A-1008": Expected(("$25.00",), 2500, says="You owe $25.00 now",
                       why=("$25.00 is your copay", "That leaves $25.00")),
    "A-1009": Expected(("$20.00",), credit=2000, says="You have $20.00 of credit", why=(NOTHING,)),
    "A-1011": Expected(("$18.40",), held=1840, says="may not bill you",
                       why=("may not bill you for this part: $18.40",)),
    "A-1012": Expected(("$400", "$830.00"), held=83000, says="We do not ask you for $830.00 now",
                       why=("You do not need to pay it now", "within 120 days", "1-800-985-3059", "HUMAN")),
    "A-1013": Expected(("$40.00",), 4000, says="You owe $40.00 now", why=("That leaves $40.00",)),
    "A-1014": Expected(("$35.10",), 3510, says="Ahora debe $35.10", why=("$35.10 son su coseguro", "Quedan $35.10")),
}
ASKING = [person for person in PEOPLE if person.account in EXPECTED]
CARLOS = next(person for person in PEOPLE if person.account not in EXPECTED)


@dataclass(slots=True)
class Talk:
    """What one person was answered: before and on a wrong proof, after the right one, and to "why?"."""

    before: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    owed: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)


async def converse(stage: Stage, person: Person) -> Talk:
    ask, yes, why, everything = WORDS[person.language]
    talk = Talk()
    for words in (why, ask):
        talk.before += await say(stage, person.phone, words)
    talk.wrong = await say(stage, person.phone, WRONG)
    await say(stage, person.phone, f"{person.born_on} {person.postal_code}")
    talk.owed = await say(stage, person.phone, yes)
    talk.why = await say(stage, person.phone, why)
    if person.account == "A-1002":  # two visits: which?
        talk.why += await say(stage, person.phone, everything)
    talk.figures = stage.store.read(lambda session: _figures(session, stage, person))
    return talk


def _figures(session: Session, stage: Stage, person: Person) -> Figures:
    found = accounts.find_account(session, sample.PRACTICE, person.account)
    assert found is not None
    today = stage.clock.now().astimezone(ZoneInfo(stage.policy.zone)).date()
    return figures.account_figures(session, found.id, today).total


@pytest.fixture(scope="module")
def talks(sample_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Talk]:
    """Everybody's conversation; Joan's and Paul's are on one phone, half an hour apart."""
    folder = tmp_path_factory.mktemp("people")

    async def play() -> dict[str, Talk]:
        url = f"sqlite:///{shutil.copyfile(sample_file, folder / 'plainbill.db')}"
        async with open_stage(url, folder, sample.TUESDAY) as stage:
            first = [person for person in ASKING if person.account != "A-1013"]
            found = await asyncio.gather(*(converse(stage, person) for person in first))
            await pass_to(stage, sample.TUESDAY + timedelta(minutes=30))
            paul = next(person for person in ASKING if person.account == "A-1013")
            return dict(zip([person.account for person in [*first, paul]], [*found, await converse(stage, paul)],
                            strict=True))

    return asyncio.run(play())


@pytest.mark.parametrize("person", ASKING, ids=lambda person: person.account)
def test_what_is_owed_is_exact_to_the_cent(talks: dict[str, Talk], person: Person) -> None:
    talk, expected = talks[person.account], EXPECTED[person.account]
    answer = "\n".join(talk.owed)
    assert expected.says in answer
    assert tuple(re.findall(r"\$[\d,.]*\d", answer)) == expected.owes
    total = talk.figures
    assert (total.due_now_minor, total.payer_minor, total.pending_minor, total.held_minor, total.credit_minor) == (
        expected.due, expected.payer, expected.pending, expected.held, expected.credit)
    assert total.open_minor == expected.due + expected.payer + expected.held - expected.credit


@pytest.mark.parametrize("person", ASKING, ids=lambda person: person.account)
def test_why_it_is_owed_is_answered_in_steps_that_add_up(talks: dict[str, Talk], person: Person) -> None:
    answer = "\n".join(talks[person.account].why)
    for part in EXPECTED[person.account].why:
        assert part in answer


@pytest.mark.parametrize("person", ASKING, ids=lambda person: person.account)
def test_before_the_proof_nothing_about_an_account_is_said(talks: dict[str, Talk], person: Person) -> None:
    """No amount, no month, no payer, no name: only who we are and what we need; and a wrong proof changes nothing."""
    talk = talks[person.account]
    said = "\n".join([*talk.before, *talk.wrong])
    assert len(talk.before) >= 2
    assert len(talk.wrong) == 1
    assert "$" not in said
    assert not re.search(r"visit|2026|octubre|october|november|september|plan|medicare|mutual|fund", said, re.I)
    for name in person.name.split():
        assert name.casefold() not in said.casefold()


def test_a_wrong_proof_sounds_the_same_whoever_is_asked(talks: dict[str, Talk]) -> None:
    """An account that is insured, held, in credit or shared: the words tell nothing about it."""
    said = {(person.language, *talks[person.account].wrong) for person in ASKING}
    assert len(said) == 2  # one in each language


def test_paul_never_sees_the_account_of_joan_who_shares_his_phone(talks: dict[str, Talk]) -> None:
    """She asked half an hour before him on the same number."""
    said = "\n".join([*talks["A-1013"].before, *talks["A-1013"].wrong, *talks["A-1013"].owed, *talks["A-1013"].why])
    assert "$20.00" not in said
    assert "$40.00" in said


async def test_paul_takes_the_phone_while_joan_s_proof_is_fresh(sample_sqlite_url: str, tmp_path: Path) -> None:
    """A text with both of his factors is answered about him; one that is wrong is not, and says nothing of him."""
    joan, paul = (next(person for person in PEOPLE if person.account == one) for one in ("A-1009", "A-1013"))
    async with open_stage(sample_sqlite_url, tmp_path, sample.TUESDAY) as stage:
        for words in ("what do I owe?", f"{joan.born_on} {joan.postal_code}"):
            await say(stage, joan.phone, words)
        assert "$20.00" in "\n".join(await say(stage, joan.phone, "yes"))
        assert "$40.00" not in "\n".join(await say(stage, joan.phone, f"what do I owe? {paul.born_on} 99999"))
        said = await say(stage, joan.phone, f"what do I owe? {paul.born_on} {paul.postal_code}")
        said += await say(stage, joan.phone, "yes")
        assert "$40.00" in "\n".join(said) and "$20.00" not in "\n".join(said)


async def test_who_has_opted_out_gets_no_text_but_a_letter_and_a_call(sample_sqlite_url: str, tmp_path: Path) -> None:
    """Carlos: whatever he writes, no text leaves; staff have one case to call him."""
    async with open_stage(sample_sqlite_url, tmp_path, sample.TUESDAY) as stage:
        for words in ("what do I owe?", f"{CARLOS.born_on} {CARLOS.postal_code}", "yes"):
            assert await say(stage, CARLOS.phone, words) == []
        lines = await stage.send_statements()
        carlos = next(line for line in lines if line.account == CARLOS.account)
        assert (carlos.way, carlos.passed[0]) == ("paper", ("sms", "opted_out"))
        cases = stage.store.read(lambda session: [case.kind for case in session.query(Case)])
        assert cases.count("call") == 1
