"""The sums that a remittance must keep, and what is only flagged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.importers.footing import (
    ContentDigest,
    claim_faults,
    claim_flags,
    opened_flags,
    patient_responsibility_minor,
)
from billing.importers.records import PaidClaim
from tests.importers import samples


def _claim(name: str = "deductible-coinsurance-copay.835", index: int = 0) -> PaidClaim:
    return samples.read_remittance_bytes(samples.content(name))[0].claims[index]


def test_a_reversal_foots_by_the_same_arithmetic() -> None:
    reversal = _claim("reversal-correction.835")

    assert (reversal.charge_minor, reversal.paid_minor) == (-20000, -10000)
    assert claim_faults(reversal) == []
    assert patient_responsibility_minor(reversal) == -4000


@pytest.mark.parametrize("cents", [1, -1, 100_000_000])
def test_a_charge_off_by_any_amount_is_refused_with_the_difference(cents: int) -> None:
    claim = _claim()
    faults = claim_faults(replace(claim, charge_minor=claim.charge_minor + cents))

    assert [(fault.segment, fault.difference_minor) for fault in faults] == [("CLP", cents)]


def test_a_refusal_tells_a_biller_both_sides_and_the_difference() -> None:
    fault = claim_faults(_claim("imbalance-charge.835"))[0]

    assert fault.reason == (
        "the charge is $110.00 (CLP03) but payment $80.00 (CLP04) and adjustments $20.00 (CAS) explain $100.00, "
        "a difference of $10.00: ask the payer what became of the rest"
    )


def test_refusals_repeat_no_number_of_a_claim_or_member() -> None:
    for name in samples.sample_names():
        if "transactions" not in samples.expected(name):
            continue
        for transaction in samples.read_remittance_bytes(samples.content(name)):
            found = samples.faults_of(transaction) + samples.flags_of(transaction)
            ids = {claim.claim_id for claim in transaction.claims} | {"HMA1002"}
            assert not [fault for fault in found for each in ids if each in fault.reason]


def test_an_unreadable_amount_stands_alone_instead_of_misleading_sums() -> None:
    faults = claim_faults(_claim("non-numeric-amounts.835"))

    assert len(faults) == 8
    assert all("amount" in fault.reason and fault.difference_minor is None for fault in faults)


def test_a_patient_part_other_than_the_adjustments_is_flagged_and_taken() -> None:
    claim = _claim("patient-part-differs.835")

    assert claim_faults(claim) == []
    assert [flag.difference_minor for flag in claim_flags(claim)] == [2500]


def test_odd_days_and_unknown_statuses_are_flagged_and_taken() -> None:
    claim = replace(_claim(), status_code="77")
    reasons = [flag.reason for flag in claim_flags(claim, date(2026, 10, 1))]
    old = [flag.reason for flag in claim_flags(_claim(), date(2040, 10, 1))]

    assert claim_faults(claim) == []
    assert reasons == ["CLP02 is no known claim status", "the service lies after the payment date (BPR16)"]
    assert old == ["the service lies more than 10 years before the payment"]


def test_an_unknown_payee_is_flagged() -> None:
    opened = samples.read_remittance_bytes(samples.content("plain.835"))[0].opened

    assert opened_flags(opened, {"1234567893"}) == []
    assert "another practice" in opened_flags(opened, {"1999999984"})[0].reason


def test_the_digest_is_stable_between_releases() -> None:
    """Stored digests recognise copies of files imported long ago: this value must never change."""
    transaction = samples.read_remittance_bytes(samples.content("plb-many.835"))[0]

    assert samples.digest_of(transaction) == "c044591e2100896c5ee654418d1f7480aa6b6029649261d21bfe8d98e7a668f6"


def test_the_order_of_claims_and_adjustments_is_no_content() -> None:
    claims = samples.read_remittance_bytes(samples.content("claim-id-repeated.835"))[0].claims
    forward, backward = ContentDigest(), ContentDigest()
    for claim in claims:
        forward.add(claim)
    for claim in reversed(claims):
        backward.add(replace(claim, lines=claim.lines[::-1]))

    assert forward.hexdigest([]) == backward.hexdigest([])


def test_a_claim_twice_is_not_a_claim_once() -> None:
    once, twice = ContentDigest(), ContentDigest()
    once.add(_claim())
    twice.add(_claim())
    twice.add(_claim())

    assert once.hexdigest([]) != twice.hexdigest([])
