"""On the way to the processor's page, whatever fails costs a press and never an hour, and a page has one attempt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from billing import checkout, setups
from billing.link_pages import visit
from billing.store.tables import Payment, SetupRequest
from bot.processors.base import CheckoutPage, CheckoutRequest
from bot.processors.base import SetupRequest as Asked
from bot.processors.manual import ManualProcessor
from bot.road import Road
from bot.web import card_page, paying
from bot.web.wiring import Wiring
from config.settings import Settings
from tests.payments import world
from tests.web.conftest import Now, Site
from tests.web.test_cards import setup_of
from tests.web.test_doors import payment_of

BUTTONS = ("pay", "card")
FULL = ((world.OLD, world.OLD_MINOR),)


def asked_for(site: Site, button: str) -> str:
    return payment_of(site, FULL) if button == "pay" else setup_of(site)


@pytest.mark.parametrize("button", BUTTONS)
async def test_a_failure_that_the_processor_keeps_for_a_key_is_left_behind_with_the_key(
        site: Site, button: str) -> None:
    path = site.link(button, asked_for(site, button))
    await site.prove(path)
    await site.fault(path="/v1/checkout/sessions", mode="500_saved", times=1)
    status, _, answer = await site.post(f"{path}/{button}")
    assert status == 303 and answer.headers["Location"].startswith(site.stripe_url)
    assert (await site.post(f"{path}/{button}"))[2].headers["Location"] == answer.headers["Location"]
    assert await site.stripe_sessions() == 1


@pytest.mark.parametrize("button", BUTTONS)
async def test_while_the_processor_is_down_nobody_waits_longer_than_it_is(site: Site, button: str) -> None:
    path = site.link(button, object_id := asked_for(site, button))
    await site.prove(path)
    await site.fault(path="/v1/checkout/sessions", mode="500_saved", times=9_999)
    assert (await site.post(f"{path}/{button}"))[0] == 503
    row = site.store.read(lambda s: s.get_one(Payment if button == "pay" else SetupRequest, object_id))
    assert getattr(row, "failure", None) is None  # nothing was refused
    await site.fault(path="/v1/checkout/sessions", mode="none")
    assert (await site.post(f"{path}/{button}"))[0] == 303


class Overtaken(ManualProcessor):
    """A processor that answers late: meanwhile somebody else's press gave the attempt up."""

    def __init__(self, give_up: Callable[[], None]) -> None:
        self.give_up, self.pages = give_up, 0

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        return self._page(request)

    async def open_setup(self, request: Asked) -> CheckoutPage:
        return self._page(request)

    def _page(self, request: CheckoutRequest | Asked) -> CheckoutPage:
        self.pages += 1
        if self.pages == 1:
            self.give_up()
        return CheckoutPage(f"cs_{self.pages}", f"https://pay.example/{self.pages}", request.expires_at)


@pytest.mark.parametrize("button", BUTTONS)
async def test_a_page_whose_attempt_was_given_up_meanwhile_is_handed_to_nobody(site: Site, button: str) -> None:
    object_id = asked_for(site, button)
    refused = checkout.refused if button == "pay" else setups.refused
    processor = Overtaken(lambda: site.store.write(lambda s: refused(
        s, world.PRACTICE, object_id, 1, "", site.clock())))
    wiring = Wiring(Settings(practice=world.PRACTICE), Road(
        site.store, Now(site.clock), "test", "https://pay.example", processor=processor), processor)
    token = site.link(button, object_id).removeprefix("/l/")
    visitor = site.store.write(lambda s: visit(s, token, site.clock()))
    assert visitor is not None
    to_page = paying.to_page if button == "pay" else card_page.to_page
    answer = await to_page(wiring, visitor, object_id, token, "en")
    assert answer.headers["location"] == "https://pay.example/2"
    row = site.store.read(lambda s: s.get_one(Payment if button == "pay" else SetupRequest, object_id))
    assert isinstance(row, Payment | SetupRequest)
    assert (row.attempt, row.session_ref) == (2, "cs_2")
