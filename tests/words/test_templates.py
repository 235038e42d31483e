"""Every message there is: same in both languages, plain, private, within its segments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import meta, nodes

from templates.examples import arguments, sentences
from templates.readability import ease_spanish, grade_english
from templates.render import environment, render
from templates.segments import count
from templates.source import load, names

MESSAGES = [name for name in names("en") if not name.startswith("explain/")]
BOTH = [(name, language) for name in MESSAGES for language in ("en", "es")]
PROACTIVE = ("statement_ready_intro", "statement_ready", "payment_receipt", "payment_receipt_private", "payment_failed",
             "stop_confirmation", "start_confirmation", "staff_reply", "wrong_number", "payment_returned",
             "payment_failed_card", "plan_notice", "plan_notice_private", "plan_link_due", "plan_link_due_private",
             "plan_charge_soft", "plan_charge_hard", "plan_charge_failed_private", "charge_needs_patient",
             "payment_failed_bank", "plan_charge_bank",
             "plan_behind", "plan_news_private", "plan_defaulted", "plan_completed", "plan_changed", "plan_paused",
             "plan_agreed",
             "card_kept", "card_kept_private", "card_failed", "plan_card_given", "plan_by_link", "plan_goes_on",
             "plan_was_stopped", "plan_behind_private", "plan_paused_returned", "payment_refunded",
             "payment_refunded_private", "correction", "correction_intro", "pay_here",
             "pay_here_intro", "plan_here", "plan_here_intro")
DEMANDS = tuple(f"{name}{intro}" for name in ("reminder_first", "reminder_second", "reminder_third", "reminder_final",
                                              "late_first", "rose_after_paid") for intro in ("", "_intro"))
#: Words that no carrier bills by the segment: an e-mail's and a letter's may be as long as they have to be.
SHEETS = ("email_", "letter_")
TEXTS = [(name, language) for name, language in BOTH if not name.startswith(SHEETS)]
HANDLERS = Path(__file__).parents[2] / "handlers"

#: Messages that cost more than one segment with typical arguments; everything else is one. Each is deliberate.
LONGER = {
    ("balance", "en"): 2, ("balance", "es"): 2, ("detail_warning", "en"): 2, ("detail_warning", "es"): 2,
    ("emergency", "en"): 2, ("emergency", "es"): 2, ("explain_mismatch", "en"): 2, ("explain_mismatch", "es"): 2,
    ("explain_visit", "en"): 2, ("explain_visit", "es"): 2,
    ("deceased", "en"): 2, ("deceased", "es"): 2, ("dispute_next", "es"): 2,
    ("handover", "es"): 2, ("help", "es"): 2, ("is_this_real", "es"): 2,
    ("pay_link", "en"): 2, ("pay_link", "es"): 2, ("pay_ask",
    "es"): 2, ("payment_receipt", "en"): 2,
    ("payment_receipt", "es"): 2, ("start_confirmation", "es"): 2, ("statement_ready", "es"): 2,
    ("statement_ready_intro", "en"): 2, ("statement_ready_intro", "es"): 2, ("program_covers", "en"): 2,
    ("program_covers", "es"): 2, ("estimate_exceeded", "en"): 2, ("estimate_exceeded", "es"): 3,
    # Preferences and the like.
    ("is_this_real", "en"): 2, ("passcode_link", "en"): 2,
    ("passcode_link", "es"): 2, ("telegram_warning", "en"): 2, ("telegram_warning", "es"): 2,
    # News of help, to a number that hears who writes (T-14).
    ("assistance_received_intro", "en"): 2, ("assistance_received_intro", "es"): 2,
    ("assistance_decided_intro", "en"): 2, ("assistance_decided_intro", "es"): 2,
    ("assistance_incomplete_intro", "en"): 2, ("assistance_incomplete_intro", "es"): 2,
    ("correction_intro", "en"): 2, ("correction_intro", "es"): 2,
    # Payment plans and cards on file.
    ("card_link", "en"): 2, ("card_link", "es"): 2, ("card_list", "en"): 2, ("card_list", "es"): 2,
    ("card_offer", "en"): 2, ("card_offer", "es"): 2, ("pay_confirm_card", "en"): 2, ("pay_confirm_card", "es"): 2,
    ("plan_behind", "en"): 2, ("plan_behind", "es"): 2, ("plan_behind_private", "en"): 2,
    ("plan_behind_private", "es"): 2, ("plan_card_ask", "en"): 2, ("plan_card_ask", "es"): 2,
    ("plan_card_which", "en"): 2, ("plan_card_which", "es"): 2, ("plan_charge_hard", "en"): 2,
    ("plan_charge_hard", "es"): 2, ("plan_charge_soft", "en"): 2, ("plan_charge_soft", "es"): 2,
    ("plan_collect", "en"): 2, ("plan_collect", "es"): 2, ("plan_collect_new", "en"): 2,
    ("plan_collect_new", "es"): 2, ("plan_confirm", "en"): 3, ("plan_confirm", "es"): 3,
    ("plan_confirm_page", "en"): 3, ("plan_confirm_page", "es"): 3, ("plan_defaulted", "en"): 2,
    ("plan_defaulted", "es"): 2, ("plan_next", "en"): 2, ("plan_next", "es"): 2, ("plan_notice_private", "en"): 2,
    ("plan_offers", "en"): 3, ("plan_offers", "es"): 3, ("plan_status", "en"): 2, ("plan_status", "es"): 2,
    # Never sent by SMS, and so by no segment:
    ("telegram_detail_warning", "en"): 2, ("telegram_detail_warning", "es"): 2, ("telegram_linked", "es"): 2,
    ("telegram_unlinked", "en"): 2, ("telegram_unlinked", "es"): 2,
    # A number's first text has T-14's five things to say, whatever it is about.
    **{(f"{name}_intro", language): 2 for language in ("en", "es") for name in (
        "reminder_first", "reminder_second", "reminder_third", "reminder_final", "late_first", "rose_after_paid",
        "ask_us", "pay_here", "plan_here")},
}


def said(name: str, language: str, channel: str = "sms") -> str:
    return render(name, language, arguments(name, language), channel).body


def test_both_languages_have_the_same_messages() -> None:
    assert names("en") == names("es")


@pytest.mark.parametrize("name", names("en"))
def test_a_message_says_the_same_of_itself_in_both_languages(name: str) -> None:
    english, spanish = load(name, "en"), load(name, "es")
    assert english.types == spanish.types
    assert (english.privacy, english.purpose) == (spanish.privacy, spanish.purpose)


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_every_placeholder_is_used_and_money_and_days_pass_their_filter(name: str, language: str) -> None:
    source = load(name, language)
    tree = environment(language).parse(source.text)
    assert meta.find_undeclared_variables(tree) == source.types.keys()
    wanted = {"money": "money", "date": "day", "moment": "moment", "phone": "phone", "hours": "hours"}
    printed = [node for output in tree.find_all(nodes.Output) for node in output.nodes]
    for node in printed:
        bare = isinstance(node, nodes.Name) and source.types.get(node.name, "").removesuffix("?") in wanted
        assert not bare, f"{node} needs its filter"
        if isinstance(node, nodes.Filter) and isinstance(node.node, nodes.Name):
            kind = source.types.get(node.node.name, "").removesuffix("?")
            named = "day" if node.name == "short_day" else node.name
            assert wanted.get(kind, named) == named


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_no_message_invites_a_word_that_carriers_take_for_stop(name: str, language: str) -> None:
    """Leaving a conversation is "back"; cancel, end and quit would opt the patient out (T-09)."""
    words = r"\b(cancel\w*|end|quit|revoke|unsubscribe|cancelar|terminar|salir|fin|alto|baja|parar)\b"
    assert not re.search(words, said(name, language), re.IGNORECASE)


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_no_message_threatens_or_shames(name: str, language: str) -> None:
    words = (r"\b(must|failure|failed to|overdue|past due|delinquent|collections?|legal action|credit report|"
        r"final notice|"
             r"immediately|urgent|debt|penalty|debe inmediatamente|morosa?o?|cobranza|deuda|multa|vencid[oa]|demanda|"
             r"obligad[oa]|ultimo aviso)\b")
    assert not re.search(words, said(name, language), re.IGNORECASE)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", PROACTIVE + DEMANDS)
def test_every_text_that_we_begin_starts_with_the_practice(name: str, language: str) -> None:
    assert said(name, language).startswith("Maple Clinic: ")


@pytest.mark.parametrize("language", ["en", "es"])
def test_t_14_the_first_text_names_programme_help_stop_frequency_and_fees(language: str) -> None:
    body = said("statement_ready_intro", language, "web")
    wanted = {"en": ("HELP", "STOP", "frequency", "Msg & data rates may apply", "We text you about your account"),
              "es": ("HELP", "STOP", "frecuencia", "cargos por mensajes y datos", "Le escribimos sobre su cuenta")}
    assert all(words in body for words in wanted[language])
    assert "$" not in body


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_t_32_an_open_message_has_no_room_for_an_amount_a_day_or_a_payer(name: str, language: str) -> None:
    source = load(name, language)
    if source.privacy == "open":
        kinds = {kind.removesuffix("?") for kind in source.types.values()}
        assert not kinds & {"money", "date", "list", "map"}
        assert "$" not in said(name, language).replace("$25.00", "")  # how to write an amount


@pytest.mark.parametrize("language", ["en", "es"])
def test_t_05_one_stop_confirmation_of_one_segment_without_marketing(language: str) -> None:
    body = said("stop_confirmation", language)
    assert count(body).count == 1 and len(body) <= 160
    assert "START" in body and "http" not in body


@pytest.mark.parametrize("language", ["en", "es"])
def test_t_12_help_names_the_practice_a_way_to_reach_it_stop_and_fees(language: str) -> None:
    body = said("help", language, "web")
    fees = {"en": "Msg & data rates may apply", "es": "cargos por mensajes y datos"}[language]
    assert all(words in body for words in ("Maple Clinic", "(212) 555-0199", "STOP", fees))


@pytest.mark.parametrize("language", ["en", "es"])
def test_an_emergency_names_988_and_911_and_not_money(language: str) -> None:
    body = said("emergency", language).lower()
    assert "988" in body and "911" in body
    assert not re.search(r"\b(bill\w*|pay\w*|owe\w*|account|money|cuenta|pag\w+|deb\w+|dinero)\b|\$", body)


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_no_message_costs_more_segments_than_was_decided(name: str, language: str) -> None:
    rendered = render(name, language, arguments(name, language), "sms")
    assert rendered.segments == LONGER.get((name, language), 1) <= 3
    assert rendered.encoding == "GSM-7" or rendered.segments == 1, "UCS-2 only where it costs nothing"


@pytest.mark.parametrize("name", MESSAGES)
def test_english_is_at_sixth_grade_or_below(name: str) -> None:
    assert grade_english(said(name, "en")) <= 6.0


@pytest.mark.parametrize("name", MESSAGES)
def test_spanish_is_quite_easy_to_read(name: str) -> None:
    assert ease_spanish(said(name, "es", "web")) >= 65


def test_explanations_are_at_sixth_grade_or_below() -> None:
    for short in (True, False):
        assert grade_english(" ".join(sentences("en", short))) <= 6.0
        assert ease_spanish(" ".join(sentences("es", short))) >= 65


def test_every_message_is_sent_by_somebody_and_every_reply_has_its_words() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in HANDLERS.rglob("*.py"))
    used = set(re.findall(r'"([a-z_]+)"', code))
    demands = {name for name in MESSAGES if re.fullmatch(r"(email_|letter_)?(reminder_\w+|late_first|rose_after_paid|"
                                                         r"ask_us|statement_ready)(_intro)?", name)}
    # billing/collection_news.py, bot/correcting.py, bot/sent_links.py
    news = {name for name in MESSAGES if re.fullmatch(r"(email_)?assistance_(received|incomplete|decided)(_intro)?|"
                                                      r"(email_|letter_)settlement_offer|"
                                                      r"letter_assistance_(received|missing|approved|denied)|"
                                                      r"(email_|letter_)?correction(_intro)?|"
                                                      r"(email_)?(pay|plan)_here(_intro)?", name)}
    assert set(MESSAGES) - used - demands - news == {"staff_notice", "staff_reply"}
    replies = set(re.findall(r'Reply\("([a-z_]+)"', code))
    assert replies <= set(MESSAGES)
