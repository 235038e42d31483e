"""Answers in free words: names are kept as said, numbers are found, and another subject is no answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.commands import OpenCase, SpecifyCase
from handlers import own_words, visits_named
from handlers.core import Reading, Slots, State, Text, Turn
from handlers.dispatch import decide
from handlers.flows.insurance_update import member_id
from tests.conversations.play import stage

VERIFIED = {"account": "two_visits", "verified": "yes"}
OFFERED = [["march", 3, 4500], ["april", 4, 12050], ["may", 5, 4500]]


def turn(text: str, intent: str = "out_of_scope", confidence: float = 0.0, state: State | None = None,
         slots: Slots | None = None, fixed: str = "", certain: bool = False) -> Turn:
    on = stage(VERIFIED, "en")
    talk = replace(on.talk, state=state or on.talk.state)
    reading = Reading(text, "en", intent, confidence, slots or Slots(), fixed, certain)
    return Turn(talk, Text(text), reading, on.practice, on.candidates, on.now)


PAYER = State("insurance_update", "payer", {"key": "insurance_update:two_visits", "kind": "insurance_update",
                                            "member": False, "expects": "name"})


def test_a_plan_whose_name_sounds_like_a_call_for_a_person_is_kept_as_a_plan() -> None:
    decision = decide(turn("Humana", "human", 0.9, PAYER, fixed="human"))
    assert [type(one) for one in decision.commands] == [SpecifyCase]
    assert [reply.template for reply in decision.replies] == ["insurance_member"]


def test_a_plain_call_for_a_person_is_one_there_too() -> None:
    decision = decide(turn("human", "human", 1.0, PAYER, fixed="human", certain=True))
    assert [one.kind for one in decision.commands if isinstance(one, OpenCase)] == ["handover"]


@pytest.mark.parametrize(("text", "found"), [
    ("W123456789", "W123456789"), ("w1234 56789", "w123456789"), ("1EG4-TE5-MK73", "1EG4TE5MK73"),
    ("XYZ 123 456 789", "XYZ123456789"), ("my member id is W123456789", "W123456789"), ("ID: 00123456", "00123456"),
    ("mi número es 123456789", "123456789"), ("Aetna W123456789", "W123456789"), ("Blue Cross", None), ("12345", None),
    ("it is the blue card", None), ("group 12", None), ("Aetna", None), ("W12", None), ("call 911", None),
    ("A1234567 or B7654321", None)])
def test_a_member_number_is_found_where_there_is_one_and_never_made_up(text: str, found: str | None) -> None:
    assert member_id(turn(text), text) == found


def test_neither_a_birthday_nor_an_amount_is_a_member_number() -> None:
    from datetime import date

    assert member_id(turn("03141980", slots=Slots(born_on=date(1980, 3, 14))), "03141980") is None
    assert member_id(turn("$123456", slots=Slots(amount_minor=12345600)), "$123456") is None


@pytest.mark.parametrize(("text", "said"), [
    ("they charged me twice", True), ("BCBS", True), ("rx", False), ("qzxv wqpl", False), ("", False), ("?", False),
    ("\U0001f600", False), ("no me atendieron", True), ("x-ray", True), ("ninguna", True), ("mri", True)])
def test_words_are_told_from_noise(text: str, said: bool) -> None:
    assert own_words.is_words(text) is said


@pytest.mark.parametrize(("text", "intent", "leaves"), [
    ("how much do i owe", "balance", True), ("pay", "pay", True), ("i never went there", "dispute", False),
    ("they told me i would pay nothing because the doctor made a mistake", "pay", False),
    ("wait, can i first see what my insurance has paid for that visit?", "insurance_status", True)])
def test_a_sentence_that_tells_something_is_no_change_of_subject(text: str, intent: str, leaves: bool) -> None:
    assert own_words.is_other_subject(turn(text, intent, 0.9), frozenset({"dispute"})) is leaves
    assert not own_words.is_other_subject(turn(text, intent, 0.3), frozenset({"dispute"}))


@pytest.mark.parametrize(("text", "slots", "found"), [
    ("2", Slots(choices=(2,)), ["april"]), ("1 and 3", Slots(choices=(1, 3)), ["march", "may"]),
    ("9", Slots(choices=(9,)), []), ("all", Slots(amount_is_all=True), ["march", "april", "may"]),
    ("the april one", Slots(), ["april"]), ("la de marzo", Slots(), ["march"]), ("may", Slots(), ["may"]),
    ("i may have been away that whole week", Slots(), []), ("the $120.50 one", Slots(amount_minor=12050), ["april"]),
    ("the $45 one", Slots(amount_minor=4500), []), ("december", Slots(), []),
    ("my march visit", Slots(visit="march"), ["march"])])
def test_a_visit_is_named_by_number_month_or_an_amount_that_only_it_has(text: str, slots: Slots,
                                                                       found: list[str]) -> None:
    assert visits_named.named(turn(text, slots=slots), OFFERED, by_number=True) == found


def test_a_number_names_nothing_where_no_list_was_shown() -> None:
    assert visits_named.named(turn("2", slots=Slots(choices=(2,))), OFFERED, by_number=False) == []
