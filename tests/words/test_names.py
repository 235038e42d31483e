"""Names in capitals are shown as the office would write them; every other name stays as it came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.names import written


@pytest.mark.parametrize(("given_as", "shown"), [
    ("HARBOR HEALTH PLAN", "Harbor Health Plan"), ("MEDICARE PART B", "Medicare Part B"),
    ("BCBS OF TEXAS", "BCBS of Texas"), ("THE HARTFORD", "The Hartford"), ("AETNA HMO", "Aetna HMO"),
    ("UNITEDHEALTHCARE", "UnitedHealthcare"), ("AARP", "AARP"), ("SENIOR GAP MUTUAL", "Senior Gap Mutual"),
    ("ST JOHN'S HEALTH", "St John's Health"), ("PAT O'BRIEN, MD", "PAT O'Brien, MD"),
    ("ELENA NÚÑEZ, MD", "Elena Núñez, MD"), ("", ""), ("MCRB1", "MCRB1"), ("Blue Shield of CA", "Blue Shield of CA")])
def test_a_name_in_capitals_reads_as_a_name(given_as: str, shown: str) -> None:
    assert written(given_as) == shown


@given(st.text())
def test_only_the_case_of_letters_ever_changes(name: str) -> None:
    assert written(name).casefold() == name.casefold()
    assert written(name) == name or name.isupper()
