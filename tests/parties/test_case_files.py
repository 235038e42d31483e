"""Pictures for a case: known by content, kept sealed with the right case, once each; on both databases."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import LargeBinary, select, text, type_coerce, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing import case_files, cases, links
from billing.case_files import FileRefused, Upload, media_type
from billing.links import LinkView
from billing.store.rotation import reseal_batch, sealed_tables
from billing.store.tables import Audit, Case, CaseFile, Practice
from bot.write import Store
from tests.parties.scene import Scene, set_up

JPEG = b"\xff\xd8\xff\xe0" + b"front of a card" * 9
PNG = b"\x89PNG\r\n\x1a\n" + b"back of a card" * 9
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"
PDF = b"%PDF-1.7\n%..."


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


def link_of(store: Store, scene: Scene, kind: str = "insurance_update", purpose: str = "insurance") -> LinkView:
    def make(session: Session) -> LinkView:
        token = links.make(session, scene.practice_id, scene.guarantor_id, purpose, kind, 30, scene.now)
        found = links.open(session, token, scene.now)
        assert found is not None
        return found

    return store.write(make)


def open_case(store: Store, scene: Scene, kind: str = "insurance_update") -> str:
    return store.write(lambda s: cases.open_case(
        s, scene.practice_id, kind=kind, title="New insurance", detail="d", now=scene.now,
        guarantor_id=scene.guarantor_id, dedupe=f"{kind}:{scene.guarantor_id}").id)


def send(store: Store, scene: Scene, link: LinkView, *contents: bytes) -> int:
    uploads = [Upload(label, one) for label, one in zip(("front", "back"), contents, strict=False)]
    return store.write(lambda session: case_files.receive(session, link, uploads, scene.now))


@pytest.mark.parametrize(("content", "kind"), [
    (JPEG, "image/jpeg"), (PNG, "image/png"), (WEBP, "image/webp"), (HEIC, "image/heic"), (PDF, "application/pdf"),
    (b"<html>", None), (b"", None), (b"MZ\x90", None), (b"GIF89a", None), (b"\x00\x00\x00\x18ftypmp42", None),
    (b"RIFF\x10\x00\x00\x00WAVE", None), (b" %PDF-1.7", None)])
def test_a_file_is_what_its_content_says(content: bytes, kind: str | None) -> None:
    assert media_type(content) == kind


def test_front_and_back_are_kept_sealed_with_the_case_and_come_back_as_they_were(store: Store, scene: Scene) -> None:
    case_id = open_case(store, scene)
    assert send(store, scene, link_of(store, scene), JPEG, PNG) == 2

    def look(session: Session) -> tuple[list[tuple[int, str, str, int]], bytes, bytes]:
        found = [(f.number, f.label, f.media_type, f.bytes_count) for f in case_files.list_files(session, case_id)]
        raw = session.scalars(select(type_coerce(CaseFile.content, LargeBinary)).order_by(CaseFile.number)).first()
        back = case_files.open_file(session, case_id, 2)
        assert back is not None and raw is not None
        return found, back[1], bytes(raw)

    listed, back, raw = store.read(look)
    assert listed == [(1, "front", "image/jpeg", len(JPEG)), (2, "back", "image/png", len(PNG))]
    assert back == PNG
    assert b"front of a card" not in raw and JPEG not in raw
    assert store.read(lambda s: case_files.open_file(s, case_id, 3)) is None


def test_the_case_hears_of_it_and_an_answered_one_is_open_again(store: Store, scene: Scene) -> None:
    case_id = open_case(store, scene)
    store.write(lambda s: cases.reply(s, scene.practice_id, case_id, by="bea", body="send it please", now=scene.now))
    send(store, scene, link_of(store, scene), JPEG)

    def look(session: Session) -> tuple[str, str, list[str]]:
        case = session.get_one(Case, case_id)
        actions = session.scalars(select(Audit.action).where(Audit.object_id == case_id))
        return case.status, cases.notes(session, case_id)[-1].body, list(actions)

    status, note, actions = store.read(look)
    assert (status, actions) == ("open", ["file_sent"])
    assert "1 file" in note


def test_the_same_picture_is_kept_once(store: Store, scene: Scene) -> None:
    open_case(store, scene)
    link = link_of(store, scene)
    assert send(store, scene, link, JPEG, JPEG) == 1
    assert send(store, scene, link, JPEG, PNG) == 2
    with pytest.raises(FileRefused, match="twice"):
        send(store, scene, link, PNG)


@pytest.mark.parametrize(("contents", "reason"), [
    ((), "empty"), ((b"<html>",), "kind"), ((JPEG, b"MZ"), "kind"), ((JPEG + b"0" * case_files.MOST_BYTES,), "size")])
def test_what_is_not_taken_leaves_nothing_behind(store: Store, scene: Scene, contents: tuple[bytes, ...],
                                                 reason: str) -> None:
    open_case(store, scene)
    with pytest.raises(FileRefused, match=reason):
        send(store, scene, link_of(store, scene), *contents)
    assert store.read(lambda session: session.scalars(select(CaseFile.id)).all()) == []


def test_a_case_takes_so_many_files_and_no_more(store: Store, scene: Scene) -> None:
    open_case(store, scene)
    link = link_of(store, scene)
    for number in range(case_files.MOST_FILES):
        send(store, scene, link, JPEG + bytes([number]))
    with pytest.raises(FileRefused, match="many"):
        send(store, scene, link, PNG)
    assert store.read(lambda session: case_files.sent(session, link)) == case_files.MOST_FILES


def test_papers_go_to_the_open_case_they_are_for_and_else_to_one_of_their_own(store: Store, scene: Scene) -> None:
    papers = link_of(store, scene, "dispute", "papers")
    send(store, scene, papers, PDF)
    own = store.read(lambda s: s.scalars(select(Case)).one())
    assert (own.kind, own.guarantor_id) == ("papers", scene.guarantor_id)
    dispute = open_case(store, scene, "dispute")
    send(store, scene, papers, JPEG)
    assert len(store.read(lambda s: case_files.list_files(s, dispute))) == 1
    assert len(store.read(lambda s: case_files.list_files(s, own.id))) == 1


@pytest.mark.parametrize("statement", ["UPDATE case_files SET label = 'x'", "DELETE FROM case_files"])
def test_the_database_refuses_to_change_or_delete_a_file(store: Store, scene: Scene, statement: str) -> None:
    open_case(store, scene)
    send(store, scene, link_of(store, scene), JPEG)
    with pytest.raises(DBAPIError):
        store.write(lambda session: session.execute(text(statement)))
    assert store.read(lambda session: session.scalars(select(CaseFile.label)).all()) == ["front"]


def test_files_are_sealed_anew_when_the_key_changes(store: Store, scene: Scene) -> None:
    open_case(store, scene)
    send(store, scene, link_of(store, scene), JPEG, PNG)
    assert "case_files" in sealed_tables()
    resealed = type_coerce(CaseFile.content, LargeBinary)
    store.write(lambda session: session.execute(update(CaseFile).values({"content": resealed})))  # as a new key would
    batch = store.write(lambda session: reseal_batch(session, "case_files", None))
    assert (batch.seen, batch.resealed, batch.after) == (2, 0, None)
