"""docs/rules.md is the code's own table; each rule has a class, a place and a test; words that no template may use."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from billing.policy import book, wording
from billing.policy.core import PURPOSES, decide
from billing.policy.register import RULES
from billing.store.tables import APPEND_ONLY, Practice
from bot.write import Store
from config.dunning_policy import RetentionPolicy
from templates.statement_page import statement_page
from tests.explain.books import Books
from tests.policy.examples import NOON, answer, demand
from tests.policy.proofs import PROOFS, every_test, proofs_of
from tests.policy.write_docs import DOCS, document
from tests.statements.test_content import make, settled

TEMPLATES = Path(__file__).parents[2] / "templates"

#: Rules whose part of the program is still to come; their tests are found by their number.
NOT_YET = frozenset({"T-43", "T-44", "T-58"})


@pytest.fixture
def books(store: Store, practice: Practice, now: datetime) -> Books:
    return Books(store, practice, now)


def test_the_document_is_what_the_code_says() -> None:
    assert DOCS.read_text(encoding="utf-8") == document(), "run: python -m tests.policy.write_docs"


def test_every_number_has_a_class_and_every_rule_of_the_register_is_in_the_book() -> None:
    assert [one.id for one in book.entries()] == list(book.IDS) and len(book.IDS) == 58
    numbered = {rule.id.split(":")[0] for rule in RULES if rule.id.startswith("T-")}
    assert numbered <= set(book.IDS)


def test_every_rule_that_people_see_to_is_among_the_duties_that_check_lists() -> None:
    listed = {rule for rule, _ in book.DUTIES}
    assert {one.id for one in book.entries() if one.kind == "organisational"} <= listed <= set(book.IDS)


def test_every_rule_is_proved_by_a_test_that_exists() -> None:
    assert [rule for rule in book.IDS if not proofs_of(rule) and rule not in NOT_YET] == []
    assert set(PROOFS) | NOT_YET == set(book.IDS)
    for rule, known in PROOFS.items():
        for file, begin in known:
            assert any(name.startswith(begin) for name in every_test().get(file, ())), (rule, file, begin)


def test_a_rule_of_the_gate_has_its_number_or_its_hold_in_the_register() -> None:
    """What is said to be asked of every message is asked: by a rule of that number, or by the one named here."""
    elsewhere = {"T-02": "T-01", "T-06": "T-03", "T-10": "T-35", "T-42": "hold:ppdr", "T-43": "hold:assistance_pending",
                 "T-44": "hold:assistance_pending"}
    names = {rule.id for rule in RULES}
    assert [one.id for one in book.entries() if one.kind == "gate" and not book.rules_of(one.id)
            and elsewhere.get(one.id) not in names] == []


@pytest.mark.parametrize("purpose", sorted(PURPOSES - {"help", "emergency", "stop_confirmation", "start_confirmation"}))
def test_t_02_no_billing_text_leaves_without_consent_however_short_and_seldom(purpose: str) -> None:
    short = {"purpose": purpose, "segments": 1, "inbound_age": None, "amount_minor": None, "balance_version": None}
    assert decide(demand(message=short, recipient={"consent_event_id": None})).rule == "T-01"


@pytest.mark.parametrize("purpose", ["statement", "reminder", "notice", "staff", "receipt", "reply"])
def test_t_06_a_stop_ends_everything_that_nobody_asked_for_whatever_it_is_about(purpose: str) -> None:
    unasked = {"purpose": purpose, "inbound_age": None, "amount_minor": None, "balance_version": None}
    stopped = {"opted_out": True, "opt_out_event_id": 9}
    assert decide(demand(message=unasked, recipient=stopped)).rule == "T-03"
    assert decide(answer("help", recipient=stopped)).sends


def test_t_11_consents_and_opt_outs_are_only_ever_added_and_no_retention_reaches_them() -> None:
    assert "consents" in APPEND_ONLY and "verdicts" in APPEND_ONLY
    assert set(RetentionPolicy.model_fields) == {"message_text_days", "inbox_days"}


def test_t_38_what_the_privacy_officer_answers_is_listed_for_people() -> None:
    assert any(rule == "T-38" and "30 days" in duty for rule, duty in book.DUTIES)


@pytest.mark.parametrize("language", ["en", "es"])
def test_t_45_every_statement_tells_of_assistance_with_a_phone(books: Books, language: str) -> None:
    page = statement_page(make(books, settled(books)[0], language), language)
    said = " ".join(p for s in (*page["left"], *page["right"]) for p in s["paragraphs"])
    assert {"en": "financial assistance", "es": "ayuda financiera"}[language] in said and "(212) 555-0199" in said


def test_t_15_t_30_t_46_no_words_of_ours_speak_of_lawsuits_credit_reports_or_debt_relief() -> None:
    files = [file for kind in ("*.txt", "*.toml", "*.html", "*.typ", "*.j2") for file in TEMPLATES.rglob(kind)]
    assert len(files) > 300
    # What staff read of these very rules ("No lawsuit is ever threatened") goes to nobody else.
    ours = [file for file in files if file.parent != TEMPLATES / "web/console/words" or file.stem[:10] != "sentences."]
    assert len(files) - len(ours) == 2
    found = {file.relative_to(TEMPLATES).as_posix(): wording.bad_words(file.read_text(encoding="utf-8"))
             for file in ours}
    assert {name: kinds for name, kinds in found.items() if kinds} == {}


def test_a_rule_that_is_not_in_force_yet_says_nothing_yet() -> None:
    revoked = demand(now=NOON - timedelta(days=600), recipient={"opted_out": True})
    assert "T-03" not in {decide(revoked).rule} and date(2025, 4, 11) > revoked.rule_day
