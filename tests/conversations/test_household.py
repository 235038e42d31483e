"""A shared number and confidential care: nobody hears an amount, a month or a payer that is not theirs to hear."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from billing.views import CoverageView, Figures, PaymentView, Step, VisitView
from handlers.accounts import shown_figures, shown_payments
from handlers.core import Happened
from handlers.flows.table import INTENTS
from tests.conversations import people
from tests.conversations.play import Stage, stage
from tests.conversations.test_transcripts import TRANSCRIPTS

LINES = sorted({line[2:] for path in TRANSCRIPTS for line in path.read_text(encoding="utf-8").splitlines()
                if line.startswith("> ") and not line.startswith("> [")})

#: Figures, a month and a payer that occur nowhere else; sums with what may be shown are looked for as well.
SECRET_MINOR = 73191
_STEPS = (Step("charge", SECRET_MINOR + 1100), Step("plan_paid", -1100, "Obsidian Mutual"),
          Step("copay", SECRET_MINOR, "Obsidian Mutual", "PR-3"), Step("left", SECRET_MINOR))


def secret(name: str, confidential: bool) -> VisitView:
    made = people.visit(name, date(2026, 8, 21), people.due(SECRET_MINOR), steps=_STEPS)
    payer = CoverageView(f"cov_{name}", 1, "Obsidian Mutual", "answered")
    return replace(made, confidential=confidential, coverages=(payer,), charge_minor=SECRET_MINOR + 1100)


OTHER_PAID = PaymentView("pay_secret", SECRET_MINOR, "succeeded", "cash", people.NOW, people.NOW,
                         (("secret", SECRET_MINOR),))
MIXED = people.account("mixed", people.ONE, secret("secret", confidential=True), payments=(OTHER_PAID,))
HOUSEMATE = people.account("housemate", secret("elsewhere", confidential=False), born_on=date(1990, 5, 5))


def forbidden() -> tuple[str, ...]:
    """How the secret could show: alone, in a sum with the visit of $45.00, by its month, by its payer."""
    sums = (SECRET_MINOR, SECRET_MINOR + 1100, SECRET_MINOR + 4500)
    return (*(f"{minor // 100}.{minor % 100:02d}" for minor in sums), "August", "agosto", "8/21", "Obsidian")


def thread(on: Stage, dice: random.Random, most: int) -> None:
    for _ in range(most):
        on.hear(dice.choice(LINES))
        for said in on.said:
            assert not any(word in said for word in forbidden()), said
        for command in on.last.commands:
            assert getattr(command, "account_id", None) != "housemate", command
            assert "secret" not in dict(getattr(command, "split", ())), command
        if dice.random() < 0.05:
            on.happen(Happened("timeout"))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_asked_a_confidential_visit_is_in_no_reply_and_in_no_total(seed: int, language: str) -> None:
    on = stage({"account": "one_visit", "verified": "yes"}, language)
    on.candidates, on.talk = (MIXED,), replace(on.talk, account_id="mixed")
    thread(on, random.Random(seed), 25)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_asked_the_other_account_on_the_number_is_in_no_reply(seed: int, language: str) -> None:
    on = stage({"account": "one_visit", "verified": "yes" if seed % 2 else "no"}, language)
    on.candidates = (*on.candidates, HOUSEMATE)
    thread(on, random.Random(seed), 25)


@pytest.mark.parametrize("intent", sorted(INTENTS))
def test_no_intent_by_itself_shows_a_confidential_visit(intent: str) -> None:
    from handlers.core import Reading, Text, Turn
    from handlers.dispatch import decide
    from tests.conversations.play import word

    on = stage({"account": "one_visit", "verified": "yes"}, "en")
    turn = Turn(replace(on.talk, account_id="mixed"), Text("x"), Reading("x", None, intent, 1.0), on.practice, (MIXED,),
                on.now)
    said = " ".join(word(reply, "en").body for reply in decide(turn).replies)
    assert not any(one in said for one in forbidden()), said


def test_shown_figures_are_the_sum_of_the_shown_visits_and_no_more() -> None:
    assert shown_figures(MIXED) == people.ONE.figures
    assert shown_payments(MIXED) == ()
    assert shown_figures(replace(MIXED, visits=())) == Figures(*(getattr(MIXED.figures, n) for n in Figures.__slots__))
