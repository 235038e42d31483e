"""Passkeys and security keys as the second step: a real signature each time, asked once, of the person's own keys."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select
from webauthn.helpers import bytes_to_base64url

from billing import invitations, passkeys
from billing.passkey_proofs import Site
from billing.passkeys import PasskeyRefused
from billing.sign_in import Person
from billing.store.tables import Audit, Credential, Passkey, Practice, SignIn, Staff
from bot.write import Store
from tests.conftest import Clock
from tests.console.authenticator import Authenticator
from tests.console.conftest import PASSWORD, Desk, serve_console
from tests.console.estate import OTHER, _oak

SITE = Site("bills.maple.example", "https://bills.maple.example")


@pytest.fixture
async def desk(store: Store, clock: Clock, practice: Practice) -> AsyncIterator[Desk]:
    """The console under a name, which keys need."""
    async with serve_console(store, clock, practice.id, "localhost") as served:
        yield served


def new_key(desk: Desk, **more: Any) -> Authenticator:
    return Authenticator("localhost", desk.wiring.road.public_url, **more)


def question_in(page: str) -> dict[str, Any]:
    """What the page's form asks a key."""
    found = re.search(r'data-options="([^"]*)"', page)
    assert found is not None, "the page asks no key"
    asked: dict[str, Any] = json.loads(html.unescape(found[1]))
    return asked


def trail(desk: Desk) -> list[tuple[str, str, str]]:
    rows = desk.store.read(lambda session: session.scalars(select(Audit).order_by(Audit.id)).all())
    return [(row.actor, row.action, row.reason) for row in rows]


def keys(desk: Desk) -> list[Passkey]:
    return desk.store.read(lambda session: list(session.scalars(select(Passkey).order_by(Passkey.id))))


async def begin(desk: Desk, login: str) -> dict[str, Any]:
    """A fresh code of the app; return what the key is asked then."""
    desk.clock.advance(seconds=30)
    status, page = await desk.post("/console/me/keys/begin", {"code": desk.code(login)})
    assert status == 200, desk.location
    return question_in(page)


async def add(desk: Desk, login: str, key: Authenticator, name: str = "Blue key") -> None:
    answer = key.create(await begin(desk, login))
    assert (await desk.post("/console/me/keys", {"name": name, "answer": answer}))[0] == 303
    assert desk.location == "/console/me?note=key_added"


async def hire_with_key(desk: Desk, login: str, **more: Any) -> Authenticator:
    """Somebody who has signed in by the app, added a key, and gone."""
    desk.hire(login, "biller")
    key = new_key(desk, **more)
    await desk.sign_in(login)
    await add(desk, login, key)
    desk.forget()
    return key


async def ask(desk: Desk, login: str) -> dict[str, Any]:
    """The password; return what the page of the second step asks a key."""
    status, _ = await desk.post("/console/sign-in", {"login": login, "password": PASSWORD})
    assert (status, desk.location.partition("?")[0]) == (303, "/console/code")
    return question_in((await desk.get("/console/code"))[1])


async def answer(desk: Desk, signed: str) -> int:
    return (await desk.post("/console/code/key", {"answer": signed, "to": "/console/me"}))[0]


async def test_a_key_that_was_added_signs_in_after_the_password_and_the_apps_code_still_does(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    asked = await ask(desk, "ann")
    assert await answer(desk, key.get(asked)) == 303
    assert desk.location == "/console/me"
    status, page = await desk.get("/console/me")
    assert (status, "Blue key" in page, "not yet" in page) == (200, True, False)
    assert ("ann", "signed_in", "passkey") in trail(desk)
    desk.forget()
    assert (await desk.sign_in("ann"))[0] == 303


async def test_a_key_alone_without_the_password_signs_nobody_in(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    assert await answer(desk, key.get({"challenge": "AAAA"})) == 403
    assert (await desk.get("/console/me"))[0] == 303


async def test_whoever_has_no_key_is_asked_for_none_and_a_wrong_password_tells_nothing(desk: Desk) -> None:
    await hire_with_key(desk, "ann")
    desk.hire("bob", "biller")
    await desk.post("/console/sign-in", {"login": "bob", "password": PASSWORD})
    assert "data-key" not in (await desk.get("/console/code"))[1]
    desk.forget()
    await desk.post("/console/sign-in", {"login": "ann", "password": "wrong"})
    assert "data-key" not in (await desk.get("/console/code"))[1]


async def test_the_same_answer_signs_in_once(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    signed = key.get(await ask(desk, "ann"))
    waiting = {one.key: one.value for one in desk.browser.cookie_jar}
    assert await answer(desk, signed) == 303
    desk.forget()
    assert (await desk.post("/console/code/key", {"answer": signed}, cookies=waiting))[0] == 403
    await ask(desk, "ann")
    assert await answer(desk, signed) == 403


async def test_a_wrong_answer_uses_up_what_was_asked(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    asked = await ask(desk, "ann")
    assert await answer(desk, new_key(desk).get(asked)) == 403
    assert question_in((await desk.get("/console/code"))[1])["challenge"] != asked["challenge"]
    assert await answer(desk, key.get(asked)) == 403
    assert await answer(desk, key.get(question_in((await desk.get("/console/code"))[1]))) == 303


async def test_an_answer_to_another_sign_ins_question_is_none(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    elsewhere = await ask(desk, "ann")
    desk.forget()
    await ask(desk, "ann")
    assert await answer(desk, key.get(elsewhere)) == 403


async def test_an_answer_that_comes_after_five_minutes_is_none(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    asked = await ask(desk, "ann")
    desk.clock.advance(minutes=5)
    assert await answer(desk, key.get(asked)) == 403


@pytest.mark.parametrize("wrong", ["origin", "name", "absent", "another pair", "another kind"])
async def test_what_was_asked_elsewhere_or_signed_by_another_is_none(desk: Desk, wrong: str) -> None:
    key = await hire_with_key(desk, "ann")
    asked = await ask(desk, "ann")
    match wrong:
        case "origin":
            key.origin = "https://localhost.evil.example"
        case "name":
            key.name = "evil.example"
        case "absent":
            key.flags = 0  # nobody touched it
        case "another pair":
            key.secret = new_key(desk).secret
    signed = key.create(asked) if wrong == "another kind" else key.get(asked)
    assert await answer(desk, signed) == 403
    assert ("ann", "sign_in_failed", "passkey") in trail(desk)
    assert (await desk.get("/console/me"))[0] == 303


async def test_a_count_that_stands_or_goes_back_is_refused_and_the_trail_says_that_it_may_be_a_copy(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    key.count = 6
    assert await answer(desk, key.get(await ask(desk, "ann"))) == 303
    for count in (6, 2, -1):
        desk.forget()
        key.count = count
        assert await answer(desk, key.get(await ask(desk, "ann"))) == 403
    assert [row[1] for row in trail(desk)].count("passkey_copied") == 3
    assert [one.sign_count for one in keys(desk)] == [7]


async def test_a_key_that_does_not_count_signs_in_again_and_again(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann", step=0)
    for _ in range(3):
        assert await answer(desk, key.get(await ask(desk, "ann"))) == 303
        desk.forget()


async def test_a_count_may_be_as_large_as_the_standard_lets_it(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    key.count = 2 ** 32 - 2
    assert await answer(desk, key.get(await ask(desk, "ann"))) == 303
    assert [one.sign_count for one in keys(desk)] == [2 ** 32 - 1]


async def test_five_wrong_answers_by_key_and_code_together_lock_the_login_and_end_what_was_open(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    await desk.sign_in("ann")
    opened = {one.key: one.value for one in desk.browser.cookie_jar}
    desk.forget()
    await ask(desk, "ann")
    for _ in range(3):
        assert await answer(desk, new_key(desk).get({"challenge": "AAAA"})) == 403
    for _ in range(2):
        assert (await desk.post("/console/code", {"code": "000000"}))[0] == 403
    assert (await desk.post("/console/sign-in", {"login": "ann", "password": PASSWORD}))[0] == 403
    assert (await desk.get("/console/me", cookies=opened))[0] == 303
    desk.clock.advance(minutes=15)
    assert await answer(desk, key.get(await ask(desk, "ann"))) == 303


async def test_answers_by_key_are_counted_by_address_with_codes(desk: Desk) -> None:
    for number in range(20):
        path, form = (("/console/code", {"code": "000000"}), ("/console/code/key", {"answer": "{}"}))[number % 2]
        assert (await desk.post(path, form))[0] == 403
    assert await answer(desk, "{}") == 429


@pytest.mark.parametrize("place", ["a colleague", "another practice"])
async def test_nobody_elses_key_signs_somebody_in(desk: Desk, place: str) -> None:
    await hire_with_key(desk, "ann")
    theirs = await hire_with_key(desk, "bob")
    if place == "another practice":
        desk.store.write(lambda session: session.add(_oak(desk.clock)))
        desk.hire("eve", "biller", OTHER)
        desk.store.write(lambda session: session.query(Passkey).filter(Passkey.credential_id == json.loads(
            theirs.create({"challenge": "AAAA"}))["id"]).update({
                "practice_id": OTHER,
                "staff_id": session.scalars(select(Staff.id).where(Staff.login == "eve")).one()}))
    assert await answer(desk, theirs.get(await ask(desk, "ann"))) == 403


async def test_a_removed_key_signs_nobody_in_and_is_only_removed_when_it_is_meant(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    await desk.sign_in("ann")
    (row,) = keys(desk)
    status, page = await desk.post(f"/console/me/keys/{row.id}/remove")
    assert (status, "Remove Blue key" in page, len(keys(desk))) == (200, True, 1)
    assert (await desk.post(f"/console/me/keys/{row.id}/remove", {"sure": "true"}))[0] == 303
    desk.forget()
    await desk.post("/console/sign-in", {"login": "ann", "password": PASSWORD})
    assert "data-key" not in (await desk.get("/console/code"))[1]
    waiting = desk.store.read(lambda s: s.scalars(select(SignIn.challenge).where(
        SignIn.stage == "password", SignIn.ended_at.is_(None))).one())
    assert waiting is not None
    assert await answer(desk, key.get({"challenge": bytes_to_base64url(waiting.encode())})) == 403


async def test_an_invitation_takes_that_persons_keys_away(desk: Desk) -> None:
    await hire_with_key(desk, "ann")
    await hire_with_key(desk, "bob")
    desk.store.write(lambda s: invitations.invite(s, desk.wiring.settings.practice, "ann", "boss", desk.clock()))
    owners = desk.store.read(lambda s: list(s.scalars(select(Staff.login).join(Passkey, Passkey.staff_id == Staff.id))))
    assert owners == ["bob"]
    assert ("boss", "passkey_removed", "") in trail(desk)


async def test_somebody_who_is_taken_off_the_list_has_useless_keys(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    asked = await ask(desk, "ann")
    desk.store.write(lambda s: s.query(Staff).filter(Staff.login == "ann").update({"active": False}))
    assert await answer(desk, key.get(asked)) == 403
    assert (await desk.post("/console/sign-in", {"login": "ann", "password": PASSWORD}))[0] == 403


async def test_adding_a_key_needs_a_fresh_code_of_the_app_however_young_the_sign_in(desk: Desk) -> None:
    desk.hire("ann", "biller")
    await desk.sign_in("ann")
    key = new_key(desk)
    for code in (desk.code("ann"), "000000"):  # used at the door; made up
        await desk.post("/console/me/keys/begin", {"code": code})
        assert desk.location == "/console/me?note=key_code_wrong"
    unasked = key.create({"challenge": "AAAA"})
    await desk.post("/console/me/keys", {"name": "Mine", "answer": unasked})
    assert desk.location == "/console/me?note=key_not_added"
    assert keys(desk) == []
    assert trail(desk).count(("ann", "sign_in_failed", "code")) == 2


async def test_five_wrong_codes_of_whoever_found_a_session_open_end_it(desk: Desk) -> None:
    await desk.as_role("biller")
    for _ in range(5):
        await desk.post("/console/me/keys/begin", {"code": "000000"})
    assert (await desk.get("/console/me"))[0] == 303


@pytest.mark.parametrize("wrong", ["twice", "late", "another site", "another sign-in", "known to a colleague"])
async def test_a_key_is_added_only_by_its_own_answer_to_what_was_just_asked(desk: Desk, wrong: str) -> None:
    theirs = await hire_with_key(desk, "bob")
    desk.hire("ann", "biller")
    await desk.sign_in("ann")
    key = theirs if wrong == "known to a colleague" else new_key(desk)
    if wrong == "another site":
        key.origin = "https://evil.example"
    asked = await begin(desk, "ann")
    signed = key.create(asked)
    if wrong == "twice":
        await desk.post("/console/me/keys", {"name": "One", "answer": new_key(desk).create(asked)})
    if wrong == "late":
        desk.clock.advance(minutes=5)
    if wrong == "another sign-in":
        desk.forget()
        await desk.sign_in("ann")
    before = len(keys(desk))
    await desk.post("/console/me/keys", {"name": "Two", "answer": signed})
    assert desk.location == "/console/me?note=key_not_added"
    assert len(keys(desk)) == before


async def test_a_browser_is_told_which_keys_somebody_has_and_asked_for_no_more_than_is_needed(desk: Desk) -> None:
    key = await hire_with_key(desk, "ann")
    await desk.sign_in("ann")
    asked = await begin(desk, "ann")
    mine = {"id": json.loads(key.create(asked))["id"], "type": "public-key"}
    assert asked["excludeCredentials"] == [mine]
    assert asked["attestation"] == "none"
    assert asked["authenticatorSelection"] == {
        "residentKey": "discouraged", "requireResidentKey": False, "userVerification": "preferred"}
    desk.forget()
    asked = await ask(desk, "ann")
    assert (asked["allowCredentials"], asked["userVerification"], asked["rpId"]) == ([mine], "preferred", "localhost")


async def test_every_change_of_a_key_is_in_the_trail(desk: Desk) -> None:
    await hire_with_key(desk, "ann")
    await desk.sign_in("ann")
    (row,) = keys(desk)
    assert (await desk.post(f"/console/me/keys/{row.id}/name", {"name": "Old key"}))[0] == 303
    assert "Old key" in (await desk.get("/console/me"))[1]
    await desk.post(f"/console/me/keys/{row.id}/remove", {"sure": "true"})
    done = [action for actor, action, _ in trail(desk) if actor == "ann" and ("passkey" in action or "key_" in action)]
    assert done == ["me.key_begin.tried", "passkey_added", "me.key_add", "passkey_named", "me.key_name",
                    "passkey_removed", "me.key_remove"]


async def test_a_colleagues_key_is_nobody_elses_to_name_or_remove(desk: Desk) -> None:
    await hire_with_key(desk, "ann")
    await desk.as_role("manager")
    (row,) = keys(desk)
    for path, form in ((f"/console/me/keys/{row.id}/remove", {"sure": "true"}),
                       (f"/console/me/keys/{row.id}/name", {"name": "Mine"})):
        assert (await desk.post(path, form))[0] == 409
    assert [one.name for one in keys(desk)] == ["Blue key"]


async def test_nobody_has_more_keys_than_a_hand_can_tell_apart(desk: Desk) -> None:
    await hire_with_key(desk, "ann")
    await desk.sign_in("ann")
    (one,) = keys(desk)
    desk.store.write(lambda session: session.add_all([Passkey(
        id=f"passkey_{number}", practice_id=one.practice_id, staff_id=one.staff_id, credential_id=f"{number:08}",
        public_key="", sign_count=0, name="x", created_at=desk.clock()) for number in range(passkeys.MOST - 1)]))
    desk.clock.advance(seconds=30)
    assert (await desk.post("/console/me/keys/begin", {"code": desk.code("ann")}))[0] == 409


async def test_at_an_address_of_numbers_the_page_says_that_keys_need_a_name_and_offers_none(
        store: Store, clock: Clock, practice: Practice) -> None:
    async with serve_console(store, clock, practice.id) as numbered:
        await numbered.as_role("biller")
        page = (await numbered.get("/console/me"))[1]
        assert "127.0.0.1 is none" in page
        assert "/console/me/keys/begin" not in page
        assert (await numbered.post("/console/me/keys/begin", {"code": "000000"}))[0] == 409
        assert store.read(lambda s: s.scalars(select(Credential.failures)).all()) == [0]


async def test_a_program_has_no_sign_in_to_add_a_key_to(desk: Desk) -> None:
    program = Person("key_1", desk.wiring.settings.practice, "key:books", "books", "biller", "", "")
    with pytest.raises(PasskeyRefused, match="signed in at a browser"):
        desk.store.write(lambda s: passkeys.begin(s, program, "Maple", "000000", SITE, desk.clock()))
