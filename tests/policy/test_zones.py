"""Where a recipient may be, and how that is known."""

from __future__ import annotations

import pytest

from billing.zones import STATE_ZONES, candidate_zones, state_of_zip, zones_of_phone

PRACTICE = "America/New_York"


def zones(address_zone: str | None = None, region: str | None = None, postal_code: str | None = None,
          phone: str | None = None) -> list[tuple[str, str]]:
    found = candidate_zones(address_zone=address_zone, region=region, postal_code=postal_code, phone=phone,
                            practice_zone=PRACTICE)
    return [(zone.name, zone.known_by) for zone in found]


def test_the_address_comes_first_and_a_mobile_from_elsewhere_adds_its_zone() -> None:
    assert zones("America/Chicago", "IL", "60601", "+13105550142") == [
        ("America/Chicago", "address"), ("America/Los_Angeles", "area_code")]


def test_agreeing_sources_give_one_zone() -> None:
    assert zones(None, "NY", "10001", "+12125550142") == [("America/New_York", "address")]


def test_without_an_address_the_zip_counts_and_then_the_area_code() -> None:
    assert zones(postal_code="94103") == [("America/Los_Angeles", "zip")]
    assert zones(phone="+16025550142") == [("America/Phoenix", "area_code")]


@pytest.mark.parametrize("state", ["TN", "KY", "IN", "FL", "TX", "KS", "NE", "ND", "SD", "ID", "OR", "MI"])
def test_a_state_in_two_zones_gives_both(state: str) -> None:
    assert len(zones(region=state)) == 2


def test_the_exact_zone_of_an_address_is_not_widened_by_its_own_state_s_zip() -> None:
    assert zones("America/Chicago", "TN", "37201") == [("America/Chicago", "address")]


def test_a_zip_that_contradicts_the_address_adds_its_zones() -> None:
    assert zones("America/Chicago", "IL", "94103") == [("America/Chicago", "address"), ("America/Los_Angeles", "zip")]


@pytest.mark.parametrize("phone", ["+18005550142", "+18885550142", "+15005550006", "+15555550142", "", "nonsense"])
def test_toll_free_and_unplaced_numbers_tell_nothing_so_the_practice_s_zone_counts(phone: str) -> None:
    assert zones(phone=phone) == [(PRACTICE, "practice")]


def test_an_unknown_zone_on_record_is_passed_over() -> None:
    assert zones("Mars/Olympus", "AZ")[0] == ("America/Phoenix", "address")


@pytest.mark.parametrize(("postal_code", "state"), [
    ("00901", "PR"), ("02139", "MA"), ("10001-1234", "NY"), ("33101", "FL"), ("60601", "IL"), ("75201", "TX"),
    ("79936", "TX"), ("88510", "TX"), ("96813", "HI"), ("99501", "AK"), ("20500", "DC"), ("22201", "VA"),
    ("", None), (None, None), ("1", None), ("K1A 0B1", None), ("99999", "AK"), ("00100", None),
])
def test_zips_tell_their_state(postal_code: str | None, state: str | None) -> None:
    assert state_of_zip(postal_code) == state


def test_all_states_have_zones_that_exist() -> None:
    from zoneinfo import ZoneInfo

    assert len(STATE_ZONES) == 56
    assert {ZoneInfo(zone).key for found in STATE_ZONES.values() for zone in found}


def test_an_area_code_in_two_zones_gives_both() -> None:
    assert set(zones_of_phone("+19075550142")) == {"America/Adak", "America/Anchorage"}
