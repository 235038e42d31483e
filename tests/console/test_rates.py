"""How often anybody may try is counted by all web processes together, by address, and only what fails where it can."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from starlette.requests import Request

from billing import rates
from billing.store.tables import Practice, SendWindow
from bot.app import listening
from bot.channels.twilio_signature import compute
from bot.processors.manual import ManualProcessor
from bot.road import Road
from bot.web import counting
from bot.web.app import make_app
from bot.web.wiring import Wiring
from bot.write import Store
from config.addresses import AddressFault, proxies
from config.settings import Settings
from config.standins import STAND_IN_SECRETS
from tests.conftest import Clock
from tests.console.estate import HOST, Answer, call_alone
from tests.payments import world

WRONG = "/l/no-such-link"


class House:
    """Two web processes on one store, and visitors from anywhere."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.apps = [make_app(Wiring(Settings(practice=world.PRACTICE), Road(store, clock, name, f"http://{HOST}"),
                                     ManualProcessor())) for name in ("one", "two")]
        self.asked = 0

    def post(self, path: str, form: dict[str, str], address: str = "203.0.113.7") -> Answer:
        """Each request goes to the other process than the one before."""
        self.asked += 1
        return call_alone(self.apps[self.asked % 2], "POST", path, form, address)

    def counted(self) -> int:
        return self.store.read(lambda s: s.scalar(select(func.sum(SendWindow.used))) or 0)


@pytest.fixture
def house(store: Store, practice: Practice, clock: Clock) -> House:
    store.write(lambda session: world.anna(session, clock()))
    return House(store, clock)


def press_check(house: House, address: str) -> Answer:
    return house.post("/check", {"code": "0000-0000"}, address)


def press_link(house: House, address: str) -> Answer:
    return house.post(WRONG, {"month": "1", "day": "1", "year": "1970", "zip": "00000"}, address)


def press_hook(house: House, address: str) -> Answer:
    return house.post("/hooks/twilio/sms", {"Body": "hi"}, address)


def press_sign_in(house: House, address: str) -> Answer:
    return house.post("/console/sign-in", {"login": "nobody", "password": ""}, address)


DOORS: tuple[tuple[rates.Door, Callable[[House, str], Answer], int], ...] = (
    (rates.CHECK, press_check, 200), (rates.LINK, press_link, 403), (rates.HOOK, press_hook, 403))


@pytest.mark.parametrize(("door", "press", "status"), DOORS, ids=lambda one: getattr(one, "name", ""))
def test_two_processes_count_one_visitor_together_and_nobody_else_is_held_up(
        house: House, door: rates.Door, press: Callable[[House, str], Answer], status: int) -> None:
    for _ in range(door.most):
        assert press(house, "203.0.113.7").status == status
    assert press(house, "203.0.113.7").status == 429
    assert press(house, "203.0.113.7").status == 429
    assert press(house, "198.51.100.1").status == status
    counted = (door.most + 1) * (2 if door.most_of_all else 1)
    assert house.counted() == counted, "what is refused is not counted"
    house.clock.advance(seconds=door.within.total_seconds())
    assert press(house, "203.0.113.7").status == status


def test_a_flood_of_addresses_meets_the_limit_of_all_at_the_check_page(house: House) -> None:
    wanted = rates.CHECK.most_of_all or 0
    visitors = (f"198.51.{number // 250}.{number % 250}" for number in range(wanted))
    assert {press_check(house, one).status for one in visitors} == {200}
    assert press_check(house, "192.0.2.1").status == 429


def test_right_answers_behind_a_link_cost_nothing(house: House) -> None:
    from billing import links

    path = "/l/" + house.store.write(lambda s: links.make(
        s, world.PRACTICE, world.ANNA, "statement", "", 30, house.clock()))
    before = house.counted()
    for _ in range(3):
        answer = house.post(path, {"month": "2", "day": "29", "year": "1976", "zip": "10001"})
        assert answer.status == 303
    assert house.counted() == before


def test_a_signed_webhook_gets_through_from_an_address_that_floods_us(house: House) -> None:
    """Behind a proxy that nobody named all have one address: Twilio must not wait for whoever pretends to be Twilio."""
    for _ in range(rates.HOOK.most + 5):
        press_hook(house, "203.0.113.7")
    text = {"MessageSid": "SM1", "From": "+12125550123", "To": "+12125550100", "Body": "hi", "NumMedia": "0"}
    path, token = "/hooks/twilio/sms", STAND_IN_SECRETS["twilio_auth_token"]
    signed = compute(f"http://{HOST}{path}", text.items(), token, "HMAC_SHA1")
    answer = call_alone(house.apps[0], "POST", path, text, "203.0.113.7", {"x-twilio-signature": signed})
    assert answer.status == 200, answer.text
    assert press_hook(house, "203.0.113.7").status == 429


def test_one_household_of_a_whole_network_is_one_visitor() -> None:
    def named(host: str) -> str:
        return counting.visitor(Request({"type": "http", "client": (host, 1), "headers": []}))

    assert named("2001:db8:1:2:aaaa::1") == named("2001:db8:1:2:bbbb::2") != named("2001:db8:1:3::1")
    assert named("::ffff:203.0.113.7") == named("203.0.113.7") != named("203.0.113.8")
    assert named("fe80::1%eth0") and named("unix") == "unix"


def test_a_window_says_when_it_ends(clock: Clock) -> None:
    for _ in range(5):
        left = rates.wait(rates.API, clock())
        assert 0 < left <= 60
        assert rates._window(rates.API, clock() + timedelta(seconds=left)) > rates._window(rates.API, clock())
        clock.advance(seconds=13.5)


@pytest.mark.parametrize(("trusted", "told_apart"), [("10.0.0.0/8", True), ("", False), ("192.0.2.1", False)])
def test_visitors_behind_a_proxy_of_ours_are_told_apart_and_nobody_else_is_believed(
        house: House, trusted: str, told_apart: bool) -> None:
    served = listening(house.apps[0], Settings(trusted_proxies=trusted))
    served.load()
    assert not served.server_header and not served.access_log

    def press(visitor: str) -> int:
        return call_alone(served.loaded_app, "POST", "/check", {"code": "0000-0000"}, "10.0.0.9",
                          {"x-forwarded-for": f"192.0.2.66, {visitor}"}).status

    for _ in range(rates.CHECK.most):
        press("203.0.113.7")
    assert press("203.0.113.7") == 429
    assert press("203.0.113.8") == (200 if told_apart else 429)


def test_only_our_own_proxies_are_believed_and_never_everybody() -> None:
    assert proxies(" 127.0.0.1 , 10.0.0.0/8") == "127.0.0.1,10.0.0.0/8"
    for wrong in ("*", "0.0.0.0/0", "::/0", "proxy.example", "127.0.0.1/40"):
        with pytest.raises(AddressFault) as told:
            proxies(wrong)
        assert wrong not in str(told.value)
