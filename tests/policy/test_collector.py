"""T-15, T-20 to T-30 and T-46: what a debt collector may not, and what nobody may say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import bot
from billing.policy import wording
from billing.policy.collector import capacity_of
from billing.policy.core import MANDATED, PURPOSES, decide, may_charge, message_objections
from billing.policy.register import RULES, rule_by_id
from bot import channels
from tests.policy.examples import (
    NIGHT,
    NOON,
    answer,
    charge,
    collectors_email,
    demand,
    email,
    held,
    letter,
    practice,
)

COLLECTED = {"capacity": "collector", "contacted": True, "validated_at": NOON - timedelta(days=90)}
SAYS = {"says_collector": True, "says_attempt": True, "says_opt_out": True}
TEXT_CHANNELS = ["sms", "telegram", "console"]


@pytest.mark.parametrize("channel", TEXT_CHANNELS)
@pytest.mark.parametrize("purpose", sorted(PURPOSES - MANDATED))
def test_t_15_a_collectors_account_is_never_texted_not_even_in_answer(channel: str, purpose: str) -> None:
    make = demand if purpose in ("statement", "reminder") else answer
    facts = make(message={"purpose": purpose, "channel": channel, **SAYS}, recipient=COLLECTED)
    assert "T-15" in {one.rule for one in message_objections(facts)}


@pytest.mark.parametrize("purpose", sorted(MANDATED))
def test_t_15_spares_what_carriers_require_and_what_a_life_may_hang_on(purpose: str) -> None:
    assert decide(answer(purpose, recipient=COLLECTED)).sends


def test_t_15_by_e_mail_and_on_paper_the_same_account_is_asked() -> None:
    assert decide(letter()).sends and decide(collectors_email()).sends


def test_t_15_no_text_looks_like_debt_relief_and_a_letter_may_name_a_discount() -> None:
    words = {"bad_words": ("debt relief",)}
    assert decide(demand(message=words)).rule == "T-15"
    assert decide(letter(message=words)).sends


@pytest.mark.parametrize(("recorded", "defaulted_on", "obtained_on", "capacity"), [
    ("creditor", None, None, "creditor"),
    ("creditor", date(2026, 3, 1), None, "creditor"),  # the practice's own account in default stays its own
    ("creditor", None, date(2026, 3, 1), "creditor"),  # obtained, and not in default
    ("creditor", date(2026, 3, 2), date(2026, 3, 1), "creditor"),  # in default only afterwards
    ("creditor", date(2026, 3, 1), date(2026, 3, 1), "collector"),
    ("creditor", date(2026, 2, 1), date(2026, 3, 1), "collector"),
    ("collector", None, None, "collector"),
])
def test_t_20_who_obtained_an_account_in_default_is_a_collector_and_everybody_else_a_creditor(
        recorded: str, defaulted_on: date | None, obtained_on: date | None, capacity: str) -> None:
    assert capacity_of(recorded, defaulted_on, obtained_on) == capacity


def test_t_21_outer_a_collector_writes_nothing_of_its_own_accord_between_21_and_8() -> None:
    receipt, paid = {"purpose": "receipt", "amount_minor": None}, {"paid_age": timedelta(minutes=5)}
    ruling = decide(collectors_email(now=NIGHT, message=receipt, recipient={**COLLECTED, **paid}))
    assert (ruling.rule, ruling.until_at) == ("T-21:outer", datetime(2026, 11, 4, 13, 0, tzinfo=UTC))
    assert decide(email(now=NIGHT, message=receipt, recipient=paid)).sends


@pytest.mark.parametrize(("at", "leaves"), [
    ("2026-11-04T12:59:59+00:00", False), ("2026-11-04T13:00:00+00:00", True), ("2026-11-05T01:59:00+00:00", True),
    ("2026-11-05T02:00:00+00:00", False),
    ("2026-03-08T11:59:00+00:00", False), ("2026-03-08T12:00:00+00:00", True),  # the day the clocks go forward
    ("2026-11-01T12:59:00+00:00", False), ("2026-11-01T13:00:00+00:00", True),  # and back
])
def test_t_21_the_outer_hours_are_kept_to_the_second_and_on_days_when_clocks_change(at: str, leaves: bool) -> None:
    rule = rule_by_id("T-21:outer")
    assert rule is not None and rule.judge is not None
    assert (rule.judge(collectors_email(now=datetime.fromisoformat(at))) is None) == leaves


def test_t_21_a_letter_has_no_hour() -> None:
    assert decide(letter(now=NIGHT)).sends


def test_t_22_every_e_mail_says_how_to_stop_it_and_so_would_a_collectors_text() -> None:
    silent = {"says_opt_out": False}
    assert decide(email(message=silent)).rule == "T-22"
    assert decide(collectors_email(message=silent)).rule == "T-22"
    assert "T-22" in {one.rule for one in message_objections(demand(message=silent, recipient=COLLECTED))}
    assert decide(demand(message=silent)).sends and decide(letter(message=silent)).sends


@pytest.mark.parametrize(("body", "found"), [
    ("Reply STOP to stop these texts.", True), ("To unsubscribe, use this link.", True),
    ("To stop getting these e-mails, tell us.", True), ("Para no recibir más, responda STOP.", True),
    ("Si quiere dejar de recibir estos correos, díganos.", True), ("Please pay by Friday.", False),
    ("The pain will stop soon.", False),
])
def test_t_22_the_way_out_is_read_from_the_words_in_both_languages(body: str, found: bool) -> None:
    assert wording.says_opt_out(body) is found


@pytest.mark.parametrize("kind", ["attorney", "cease"])
def test_t_23_a_collector_writes_nothing_of_its_own_accord_to_who_has_an_attorney_or_asked_for_it(kind: str) -> None:
    for purpose in ("notice", "staff", "receipt"):
        facts = letter(message={"purpose": purpose, "amount_minor": None, "balance_version": None}, account=held(kind))
        assert decide(facts).rule == "T-23"
    assert decide(letter(account=held(kind))).rule in ("T-23", f"hold:{kind}")
    assert decide(demand(account=held(kind))).rule == f"hold:{kind}"  # a creditor asks no more either


def test_t_24_no_bill_goes_to_an_address_at_work_whoever_asks() -> None:
    assert decide(email(recipient={"at_work": True})).rule == "T-24"
    assert decide(collectors_email(recipient={**COLLECTED, "at_work": True})).rule == "T-24"


def test_t_24_a_text_is_refused_to_a_collector_even_where_the_safe_harbour_would_allow_it() -> None:
    safe = {**COLLECTED, "texted_age": timedelta(days=1), "reassigned_age": timedelta(days=1)}
    assert decide(demand(message=SAYS, recipient=safe)).rule == "T-15"


def test_t_25_no_channel_places_a_call() -> None:
    """Proved by refusal: there is no such channel, and no purpose that a call could have."""
    found = {file.stem for file in Path(channels.__file__).parent.glob("*.py")}
    assert not any(word in name for name in found for word in ("call", "voice", "phone", "dial"))
    assert {"statement", "reminder", "reply", "receipt", "staff", "notice", *MANDATED} == PURPOSES


def test_t_27_no_voicemail_is_left_as_nothing_speaks_to_a_telephone() -> None:
    sources = [file.read_text(encoding="utf-8") for file in Path(bot.__file__).parent.rglob("*.py")]
    assert len(sources) > 50
    assert not any(word in source for source in sources
                   for word in ("calls.create", "/Calls", "VoiceResponse", "<Say>", "Twiml"))


def test_t_26_a_collector_says_who_asks_and_first_what_for() -> None:
    assert decide(letter(message={"says_collector": False})).rule == "T-26"
    first = {**COLLECTED, "contacted": False}
    assert decide(letter(message={"says_attempt": False}, recipient=first)).rule == "T-26"
    assert decide(letter(recipient=first)).sends
    assert decide(letter(message={"says_attempt": False})).sends


@pytest.mark.parametrize(("body", "collector", "attempt"), [
    ("From a debt collector, attempting to collect a debt. Any information will be used for that purpose.", True, True),
    ("Esta carta es de un cobrador de deudas. Intentamos cobrar una deuda; toda la información se usará para ese fin.",
     True, True),
    ("This is from a debt collector.", True, False), ("You have a new bill.", False, False),
])
def test_t_26_the_disclosures_are_read_in_both_languages(body: str, collector: bool, attempt: bool) -> None:
    assert (wording.says_collector(body), wording.says_attempt(body)) == (collector, attempt)


def test_t_28_the_validation_information_comes_first_on_paper_and_nothing_overshadows_its_thirty_days() -> None:
    assert decide(letter(recipient={**COLLECTED, "validated_at": None})).rule == "T-28"
    notice = {"purpose": "notice", "validates": True, "amount_minor": None, "balance_version": None}
    assert decide(letter(message=notice, recipient={**COLLECTED, "validated_at": None})).sends
    assert decide(collectors_email(message=notice, recipient={**COLLECTED, "validated_at": None})).rule == "T-28"
    ruling = decide(letter(recipient={**COLLECTED, "validated_at": NOON - timedelta(days=34)}))
    assert (ruling.rule, ruling.until_at) == ("T-28", NOON + timedelta(days=1))
    assert decide(letter(recipient={**COLLECTED, "validated_at": NOON - timedelta(days=35)})).sends


def test_t_29_a_dispute_stops_the_demand_for_what_is_disputed() -> None:
    assert decide(letter(account=held("dispute"))).rule == "hold:dispute"
    assert decide(demand(account=held("dispute", "visit_1"))).rule == "hold:dispute"


@pytest.mark.parametrize("kind", ["ppdr", "gfe_exceeded"])
def test_t_40_t_41_t_42_an_open_estimate_dispute_stops_demands_and_charges(kind: str) -> None:
    assert decide(demand(account=held(kind, "visit_1"))).rule == f"hold:{kind}"
    assert may_charge(charge(account=held(kind, "visit_1"))).rule == f"hold:{kind}"


def test_t_30_no_lawsuit_is_ever_threatened() -> None:
    _spoken_of_in_answer_only("lawsuit", "T-30")


def test_t_46_credit_reporting_is_never_mentioned_first() -> None:
    _spoken_of_in_answer_only("credit report", "T-46")


def _spoken_of_in_answer_only(words: str, rule: str) -> None:
    for make in (demand, email, letter):
        assert decide(make(message={"bad_words": (words,)})).rule == rule
    assert decide(answer("staff", message={"bad_words": (words,)})).sends  # who asks about it is told


@pytest.mark.parametrize(("body", "kinds"), [
    ("Pay now or face a lawsuit.", ("lawsuit",)), ("Podemos tomar acciones legales.", ("lawsuit",)),
    ("We may report you to the credit bureaus.", ("credit report",)),
    ("Esto puede afectar su historial de crédito.", ("credit report",)),
    ("Debt relief for you!", ("debt relief",)), ("Alivio de deuda para usted", ("debt relief",)),
    ("You have a new bill from Maple Clinic. You have a credit of $5.00.", ()), ("Call us about your legal name.", ()),
])
def test_t_30_t_46_such_words_are_read_in_both_languages(body: str, kinds: tuple[str, ...]) -> None:
    assert wording.bad_words(body) == kinds


def test_a_creditors_accounts_are_spared_all_that_binds_collectors() -> None:
    assert decide(demand()).sends and decide(email()).sends and decide(demand(message={"channel": "paper"})).sends


def test_a_letter_needs_no_consent_to_texts_no_warning_and_no_hour() -> None:
    nothing_agreed = {"consent_event_id": None, "consent_complete": False, "introduced": False, "detail_event_id": None}
    facts = demand(now=NIGHT, message={"channel": "paper", "privacy": "amounts", "segments": 40,
                                       "identifiers": ("account number",)}, recipient=nothing_agreed)
    assert decide(facts, RULES).sends
    assert decide(demand(message={"channel": "paper", "identifiers": ("visit id",)})).rule == "T-39"


def test_bills_wanted_on_paper_or_by_e_mail_only_go_there_and_nowhere_else() -> None:
    paper = {"way": "paper", "way_only": True, "way_id": 5}
    assert decide(demand(recipient=paper)).rule == "asked-another-way"
    assert decide(email(recipient=paper)).rule == "asked-another-way"
    assert decide(demand(message={"channel": "paper"}, recipient=paper, practice=practice())).sends
