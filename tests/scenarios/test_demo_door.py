"""The demo leads into its console without a password; that nothing else does is in tests/web/test_no_demo_door.py."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from sqlalchemy import select

from billing import staff
from billing.store.practices import find_staff
from billing.store.seal import install_keyring
from billing.store.tables import Audit, SignIn
from bot.demo import ahead
from bot.demo.desk import BILLER, MANAGER, STAFF, SUPERVISOR
from bot.demo.door import PRESS
from bot.demo.people import person_of
from tests.browser.running import Demo, demo_in
from tests.conftest import TEST_KEYS

pytestmark = pytest.mark.slow
ANNA, LUIS = person_of("A-1001"), person_of("A-1002")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    kept = dict(os.environ)
    with demo_in(tmp_path_factory.mktemp("demo")) as running:
        yield running
    os.environ.clear()
    os.environ.update(kept)
    install_keyring(TEST_KEYS)


class Browser:
    """A visitor's browser at the console. ``at``: where the last answer leads."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http, self.at, self._word = http, "", ""

    async def get(self, path: str) -> tuple[int, str]:
        return await self._ask("GET", path)

    async def press(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> tuple[int, str]:
        """Press a button of the last page that had any, with the session's own word along."""
        return await self._ask("POST", path, data={"csrf": self._word, **fields}, headers=headers or {})

    async def come_in(self, login: str, to: str = "") -> None:
        assert (await self.press(PRESS, login=login, to=to))[0] == 303
        await self.get("/console/me")

    async def _ask(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        async with self._http.request(method, path, allow_redirects=False, **more) as answer:
            body = await answer.text()
            if found := re.search(r'name="csrf" value="([^"]+)"', body):
                self._word = found[1]
            self.at = answer.headers.get("location", "")
            return answer.status, body


@pytest.fixture
async def browser(demo: Demo) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(demo.public_url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Browser(http)


async def test_a_visitor_comes_in_as_each_of_the_staff_and_may_do_what_that_role_may(browser: Browser) -> None:
    may = {BILLER.login: (403, 403), SUPERVISOR.login: (403, 200), MANAGER.login: (200, 200)}
    for one in STAFF:
        _, page = await browser.get("/console/sign-in")
        assert f'value="{one.login}"' in page and one.name in page
        await browser.press(PRESS, login=one.login)
        assert browser.at == "/console/inbox"
        assert one.name in (await browser.get("/console/inbox"))[1]
        assert tuple([(await browser.get(f"/console/{page}"))[0] for page in ("people", "trail")]) == may[one.login]


async def test_coming_in_again_and_again_works_although_a_code_is_good_once(browser: Browser) -> None:
    for _ in range(6):
        await browser.come_in(BILLER.login)


async def test_the_door_goes_the_way_that_real_staff_go(demo: Demo, browser: Browser) -> None:
    """An invitation, a password, a code, and a session by the practice's policy, each with its line in the trail."""
    await browser.come_in(SUPERVISOR.login)
    rows = demo.stage.store.read(lambda s: [row.action for row in s.scalars(
        select(Audit).where(Audit.object_kind == "staff").order_by(Audit.id))])
    assert [one for one in ("staff_invited", "invitation_accepted", "signed_in") if one not in rows] == []
    begun = demo.stage.store.read(lambda s: list(s.scalars(select(SignIn.stage).order_by(SignIn.started_at))))
    assert begun.count("password") == begun.count("full") > 0


async def test_after_half_an_hour_nobody_is_signed_out_after_a_night_everybody_and_the_door_leads_back_to_the_page(
        demo: Demo, browser: Browser) -> None:
    await browser.come_in(MANAGER.login)
    demo.ask(ahead.move_on(demo.stage, ahead.half_an_hour(demo.stage)))
    assert (await browser.get("/console/worklists"))[0] == 200
    demo.ask(ahead.move_on(demo.stage, ahead.next_morning(demo.stage)))
    assert f"{demo.stage.clock.now().astimezone(ZoneInfo(demo.stage.policy.zone)):%a %H:%M}" == "Wed 09:00"
    assert (await browser.get("/console/worklists"))[0] == 303
    _, page = await browser.get(browser.at)
    assert "Were you signed out?" in page
    assert 'name="to" value="/console/worklists"' in page
    await browser.press(PRESS, login=MANAGER.login, to="/console/worklists")
    assert browser.at == "/console/worklists"
    assert (await browser.get(browser.at))[0] == 200


async def test_what_a_patient_texts_is_in_the_inbox_and_what_staff_answer_is_on_the_phone(
        demo: Demo, browser: Browser) -> None:
    demo.texts(LUIS, "quiero hablar con una persona")
    await browser.come_in(BILLER.login)
    _, page = await browser.get("/console/inbox?show=person")
    thread = re.search(r'href="(/console/inbox/[\w-]+)\?via=inbox"', page)
    assert thread is not None
    assert "quiero hablar con una persona" in (await browser.get(thread[1]))[1]
    await browser.press(f"{thread[1]}/take")
    await browser.press(f"{thread[1]}/replies", words="Soy Dana. ¿En qué le ayudo?", once="once_1")
    assert "note=reply_queued" in browser.at
    demo.ask(demo.stage.wait_for(partial(_shows, demo, "Soy Dana."), "the answer on the phone"))


async def _shows(demo: Demo, words: str) -> bool:
    return any(words in message["body"] for message in await demo.stage.thread(LUIS.phone))


async def test_a_campaign_from_the_console_arrives_on_the_demos_phone_when_its_days_have_passed(
        demo: Demo, browser: Browser) -> None:
    """Everybody was just sent a statement: the gate lets the campaign go some mornings later, and not before."""
    before = len(demo.ask(demo.stage.thread(ANNA.phone)))
    await browser.come_in(BILLER.login)
    await browser.press("/console/segments", name="everybody")
    _, page = await browser.get("/console/campaigns/new")
    segment = re.search(r'<option value="(seg_\w+)"', page)
    words = re.search(r'name="template" value="(\w+)"', page)
    assert segment is not None and words is not None
    await browser.press("/console/campaigns", name="november", template=words[1], segment_id=segment[1])
    campaign = browser.at.partition("?")[0]
    await browser.press(f"{campaign}/preview")
    assert "between-demands" in await _previewed(browser, campaign)
    await browser.press(f"{campaign}/send")
    demo.ask(ahead.move_on(demo.stage, ahead.half_an_hour(demo.stage)))
    assert len(demo.ask(demo.stage.thread(ANNA.phone))) == before
    for _ in range(6):
        demo.ask(ahead.move_on(demo.stage, ahead.next_morning(demo.stage)))
    demo.ask(demo.stage.wait_for(partial(_more, demo, before), "the campaign's text"))


async def _previewed(browser: Browser, campaign: str) -> str:
    """The campaign's page once its preview is there."""
    for _ in range(150):
        _, page = await browser.get(campaign)
        if f"{campaign}/send" in page:
            return page
        await asyncio.sleep(0.2)
    raise AssertionError(f"no preview of {campaign}: {page}")


async def _more(demo: Demo, before: int) -> bool:
    return len(await demo.stage.thread(ANNA.phone)) > before


@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
    {"host": "evil.example"}], ids=["origin", "cross-site", "same-site", "a name that points here"])
async def test_no_other_sites_page_opens_the_door(browser: Browser, headers: dict[str, str]) -> None:
    assert (await browser.press(PRESS, headers, login=MANAGER.login))[0] == 403
    assert (await browser.get("/console/me"))[0] == 303


async def test_the_door_opens_for_nobody_else_and_leads_to_no_other_host(demo: Demo, browser: Browser) -> None:
    assert (await browser.press(PRESS, login="mallory"))[0] == 403
    await browser.press(PRESS, login=BILLER.login, to="https://evil.example/")
    assert browser.at == "/console/inbox"


async def test_whom_the_manager_takes_off_the_list_the_door_keeps_out(demo: Demo, browser: Browser) -> None:
    def turn(active: bool) -> None:
        def change(session: Any) -> None:
            row = find_staff(session, demo.stage.practice_id, SUPERVISOR.login)
            assert row is not None
            staff.change(session, demo.stage.practice_id, row.id, name=row.name, role=row.role, deputy_login=None,
                         email=None, active=active, actor=MANAGER.login, now=demo.stage.clock.now())

        demo.stage.store.write(change)

    turn(False)
    status, page = await browser.press(PRESS, login=SUPERVISOR.login)
    assert status == 403 and "off the list" in page
    turn(True)
    await browser.come_in(SUPERVISOR.login)


async def test_beside_the_door_the_sign_in_of_a_practice_is_there_for_whoever_was_invited(browser: Browser) -> None:
    _, page = await browser.get("/console/sign-in?password=1")
    assert 'type="password"' in page and PRESS not in page
