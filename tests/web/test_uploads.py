"""The page for the insurance card: behind the same questions as a statement, plain words for whatever goes wrong."""

from __future__ import annotations

import re

import aiohttp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import case_files, cases
from billing.store.tables import Case, CaseFile
from bot.web import multipart
from tests.parties.test_case_files import JPEG, PDF, PNG
from tests.payments import world
from tests.web.conftest import Site


def card_link(site: Site, purpose: str = "insurance") -> str:
    """A link to the page, with the case that it is for."""
    site.store.write(lambda session: cases.open_case(
        session, world.PRACTICE, kind="insurance_update", title="New insurance", detail="d", now=site.clock(),
        guarantor_id=world.ANNA, dedupe=f"insurance_update:{world.ANNA}").id)
    return site.link(purpose, "insurance_update")


def form(**files: bytes) -> aiohttp.FormData:
    made = aiohttp.FormData(default_to_multipart=True)
    for name, content in files.items():
        made.add_field(name, content, filename="Anna Rivera card.jpg", content_type="image/jpeg")
    return made


def kept(site: Site) -> list[tuple[str, str]]:
    return site.store.read(lambda s: [(row.label, row.media_type) for row in s.scalars(
        select(CaseFile).order_by(CaseFile.number))])


async def test_nobody_sees_the_page_or_sends_anything_before_the_questions_are_answered(site: Site) -> None:
    path = card_link(site)
    status, body, _ = await site.get(path)
    assert status == 200 and 'name="first"' not in body and body == (await site.get("/l/never-made"))[1]
    status, _, answer = await site.post(f"{path}/files", form(first=JPEG))
    assert (status, answer.headers["Location"]) == (303, path)
    assert kept(site) == []


async def test_front_and_back_arrive_and_the_page_says_so(site: Site) -> None:
    path = card_link(site)
    await site.prove(path)
    body = (await site.get(path))[1]
    assert 'enctype="multipart/form-data"' in body and body.count('type="file"') == 2 and "capture" not in body
    status, _, answer = await site.post(f"{path}/files", form(first=JPEG, second=PNG))
    assert (status, answer.headers["Location"]) == (303, f"{path}?lang=en")
    assert kept(site) == [("front", "image/jpeg"), ("back", "image/png")]
    assert "We have 2 pictures" in (await site.get(path))[1]


async def test_one_side_alone_is_enough_and_the_other_may_come_later(site: Site) -> None:
    path = card_link(site)
    await site.prove(path)
    assert (await site.post(f"{path}/files", form(first=JPEG, second=b"")))[0] == 303
    assert "We have 1 picture" in (await site.get(path))[1]
    assert (await site.post(f"{path}/files", form(first=PNG)))[0] == 303
    assert "2" in (await site.get(path))[1] and len(kept(site)) == 2


TOO_LARGE = JPEG + b"0" * case_files.MOST_BYTES


@pytest.mark.parametrize(("sent", "status", "english", "spanish"), [
    ({"first": b""}, 422, "choose a picture", "elija una foto"),
    ({"first": b"<html><script>alert(1)</script>"}, 415, "not a picture or a PDF", "no es una foto ni un PDF"),
    ({"first": JPEG, "second": b"GIF89a"}, 415, "not a picture or a PDF", "no es una foto ni un PDF"),
    ({"first": TOO_LARGE}, 413, "too large", "demasiado grande"),
    ({"first": TOO_LARGE, "second": TOO_LARGE * 3}, 413, "too large", "demasiado grande"),
], ids=["nothing", "a script", "one of two", "too large", "far too large"])
async def test_what_is_not_taken_is_said_in_plain_words_in_both_languages(
        site: Site, sent: dict[str, bytes], status: int, english: str, spanish: str) -> None:
    path = card_link(site)
    await site.prove(path)
    answers = [await site.post(f"{path}/files?lang={language}", form(**sent)) for language in ("en", "es")]
    assert [one[0] for one in answers] == [status, status]
    assert english in answers[0][1] and spanish in answers[1][1]
    assert all('role="alert"' in one[1] and 'type="file"' in one[1] for one in answers)
    assert kept(site) == []


async def test_the_same_picture_sent_twice_is_kept_once_and_that_is_said(site: Site) -> None:
    path = card_link(site)
    await site.prove(path)
    await site.post(f"{path}/files", form(first=JPEG))
    status, body, _ = await site.post(f"{path}/files", form(first=JPEG))
    assert status == 409 and "We have that one already" in body
    assert len(kept(site)) == 1


async def test_a_form_that_is_none_is_answered_with_the_page(site: Site) -> None:
    path = card_link(site)
    await site.prove(path)
    for data in (b"", b"first=picture"):
        status, body, _ = await site.post(f"{path}/files", data)
        assert status == 422 and "choose a picture" in body


async def test_papers_for_a_case_have_words_of_their_own(site: Site) -> None:
    path = card_link(site, "papers")
    await site.prove(path)
    assert "Send us your papers" in (await site.get(path))[1]
    assert (await site.post(f"{path}/files", form(first=PDF)))[0] == 303
    assert kept(site) == [("paper", "application/pdf")]


async def test_no_other_link_takes_files_and_a_closed_one_takes_none(site: Site) -> None:
    path = site.link("statement")
    await site.prove(path)
    assert (await site.post(f"{path}/files", form(first=JPEG)))[0] == 404
    card = card_link(site)
    await site.prove(card)
    site.clock.advance(minutes=31)
    assert (await site.post(f"{card}/files", form(first=JPEG)))[0] == 303
    assert kept(site) == []


async def test_a_picture_is_never_shown_to_anybody_again_and_its_file_name_is_not_kept(site: Site) -> None:
    path = card_link(site)
    await site.prove(path)
    await site.post(f"{path}/files", form(first=JPEG))
    body = (await site.get(path))[1]
    assert "Rivera" not in body and "<img" not in body

    def everything(session: Session) -> str:
        files = session.scalars(select(CaseFile)).all()
        notes = [note.body for case in session.scalars(select(Case)) for note in cases.notes(session, case.id)]
        return " ".join([*(f"{row.label} {row.media_type}" for row in files), *notes])

    assert "Rivera" not in site.store.read(everything)


async def test_the_page_is_plain_and_self_contained(site: Site) -> None:
    path = card_link(site)
    await site.prove(path)
    for language in ("en", "es"):
        body = (await site.get(f"{path}?lang={language}"))[1]
        assert f'<html lang="{language}">' in body and body.count("<h1>") == 1
        assert len(re.findall(r"<label [^>]*for=", body)) == body.count('type="file"') == 2
        assert not re.search(r"<script|javascript:|\son\w+=|style=|(?:src|href|action)=\"(?:https?:)?//", body)


def test_only_whole_forms_with_files_are_read() -> None:
    assert multipart.boundary_of('multipart/form-data; boundary="a b"') == b"a b"
    for bad in ("", "text/plain; boundary=x", "multipart/form-data", "multipart/form-data; boundary=" + "x" * 71):
        assert multipart.boundary_of(bad) is None
    body = (b'--X\r\nContent-Disposition: form-data; name="first"; filename="a.jpg"\r\n\r\none\r\n--X\r\n'
            b'Content-Type: text/plain\r\ncontent-disposition: form-data; name=second\r\n\r\n\r\n--X--\r\n')
    first, second = multipart.read_parts(body, b"X")
    assert (first.name, first.content, first.is_file) == ("first", b"one", True)
    assert (second.name, second.content, second.is_file) == ("second", b"", False)
    for broken in (b"", b"--X", b"--X\r\n\r\nno heading\r\n--X--", body.replace(b"--X--", b"--X"),
                   b"--X\r\nContent-Type: a\r\n\r\nb\r\n--X--", body.replace(b"--X--", b"--X\r\n\r\n" * 20 + b"--X--")):
        with pytest.raises(ValueError, match="form"):
            multipart.read_parts(broken, b"X")
