"""Other words for a message: checked like the program's own, and patients read them only after a second person has."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import Campaign, Conversation, WordsChange
from bot import campaign_words, own_words, staff_replies
from templates import source, wordcheck
from templates.render import render
from templates.source import OwnWords
from tests.conftest import maple_clinic
from tests.console.conftest import Desk
from tests.console.estate import MINE, OTHER
from tests.payments import world

WORDS = "{{ practice }}: Hello! {{ words }}"
HARD = "Notwithstanding administrative considerations, reconciliation necessitates authorization."
MESSAGES = [name for name in source.names("en") if "/" not in name]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_programs_own_words_pass_the_checks_that_others_have_to_pass(language: str) -> None:
    faulty = {name: found for name in MESSAGES
              if (found := wordcheck.check(name, language, source.shipped(name, language).text))}
    assert faulty == {}


@pytest.mark.parametrize(("name", "text", "code"), [
    ("staff_reply", "{{ practice }}: {{ words }} {{ secret }}", "unknown"),
    ("staff_reply", "{{ practice }}: hello", "missing"),
    ("staff_reply", "{{ practice }}: {{ words }} {% for i in range(10) %}x{% endfor %}", "forbidden"),
    ("staff_reply", "{{ practice }}: {{ words.__class__ }}", "forbidden"),
    ("staff_reply", "{{ practice }}: {{ words }} {% if", "syntax"),
    ("staff_reply", "{{ practice }}: {{ words }} Pay immediately!", "harsh"),
    ("staff_reply", "{{ practice }}: {{ words }}{% if words == 'x' %} Pay immediately!{% endif %}", "harsh"),
    ("staff_reply", "{{ practice }}: {{ words }}{% if words == 'x' %} It is $12.00.{% endif %}", "amount"),
    ("staff_reply", "{{ practice }}: {{ words }} Or say cancel.", "leaving"),
    ("staff_reply", "{{ practice }}: {{ words }} See bit.ly/x", "address"),
    ("staff_reply", "{{ practice }}: {{ words }} It is $12.00.", "amount"),
    ("staff_reply", "Hi. {{ practice }}: {{ words }}", "practice"),
    ("staff_reply", "{{ practice }}: {{ words }} " + "We are very glad. " * 9, "segments"),
    ("staff_reply", f"{{{{ practice }}}}: {{{{ words }}}} {HARD}", "hard"),
    ("receipt", "{{ practice }}: We got {{ amount_minor }} on {{ paid_on|day }}. {{ url }}", "filter"),
    ("stop_confirmation", "{{ practice }}: We stop our texts. Call {{ phone|phone }}.", "kept")])
def test_words_that_would_do_harm_are_named_and_never_proposed(name: str, text: str, code: str) -> None:
    assert code in {one.code for one in wordcheck.check(name, "en", text)}


async def propose(desk: Desk, words: str = WORDS) -> str:
    await desk.get("/console/words/message?template=staff_reply")
    form = {"template": "staff_reply", "language": "en", "words": words}
    status, body = await desk.post("/console/words/try", form)
    assert status == 200 and "pass every check" in body, body
    assert (await desk.post("/console/words/changes", {**form, "reason": "warmer"}))[0] == 303
    return desk.store.read(lambda s: s.scalars(select(WordsChange.id).order_by(WordsChange.asked_at.desc())).one())


def said(desk: Desk) -> tuple[str, str]:
    """(words, version) of what a colleague's answer would be in this moment."""
    def draft(session: Session) -> tuple[str, str]:
        talk = session.get_one(Conversation, world.TALK)
        row = staff_replies._draft(session, maple_clinic(), talk, "Yes.", "k", None)
        return row.body, row.template_version

    return desk.store.read(draft)


async def test_words_are_in_force_after_a_second_person_with_a_version_of_their_own(desk: Desk) -> None:
    desk.store.write(lambda s: world.anna(s, desk.clock()))
    desk.hire("sue", "supervisor")
    await desk.as_role("supervisor")
    before = said(desk)
    change = await propose(desk)
    assert said(desk) == before
    note = {"note": "reads well"}
    assert (await desk.post(f"/console/words/changes/{change}/approval", note))[0] == 409
    desk.forget()
    await desk.sign_in("sue")
    assert "Hello!" in (await desk.get("/console/words"))[1]
    assert (await desk.post(f"/console/words/changes/{change}/approval", note))[0] == 303
    body, version = said(desk)
    assert body == "Maple Clinic: Hello! Yes." and version != before[1]


async def test_faulty_words_cannot_be_proposed_past_the_check(desk: Desk) -> None:
    await desk.as_role("biller")
    await desk.get("/console/words")
    form = {"template": "staff_reply", "language": "en", "words": "{{ practice }}: hello", "reason": "shorter"}
    status, body = await desk.post("/console/words/changes", form)
    assert status == 409 and "do not do: missing" in body
    assert desk.store.read(lambda s: s.scalars(select(WordsChange)).all()) == []


def test_words_are_one_practices_and_stand_aside_when_a_release_changes_the_message(desk: Desk) -> None:
    shipped = source.shipped("staff_reply", "en")

    def add(session: Session) -> None:
        session.add(WordsChange(
            id="word_1", practice_id=MINE, language="en", template="staff_reply", words=WORDS,
            shipped_version=shipped.version, reason="warmer", status="in_force", asked_by="a", asked_at=desk.clock()))

    desk.store.write(add)
    mine, theirs = (desk.store.read(lambda s, one=one: own_words.of(s, one)) for one in (MINE, OTHER))  # type: ignore[misc]
    assert mine == {("staff_reply", "en"): OwnWords(WORDS, shipped.version)} and theirs == {}
    with source.speaking({("staff_reply", "en"): OwnWords(WORDS, "an older file")}):
        old = render("staff_reply", "en", {"practice": "Maple", "words": "Yes."})
    assert (old.body, old.version) == ("Maple: Yes.", shipped.version)


def test_what_a_campaign_is_approved_with_is_the_practices_own_words(desk: Desk) -> None:
    file = source.shipped("statement_ready", "en")
    words = file.text.replace("You have a new billing message.", "We have a new bill for you.")
    assert words != file.text and wordcheck.check("statement_ready", "en", words) == []
    row = Campaign(practice_id=MINE, template="statement_ready", ways=["sms"])
    before = desk.store.read(lambda s: campaign_words.versions_of(s, row, maple_clinic()))
    desk.store.write(lambda s: s.add(WordsChange(
        id="word_2", practice_id=MINE, language="en", template="statement_ready", words=words,
        shipped_version=file.version, reason="plainer", status="in_force", asked_by="a", asked_at=desk.clock())))
    after = desk.store.read(lambda s: campaign_words.versions_of(s, row, maple_clinic()))
    assert {name for name in after if after[name] != before[name]} == {"en/statement_ready"}


async def test_every_message_and_page_is_read_side_by_side(desk: Desk) -> None:
    await desk.as_role("reader")
    for group in ("texts", "email", "letter"):
        status, body = await desk.get(f"/console/words?group={group}")
        assert status == 200 and "English" in body and "Spanish" in body
    _, body = await desk.get("/console/words/message?template=statement_ready")
    assert body.count('class="phone"') == 2 and "GSM-7" in body
    assert (await desk.get("/console/words/message?template=none_such"))[0] == 404
    assert "account.owed_now" in (await desk.get("/console/words/pages?q=account.owed_now"))[1]


@pytest.mark.parametrize("text", [
    "{{ practice }}: {{ words }} {% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "{{ practice }}: {{ words }} {{ 'x' * 9999999999 }}", "{{ practice }}: {{ words }} {{ 9 ** 9 ** 9 }}",
    "{{ practice }}: {{ words }} {{ ''.__class__.__mro__ }}", "{{ practice }}: {{ words }}" + "{{ " + "(" * 900,
    "{{ practice }}: {{ words }}" + "{% if words %}" * 90 + "x" + "{% endif %}" * 90])
async def test_words_that_could_keep_the_program_busy_are_never_filled_in(desk: Desk, text: str) -> None:
    await desk.as_role("biller")
    await desk.get("/console/words")
    async with asyncio.timeout(5):
        status, body = await desk.post("/console/words/try", {
            "template": "staff_reply", "language": "en", "words": text})
    assert status == 200 and 'class="phone"' not in body


def test_a_loop_in_a_loop_is_no_words() -> None:
    loops = "{% for a in visits %}" * 2 + "x" + "{% endfor %}" * 2
    text = source.shipped("dispute_which", "en").text + loops
    assert wordcheck.Fault("forbidden", "for") in wordcheck.check("dispute_which", "en", text)


async def named(desk: Desk, asked: str) -> list[str]:
    """The messages that a look for words shows, page after page."""
    found = list[str]()
    async for body in desk.pages(f"/console/words?{asked}"):
        found += re.findall(r'data-open href="/console/words/message[?]template=(\w+)"', body)
    return found


async def test_every_message_is_found_by_its_words_its_name_its_kind_or_being_changed(desk: Desk) -> None:
    desk.hire("sue", "supervisor")
    await desk.as_role("supervisor")
    assert sorted(await named(desk, "group=all")) == sorted(MESSAGES)
    assert all(name.startswith("letter_") for name in await named(desk, "group=letter"))
    assert "stop_confirmation" in await named(desk, "q=STOP_Confirmation")
    assert await named(desk, "group=all&q=saldo+numero") == await named(desk, "group=all&q=n%C3%BAmero+SALDO")
    assert await named(desk, "group=all&q=gibberish") == []
    assert "help" in await named(desk, "purpose=help") and "receipt" not in await named(desk, "purpose=help")
    assert await named(desk, "group=all&changed=true") == []
    change = await propose(desk)
    assert await named(desk, "group=all&changed=true") == ["staff_reply"]
    desk.forget()
    await desk.sign_in("sue")
    await desk.get("/console/words")
    assert (await desk.post(f"/console/words/changes/{change}/approval", {"note": "read it"}))[0] == 303
    assert await named(desk, "group=all&changed=true") == ["staff_reply"]


async def test_words_of_pages_are_found_by_any_language(desk: Desk) -> None:
    await desk.as_role("reader")
    _, every = await desk.get("/console/words/pages")
    assert every.count("<tr data-row") == 25
    _, some = await desk.get("/console/words/pages?q=contrasena+xyz")
    assert some.count("<tr data-row") == 0
