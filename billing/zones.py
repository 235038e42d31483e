"""In which time zones a recipient may be, and how that is known: address, ZIP, area code, else the practice's.

A mobile's area code says where it was bought, so every source that answers counts and a text has to be legal in all
of the zones found (T-08). States that lie in two zones give both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers import timezone as phone_zones
from phonenumbers.tzdata import TIMEZONE_DATA

from billing.policy.core import Zone

_E, _C, _M, _P = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"

_ONE_ZONE = {
    _E: "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    _C: "AL AR IA IL LA MN MO MS OK WI",
    _M: "CO MT NM UT WY",
    _P: "CA NV WA",
}

STATE_ZONES: dict[str, tuple[str, ...]] = {
    **{state: (zone,) for zone, states in _ONE_ZONE.items() for state in states.split()},
    "FL": (_E, _C), "IN": (_E, _C), "KY": (_E, _C), "MI": (_E, _C), "TN": (_E, _C),
    "KS": (_C, _M), "ND": (_C, _M), "NE": (_C, _M), "SD": (_C, _M), "TX": (_C, _M),
    "ID": (_M, _P), "OR": (_M, _P),
    "AZ": ("America/Phoenix", _M),  # the Navajo Nation keeps summer time
    "AK": ("America/Anchorage", "America/Adak"), "HI": ("Pacific/Honolulu",),
    "PR": ("America/Puerto_Rico",), "VI": ("America/St_Thomas",), "GU": ("Pacific/Guam",), "AS": ("Pacific/Pago_Pago",),
    "MP": ("Pacific/Guam",),
}

#: First three digits of a ZIP, from and to, per state: postal sectional centres, which keep to states with rare
#: exceptions at borders. A prefix that is not listed tells nothing.
_ZIP_RANGES: tuple[tuple[int, int, str], ...] = (
    (6, 7, "PR"), (8, 8, "VI"), (9, 9, "PR"), (10, 27, "MA"), (28, 29, "RI"), (30, 38, "NH"), (39, 49, "ME"),
    (50, 54, "VT"), (55, 55, "MA"), (56, 59, "VT"), (60, 69, "CT"), (70, 89, "NJ"), (100, 149, "NY"), (150, 196, "PA"),
    (197, 199, "DE"), (200, 200, "DC"), (201, 201, "VA"), (202, 205, "DC"), (206, 219, "MD"), (220, 246, "VA"),
    (247, 268, "WV"), (270, 289, "NC"), (290, 299, "SC"), (300, 319, "GA"), (320, 349, "FL"), (350, 369, "AL"),
    (370, 385, "TN"), (386, 397, "MS"), (398, 399, "GA"), (400, 427, "KY"), (430, 459, "OH"), (460, 479, "IN"),
    (480, 499, "MI"), (500, 528, "IA"), (530, 549, "WI"), (550, 567, "MN"), (570, 577, "SD"), (580, 588, "ND"),
    (590, 599, "MT"), (600, 629, "IL"), (630, 658, "MO"), (660, 679, "KS"), (680, 693, "NE"), (700, 714, "LA"),
    (716, 729, "AR"), (730, 732, "OK"), (733, 733, "TX"), (734, 749, "OK"), (750, 799, "TX"), (800, 816, "CO"),
    (820, 831, "WY"), (832, 838, "ID"), (840, 847, "UT"), (850, 865, "AZ"), (870, 884, "NM"), (885, 885, "TX"),
    (889, 898, "NV"), (900, 961, "CA"), (967, 968, "HI"), (969, 969, "GU"), (970, 979, "OR"), (980, 994, "WA"),
    (995, 999, "AK"),
)

_MANY = 6
"""A number with more zones than any area code has is not geographic (toll-free has 42): it tells nothing."""


def state_of_zip(postal_code: str | None) -> str | None:
    """Return the two-letter state of a ZIP or ZIP+4, or None."""
    head = (postal_code or "").strip()[:3]
    return _state_of_prefix(head) if len(head) == 3 and head.isdecimal() else None


@lru_cache(maxsize=1024)
def _state_of_prefix(head: str) -> str | None:
    return next((state for low, high, state in _ZIP_RANGES if low <= int(head) <= high), None)


def zones_of_phone(address: str) -> tuple[str, ...]:
    """Return the zones of an E.164 number's area code; empty where it has none of its own."""
    if _ordinary().fullmatch(address):
        return _zones_of_exchange(address[1:1 + _longest_known()])
    return _zones_of_any(address)


@lru_cache(maxsize=1)
def _ordinary() -> re.Pattern[str]:
    """E.164 numbers of the United States that are neither toll-free nor of another kind without a place: their zone
    is their area code's and exchange's, and the library need not be asked about each.
    """
    about: Any = phonenumbers.PhoneMetadata.metadata_for_region("US")
    kinds = (about.premium_rate, about.toll_free, about.shared_cost, about.voip, about.personal_number, about.pager,
             about.uan, about.voicemail)
    others = "|".join(kind.national_number_pattern for kind in kinds if kind is not None)
    return re.compile(rf"\+1(?!(?:{others})$)(?:{about.fixed_line.national_number_pattern})")


@lru_cache(maxsize=1)
def _longest_known() -> int:
    """How many digits of a number, country code included, the library's table of American zones looks at."""
    return max(len(digits) for digits in TIMEZONE_DATA if digits.startswith("1"))


@lru_cache(maxsize=16384)
def _zones_of_exchange(digits: str) -> tuple[str, ...]:
    heads = (digits[:length] for length in range(len(digits), 0, -1))
    return _known(next((TIMEZONE_DATA[head] for head in heads if head in TIMEZONE_DATA), ()))


@lru_cache(maxsize=4096)
def _zones_of_any(address: str) -> tuple[str, ...]:
    try:
        number = phonenumbers.parse(address, "US")
    except phonenumbers.NumberParseException:
        return ()
    if phonenumbers.number_type(number) == PhoneNumberType.TOLL_FREE:
        return ()
    return _known(phone_zones.time_zones_for_number(number))


def _known(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(zone for zone in names if _exists(zone))
    return found if len(found) <= _MANY else ()


@lru_cache(maxsize=1024)
def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return zone != phone_zones.UNKNOWN_TIMEZONE


def candidate_zones(*, address_zone: str | None, region: str | None, postal_code: str | None, phone: str | None,
                    practice_zone: str) -> tuple[Zone, ...]:
    """Return every zone in which the recipient may be, the best known first; never empty.

    ``address_zone`` is the exact zone of the postal address where the record has it; without it the state's.
    """
    return zones_where(address_zone, region, state_of_zip(postal_code), zones_of_phone(phone or ""), practice_zone)


@lru_cache(maxsize=16384)
def zones_where(address_zone: str | None, region: str | None, zip_state: str | None, of_phone: tuple[str, ...],
                practice_zone: str) -> tuple[Zone, ...]:
    """As candidate_zones, of what has been made of the ZIP and the number already."""
    by_address = (address_zone,) if address_zone and _exists(address_zone) else STATE_ZONES.get(region or "", ())
    found = [Zone(zone, "address") for zone in by_address]
    found += [Zone(zone, "zip") for zone in _zones_of_zip(zip_state, by_address)]
    found += [Zone(zone, "area_code") for zone in of_phone]
    if not found:
        return (Zone(practice_zone, "practice"),)
    first: dict[str, Zone] = {}
    for zone in found:
        first.setdefault(zone.name, zone)
    return tuple(first.values())


def _zones_of_zip(state: str | None, by_address: tuple[str, ...]) -> tuple[str, ...]:
    """A ZIP in a state of two zones does not contradict the address that names one of the two."""
    zones = STATE_ZONES.get(state or "", ())
    return () if set(by_address) & set(zones) else zones
