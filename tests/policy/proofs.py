"""Which tests prove which rule; docs/rules.md lists them, and a test sees that each exists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

TESTS = Path(__file__).parents[1]

_RULES, _STOPS, _PLANS = "policy/test_rules.py", "policy/test_stops.py", "policy/test_plans.py"
_COLLECTOR, _BOOK, _CAPS = "policy/test_collector.py", "policy/test_book.py", "policy/test_carrier_caps.py"
_CONTENT = "statements/test_content.py"
_CLOCKS, _HELP = "collections/test_clocks.py", "collections/test_assistance.py"

#: Rule -> file, and the beginning of the names of its tests there.
PROOFS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "T-01": ((_RULES, "test_t_01"),), "T-02": ((_BOOK, "test_t_02"),), "T-03": ((_RULES, "test_t_03"),),
    "T-04": ((_RULES, "test_t_04"),), "T-05": ((_RULES, "test_t_05"),), "T-06": ((_BOOK, "test_t_06"),),
    "T-07": ((_RULES, "test_t_07"),), "T-08": (("policy/test_hours.py", "test_"),),
    "T-09": (("understanding/test_fixed_words.py", "test_t_09"),),
    "T-10": (("understanding/test_fixed_words.py", "test_t_10"), ("parties/test_consents.py", "test_a_voided_number")),
    "T-11": ((_BOOK, "test_t_11"),), "T-12": ((_RULES, "test_t_12"),),
    "T-13": (("understanding/test_model.py", "test_t_03"), ("understanding/test_model.py", "test_t_12")),
    "T-14": ((_RULES, "test_t_14"),), "T-15": ((_COLLECTOR, "test_t_15"),),
    "T-16": ((_CAPS, "test_t_16"), ("policy/test_household.py", "test_t_16")), "T-17": ((_RULES, "test_t_17"),),
    "T-18": (("contracts/test_twilio_signature.py", "test_a_missing"),),
    "T-19": (("policy/test_telegram.py", "test_t_19"),),
    "T-20": ((_COLLECTOR, "test_t_20"), ("policy/test_gate_facts.py", "test_t_20")),
    "T-21": ((_COLLECTOR, "test_t_21"), ("policy/test_property.py", "test_t_21")),
    "T-22": ((_COLLECTOR, "test_t_22"),), "T-23": ((_COLLECTOR, "test_t_23"),), "T-24": ((_COLLECTOR, "test_t_24"),),
    "T-25": ((_COLLECTOR, "test_t_25"),), "T-26": ((_COLLECTOR, "test_t_26"),),
    "T-27": ((_COLLECTOR, "test_t_27"),), "T-28": ((_COLLECTOR, "test_t_28"),),
    "T-29": ((_COLLECTOR, "test_t_29"), ("payments/test_places.py", "test_no_money_goes_to_a_visit_that_is_disputed")),
    "T-30": ((_COLLECTOR, "test_t_30"), (_BOOK, "test_t_15_t_30_t_46")),
    "T-31": ((_STOPS, "test_nothing_due"), (_STOPS, "test_balance_moved"), (_RULES, "test_t_51")),
    "T-32": ((_RULES, "test_t_32"),), "T-33": ((_RULES, "test_t_33"),), "T-34": ((_RULES, "test_t_34"),),
    "T-35": ((_RULES, "test_t_35"),),
    "T-36": (("road/test_store.py", "test_the_database_itself_refuses"), ("cli/test_desk.py", "test_who_read")),
    "T-37": ((_RULES, "test_t_37"), ("policy/test_telegram.py", "test_t_37")), "T-38": ((_BOOK, "test_t_38"),),
    "T-39": ((_RULES, "test_t_39"),),
    "T-40": (("ledger/test_adjudication.py", "test_pr_of_any_other_reason"),),
    "T-41": ((_CONTENT, "test_exactly_400_dollars"), (_CONTENT, "test_one_providers_bill")),
    "T-42": ((_COLLECTOR, "test_t_40_t_41_t_42"), (_STOPS, "test_hold_ppdr")),
    "T-43": ((_CLOCKS, "test_t_43"),), "T-44": ((_CLOCKS, "test_t_44"), (_HELP, "test_t_44")),
    "T-45": ((_BOOK, "test_t_45"),), "T-46": ((_COLLECTOR, "test_t_46"), (_BOOK, "test_t_15_t_30_t_46")),
    "T-47": ((_PLANS, "test_t_47"),), "T-48": ((_PLANS, "test_t_48"),),
    "T-49": (("policy/test_plans_retries.py", "test_t_49"),), "T-50": (("policy/test_plans_retries.py", "test_t_50"),),
    "T-51": ((_RULES, "test_t_51"),), "T-52": ((_RULES, "test_t_52"),), "T-53": ((_RULES, "test_t_53"),),
    "T-54": ((_PLANS, "test_t_54"),),
    "T-55": (("words/test_foreign.py", "test_a_language_without"), ("words/test_foreign.py", "test_a_line_is_sent")),
    "T-56": (("browser/test_pages.py", "test_every_page_is_accessible"),), "T-57": ((_RULES, "test_t_57"),),
    "T-58": (("collections/test_offers.py", "test_t_58"),),
}


def proofs_of(rule_id: str) -> list[str]:
    """The tests of a rule as ``file::name``. Those that PROOFS does not know yet are looked for by their number."""
    known = PROOFS.get(rule_id)
    if known is None:
        number = rule_id.lower().replace("-", "_")
        return [f"{file}::{name}" for file, names in sorted(every_test().items()) for name in names
                if name.startswith(f"test_{number}_")]
    return [f"{file}::{name}" for file, begin in known for name in every_test().get(file, ()) if name.startswith(begin)]


@lru_cache(maxsize=1)
def every_test() -> dict[str, tuple[str, ...]]:
    """All tests there are, by file below tests/."""
    return {file.relative_to(TESTS).as_posix(): tuple(re.findall(
        r"^(?:async )?def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE))
        for file in sorted(TESTS.rglob("test_*.py"))}
