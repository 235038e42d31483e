"""Random conversations over the whole road: accepted, worked by two workers, delivered, killed and begun again.

The conversations are those of tests/conversations/mutations.py on the sample practice's phones; what is judged is what
the channel's journal says was sent. The fast suite plays a few, CI and `make deep` more, and some on PostgreSQL.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.demo.people import PEOPLE, Person
from bot.failpoints import DELIVER, RECEIVE
from bot.write import open_store
from tests.conftest import TEST_KEYS
from tests.conversations import mutations
from tests.conversations.mutations import Step
from tests.depth import draws
from tests.scenarios import sample
from tests.scenarios.random_judge import Books, faults, read_books
from tests.scenarios.random_lives import KILLED, Lives, Order, after_death, noted

FIRST_SEED, FAST = 5000, 3
ALL, POSTGRESQL = draws(60, in_ci=20), draws(10, in_ci=4)
POINTS = [name for name in RECEIVE + DELIVER if name not in ("receive.failed", "deliver.refused")]
MOST_LIVES = 12
SILENCE = Step("@", "minutes 45")


@pytest.fixture(scope="module")
def lives(sample_file: Path) -> Iterator[Lives]:
    made = Lives(sample_file)
    yield made
    made.close()


def steps_of(seed: int, person: Person, other: Person) -> tuple[tuple[str, str], ...]:
    """The seed's conversation as this person would hold it, closed by silence."""
    script = mutations.script(seed)
    own = {"03/14/1980": person.born_on, "07/01/1982": other.born_on, "10001": person.postal_code}
    steps = list(script.steps)
    if script.verified:
        proof = f"{person.born_on} {person.postal_code}"
        steps[:0] = [Step(">", "balance" if script.language == "en" else "saldo"), Step(">", proof), Step(">", "yes")]
    told = []
    for step in [*steps, SILENCE]:
        words = step.words
        for sample_words, mine in own.items():
            words = words.replace(sample_words, mine)
        told.append((step.kind, words))
    return tuple(told)


def people_of(dice: random.Random) -> tuple[Person, Person]:
    person = dice.choice(PEOPLE)
    sharing = [one for one in PEOPLE if one.phone == person.phone and one is not person]
    return person, dice.choice(sharing or [one for one in PEOPLE if one is not person])


def converse(lives: Lives, url: str, folder: Path, seed: int, channel: str) -> tuple[Order, Books, list[str]]:
    """Play a seed's conversation through several lives; return it with the books at its end and the points of death."""
    dice = random.Random(seed)
    person, other = people_of(dice)
    steps = steps_of(seed, person, other)
    order = Order(url, str(folder / "journal"), str(folder / "notes"), person.phone, channel, steps, 0, len(steps),
                  sample.TUESDAY.isoformat(), "")
    deaths: list[str] = []
    for life in range(MOST_LIVES):
        armed = f"{dice.choice(POINTS)}:{dice.randrange(1, 9)}" if life < MOST_LIVES - 2 and dice.random() < 0.6 else ""
        until = min(len(steps), order.first + dice.randrange(2, 9)) if life < MOST_LIVES - 2 else len(steps)
        order = replace(order, failpoint=armed, last=until)
        code = lives.live(order)
        assert code == 0 or (code == KILLED and armed), f"seed {seed}: a life ended with {code}"
        deaths += [armed] if code == KILLED else []
        order = after_death(order)
        if order.first >= len(steps):
            break
    settle(lives, order)
    store = open_store(url, TEST_KEYS)
    try:
        return order, store.read(lambda session: read_books(session, order)), deaths
    finally:
        store.close()


def settle(lives: Lives, order: Order) -> None:
    """Time for claims to run out, for two look-ups ten minutes apart, and for a question that is still open."""
    quiet = replace(order, steps=(*order.steps, ("@", "minutes 45")), first=len(order.steps), last=len(order.steps) + 1,
                    now=after_death(order).now)
    assert lives.live(quiet) == 0


def complain(seed: int, order: Order, books: Books, deaths: list[str]) -> str:
    """What went wrong, and the conversation as a transcript."""
    found = faults(order, books)
    if not found:
        return ""
    lines = [f"seed {seed}, killed at {deaths}", *found]
    replies = {text.external_id: [row for row in books.outbox if row.reply_to == text.id] for text in books.texts}
    for at, (kind, words) in enumerate(order.steps):
        lines.append(f"{kind} {words}")
        lines += [f"< {row.body}  [{row.template} {row.status}]" for row in replies.get(f"T{at}", [])]
    return "\n".join(lines)


def seeds() -> list[object]:
    """The fast suite's first, the rest slow."""
    return [pytest.param(FIRST_SEED + number, marks=[] if number < FAST else [pytest.mark.slow])
            for number in range(ALL)]


@pytest.mark.parametrize("channel", ["console"])
@pytest.mark.parametrize("seed", seeds())
def test_a_random_conversation_keeps_every_promise_on_the_whole_road_whoever_dies_meanwhile(
        lives: Lives, sample_file: Path, tmp_path: Path, seed: int, channel: str) -> None:
    url = f"sqlite:///{shutil.copyfile(sample_file, tmp_path / 'plainbill.db')}"
    wrong = complain(seed, *converse(lives, url, tmp_path, seed, channel))
    assert not wrong, wrong


@pytest.mark.slow
@pytest.mark.parametrize("channel", ["console"])
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + POSTGRESQL))
def test_a_random_conversation_keeps_every_promise_on_postgresql(
        lives: Lives, sample_postgresql_url: str, tmp_path: Path, seed: int, channel: str) -> None:
    wrong = complain(seed, *converse(lives, sample_postgresql_url, tmp_path, seed, channel))
    assert not wrong, wrong


def test_the_judge_of_the_road_is_not_blind(lives: Lives, sample_file: Path, tmp_path: Path) -> None:
    """The same conversation with its record falsified: a lost text, a doubled message, an amount to a stranger."""
    url = f"sqlite:///{shutil.copyfile(sample_file, tmp_path / 'plainbill.db')}"
    order, books, _ = converse(lives, url, tmp_path, FIRST_SEED, "console")
    assert noted(order)
    assert not faults(order, books)
    assert any("lost" in one for one in faults(order, replace(books, texts=books.texts[1:])))
    journal = Path(order.journal)
    journal.write_text(journal.read_text(encoding="utf-8") * 2, encoding="utf-8")
    assert any("times" in one for one in faults(order, books))
    reply = next(row for row in books.outbox if row.reply_to is not None and row.guarantor_id is None)
    reply.body += " $987.65"
    assert any("98765" in one for one in faults(order, books))
