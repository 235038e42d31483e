"""Every state of every conversation can be reached, and takes whatever a patient may send there."""

from __future__ import annotations

import pytest

from billing.commands import OpenCase, RecordOptOut, SetLanguage
from handlers.core import Happened
from handlers.flows.table import FLOWS, INTENTS
from tests.conversations.play import Stage, stage
from tests.understanding.samples import PUBLISHED_INTENTS

#: How to come to each state: the account, whether verified, and what the patient writes (English, Spanish).
ROADS: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "verify.identity": ("one_visit", "no", ("balance",), ("saldo",)),
    "verify.detail": ("private", "no", ("balance", "3/14/1980 10001"), ("saldo", "3/14/1980 10001")),
    "explain.which": ("two_visits", "yes", ("why do i owe this",), ("por qué debo esto",)),
    "pay.amount": ("two_visits", "yes", ("pay",), ("pagar",)),
    "pay.confirm": ("two_visits", "yes", ("pay $20",), ("pagar $20",)),
    "language.which": ("one_visit", "yes", ("change language",), ("cambiar idioma",)),
    "menu.choose": ("one_visit", "yes", ("hello",), ("hola",)),
    "dispute.which": ("two_visits", "yes", ("this is wrong",), ("esto está mal",)),
    "dispute.why": ("one_visit", "yes", ("this is wrong",), ("esto está mal",)),
    "dispute.words": ("one_visit", "yes", ("this is wrong", "5"), ("esto está mal", "5")),
    "insurance_update.payer": ("one_visit", "yes", ("i have new insurance",), ("tengo seguro nuevo",)),
    "insurance_update.member": ("one_visit", "yes", ("i have new insurance", "Blue Cross"),
                                ("tengo seguro nuevo", "Blue Cross")),
    "already_paid.how": ("one_visit", "yes", ("i already paid",), ("ya pagué",)),
    "cannot_pay.assistance": ("one_visit", "no", ("i can't pay",), ("no puedo pagar",)),
    "cannot_pay.smaller": ("one_visit", "no", ("i can't pay", "no"), ("no puedo pagar", "no")),
    "refund_status.offer": ("one_visit", "yes", ("where is my refund",), ("dónde está mi reembolso",)),
    "legal.name": ("one_visit", "no", ("i filed for bankruptcy",), ("estoy en bancarrota",)),
    "preferences.menu": ("one_visit", "yes", ("preferences",), ("preferencias",)),
    "hours.when": ("one_visit", "yes", ("preferences", "2"), ("preferencias", "2")),
    "hours.half": ("one_visit", "yes", ("only text me after 6",), ("solo escríbanme después de las 6",)),
    "hours.confirm": ("one_visit", "yes", ("only text me after 6 pm",), ("solo escríbanme después de las 6 pm",)),
    "hours.paper": ("one_visit", "yes", ("only text me after 9 pm", "yes"),
                    ("solo escríbanme después de las 9 pm", "sí")),
    "ways.which": ("one_visit", "yes", ("preferences", "3"), ("preferencias", "3")),
    "ways.only": ("one_visit", "yes", ("preferences", "3", "1"), ("preferencias", "3", "1")),
    "ways.telegram": ("one_visit", "yes", ("preferences", "3", "5"), ("preferencias", "3", "5")),
    "privacy.which": ("one_visit", "yes", ("preferences", "4"), ("preferencias", "4")),
    "privacy.where": ("one_visit", "yes", ("preferences", "4", "2"), ("preferencias", "4", "2")),
    "anger.offer": ("one_visit", "yes", ("this is ridiculous",), ("esto es ridículo",)),
    "consent.which": ("one_visit", "yes", ("cancel my plan",), ("cancelar mi plan",)),
    "placed.amount": ("placed", "yes", ("pay",), ("quiero pagar",)),
    "placed.confirm": ("placed", "yes", ("pay", "all"), ("quiero pagar", "todo")),
    "plan.offers": ("owing", "yes", ("payment plan",), ("plan de pagos",)),
    "plan.collect": ("owing_card", "yes", ("in 4 payments", "1"), ("en 4 pagos", "1")),
    "plan.confirm": ("owing_card", "yes", ("in 4 payments", "1", "1"), ("en 4 pagos", "1", "1")),
    "my_plan.menu": ("on_plan", "yes", ("my plan",), ("mi plan",)),
    "my_plan.day": ("on_plan", "yes", ("my plan", "3"), ("mi plan", "3")),
    "my_plan.card": ("on_plan_two_cards", "yes", ("my plan", "4"), ("mi plan", "4")),
    "my_plan.change": ("on_plan", "yes", ("my plan", "2"), ("mi plan", "2")),
    "my_plan.amount": ("on_plan", "yes", ("my plan", "1"), ("mi plan", "1")),
    "my_plan.pay": ("on_plan", "yes", ("my plan", "1", "1"), ("mi plan", "1", "1")),
    "my_plan.extra": ("on_plan", "yes", ("pay $100 extra", "yes"), ("pagar $100 extra", "sí")),
    "saved_card.choose": ("card", "yes", ("my card",), ("mi tarjeta",)),
    "saved_card.remove": ("card", "yes", ("remove my card",), ("quiten mi tarjeta",)),
}
#: Where the practice has instalment plans.
WITH_PLANS = ("plan.", "my_plan.", "saved_card.")
#: What was only offered there needs no answer, so nobody is written to about silence.
QUIET = {"legal.name"}
STATES = sorted(f"{flow.name}.{step}" for flow in FLOWS.values() for step in flow.steps)


def at(state: str, language: str) -> Stage:
    name, verified, english, spanish = ROADS[state]
    offered = "telegram" if state == "ways.telegram" else "plans" if state.startswith(WITH_PLANS) else ""
    on = stage({"account": name, "verified": verified, "state": offered}, language)
    for line in english if language == "en" else spanish:
        on.hear(line)
    assert f"{on.talk.state.flow}.{on.talk.state.step}" == state
    return on


def test_every_state_that_a_flow_declares_has_a_road_to_it() -> None:
    assert sorted(ROADS) == STATES


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("state", STATES)
class TestEveryState:
    def test_can_be_reached_and_asks_something(self, state: str, language: str) -> None:
        assert at(state, language).said

    def test_takes_stop_at_once(self, state: str, language: str) -> None:
        on = at(state, language)
        on.hear("STOP")
        assert [type(one) for one in on.last.commands] == [RecordOptOut]
        assert [reply.purpose for reply in on.last.replies] == ["stop_confirmation"]
        assert on.talk.state.flow == ""

    @pytest.mark.parametrize("word", ["Cancel", "END", "quit.", "s t o p", "alto", "unsubscribe"])
    def test_takes_every_other_word_for_stop(self, state: str, language: str, word: str) -> None:
        on = at(state, language)
        on.hear(word)
        assert isinstance(on.last.commands[0], RecordOptOut)

    def test_takes_help_and_stays(self, state: str, language: str) -> None:
        on = at(state, language)
        on.hear("HELP" if language == "en" else "ayuda")
        assert [reply.template for reply in on.last.replies] == ["help"]
        assert f"{on.talk.state.flow}.{on.talk.state.step}" == state

    def test_hands_over_to_a_person_who_is_asked_for(self, state: str, language: str) -> None:
        on = at(state, language)
        on.hear("human" if language == "en" else "quiero hablar con una persona")
        assert [type(one) for one in on.last.commands] == [OpenCase]
        assert on.talk.state.flow == ""

    def test_can_be_left_by_going_back(self, state: str, language: str) -> None:
        on = at(state, language)
        on.hear("back" if language == "en" else "volver")
        assert on.said and on.talk.state.flow == ""

    def test_asks_once_more_about_junk_and_then_calls_a_person(self, state: str, language: str) -> None:
        on = at(state, language)
        on.hear("qzxv wqpl")
        assert on.said and not on.last.commands
        on.hear("qzxv wqpl")
        assert [one.kind for one in on.last.commands if isinstance(one, OpenCase)] == ["handover"]

    def test_switches_the_language_and_stays(self, state: str, language: str) -> None:
        on = at(state, language)
        other = "es" if language == "en" else "en"
        on.hear("en español por favor" if other == "es" else "in english please")
        assert SetLanguage(other) in on.last.commands
        assert on.talk.language == other
        if state not in ("menu.choose", "language.which"):
            assert f"{on.talk.state.flow}.{on.talk.state.step}" == state

    def test_closes_kindly_when_the_patient_falls_silent(self, state: str, language: str) -> None:
        on = at(state, language)
        on.happen(Happened("timeout"))
        assert (bool(on.said), on.talk.state.flow) == (state not in QUIET, "")

    def test_survives_an_emoji_a_lone_question_mark_and_an_empty_text(self, state: str, language: str) -> None:
        for text in ("", "?", "\U0001f600", " \n ", "…"):
            on = at(state, language)
            on.hear(text)
            assert on.said


def test_every_published_intent_starts_a_flow_or_is_a_fixed_word() -> None:
    fixed = {"opt_out", "opt_in", "help", "emergency", "wrong_number"}
    assert set(PUBLISHED_INTENTS) - fixed <= INTENTS.keys()


@pytest.mark.parametrize("verified", ["yes", "no"])
@pytest.mark.parametrize("intent", sorted(INTENTS))
def test_every_intent_is_answered_verified_or_not(intent: str, verified: str) -> None:
    from dataclasses import replace

    from handlers.core import Reading, Text, Turn
    from handlers.dispatch import decide

    on = stage({"account": "two_visits", "verified": verified}, "en")
    turn = Turn(on.talk, Text("x"), Reading("x", None, intent, 1.0), on.practice, on.candidates, on.now)
    decision = decide(turn)
    assert decision.replies
    assert decide(replace(turn, candidates=())).replies
