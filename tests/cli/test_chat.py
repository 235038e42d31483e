"""``plainbill chat``: every conversation by hand in the terminal, on both channels, by the rules of each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.demo.stage import FILES, HERE
from tests.cli.conftest import Outcome, Run

PETER, PROOF = "+12125550138", "02/28/1983 10009"
CLOCK = "2026-11-17T10:00:00-05:00"
LINK = re.compile(r"https://t\.me/\S+")


@pytest.fixture
def chat(plainbill: Run, tmp_path: Path) -> Run:
    """A patient of the sample practice; every call is a terminal of its own."""
    plainbill("practice", "set", str(HERE / "practice.toml"), CLOCK=CLOCK)
    for name in ("procedures.csv", "patients.csv", "claims-2026-11-04.837", "remittances-2026-11-06.835"):
        assert plainbill("import", str(FILES / name), CLOCK=CLOCK).code == 0

    def talk(who: str, *lines: str, on: str = "telegram") -> Outcome:
        return plainbill("chat", "--as", who, "--channel", on, text="".join(f"{line}\n" for line in lines), CLOCK=CLOCK)

    return talk


def link_of(chat: Run) -> str:
    said = chat(PETER, "can we use telegram instead of texts", "yes", PROOF, "no", on="sms").out
    return str(LINK.findall(said)[-1])


def test_a_link_asked_for_by_text_opens_the_chat_and_buttons_answer(chat: Run) -> None:
    """Pasting the link presses Start; [n] and a label press buttons, which are gone afterwards."""
    done = chat("7001", link_of(chat), PROOF, "[1]", "what do i owe", "Why")
    assert (done.code, done.err) == (0, "")
    places = [done.out.index(words) for words in (
        "This chat is now linked", "date of birth", "[1] Yes  [2] No", "You owe $25.00", "[1] Why  [2] Pay",
        "$25.00 is your copay")]
    assert places == sorted(places)
    assert "(statement.pdf) Here is your statement" in chat("A-1008", "send me my statement").out


def test_t_19_without_the_patients_wish_telegram_holds_links_only(chat: Run) -> None:
    done = chat("7001", link_of(chat), PROOF, "no", "why do I owe this?", "/balance")
    assert "$" not in done.out and "/l/" in done.out


def test_a_chat_that_is_joined_to_nobody_learns_nothing_and_a_link_works_once(chat: Run) -> None:
    link = link_of(chat)
    assert "now linked" in chat("7001", link).out
    assert chat("7002", link, PROOF).out.count("not linked to a bill yet") == 2


def test_an_account_without_a_chat_is_told_how_to_get_one(chat: Run) -> None:
    done = chat("A-1008", "hello")
    assert done.code == 5 and "plainbill chat --as PHONE" in done.err
    assert chat("A-9999", "hello").code == 5


def test_telegram_that_the_practice_has_not_accepted_is_refused(plainbill: Run, tmp_path: Path) -> None:
    policy = (HERE / "practice.toml").read_text(encoding="utf-8").split("[telegram]")[0]
    (tmp_path / "policy.toml").write_text(policy, encoding="utf-8")
    plainbill("practice", "set", "policy.toml")
    done = plainbill("chat", "--as", "7001", "--channel", "telegram", text="hello\n")
    assert done.code == 6 and "T-19" in done.err and done.out == ""
